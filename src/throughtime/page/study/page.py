"""The study page: one HTML file with the recording in it."""

from __future__ import annotations

import html

from throughtime.page.embed import asset, csp, filled, joined_modules, json_for_html
from throughtime.page.study.data import LIMIT, StudyData, study_data
from throughtime.recording import Recording

MODULES = (
    "dom.js",
    *(
        f"study/{name}.js"
        for name in (
            "hub",
            "address",
            "store",
            "numbers",
            "journey",
            "terms",
            "mathml",
            "palette",
            "diagram",
            "neurons",
            "routes",
            "equations",
            "shares",
            "strip",
            "raster",
            "linechart",
            "errormap",
            "compare",
            "maps",
            "exporting",
            "tour",
            "transport",
            "topbar",
            "live",
            "context",
            "saying",
            "study",
        )
    ),
)
STYLES = (
    "study/study.css",
    "study/transport.css",
    "study/drawing.css",
    "study/unfolded.css",
    "study/words.css",
    "study/maps.css",
    "study/media.css",
)


def render_study(recording: Recording, *, beside: Recording | None = None, limit: int = LIMIT) -> str:
    """The whole page as HTML text, to be written as UTF-8. It fetches nothing.

    Args:
        recording: What to show.
        beside: Another recording to compare it with.
        limit: Bytes of numbers the page may hold. A larger recording is cut down, and the page says so.

    Raises:
        ValueError: as `study_data`.
    """
    return render_data(study_data(recording, beside=beside, limit=limit))


def render_data(data: StudyData, *, live: bool = False) -> str:
    """The page of gathered data.

    Args:
        data: What to show.
        live: Whether a server stands behind the page that computes anew; see `throughtime.page.study.live`.
    """
    script = joined_modules((*MODULES, "study/page.js"))
    style = "\n".join(map(asset, STYLES))
    return filled(
        asset("study.html"),
        {
            "csp": html.escape(csp(script, style, connect="'self'" if live else ""), quote=True),
            "version": html.escape(data.fields["version"], quote=True),
            "title": html.escape(data.fields["title"]),
            "headline": html.escape(" · ".join(data.fields["facts"])),
            "live": " data-live" if live else "",
            "style": style,
            "data": json_for_html(data.fields),
            "arrays": data.arrays.as_elements(),
            "script": script,
        },
    )
