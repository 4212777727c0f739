"""Histograms of the magnitudes of NumPy arrays, on the host: see ``auditor_agent.histogram``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor_agent.histogram import BINS, FIRST_EXPONENT, MOST


def histograms(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.uint32]:
    """The counters of ``arrays``, shape (len(arrays), 64).

    Args:
        arrays: real arrays of any shape and float type, in any memory order.
    """
    counts = [np.bincount(_bins(array.ravel(order="K")), minlength=BINS) for array in arrays]
    return np.minimum(np.array(counts).reshape(len(arrays), BINS), MOST).astype(np.uint32)


def shifted(matrix: npt.NDArray[np.uint32], factor: float) -> npt.NDArray[np.uint32]:
    """``matrix`` as if the arrays were times ``factor``, rounded to a power of two.

    The first and the last bin stay where they are: they hold zeros and infinities, which no factor moves.
    """
    if not 0 < factor < math.inf:
        return matrix
    to = np.clip(np.arange(BINS) + round(math.log2(factor)), 0, BINS - 1)
    to[0], to[-1] = 0, BINS - 1
    moved = np.zeros(matrix.shape, np.int64)
    np.add.at(moved.T, to, matrix.T)
    return np.minimum(moved, MOST).astype(np.uint32)


def _bins(x: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The bin of each element that is not NaN, from its exponent bits."""
    x = x[~np.isnan(x)]
    if x.dtype == np.float64:
        exponent = (x.view(np.int64) >> 52 & 0x7FF) - (1023 + FIRST_EXPONENT)
    else:
        exponent = (x.astype(np.float32).view(np.int32) >> 23 & 0xFF) - (127 + FIRST_EXPONENT)
    bins: npt.NDArray[np.int64] = np.clip(exponent, 0, BINS - 1).astype(np.int64)
    return bins
