"""The encoder and decoder: padding, one call against step by step, teacher forcing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from throughtime.nn import LSTM, RNN
from throughtime.nn.attention import AdditiveAttention, DotAttention
from throughtime.nn.seq2seq import Seq2Seq

PADDING, UNKNOWN, BEGIN, END = 0, 1, 2, 3
SOURCES = [[5, 2, 7, 3], [3], [4, 4, 6, 2, 3, 5, 7, 3]]
TARGETS = [[4, 3], [6, 5, 5, 4, 7, 3], [5, 6, 3]]
EXACT = {"rtol": 1e-11, "atol": 1e-12}
KINDS = {"dot": DotAttention, "additive": AdditiveAttention, "none": None}


def network(attention: str = "dot", cell: str = "lstm", layers: int = 2, **options: Any) -> Seq2Seq:
    torch.manual_seed(3)
    kind: Any = {"lstm": LSTM, "rnn": RNN}[cell]
    made = KINDS[attention]
    more = {"peepholes": True, "variant": options.pop("variant", "vanilla")} if cell == "lstm" else {}
    return Seq2Seq(
        kind(6, 5, layers, bidirectional=True, **more),
        kind(6, 7, layers, **more),
        None if made is None else made(7, 10),
        sources=8,
        targets=9,
        padding=PADDING,
        unknown=UNKNOWN,
        begin=BEGIN,
        **options,
    ).double()


def padded(sequences: list[list[int]], more: int = 0) -> Tensor:
    longest = max(map(len, sequences)) + more
    return torch.tensor([one + [PADDING] * (longest - len(one)) for one in sequences]).T


LENGTHS = torch.tensor([len(one) for one in SOURCES])


@pytest.mark.parametrize(("attention", "cell"), [("dot", "lstm"), ("additive", "rnn"), ("none", "lstm")])
def test_a_pair_alone_and_in_a_padded_batch_is_the_same(attention: str, cell: str) -> None:
    """Logits and every gradient."""
    model = network(attention, cell)
    targets = padded(TARGETS, 2)
    columns = torch.arange(len(TARGETS)).expand_as(targets)[targets != PADDING]
    for column, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        together = model(padded(SOURCES, 3), LENGTHS, targets)[columns == column]
        alone = model(torch.tensor(source)[:, None], None, torch.tensor(target)[:, None])
        torch.testing.assert_close(alone, together, **EXACT)
        weight = torch.randn_like(alone)
        found = []
        for logits in (alone, together):
            model.zero_grad()
            (logits * weight).sum().backward()
            found.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
        assert found[0].keys() == found[1].keys()
        for name, gradient in found[0].items():
            torch.testing.assert_close(gradient, found[1][name], **EXACT)


@pytest.mark.parametrize(
    ("attention", "options"),
    [
        ("dot", {}),
        ("additive", {"cell": "rnn"}),
        ("none", {"layers": 1}),
        ("dot", {"variant": "FGR", "layers": 1}),
    ],
)
def test_step_by_step_is_the_whole_at_once(attention: str, options: dict[str, Any]) -> None:
    """With three beams for each source, of which every step takes other parents."""
    model = network(attention, **options).eval()
    context = model.read(padded(SOURCES), LENGTHS)
    torch.manual_seed(0)
    written = torch.full((len(SOURCES), 3, 1), BEGIN)
    now = context.chosen(torch.arange(len(SOURCES)).repeat_interleave(3))
    for _ in range(4):
        logs, now = model.step(written[..., -1], now)
        for row in range(len(SOURCES)):
            for beam in range(3):
                one = model.read(torch.tensor(SOURCES[row])[:, None])
                features, _, _ = model.decode(written[row, beam][:, None], one)
                expected = model.logits(features[-1, 0]).log_softmax(dim=-1)
                torch.testing.assert_close(logs[row, beam], expected, **EXACT)
        parents = torch.randint(0, 3, (len(SOURCES), 3))
        beams = torch.arange(len(SOURCES))[:, None] * 3 + parents
        now = now.chosen(beams.flatten())
        fresh = torch.randint(4, 9, (len(SOURCES), 3, 1))
        written = torch.cat([written.gather(1, parents[..., None].expand_as(written)), fresh], dim=-1)


def test_sequences_that_are_left_keep_their_memory() -> None:
    model = network().eval()
    rows = torch.tensor([2, 0])
    beams = torch.tensor([[0, 0], [0, 0]]) + rows[:, None]
    some = model.read(padded(SOURCES), LENGTHS).chosen(beams.flatten(), rows)
    logs, _ = model.step(torch.tensor([[4, 5], [6, 7]]), some)
    for row, source in enumerate((2, 0)):
        alone = model.read(torch.tensor(SOURCES[source])[:, None]).chosen(torch.tensor([0, 0]))
        expected, _ = model.step(torch.tensor([[4, 5], [6, 7]])[row : row + 1], alone)
        torch.testing.assert_close(logs[row], expected[0], **EXACT)


def test_without_attention_the_last_states_are_all_it_knows() -> None:
    model = network("none").eval()
    assert model.read(padded(SOURCES), LENGTHS).memory is None
    _, _, weights = model.decode(padded(TARGETS), model.read(padded(SOURCES), LENGTHS))
    assert weights is None


def test_the_first_state_reads_both_ends() -> None:
    model = network("none", layers=1).eval()
    source = torch.tensor(SOURCES[2])[:, None]
    x = model.source_vectors(source) * 6**0.5
    _, (h, c) = model.encoder(x)
    state = model.read(source).state
    for bridge, ends, first in zip(model.bridge, (h, c), state, strict=True):
        torch.testing.assert_close(first[0, 0], torch.tanh(bridge(torch.cat([ends[0, 0], ends[1, 0]]))))


def test_what_is_fed_is_one_step_behind() -> None:
    given = network().shifted(padded(TARGETS))
    assert given[:, 1].tolist() == [BEGIN, 6, 5, 5, 4, 7]
    assert given[:3, 2].tolist() == [BEGIN, 5, 6]


def test_some_of_what_is_fed_may_be_its_own() -> None:
    model = network().eval()
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()  # so that it writes now this, now that
        model.bias.zero_()
    targets, context = padded(TARGETS), model.read(padded(SOURCES), LENGTHS)
    given = model.shifted(targets)
    features, _, _ = model.decode(given, context)
    own = torch.cat([given[:1], model.logits(features[:-1]).argmax(dim=-1)])
    real = given != PADDING
    torch.manual_seed(0)
    mixed = torch.stack([model.mixed(given, context, 0.3) for _ in range(300)])
    assert ((mixed == given) | (mixed == own)).all()
    assert (mixed[:, 0] == BEGIN).all()
    assert (mixed[:, ~real] == PADDING).all()
    differs = real & (given != own)
    assert len(set(own[differs].tolist())) > 2
    assert (mixed == given)[:, differs].double().mean() == pytest.approx(0.3, abs=0.05)
    torch.manual_seed(0)
    other = model(padded(SOURCES), LENGTHS, targets, 0.3)
    assert not torch.equal(other, model(padded(SOURCES), LENGTHS, targets))


def test_target_vectors_are_the_output_too() -> None:
    model = network().eval()
    features = torch.randn(2, 6, dtype=torch.float64)
    expected = features @ model.target_vectors.weight.T + model.bias
    torch.testing.assert_close(model.logits(features), expected)


def test_dropout_acts_in_training_alone() -> None:
    model = network(dropout=0.4, word_dropout=0.2)
    arguments = (padded(SOURCES), LENGTHS, padded(TARGETS))
    assert not torch.equal(model(*arguments), model(*arguments))
    model.eval()
    assert torch.equal(model(*arguments), model(*arguments))
