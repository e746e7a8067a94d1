"""A made-up forecast report that looks like a real one: hourly temperature, seeded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from throughtime.page.forecast_report import ForecastReport

_LABELS = {
    "network": ("LSTM", "network", "median of the forecast quantiles"),
    "persistence": ("Persistence", "baseline", "the value now, kept"),
    "same_hour": ("Same hour, day before", "baseline", "the value 24 h before the forecast time"),
    "knn": ("k-nearest neighbours", "baseline", "k = 20, chosen on validation"),
}
_SIZE = {"network": 0.88, "persistence": 1.13, "same_hour": 1.13, "knn": 1.0}


def fake_report(points: int = 2000, seed: int = 7, steps: str = "all", **changes: Any) -> ForecastReport:
    """A full report over `points` hours of the test part; `changes` replace whole fields."""
    rng = np.random.default_rng(seed)
    temperature = _temperature(rng, points + 200)
    fields = _heading(steps) | {
        "source": _source(points),
        "repairs": _repairs(),
        "history": _history(rng),
        "best_epoch": 10,
        "scores": _scores(),
        "coverage": [
            {"level": 0.8, "validation": 0.806, "test": 0.791, "mean_width": 7.42},
            {"level": 0.95, "validation": 0.953, "test": 0.942, "mean_width": 11.6},
        ],
        "by_lead": _by_lead(rng) if steps == "all" else _by_lead(rng)[-1:],
        "by_hour": _by_hour(rng),
        "series": _series(rng, temperature[:points]),
        "examples": _examples(rng, temperature) if steps == "all" else [],
        "reach": _reach(rng),
    }
    return ForecastReport.model_validate(fields | changes)


def bare_report(**changes: Any) -> ForecastReport:
    """A report with the required fields only."""
    fields = _heading("last")
    for optional in ("diagnosis", "command", "settings", "limits", "unit", "loss_name"):
        fields.pop(optional)
    return ForecastReport.model_validate(fields | {"scores": _scores()[:1]} | changes)


def _heading(steps: str) -> dict[str, Any]:
    return {
        "title": "Temperature at JFK, 24 h ahead",
        "target": "temp",
        "unit": "degC",
        "version": "0.1.0",
        "created": "2026-11-20T16:30:00",
        "network": "LSTM, 32 hidden units, 1 layer, peepholes",
        "parameters": 6339,
        "seconds_to_fit": 84.3,
        "horizon": "24 h",
        "history_span": "5 d",
        "steps": steps,
        "loss_name": "mean pinball loss, scaled units",
        "diagnosis": {
            "verdict": "Neither high bias nor high variance",
            "text": "Training error (2.24 °C) and validation error (2.29 °C) lie close together, and both "
            "lie below the best baseline. A larger network is unlikely to overfit soon; more weather columns "
            "would probably help more than more units.",
            "advice": [
                "Add columns that lead the temperature: pressure tendency, wind of a station upstream.",
                "Try --hidden 64 with the same number of epochs.",
                "Lengthen the history to 7 d to see whether the network still gains from it.",
            ],
        },
        "command": "throughtime fit forecast nyc_weather.parquet --target temp --history 5d --horizon 24h "
        "--every 1h --steps all --peepholes --hidden 32 --epochs 12 --seed 0",
        "settings": {
            "network": "lstm",
            "variant": "vanilla",
            "peepholes": True,
            "hidden": 32,
            "layers": 1,
            "history": "5d",
            "horizon": "24h",
            "every": "1h",
            "steps": steps,
            "split": [0.5, 0.25, 0.25],
            "fit": {
                "epochs": 12,
                "learning_rate": 0.004,
                "schedule": "one-cycle",
                "clip_norm": 1.0,
                "truncate": None,
            },
            "seed": 0,
        },
        "limits": [
            "The k-nearest neighbours saw a random sample of 4,000 training windows, not all of them.",
            "One year of one station: the test part holds no winter.",
        ],
    }


def _reach(rng: np.random.Generator) -> dict[str, Any]:
    steps = list(range(120))
    return {
        "value": "cell",
        "memory": "1 d 7 h",
        "verdict": "vanish",
        "summary": "After 1 d 7 h less than 1 % of an error of the cell is left.",
        "step_hours": 1.0,
        "left": [0.86**distance for distance in steps],
        "map_losses": steps[::2],
        "map_steps": steps,
        "map": [
            [None if k > t else round(max(-6.0, -0.065 * (t - k)), 2) for k in steps] for t in steps[::2]
        ],
        "rasters": [
            {
                "name": name,
                "low": 0,
                "high": 1,
                "units": 32,
                "percent": rng.integers(0, 101, (32, 120)).tolist(),
            }
            for name in ("input gate", "forget gate", "output gate")
        ],
        "exploded": "Nothing exploded in 12 epochs of training.",
    }


def _times(first: datetime, count: int) -> list[datetime]:
    return [first + timedelta(hours=step) for step in range(count)]


def _temperature(rng: np.random.Generator, count: int) -> np.ndarray:
    hours = np.arange(count)
    weather = np.zeros(count)
    kicks = rng.normal(0, 0.55, count)
    for step in range(1, count):
        weather[step] = 0.985 * weather[step - 1] + kicks[step]
    return (
        14
        - 9 * np.cos(2 * np.pi * (hours + 5400) / 8760)
        - 3.2 * np.cos(2 * np.pi * (hours - 3) / 24)
        + weather
    )


def _intervals(forecast: np.ndarray, spread: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "forecast": forecast,
        "lower80": forecast - 1.28 * spread,
        "upper80": forecast + 1.28 * spread,
        "lower95": forecast - 2.0 * spread,
        "upper95": forecast + 2.1 * spread,
    }


def _series(rng: np.random.Generator, truth: np.ndarray) -> dict[str, Any]:
    count = len(truth)
    slow = np.convolve(rng.normal(0, 1, count + 48), np.ones(49) / 7, mode="valid")[:count]
    forecast = truth + 2.6 * slow + rng.normal(0, 0.4, count)
    spread = 2.9 + 0.5 * np.sin(np.arange(count) * 2 * np.pi / 24)
    truth = truth.copy()
    truth[count // 2 : count // 2 + 9] = np.nan
    return {"times": _times(datetime(2013, 10, 1), count), "truth": truth} | _intervals(forecast, spread)


def _examples(rng: np.random.Generator, temperature: np.ndarray, count: int = 12) -> list[dict[str, Any]]:
    examples = []
    for start in np.linspace(120, len(temperature) - 25, count).astype(int):
        lead = np.arange(1, 25)
        forecast = temperature[start + 1 : start + 25] + np.cumsum(rng.normal(0, 0.45, 24))
        examples.append(
            {
                "origin": _times(datetime(2013, 9, 26), start + 1)[-1],
                "history_times": _times(datetime(2013, 9, 26), start + 1)[-120:],
                "history_values": temperature[start - 119 : start + 1],
                "times": _times(datetime(2013, 9, 26), start + 25)[-24:],
                "truth": temperature[start + 1 : start + 25],
            }
            | _intervals(forecast, 0.6 + 0.45 * np.sqrt(lead))
        )
    return examples


def _scores() -> list[dict[str, Any]]:
    figures = {"network": 2.309, "persistence": 2.96, "same_hour": 2.96, "knn": 2.624}
    return [
        {
            "name": name,
            "label": label,
            "kind": kind,
            "note": note,
            "validation": {"mae": figures[name] * 0.99, "rmse": figures[name] * 1.28},
            "test": {"mae": figures[name], "rmse": figures[name] * 1.3},
        }
        for name, (label, kind, note) in _LABELS.items()
    ]


def _by_lead(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for lead in range(1, 25):
        mae = {name: size * 2.62 * (lead / 24) ** 0.45 for name, size in _SIZE.items()}
        mae["persistence"] = 2.96 * np.sin(np.pi * lead / 30) ** 0.7 * 1.35
        mae["same_hour"] = 2.96 + rng.normal(0, 0.02)
        rows.append({"lead_text": f"{lead} h", "lead_hours": lead, "mae": mae})
    return rows


def _by_hour(rng: np.random.Generator) -> list[dict[str, Any]]:
    shape = 1 + 0.16 * np.sin((np.arange(24) - 9) * np.pi / 12)
    return [
        {
            "hour": hour,
            "mae": {name: 2.62 * size * shape[hour] + rng.normal(0, 0.03) for name, size in _SIZE.items()},
        }
        for hour in range(24)
    ]


def _history(rng: np.random.Generator) -> list[dict[str, Any]]:
    return [
        {
            "epoch": epoch,
            "train_loss": 0.108 + 0.14 * np.exp(-epoch / 2.2) + rng.normal(0, 0.0008),
            "validation_loss": 0.115 + 0.10 * np.exp(-epoch / 2.0) + 0.0008 * max(0, epoch - 10),
            "gradient_norm": 0.5 + 1.4 * np.exp(-epoch / 3) + rng.normal(0, 0.03),
            "learning_rate": 0.004 * np.sin(np.pi * (epoch - 0.4) / 12.2) ** 2,
            "seconds": 7.0 + rng.normal(0, 0.2),
        }
        for epoch in range(1, 13)
    ]


def _source(points: int) -> dict[str, Any]:
    return {
        "name": "nyc_weather.parquet",
        "rows": 26115,
        "columns": [
            "temp",
            "dewp",
            "humid",
            "pressure",
            "wind_speed",
            "wind_dir sin",
            "wind_dir cos",
            "hour sin",
            "hour cos",
        ],
        "first": "2011-01-01T01:00",
        "last": "2013-12-30T18:00",
        "step": "1 h",
        "split": [
            {"part": "training", "from": "2011-01-01T01:00", "to": "2012-07-01T09:00", "windows": 13014},
            {"part": "validation", "from": "2012-07-01T10:00", "to": "2013-03-31T23:00", "windows": 6412},
            {"part": "test", "from": "2013-04-01T00:00", "to": "2013-12-30T18:00", "windows": points},
        ],
    }


def _repairs() -> list[dict[str, Any]]:
    return [
        {"kind": "duplicate times", "column": None, "count": 3, "text": "the first of each was kept"},
        {"kind": "missing rows", "column": None, "count": 22, "text": "the hourly grid was filled up"},
        {"kind": "sentinel", "column": "pressure", "count": 2720, "text": "−9999 was treated as missing"},
        {
            "kind": "imputed",
            "column": "temp",
            "count": 14,
            "text": "gaps up to 6 h; marked by an indicator feature",
        },
    ]
