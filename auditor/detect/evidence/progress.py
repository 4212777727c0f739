"""Does the run learn at all? Shared by rules that need harm as a proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.cost import Cost, data_loss
from auditor.detect.evidence.series import Recent
from auditor.detect.evidence.task import Task
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64, StepView

#: Steps with a loss before anything is said of progress (RULES.md: never under about 100).
FEWEST: Final = 100
#: Part of the loss at the start, or of the cost of guessing, above which nothing was learnt (ours).
_STUCK: Final = 0.9


@dataclass(slots=True)
class Progress:
    """The losses at the start and now, without penalties where these are told, and what guessing costs."""

    losses: Recent = field(default_factory=lambda: Recent(limit=64))
    cost: Cost = field(default_factory=Cost)

    def observe(self, view: StepView) -> None:
        """Take in steps."""
        self.add(data_loss(view))
        self.cost.observe(view)

    def add(self, losses: F64) -> None:
        """Take in the losses of some steps (their view goes to ``cost``); those not finite say nothing here."""
        self.losses.add(losses[np.isfinite(losses)])

    def observe_record(self, view: RecordView) -> None:
        """Take in a recording."""
        self.cost.observe_record(view)

    @property
    def task(self) -> Task:
        """The targets seen."""
        return self.cost.task

    @property
    def chance(self) -> float | None:
        """The cost of guessing in the units of the losses, None until it is known."""
        return self.cost.chance

    @property
    def recent(self) -> float:
        """Median of the last 64 losses; NaN before there are any."""
        return float(np.median(self.losses.last)) if len(self.losses.last) else float("nan")

    @property
    def stuck(self) -> bool:
        """After 100 steps the loss is that of the start, or of guessing; unknown counts as False."""
        if self.losses.count < FEWEST or self.task.late or self.cost.staged:
            return False  # classes that came later, or that take turns: neither measure is one
        chance = self.chance
        if chance is not None and chance > 0:
            return self.recent > _STUCK * chance
        return self.losses.initial > 0 and self.recent > _STUCK * self.losses.initial

    @property
    def start_over_chance(self) -> float:
        """The loss of the first steps over the cost of guessing; NaN until both are known."""
        chance = self.chance
        return self.losses.initial / chance if chance is not None and chance > 0 else float("nan")
