"""Digits read as sequences, row by row and pixel by pixel: an LSTM beside a simple RNN, with error maps.

    python benchmarks/sequential_mnist.py [--order rows|pixels|both] [--minutes 10] [--epochs N]
        [--hidden 64] [--seed 0] [--threads 2] [--images FOLDER] [--data FOLDER] [--json] [--quick]

Row by row a digit has 28 steps of 28 values, pixel by pixel 784 steps of one. Both cells have the same
number of hidden units and the same time: --minutes for each network, from which the number of epochs follows
by the processor time of a few updates measured first; --epochs names it instead. 5,000 of the 60,000
training digits choose the best epoch; the 10,000 test digits are read once, at the end. The head reads the
output after the last step alone. MNIST is read from its IDX files in --data, or $THROUGHTIME_DATA/mnist.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import throughtime as tt
from throughtime.recording.error_map import ErrorMap
from throughtime.training import Batch, FitSettings, Outcome, QuietDisplay, fit
from throughtime.training.display import automatic_display

ORDERS = {"rows": (28, 28), "pixels": (784, 1)}  # steps T, values I
CELLS = ("LSTM", "simple RNN")
MEAN, STD = 0.1307, 0.3081  # of the training pixels, scaled to 0 to 1
VALIDATION = 5_000
MAPPED = 8  # test digits in an error map
RATES = {"LSTM": 3e-3, "simple RNN": 1e-3}


@dataclass(frozen=True)
class Digits:
    """Images (N, 784), bytes, and their labels (N,)."""

    images: Tensor
    labels: Tensor

    def __getitem__(self, rows: Tensor | slice) -> Digits:
        return Digits(self.images[rows], self.labels[rows])

    def steps(self, rows: Tensor | slice, order: str) -> Tensor:
        """Standardised pixels as sequences, (T, B, I)."""
        T, I = ORDERS[order]  # noqa: E741
        chosen = self.images[rows].view(-1, T, I).transpose(0, 1)
        return ((chosen / 255 - MEAN) / STD).contiguous()


class DigitBatches:
    """Batches of digits as sequences; the order depends on seed and epoch alone."""

    def __init__(self, digits: Digits, order: str, batch_size: int, *, seed: int, shuffle: bool) -> None:
        self.digits, self.order, self.batch_size = digits, order, batch_size
        self.seed, self.shuffle = seed, shuffle

    def __len__(self) -> int:
        return -(-len(self.digits.labels) // self.batch_size)

    def epoch(self, epoch: int, shard: tuple[int, int] = (0, 1)) -> Iterator[Batch]:
        """The batches of one epoch, of each this process's part."""
        count, generator = len(self.digits.labels), torch.Generator().manual_seed(1_000 * self.seed + epoch)
        order = torch.randperm(count, generator=generator) if self.shuffle else torch.arange(count)
        for rows in order.split(self.batch_size):
            mine = rows.tensor_split(shard[1])[shard[0]]
            yield Batch(self.digits.steps(mine, self.order), self.digits.labels[mine])


