"""What proves that a flat loss is a fault: the cost of guessing, weights that stay, gradients that are zero."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.pace import Stretch
from auditor.detect.evidence.series import Recent
from auditor.detect.view import F64, StepView
from auditor_agent.statistics import STATISTICS

_MOMENTS: Final = STATISTICS.index("mean")
_COUNT: Final = STATISTICS.index("count")
_ZEROS: Final = STATISTICS.index("zeros")
#: Pairs of ten medians in falling order, less those in rising order: two standard deviations, sqrt(10 · 9 · 25 / 18).
_IN_ORDER: Final = 23
#: Standard deviations of that number at which losses surely fall (ours).
_SURE: Final = 2.5


@dataclass(frozen=True, slots=True)
class Flatness:
    """A window's losses: ``level`` their mean, ``fallen`` from its first half to its second, ``error`` of that.

    Standard errors from ten block means, since the losses of neighbouring steps are correlated.
    """

    window: int
    level: float
    fallen: float
    error: float

    @property
    def moved(self) -> float:
        """What the loss has surely not moved more than, at three standard errors."""
        return abs(self.fallen) + 3 * self.error

    @property
    def falling(self) -> bool:
        """Whether it falls beyond its noise, little as it may be."""
        return self.fallen > 3 * self.error


def flatness(part: F64) -> Flatness:
    """How flat the losses ``part`` are; at least 20 of them."""
    blocks = part[len(part) % 10 :].reshape(10, -1).mean(axis=1)
    halves = blocks[:5], blocks[5:]
    error = math.sqrt(sum(float(half.var(ddof=1)) / 5 for half in halves))
    return Flatness(len(part), float(part.mean()), float(halves[0].mean() - halves[1].mean()), error)


def coming(part: F64, level: float, steps: float) -> bool:
    """Whether the losses ``part`` are on their way: they fall, and at this pace come to ``level`` within ``steps``.

    That they fall is told by the order of ten medians (Mann 1945, Kendall 1975), which neither a few large losses
    nor the fall itself, as a spread within each half, can hide.
    """
    blocks = np.median(part[len(part) % 10 :].reshape(10, -1), axis=1)
    later, earlier = blocks[None, :], blocks[:, None]
    order = float(np.triu(np.sign(later - earlier), 1).sum())
    now = float(np.median(blocks[5:]))
    pace = (float(np.median(blocks[:5])) - now) / (0.5 * len(part))
    return order <= -_IN_ORDER and now - level <= pace * steps


def descending(part: F64) -> bool:
    """Whether the losses ``part`` fall from the first to the last by the order of all of them.

    At 2.5 standard deviations of the pairs in falling order, less those in rising order (Mann 1945, Kendall 1975):
    fewer losses suffice than for :func:`flatness`, whose error the fall itself makes larger.
    """
    count = len(part)
    order = float(np.triu(np.sign(part[None, :] - part[:, None]), 1).sum())
    return order < -_SURE * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)


def ahead(losses: F64) -> float:
    """What falling ``losses`` would still lose, if they go on as in their quarters; 0 where these do not tell.

    Two differences of which the second is smaller, as of a sum of powers, give its remainder (Aitken 1926). Of equal
    ones there is no end in sight. One twice as large as that before is a fall of its own, as where a rate is cut.
    """
    quarters = losses[len(losses) % 4 :].reshape(4, -1).mean(axis=1)
    before, last = float(quarters[1] - quarters[2]), float(quarters[2] - quarters[3])
    if not 0 < last < 2 * before:
        return 0.0
    return last * last / (before - last) if last < before else math.inf


def flat_window(losses: F64, shortest: int, change: float) -> Flatness | None:
    """The shortest window, 1, 4 or 16 times ``shortest``, over which the loss surely stayed flat.

    Sure: it has not moved by more than ``change`` times its mean (:attr:`Flatness.moved`).
    """
    for window in (shortest, 4 * shortest, 16 * shortest):
        if len(losses) < window:
            return None
        flat = flatness(losses[-window:])
        if flat.moved < change * abs(flat.level):
            return flat
    return None


@dataclass(slots=True)
class Plateau:
    """What is remembered of losses, learning rates, weights and gradients.

    ``same_since``: the first step since which the sampled weights are equal bit for bit, -1 unknown;
    ``sampled_at``: the last step of which there is a sample.
    ``blocked``: consecutive steps in which at least half of the gradient tensors were zero throughout.
    ``classes``: width of the last layer that has a gradient, 0 unknown.
    """

    losses: Recent = field(default_factory=lambda: Recent(limit=3200))
    rates: Recent = field(default_factory=lambda: Recent(limit=3200))
    last_step: int = 0
    same_since: int = -1
    sampled_at: int = -1
    digest: list[int] = field(default_factory=list)
    blocked: int = 0
    flowing: bool = False
    classes: int = 0
    level: float = math.nan

    def add(self, part: Stretch) -> None:
        """Take in losses and the rates of their steps."""
        self.losses.add(part.values)
        self.rates.add(part.rates[np.isfinite(part.rates)])
        self.last_step = part.moment.step

    def observe(self, view: StepView, first: int, after: int) -> None:
        """Take in weights and gradients of the steps at the indices ``first`` to before ``after``."""
        self._weights(view, first, after)
        self._gradients(view, first, after)

    def fell(self, level: float) -> bool:
        """Whether ``level`` is below the start by a tenth."""
        return level < 0.9 * self.losses.initial

    def still(self, flat: Flatness) -> dict[str, Any] | None:
        """Evidence that a flat loss should not be: nothing moves the weights. None if there is none."""
        fallen = self.fell(flat.level)
        rates = self.rates.last[-flat.window :]
        if len(rates) >= flat.window and not rates.any() and not fallen:
            return {"proof": "learning_rate_zero", "proof_text": "the learning rate is 0"}
        same = self.same_since >= 0 and self.sampled_at - self.same_since >= 100
        if same and self.flowing and not fallen:
            return {
                "proof": "weights_unchanged",
                "proof_text": f"the sampled weights are bit for bit the same since step {self.same_since}",
                "unchanged_since": self.same_since,
            }
        if self.blocked >= flat.window and flat.level > 0.5 * self.losses.initial > 0:
            return {"proof": "zero_gradients", "proof_text": "at least half of the gradients are exactly zero"}
        return None

    def _weights(self, view: StepView, first: int, after: int) -> None:
        for block, columns in view.blocks("weight"):
            low, high = block.rows(first, after)
            words = block.words[low:high, _MOMENTS:, :][:, :, columns]
            for row in range(len(words)):
                digest = words[row].sum(axis=1, dtype=np.uint64).tolist()
                self.sampled_at = int(view.steps[block.first + low + row])
                if digest != self.digest or self.same_since < 0:
                    self.digest, self.same_since = digest, self.sampled_at

    def _gradients(self, view: StepView, first: int, after: int) -> None:
        for block, columns in view.blocks("gradient"):
            low, high = block.rows(first, after)
            if low >= high:
                continue
            words = block.words[low:high]
            zero = (words[:, _ZEROS, columns] == words[:, _COUNT, columns]).mean(axis=1) >= 0.5
            flowing = np.flatnonzero(~zero)
            self.flowing = bool(not zero[-1])
            self.blocked = self.blocked + len(zero) if not len(flowing) else len(zero) - 1 - int(flowing[-1])
            shape = view.table[int(block.tensors[columns[-1]])].shape
            self.classes = int(shape[0]) if len(shape) == 1 else 0
