"""Reading numbers off the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


def number(text: str) -> float:
    """`−1.23×10⁻⁵` and the like."""
    plain = text.translate(_LOWERED).replace("×10", "e")
    found = re.search(r"-?\d[\d.]*(?:e-?\d+)?", plain)
    assert found, f"no number in {text!r}"
    return float(found[0])


def digits(value: float, figures: int) -> float:
    """`value` with that many significant figures."""
    return float(f"{value:.{figures - 1}e}")


def outputs(page: Page) -> dict[str, float]:
    """Every result that the equation pane shows, by name."""
    nodes: list[Locator] = page.locator("output[data-value]").all()
    return {str(node.get_attribute("data-value")): number(node.inner_text()) for node in nodes}


def caption(page: Page) -> str:
    """Where the page says the reader stands."""
    return page.locator(".caption").inner_text()


def settled_hash(page: Page) -> str:
    """The address after the page has written it."""
    page.wait_for_timeout(200)
    return str(page.evaluate("location.hash"))
