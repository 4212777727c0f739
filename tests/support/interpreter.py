"""The Triton kernel on the CPU, in Triton's interpreter. Only for tests/interpreted."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from auditor_agent.capture.triton_plan import Plan
from auditor_agent.histogram import BINS


def words(tensors: Sequence[torch.Tensor], *, block: int = 128, rounds: int = 4) -> torch.Tensor:
    """The words of CPU tensors; tasks are small, as the interpreter takes its time for each."""
    plan = Plan(
        [t.numel() for t in tensors], [t.dtype for t in tensors], torch.device("cpu"), block=block, rounds=rounds
    )
    return plan.launch(plan.table([t.data_ptr() for t in tensors]))


def histograms(tensors: Sequence[torch.Tensor], *, block: int = 128, rounds: int = 4) -> torch.Tensor:
    """The histograms of CPU tensors, R x 64 counters."""
    plan = Plan(
        [t.numel() for t in tensors], [t.dtype for t in tensors], torch.device("cpu"), block=block, rounds=rounds
    )
    counters = torch.zeros((len(tensors), BINS), dtype=torch.int32)
    plan.launch(plan.table([t.data_ptr() for t in tensors]), counters)
    return counters
