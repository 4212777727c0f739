"""Floats that SQL does not keep: how (value, special) stands for every float64 on every database.

SQLite stores NaN as NULL and -0.0 as 0; both databases sort and aggregate NaN and Inf in their own
ways. So a value that is not an ordinary number is NULL in its column, which charts as a gap, and its
name stands beside it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

ORDINARY: Final = 0
NAN: Final = 1
INFINITY: Final = 2
NEGATIVE_INFINITY: Final = 3
NEGATIVE_ZERO: Final = 4

_MEANING: Final = np.array([0.0, np.nan, np.inf, -np.inf, -0.0])


def split(values: npt.NDArray[np.float64]) -> tuple[list[float | None], list[int]]:
    """The two columns for ``values`` (N,)."""
    special = np.zeros(len(values), np.int64)
    special[np.isnan(values)] = NAN
    special[values == np.inf] = INFINITY
    special[values == -np.inf] = NEGATIVE_INFINITY
    special[(values == 0) & np.signbit(values)] = NEGATIVE_ZERO
    column: list[float | None] = values.tolist()
    for i in np.flatnonzero(special).tolist():
        column[i] = 0.0 if special[i] == NEGATIVE_ZERO else None
    return column, special.tolist()


def join(column: list[float | None], special: list[int]) -> npt.NDArray[np.float64]:
    """The float64 values that :func:`split` took apart."""
    values = np.array(column, dtype=np.float64)  # None becomes NaN
    restore(values, np.array(special, dtype=np.int64))
    return values


def restore(values: npt.NDArray[np.float64], kinds: npt.NDArray[np.int64]) -> None:
    """Puts into ``values`` what ``kinds`` says of those that are not ordinary, in place."""
    odd = kinds != ORDINARY
    values[odd] = _MEANING[kinds[odd]]
