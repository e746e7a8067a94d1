"""What holds for the kernel of the error map whatever it computes; its values: tests/recording."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from throughtime.kernels import native
from throughtime.ops import error_rows, native_error_rows
from throughtime.ops.local_factors import LocalFactors

from ..tolerances import check_relative

ROW = "error map against autograd, float64"
SHAPES = [(1, 1, 1), (9, 3, 5), (30, 2, 33), (17, 1, 70)]
BLOCKS = {"rnn": (0, 1), "no output gate": (3, 3), "input alone": (1, 2), "all": (3, 4)}


def factors(T: int, B: int, H: int, blocks: str, **more: object) -> LocalFactors:
    """Of no cell in particular."""
    generator = torch.Generator().manual_seed(T + H)
    cell, n = BLOCKS[blocks]

    def random(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64) * 2 - 1

    return LocalFactors(
        factors=random(T, B, n * H),
        cell_blocks=cell,
        to_c=random(T, B, H) if cell else None,
        keep=random(T, B, H) if cell else None,
        weight_hh=random(n * H, H) * H**-0.5,
        weight_ih=random(n * H, 1),
        blocks=("i", "f", "z")[3 - cell :] + ("o",) * (n - cell) if cell else ("h",),
        **more,
    )


def start_of(f: LocalFactors) -> Tensor:
    T, B = f.factors.shape[:2]
    return torch.rand(T, B, f.hidden_size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def with_threads(count: int, f: LocalFactors, start: Tensor, at: Tensor) -> error_rows.RowNorms:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        return native_error_rows.error_rows(f, start, at)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize(("T", "B", "H"), SHAPES)
def test_against_the_reference(
    T: int, B: int, H: int, blocks: str, reverse: bool, instruction_set: str
) -> None:
    lengths = torch.tensor([(7 * b + T - 2) % (T + 1) for b in range(B)]) if T > 1 else None
    f = factors(T, B, H, blocks, reverse=reverse, lengths=lengths)
    start, at = start_of(f), torch.arange(T // 3, T)
    (expected,) = error_rows.error_rows([f], start, at)
    found = native_error_rows.error_rows(f, start, at)
    for name, value in expected._asdict().items():
        if value is not None:
            check_relative(ROW, name, getattr(found, name), value)


def test_float32(instruction_set: str) -> None:
    f = factors(40, 2, 20, "all")
    single = LocalFactors(**{k: v.float() if isinstance(v, Tensor) else v for k, v in f.__dict__.items()})
    start, at = start_of(f), torch.arange(40)
    (expected,) = error_rows.error_rows([single], start.float(), at)
    found = native_error_rows.error_rows(single, start.float(), at)
    for name in ("y", "c"):
        value, exact = getattr(found, name), getattr(expected, name)
        assert ((value - exact).abs() <= 1e-5 * exact).all(), name


@pytest.mark.parametrize(("B", "T"), [(1, 300), (5, 120)])
def test_threads_change_nothing_but_rounding(B: int, T: int) -> None:
    """A row may lie in another tile, which adds in another order; the same threads give the same bits."""
    f = factors(T, B, 48, "all", lengths=torch.arange(T - B + 1, T + 1))
    start, at = start_of(f), torch.arange(T)
    alone = with_threads(1, f, start, at)
    for count in (2, 3, 7):
        found = with_threads(count, f, start, at)
        again = with_threads(count, f, start, at)
        for name in ("y", "c"):
            value = getattr(found, name)
            assert torch.equal(value, getattr(again, name))
            assert torch.allclose(value, getattr(alone, name), rtol=1e-11, atol=0), name


def test_denormals_are_as_they_were() -> None:
    tiny = torch.tensor(5e-324, dtype=torch.float64)
    f = factors(400, 1, 9, "all")
    with_threads(2, f, start_of(f), torch.arange(400))
    assert (tiny * 1).item() > 0


BAD = [
    (0, lambda v: v[..., :-1], "factors has shape"),
    (1, lambda v: None, "cell_blocks=3 does not fit"),
    (2, lambda v: None, "keep is missing"),
    (3, lambda v: v[0], r"start must be \(T, B, H\)"),
    (3, lambda v: v.float(), "factors has dtype torch.float64, expected torch.float32"),
    (4, lambda v: v[:-1], "1 to 4 blocks"),
    (4, lambda v: v[0], "weight_hh must be a matrix"),
    (5, lambda v: torch.tensor([2, 1]), "at must rise"),
    (5, lambda v: torch.tensor([1, 1]), "at must rise"),
    (5, lambda v: torch.tensor([-1, 0]), "lie in 0 to T-1"),
    (5, lambda v: torch.tensor([4]), "lie in 0 to T-1"),
    (5, lambda v: v[:0], "at least one time step"),
    (6, lambda v: torch.tensor([1, 2, 3]), "lengths has shape"),
]


@pytest.mark.parametrize(("place", "change", "message"), BAD, ids=[f"{b[0]}-{b[2]}" for b in BAD])
def test_bad_arguments_are_refused(place: int, change: object, message: str) -> None:
    f = factors(4, 2, 5, "all")
    inputs = [f.factors, f.to_c, f.keep, start_of(f), f.weight_hh, torch.arange(4), None]
    inputs[place] = change(inputs[place])
    outputs = (torch.empty(2, 4, 4, dtype=torch.float64), torch.empty(2, 4, 4, dtype=torch.float64))
    with pytest.raises((ValueError, TypeError), match=message):
        native.module().error_map(0, 1, 3, False, tuple(inputs), outputs)


def test_cell_blocks_must_fit() -> None:
    f = factors(4, 2, 5, "all")
    inputs = (f.factors, f.to_c, f.keep, start_of(f), f.weight_hh, torch.arange(4), None)
    outputs = (torch.empty(2, 4, 4, dtype=torch.float64), torch.empty(2, 4, 4, dtype=torch.float64))
    for wrong in (-1, 0, 2, 5):
        with pytest.raises(ValueError, match=f"cell_blocks={wrong} does not fit"):
            native.module().error_map(0, 1, wrong, False, inputs, outputs)
