"""What is known of a live run at this moment: the numbers behind its gauges."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from auditor.detect.view import StepView
from auditor_agent.statistics import KINDS


@dataclass(slots=True)
class LiveState:
    """The latest attempt's lowest rank speaks for loss, step and norm; counts are over all ranks.

    ``loss`` and ``grad_norm`` are the last finite values (None before the first). ``nonfinite``
    counts NaN and Inf by kind, ``loss`` among them, over the whole run. The two times are Unix
    seconds on the daemon's clock, as of the last :meth:`RunAuditor.tick`; 0 before the first.
    """

    attempt: int = -1
    rank: int = 0
    step: int | None = None
    steps: int = 0
    loss: float | None = None
    grad_norm: float | None = None
    nonfinite: dict[str, int] = field(default_factory=dict)
    progress_at: float = 0.0
    heartbeat_at: float = 0.0

    def observe(self, view: StepView) -> None:
        """Take in one batch, in the order of its (attempt, rank)."""
        self._count(view)
        newer = (view.attempt, -view.rank) >= (self.attempt, -self.rank)
        if not newer or not len(view):
            return
        if view.attempt > self.attempt or view.rank < self.rank:
            self.loss, self.grad_norm, self.steps = None, None, 0
        self.attempt, self.rank, self.step = view.attempt, view.rank, int(view.steps[-1])
        self.steps += len(view)
        losses = view.loss[np.isfinite(view.loss)]
        norms = view.gradient_norm[np.isfinite(view.gradient_norm)]
        self.loss = float(losses[-1]) if len(losses) else self.loss
        self.grad_norm = float(norms[-1]) if len(norms) else self.grad_norm

    def _count(self, view: StepView) -> None:
        _, values = view.scalar("loss")
        self._add("loss", int((~np.isfinite(values)).sum()))
        for block in view.batch.blocks:
            bad = block.words[:, 1:3, :]
            if view.skipped and bad.any():
                # What a gradient scaler threw away is no fault, and nobody's counter.
                steps = view.steps[block.first : block.first + len(bad)]
                bad = bad[~np.isin(steps, list(view.skipped))]
            if bad.any():
                each = bad.sum(axis=(0, 1), dtype=np.int64)
                kinds = view.index.kinds[block.tensors]
                for kind in np.unique(kinds[each > 0]):
                    self._add(KINDS[int(kind)], int(each[kinds == kind].sum()))

    def _add(self, kind: str, count: int) -> None:
        if count:
            self.nonfinite[kind] = self.nonfinite.get(kind, 0) + count
