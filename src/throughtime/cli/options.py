"""Command line options made from the settings of a task, so that each is named and explained once."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import BaseModel
from pydantic.fields import FieldInfo

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

PLAIN = (str, int, float, bool)


def settings_as_options(
    settings: type[BaseModel], groups: dict[str, Group]
) -> Callable[[FunctionT], FunctionT]:
    """Give a command one option for each field of `settings`, in place of its `**options`.

    Fields that are no plain text, number or choice are read as text; see `parse_options`.

    Args:
        settings: Pydantic model with a description for each field.
        groups: Heading in the help, by name of the first field under it.
    """

    def decorate(function: FunctionT) -> FunctionT:
        signature = inspect.signature(function, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        group: Group | None = None
        options = []
        for name, field in settings.model_fields.items():
            group = groups.get(name, group)
            options.append(_option(name, field, group))
        function.__signature__ = signature.replace(parameters=own + options)  # type: ignore[attr-defined]
        function.__annotations__ = {p.name: p.annotation for p in own + options}
        return function

    return decorate


def parse_options(settings: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """Turn options as typed into values for the settings; leave out those that are as by default.

    `a=b,c=d` becomes a mapping, `1,2` a tuple; pydantic then checks each entry.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        field = settings.model_fields[name]
        if _is_plain(field.annotation):
            if value != _default(field):
                values[name] = value
        elif value is not None:
            values[name] = _parse(field.annotation, value)
    return values


def _option(name: str, field: FieldInfo, group: Group | None) -> inspect.Parameter:
    kind, plain = field.annotation, _is_plain(field.annotation)
    shown = _shown_default(field)
    option = Parameter(
        help=(field.description or "") + (f" [default: {shown}]" if shown else ""),
        group=group,
        negative=() if kind is bool else None,
        show_default=False,
    )
    optional: Any = kind if plain and not field.is_required() else str | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[optional, option],
        default=_default(field) if plain else None,
    )


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _is_plain(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        return all(part is type(None) or _is_plain(part) for part in get_args(kind))
    return kind in PLAIN or get_origin(kind) is Literal


def _parse(kind: Any, text: str) -> Any:
    if text.lower() in ("auto", "none", "true", "false"):
        return {"auto": "auto", "none": None, "true": True, "false": False}[text.lower()]
    entries = [entry.strip() for entry in text.split(",")]
    if get_origin(kind) is dict:
        return dict(entry.partition("=")[::2] for entry in entries)
    return tuple(entries)


def _shown_default(field: FieldInfo) -> str:
    default = _default(field)
    if default is None or default is False or default in ((), {}):
        return ""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
