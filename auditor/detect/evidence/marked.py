"""Values that stand for missing ones, left among the amounts of an input's column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.view import F64

#: What is kept of the first recorded batches: numbers in all, rows, and columns of which none is looked at beyond.
_KEPT: Final = 32_768
_ROWS: Final = 512
_WIDEST: Final = 1_024
#: Different rows that hold the value in a column, and different values besides, that make it no chance (ours).
_FEW: Final = 3
_VARIED: Final = 8
_REST: Final = 16
#: Size below which a first layer of sound weights can take it (as ``input_scale``'s), and how many times the whole
#: range of all other values it lies outside of that: amounts that were cut off at a bound lie at its end (ours).
_SIZE: Final = 10.0
_OUTSIDE: Final = 10.0


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Marked:
    """Rows of the first recorded batches, one after another, and the value found in them.

    ``rows``: (N x ``width``) numbers, empty once there are enough. ``told``: the value, its column, in how many of how
    many rows it is, and the range of all others; empty: none.
    """

    rows: F64 = field(default_factory=_empty)
    width: int = 0
    told: dict[str, float] = field(default_factory=dict)
    full: bool = False

    def observe(self, values: F64) -> None:
        """Take in a recorded batch, (N, C): judged together with those before it, rows that came again once."""
        if self.full or self.told or values.ndim != 2 or not 0 < values.shape[1] <= _WIDEST:
            return
        if self.width not in {0, values.shape[1]}:
            self.full, self.rows = True, _empty()
            return
        self.width = int(values.shape[1])
        rows = np.unique(np.concatenate([self.rows.reshape(-1, self.width), values]), axis=0)
        self.told = marked(rows) or {}
        self.full = bool(self.told) or len(rows) >= min(_ROWS, _KEPT // self.width)
        self.rows = _empty() if self.full else rows.ravel()

    def shown(self) -> dict[str, Any]:
        """Evidence and words."""
        told = self.told
        fault = (
            f"Column {told['column']:.0f} of the inputs holds exactly {told['value']:g} in {told['holding']:.0f} of "
            f"{told['rows']:.0f} rows, all others lie from {told['low']:.4g} to {told['high']:.4g}: it stands for a "
            "missing value"
        )
        return {"fault": fault, "missing": told["value"], "holding": told["holding"], "column": told["column"]}


def marked(rows: F64) -> dict[str, float] | None:
    """The value of most rows that stands for a missing one in some column of different rows; None if there is none.

    One exact number, large, in several rows but no more than half, and far outside the range of all others, of which
    more than the middle half differ: no one-hot column, count of rare events, or measure with a heavy tail is that.
    """
    large = np.flatnonzero(np.abs(rows).max(axis=0) > _SIZE)
    found = [one for column in large for one in apart(rows, int(column)) if abs(one["value"]) > _SIZE]
    return max(found, key=lambda one: one["holding"], default=None)


def apart(rows: F64, column: int) -> list[dict[str, float]]:
    """The smallest and the largest value of a column of different rows, where they lie apart as :func:`marked` says."""
    values, found = rows[:, column], []
    for value in (values.min(), values.max()):
        rest = values[values != value]
        holding = len(values) - len(rest)
        if not _FEW <= holding <= len(rest) or len(rest) < _REST:
            continue
        low, quarter, rest_high, high = (float(one) for one in np.quantile(rest, (0.0, 0.25, 0.75, 1.0)))
        outside = low - value if value < low else value - high
        if outside > _OUTSIDE * (high - low) > 0 and quarter < rest_high and len(np.unique(rest)) >= _VARIED:
            known = {"value": value, "column": column, "holding": holding, "rows": len(values), "low": low}
            found.append({name: float(one) for name, one in known.items()} | {"high": high})
    return found
