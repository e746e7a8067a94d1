from __future__ import annotations

from dataclasses import replace

import torch

from throughtime.kernels import native, triton
from throughtime.ops.doctor import diagnose


def test_a_diagnosis_says_what_computes_here() -> None:
    found = diagnose(seconds=0.0)
    assert found.torch == torch.__version__
    assert found.threads == torch.get_num_threads()
    assert found.chosen in found.backends
    assert found.thread_pool == native.thread_pool()
    assert found.instruction_set == native.instruction_set()
    assert found.ratio == found.torch_milliseconds / found.milliseconds > 0
    assert bool(found.advice()) == (not native.is_available())
    assert found.triton == triton.version()
    assert found.why_no_triton == triton.why_not()
    assert bool(found.gpu) == torch.cuda.is_available()
    assert "C++20 compiler" in replace(found, why_no_kernels="No module named x").advice()
