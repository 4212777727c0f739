"""Bounded memories of a number per step, and medians that run along them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.view import F64, Bool

_EMPTY: Final[F64] = np.zeros(0, dtype=np.float64)


def _empty() -> F64:
    return _EMPTY


def running_median(tail: F64, values: F64, width: int) -> F64:
    """The median of each value with the ``width - 1`` before it, taken from ``tail`` where needed.

    Of fewer values where ``tail`` is shorter than that: the first medians of a run are of one, two,
    ... values.

    Args:
        tail: what came before, finite.
        values: to be smoothed, finite.
        width: an odd number.
    """
    if not len(values):
        return values
    joined = np.concatenate([tail[-(width - 1) :], values])
    before = len(joined) - len(values)
    few = [float(np.median(joined[: before + i + 1])) for i in range(min(len(values), width - 1 - before))]
    if len(few) == len(values):
        return np.array(few)
    windows = np.lib.stride_tricks.sliding_window_view(joined, width)
    # Of an odd number of values the middle one: np.median, of any number, takes ten times as long.
    return np.concatenate([few, np.sort(windows, axis=1)[:, width // 2]])


def turns(bad: Bool, calm: Bool, active: bool) -> list[tuple[int, bool]]:
    """Where a fault is said (True) and cleared (False) in a row of steps; while it lasts, its last step too.

    Args:
        bad: steps that show it, (N,).
        calm: steps that show that it is over.
        active: whether it lasts from before.
    """
    found: list[tuple[int, bool]] = []
    last = -1
    for at in np.flatnonzero(bad | calm).tolist():
        if bad[at]:
            last = at
            if not active:
                found.append((at, True))
                active = True
        elif active:
            found.append((at, False))
            active, last = False, -1
    return [*found, (last, True)] if last >= 0 and (last, True) not in found else found


@dataclass(slots=True)
class Recent:
    """The last values, at most ``limit``, and the first ones, at most ``head``."""

    limit: int = 256
    head: int = 10
    count: int = 0
    last: F64 = field(default_factory=_empty)
    first: F64 = field(default_factory=_empty)

    def add(self, values: F64) -> None:
        """Append ``values``."""
        self.count += len(values)
        self.last = np.concatenate([self.last, values])[-self.limit :]
        if len(self.first) < self.head:
            self.first = np.concatenate([self.first, values])[: self.head]

    @property
    def initial(self) -> float:
        """Median of the first values; NaN before there are any."""
        return float(np.median(self.first)) if len(self.first) else float("nan")
