"""`throughtime study`: the page of one recurrent layer, forward and backward through time."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from throughtime import files
from throughtime.errors import DataError, MachineError, SettingsError
from throughtime.page.open import open_in_browser
from throughtime.page.study.data import study_data
from throughtime.page.study.page import render_data
from throughtime.recording import Recording, load_recording
from throughtime.tasks.model_folder import MODEL_JSON
from throughtime.tasks.study import forecast_replay, record_forecast, record_weather, weather_replay

_NAME = "throughtime-study"


def study(
    source: Annotated[
        Path | None, Parameter(help="A recording, or the folder of a trained model. [default: tiny LSTM]")
    ] = None,
    /,
    *,
    beside: Annotated[Path | None, Parameter(help="A recording or model folder to compare it with.")] = None,
    out: Annotated[Path | None, Parameter(help=f"HTML file to write. [default: {_NAME}.html]")] = None,
    megabytes: Annotated[int, Parameter(help="Most numbers the page may hold; more is cut down.")] = 48,
    live: Annotated[
        bool, Parameter(help="Serve it, so that numbers can be changed on the page.", negative=())
    ] = False,
    port: Annotated[int, Parameter(help="Port of --live; 0 takes a free one.")] = 0,
    show: Annotated[bool, Parameter(name="--open", help="Open it in the browser.")] = True,
) -> int:
    """Write a page on which one sees and walks every value and every error of a recurrent layer.

    Without SOURCE a tiny LSTM is trained on the shipped weather first, and a simple RNN to set beside it,
    which takes seconds.
    """
    if live:
        return serve(source, port=port, limit=megabytes * 1_000_000, show=show)
    recording, other = read_source(source), _beside(source, beside)
    try:
        data = study_data(recording, beside=other, limit=megabytes * 1_000_000)
    except ValueError as error:
        raise DataError(f"{source or 'study'}: {error}") from error
    text = render_data(data)
    page = out or _free(Path(f"{_NAME}.html"))
    files.write_text(page, text)
    if word := data.fields["word"]:
        print(word)
    print(f"Wrote {page}, {len(text) / 1e6:.1f} MB")
    if show:
        open_in_browser(page)
    return 0


def serve(source: Path | None, *, port: int, limit: int, show: bool) -> int:
    """Serve the page of a network that can be run again, until Ctrl-C.

    Raises:
        SettingsError: SOURCE is a recording, which holds no network.
        MachineError: the server is not installed, or the port is taken.
    """
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise MachineError("study --live: the server is not installed; pip install 'throughtime[live]'")
    from throughtime.cli.serving import serve_study

    if source is not None and not (source / MODEL_JSON).exists():
        raise SettingsError(
            f"{source}: --live runs the network again, and a recording holds none; give a model folder"
        )
    if source is None:
        print("Training a tiny LSTM on the shipped weather")
    replay = weather_replay() if source is None else forecast_replay(source)
    return serve_study(replay, port=port, limit=limit, show=show)


def read_source(source: Path | None) -> Recording:
    """The recording that a command's SOURCE means.

    Raises:
        SettingsError: there is nothing of that name, or a folder that holds no model.
        ThroughtimeError: what is there cannot be read.
    """
    if source is None:
        print("Training a tiny LSTM and a simple RNN on the shipped weather")
        return record_weather()
    if not source.exists():
        raise SettingsError(f"{source}: no such recording or model folder; give a file written by rec.save()")
    if not source.is_dir():
        return load_recording(source)
    if not (source / MODEL_JSON).exists():
        raise SettingsError(
            f"{source}: holds no {MODEL_JSON}; give the folder of a trained model, or a recording"
        )
    return record_forecast(source)


def _beside(source: Path | None, beside: Path | None) -> Recording | None:
    if beside is not None:
        return read_source(beside)
    return record_weather("rnn") if source is None else None


def _free(wanted: Path) -> Path:
    candidates = (wanted.with_stem(f"{wanted.stem}-{n}") if n > 1 else wanted for n in itertools.count(1))
    return next(path for path in candidates if not path.exists())
