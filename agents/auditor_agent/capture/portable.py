"""The twelve statistics in plain PyTorch operations: any device, any floating dtype.

Two ways to the same numbers. On a CPU, :func:`_quick` takes five reductions per tensor in the
tensor's own precision and looks at the outcome; the few tensors for which that is not good enough
(something non-finite, squares that under- or overflow, a spread that drowns in the mean) are done
again by :func:`_exact`, in float64. On a device, where looking means waiting, everything goes
through :func:`_exact`, which never branches on a value.

:func:`kernel` is the seam: another implementation takes tensors and gives the same bytes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from auditor_agent.statistics import COUNTS, WORDS

#: Largest finite float32: where a moment saturates.
_HUGE: Final = torch.finfo(torch.float32).max
_LARGEST: Final = torch.finfo(torch.float64).max
#: Where a count saturates.
_MOST: Final = 2**32 - 1
#: Squares of float32 values below this begin to lose bits to underflow.
_TINY: Final = 1e-14
#: If the mean explains more than this part of the mean square, ``sumsq / n - mean**2`` has lost
#: more than a decimal digit to cancellation.
_CANCELLING: Final = 0.9
#: Elements that ``_exact`` takes at once: bounds its float64 copies to a few tens of MiB.
_CHUNK: Final = 1 << 21
_QUICK: Final = frozenset({torch.float32, torch.float64, torch.bfloat16, torch.float16})


def kernel(tensors: Sequence[Tensor]) -> bytes:
    """The statistics of ``tensors`` as the 12 x R little-endian words of a step.

    Waits for the device, if the tensors are on one; :func:`words` does not.
    """
    return to_bytes(words(tensors))


@torch.no_grad()
def words(tensors: Sequence[Tensor]) -> Tensor:
    """The statistics of ``tensors`` as an int32 matrix of shape (12, R), on the first one's device.

    Every tensor counts once: sparse tensors by their coalesced values (what is not stored is not
    counted), distributed tensors by the shard that this process holds. Nothing is written to the
    tensors, no random state is touched, no collective started.
    """
    local = [plain(tensor) for tensor in tensors]
    if not local:
        return torch.empty((WORDS, 0), dtype=torch.int32, device="cpu")
    if all(tensor.is_cpu for tensor in local):
        return _pack(_quick(local))
    device = local[0].device
    return _pack(torch.stack([_exact(tensor).to(device, non_blocking=True) for tensor in local], 1))


def plain(tensor: Tensor) -> Tensor:
    """The dense, real, local values of ``tensor``: its own storage wherever possible."""
    tensor = tensor.detach()
    local = getattr(tensor, "_local_tensor", None)  # a DTensor's shard; to_local() may wait for a collective
    if isinstance(local, Tensor):
        tensor = local
    if tensor.layout is torch.sparse_coo:
        tensor = tensor.coalesce().values()
    elif tensor.layout is not torch.strided:
        tensor = tensor.values()  # CSR and its kin keep each element once
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def scaled(matrix: Tensor, factor: Tensor, first: int) -> Tensor:
    """``matrix`` with the moments of its ``first`` tensors as if the tensors were times ``factor``.

    For gradients that still carry a GradScaler's scale. Never waits for the device.
    """
    factor = factor.to(matrix.device, torch.float64).reshape(())
    powers = torch.stack((factor,) * 7 + (factor * factor,))[:, None]
    moments = matrix[len(COUNTS) :, :first].contiguous().view(torch.float32).double() * powers
    result = matrix.clone()
    result[len(COUNTS) :, :first] = moments.clamp(-_HUGE, _HUGE).float().view(torch.int32)
    return result


def to_bytes(matrix: Tensor) -> bytes:
    """The words of a CPU matrix, row-major."""
    matrix = matrix.contiguous()
    return ctypes.string_at(matrix.data_ptr(), matrix.numel() * matrix.element_size()) if matrix.numel() else b""


def nonfinite(words: bytes) -> bool:
    """Whether the words of a step count any NaN or Inf."""
    row = len(words) // WORDS
    return words.count(0, row, 3 * row) != 2 * row


def _quick(tensors: Sequence[Tensor]) -> Tensor:
    """Float64 statistics, shape (12, R), of CPU tensors: five reductions each, then a look."""
    sums, norms, lows, highs, filled = [], [], [], [], []
    for tensor in tensors:
        values = tensor if tensor.dtype in _QUICK and tensor.numel() else _SOMETHING
        wide = torch.float64 if values.dtype is torch.float64 else torch.float32
        sums.append(values.sum(dtype=wide))
        norms.append(torch.linalg.vector_norm(values, dtype=wide))
        lows.append(values.amin())
        highs.append(values.amax())
        filled.append(values.count_nonzero())
    count = torch.tensor([tensor.numel() for tensor in tensors], dtype=torch.float64, device="cpu")
    total, l2, low, high = (torch.stack(_same(part)).double() for part in (sums, norms, lows, highs))
    rows = _rows(count, count, count - torch.stack(filled), total / count, (l2 * l2 / count), low, high, l2)
    _repair(rows, tensors)
    return rows


#: Stands in for a tensor that only ``_exact`` can do, so that every list has its place.
_SOMETHING: Final = torch.tensor([float("nan")], device="cpu")


def _same(parts: list[Tensor]) -> list[Tensor]:
    """``parts`` in one dtype: ``torch.stack`` promotes by itself, but slowly."""
    first = parts[0].dtype
    return parts if all(part.dtype is first for part in parts) else [part.double() for part in parts]


def _rows(  # noqa: PLR0913, PLR0917 - one argument per quantity that a pass over the data yields
    count: Tensor,
    finite: Tensor,
    zeros: Tensor,
    mean: Tensor,
    square: Tensor,
    low: Tensor,
    high: Tensor,
    l2: Tensor,
) -> Tensor:
    """The matrix from sums; ``square`` is the mean square. NaN and Inf rows start at zero."""
    none = torch.zeros_like(count)
    std = (square - mean * mean).clamp_(min=0).sqrt_()
    top = torch.maximum(low.abs(), high.abs())
    return torch.stack((count, none, none, zeros, mean, std, low, high, top, l2, mean * finite, l2 * l2))


def _repair(rows: Tensor, tensors: Sequence[Tensor]) -> None:
    """Do again, in place, the columns of ``rows`` that single precision did not do well."""
    mean, square, top = rows[4], rows[11] / rows[0], rows[8]
    whole = torch.isfinite(rows).all(0) & ((top >= _TINY) | (top == 0)) & (square < _HUGE)
    for index in (~whole).nonzero().flatten().tolist():
        rows[:, index] = _exact(tensors[index])
    for index in (whole & (mean * mean > _CANCELLING * square)).nonzero().flatten().tolist():
        _centre(rows, index, tensors[index])


def _centre(rows: Tensor, index: int, tensor: Tensor) -> None:
    """The mean and std of a tensor whose spread is small beside its mean, from shifted values."""
    wide = torch.float64 if tensor.dtype is torch.float64 else torch.float32
    shift = rows[4, index].to(wide)
    apart = tensor.to(wide) - shift
    count = rows[0, index]
    rest = apart.sum().double() / count
    spread = torch.linalg.vector_norm(apart).double().square() / count - rest * rest
    rows[4, index] = shift.double() + rest
    rows[5, index] = spread.clamp(min=0).sqrt()


def _exact(tensor: Tensor) -> Tensor:
    """The twelve statistics of one tensor in float64, shape (12,), on its device, never waiting.

    A chunk at a time; chunks are merged by their counts, means and centred squares (Chan, Golub
    and LeVeque 1983), so that the spread is right however far the mean is from zero.
    """
    if not tensor.numel():
        return torch.zeros(WORDS, dtype=torch.float64, device=tensor.device)
    parts = torch.stack([_part(chunk) for chunk in torch.split(tensor.flatten(), _CHUNK)], 1)
    nan, zeros, finite, mean, centred, low, high, square = parts
    some = finite.sum().clamp(min=1)
    middle = (mean * (finite / some)).sum()
    spread = (centred.sum() + (finite * (mean - middle).square().clamp(max=_LARGEST)).sum()) / some
    l2 = square.sum().sqrt()
    empty = finite.sum() == 0
    bottom, peak = low.amin().masked_fill(empty, 0), high.amax().masked_fill(empty, 0)
    count = torch.full_like(l2, tensor.numel())
    inf = count - nan.sum() - finite.sum()
    top = torch.maximum(bottom.abs(), peak.abs())
    moments = (middle, spread.sqrt(), bottom, peak, top, l2, middle * finite.sum(), square.sum())
    return torch.stack((count, nan.sum(), inf, zeros.sum(), *moments))


def _part(chunk: Tensor) -> Tensor:
    """NaN, zeros, finite count, mean, centred squares, min, max and squares of one flat chunk."""
    wide = chunk.double()
    good = torch.isfinite(wide)
    finite = good.sum().double()
    values = wide.masked_fill(~good, 0)
    # Divided first, for a sum of float64 values may overflow; held, for rounding may do the rest.
    mean = (values / finite.clamp(min=1)).sum().clamp(-_LARGEST, _LARGEST)
    centred = (values - mean).masked_fill_(~good, 0).square().sum()
    low = wide.masked_fill(~good, torch.inf).amin()
    high = wide.masked_fill(~good, -torch.inf).amax()
    counts = (torch.isnan(wide).sum().double(), (wide == 0).sum().double(), finite)
    return torch.stack((*counts, mean, centred, low, high, values.square().sum()))


def _pack(rows: Tensor) -> Tensor:
    """Float64 statistics as words: counts as uint32, moments as float32, both saturating."""
    split = len(COUNTS)
    counts = rows[:split].clamp(max=_MOST).long().to(torch.int32)  # keeps the low 32 bits
    moments = rows[split:].clamp(-_HUGE, _HUGE).float().view(torch.int32)
    return torch.cat((counts, moments))
