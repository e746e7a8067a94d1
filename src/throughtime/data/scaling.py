"""Mean 0 and standard deviation 1, learnt from the training rows alone."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from throughtime.data.recipe import Series
from throughtime.errors import DataError

_Values = TypeVar("_Values", np.ndarray, torch.Tensor)


class Scaler(BaseModel):
    """Scaling of each feature: (value - mean) * factor.

    Sines, cosines and indicators are left as they are (mean 0, factor 1). A feature that never changes in
    the training rows has factor 0: nothing can be learnt from it, so nothing is passed on.

    Attributes:
        mean: Mean of each feature (I,), in its own unit.
        std: Standard deviation of each feature (I,); 0 where it never changes.
        target_column: Which feature is the target.
    """

    model_config = ConfigDict(frozen=True)

    mean: tuple[float, ...]
    std: tuple[float, ...]
    target_column: int

    @classmethod
    def fit(cls, series: Series, rows: int) -> Scaler:
        """Learn from the first `rows` rows, without those in long gaps.

        Raises:
            DataError: the target never changes in them, or no row is usable.
        """
        values = series.values[:rows][~series.broken[:rows]]
        if not len(values):
            raise DataError(
                f"none of the first {rows:,} rows can be used for training: all lie in long gaps."
            )
        mean, std = [], []
        for column, kind in enumerate(series.kinds):
            feature = values[:, column].astype(np.float64)
            constant = bool(feature.min() == feature.max())
            mean.append(float(feature.mean()) if kind == "number" else 0.0)
            std.append(0.0 if constant else float(feature.std()) if kind == "number" else 1.0)
        if std[series.target_column] == 0:
            name = series.names[series.target_column]
            raise DataError(f"column {name!r} (the target) never changes in the first {rows:,} rows.")
        return cls(mean=tuple(mean), std=tuple(std), target_column=series.target_column)

    @property
    def target_mean(self) -> float:
        """Mean of the target, in its unit."""
        return self.mean[self.target_column]

    @property
    def target_std(self) -> float:
        """Standard deviation of the target, in its unit."""
        return self.std[self.target_column]

    def scale(self, values: np.ndarray) -> torch.Tensor:
        """Scale features (N, I) into a new float32 tensor (N, I), column by column.

        Raises:
            ValueError: the number of features differs.
        """
        if values.shape[1] != len(self.mean):
            raise ValueError(f"Scaler: values has {values.shape[1]} features, expected {len(self.mean)}.")
        out = np.empty(values.shape, dtype=np.float32)
        for column, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
            factor = 0.0 if std == 0 else 1 / std
            out[:, column] = (values[:, column].astype(np.float64) - mean) * factor
        return torch.from_numpy(out)

    def scale_target(self, values: _Values) -> _Values:
        """Target in its unit to scaled, any shape."""
        return (values - self.target_mean) / self.target_std

    def unscale_target(self, values: _Values) -> _Values:
        """Scaled target to its unit, any shape."""
        return values * self.target_std + self.target_mean
