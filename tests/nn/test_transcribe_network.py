from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from throughtime.nn import LSTM, RNN
from throughtime.nn.transcribe_network import TranscribeNetwork, stack_frames, steps_of

EXACT = {"rtol": 1e-11, "atol": 1e-12}


def network(stack: int, cell: str = "lstm") -> TranscribeNetwork:
    torch.manual_seed(2)
    kind = {"num_layers": 2, "bidirectional": True, "dtype": torch.float64}
    made = LSTM(3 * stack, 4, **kind) if cell == "lstm" else RNN(3 * stack, 4, **kind)
    return TranscribeNetwork(made, symbols=5, stack=stack).double()


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize("stack", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 5])
def test_a_recording_alone_and_in_a_padded_batch_is_the_same(cell: str, stack: int, padding: int) -> None:
    """Outputs, loss and every gradient, whatever stands behind a recording's end."""
    model = network(stack, cell)
    lengths = torch.tensor([13, 7, 20, 6])
    targets = torch.tensor([[1, 2, 2], [3, 0, 0], [4, 1, 2], [2, 3, 0]])
    symbols = (targets > 0).sum(1)
    frames = torch.randn(20 + padding, 4, 3, dtype=torch.float64)
    logs, steps = model(frames, lengths)
    logs = logs.detach()
    assert steps.tolist() == [-(-int(n) // stack) for n in lengths]
    for column, length in enumerate(lengths.tolist()):
        pair = slice(column, column + 1)
        found = learnt(model, frames, lengths, pair, targets[pair], symbols[pair])
        alone = learnt(model, frames[:length, pair], None, slice(0, 1), targets[pair], symbols[pair])
        own = int(steps[column])
        torch.testing.assert_close(alone[0][:own], logs[:own, pair], **EXACT)
        assert found[1].keys() == alone[1].keys()
        for name, value in alone[1].items():
            torch.testing.assert_close(found[1][name], value, **EXACT)


def learnt(
    model: TranscribeNetwork,
    frames: torch.Tensor,
    lengths: torch.Tensor | None,
    pair: slice,
    targets: torch.Tensor,
    symbols: torch.Tensor,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Outputs of one recording of a batch; its loss and all gradients by name."""
    model.zero_grad()
    logs, steps = model(frames, lengths)
    loss = functional.ctc_loss(logs[:, pair], targets, steps[pair], symbols, reduction="sum")
    loss.backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return logs[:, pair].detach(), found | {"loss": loss.detach()}


def test_frames_are_stacked_in_order() -> None:
    frames = torch.arange(1.0, 15.0).view(7, 1, 2).repeat(1, 2, 1)  # (7, 2, 2)
    found = stack_frames(frames, torch.tensor([7, 4]), 3)
    assert found.shape == (3, 2, 6)
    assert found[:, 0].tolist() == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], [13, 14, 0, 0, 0, 0]]
    assert found[:, 1].tolist() == [[1, 2, 3, 4, 5, 6], [7, 8, 0, 0, 0, 0], [0] * 6]
    assert steps_of(torch.tensor([1, 3, 4]), 3).tolist() == [1, 1, 2]


def test_each_step_holds_probabilities() -> None:
    logs, _ = network(2)(torch.randn(9, 2, 3, dtype=torch.float64))
    assert logs.shape == (5, 2, 5)
    assert torch.allclose(logs.exp().sum(-1), torch.ones(5, 2, dtype=torch.float64))
