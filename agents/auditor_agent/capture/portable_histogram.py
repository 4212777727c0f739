"""Histograms of magnitudes in plain PyTorch operations: any device, any floating dtype, never waiting.

The bin is read off the exponent bits, as the other kernels do: see ``auditor_agent.histogram``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from auditor_agent.capture.portable import plain
from auditor_agent.histogram import BINS, FIRST_EXPONENT, MOST

#: Elements taken at once: bounds the int64 copies to a few tens of MiB.
_CHUNK: Final = 1 << 21


@torch.no_grad()
def histograms(tensors: Sequence[Tensor]) -> Tensor:
    """The counters of ``tensors``: int32 (uint32's bits) of shape (R, 64), on the first one's device."""
    if not tensors:
        return torch.empty((0, BINS), dtype=torch.int32, device="cpu")
    device = tensors[0].device
    return torch.stack([_packed(_counted(plain(tensor))).to(device, non_blocking=True) for tensor in tensors])


@torch.no_grad()
def shifted(matrix: Tensor, factor: Tensor) -> Tensor:
    """``matrix`` as if the tensors were times ``factor``, rounded to a power of two. Never waits.

    For gradients that still carry a GradScaler's scale. The first and the last bin stay where they
    are: they hold zeros and infinities, which no factor moves.
    """
    factor = factor.to(matrix.device, torch.float64).reshape(())
    octaves = torch.nan_to_num(factor.log2().round(), 0.0, 0.0, 0.0).long()
    bins = torch.arange(BINS, device=matrix.device)
    to = torch.where((bins == 0) | (bins == BINS - 1), bins, (bins + octaves).clamp(0, BINS - 1))
    wide = matrix.long() & MOST
    return _packed(torch.zeros_like(wide).scatter_add_(1, to.expand_as(wide), wide))


def _counted(tensor: Tensor) -> Tensor:
    """Occurrences of each bin, int64 of shape (64,)."""
    total = torch.zeros(BINS + 1, dtype=torch.int64, device=tensor.device)
    for chunk in torch.split(tensor.reshape(-1), _CHUNK):
        bins = _bins(chunk)
        # scatter_add_ and not bincount, which waits for the device to learn how many bins there are.
        total += torch.bincount(bins, minlength=BINS + 1) if chunk.is_cpu else _scattered(bins)
    return total[:BINS]


def _scattered(bins: Tensor) -> Tensor:
    zeros = torch.zeros(BINS + 1, dtype=torch.int64, device=bins.device)
    return zeros.scatter_add_(0, bins, torch.ones_like(bins))


def _bins(chunk: Tensor) -> Tensor:
    """The bin of each element, int64; one beyond the last for NaN."""
    if chunk.dtype is torch.float64:
        exponent = (chunk.view(torch.int64) >> 52 & 0x7FF) - (1023 + FIRST_EXPONENT)
    else:
        exponent = (chunk.float().view(torch.int32) >> 23 & 0xFF).long() - (127 + FIRST_EXPONENT)
    return exponent.clamp_(0, BINS - 1).masked_fill_(chunk.isnan(), BINS)


def _packed(counts: Tensor) -> Tensor:
    """Counts as the bits of saturating uint32."""
    return counts.clamp(max=MOST).to(torch.int32)  # keeps the low 32 bits
