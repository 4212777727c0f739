"""Are answers to amounts closer than one and the same for all, by however little?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import Task

#: Samples below which nothing is told, and recorded steps that count: the last ones.
_FEWEST: Final = 50
_LAST: Final = 2


@dataclass(slots=True)
class Closer:
    """By how much recorded answers are closer than the mean of all targets.

    The cost of guessing is known from some thousand targets only, as well as their variance is: a weak signal beneath
    heavy noise is less than that. Of the very same samples the noise is in both.
    ``gained``: of the last recorded steps, samples, sum and sum of squares of what each is closer.
    """

    gained: list[list[float]] = field(default_factory=list)

    def observe(self, seen: Scored, task: Task) -> None:
        """Take in a recorded step."""
        targets = seen.targets
        if seen.family != "regression" or targets is None or targets.size != seen.outputs.size or not len(task.targets):
            return
        off, far = seen.outputs.ravel() - targets.ravel(), targets.ravel() - task.targets.mean()
        if np.isfinite(off).all():
            gained = far**2 - off**2
            one = [float(gained.size), float(gained.sum()), float((gained**2).sum())]
            self.gained = [*self.gained, one][-_LAST:]

    @property
    def surely(self) -> float:
        """The gain by its standard error; NaN of too few samples."""
        samples, total, squares = np.array(self.gained).sum(axis=0).tolist() if self.gained else (0.0, 0.0, 0.0)
        if samples < _FEWEST:
            return math.nan
        spread = squares / samples - (total / samples) ** 2
        return float(total / math.sqrt(spread * samples)) if spread > 0 else math.nan