class Reader(nn.Module):
    """A recurrent layer, and a head on its output after the last step."""

    def __init__(self, cell: str, order: str, hidden: int) -> None:
        super().__init__()
        T, inputs = ORDERS[order]
        self.recurrent = tt.LSTM(inputs, hidden) if cell == "LSTM" else tt.RNN(inputs, hidden)
        if cell == "LSTM":
            spread_memories(self.recurrent, T)
        self.head = nn.Linear(hidden, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 10) for x (T, B, I)."""
        return self.head(self.recurrent(x)[0][-1])


def spread_memories(lstm: tt.LSTM, steps: int) -> None:
    """Let the units begin with memories of 1 to `steps` steps, evenly over the logarithm of that length.

    A forget gate's bias of b remembers for about e^b steps; the input gate's begins at -b. After Tallec and
    Ollivier, Can recurrent neural networks warp time? (2018), who spread them evenly over the length itself.
    """
    H = lstm.hidden_size
    chosen = torch.rand(H) * torch.tensor(float(steps)).log()
    bias = dict(lstm.named_parameters())["layer0.bias"]
    with torch.no_grad():
        bias[:H], bias[H : 2 * H] = -chosen, chosen


def cross_entropy(model: nn.Module, batch: Batch, state: object = None) -> Outcome:
    """The mean over the digits, nats."""
    return Outcome(functional.cross_entropy(model(batch.inputs), batch.targets), len(batch.targets))


def read_idx(path: Path) -> Tensor:
    """The array of bytes in a gzipped IDX file."""
    with gzip.open(path) as stream:
        content = stream.read()
    if content[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: is no IDX file of bytes; expected 00 00 08 at its start.")
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    found = np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])
    if found.size != shape.prod():
        raise SystemExit(
            f"{path}: announces {shape.prod():,} bytes and holds {found.size:,}; fetch it again."
        )
    return torch.from_numpy(found.reshape(shape).copy())


def read_digits(folder: Path, part: str) -> Digits:
    """The "train" or "t10k" part."""
    images, labels = (
        read_idx(folder / f"{part}-{name}.gz") for name in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    return Digits(images.flatten(1), labels.long())


def seconds_of_an_update(model: nn.Module, batches: DigitBatches, updates: int = 4) -> float:
    """Processor time by threads of the fastest of a few, forward and backward: what it takes undisturbed."""
    found = []
    for _, batch in zip(range(updates), batches.epoch(0), strict=False):
        began = time.process_time()
        cross_entropy(model, batch).loss.backward()
        found.append(time.process_time() - began)
    model.zero_grad()
    return min(found) / torch.get_num_threads()


@torch.inference_mode()
def accuracy(model: nn.Module, digits: Digits, order: str) -> float:
    """Share of the digits that are told right."""
    batches = DigitBatches(digits, order, 500, seed=0, shuffle=False).epoch(0)
    right = sum(int((model(batch.inputs).argmax(-1) == batch.targets).sum()) for batch in batches)
    return right / len(digits.labels)


def map_errors(model: Reader, digits: Digits, order: str, at: list[int] | None = None) -> ErrorMap:
    """J(t): cross-entropy of the answer that the head would give after step t."""
    x, labels = digits.steps(slice(MAPPED), order), digits.labels[:MAPPED]

    def losses(y: Tensor) -> Tensor:
        targets = labels.repeat(len(y), 1)
        return functional.cross_entropy(model.head(y).transpose(1, 2), targets, reduction="none")

    return tt.error_map(model.recurrent, x, losses, at=at)


@dataclass(frozen=True)
class Found:
    """What one network came to."""

    order: str
    cell: str
    hidden: int
    seed: int
    epochs: int
    best_epoch: int
    seconds: float
    processor: float
    validation: float
    test: float
    memory: int
    all_steps: bool
    losses: list[float]


def train(
    order: str, cell: str, train_digits: Digits, test: Digits, options: argparse.Namespace
) -> tuple[Found, Reader]:
    """Fit one network within its time, and measure it."""
    torch.manual_seed(options.seed)
    model = Reader(cell, order, options.hidden)
    learnt, judged = train_digits[slice(VALIDATION, None)], train_digits[slice(VALIDATION)]
    if options.quick:
        learnt, judged, test = learnt[slice(256)], judged[slice(64)], test[slice(64)]
    batches = DigitBatches(learnt, order, options.batch_size, seed=options.seed, shuffle=True)
    checks = DigitBatches(judged, order, 500, seed=0, shuffle=False)
    epochs = options.epochs
    if epochs is None:
        epochs = max(1, int(60 * options.minutes / (seconds_of_an_update(model, batches) * len(batches))))
    rate = options.learning_rate or RATES[cell]
    settings = FitSettings(epochs=epochs, learning_rate=rate, clip_norm=1.0, seed=options.seed)
    display = QuietDisplay() if options.json else automatic_display()
    began, busy = time.perf_counter(), time.process_time()
    result = fit(model, batches, checks, cross_entropy, settings, display=display)
    seconds, processor = time.perf_counter() - began, time.process_time() - busy
    memory = tt.memory_length(map_errors(model, test, order, at=[ORDERS[order][0] - 1]))
    found = Found(
        order,
        cell,
        options.hidden,
        options.seed,
        epochs,
        result.best_epoch,
        seconds,
        processor,
        accuracy(model, judged, order),
        accuracy(model, test, order),
        memory.steps,
        not memory.reached,
        [epoch.validation_loss for epoch in result.history],
    )
    return found, model


def draw(maps: dict[str, ErrorMap], file: Path) -> None:
    """The maps beside each other, and how far their errors reach."""
    from matplotlib import pyplot

    from throughtime.recording.plots import draw_reach

    figure, axes = pyplot.subplots(1, len(maps) + 1, figsize=(13, 3.8), layout="constrained")
    for ax, (name, errors) in zip(axes, maps.items(), strict=False):
        errors.plot(ax)
        ax.set_title(f"{name}: share of δ{errors.memory} left")
    draw_reach(maps, axes[-1])
    figure.savefig(file, dpi=80)
    pyplot.close(figure)


def show(found: list[Found]) -> None:
    """A line for each network; processor time adds up the threads."""
    heads = f"{'time':>9}{'processor':>11}{'validation':>12}{'test':>9}"
    print(f"{'order':8}{'cell':12}{'H':>4}{'epochs':>8}{heads}  memory")
    for one in found:
        memory = f"{'all ' if one.all_steps else ''}{one.memory} of {ORDERS[one.order][0] - 1} steps"
        print(
            f"{one.order:8}{one.cell:12}{one.hidden:4}{one.epochs:8}{one.seconds:7.0f} s"
            f"{one.processor:9.0f} s{one.validation:12.2%}{one.test:9.2%}  {memory}"
        )


def options_given() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--order", choices=[*ORDERS, "both"], default="both")
    parser.add_argument("--cell", choices=CELLS, help="this one alone")
    parser.add_argument("--minutes", type=float, default=10.0, help="time for each network")
    parser.add_argument("--epochs", type=int, help="passes over the training digits, instead of --minutes")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, help="peak of one-cycle [0.003 LSTM, 0.001 RNN]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=Path, help="folder to draw the error maps into")
    parser.add_argument("--data", type=Path, help="folder of the IDX files")
    parser.add_argument("--json", action="store_true", help="one JSON array on standard output")
    parser.add_argument("--quick", action="store_true", help="256 digits, one epoch")
    options = parser.parse_args()
    if options.quick:
        options.epochs = 1
    if options.data is None and "THROUGHTIME_DATA" not in os.environ:
        parser.error("name the folder of the IDX files with --data, or set THROUGHTIME_DATA")
    options.data = options.data or Path(os.environ["THROUGHTIME_DATA"]) / "mnist"
    if options.images:
        options.images.mkdir(parents=True, exist_ok=True)  # now, and not after all the training
    return options


def main() -> None:
    options = options_given()
    torch.set_num_threads(options.threads)
    digits, test = (read_digits(options.data, part) for part in ("train", "t10k"))
    every: list[Found] = []
    for order in ORDERS if options.order == "both" else (options.order,):
        maps: dict[str, ErrorMap] = {}
        for cell in CELLS if options.cell is None else (options.cell,):
            found, model = train(order, cell, digits, test, options)
            every.append(found)
            maps[cell] = map_errors(model, test, order)
            if not options.json:
                print(f"{order}, {cell}: {maps[cell].summary()}")
        if options.images:
            draw(maps, options.images / f"sequential-mnist-{order}.png")
    print(json.dumps([asdict(one) for one in every])) if options.json else show(every)


if __name__ == "__main__":
    main()
