from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from pydantic import ValidationError

from throughtime.page.forecast_report import Example, ForecastReport, Series, SplitPart

from .sample import bare_report, fake_report


def test_arrays_become_values_and_not_a_number_becomes_a_gap():
    series = Series(
        times=[datetime(2020, 1, 1, hour) for hour in range(3)],
        truth=np.array([1.0, np.nan, np.inf]),
        forecast=[1, None, float("nan")],
    )
    assert series.truth == (1.0, None, None)
    assert series.forecast == (1.0, None, None)
    assert series.lower80 == ()


def test_times_are_text_with_the_resolution_they_need():
    times = [datetime(2020, 1, 1), datetime(2020, 1, 1, 0, 0, 5), datetime(2020, 1, 1, 0, 0, 0, 250_000)]
    series = Series(times=times, truth=[0, 0, 0], forecast=[0, 0, 0])
    assert series.times == ("2020-01-01T00:00", "2020-01-01T00:00:05", "2020-01-01T00:00:00.250")


@pytest.mark.parametrize(
    "time",
    [
        datetime(2020, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        datetime(2020, 1, 1, tzinfo=UTC),
        "2020-01-01T02:00:00+02:00",
    ],
)
def test_times_with_an_offset_turn_to_utc(time):
    assert bare_report(created=time).created == "2020-01-01T00:00Z"


@pytest.mark.parametrize("name", ["truth", "forecast", "lower80", "upper95"])
def test_a_column_of_another_length_is_refused(name):
    columns = {"truth": [1, 2], "forecast": [1, 2]} | {name: [1]}
    with pytest.raises(ValidationError, match=f"Series: {name} has 1 values for 2 times"):
        Series(times=["2020-01-01", "2020-01-02"], **columns)


def test_an_example_needs_a_value_for_each_time_of_its_history():
    with pytest.raises(ValidationError, match="history_values has 1 values for 0"):
        Example(origin="2020-01-01", times=[], truth=[], forecast=[], history_values=[1])


def test_from_is_accepted_under_both_names_and_written_as_from():
    first = SplitPart.model_validate({"part": "test", "from": "2020-01-01", "to": "2020-01-02", "windows": 3})
    second = SplitPart(part="test", from_="2020-01-01", to="2020-01-02", windows=3)
    assert first == second
    assert first.model_dump(by_alias=True)["from"] == "2020-01-01T00:00"


def test_settings_become_one_flat_table_of_plain_values():
    report = bare_report(settings={"a": {"b": {"c": (1, 2)}}, "d": None, "e": True, "f": 1.5, "g": object})
    assert report.settings == {"a.b.c": "1, 2", "d": None, "e": True, "f": 1.5, "g": "<class 'object'>"}


def test_scores_must_agree():
    scores = [score.model_dump() for score in fake_report(200).scores]
    with pytest.raises(ValidationError, match="one score of kind 'network', got 0"):
        bare_report(scores=scores[1:])
    with pytest.raises(ValidationError, match="different names"):
        bare_report(scores=[scores[0], scores[1], scores[1]])
    with pytest.raises(ValidationError, match=r"no score named \['other'\]"):
        bare_report(by_hour=[{"hour": 0, "mae": {"other": 1.0}}])
    with pytest.raises(ValidationError, match=r"no score named \['other'\]"):
        bare_report(by_lead=[{"lead_text": "1 h", "lead_hours": 1, "mae": {"other": 1.0}}])


@pytest.mark.parametrize("name", ["title", "version", "network", "parameters", "scores", "horizon", "steps"])
def test_required_fields(name):
    fields = bare_report().model_dump()
    del fields[name]
    with pytest.raises(ValidationError, match=name):
        ForecastReport.model_validate(fields)


def test_a_score_that_is_not_finite_is_refused():
    fields = bare_report().model_dump()
    fields["scores"][0]["test"]["mae"] = float("nan")
    with pytest.raises(ValidationError, match="finite"):
        ForecastReport.model_validate(fields)


def test_a_misspelt_field_is_refused_and_a_report_does_not_change():
    with pytest.raises(ValidationError, match="horzon"):
        bare_report(horzon="24 h")
    with pytest.raises(ValidationError, match="frozen"):
        bare_report().title = "other"


def test_a_report_survives_the_way_through_json():
    report = fake_report(200)
    assert ForecastReport.model_validate_json(report.model_dump_json(by_alias=True)) == report
