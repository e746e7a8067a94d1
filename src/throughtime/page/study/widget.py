"""The study page in a notebook."""

from __future__ import annotations

import html
import secrets
from typing import Any, cast

import anywidget
import traitlets

from throughtime.page.embed import asset, with_modules
from throughtime.page.study.data import LIMIT, StudyData, study_data
from throughtime.page.study.page import MODULES, STYLES, render_data
from throughtime.page.study.replay import Replay
from throughtime.recording import Recording


class Study(anywidget.AnyWidget):
    """The study page as a widget: `Study(rec)` at the end of a cell.

    In an exported notebook, where no widget comes alive, the same page stands in a frame.

    Args:
        recording: What to show.
        beside: Another recording to compare it with.
        replay: The network, if numbers may be changed on the page; then `recording` may be None.
        limit: Bytes of numbers the page may hold.

    Raises:
        ValueError: as `render_study`; or there is neither a recording nor a replay.
    """

    _esm = with_modules(MODULES, "study/widget.js")
    _css = "\n".join(map(asset, STYLES))
    fields = traitlets.Dict().tag(sync=True)
    arrays = traitlets.Dict().tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    frame = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        recording: Recording | None = None,
        *,
        beside: Recording | None = None,
        replay: Replay | None = None,
        limit: int = LIMIT,
    ) -> None:
        if recording is None and replay is None:
            raise ValueError("Study: give a recording, or a replay.")
        self._replay, self._beside, self._limit = replay, beside, limit
        self._data = self._gather(cast(Replay, replay).record() if recording is None else recording, True)
        super().__init__(
            fields=self._data.fields,
            arrays=self._data.arrays.bytes,
            live=replay is not None,
            frame=secrets.token_hex(8),
        )
        self.on_msg(self._changed)

    def html(self) -> str:
        """The page in a frame, for places without widgets."""
        page = html.escape(render_data(self._data), quote=True)
        style = "width: 100%; height: 860px; border: 1px solid #868e97"
        allowed = 'sandbox="allow-scripts allow-downloads allow-modals"'
        name = f'title="throughtime study" data-study-frame="{self.frame}"'
        return f'<iframe {name} {allowed} style="{style}" srcdoc="{page}"></iframe>'

    def _ipython_display_(self) -> None:
        """Show the frame and the widget; the widget, where it comes alive, hides the frame.

        An exported notebook loads widgets from the network or not at all; the frame is always in it.
        """
        from IPython.display import display

        display({"text/html": self.html()}, raw=True)  # type: ignore[no-untyped-call]
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]

    def _gather(self, recording: Recording, confirm: bool) -> StudyData:
        return study_data(recording, beside=self._beside, limit=self._limit, confirm=confirm)

    def _changed(self, _: Any, wanted: Any, __: Any) -> None:
        try:
            if self._replay is None or not isinstance(wanted, dict):
                raise ValueError("study: this page has no network to compute with.")
            self._replay.change(wanted)
            self._data = self._gather(self._replay.record(), False)
        except ValueError as error:
            self.send({"error": str(error)})
            return
        self.set_trait("arrays", self._data.arrays.bytes)
        self.set_trait("fields", self._data.fields)
        self.send({"done": True})
