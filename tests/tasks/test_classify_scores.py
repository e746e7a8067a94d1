"""Figures held against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from throughtime.tasks.classify_network import at_temperature, find_temperature
from throughtime.tasks.classify_scores import calibration_bins, class_scores, confusion, part_scores

SHARES = np.array([[0.9, 0.1, 0.0], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.05, 0.9, 0.05], [0.5, 0.3, 0.2]])
TRUTH = np.array([0, 1, 1, 1, 2])  # answers: 0 0 1 1 0


def test_figures_by_hand() -> None:
    scores = part_scores(SHARES, TRUTH)
    assert scores.accuracy == pytest.approx(3 / 5)
    f1 = [2 * (1 / 3) * 1 / (1 / 3 + 1), 2 * 1 * (2 / 3) / (1 + 2 / 3), 0]
    assert scores.macro_f1 == pytest.approx(np.mean(f1))
    assert scores.log_loss == pytest.approx(-np.log([0.9, 0.3, 0.7, 0.9, 0.2]).mean())
    # bins by confidence: 0.5 (wrong); 0.6 (wrong); 0.7 (right); two of 0.9 (right)
    assert scores.calibration_error == pytest.approx((0.5 + 0.6 + 0.3 + 2 * 0.1) / 5)
    assert confusion(SHARES, TRUTH) == ((1, 0, 0), (1, 2, 0), (1, 0, 0))
    per_class = class_scores(SHARES, TRUTH, ("a", "b", "c"))
    assert per_class["a"].precision == pytest.approx(1 / 3)
    assert per_class["b"].recall == pytest.approx(2 / 3)
    assert (per_class["c"].precision, per_class["c"].count) == (0, 1)
    bins = calibration_bins(SHARES, TRUTH)
    assert [one.count for one in bins] == [1, 1, 1, 2]
    assert calibration_bins(np.array([[1.0, 0.0]]), np.array([0]))[0].confidence == 1


def test_the_temperature_that_made_them_is_found() -> None:
    """Labels drawn from the probabilities at temperature 2."""
    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal((20_000, 3))
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    shares = at_temperature(logs, 2.0)
    truth = np.array([rng.choice(3, p=row) for row in shares[:4_000]])
    cooler = at_temperature(np.log([[0.9, 0.1]]), 2.0)
    assert cooler[0, 0] == pytest.approx(0.9**0.5 / (0.9**0.5 + 0.1**0.5))
    assert find_temperature(logs[:4_000], truth) == pytest.approx(2.0, rel=0.07)
    assert at_temperature(logs, 1.0) == pytest.approx(np.exp(logs))
    assert (at_temperature(logs, 5.0).argmax(axis=1) == logs.argmax(axis=1)).all()
