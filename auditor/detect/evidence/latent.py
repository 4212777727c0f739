"""Answers that tell no inputs apart, while what the loss adds to their error has been brought to nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.formulas import TINY
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import computed
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Samples of a batch from which the spread of answers, and the best one for all, can be told.
_SAMPLES: Final = 8
#: Recorded steps that must show it in a row; the first of them, and the last, at least (ours).
_TIMES: Final = 2
_FROM: Final = 100
_LATE: Final = 200
#: Error of the answers over that of the best one for all (each feature's mean); their spread over the targets'; and
#: what is left of the penalty. Ours: where the latent variables are used spreads are above 0.4, at 0.5 of that error.
_CHANCE: Final = 0.95
_ALIKE: Final = 0.25
_LEFT: Final = 0.2


@dataclass(slots=True)
class Latent:
    """``begun``, ``left``: the loss beyond its mean error, at the first and at the last recorded step.

    ``share``: error of the last recorded answers over that of the best one for all, ``spread``: their standard
    deviation over a batch by that of the targets. ``held``: recorded steps in a row that showed it, up to ``step``.
    """

    begun: float = math.nan
    left: float = math.nan
    share: float = math.nan
    spread: float = math.nan
    step: int = -1
    held: int = 0
    errors: list[float] = field(default_factory=list)
    """Mean error at the first and at the last recorded step."""

    def observe_record(self, view: RecordView, seen: Scored) -> None:
        """Take in a recorded step of training."""
        told = _error(view, seen)
        loss = view.scalars.get("loss", math.nan)  # with a penalty that is told apart: it is what is looked for
        if told is None or not math.isfinite(loss):
            return
        error, guess, self.spread = told
        self.left, self.step, self.share = loss - error, view.step, error / guess
        self.begun = self.left if math.isnan(self.begun) else self.begun
        self.errors = [*self.errors[:1], error]
        added = self.begun > 0.01 * self.errors[0] and -TINY < self.left < _LEFT * self.begun
        shows = added and self.share >= _CHANCE and self.spread < _ALIKE and view.step >= _FROM
        self.held = self.held + 1 if shows else 0

    def ignored(self) -> dict[str, Any] | None:
        """Evidence that the model was trained to leave its inputs out (posterior collapse, Bowman et al. 2016)."""
        if self.held < _TIMES or self.step < _LATE:
            return None
        what = (
            f"what the loss adds to the error of the answers went from {self.begun:.4g} to {self.left:.4g}, and the "
            f"error ({self.errors[-1]:.4g}) is {self.share:.0%} of that of one answer for all inputs"
        )
        return {"what": what, "penalty": self.left, "initial_penalty": self.begun, "spread": self.spread}


def _error(view: RecordView, seen: Scored) -> tuple[float, float, float] | None:
    """Mean error of the answers, of each feature's mean in their place, and the answers' spread over the targets'."""
    output, targets = view.array("output", "output0"), seen.targets
    if output is None or targets is None or targets.size != seen.outputs.size or len(output.shape) < 2:
        return None
    count = int(output.shape[0])
    if count < _SAMPLES or seen.family not in {"regression", "binary"}:
        return None
    values = computed(seen, targets)
    name = next(iter(values), "")
    if not name:
        return None
    wanted, given = targets.reshape(count, -1), seen.outputs.reshape(count, -1)
    if not (np.isfinite(wanted).all() and np.isfinite(given).all()):
        return None
    apart = float(np.linalg.norm(wanted.std(axis=0)))
    guess = float(wanted.var(axis=0).mean()) if seen.family == "regression" else _entropy(wanted)
    if not guess > TINY or not apart > 0:
        return None
    answers = 1 / (1 + np.exp(-np.clip(given, -50, 50))) if seen.logits is True else given
    return values[name], guess, float(np.linalg.norm(answers.std(axis=0))) / apart


def _entropy(targets: F64) -> float:
    """Mean binary cross entropy of each feature's mean."""
    share = np.clip(targets.mean(axis=0), TINY, 1 - TINY)
    return float(-(share * np.log(share) + (1 - share) * np.log(1 - share)).mean())
