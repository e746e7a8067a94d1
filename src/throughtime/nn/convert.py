"""Modules of torch.nn turned into ours and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from throughtime.cells import Variant
from throughtime.nn.lstm import LSTM
from throughtime.nn.recurrent import Recurrent
from throughtime.nn.rnn import RNN
from throughtime.nn.torch_names import counterparts

_SHARED = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional")


def from_torch(module: nn.Module, *, backend: str = "auto") -> LSTM | RNN:
    """A copy of a torch.nn.LSTM or torch.nn.RNN as a module of this library.

    The two biases become one, their sum. Parameters keep dtype, device and requires_grad, the module
    keeps dropout, batch_first and whether it is in training mode.

    Args:
        module: A torch.nn.LSTM or torch.nn.RNN.
        backend: As for `LSTM` and `RNN`.

    Raises:
        TypeError: module is of another class.
        ValueError: module has a part that cannot be expressed here.
    """
    if isinstance(module, nn.LSTM):
        if module.proj_size:
            raise ValueError(
                f"from_torch: proj_size={module.proj_size} cannot be expressed; throughtime.LSTM has no "
                "projection of its output."
            )
        kind: dict[str, Any] = {}
        made: type[LSTM] | type[RNN] = LSTM
    elif isinstance(module, nn.RNN):
        kind, made = {"nonlinearity": module.nonlinearity}, RNN
    else:
        raise TypeError(
            f"from_torch: {type(module).__name__} cannot be expressed; expected torch.nn.LSTM or "
            "torch.nn.RNN."
        )
    _refuse_parametrized("from_torch", module)
    like: Tensor = module.weight_hh_l0  # type: ignore[assignment]
    copy = made(
        **{name: getattr(module, name) for name in _SHARED},
        **kind,
        backend=backend,
        device=like.device,
        dtype=like.dtype,
    )
    copy.load_state_dict(module.state_dict())
    for suffix, ours in counterparts(module.num_layers, module.bidirectional):
        for name in ("weight_ih", "weight_hh"):
            wanted = getattr(module, f"{name}_{suffix}").requires_grad
            copy.get_parameter(ours + name).requires_grad_(wanted)
        if module.bias:
            biases = (getattr(module, f"bias_{part}_{suffix}") for part in ("ih", "hh"))
            copy.get_parameter(ours + "bias").requires_grad_(any(bias.requires_grad for bias in biases))
    copy.dropout = float(module.dropout)
    return copy.train(module.training)


def to_torch(module: LSTM | RNN) -> nn.LSTM | nn.RNN:
    """A copy of a module of this library as a torch.nn.LSTM or torch.nn.RNN.

    The bias goes into torch's bias_ih; bias_hh is zero. The rest is kept as in `from_torch`.

    Raises:
        TypeError: module is no `LSTM` or `RNN`.
        ValueError: module has a part that torch.nn cannot express: peepholes, a variant, a nonlinearity,
            layer normalisation, zoneout, recurrent or variational dropout, directions merged.
    """
    if isinstance(module, LSTM):
        _refuse_variant(module.variant)
        kind: dict[str, Any] = {}
        made: type[nn.LSTM] | type[nn.RNN] = nn.LSTM
    elif isinstance(module, RNN):
        if module.nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"to_torch: nonlinearity={module.nonlinearity!r} cannot be expressed; torch.nn.RNN has tanh "
                "and relu."
            )
        kind, made = {"nonlinearity": module.nonlinearity}, nn.RNN
    else:
        raise TypeError(
            f"to_torch: {type(module).__name__} cannot be expressed; expected throughtime.LSTM or "
            "throughtime.RNN."
        )
    _refuse_own_parts(module)
    _refuse_parametrized("to_torch", module)
    like = module.layers[0].weight_hh
    copy = made(
        **{name: getattr(module, name) for name in _SHARED}, **kind, device=like.device, dtype=like.dtype
    )
    _fill(copy, module)
    copy.dropout = module.dropout
    return copy.train(module.training)


@torch.no_grad()
def _fill(copy: nn.LSTM | nn.RNN, module: Recurrent) -> None:
    for suffix, ours in counterparts(module.num_layers, module.bidirectional):
        pairs = {"weight_ih": "weight_ih", "weight_hh": "weight_hh"}
        if module.bias:
            pairs["bias_ih"] = "bias"
            getattr(copy, f"bias_hh_{suffix}").zero_().requires_grad_(
                module.get_parameter(ours + "bias").requires_grad
            )
        for theirs, name in pairs.items():
            source = module.get_parameter(ours + name)
            getattr(copy, f"{theirs}_{suffix}").copy_(source).requires_grad_(source.requires_grad)


def _refuse_variant(variant: Variant) -> None:
    if variant.peepholes:
        raise ValueError("to_torch: peepholes cannot be expressed; torch.nn.LSTM has none.")
    changes = [name for name in variant.name.split("+") if name != "NP"]
    if changes:
        raise ValueError(
            f"to_torch: variant {'+'.join(changes)} cannot be expressed; torch.nn.LSTM is NP, vanilla "
            "without peepholes."
        )


def _refuse_own_parts(module: Recurrent) -> None:
    names = module.regularisation.names()
    if module.merge != "concat":
        names.append(f"merge={module.merge!r}")
    if module.variational_dropout:
        names.append("variational dropout")
    if names:
        raise ValueError(f"to_torch: {', '.join(names)} cannot be expressed; torch.nn has none of it.")


def _refuse_parametrized(who: str, module: nn.Module) -> None:
    for name, part in module.named_modules():
        if parametrize.is_parametrized(part):
            where = f" of {name}" if name else ""
            raise ValueError(
                f"{who}: a parametrization{where} cannot be expressed; remove it first with "
                "torch.nn.utils.parametrize.remove_parametrizations."
            )
