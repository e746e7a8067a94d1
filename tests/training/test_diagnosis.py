import math

import pytest

from throughtime.training import diagnose


@pytest.mark.parametrize(
    ("train", "validation", "baseline", "verdict"),
    [
        (95.0, 100.0, 100.0, "high bias"),  # on the border: 0.95 × the baseline
        (94.9, 100.0, 100.0, "balanced"),
        (120.0, 120.0, 100.0, "high bias"),
        (80.0, 92.0, 100.0, "balanced"),  # on the border: 1.15 × the training error
        (80.0, 92.1, 100.0, "high variance"),
        (20.0, 130.0, 100.0, "high variance"),
        (96.0, 120.0, 100.0, "both"),
        (50.0, 40.0, 100.0, "balanced"),
        (0.0, 0.0, 0.0, "balanced"),
        (0.0, 1.0, 100.0, "high variance"),
        (1.0, 1.0, 0.0, "high bias"),
    ],
)
def test_the_rules_at_their_borders(train, validation, baseline, verdict):
    found = diagnose(train, validation, baseline)
    assert found.verdict == verdict
    for word in ("high bias", "high variance"):
        assert (word in found.text) == (verdict in (word, "both"))


def test_the_text_has_the_figures_the_unit_and_the_baseline():
    text = diagnose(2.1, 2.31, 2.62, unit="°C", name_of_baseline="persistence").text
    assert text == (
        "The error is 2.1 °C on the training part and 2.31 °C on the validation part, where the baseline "
        "(persistence) has 2.62 °C. On the data it learnt from it has 80 % of the error of the baseline "
        "(persistence). On unseen data the error is 10 % larger, which is little."
    )


def test_worse_than_the_baseline_is_said_whatever_the_verdict():
    assert "no better than the baseline." in diagnose(20.0, 100.0, 100.0).text
    assert "no better than" not in diagnose(20.0, 99.9, 100.0).text


def test_no_gap_is_told_as_none():
    assert "On unseen data the error is as large." in diagnose(49.6, 49.55, 68.4).text


def test_a_large_gap_is_told_as_a_multiple():
    assert (
        "On unseen data the error is 5.4 times as large: high variance." in diagnose(0.44, 2.395, 6.737).text
    )


def test_an_easier_validation_part_is_called_that():
    assert "20 % smaller: that part may be the easier one" in diagnose(50.0, 40.0, 100.0).text


@pytest.mark.parametrize(
    ("errors", "options"),
    [
        ((99.0, 99.0, 100.0), ("--hidden", "--layers", "--epochs", "--learning-rate", "--history")),
        ((50.0, 99.0, 100.0), ("--dropout", "--weight-decay", "--hidden", "--history", "--epochs")),
        ((99.0, 150.0, 100.0), ("--history", "--learning-rate", "--hidden", "--dropout")),
        ((50.0, 50.0, 100.0), ("--history", "--seed")),
    ],
)
def test_the_advice_names_options(errors, options):
    advice = " ".join(diagnose(*errors).advice)
    assert all(option in advice for option in options)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_errors_are_finite_and_not_negative(value, place):
    errors = [1.0, 1.0, 1.0]
    errors[place] = value
    with pytest.raises(ValueError, match=("train_error", "validation_error", "baseline_error")[place]):
        diagnose(*errors)
