"""Command line options made from the settings of a task, so that each is named and explained once."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from throughtime.errors import SettingsError

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

PLAIN = (str, int, float, bool)
CONSTANTS = {"auto": "auto", "none": None, "true": True, "false": False}


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
        headings = _headings(settings.model_fields, groups)
        options = [_option(name, field, headings[name]) for name, field in settings.model_fields.items()]
        return _with_parameters(function, _own_parameters(function) + options)

    return decorate


def options_of_kinds(
    kinds: Mapping[str, type[BaseModel]], shared: type[BaseModel], groups: dict[str, Group]
) -> Callable[[FunctionT], FunctionT]:
    """Give a command the options of several kinds of data, in place of its `**options`.

    Only options that were typed arrive, for each kind may have a default of its own. An option that not all
    kinds have stands under a heading that names those that do; `options_of` refuses it for another.

    Args:
        kinds: The settings of each kind.
        shared: A base class of them, whose options keep to `groups`.
        groups: Heading in the help, by name of the first field of `shared` under it.
    """

    def decorate(function: FunctionT) -> FunctionT:
        own, options = _own_parameters(function), []
        headings = _headings(shared.model_fields, groups)
        for name in dict.fromkeys(name for settings in kinds.values() for name in settings.model_fields):
            fields = {kind: s.model_fields[name] for kind, s in kinds.items() if name in s.model_fields}
            group = headings.get(name) or Group(f"For {' and '.join(fields)}", sort_key=1)
            options.append(_option_of_kinds(name, fields, group))
        return _with_parameters(function, own + options)

    return decorate


def options_of(kind: str, kinds: Mapping[str, type[BaseModel]], given: dict[str, Any]) -> dict[str, Any]:
    """The options of a kind, as `parse_options` takes them.

    Raises:
        SettingsError: one of them belongs to another kind.
    """
    fields = kinds[kind].model_fields
    for name in given:
        if name not in fields:
            others = " and ".join(other for other in kinds if name in kinds[other].model_fields)
            raise SettingsError(f"--{name.replace('_', '-')} is an option for {others}, and this is {kind}")
    return {
        name: _constant(value) if isinstance(value, str) and _is_plain(fields[name].annotation) else value
        for name, value in given.items()
    }


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


def _own_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return [p for p in parameters if p.kind is not p.VAR_KEYWORD]


def _with_parameters(function: FunctionT, parameters: list[inspect.Parameter]) -> FunctionT:
    signature = inspect.signature(function, eval_str=True)
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function


def _headings(fields: Iterable[str], groups: dict[str, Group]) -> dict[str, Group | None]:
    """The heading of each field: that of the last field with one."""
    group: Group | None = None
    found = {}
    for name in fields:
        group = found[name] = groups.get(name, group)
    return found


def _option_of_kinds(name: str, fields: dict[str, FieldInfo], group: Group | None) -> inspect.Parameter:
    """One option for the fields of that name; read as text where they are of different types."""
    first = next(iter(fields.values()))
    defaults = {kind: _shown_default(field) for kind, field in fields.items()}
    if len(set(defaults.values())) == 1:
        shown = defaults[next(iter(defaults))]
    else:
        shown = "; ".join(f"{kind}: {text or 'none'}" for kind, text in defaults.items())
    same = all(field.annotation == first.annotation for field in fields.values())
    annotation: Any = first.annotation if same and _is_plain(first.annotation) else str
    option = Parameter(
        help=(first.description or "") + (f" [default: {shown}]" if shown else ""),
        group=group,
        negative=() if annotation is bool else None,
        show_default=False,
        allow_leading_hyphen=_may_begin_with_hyphen(first),
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[annotation, option],
        default=_default(first) if annotation is first.annotation else "",
    )


def _option(name: str, field: FieldInfo, group: Group | None) -> inspect.Parameter:
    kind, plain = field.annotation, _is_plain(field.annotation)
    shown = _shown_default(field)
    option = Parameter(
        help=(field.description or "") + (f" [default: {shown}]" if shown else ""),
        group=group,
        negative=() if kind is bool else None,
        show_default=False,
        allow_leading_hyphen=_may_begin_with_hyphen(field),
    )
    optional: Any = kind if plain and not field.is_required() else str | None
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[optional, option],
        default=_default(field) if plain else None,
    )


def _may_begin_with_hyphen(field: FieldInfo) -> bool:
    """Whether what is typed after the option may begin with a hyphen, as a text may."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("hyphen"))


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _is_plain(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, types.UnionType):
        return all(part is type(None) or _is_plain(part) for part in get_args(kind))
    return kind in PLAIN or get_origin(kind) is Literal


def _parse(kind: Any, text: str) -> Any:
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    entries = [entry.strip() for entry in text.split(",")]
    if get_origin(kind) is dict:
        return dict(entry.partition("=")[::2] for entry in entries)
    return tuple(entries)


def _constant(text: str) -> Any:
    """None, True, False or "auto" where the text means it; else the text itself."""
    return CONSTANTS.get(text.lower(), text)


def _shown_default(field: FieldInfo) -> str:
    default = _default(field)
    if default is None or default is False or default in ((), {}):
        return ""
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
