"""Every Triton kernel becomes machine code for NVIDIA GPUs, also on a machine without one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from throughtime.kernels import triton as kernels

SCRIPT = """
import sys
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from throughtime.kernels.triton import lstm_resident, rnn_resident, steps
from throughtime.kernels.triton.choose import VALUES, variant_flags, warps
from throughtime.cells import Variant
import torch

SCALARS = ("t", "T", "B", "H")
WIDE = {"d_peephole": "*fp32", "lengths": "*i64", "carried": "*fp32", "e_c": "*fp32"}


def build(kernel, dtype, H, variant, capability, **more):
    flags = {**variant_flags(Variant.parse(variant)), "FGR": "FGR" in variant, "NONLINEARITY": 0,
             "LENGTHS": True, "REVERSE": False, "RECORD": False, "BLOCK_B": 16, "BLOCK_H": H, "BLOCK": VALUES,
             "STATE": tl.float32, "PRECISION": "tf32x3" if dtype == "fp32" else "ieee",
             "FAST": dtype == "bf16", **more}
    signature, constants, aligned = {}, {}, {}
    for k, p in enumerate(kernel.params):
        if p.is_constexpr:
            signature[p.name], constants[(k,)] = "constexpr", flags[p.name]
        elif p.name in SCALARS or p.name.endswith("_of_network"):
            signature[p.name] = "i32"
        else:
            signature[p.name], aligned[(k,)] = WIDE.get(p.name, "*" + dtype), [["tt.divisibility", 16]]
    like = torch.float32 if dtype == "fp32" else torch.bfloat16
    options = {"enable_fp_fusion": True, "num_warps": warps(H, like)}
    target = GPUTarget("cuda", capability, 32)
    made = compile(ASTSource(kernel, signature, constants, aligned), target=target, options=options)
    assert made.asm["cubin"]
    return made.asm["ptx"]


both = (lstm_resident.lstm_forward, lstm_resident.lstm_backward)
for kernel in (*both, rnn_resident.rnn_forward, rnn_resident.rnn_backward):
    assert "mma.sync" in build(kernel, "bf16", 64, "vanilla", 80), kernel
for kernel in both:
    assert "mma.sync" in build(kernel, "fp32", 32, "vanilla", 80), kernel
    assert "mma.sync" in build(kernel, "bf16", 64, "vanilla", 90), kernel
build(lstm_resident.lstm_backward, "bf16", 32, "CIFG", 80, RECORD=True, REVERSE=True)
build(lstm_resident.lstm_forward, "bf16", 32, "NIG+NFG+NOG", 80, RECORD=True, REVERSE=True)
build(steps.lstm_step, "bf16", 64, "FGR", 80, RECORD=True)
build(steps.lstm_step_back, "fp32", 64, "FGR", 80, RECORD=True)
build(steps.rnn_step, "fp32", 64, "vanilla", 80)
build(steps.rnn_step_back, "bf16", 64, "vanilla", 80)
print("compiled")
"""


@pytest.mark.skipif(not kernels.version(), reason="triton is not installed")
def test_every_kernel_compiles_for_nvidia_gpus() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == "compiled", run.stderr[-4000:]
