"""Each step is drawn from the network's answer to all the steps before it."""

from __future__ import annotations

import pytest
import torch

from throughtime.data.rolls import Step, to_bits
from throughtime.nn import LSTM
from throughtime.nn.music_network import MusicNetwork
from throughtime.tasks.music_composing import compose
from throughtime.tasks.music_network import note_logits

NOTES, LOWEST = 12, 60
PROMPT = ((60, 65), (), (71,), (62, 63, 64))


@pytest.fixture
def network() -> MusicNetwork:
    """Untrained, its weights so large that one note heard changes much."""
    torch.manual_seed(7)
    made = MusicNetwork(LSTM(NOTES, 16), torch.full((NOTES,), 0.5))
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if weight.dim() == 2:
                weight.mul_(12 if name == "head.weight" else 6)
    return made.eval()


def answers(network: MusicNetwork, steps: list[Step]) -> torch.Tensor:
    """Probability of each note of each step, given the steps before: (T, N)."""
    return note_logits(network, [to_bits(steps, LOWEST, LOWEST + NOTES - 1)])[0].sigmoid()


@pytest.mark.parametrize("prompt", [(), PROMPT])
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_a_step_is_what_the_network_held_likely(
    network: MusicNetwork, prompt: tuple[Step, ...], temperature: float
) -> None:
    """With a threshold nothing is drawn; a temperature moves no chance across 50 %."""
    wanted = {"lowest": LOWEST, "prompt": prompt, "threshold": 0.5, "temperature": temperature}
    made = list(compose(network, 12, **wanted))
    assert len(set(made)) > 3, "else this would show little"
    likely = answers(network, [*prompt, *made])[len(prompt) :] >= 0.5
    assert made == [tuple(LOWEST + int(n) for n in row.nonzero()) for row in likely]


def test_a_temperature_divides_the_logits(network: MusicNetwork) -> None:
    """The likeliest note alone reaches its own chance; surer by a temperature, others do."""
    logits = torch.logit(answers(network, [*PROMPT, ()])[-1])
    threshold = logits.max().sigmoid().item() - 1e-6
    wanted = {"lowest": LOWEST, "prompt": PROMPT, "threshold": threshold}
    found = [next(compose(network, 1, **wanted, temperature=heat)) for heat in (1.0, 0.25, 2.0)]
    assert found[0] == (LOWEST + int(logits.argmax()),)
    assert found[1] == tuple(LOWEST + int(n) for n in (4 * logits.double()).sigmoid().ge(threshold).nonzero())
    assert len(found[1]) > 1
    assert found[2] == ()


def test_at_most_so_many_are_the_likeliest(network: MusicNetwork) -> None:
    (step,) = compose(network, 1, lowest=LOWEST, prompt=PROMPT, threshold=1e-6, most=3)
    likeliest = answers(network, [*PROMPT, ()])[-1].topk(3).indices
    assert step == tuple(sorted(LOWEST + int(n) for n in likeliest))


def test_notes_are_drawn_as_often_as_they_are_likely(network: MusicNetwork) -> None:
    drawn = torch.zeros(NOTES)
    for seed in range(600):
        (step,) = compose(network, 1, lowest=LOWEST, prompt=PROMPT, seed=seed)
        drawn += to_bits([step], LOWEST, LOWEST + NOTES - 1)[0]
    chances = answers(network, [*PROMPT, ()])[-1]
    assert (drawn / 600 - chances).abs().max() < 4 * 0.5 / 600**0.5
