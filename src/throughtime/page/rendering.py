"""A report as one HTML file, readable offline: what the pages of all tasks share."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from throughtime.page.embed import asset, csp, filled, joined_modules, json_for_html

_STYLES = ("page.css", "tables.css", "controls.css", "charts.css")


def render_page(
    payload: dict[str, Any],
    modules: Sequence[str],
    *,
    headline: str,
    styles: Sequence[str] = (),
    sound: bool = False,
) -> str:
    """The whole page as HTML text, to be written as UTF-8.

    It fetches nothing, and shows every text of the report as text, whatever stands in it.

    Args:
        payload: What the script draws; its `title` and `version` stand in the head too.
        modules: ES modules of `page/assets`, each after those it imports.
        headline: The result in a sentence, for those who run no scripts.
        styles: Style sheets of `page/assets` beside those of every page.
        sound: Whether the payload holds sound to play.
    """
    script = joined_modules(modules)
    style = "\n".join(map(asset, (*_STYLES, *styles, "media.css")))
    return filled(
        asset("report.html"),
        {
            "csp": html.escape(csp(script, style, sound=sound), quote=True),
            "version": html.escape(payload["version"], quote=True),
            "title": html.escape(payload["title"]),
            "headline": html.escape(headline),
            "style": style,
            "data": json_for_html(payload),
            "script": script,
        },
    )
