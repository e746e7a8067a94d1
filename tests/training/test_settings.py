import pytest
from pydantic import ValidationError

from throughtime.training import FitSettings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 0}, "whole number of at least 1, got 0"),
        ({"patience": 0}, "at least 1, got 0"),
        ({"learning_rate": 0.0}, "above 0, got 0.0"),
        ({"learning_rate": float("nan")}, "finite number"),
        ({"clip_norm": -1.0}, "above 0, got -1.0"),
        ({"clip_value": 0.0}, "above 0"),
        ({"weight_decay": -0.1}, "0 or more, got -0.1"),
        ({"seed": -1}, "0 or more"),
        ({"truncate": (5, 4)}, "k2 at least k1"),
        ({"truncate": (0, 4)}, "k1 must be at least 1"),
        ({"optimizer": "adma"}, "'adam', 'adamw' or 'sgd'"),
        ({"schedule": "linear"}, "'one-cycle', 'constant', 'cosine' or 'plateau'"),
        ({"lerning_rate": 0.1}, "lerning_rate"),
    ],
)
def test_a_wrong_setting_is_refused_in_plain_words(change, words):
    with pytest.raises(ValidationError, match=words):
        FitSettings(**change)


def test_settings_on_the_border_are_taken_and_frozen():
    settings = FitSettings(epochs=1, patience=1, truncate=(4, 4), clip_norm=None, seed=0)
    with pytest.raises(ValidationError, match="frozen"):
        settings.epochs = 2
    assert FitSettings.model_validate_json(settings.model_dump_json()) == settings
