"""Reading the state_dict of a torch.nn.LSTM or torch.nn.RNN.

    weight_ih_l0            layer0.weight_ih
    weight_hh_l1_reverse    layer1.reverse.weight_hh
    bias_ih_l0 + bias_hh_l0 layer0.bias

A key that has no counterpart here is left alone, so that load_state_dict reports it under its own name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from throughtime.nn.recurrent import Recurrent


def counterparts(num_layers: int, bidirectional: bool) -> Iterator[tuple[str, str]]:
    """Pairs (suffix of torch's names, prefix of ours), as ("l1_reverse", "layer1.reverse.")."""
    for number in range(num_layers):
        yield f"l{number}", f"layer{number}."
        if bidirectional:
            yield f"l{number}_reverse", f"layer{number}.reverse."


def rename_torch_keys(module: Recurrent, state_dict: dict[str, Any], prefix: str, *unused: object) -> None:
    """Give torch's keys the names of this library, in place; a hook before load_state_dict."""
    for suffix, ours in counterparts(module.num_layers, module.bidirectional):
        for name in ("weight_ih", "weight_hh"):
            key = f"{prefix}{name}_{suffix}"
            if key in state_dict:
                state_dict[f"{prefix}{ours}{name}"] = state_dict.pop(key)
        biases = [f"{prefix}bias_{kind}_{suffix}" for kind in ("ih", "hh")]
        if module.bias and all(key in state_dict for key in biases):
            first, second = (state_dict[key] for key in biases)
            if first.shape == second.shape:
                state_dict[f"{prefix}{ours}bias"] = first + second
                for key in biases:
                    del state_dict[key]
