from __future__ import annotations

import numpy as np
import pytest

from throughtime.tasks.scores import PartForecast, error_scores, mae_by_hour, mae_by_lead, network_scores


def test_errors_by_hand() -> None:
    scores = error_scores(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]]))
    assert scores.mae == 2
    assert scores.rmse == pytest.approx(np.sqrt(5))


def test_errors_of_large_values_keep_their_digits() -> None:
    """float32 sums over many windows would lose what float64 keeps."""
    forecast = np.full((100_000, 4), 1013.25, dtype=np.float32)
    assert error_scores(forecast, forecast - np.float32(0.5)).mae == 0.5


def test_network_scores_count_what_lies_inside() -> None:
    quantiles = np.tile(np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), (4, 1, 1))
    scores = network_scores(PartForecast(quantiles, np.array([[0.5], [1.5], [-1.5], [9.0]])), 2)
    assert scores.coverage80 == 0.25
    assert scores.coverage95 == 0.75
    assert (scores.width80, scores.width95, scores.windows) == (2, 4, 4)


def test_errors_by_lead_and_by_hour() -> None:
    forecast = np.array([[1.0, 2.0], [3.0, 4.0]])
    truth = np.zeros((2, 2))
    np.testing.assert_allclose(mae_by_lead(forecast, truth), [2.0, 3.0])
    assert mae_by_hour(forecast, truth, np.array([[22, 23], [23, 0]])) == {22: 1.0, 23: 2.5, 0: 4.0}
