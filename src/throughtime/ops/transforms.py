"""What the ops do not do, refused before it could go wrong unseen."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

_KINDS = (Tensor, torch.nn.Parameter)


def in_forward_mode() -> bool:
    """Whether some tensor may carry a tangent."""
    return forward_ad._current_level >= 0


def refuse_forward_mode(who: str, *tensors: Tensor | None) -> None:
    """Refuse tensors that carry a tangent: a custom op would drop it and give a derivative of zero.

    Raises:
        NotImplementedError: one of the tensors is being differentiated in forward mode.
    """
    if torch.compiler.is_compiling() or not in_forward_mode():
        return
    for tensor in tensors:
        if tensor is None:
            continue
        if forward_ad.unpack_dual(tensor).tangent is not None:  # type: ignore[no-untyped-call]
            raise NotImplementedError(
                f"{who}: forward-mode derivatives (torch.func.jvp, torch.autograd.forward_ad) are not there; "
                "use reverse mode, torch.autograd.grad, once or twice (create_graph=True)."
            )


def only_autograd_looks_on(tensors: tuple[Tensor | None, ...]) -> bool:
    """Whether nothing but autograd looks on."""
    return (
        all(tensor is None or type(tensor) in _KINDS for tensor in tensors)
        and not torch.compiler.is_compiling()
        and torch._C._len_torch_dispatch_stack() == 0
        and torch._C._len_torch_function_stack() == 0
        and torch._C._functorch.peek_interpreter_stack() is None
        and torch._C._get_tracing_state() is None
    )
