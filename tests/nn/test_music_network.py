from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from throughtime.data.roll_batches import heard
from throughtime.nn import LSTM, RNN
from throughtime.nn.music_network import MusicNetwork

LENGTHS = (5, 1, 8, 3)
NOTES = 7
EXACT = {"rtol": 1e-11, "atol": 1e-12}


def network(cell: str = "lstm", **options: float) -> MusicNetwork:
    torch.manual_seed(3)
    made = LSTM if cell == "lstm" else RNN
    recurrent = made(NOTES, 5, num_layers=2, dtype=torch.float64)
    return MusicNetwork(recurrent, torch.linspace(0.1, 0.6, NOTES), **options).double()


def some_rolls() -> list[torch.Tensor]:
    torch.manual_seed(4)
    return [(torch.rand(length, NOTES) < 0.4).double() for length in LENGTHS]


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize("padding", [0, 4])
def test_a_piece_alone_and_in_a_padded_batch_is_the_same(cell: str, padding: int) -> None:
    """Logits and every gradient, whatever else is in the batch and however much of it is padding."""
    model = network(cell)
    x = heard(pad_sequence([*some_rolls(), torch.zeros(8 + padding, NOTES).double()]))[:, :4]
    together, state = model(x, None, list(LENGTHS))
    for column, (roll, length) in enumerate(zip(some_rolls(), LENGTHS, strict=True)):
        weight = torch.randn(length, NOTES, dtype=torch.float64)
        alone, own = model(heard(roll[:, None]))
        torch.testing.assert_close(alone[:, 0], together[:length, column], **EXACT)
        for part, whole in zip(
            (own,) if cell == "rnn" else own, (state,) if cell == "rnn" else state, strict=True
        ):
            torch.testing.assert_close(part[:, 0], whole[:, column], **EXACT)
        (model(x, None, list(LENGTHS))[0][:length, column] * weight).sum().backward()
        in_batch = gradients(model)
        (alone[:, 0] * weight).sum().backward()
        for name, gradient in gradients(model).items():
            torch.testing.assert_close(in_batch[name], gradient, **EXACT)


def test_it_hears_only_what_came_before() -> None:
    model, roll = network(), some_rolls()[2][:, None]
    changed = roll.clone()
    changed[4] = 1 - changed[4]
    before, after = model(heard(roll))[0], model(heard(changed))[0]
    assert torch.equal(before[:5], after[:5])
    assert (before[5] != after[5]).all()


def test_the_state_goes_on() -> None:
    model, x = network(), heard(some_rolls()[2][:, None])
    whole, _ = model(x)
    first, state = model(x[:3])
    torch.testing.assert_close(torch.cat([first, model(x[3:], state)[0]]), whole, **EXACT)


def test_untrained_it_answers_near_the_rates() -> None:
    model = network()
    with torch.no_grad():
        model.head.weight.zero_()
    answered = model(torch.zeros(1, 1, NOTES).double())[0].sigmoid().flatten()
    torch.testing.assert_close(answered, torch.linspace(0.1, 0.6, NOTES).double(), rtol=1e-6, atol=0)


def test_dropout_in_training_alone() -> None:
    for options in ({"dropout": 0.5}, {"input_dropout": 0.5}):
        model, x = network(**options), heard(some_rolls()[2][:, None])
        assert not torch.equal(model(x)[0], model(x)[0])
        model.eval()
        assert torch.equal(model(x)[0], model(x)[0])
