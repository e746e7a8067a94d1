"""The study page with the library behind it: a number changed on the page is computed with here.

The server listens on 127.0.0.1 alone. Its address holds a random token, without which it answers nothing;
requests under another host's name, or from another page, are refused.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from throughtime.page.study.data import LIMIT, StudyData, study_data
from throughtime.page.study.page import render_data
from throughtime.page.study.replay import Replay

HOST = "127.0.0.1"
_MOST_BYTES = 4096  # of a change


def live_app(replay: Replay, token: str, *, limit: int = LIMIT) -> Starlette:
    """The server's answers: `/TOKEN/` the page, `/TOKEN/recompute` the numbers after a change."""
    lock = threading.Lock()

    def data() -> StudyData:
        return study_data(replay.record(), limit=limit, confirm=False)

    def page(request: Request) -> Response:
        if not _known(request, token):
            return Response(status_code=404)
        with lock:
            return HTMLResponse(render_data(data(), live=True), headers={"Referrer-Policy": "no-referrer"})

    async def recompute(request: Request) -> Response:
        if not _known(request, token) or not _own(request):
            return Response(status_code=404)
        try:
            wanted = json.loads(await _body(request))
            with lock:
                replay.change(wanted if isinstance(wanted, dict) else {})
                return JSONResponse(_answer(data()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Starlette(
        routes=[
            Route("/{token}/", page),
            Route("/{token}/recompute", recompute, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def _known(request: Request, token: str) -> bool:
    return secrets.compare_digest(request.path_params["token"].encode(), token.encode())


def _own(request: Request) -> bool:
    """Whether the request comes from the page itself."""
    origin = request.headers.get("origin")
    return origin is None or origin == f"{request.url.scheme}://{request.headers['host']}"


async def _body(request: Request) -> bytes:
    parts = b""
    async for part in request.stream():
        parts += part
        if len(parts) > _MOST_BYTES:
            raise ValueError("study: the change is too long.")
    return parts


def _answer(data: StudyData) -> dict[str, Any]:
    arrays = {key: base64.b64encode(numbers).decode("ascii") for key, numbers in data.arrays.bytes.items()}
    return {"fields": data.fields, "arrays": arrays}
