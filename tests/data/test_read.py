import gzip
import os

import numpy as np
import pandas as pd
import polars as pl
import pytest

from throughtime.data import read_table
from throughtime.errors import DataError

HEAD = "time,temp,wind\n"
ROWS = [f"2013-01-01 {h:02d}:00,{h}.5,{h * 2}.25" for h in range(20)]
PLAIN = HEAD + "\n".join(ROWS) + "\n"
TEMP = [h + 0.5 for h in range(20)]


def with_line(number: int, row: str) -> str:
    """The plain file with one line (counted from 1) replaced."""
    lines = PLAIN.splitlines()
    lines[number - 1] = row
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_delimiter_line_end_and_encoding_are_found(write, mark, end, encoding):
    text = PLAIN.replace(",", mark).replace("\n", end).replace("temp", "témp")
    table = read_table(write(text.encode(encoding)))
    assert table.frame.columns == ["time", "témp", "wind"]
    assert table.frame["témp"].to_list() == TEMP
    assert table.first_line == 2


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_decimal_comma(write, mark):
    table = read_table(write(PLAIN.replace(",", mark).replace(".", ",")))
    assert table.frame["temp"].to_list() == TEMP
    assert "decimal commas" in table.form


def test_quoted_decimal_comma(write):
    text = HEAD + "".join(f'2013-01-01 {h:02d}:00,"{h},5",1\n' for h in range(20))
    assert read_table(write(text)).frame["temp"].to_list() == TEMP


def test_a_comma_that_may_set_off_thousands_is_refused(write):
    text = HEAD + "".join(f'2013-01-01 {h:02d}:00,"1,{h:03d}",1\n' for h in range(20))
    with pytest.raises(
        DataError, match=r"weather.csv line 2: column 'temp' holds '1,000'; .*thousands or decimals"
    ):
        read_table(write(text))


def test_gzip_is_found_by_content_not_by_name(write):
    packed = gzip.compress(PLAIN.encode())
    assert read_table(write(packed, "plain.csv")).frame["temp"].to_list() == TEMP
    two = gzip.compress(PLAIN[:100].encode()) + gzip.compress(PLAIN[100:].encode())
    assert read_table(write(two)).frame["temp"].to_list() == TEMP
    assert read_table(write(PLAIN, "named.csv.gz")).frame["temp"].to_list() == TEMP


def test_truncated_and_damaged_gzip(write):
    packed = gzip.compress(os.urandom(3000).hex().encode())
    cut = packed[: len(packed) // 2]
    with pytest.raises(
        DataError, match=rf"w.csv.gz is a damaged gzip file: it ends after {len(cut):,} bytes"
    ):
        read_table(write(cut, "w.csv.gz"))
    flipped = packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]
    with pytest.raises(DataError, match="is a damaged gzip file"):
        read_table(write(flipped))
    with pytest.raises(DataError, match="inside the gzip is empty"):
        read_table(write(gzip.compress(b"")))


def test_missing_words(write):
    words = ["", "NA", "N/A", "NaN", "nan", "null", "None", "-", "?", " na ", "#N/A"]
    rows = [f"2013-01-01 {i:02d}:00,{word},1" for i, word in enumerate(words)]
    rows += [f"2013-01-02 {h:02d}:00,{h},1" for h in range(20)]
    table = read_table(write(HEAD + "\n".join(rows)))
    assert table.frame["temp"].null_count() == len(words)
    assert table.frame["temp"].sum() == sum(range(20))


def test_blanks_around_numbers_and_names(write):
    table = read_table(write(PLAIN.replace(",", " ; ")))
    assert table.frame.columns == ["time", "temp", "wind"]
    assert table.frame["temp"].to_list() == TEMP


def test_a_text_cell_in_a_column_of_numbers_names_its_line(write):
    path = write(with_line(12, "2013-01-01 10:00,n/a?,1"))
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        "weather.csv line 12: column 'temp' holds 'n/a?' where a number is expected (see --on-bad-value)."
    )
    table = read_table(path, on_bad_value="missing")
    assert table.frame["temp"][10] is None
    assert [(r.kind, r.column, r.count) for r in table.repairs] == [("bad value", "temp", 1)]
    assert "line 12" in table.repairs[0].text


