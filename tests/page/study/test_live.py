"""Numbers changed on the page are computed with by the library; nobody else may ask."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch

from throughtime.page.study.replay import Replay
from throughtime.recording import record

from .recorded import network

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from throughtime.page.study.live import HOST, live_app  # noqa: E402

TOKEN = "a-token"


def replay():
    torch.manual_seed(3)
    model, x = network("vanilla", 3, 4), torch.randn(5, 2, 3)

    def run(model, x):
        with record(model) as rec:
            model(x)[0].square().sum().backward()
        return rec

    return Replay(model, x, run)


@pytest.fixture
def address():
    """A server for the page, on a free port of this machine."""
    listening = socket.socket()
    listening.bind((HOST, 0))
    app = live_app(replay(), TOKEN)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://{HOST}:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


def ask(url, body=None, **headers):
    """Status and text of an answer."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def change(address, **wanted):
    status, text = ask(f"{address}/{TOKEN}/recompute", json.dumps(wanted).encode())
    return status, json.loads(text)


def read(answer, name):
    layer = answer["fields"]["layers"][0]
    reference = layer["arrays"].get(name) or layer["parameters"][name]
    return np.frombuffer(base64.b64decode(answer["arrays"][reference["id"]]), "<f4").reshape(
        reference["shape"]
    )


def test_a_changed_input_runs_through_the_library(address):
    status, answer = change(address, kind="input", t=2, b=1, j=0, value=1.5)
    assert status == 200
    expected = replay()
    expected.x[2, 1, 0] = 1.5
    rec = expected.record()
    assert read(answer, "x")[2, 1, 0] == 1.5
    for name in ("c", "y", "d_c"):
        np.testing.assert_array_equal(read(answer, name), rec[f"layer0.{name}"].numpy())


def test_a_changed_weight_and_back_again(address):
    before = change(address, kind="reset")[1]
    status, answer = change(address, kind="parameter", layer="layer0", name="weight_hh", index=5, value=-2)
    assert status == 200
    assert read(answer, "weight_hh").reshape(-1)[5] == -2
    assert not np.array_equal(read(answer, "y"), read(before, "y"))
    np.testing.assert_array_equal(read(change(address, kind="reset")[1], "y"), read(before, "y"))


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "input", "t": 5, "b": 0, "j": 0, "value": 1},
        {"kind": "input", "t": 0, "b": 0, "j": True, "value": 1},
        {"kind": "input", "t": 0, "b": 0, "j": 0, "value": "1"},
        {"kind": "parameter", "layer": "layer0", "name": "reverse", "index": 0, "value": 1},
        {"kind": "parameter", "layer": "__class__", "name": "x", "index": 0, "value": 1},
        {"kind": "parameter", "layer": "layer0", "name": "bias", "index": -1, "value": 1},
        {"kind": "run", "value": 1},
        {},
    ],
)
def test_what_is_not_there_cannot_be_changed(address, wanted):
    status, answer = change(address, **wanted)
    assert status == 400
    assert answer["error"].startswith("study: ")


def test_no_answer_without_the_token_or_to_others(address):
    reset = json.dumps({"kind": "reset"}).encode()
    assert ask(f"{address}/{TOKEN}/")[0] == 200
    assert ask(f"{address}/wrong/")[0] == 404
    assert ask(f"{address}/wrong/recompute", reset)[0] == 404
    assert ask(f"{address}/{TOKEN}/recompute", reset, Origin="https://example.org")[0] == 404
    assert ask(f"{address}/{TOKEN}/recompute", reset, Origin=address)[0] == 200
    assert ask(f"{address}/{TOKEN}/", Host="example.org")[0] == 400
    assert ask(f"{address}/{TOKEN}/recompute", b" " * 5000)[0] == 400


def test_the_page_may_ask_its_own_server_alone(address):
    _, page = ask(f"{address}/{TOKEN}/")
    assert "connect-src &#x27;self&#x27;" in page
    assert "<body data-live>" in page
