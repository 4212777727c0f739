"""Losses that fell until a schedule took the learning rate away."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from auditor.detect.evidence.course import middle
from auditor.detect.evidence.plateau import ahead, descending, flatness
from auditor.detect.view import F64

#: Part of the rate before that a step leaves where a rate is cut (ours: schedulers halve it, or take a tenth).
_CUT: Final = 0.6
#: Losses after the rate was taken by which what came later is measured.
_AFTER: Final = 50


@dataclass(frozen=True, slots=True)
class Halt:
    """What a run did that is left with next to no rate.

    ``losses`` and ``rates`` of its steps, (N,); ``now``: what the loss is; ``low``: steps that are left with nothing;
    ``seen``: steps of which a course is told; ``pace``: times as many steps that it may be drawn on for; ``taken``:
    part of the loss that it would take.
    """

    losses: F64
    rates: F64
    now: float
    low: int
    seen: int
    pace: float
    taken: float

    def after(self, high: float, *, deep: bool) -> bool:
        """Whether the loss was surely falling, and fast, while the rate was ``high`` or more, and hardly since.

        ``deep``: the loss has fallen far; then it must not have been at its end.
        """
        at = np.flatnonzero(self.rates >= high)
        if not len(at) or int(at[-1]) >= 2 * len(at):
            return False
        return self._fell(len(at) // 2, int(at[-1]) + 1, whole=deep, early=deep)

    def cut_short(self, *, deep: bool) -> bool:
        """The same of the steps before the first time that a rate was cut at one go, from what was its largest.

        A scheduler that waits for a plateau cuts where there is none if it watches another number, or the wrong end.
        """
        cuts = np.flatnonzero(self.rates[1:] <= _CUT * self.rates[:-1]) + 1
        end = int(cuts[0]) if len(cuts) else 0
        if not end or self.rates[end - 1] < _CUT * self.rates[:end].max():
            return False
        return self._fell(end // 2, end, whole=True, early=deep)

    def _fell(self, count: int, end: int, *, whole: bool, early: bool) -> bool:
        """Whether the last ``count`` losses before ``end`` fell as told.

        ``whole``: and from the first on they were not yet at their end; ``early``: their order tells that they fell.
        """
        until = self.losses[:end]
        part = until[-count:] if count >= self.seen else until[:0]
        if not len(part) or not np.isfinite(part).all():
            return False
        course, rest = flatness(part), ahead(until) if whole else math.inf
        left = min(self.low, self.pace * count) * course.fallen / (0.5 * count)
        return (
            (descending(part) if early else course.falling)
            and min(rest, left) >= self.taken * course.level
            and self.now >= (1 - self.taken) * middle(self.losses[end:][:_AFTER])
        )