def test_more_bad_cells_are_counted(write):
    text = PLAIN.replace(",3.5,", ",broken,").replace(",7.5,", ",broken,")
    with pytest.raises(DataError, match=r"line 5: .*'broken'.*; 1 more such line \(see"):
        read_table(write(text))


def test_lines_count_quoted_breaks_blank_lines_and_byte_order_marks(write):
    rows = [f'2013-01-01 {h:02d}:00,"two\nlines",{h}' for h in range(20)]
    rows[4] += "\n\n   "
    rows[15] = '2013-01-01 15:00,"x ""y"" , z",bad'
    text = "\ufeff\n" + "time,note,temp\n" + "\n".join(rows) + "\n\n"
    bad_line = text.split("\n").index('2013-01-01 15:00,"x ""y"" , z",bad') + 1
    with pytest.raises(DataError, match=rf"weather.csv line {bad_line}: column 'temp' holds 'bad'"):
        read_table(write(text))
    table = read_table(write(text), on_bad_value="missing")
    assert table.frame["note"][15] == 'x "y" , z'
    assert table.frame.height == 20
    assert table.first_line == 3
    assert [r.count for r in table.repairs if r.kind == "blank rows"] == [3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"weather.csv: the file is empty \(0 bytes\)"),
        (b"\n \n\n", "weather.csv: the file holds no rows, only blank lines"),
        (HEAD, "weather.csv: holds a header and no rows; the columns are 'time', 'temp', 'wind'"),
        (HEAD + "\n,,\n", "holds a header and no rows"),
        ("time,temp,temp\n2013-01-01,1,2\n", "line 1: the column 'temp' appears more than once"),
        (with_line(7, "2013-01-01 05:00,5.5"), "line 7: has 2 cells where the header has 3;"),
        (with_line(7, "2013-01-01 05:00,5.5,1,9"), "line 7: has 4 cells where the header has 3;"),
        (PLAIN[:-12], "line 21: has 1 cell where the header has 3"),
        (with_line(7, '2013-01-01 05:00,"5.5,1'), r"line 7: a quote \(\"\) is opened and never closed"),
        ("1,2,3\n4,5,6\n", "line 1: holds numbers where the columns' names are expected"),
        ("once upon a time\nthere was text\n", "line 1: no comma, semicolon, tab or pipe"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "is not a table: it holds binary data"),
        ((PLAIN * 9).encode() + b"\0\0", "line 190: holds a NUL byte"),
        (b"time,temp \xb0C\n2013-01-01,1\n", r"line 1: byte 10 \(0xb0\) is not valid UTF-8; save .* iconv"),
        (b"PAR1 and no more", "is a damaged Parquet file"),
        ("time,,temp\n2013-01-01,x,1\n2013-01-02,y,1\n", "column 2 has no name"),
    ],
)
def test_bad_files(write, content, message):
    with pytest.raises(DataError, match=message):
        read_table(write(content))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"no\.csv: there is no such file"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(DataError, match="is a folder; name the file"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_table("nul\0name.csv")


def test_no_permission(write, monkeypatch):
    path = write(PLAIN)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "read_bytes", refuse)
    with pytest.raises(DataError, match="no permission to read it"):
        read_table(path)


def test_columns_without_a_name_that_are_empty_or_count_rows_go(write):
    text = ",time,temp,,\n" + "".join(f"{h},2013-01-01 {h:02d}:00,{h},,\n" for h in range(9))
    table = read_table(write(text))
    assert table.frame.columns == ["time", "temp"]
    assert table.repairs[0].text.startswith("3 columns without a name left out")


def test_a_header_that_comes_again_is_left_out_with_its_line(write):
    table = read_table(write(PLAIN + PLAIN))
    assert table.frame.height == 40
    assert table.frame["temp"].dtype == pl.Float64
    assert [(r.kind, r.count) for r in table.repairs] == [("repeated header", 1)]
    assert "line 22" in table.repairs[0].text
    assert table.lines.tolist() == [*range(2, 22), *range(23, 43)]


def test_a_units_row_is_left_out_and_kept_as_units(write):
    table = read_table(write(HEAD + "UTC,degC,m/s\n" + "\n".join(ROWS)))
    assert table.units == {"temp": "degC", "wind": "m/s"}
    assert table.first_line == 3
    assert table.frame["temp"].to_list() == TEMP
    assert [r.kind for r in table.repairs] == ["units row"]


