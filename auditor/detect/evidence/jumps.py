"""Single steps at which gradients burst, again and again: a network at the edge of what it can carry.

In a recurrent network, or a very deep one, a step may cross a wall of the loss (Pascanu, Mikolov and Bengio 2013):
activations grow by a factor at each time step, the loss leaps, and the next steps are back. Medians of a few steps do
not see that. A batch that is unlike the others is told apart by its gradient, which grows no faster than the error that
it has: of a squared error as the root of the loss. What the network itself amplifies, grows faster than the loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.series import Recent
from auditor.detect.view import StepView

#: Steps looked at, and those needed (ours).
_KEPT: Final = 256
_LEAST: Final = 100
#: Gradient norm of a burst by their median; RULES.md calls 100 times exploding where it lasts, one step needs more.
_BURST: Final = 1e3
#: Loss of a burst by the cost of guessing, or by the median where that is more (ours).
_LOSS: Final = 10.0
#: Steps at the start of which nothing is said: what bursts there is thrown by the rate, or by the first weights.
_FIRST: Final = 20
#: Bursts that are no accident, and steps without one between two of them (ours).
_TIMES: Final = 2
_APART: Final = 10


@dataclass(slots=True)
class Jumps:
    """Losses and norms of the last steps, (step, time) of each; ``told``: that it was said."""

    cost: Cost = field(default_factory=Cost)
    losses: Recent = field(default_factory=lambda: Recent(limit=_KEPT))
    norms: Recent = field(default_factory=lambda: Recent(limit=_KEPT))
    steps: Recent = field(default_factory=lambda: Recent(limit=_KEPT))
    told: bool = False

    def add(self, view: StepView, first: int, after: int) -> None:
        """Take in the steps at the indices ``first`` to before ``after``."""
        norms, losses = view.gradient_norm[first:after], view.loss[first:after]
        at = np.flatnonzero(np.isfinite(norms) & (norms > 0) & np.isfinite(losses))
        self.norms.add(norms[at])
        self.losses.add(losses[at])
        self.steps.add(view.steps[first:after][at].astype(np.float64))

    def repeated(self) -> dict[str, Any] | None:
        """Evidence of a network that bursts now and then; None if it does not, or was said to."""
        chance, losses, norms = self.cost.chance, self.losses.last, self.norms.last
        if self.told or chance is None or chance <= 0 or len(losses) < _LEAST:
            return None
        norm, loss = float(np.median(norms)), float(np.median(losses))
        floor = max(chance, loss)
        jump = (norms > _BURST * norm) & (losses > _LOSS * floor) & (norms / norm > losses / floor)
        jump &= self.steps.last > _FIRST
        at = np.flatnonzero(jump)
        bursts = 1 + int((np.diff(at) > _APART).sum()) if len(at) else 0
        if bursts < _TIMES:
            return None
        self.told = True
        worst = at[int(np.argmax(norms[at]))]
        return {
            "bursts": bursts, "burst_at": int(self.steps.last[worst]), "norm": float(norms[worst]),
            "initial_norm": norm, "growth": float(norms[worst]) / norm, "loss": float(losses[worst]),
            "initial_loss": loss, "chance": chance,
        }  # fmt: skip
