from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.nn import LSTM
from throughtime.nn.characters import CharacterCNN
from throughtime.nn.crf import CRF
from throughtime.nn.tag_network import TagEnsemble, TagNetwork, averaged

V, E, F, K, C = 9, 4, 3, 5, 6


def network(vectors: int = 0, **dropout: float) -> TagNetwork:
    characters = CharacterCNN(8, 3, 4, (1, 3))
    recurrent = LSTM(E + characters.output_size + 2 + vectors, 5, bidirectional=True)
    return TagNetwork(
        torch.randn(V, E),
        characters,
        4,
        2,
        recurrent,
        CRF(K),
        tags=K,
        padding=0,
        unknown=1,
        **dropout,
    )


def sentences(seed: int = 0, lengths: tuple[int, ...] = (5, 2, 4)) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    x = torch.zeros(max(lengths), len(lengths), 3 + C, dtype=torch.long)
    for row, length in enumerate(lengths):
        x[:length, row, 0] = torch.randint(2, V, (length,), generator=draw)
        x[:length, row, 1] = torch.randint(1, 4, (length,), generator=draw)
        x[:length, row, 2] = torch.randint(0, 4, (length,), generator=draw)
        x[:length, row, 3 : 3 + row + 2] = torch.randint(1, 8, (length, row + 2), generator=draw)
    return x, torch.tensor(lengths)


def test_alone_and_in_a_padded_batch_scores_and_gradients_are_equal() -> None:
    torch.manual_seed(0)
    model = network().double().eval()
    x, lengths = sentences()
    together, _ = model(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, _ = model(x[:length, row : row + 1], torch.tensor([length]))
        assert torch.allclose(alone[:, 0], together[:length, row], atol=1e-12)
    there = torch.arange(len(x))[:, None] < lengths
    parameters = list(model.parameters())[:-3]  # the CRF's are not asked
    (together * there[..., None]).pow(2).sum().backward()
    batch = [parameter.grad.clone() for parameter in parameters if parameter.grad is not None]
    model.zero_grad()
    for row, length in enumerate(lengths.tolist()):
        model(x[:length, row : row + 1], torch.tensor([length]))[0].pow(2).sum().backward()
    singly = [parameter.grad for parameter in parameters if parameter.grad is not None]
    assert len(batch) == len(singly) == len(parameters)
    for one, other in zip(batch, singly, strict=True):
        assert torch.allclose(one, other, atol=1e-10)


def test_characters_of_words_never_seen_make_a_difference() -> None:
    model = network().eval()
    x, lengths = sentences()
    changed = x.clone()
    changed[0, 0, 3] = 1 + (x[0, 0, 3] % 7)
    assert not torch.equal(model(x, lengths)[0], model(changed, lengths)[0])


def test_padding_characters_say_nothing() -> None:
    torch.manual_seed(1)
    model = CharacterCNN(8, 3, 4, (3,)).eval()
    word = torch.tensor([[3, 2, 5]])
    longer = torch.tensor([[3, 2, 5, 0, 0], [1, 1, 1, 1, 1]])
    assert torch.allclose(model(word)[0], model(longer)[0], atol=1e-6)
    assert (model(torch.zeros(2, 4, dtype=torch.long)) == 0).all()
    with torch.no_grad():
        model.convolutions[0].bias += 1.0
    assert (model(torch.zeros(2, 4, dtype=torch.long)) == 0).all()
    assert torch.allclose(model(word)[0], model(longer)[0], atol=1e-6)


def test_a_filter_sees_its_characters() -> None:
    model = CharacterCNN(8, 2, 1, (3,))
    (convolution,) = model.convolutions
    with torch.no_grad():
        convolution.bias.zero_()
        convolution.weight.copy_(torch.tensor([[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]]))
        model.embedding.weight[:, 0] = torch.arange(8.0)
    found = model(torch.tensor([[1, 4, 2]]))
    assert float(found.detach()) == pytest.approx(max(2 * 1 + 3 * 4, 1 + 2 * 4 + 3 * 2, 4 + 2 * 2))


def test_members_are_averaged_as_one_chain_and_share_the_fixed_vectors() -> None:
    torch.manual_seed(2)
    vectors = torch.randn(4, F)
    model = TagEnsemble([network(F), network(F)], vectors).eval()
    with torch.no_grad():
        for member in model.members:
            for part in member.crf.parameters():
                part.copy_(torch.randn(part.shape))
    x, lengths = sentences()
    scores, crf = model(x, lengths)
    assert scores.shape == (5, 2, 3, K)
    assert crf.transitions.shape == (2, K, K)
    one = model.members[1](x, lengths, vectors[x[..., 2]])
    assert torch.equal(scores[:, 1], one[0])
    mean, chain = averaged(scores, crf)
    assert torch.allclose(mean, (scores[:, 0] + scores[:, 1]) / 2, atol=1e-6)
    assert torch.allclose(chain.start, (model.members[0].crf.start + model.members[1].crf.start) / 2)
    assert all("vectors" not in name for name, _ in model.named_parameters())
    changed = x.clone()
    changed[..., 2] = (x[..., 2] + 1) % 4
    assert not torch.equal(model(changed, lengths)[0], scores)


def test_dropout_acts_in_training_alone() -> None:
    torch.manual_seed(3)
    x, lengths = sentences()
    for name in ("dropout", "input_dropout", "word_dropout"):
        model = network(**{name: 0.5})
        assert not torch.equal(model(x, lengths)[0], model(x, lengths)[0]), name
        model.eval()
        assert torch.equal(model(x, lengths)[0], model(x, lengths)[0])
