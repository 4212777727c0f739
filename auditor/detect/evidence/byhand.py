"""A penalty on the weights that a program adds to its loss by hand: found by arithmetic.

What a recorded step's loss has beyond the loss of its outputs is held against norms of its recorded
weights. Of the program's own formula and norm the ratio is the coefficient, the same at every step
whatever the batch; of any other it changes with the batch. Three steps that agree prove the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import computed
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Recorded steps, with whole weights, that must agree.
_AGREE: Final = 3
#: Relative difference up to which two coefficients are one (sums in single precision).
_SAME: Final = 1e-4
#: Part of the loss that the penalty must be: of less, rounding of the rest would make the ratio.
_PART: Final = 0.05
#: Times more than the coefficients that the loss of the data differs between the steps, as a part of the penalty: of
#: another formula, and of nothing but an offset, they would differ as much.
_VARIED: Final = 3.0
#: Factors by which a program's loss may be our formula's mean: itself, and half of it.
_FACTORS: Final = (1.0, 0.5)


@dataclass(slots=True)
class ByHand:
    """Coefficients by formula, factor and norm; ``formula``: of the one that is proven, "" while none is."""

    found: dict[str, list[list[float]]] = field(default_factory=dict)
    formula: str = ""
    factor: float = 1.0

    def parts(self, view: RecordView, seen: Scored, targets: F64) -> tuple[float, float] | None:
        """The loss of the data and the penalty of a recorded step; None while no penalty is proven."""
        if seen.loss is None or not math.isfinite(seen.loss) or "loss/penalty" in view.scalars:
            return None
        values = computed(seen, targets)
        if not self.formula:
            self._learn(view, seen.loss, values)
        data = self.factor * values.get(self.formula, math.nan)
        return (data, seen.loss - data) if math.isfinite(data) else None

    def _learn(self, view: RecordView, loss: float, values: dict[str, float]) -> None:
        for norm, size in _norms(view).items():
            for name, value in values.items():
                for factor in _FACTORS if name != "entropy" else _FACTORS[:1]:
                    beyond = loss - factor * value
                    if size > 0 and beyond > _PART * abs(loss):
                        self._take(f"{name} {factor} {norm}", [beyond / size, factor * value, beyond])

    def _take(self, key: str, one: list[float]) -> None:
        known = [*self.found.get(key, []), one][-_AGREE:]
        self.found[key] = known
        rates, data, beyond = np.array(known).T
        apart = float(np.ptp(rates) / rates.mean())
        varied = float(np.ptp(data) / beyond.mean())
        if len(known) == _AGREE and apart <= _SAME < varied and varied > _VARIED * apart and not self.formula:
            name, factor, _ = key.split(" ")
            self.formula, self.factor, self.found = name, float(factor), {}


def _norms(view: RecordView) -> dict[str, float]:
    """Sums of squares and of amounts, of all weights and of the matrices; empty where they are not recorded whole."""
    weights = list(view.of("weight").values())
    if not weights or any(one.sampled or one.values is None for one in weights):
        return {}
    values = [one.whole().astype(np.float64) for one in weights]
    matrices = [one for one in values if one.ndim > 1]
    return {
        f"{norm}{place}": math.fsum(float((abs(one) ** power).sum()) for one in some)
        for place, some in (("all", values), ("matrices", matrices))
        for norm, power in (("l1", 1), ("l2", 2))
    }
