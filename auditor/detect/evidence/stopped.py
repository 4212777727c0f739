"""Fits of scikit-learn that end before anything is learnt: by their tolerance, or by the epochs they were given."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Final

from auditor.detect.view import StepView

#: Epochs kept, and those from which on their losses are a course (as RULES.md has it of a loss that stays).
_KEPT: Final = 32
_FEWEST: Final = 3
#: Part of the cost of guessing above which next to nothing was learnt; part of the epochs that the loss fell in, and of
#: itself that it would fall in the epochs that were asked for and not used, or in as many again (ours).
_LITTLE: Final = 0.7
#: Epochs asked for that are so few that it is no budget, but a slip (ours; scikit-learn's own default is 200).
_SHORT: Final = 10
_FALLING: Final = 0.8
_WORTH: Final = 0.2


@dataclass(slots=True)
class Stopped:
    """Of a fit.

    ``losses``: of the last epochs, without the penalty; ``epochs``: the number of the last one; ``asked``, ``tol``: of
    the estimator.
    """

    losses: list[float] = field(default_factory=list)
    epochs: int = 0
    asked: int = 0
    tol: float = 0.0

    def observe(self, view: StepView) -> None:
        """Take in epochs."""
        if view.run.framework != "sklearn":
            return
        settings = view.run.section("estimator", "parameters")
        asked, tol = settings.get("max_iter"), settings.get("tol")
        if isinstance(asked, int) and isinstance(tol, (int, float)) and settings.get("solver") != "lbfgs":
            self.asked, self.tol = asked, float(tol)
        penalties = dict(zip(*(part.tolist() for part in view.scalar("loss/penalty")), strict=True))
        told = zip(*(part.tolist() for part in view.scalar("epoch_loss")), strict=True)
        self.losses = [*self.losses, *(loss - penalties.get(at, 0.0) for at, loss in told)][-_KEPT:]
        self.epochs = max([self.epochs, *view.epochs.values()])

    def early(self, chance: float | None) -> dict[str, Any] | None:
        """That the loss was falling and had a way to go; None if it was not, or where the fit was not cut off."""
        losses = self.losses[-max(_FEWEST, self.epochs // 2) :]
        if chance is None or not 0 < self.epochs <= self.asked or len(losses) < _FEWEST:
            return None
        falls = [before - after for before, after in itertools.pairwise(losses)]
        left = self.asked - self.epochs or (self.epochs if self.epochs <= _SHORT else 0)
        sure = sum(fall > 0 for fall in falls) >= _FALLING * len(falls)
        if not losses[-1] > _LITTLE * chance or not sure or not _ahead(falls, left) >= _WORTH * losses[-1]:
            return None
        why = f"max_iter={self.asked} ended the fit" if self.epochs == self.asked else f"tol={self.tol:g} ended the fit"
        text = f"{why} after {self.epochs} of {self.asked} epochs; guessing costs {chance:.4g}"
        said = f"was still falling, by {falls[-1]:.3g} in the last epoch,"
        return {"said": said, "proof": "stopped", "proof_text": text, "chance": chance, "level": losses[-1]}


def _ahead(falls: list[float], epochs: int) -> float:
    """What a loss will fall by in so many epochs, each half of ``falls`` being to the next as the first to the second.

    Most losses fall ever more slowly: the pace of the last epochs would promise too much.
    """
    half = len(falls) // 2
    before, now = sum(falls[:half]), sum(falls[-half:])
    slower = min(now / before, 1.0) if before > 0 else 1.0
    return now * sum(slower**count for count in range(1, epochs // half + 1))
