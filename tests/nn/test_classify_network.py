from __future__ import annotations

import pytest
import torch
from torch import nn

from throughtime.nn import LSTM, RNN
from throughtime.nn.classify_network import ClassifyNetwork, Ensemble, WordInput
from throughtime.nn.dropout import VariationalDropout, WordDropout
from throughtime.nn.pooling import max_over_time, mean_over_time

SENTENCES = [[5, 2, 7], [3], [4, 4, 6, 2, 3, 5, 7, 2, 6], [6, 3, 2, 5]]
EXACT = {"rtol": 1e-11, "atol": 1e-12}


def network(layers: int = 2, cell: str = "lstm", read: str = "words", **options: float) -> ClassifyNetwork:
    torch.manual_seed(3)
    kind = {"num_layers": layers, "bidirectional": True, "dtype": torch.float64}
    recurrent = LSTM(6, 5, peepholes=True, **kind) if cell == "lstm" else RNN(6, 5, **kind)
    words = WordInput(torch.randn(8, 6), padding=0, unknown=1)
    inputs = words if read == "words" else VariationalDropout(0.0)
    return ClassifyNetwork(inputs, recurrent, classes=3, **options).double()


def inputs_of(sentence: list[int], read: str) -> torch.Tensor:
    """A sentence as numbers of words (T,), or as any numbers (T, 6), large where the words differ."""
    symbols = torch.tensor(sentence)
    return symbols if read == "words" else torch.sin(symbols[:, None] * torch.arange(1.0, 7.0).double())


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize("padding", [0, 4])
@pytest.mark.parametrize("read", ["words", "numbers"])
def test_a_sequence_alone_and_in_a_padded_batch_is_the_same(cell: str, padding: int, read: str) -> None:
    """Outputs and every gradient, whatever else is in the batch and however much of it is padding."""
    model = network(cell=cell, read=read)
    sequences = [inputs_of(sentence, read) for sentence in SENTENCES]
    lengths = torch.tensor([len(s) for s in sequences])
    like = sequences[0]
    batch = like.new_zeros(int(lengths.max()) + padding, len(sequences), *like.shape[1:])
    for column, sequence in enumerate(sequences):
        batch[: len(sequence), column] = sequence
        if read == "numbers":
            batch[len(sequence) :, column] = 7.0  # whatever stands there
    weight = torch.randn(len(SENTENCES), 3, dtype=torch.float64)
    together = model(batch, lengths)
    for column, sequence in enumerate(sequences):
        (model(batch, lengths)[column] * weight[column]).sum().backward()
        in_batch = gradients(model)
        alone = model(sequence[:, None])
        torch.testing.assert_close(alone[0], together[column], **EXACT)
        (alone[0] * weight[column]).sum().backward()
        for name, gradient in gradients(model).items():
            torch.testing.assert_close(in_batch[name], gradient, **EXACT)
            assert name != "inputs.embedding.weight" or (gradient[0] == 0).all()


def test_the_head_reads_mean_maximum_and_the_ends() -> None:
    model = network().eval()
    read: list[torch.Tensor] = []
    model.head.register_forward_pre_hook(lambda module, args: read.append(args[0]))
    sentence = torch.tensor(SENTENCES[2])[:, None]
    model(sentence)
    y = model.recurrent(model.inputs(sentence))[0][:, 0]  # (T, 2H), forward half and backward half
    expected = torch.cat([y.mean(0), y.amax(0), y[-1, :5], y[0, 5:]])
    torch.testing.assert_close(read[0][0], expected, **EXACT)


def test_pooling_leaves_padded_steps_out() -> None:
    x = torch.tensor([[-1.0, -3.0], [-2.0, -5.0], [9.0, -4.0]])[..., None]  # (T, B, 1)
    lengths = torch.tensor([2, 3])
    assert mean_over_time(x, lengths).flatten().tolist() == [-1.5, -4.0]
    assert max_over_time(x, lengths).flatten().tolist() == [-1.0, -3.0]
    assert mean_over_time(x).flatten().tolist() == [2.0, -4.0]
    assert max_over_time(x).flatten().tolist() == [9.0, -3.0]


def test_word_dropout_spares_padding_and_evaluation() -> None:
    torch.manual_seed(0)
    symbols = torch.randint(2, 9, (50, 40))
    symbols[30:, 5:] = 0
    drop = WordDropout(0.25, replacement=1, kept=0)
    changed = drop(symbols)
    words = symbols != 0
    assert (changed[~words] == 0).all()
    assert set(changed[words & (changed != symbols)].tolist()) == {1}
    assert 0.2 < float((changed == 1)[words].double().mean()) < 0.3
    assert torch.equal(drop.eval()(symbols), symbols)


def test_variational_dropout_drops_the_same_units_at_every_step() -> None:
    torch.manual_seed(0)
    x = torch.ones(7, 30, 20)
    drop = VariationalDropout(0.25)
    dropped = drop(x)
    assert torch.equal(dropped, dropped[:1].expand_as(x))
    assert not torch.equal(dropped[0, 0], dropped[0, 1])
    assert set(dropped.unique().tolist()) == {0.0, float(torch.tensor(1.0) / 0.75)}
    assert abs(float(dropped.mean()) - 1) < 0.1
    assert torch.equal(drop.eval()(x), x)


def test_members_learn_on_their_own() -> None:
    ensemble = Ensemble([network(), network()])
    symbols = torch.tensor([[2, 3], [4, 0]])
    logits = ensemble(symbols, torch.tensor([2, 1]))
    assert logits.shape == (2, 2, 3)
    logits[0].sum().backward()
    assert not any(p.grad.any() for p in ensemble.members[1].parameters())
    assert all(p.grad.any() for p in ensemble.members[0].head.parameters())
