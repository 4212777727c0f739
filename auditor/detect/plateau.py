"""What proves that a flat loss is a fault: chance, weights that do not move, gradients that are zero."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.series import Recent
from auditor.detect.view import F64, StepView
from auditor_agent.statistics import STATISTICS

_MOMENTS: Final = STATISTICS.index("mean")


def flat_window(losses: F64, shortest: int, change: float) -> int | None:
    """The shortest window, 1, 4 or 16 times ``shortest``, over which the loss surely stayed flat.

    Sure: the difference of the means of its halves, plus three standard errors of that difference,
    is below ``change`` times the mean. Standard errors from ten block means, since the losses of
    neighbouring steps are correlated.
    """
    for window in (shortest, 4 * shortest, 16 * shortest):
        if len(losses) < window:
            return None
        part = losses[-window:]
        blocks = part[: window // 10 * 10].reshape(10, -1).mean(axis=1)
        halves = blocks[:5], blocks[5:]
        error = math.sqrt(sum(float(half.var(ddof=1)) / 5 for half in halves))
        moved = abs(float(halves[0].mean() - halves[1].mean())) + 3 * error
        if moved < change * abs(float(part.mean())):
            return window
    return None


@dataclass(slots=True)
class Plateau:
    """What is remembered of losses, learning rates, weights and gradients.

    ``same_since``: the first step since which the sampled weights are equal bit for bit, -1 unknown.
    ``blocked``: consecutive steps in which at least half of the gradient tensors were zero throughout.
    ``classes``: width of the last layer that has a gradient, 0 unknown.
    """

    losses: Recent = field(default_factory=lambda: Recent(limit=3200))
    rates: Recent = field(default_factory=lambda: Recent(limit=3200))
    last_step: int = 0
    same_since: int = -1
    digest: list[int] = field(default_factory=list)
    blocked: int = 0
    flowing: bool = False
    classes: int = 0
    level: float = math.nan

    def observe(self, view: StepView) -> None:
        """Take in a batch."""
        self.losses.add(view.loss[np.isfinite(view.loss)])
        rates = view.learning_rate
        self.rates.add(rates[np.isfinite(rates)])
        self.last_step = int(view.steps[-1])
        self._weights(view)
        self._gradients(view)

    def proof(self, level: float, low: float, high: float, window: int) -> dict[str, Any] | None:
        """The evidence that a loss flat at ``level`` over ``window`` steps should not be; None if there is none."""
        rates = self.rates.last[-window:]
        if len(rates) >= window and rates[-1] > 1.5 * rates[0]:
            return None
        fallen = level < 0.9 * self.losses.initial
        if len(rates) >= window and not rates.any() and not fallen:
            return {"proof": "learning_rate_zero", "proof_text": "the learning rate is 0"}
        still = self.same_since >= 0 and self.last_step - self.same_since >= 100
        if still and self.flowing and not fallen:
            return {
                "proof": "weights_unchanged",
                "proof_text": f"the sampled weights are bit for bit the same since step {self.same_since}",
                "unchanged_since": self.same_since,
            }
        if self.blocked >= window and level > 0.5 * self.losses.initial > 0:
            return {"proof": "zero_gradients", "proof_text": "at least half of the gradients are exactly zero"}
        chance = math.log(max(self.classes, 2))
        # One or two outputs: ln 2 may be any regression's plateau; only one that never fell counts.
        certain = self.classes >= 3 or (self.classes >= 1 and not fallen)
        if certain and low * chance <= level <= high * chance:
            return {
                "proof": "chance",
                "proof_text": f"guessing among {max(self.classes, 2)} classes costs {chance:.4g}",
                "chance": chance,
                "classes": self.classes,
            }
        return None

    def _weights(self, view: StepView) -> None:
        for block, columns in view.blocks("weight"):
            words = block.words[:, _MOMENTS:, :][:, :, columns]
            for row in range(len(words)):
                digest = words[row].sum(axis=1, dtype=np.uint64).tolist()
                if digest != self.digest or self.same_since < 0:
                    self.digest, self.same_since = digest, int(view.steps[block.first + row])

    def _gradients(self, view: StepView) -> None:
        for block, columns in view.blocks("gradient"):
            zero = (block.stat("zeros")[:, columns] == block.stat("count")[:, columns]).mean(axis=1) >= 0.5
            flowing = np.flatnonzero(~zero)
            self.flowing = bool(not zero[-1])
            self.blocked = self.blocked + len(zero) if not len(flowing) else len(zero) - 1 - int(flowing[-1])
            shape = view.table[int(block.tensors[columns[-1]])].shape
            self.classes = int(shape[0]) if len(shape) == 1 else 0
