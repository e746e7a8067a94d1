"""A recording: what `throughtime.record` gives and `load_recording` reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

from throughtime.recording import finite, routes, step_gradients, store
from throughtime.recording.finite import Check
from throughtime.recording.layer_record import LayerRecord, joined
from throughtime.recording.names import MissingNameError
from throughtime.recording.routes import Routes

ValueT = TypeVar("ValueT")


class Recording:
    """Every value and every error of a model's recurrent layers, by path: `rec["layer0.f"]`, (T, B, H).

    A layer that ran once has one pass. Where it ran several times and each pass began with the state in which
    the one before ended (truncated back-propagation through time, a decoder that goes on step by step), the
    passes are joined along time. Otherwise ask for one of them, `rec.passes[k]["layer0.f"]`.

    Args:
        runs: For each path the records of its passes in the order in which they ran.

    Attributes:
        runs: The same.
        attached: Other tensors worth keeping, by name; see `attach`.
        notes: Anything worth saying, by name, as text.
        loss_reduction: How the loss was reduced, or None if nobody said so.
    """

    def __init__(self, runs: Mapping[str, list[LayerRecord]]) -> None:
        self.runs = dict(runs)
        self.attached: dict[str, Tensor] = {}
        self.notes: dict[str, str] = {}
        self.loss_reduction: str | None = None

    @property
    def passes(self) -> tuple[Recording, ...]:
        """Each pass as a recording of its own: pass k holds the k-th run of every layer that ran so often."""
        count = max(map(len, self.runs.values()), default=0)
        return tuple(self._pass(k) for k in range(count))

    def _pass(self, k: int) -> Recording:
        one = Recording({path: runs[k : k + 1] for path, runs in self.runs.items() if len(runs) > k})
        one.attached, one.notes, one.loss_reduction = self.attached, self.notes, self.loss_reduction
        return one

    @property
    def layers(self) -> dict[str, LayerRecord]:
        """What ran, by path, passes that follow each other joined along time.

        Raises:
            ValueError: there are passes that do not follow each other.
        """
        found = {}
        for path, runs in self.runs.items():
            if not runs:
                continue
            record = joined(runs)
            if record is None:
                raise ValueError(
                    f"recording: {path!r} ran {len(runs)} times, and not each pass began where the one "
                    f"before ended; ask for one of them: rec.passes[k], k from 0 to {len(runs) - 1}."
                )
            found[path] = record
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that can be read now. Raises ValueError as `layers` does."""
        return tuple(f"{path}.{name}" for path, record in self.layers.items() for name in record.names())

    def __getitem__(self, name: str) -> Tensor:
        """A value or an error, (T, B, ·), without a history.

        Raises:
            KeyError: there is none of that name (yet); the message says what there is.
            ValueError: there are passes that do not follow each other, or the array was changed in place.
        """
        path, value = self.find(name)
        record = self.layers[path]
        return record.errors[value] if value in record.errors else record.values[value]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def find(self, name: str) -> tuple[str, str]:
        """Split "layer0.f" into path and value, both of which are there.

        Raises:
            KeyError: one of them is not; the message says what is.
        """
        layers = self.layers
        if not isinstance(name, str):
            raise TypeError(f"recording: a name must be text such as 'layer0.f', got {name!r}.")
        if not layers:
            raise MissingNameError(
                f"no value {name!r} in this recording: no forward pass of {', '.join(self.runs)} has run in "
                "the block and in its thread."
            )
        path, _, value = name.rpartition(".")
        if path not in layers:
            raise MissingNameError(
                f"no value {name!r} in this recording; its layers are {', '.join(layers)}, and a name is as "
                f"'{next(iter(layers))}.{layers[next(iter(layers))].output}'."
            )
        record = layers[path]
        if value in record.values or value in record.errors:
            return path, value
        there = f"{path} has {', '.join(record.names()) or 'nothing'}"
        if value.startswith("d_") and not record.backward_passes:
            raise MissingNameError(
                f"no error {name!r} in this recording yet: no backward() has reached {path} (call it on your "
                f"loss; something in or below {path} must require a gradient, and errors=False leaves errors "
                f"out). {there}."
            )
        raise MissingNameError(f"no value {name!r} in this recording; {there}.")

    @property
    def T(self) -> int:  # noqa: N802
        """Time steps. Raises ValueError where layers differ."""
        return self._common("T", {path: record.T for path, record in self.layers.items()})

    @property
    def B(self) -> int:  # noqa: N802
        """Sequences. Raises ValueError where layers differ."""
        return self._common("B", {path: record.B for path, record in self.layers.items()})

    @property
    def backend(self) -> str:
        """Who computed. Raises ValueError where layers differ."""
        return self._common("backend", {path: record.backend for path, record in self.layers.items()})

    @property
    def dtype(self) -> torch.dtype:
        """The layers' dtype. Raises ValueError where layers differ."""
        return self._common("dtype", {path: record.dtype for path, record in self.layers.items()})

    @property
    def cuts(self) -> tuple[int, ...]:
        """Time steps t where truncated BPTT cut the chain: no error went from t to t-1.

        Raises:
            ValueError: layers differ.
        """
        return self._common("cuts", {path: record.cuts for path, record in self.layers.items()})

    def _common(self, what: str, found: Mapping[str, ValueT]) -> ValueT:
        if not found:
            raise ValueError(f"recording: there is no {what} before a forward pass has run in the block.")
        if len({repr(value) for value in found.values()}) > 1:
            each = ", ".join(f"{path}: {value}" for path, value in found.items())
            raise ValueError(f"recording: the layers differ in {what} ({each}); ask rec.layers[path].{what}.")
        return next(iter(found.values()))

    @property
    def nbytes(self) -> int:
        """Size of the recorded arrays, in bytes."""
        return sum(
            array.numel() * array.element_size()
            for runs in self.runs.values()
            for run in runs
            for array in (*run.values.values(), *run.errors.values())
        )

    def routes(self, name: str, t: int | None = None) -> Routes:
        """By which ways an error came: its parts by the reader through which they came.

        Args:
            name: Of an error, as "layer0.d_c". The errors of the gates after their activation, `d_i`, `d_f`,
                `d_o` and `d_z`, have routes too.
            t: Time step; None for all, with parts (T, B, ·).

        Returns:
            A mapping such as {"y(t)": (B, H), "o_bar(t)": ..., "c(t+1)": ...}, with `.total`, the sum.
            "above(t)" is the head or the layer above; t+1 is the next step in the direction of the layer,
            within the same pass; "returned state" is there where a sequence ends at t.

        Raises:
            KeyError: there is no such error, or the recording does not keep what is needed.
            ValueError: there is no step t.
        """
        record, error = self._layer_of(name)
        if t is not None:
            part, step = record.pass_at(t)
            return Routes(name, t, routes.find_routes(part, error, step))
        each = [routes.find_routes(part, error, None) for part in record.passes]
        return Routes(name, None, {reader: torch.cat([one[reader] for one in each]) for reader in each[0]})

    def step_gradient(self, name: str, t: int) -> Tensor:
        """(∂J/∂θ)^(t): what step t contributes to a parameter's gradient, summed over the batch.

        Args:
            name: Of a parameter, as "layer0.weight_hh".
            t: Time step.

        Returns:
            A tensor of the parameter's shape. Over all t they add up to what `backward()` added to `.grad`.

        Raises:
            KeyError: there is no such parameter, or the recording does not keep what is needed.
            ValueError: there is no step t.
        """
        record, parameter = self._parameter(name)
        part, step = record.pass_at(t)
        return step_gradients.step_gradient(part, parameter, step)

    def step_gradient_norms(self, name: str) -> Tensor:
        """‖(∂J/∂θ)^(t)‖ for every t, (T,) in float64, without forming the T matrices.

        Args:
            name: Of a parameter, as "layer0.weight_hh".

        Raises:
            KeyError: there is no such parameter, or the recording does not keep what is needed.
        """
        record, parameter = self._parameter(name)
        return torch.cat([step_gradients.step_gradient_norms(part, parameter) for part in record.passes])

    def check(
        self,
        name: str,
        t: int,
        *,
        unit: int | None = None,
        batch: int | None = None,
        loss: Callable[[Tensor], Tensor] | None = None,
    ) -> Check:
        """Confirm a recorded error by finite differences in float64.

        The value is nudged and everything after it in its pass is computed anew. Without `loss`, J is the sum
        of `d_above` times the outputs (and of `final_errors` times the returned state): this confirms that
        the error is the exact derivative, given the errors that came from outside the layer. With `loss`
        these are put to the test too.

        Args:
            name: Of an error, as "layer0.d_c".
            t: Time step.
            unit: Which unit; with batch=None the one with the largest error.
            batch: Which sequence; with None the one with the largest error.
            loss: J as a function of the layer's output (T, B, H), which it is given in float64.

        Raises:
            KeyError: there is no such error, or the recording does not keep what is needed.
            ValueError: t, unit or batch is out of range, the step is padded, or there is nothing to nudge.
        """
        record, error = self._layer_of(name)
        self.find(name)
        if error == "d_above" or not error.startswith("d_"):
            raise ValueError(
                f"recording: check({name!r}): there are differences for errors of this layer's own values, "
                f"{', '.join(e for e in record.errors if e != 'd_above')}."
            )
        return finite.check(record, error, t, batch, unit, loss)

    def _layer_of(self, name: str) -> tuple[LayerRecord, str]:
        """The layer's record, and what comes after its path."""
        path, _, value = str(name).rpartition(".")
        if path not in self.layers:
            self.find(name)
        return self.layers[path], value

    def _parameter(self, name: str) -> tuple[LayerRecord, str]:
        record, parameter = self._layer_of(name)
        there = record.passes[0].parameters
        if parameter not in there:
            raise MissingNameError(
                f"no parameter {name!r} in this recording; {record.path} has {', '.join(there)}."
            )
        return record, parameter

    def attach(self, name: str, tensor: Tensor) -> None:
        """Keep another tensor with the recording: a target, a prediction, the loss.

        Args:
            name: Its name in `attached`.
            tensor: A copy without its history is kept.

        Raises:
            TypeError: it is no tensor.
        """
        if not isinstance(tensor, Tensor):
            raise TypeError(f"recording: attach({name!r}) takes a tensor, got {type(tensor).__name__}.")
        self.attached[name] = tensor.detach().clone()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to one safetensors file; `throughtime.load_recording` reads it.

        Raises:
            OutputError: the file cannot be written.
        """
        contents = store.Contents(self.runs, self.attached, self.notes, self.loss_reduction)
        store.write(path, contents)

    def __repr__(self) -> str:
        ran = {path: runs for path, runs in self.runs.items() if runs}
        if not ran:
            return "Recording(nothing yet)"
        each = (
            f"{path}: {runs[0].kind} T={sum(run.T for run in runs)} B={runs[0].B} H={runs[0].hidden_size}"
            f"{f' in {len(runs)} passes' if len(runs) > 1 else ''}"
            for path, runs in ran.items()
        )
        return f"Recording({'; '.join(each)})"


def load_recording(path: str | os.PathLike[str]) -> Recording:
    """Read a recording that `Recording.save` wrote.

    Raises:
        RecordingError: the file is missing, no recording, damaged, or from a later version.
    """
    contents = store.read(path)
    recording = Recording(contents.runs)
    recording.attached, recording.notes = dict(contents.attached), dict(contents.notes)
    recording.loss_reduction = contents.loss_reduction
    return recording
