"""What a classifier answers at the end of its training: one class for all, or nothing that held-out data bear out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.answers import named
from auditor.detect.evidence.scored import Scored

#: Part of the steps after which an evaluation is one of the end (ours).
_LATE: Final = 0.8
#: Samples of other classes that an evaluation must hold, and those recorded (ours: of so many a classifier that tells
#: classes apart at all names one; where each of ten were named by chance of one half, none is at 1e-3).
_MISSED: Final = 10
_FEW: Final = 3


@dataclass(slots=True)
class Lasting:
    """The last evaluation, and what was answered in recorded steps of training.

    ``step``: that the evaluation belongs to; ``named``: how many classes its answers name, 0: not told; ``missed``:
    how many of its ``samples`` are of other classes. ``classes``: those that recorded answers named, two at most;
    ``others``: recorded samples of another class than the first of these.
    """

    step: int = 0
    samples: int = 0
    named: int = 0
    missed: int = 0
    classes: list[float] = field(default_factory=list)
    others: int = 0

    def evaluated(self, step: int, event: Mapping[str, Any]) -> None:
        """Take in an evaluation."""
        told = [event.get(name) for name in ("samples", "named", "missed")]
        samples, classes, missed = (one if isinstance(one, int) else 0 for one in told)
        self.step, self.samples, self.named, self.missed = step, samples, classes, missed

    def answered(self, seen: Scored) -> None:
        """Take in a recorded step."""
        known = named(seen)
        if known is None:
            return
        labels, answers = known
        self.classes = list(dict.fromkeys([*self.classes, *np.unique(answers).tolist()]))[:2]
        self.others += int((labels != self.classes[0]).sum())

    def late(self, steps: int) -> bool:
        """Whether the last evaluation is one of the end of so many steps."""
        return self.step >= _LATE * steps

    def one_class(self, steps: int) -> dict[str, Any] | None:
        """That each answer of the last evaluation, told by its classes, is the same, though many should not be."""
        if self.named != 1 or self.missed < _MISSED or not self.late(steps):
            return None
        what = f"All {self.samples} answers to held-out data are of one class, and {self.missed} of them should not be"
        right = 1 - self.missed / max(self.samples, 1)
        return {"what": what, "best": right, "majority": right, "samples": self.samples, "missed": self.missed}

    @property
    def recorded_one(self) -> bool:
        """Whether recorded answers all were of one class, though several should not have been."""
        return len(self.classes) == 1 and self.others >= _FEW
