"""Targets of a regression so large that a network as it is initialised cannot come to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.moves import adaptive, moves
from auditor.detect.evidence.plateau import coming
from auditor.detect.evidence.progress import Progress
from auditor.detect.evidence.scored import scored
from auditor.detect.evidence.series import Recent
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64, StepView

#: Root mean square of targets that counts as large: standardised ones have 1, percentages and grades up to 100 (ours).
LARGE: Final = 100.0
#: Part of that size which answers must come to before it is not the distance that a run suffers from: they grow with
#: the steps, or faster, so that the rest takes no more than so many times as long (ours).
_NEAR: Final = 0.2
#: First losses over the cost of guessing: answers that begin anywhere near the targets cost less (ours).
_FAR: Final = 0.8
#: Above this part of the cost of guessing nothing was learnt, as for ``input_scale``; in so many times the steps.
_STUCK: Final = 0.85
_PACE: Final = 4.0
#: Losses before that is said of a run that goes on, and of one that has ended; and those at the beginning that no pace
#: is taken of (as for ``loss_not_decreasing``).
_PATIENCE: Final = 400
_STEPS: Final = 100
_SETTLED: Final = 50
#: Steps in which a run that large targets throw off is lost; update over weight that throws it off (``learning_rate``).
_FIRST: Final = 20
_STRIDE: Final = 0.3
#: torch's losses of amounts, told before a model's output is.
_OPERATIONS: Final = frozenset({"MseLoss", "SmoothL1Loss", "HuberLoss"})


@dataclass(slots=True)
class Amounts:
    """What was recorded of targets and answers, and what became of the loss.

    ``size``, ``low``, ``high``: root mean square and range of the first recorded targets. ``answers``: the former of
    the last recorded outputs. ``stride``:
    the first recorded update over weight, median of the matrices; ``free``: of an optimizer whose steps do not grow
    with the gradient. ``broken``: step and time of a loss that is no number, among the first.
    """

    size: float = math.nan
    low: float = math.nan
    high: float = math.nan
    answers: float = math.nan
    stride: float = math.nan
    free: bool = False
    progress: Progress = field(default_factory=Progress)
    heard: Recent = field(default_factory=lambda: Recent(limit=400))
    broken: list[float] = field(default_factory=list)

    def observe_record(self, view: RecordView) -> None:
        """Take in a recorded step of training."""
        seen = self.progress.cost.observe_record(view)
        if view.phase != "train":
            return
        targets = seen.targets if seen is not None and seen.family == "regression" else None
        first = targets if seen is not None else _first_target(view)
        if math.isnan(self.size) and first is not None and first.size:
            self.size, self.low, self.high = _size(first), float(first.min()), float(first.max())
        if seen is not None and targets is not None:
            self.answers = _size(seen.outputs)
        if math.isnan(self.stride):
            ratios = [move.ratio for move in moves(view) if move.matrix and math.isfinite(move.ratio)]
            self.stride, self.free = float(np.median(ratios)) if ratios else math.nan, adaptive(view.run)

    def observe(self, view: StepView, first: int, after: int) -> None:
        """Take in the losses of the steps from index ``first`` to before ``after``."""
        losses = view.data_loss[first:after]
        self.progress.add(losses)
        self.heard.add(losses[np.isfinite(losses)])
        lost = np.flatnonzero(view.has_loss[first:after] & ~np.isfinite(view.loss[first:after])) + first
        if len(lost) and not self.broken and view.steps[lost[0]] <= _FIRST:
            self.broken = [float(view.steps[lost[0]]), float(view.times[lost[0]])]

    def thrown(self) -> dict[str, Any] | None:
        """A loss that is no number at once, and first steps that targets of size 1 would have made harmless.

        The gradient of a squared error grows with the distance from the targets, and a step with the gradient
        where the optimizer does not divide by its size.
        """
        if not self.size > LARGE or self.free or not self.broken or not self.stride >= _STRIDE:
            return None
        if self.stride / self.size >= _STRIDE:
            return None  # a rate that is too large whatever the targets
        known = (
            f"outputs of size 1 at first: steps as far as that moved the weights by {self.stride:.3g} times their size,"
            f" and the loss is no number at step {self.broken[0]:.0f}"
        )
        return {"known": known, "size": self.size, "stride": self.stride}

    def out_of_reach(self, *, ended: bool) -> dict[str, Any] | None:
        """A loss that stays above that of guessing, and answers that have not come a fifth of the way."""
        progress, chance = self.progress, self.progress.chance
        few = progress.losses.count < (_STEPS if ended else _PATIENCE)
        if few or chance is None or chance <= 0 or progress.task.family != "regression":
            return None
        if not self.size > LARGE or not self.answers < _NEAR * self.size or not progress.start_over_chance > _FAR:
            return None
        limit, recent = _STUCK * chance, progress.recent
        course = self.heard.last[-(progress.losses.count - _SETTLED) :]
        if not recent > limit or coming(course, limit, _PACE * progress.losses.count):
            return None
        known = (
            f"outputs of size {self.answers:.3g} after {progress.losses.count} steps, and the loss ({recent:.4g}) is "
            f"{recent / chance:.3g} times that of guessing"
        )
        return {"known": known, "size": self.size, "answers": self.answers, "loss": recent, "chance": chance}


def _size(values: F64 | None) -> float:
    """Root mean square; NaN of what holds none."""
    return float(np.sqrt((values**2).mean())) if values is not None and values.size else math.nan


def _first_target(view: RecordView) -> F64 | None:
    """The targets of a loss of amounts where only its graph was heard."""
    fact = view.facts.get("loss")
    known = isinstance(fact, Mapping) and fact.get("operation") in _OPERATIONS and scored(view) is None
    target = view.array("target", "loss.target") if known else None
    return None if target is None or target.values is None else np.asarray(target.values, dtype=np.float64)
