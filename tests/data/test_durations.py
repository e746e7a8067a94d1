from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from throughtime.data import format_duration, parse_duration, steps_of

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("5d", timedelta(days=5)),
        ("24h", timedelta(hours=24)),
        ("10min", timedelta(minutes=10)),
        ("15m", timedelta(minutes=15)),
        ("30s", timedelta(seconds=30)),
        ("1w", timedelta(weeks=1)),
        ("250ms", timedelta(milliseconds=250)),
        ("2d12h", timedelta(days=2, hours=12)),
        (" 1 H 30 Min ", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        (timedelta(hours=3), timedelta(hours=3)),
    ],
)
def test_reads(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "h", "5", "5 x", "1h-", "-1h", "h5", "1y", "99999999999999w"])
def test_refuses_with_an_example(text):
    with pytest.raises(ValueError, match=r"is not a length of time.*'2d12h'"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0h", timedelta(0), timedelta(hours=-1)])
def test_refuses_nothing_and_less(text):
    with pytest.raises(ValueError, match="greater than zero"):
        parse_duration(text)


@given(st.integers(1, 10**12))
def test_words_read_back(milliseconds):
    length = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(length)) == length


def test_words():
    assert format_duration(timedelta(days=2, hours=12)) == "2 d 12 h"
    assert format_duration(timedelta(0)) == "0 s"
    assert format_duration(-HOUR) == "-1 h"


def test_counts_steps():
    assert steps_of("5d", HOUR, "history") == 120
    with pytest.raises(
        ValueError, match=r"history 1 h 30 min is not a whole number of steps of 1 h; take 1 h or 2 h"
    ):
        steps_of("90min", HOUR, "history")
    with pytest.raises(ValueError, match=r"horizon 10 min .* take 1 h or 1 h"):
        steps_of("10min", HOUR, "horizon")
