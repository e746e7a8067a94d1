"""The LSTM cell: its backward for every variant, and what each variant means."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import layer_norm

from throughtime.cells import LSTMCell, Values, Variant
from throughtime.testing import SHAPES, Shape, check_cell, make_case

from ..sequences import COMBINATIONS, VARIANTS

B, I, H = 3, 2, 4  # noqa: E741


@pytest.mark.parametrize("name", VARIANTS + COMBINATIONS)
def test_step_backward_is_the_gradient(name: str) -> None:
    assert check_cell(LSTMCell(Variant.parse(name))).compared > 100


def test_step_backward_without_bias() -> None:
    check_cell(LSTMCell(bias=False), shapes=[Shape(7, 3, 5, 4)])


@pytest.mark.parametrize("name", VARIANTS + COMBINATIONS)
def test_step_backward_with_layer_norm(name: str) -> None:
    """A row of one value alone normalises to zero, so that its error is nothing but rounding: H from 3 on."""
    check_cell(LSTMCell(Variant.parse(name), layer_norm=True), shapes=SHAPES[1:])
    check_cell(LSTMCell(Variant.parse(name), False, layer_norm=True), shapes=SHAPES[2:3])


def test_layer_norm_is_the_equations() -> None:
    cell = LSTMCell(layer_norm=True)
    case = make_case(cell, Shape(1, B, H, I))
    x, s, p = case.x[0], case.initial, case.parameters
    values = cell.step(x, s, p)
    from_input = layer_norm(x @ p["weight_ih"].T, [4 * H], p["gain_ih"], p["bias"])
    bars = (from_input + layer_norm(s["y"] @ p["weight_hh"].T, [4 * H], p["gain_hh"])).chunk(4, -1)
    i_bar, f_bar, z_bar, o_bar = bars
    torch.testing.assert_close(values["z_bar"], z_bar, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(values["i_bar"], i_bar + p["peephole"][0] * s["c"], rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(values["f_bar"], f_bar + p["peephole"][1] * s["c"], rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(
        values["o_bar"], o_bar + p["peephole"][2] * values["c"], rtol=1e-12, atol=1e-14
    )
    seen = layer_norm(values["c"], [H], p["gain_c"], p["bias_c"])
    torch.testing.assert_close(values["y"], values["o"] * torch.tanh(seen), rtol=1e-12, atol=1e-14)
    assert cell.name == "LSTM vanilla with layer norm"


def one_step(name: str) -> tuple[LSTMCell, torch.Tensor, Values, Values, Values]:
    cell = LSTMCell(Variant.parse(name))
    case = make_case(cell, Shape(1, B, H, I))
    values = cell.step(case.x[0], case.initial, case.parameters)
    return cell, case.x[0], case.initial, case.parameters, values


def block(cell: LSTMCell, p: Values, name: str, letter: str) -> torch.Tensor:
    return p[name].chunk(len(cell.variant.blocks))[cell.variant.blocks.index(letter)]


def projected(letter: str, name: str = "vanilla") -> tuple[torch.Tensor, Values, Values, Values]:
    """W x + R y(t-1) + b of one block, written out."""
    cell, x, state, p, values = one_step(name)
    a = x @ block(cell, p, "weight_ih", letter).T + state["y"] @ block(cell, p, "weight_hh", letter).T
    return a + block(cell, p, "bias", letter), state, p, values


def test_vanilla_is_the_equations() -> None:
    (z_bar, s, p, v), (i_bar, *_), (f_bar, *_), (o_bar, *_) = (projected(letter) for letter in "zifo")
    p_i, p_f, p_o = p["peephole"]
    z = torch.tanh(z_bar)
    i = torch.sigmoid(i_bar + p_i * s["c"])
    f = torch.sigmoid(f_bar + p_f * s["c"])
    c = z * i + s["c"] * f
    o = torch.sigmoid(o_bar + p_o * c)
    for name, expected in {"z": z, "i": i, "f": f, "c": c, "o": o, "y": o * torch.tanh(c)}.items():
        torch.testing.assert_close(v[name], expected, rtol=1e-14, atol=1e-14)


def test_output_peephole_reads_the_new_cell_and_the_others_the_old() -> None:
    cell, x, state, p, values = one_step("vanilla")
    before, after = state["c"], values["c"]
    for gate, row, seen in (("i", 0, before), ("f", 1, before), ("o", 2, after)):
        without = {**p, "peephole": p["peephole"].detach().clone()}
        without["peephole"][row] = 0
        changed = cell.step(x, state, without)
        if gate == "o":
            torch.testing.assert_close(changed["c"], after)
        difference = values[f"{gate}_bar"] - changed[f"{gate}_bar"]
        torch.testing.assert_close(difference, p["peephole"][row] * seen, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "gate"), [("NIG", "i"), ("NFG", "f"), ("NOG", "o")], ids=["NIG", "NFG", "NOG"]
)
def test_a_gate_taken_away_is_one_and_has_no_parameters(name: str, gate: str) -> None:
    cell, _, _, _, values = one_step(name)
    assert torch.equal(values[gate], torch.ones(B, H, dtype=torch.float64))
    assert f"{gate}_bar" not in values
    assert cell.shapes(I, H) == {
        "weight_ih": (3 * H, I),
        "weight_hh": (3 * H, H),
        "bias": (3 * H,),
        "peephole": (2, H),
    }
    assert gate not in cell.variant.blocks
    assert gate not in cell.variant.gates


def test_nfg_adds_the_old_cell_unscaled() -> None:
    _, _, state, _, v = one_step("NFG")
    torch.testing.assert_close(v["c"], v["z"] * v["i"] + state["c"], rtol=0, atol=1e-15)


def test_cifg_couples_the_gates_and_drops_the_forget_parameters() -> None:
    cell, _, state, _, v = one_step("CIFG")
    torch.testing.assert_close(v["f"], 1 - v["i"], rtol=0, atol=0)
    torch.testing.assert_close(v["c"], v["z"] * v["i"] + state["c"] * (1 - v["i"]), rtol=0, atol=1e-15)
    assert cell.variant.blocks == ("i", "z", "o")
    assert cell.shapes(I, H)["peephole"] == (2, H)


def test_niaf_and_noaf_leave_the_activations_out() -> None:
    *_, v = one_step("NIAF")
    assert torch.equal(v["z"], v["z_bar"])
    *_, v = one_step("NOAF")
    assert torch.equal(v["y"], v["o"] * v["c"])


def test_np_has_no_peepholes() -> None:
    cell, _, _, _, values = one_step("NP")
    assert "peephole" not in cell.shapes(I, H)
    for letter in "ifo":
        expected, *_ = projected(letter, "NP")
        torch.testing.assert_close(values[f"{letter}_bar"], expected, rtol=0, atol=1e-15)


def test_fgr_adds_nine_matrices_that_read_gate_outputs() -> None:
    cell, _, state, p, values = one_step("FGR")
    assert cell.shapes(I, H)["weight_gates"] == (3 * H, 3 * H)
    assert cell.state == ("y", "c", "i", "f", "o")
    rows = p["weight_gates"].split(H)
    for row, (gate, seen) in enumerate((("i", state["c"]), ("f", state["c"]), ("o", values["c"]))):
        recurrent = torch.zeros(B, H, dtype=torch.float64)
        for column, source in enumerate("ifo"):
            recurrent = recurrent + state[source] @ rows[row][:, column * H : (column + 1) * H].T
        expected = projected(gate, "FGR")[0] + p["peephole"][row] * seen + recurrent
        torch.testing.assert_close(values[f"{gate}_bar"], expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "gates"),
    [
        ("NIG+FGR", ("f", "o")),
        ("NFG+FGR", ("i", "o")),
        ("NOG+FGR", ("i", "f")),
        ("CIFG+FGR", ("i", "o")),
        ("NIG+NFG+FGR", ("o",)),
    ],
)
def test_fgr_connects_own_gates_only(name: str, gates: tuple[str, ...]) -> None:
    cell = LSTMCell(Variant.parse(name))
    assert cell.state == ("y", "c", *gates)
    assert cell.shapes(I, H)["weight_gates"] == (len(gates) * H, len(gates) * H)


def test_wrong_shapes_name_the_culprit() -> None:
    cell, x, state, p, _ = one_step("vanilla")
    with pytest.raises(ValueError, match=r"LSTM vanilla: x has last dimension 5, expected 2 as in weight_ih"):
        cell.step(torch.zeros(B, 5), state, p)
    with pytest.raises(ValueError, match=r"c has last dimension 1, expected 4"):
        cell.step(x, {**state, "c": torch.zeros(B, 1)}, p)
    with pytest.raises(ValueError, match=r"weight_ih has shape \(15, 2\), expected \(16, 2\)"):
        cell.step(x, state, {**p, "weight_ih": torch.zeros(15, 2)})
    with pytest.raises(ValueError, match=r"parameter 'peephole' is missing"):
        cell.step(x, state, {name: value for name, value in p.items() if name != "peephole"})
