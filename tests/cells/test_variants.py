from __future__ import annotations

import pytest

from throughtime.cells import Variant

from ..sequences import COMBINATIONS, VARIANTS


@pytest.mark.parametrize("name", VARIANTS + COMBINATIONS)
def test_names_survive_a_round_trip(name: str) -> None:
    assert Variant.parse(name).name == name
    assert Variant.parse(name.lower()) == Variant.parse(name)


def test_order_and_spaces_do_not_matter() -> None:
    assert Variant.parse("fgr + cifg") == Variant.parse("CIFG+FGR")


def test_vanilla_has_all_and_each_name_changes_one_thing() -> None:
    vanilla = Variant()
    assert (vanilla.blocks, vanilla.gates) == (("i", "f", "z", "o"), ("i", "f", "o"))
    for name in VARIANTS[1:]:
        variant = Variant.parse(name)
        changed = [key for key in vars(vanilla) if getattr(variant, key) != getattr(vanilla, key)]
        assert len(changed) == 1, name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "GRU",
            "variant='GRU': 'GRU' is unknown; available: vanilla, NIG, NFG, NOG, NIAF, NOAF, CIFG, NP, FGR",
        ),
        ("", "'' is unknown; available: vanilla"),
        ("CIFG+", "'' is unknown"),
        ("CIFG+NFG", "CIFG couples f to i, so it goes with neither NFG nor NIG; available: vanilla"),
        ("NIG+CIFG", "goes with neither NFG nor NIG"),
        ("NIG+nig", "names a change twice; available: vanilla"),
        ("vanilla+NIG", "vanilla is the LSTM without a change, leave it out; available: vanilla"),
        ("NIG+NFG+NOG+FGR", "FGR without any gate has nothing to connect.* Available: vanilla"),
    ],
)
def test_unknown_and_contradictory_names_list_the_names(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Variant.parse(name)


def test_contradictory_data() -> None:
    with pytest.raises(ValueError, match="CIFG and NIG contradict each other"):
        Variant(input_gate=False, forget_gate="coupled")
    with pytest.raises(ValueError, match="forget_gate='off', expected 'own', 'coupled' or 'none'"):
        Variant(forget_gate="off")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="input_activation='relu', expected 'tanh' or 'identity'"):
        Variant(input_activation="relu")  # type: ignore[arg-type]
