"""The Triton kernel on the CPU, in Triton's interpreter."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest
import torch


def triton_plan() -> Any:
    """The module ``capture.triton_plan``, its kernels interpreted; skips where that cannot be.

    To be called while tests are collected: Triton decides as it is imported.
    """
    with mock.patch.dict(os.environ, TRITON_INTERPRET="1"):
        triton = pytest.importorskip("triton", reason="triton is not installed (extra: gpu)")
        from auditor_agent.capture import triton_kernel, triton_plan

        interpreted = (
            type(triton.language.sum).__name__ == type(triton_kernel.partial).__name__ == "InterpretedFunction"
        )
        if interpreted:
            words(triton_plan, [torch.ones(1)])  # the first launch imports more of Triton
    if not interpreted:
        pytest.skip("triton was imported before, to compile", allow_module_level=True)
    return triton_plan


def words(module: Any, tensors: Sequence[torch.Tensor], *, block: int = 128, rounds: int = 4) -> torch.Tensor:
    """The words of CPU tensors; tasks are small, as the interpreter takes its time for each."""
    plan = module.Plan(
        [t.numel() for t in tensors], [t.dtype for t in tensors], torch.device("cpu"), block=block, rounds=rounds
    )
    return plan.launch(plan.table([t.data_ptr() for t in tensors]))  # type: ignore[no-any-return]