def test_a_first_row_with_a_bad_cell_is_no_units_row(write):
    text = "time,temp\n2013-01-01 00:00,oops\n" + "".join(
        f"2013-01-01 {h:02d}:00,{h}\n" for h in range(1, 20)
    )
    with pytest.raises(DataError, match="line 2: column 'temp' holds 'oops'"):
        read_table(write(text))


def test_text_and_truth_columns(write):
    rows = [f"2013-01-01 {h:02d}:00,{'AB'[h % 2]},{h % 2 == 0},{h}" for h in range(9)]
    frame = read_table(write("time,station,rain,n\n" + "\n".join(rows))).frame
    assert frame["station"].dtype == pl.String
    assert frame["rain"].to_list()[:3] == [1.0, 0.0, 1.0]
    assert frame["n"].dtype == pl.Int64


def test_where(write):
    text = "time,station,temp\n" + "".join(f"2013-01-0{1 + i // 3},{'ABC'[i % 3]},{i}\n" for i in range(9))
    table = read_table(write(text), where={"station": "B"})
    assert table.frame["temp"].to_list() == [1, 4, 7]
    assert table.lines.tolist() == [3, 6, 9]
    assert table.repairs[0].count == 3
    assert read_table(write(text), where={"temp": "4.0"}).frame["station"].to_list() == ["B"]
    with pytest.raises(DataError, match="column 'station' never holds 'D'; it holds 'A', 'B', 'C'"):
        read_table(write(text), where={"station": "D"})
    with pytest.raises(DataError, match=r"no column 'site' .*'time', 'station', 'temp'"):
        read_table(write(text), where={"site": "A"})


def test_bad_cells_of_other_rows_do_not_matter_under_where(write):
    text = (
        "time,station,temp\n"
        + "".join(f"2013-01-01 {h:02d}:00,A,{h}\n" for h in range(20))
        + "2013-01-01,B,x\n"
    )
    assert read_table(write(text), where={"station": "A"}).frame["temp"].dtype == pl.Int64


def test_frames_of_three_kinds_are_the_same_table(tmp_path):
    frame = pl.DataFrame({"time": ["2013-01-01", "2013-01-02"], "temp": [1.5, None], "code": ["7", "8"]})
    tables = [read_table(one) for one in (frame, frame.lazy(), frame.to_pandas(), frame.to_arrow())]
    for table in tables:
        assert table.frame.equals(tables[0].frame)
        assert table.place(1) == "the table row 2"
        assert table.first_line is None
    assert tables[0].fingerprint == tables[1].fingerprint
    assert tables[0].fingerprint != read_table(frame.with_columns(temp=2.0)).fingerprint
    frame.write_parquet(tmp_path / "t.bin")
    assert read_table(tmp_path / "t.bin").frame.equals(tables[0].frame)


def test_a_pandas_index_of_times_becomes_a_column():
    frame = pd.DataFrame({"temp": [1.0, 2.0]}, index=pd.date_range("2013", periods=2, name="when"))
    assert read_table(frame).frame.columns == ["when", "temp"]
    assert "when" not in frame.columns


def test_frames_that_will_not_do():
    with pytest.raises(TypeError, match="source is a list"):
        read_table([1, 2])
    with pytest.raises(DataError, match="column name 0 is not text"):
        read_table(pd.DataFrame({0: [1]}))
    with pytest.raises(DataError, match="holds no rows"):
        read_table(pl.DataFrame({"a": []}))
    with pytest.raises(ValueError, match="on_bad_value='skip' is unknown"):
        read_table(pl.DataFrame({"a": [1]}), on_bad_value="skip")


def test_the_fingerprint_is_that_of_the_bytes(write):
    first = read_table(write(PLAIN)).fingerprint
    assert len(first) == 64
    assert read_table(write(PLAIN, "other.csv")).fingerprint == first
    assert read_table(write(PLAIN + "\n")).fingerprint != first


def test_infinite_and_huge_numbers_are_read_as_they_are(write):
    table = read_table(write(with_line(4, "2013-01-01 02:00,inf,1e400")))
    assert np.isinf(table.frame["temp"][2])
