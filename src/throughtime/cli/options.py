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

    An option that was not given does not reach the command. Fields that are no plain text, number or
    choice are read as text; see `parse_options`.

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
    """Turn options as typed into values for the settings.

    `a=b,c=d` becomes a mapping, `1,2` a tuple, `none` None; pydantic then checks each entry.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        kind = settings.model_fields[name].annotation
        if value is not None:
            values[name] = _parse(kind, value) if isinstance(value, str) and kind is not str else value
    return values


def _option(name: str, field: FieldInfo, group: Group | None) -> inspect.Parameter:
    kind = field.annotation
    shown = _shown_default(field)
    option = Parameter(
        help=(field.description or "") + (f" [default: {shown}]" if shown else ""),
        group=group,
        negative=() if kind is bool else None,
        show_default=False,
    )
    plain: Any = kind if _is_plain(kind) else str
    if type(None) in get_args(kind) and field.default is not None:  # None is "not given": type "none"
        parts = [part for part in get_args(kind) if part is not type(None)]
        plain = Union[*parts, Literal["none"]] if _is_plain(kind) else str
    typed: Any = Annotated[plain, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=typed, default=None)


def _is_plain(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        return all(part is type(None) or _is_plain(part) for part in get_args(kind))
    return kind in PLAIN or get_origin(kind) is Literal


def _parse(kind: Any, text: str) -> Any:
    if text.lower() in ("auto", "none", "true", "false"):
        return {"auto": "auto", "none": None, "true": True, "false": False}[text.lower()]
    if _is_plain(kind):
        return text
    entries = [entry.strip() for entry in text.split(",")]
    if get_origin(kind) is dict:
        return dict(entry.partition("=")[::2] for entry in entries)
    return tuple(entries)


def _shown_default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if field.is_required() or default is None or default is False or default in ((), {}):
        return ""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
