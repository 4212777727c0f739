"""The histograms of a step in the making: read beside its statistics, joined, handed on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from auditor_agent.capture import kernels
from auditor_agent.capture.portable_histogram import shifted
from auditor_agent.capture.transfer import Step
from auditor_agent.histogram import BINS
from auditor_agent.integrations.torch.row import Open
from auditor_agent.run import Run


def count(row: Open, ids: Sequence[int], tensors: Sequence[Tensor]) -> Tensor | bytes:
    """The words of ``tensors``; their histograms go into ``row``."""
    words, histograms = kernels.with_histograms(tensors)
    row.histograms.append(histograms)
    row.counted += ids
    return words


def unscale(row: Open, factor: Tensor) -> None:
    """Make the last histograms of ``row`` those of the tensors times ``factor``."""
    if row.histograms:
        row.histograms[-1] = shifted(_matrix(row.histograms[-1]), factor)


def counted(step: Step, row: Open, run: Run) -> Step:
    """``step`` with the histograms of ``row``."""
    if row.histograms:
        step.histograms, step.counted = _joined(row.histograms), run.layout(row.counted)
    return step


def _joined(matrices: Sequence[Tensor | bytes]) -> Tensor | bytes:
    """As one, on the first one's device."""
    if len(matrices) == 1:
        return matrices[0]
    tensors = [_matrix(each) for each in matrices]
    return torch.cat([each.to(tensors[0].device, non_blocking=True) for each in tensors])


def _matrix(histograms: Tensor | bytes) -> Tensor:
    """Histograms as an int32 matrix of shape (R, 64)."""
    if isinstance(histograms, bytes):
        return torch.frombuffer(bytearray(histograms), dtype=torch.int32).view(-1, BINS)
    return histograms
