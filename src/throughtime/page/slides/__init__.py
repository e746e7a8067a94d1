"""A deck that walks the journey of the study page: one small step on each slide, native shapes and text."""

from throughtime.page.slides.deck import write_slides

__all__ = ["write_slides"]
