"""The losses from the first step on, judged at fixed numbers of steps: however the frames were cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.view import F64, StepView

#: Steps taken at which a rule that reads the beginning of a run judges; a later one sees what came late.
MARKS: Final = (50, 100, 150, 200, 300, 400, 600, 800, 1200, 1600)


#: Samples whose mean loss stands for a step: of one sample, or of few, most losses lie far below their mean (ours).
_SAMPLES: Final = 16


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Course:
    """``losses``: those given, up to the last mark. ``steps``: how many were given in all."""

    losses: F64 = field(default_factory=_empty)
    steps: int = 0

    def take(self, view: StepView) -> Iterator[tuple[int, int, F64]]:
        """Each mark that ``view`` reaches: the mark, the index of its step, and the losses up to it."""
        at = np.flatnonzero(view.has_loss)
        before, self.steps = self.steps, self.steps + len(at)
        if before < MARKS[-1]:
            self.losses = np.concatenate([self.losses, view.loss[at]])[: MARKS[-1]]
        for mark in MARKS:
            if before < mark <= self.steps:
                yield mark, int(at[mark - before - 1]), self.losses[:mark]


def pooled(losses: F64, rows: int) -> F64:
    """Means of as many steps as hold 16 samples, of batches of ``rows``; as they are where these hold as many.

    What guessing costs is a mean over samples. The median of single ones is no measure of it: of squared normal
    errors it is 0.45 of their mean.
    """
    steps = -(-_SAMPLES // max(rows, 1))
    whole = len(losses) // steps * steps
    return losses if steps == 1 or not whole else np.asarray(losses[:whole].reshape(-1, steps).mean(axis=1))


def first(losses: F64, width: int = 3) -> float:
    """Median of the first finite losses; NaN if there is none."""
    return middle(losses[np.isfinite(losses)][:width])


def middle(losses: F64) -> float:
    """Median of the finite ones; NaN if there is none."""
    finite = losses[np.isfinite(losses)]
    return float(np.median(finite)) if len(finite) else float("nan")
