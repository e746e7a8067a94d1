"""Putting data and code safely into one HTML file that needs nothing else.

Data stand in a JSON element that cannot close it; scripts and styles are named by their hash in a
Content-Security-Policy, so nothing else on the page can run and nothing can be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\.{1,2}/(?:\w+/)*(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class) (\w+))", re.MULTILINE)
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def asset(name: str) -> str:
    """Text of a file in `page/assets`."""
    return (files("throughtime.page") / "assets" / name).read_text("utf-8")


def joined_modules(names: Iterable[str]) -> str:
    """ES modules of `page/assets` as one script, each after those it imports.

    A page opened from disk may not import other files, so each module becomes a function's scope and
    its imports read the results of those before it. A module is known by its file name, without folder.
    """
    return "\n".join(_scope(PurePosixPath(name).stem, asset(name)) for name in names)


def with_modules(names: Iterable[str], last: str) -> str:
    """`joined_modules`, and after them the module `last` of `page/assets`, which may export a default."""
    module = _IMPORT.sub(r"const \1 = \2_module;", asset(last))
    return f"{joined_modules(names)}\n{module}"


def _scope(name: str, module: str) -> str:
    exports = ", ".join(_EXPORT.findall(module))
    body = _EXPORT.sub("", _IMPORT.sub(r"const \1 = \2_module;", module))
    return f"const {name}_module = (() => {{\n{body}return {{ {exports} }};\n}})();"


def json_for_html(data: Any) -> str:
    """`data` as JSON that is inert inside a script element: ASCII only, without <, > and &.

    Raises:
        ValueError: a number in it is NaN or infinite.
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def csp(script: str, style: str, *, connect: str = "", sound: bool = False) -> str:
    """Content-Security-Policy that lets exactly this inline script and style work.

    Args:
        script: The script.
        style: The style.
        connect: Where the script may send requests, as "'self'"; "" is nowhere.
        sound: Whether the page may play sound that stands in it as data.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            *(["media-src data:"] if sound else []),
            *([f"connect-src {connect}"] if connect else []),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def filled(template: str, places: Mapping[str, str]) -> str:
    """`template` with each {{name}} replaced, in one pass: what is put in is not read again."""
    return _PLACE.sub(lambda match: places[match[1]], template)


def rounded(value: Any) -> Any:
    """Every float in nested dicts and lists with five significant digits."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    return value


def rounded_together(columns: Mapping[str, list[float | None]]) -> dict[str, list[float | None]]:
    """Columns drawn on one axis, to five digits of the range they cover.

    Five digits of each value would flatten a pressure of 101,325 Pa that moves by 300.
    """
    present = [value for column in columns.values() for value in column if value is not None]
    span = max(present) - min(present) if present else 0.0
    if span == 0:
        return {name: list(column) for name, column in columns.items()}
    digits = 4 - math.floor(math.log10(span))
    return {
        name: [None if value is None else round(value, digits) + 0.0 for value in column]
        for name, column in columns.items()
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
