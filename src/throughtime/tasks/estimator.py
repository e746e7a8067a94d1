"""What every task's estimator shares: settings as constructor arguments, after scikit-learn's conventions.

Settings are constructor arguments and nothing is checked or read before `fit`; what is learnt ends in an
underscore; `get_params`, `set_params` and `sklearn.base.clone` work.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel
from sklearn.exceptions import NotFittedError
from torch import nn

from throughtime.errors import ModelFolderError
from throughtime.tasks import model_folder
from throughtime.tasks.task_settings import TaskSettings
from throughtime.training.distributed import is_first

ReadT = TypeVar("ReadT")
SettingsT = TypeVar("SettingsT", bound=TaskSettings)


class Estimator(Generic[SettingsT]):
    """Settings by name, checked when they are asked for.

    Attributes:
        settings_class: The pydantic model of the settings; a subclass names its own.
        run_class: That of what a fit was asked to do.
        card_class: That of the model card.
        metrics_class: That of the figures.
    """

    settings_class: ClassVar[type[TaskSettings]]
    run_class: ClassVar[type[model_folder.Run]]
    card_class: ClassVar[type[model_folder.Card]]
    metrics_class: ClassVar[type[BaseModel]]
    card_: model_folder.Card
    run_: model_folder.Run
    metrics_: BaseModel
    network_: nn.Module
    texts_: dict[str, str]

    def __init__(self, **settings: Any) -> None:
        known = self.settings_class.names()
        if unknown := sorted(set(settings) - set(known)):
            names = ", ".join(unknown)
            raise TypeError(f"{type(self).__name__}: no setting named {names}; there are {', '.join(known)}")
        for name, value in (self.settings_class.defaults() | settings).items():
            setattr(self, name, value)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.__signature__ = _signature(cls.settings_class)  # type: ignore[attr-defined]

    @property
    def settings(self) -> SettingsT:
        """The settings, checked. Raises `SettingsError` naming the one at fault."""
        return self.settings_class.checked(**self.get_params())  # type: ignore[return-value]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Every setting by name, as scikit-learn wants it."""
        return {name: getattr(self, name) for name in self.settings_class.names()}

    def set_params(self, **settings: Any) -> Self:
        """Change settings. Raises `ValueError` for one that does not exist."""
        for name, value in settings.items():
            if name not in self.settings_class.model_fields:
                raise ValueError(f"{type(self).__name__}: no setting named {name}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self.settings_class.defaults()
        changed = {
            name: value
            for name, value in self.get_params().items()
            if name not in defaults or value != defaults[name]
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def save(self, folder: str | Path) -> Path:
        """Write the model folder: weights, model.json, metrics.json, history.csv, report.html and the like.

        Raises:
            OutputError: the folder cannot be written.
        """
        self._check_fitted("save")
        folder = Path(folder)
        model_folder.write_model(folder, self.card_, self.network_.state_dict(), self.texts_)
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model folder.

        Raises:
            ModelFolderError: a file is missing, damaged, edited, or of a later version.
        """
        folder = Path(folder)
        card = model_folder.read_card(folder, cls.card_class)
        found = cls._with(card.settings)  # type: ignore[attr-defined]
        found.card_ = card
        found.run_ = cls.run_class(**{name: getattr(card, name) for name in cls.run_class.model_fields})
        found.texts_ = model_folder.read_texts(folder, card)
        metrics = found.texts_.get(model_folder.METRICS, "")
        found.metrics_ = model_folder.parse(cls.metrics_class, metrics, folder / model_folder.METRICS)
        found.network_ = found._rebuild(folder).eval()
        model_folder.read_weights_into(found.network_, folder, card)
        return found

    def _rebuild(self, folder: Path) -> nn.Module:
        """Take what was learnt from the card and the files, and make the network, whose weights come next.

        Raises:
            ModelFolderError: a file in `folder` is damaged.
        """
        raise NotImplementedError

    def _read_text(self, folder: Path, name: str, read: Callable[[str], ReadT]) -> ReadT:
        """What `read` makes of the file `name`. Raises `ModelFolderError` where it cannot."""
        try:
            return read(self.texts_[name])
        except (KeyError, ValueError) as error:
            raise ModelFolderError(f"{folder}: {name} is missing or damaged: {error}") from error

    def _finish(self, card: model_folder.Card, texts: dict[str, str], folder: Path | None) -> Self:
        """End a fit: the first process saves it and removes what only `resume` needs."""
        self.card_, self.texts_ = card, texts
        if folder is None or not is_first():
            return self
        self.save(folder)
        if card.stopped != "interrupted":
            model_folder.remove_checkpoints(folder)
        return self

    @classmethod
    def _with(cls, settings: SettingsT) -> Self:
        return cls(**{name: getattr(settings, name) for name in cls.settings_class.model_fields})

    def _check_fitted(self, what: str) -> None:
        if not hasattr(self, "metrics_"):
            name = type(self).__name__
            raise NotFittedError(f"{name}.{what}: this {name.lower()} is not fitted; call fit or load first")


def _signature(settings: type[TaskSettings]) -> inspect.Signature:
    """What help() and sklearn.base.clone show: every setting by name, with its default."""
    fields = [(name, settings.model_fields[name]) for name in settings.names()]
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD
                if field.is_required()
                else inspect.Parameter.KEYWORD_ONLY,
                annotation=field.annotation,
                default=settings.defaults().get(name, inspect.Parameter.empty),
            )
            for name, field in fields
        ]
    )
