"""The study page: one layer, forward and backward through time, with the recorded numbers."""

from throughtime.page.study.maps import attach_error_map
from throughtime.page.study.page import render_study

__all__ = ["attach_error_map", "render_study"]
