"""What people look at. `Study`, the study page as a notebook widget, is imported when it is first used."""

from __future__ import annotations

from typing import Any

__all__ = ["Study", "render_study"]


def __getattr__(name: str) -> Any:
    if name == "Study":
        from throughtime.page.study.widget import Study

        return Study
    if name == "render_study":
        from throughtime.page.study.page import render_study

        return render_study
    raise AttributeError(f"module 'throughtime.page' has no attribute {name!r}")
