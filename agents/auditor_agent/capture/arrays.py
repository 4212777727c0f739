"""The twelve statistics of NumPy arrays, on the host.

For frameworks whose gradients lie in host memory (Keras on a CPU, scikit-learn). Small tensors are
joined and reduced together, as a call costs more than their elements do; large ones take the
passes that NumPy vectorises, in float32 with sums closed in float64; whatever is not plain
(non-finite values, magnitudes whose squares leave float32) goes the exact way in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.statistics import COUNTS, WORDS

Words = npt.NDArray[np.uint32]
F64 = npt.NDArray[np.float64]

_F32_MAX: Final = float(np.finfo(np.float32).max)
_U32_MAX: Final = 2**32 - 1
#: Elements up to which tensors are joined; above, one more call does not matter.
_SMALL: Final = 4096
#: Elements summed in float32 before float64 takes over.
_RUN: Final = 1024
_ONES: Final = np.ones(_RUN, np.float32)
#: Magnitudes whose squares keep float32's full precision, with room for the sum.
_PLAIN: Final = (1e-16, 1e16)


def words(arrays: Sequence[npt.NDArray[Any]]) -> Words:
    """The statistics of ``arrays`` as a (12, len(arrays)) matrix of four-byte words.

    Args:
        arrays: real arrays of any shape and float type, in any memory order.
    """
    out = np.zeros((WORDS, len(arrays)), np.uint32)
    small = [i for i, array in enumerate(arrays) if array.size <= _SMALL]
    if small:
        out[:, small] = _joined([arrays[i] for i in small])
    for i, array in enumerate(arrays):
        if array.size > _SMALL:
            out[:, i] = _large(_flat(array))[:, 0]
    return out


def _flat(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # Order "K" reads the storage as it lies: no statistic depends on the order of the elements.
    return array.ravel(order="K")


def _large(x: npt.NDArray[Any]) -> Words:
    low, high = float(x.min()), float(x.max())
    top = max(-low, high)
    if x.dtype != np.float32 or not _PLAIN[0] < top < _PLAIN[1]:  # NaN fails the comparison too
        return _joined([x])
    n = x.size
    total, square = _sums(x)
    mean = total / n
    variance = square / n - mean * mean
    if variance < mean * mean:  # the subtraction would cancel: take the second pass
        shifted = x - np.float32(mean)
        rest, around = _sums(shifted)
        variance = around / n - (rest / n) ** 2
    zeros = int(np.count_nonzero(x == 0))
    moments = (mean, max(variance, 0.0) ** 0.5, low, high, top, square**0.5, total, square)
    return pack(np.array([[n], [0], [0], [zeros]]), np.array(moments)[:, None])


def _sums(x: npt.NDArray[Any]) -> tuple[float, float]:
    """Sum and sum of squares of a float32 vector, accurate as in float64 but for runs of ``_RUN``."""
    body = x[: x.size // _RUN * _RUN].reshape(-1, _RUN)
    tail = x[body.size :].astype(np.float64)
    # One dot product per run: twice as fast as a sum, and too short for BLAS to wake its threads.
    squares, sums = np.linalg.vecdot(body, body), np.linalg.vecdot(body, _ONES)
    total = sums.sum(dtype=np.float64) + tail.sum()
    return float(total), float(squares.sum(dtype=np.float64) + tail @ tail)


def _joined(arrays: Sequence[npt.NDArray[Any]]) -> Words:
    """Exact statistics of several tensors, reduced together in float64."""
    sizes = np.array([array.size for array in arrays])
    kept = np.flatnonzero(sizes).tolist()
    counts, moments = np.zeros((len(COUNTS), len(arrays)), np.int64), np.zeros((WORDS - len(COUNTS), len(arrays)))
    if kept:
        x = np.concatenate([_flat(arrays[i]) for i in kept]).astype(np.float64)
        starts = np.concatenate(([0], np.cumsum(sizes[kept])[:-1]))
        counts[:, kept], moments[:, kept] = _segments(x, starts, sizes[kept])
    return pack(counts, moments)


def _segments(x: F64, starts: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], F64]:
    nan, finite = np.isnan(x), np.isfinite(x)
    clean = bool(finite.all())
    nans = np.add.reduceat(nan, starts, dtype=np.int64)
    bad = np.add.reduceat(~finite, starts, dtype=np.int64)
    zeros = np.add.reduceat(x == 0, starts, dtype=np.int64)
    z = x if clean else np.where(finite, x, 0.0)
    n = np.maximum(sizes - bad, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        total, square = np.add.reduceat(z, starts), np.add.reduceat(z * z, starts)
        mean = total / n
        off = z - np.repeat(mean, sizes)
        off = off if clean else np.where(finite, off, 0.0)
        std = np.sqrt(np.add.reduceat(off * off, starts) / n)
        l2 = np.sqrt(square)
    low = np.minimum.reduceat(x if clean else np.where(finite, x, np.inf), starts)
    high = np.maximum.reduceat(x if clean else np.where(finite, x, -np.inf), starts)
    some = sizes > bad
    low, high = np.where(some, low, 0.0), np.where(some, high, 0.0)
    moments = np.stack([mean, std, low, high, np.maximum(-low, high), l2, total, square])
    return np.stack([sizes, nans, bad - nans, zeros]), moments


def pack(counts: npt.NDArray[Any], moments: npt.NDArray[Any]) -> Words:
    """Counts (4, R) and moments (8, R) as words: saturated, never non-finite."""
    top = np.minimum(counts, _U32_MAX).astype(np.uint32)
    bounded = np.nan_to_num(moments, nan=_F32_MAX, posinf=_F32_MAX, neginf=-_F32_MAX)
    single = np.clip(bounded, -_F32_MAX, _F32_MAX).astype(np.float32)
    return np.concatenate([top, single.view(np.uint32)])
