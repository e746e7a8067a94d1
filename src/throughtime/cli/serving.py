"""A server for one page, on this machine alone."""

from __future__ import annotations

import socket

import uvicorn

from throughtime.errors import MachineError
from throughtime.page.open import open_address
from throughtime.page.study.live import HOST, live_app, new_token
from throughtime.page.study.replay import Replay


def serve_study(replay: Replay, *, port: int, limit: int, show: bool) -> int:
    """Serve the study page until Ctrl-C.

    Args:
        replay: The network.
        port: 0 takes a free one.
        limit: Bytes of numbers the page may hold.
        show: Whether to open it in the browser.

    Raises:
        MachineError: the port is taken.
    """
    listening = socket.socket()
    try:
        listening.bind((HOST, port))
    except OSError as error:
        raise MachineError(f"study --live: port {port}: {error.strerror}; leave --port out") from error
    token = new_token()
    address = f"http://{HOST}:{listening.getsockname()[1]}/{token}/"
    server = uvicorn.Server(uvicorn.Config(live_app(replay, token, limit=limit), log_level="warning"))
    print(f"Serving {address}  Stop with Ctrl-C.", flush=True)
    if show:
        open_address(address)
    server.run(sockets=[listening])
    return 0
