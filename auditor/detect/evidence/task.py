"""What a model that knows nothing of the inputs would pay: the cost of guessing, from recorded targets."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.formulas import ERRORS, TINY, binary_entropy, categorical_entropy, guess_error
from auditor.detect.evidence.scored import Scored
from auditor.detect.view import F64

#: Targets kept for the guess; the recorder holds 20 batches.
_KEPT: Final = 4096
#: Recorded losses that must agree on the scale between our formula and the program's.
_AGREE: Final = 3
#: How near 1 the scale of a cross entropy is that needs no second recording.
_EXACT: Final = 1e-3
#: Relative difference up to which two scales agree.
_OFF: Final = 0.02


#: A probability that in single precision is known to a percent if it was worked out as 1 less another.
_SMALL: Final = 1e-5
#: A cross entropy that is so small is what probabilities were clipped to, each program in its own way.
_CLIPPED: Final = 1e-5
#: The name of a cross entropy among formulas.
_ENTROPY: Final = "entropy"
#: Samples without a class, and the part of a batch that it then has, which show that it came later: 0.9²⁰⁰ is 1e-9.
_LONG: Final = 200
_LATE: Final = 0.1


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Task:
    """Targets seen, and how the recorded loss relates to ours.

    ``targets``: class labels, or flattened values of a regression; ``weights``: how much each counts. ``ratios``:
    recorded loss by recomputed one, of the last recordings that agree, for each formula: 1 for a mean, 0.5 for half
    squared errors, the batch size for a sum. ``error``: the formula that explains the losses best;
    ``scales``: its ratios. ``late``: classes that came in numbers after many samples without them, until a batch
    comes without these.
    """

    family: str = ""
    error: str = ""
    classes: int = 0
    targets: F64 = field(default_factory=_empty)
    weights: F64 = field(default_factory=_empty)
    scales: list[float] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)

    def observe(self, seen: Scored) -> None:
        """Take in one recorded step; what was known of another kind of target, or other classes, is forgotten."""
        targets = seen.labels() if seen.family == "categorical" else seen.targets
        if targets is None or not seen.family:
            return
        if self.differs(seen):
            self.targets, self.weights, self.scales, self.ratios, self.late = _empty(), _empty(), [], {}, []
        self.family, self.classes = seen.family, seen.classes
        if self.family == "categorical":
            self._shift(targets.ravel())
        if len(self.targets) < _KEPT:
            self.targets = np.concatenate([self.targets, targets.ravel()])[:_KEPT]
            self.weights = np.concatenate([self.weights, spread(seen.weights, targets.size)])[:_KEPT]
        if seen.loss is None or not math.isfinite(seen.loss):
            return
        for name, value in computed(seen, targets).items():
            if value > (_CLIPPED if name == _ENTROPY else TINY):
                scale, known = seen.loss / value, self.ratios.get(name, [])
                agrees = bool(known) and abs(scale / (known[0] or math.nan) - 1) < _OFF
                self.ratios[name] = [*(known if agrees else []), scale][-_AGREE:]
        if self.ratios:
            self.error = max(self.ratios, key=self._credit)
            self.scales = self.ratios[self.error]

    def differs(self, seen: Scored) -> bool:
        """Whether ``seen`` is of another task: its targets are of another kind, or classes of another number."""
        other = seen.family == "categorical" and seen.classes != self.classes
        return bool(seen.family and self.family) and (seen.family != self.family or other)

    def _shift(self, labels: F64) -> None:
        """Learn whether the classes change as training goes on, as in class-incremental learning.

        Samples seen before say nothing then of what guessing costs now. What comes and goes is one data set, in order.
        """
        new, counts = np.unique(labels[~np.isin(labels, self.targets)], return_counts=True)
        many = new[counts >= _LATE * len(labels)]
        if len(self.targets) >= _LONG and len(many):
            self.late = many.tolist()
        elif self.late and not np.isin(self.late, labels).any():
            self.late = []

    @property
    def chance(self) -> float | None:
        """Loss of the best constant answer, in the program's own units; None until it is known.

        Entropy of the labels, entropy of the share of ones, variance of the targets, or their mean
        absolute distance from the median.
        """
        # One recording will do where the loss is just what the formula gives.
        exact = bool(self.scales) and self.family != "regression" and abs(self.scales[-1] - 1) < _EXACT
        if (len(self.scales) < _AGREE and not exact) or len(self.targets) < 2 or self.late:
            return None
        return self.scales[-1] * self.guess

    @property
    def guess(self) -> float:
        """:attr:`chance` as a plain mean over elements, each by its weight."""
        weights = self.weights if len(self.weights) == len(self.targets) else spread(None, len(self.targets))
        mean = float(weights.mean())
        if mean <= 0:
            return 0.0
        if self.family == "categorical":
            classes = np.unique(self.targets, return_inverse=True)[1].ravel()
            shares = np.bincount(classes, weights) / weights.sum()
            shares = shares[shares > 0]
            return mean * float(-(shares * np.log(shares)).sum())
        if self.family == "binary":
            p = min(max(float((weights * self.targets).mean()) / mean, TINY), 1 - TINY)
            return -mean * (p * math.log(p) + (1 - p) * math.log(1 - p))
        return guess_error(self.error, self.targets, weights)

    def _credit(self, name: str) -> tuple[int, bool, float]:
        """How well a formula explains the losses: recordings that agree, to the last digits, then how near 1 it is.

        Formulas that are not the program's own may agree within a percent on a few batches, of a scale nearer 1.
        """
        scales = self.ratios[name]
        apart = max(abs(scale / (scales[0] or math.nan) - 1) for scale in scales)
        return len(scales), apart < _EXACT, -abs(math.log(abs(scales[-1]) or TINY))


def computed(seen: Scored, targets: F64) -> dict[str, float]:
    """The losses that the recorded one may be a multiple of, by name; empty where nothing can be computed.

    Worked out once for all rules that ask; ``targets``: labels or amounts, as ``seen`` has them.
    """
    if "computed" not in seen.derived:
        seen.derived["computed"] = _computed(seen, targets)
    known: dict[str, float] = seen.derived["computed"]
    return known


def _computed(seen: Scored, targets: F64) -> dict[str, float]:
    if seen.family == "categorical":
        fits = len(targets) == len(seen.outputs) and targets.min() >= 0 and targets.max() < seen.classes
        weights = spread(seen.weights, len(seen.outputs))
        own = seen.outputs[np.arange(len(targets)), targets.astype(np.int64)] if fits else np.ones(1)
        if seen.loss is not None and _saturated(seen, own):
            return {_ENTROPY: seen.loss}
        return {_ENTROPY: categorical_entropy(seen.logits, seen.outputs, targets, weights)} if fits else {}
    if targets.size != seen.outputs.size or not targets.size:
        return {}
    outputs, targets, weights = seen.outputs.ravel(), targets.ravel(), spread(seen.weights, targets.size)
    if seen.family == "binary":
        own = np.where(targets > 0.5, outputs, 1 - outputs)
        if seen.loss is not None and _saturated(seen, own):
            return {_ENTROPY: seen.loss}
        return {_ENTROPY: binary_entropy(seen.logits, outputs, targets, weights)} if seen.logits is not None else {}
    off = outputs - targets
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that was lost: infinite
        return {name: float((weights * measure(off)).mean()) for name, measure in ERRORS.items()}


def _saturated(seen: Scored, own: F64) -> bool:
    """Whether probabilities of the right answer are too near 0 to tell what they cost: then the loss has to.

    Keras takes the logits behind a sigmoid or softmax where it finds them, and else clips in single precision;
    of a probability of 0 either may have come. scikit-learn clips in the precision that it
    computes in. That the loss is a mean is declared, so that its scale is 1.
    """
    return seen.logits is False and seen.mean and seen.weights is None and bool((own < _SMALL).any())


def spread(weights: F64 | None, size: int) -> F64:
    """The weight of each of ``size`` elements, where ``weights`` are those of the rows; None: 1 each."""
    if weights is None or not len(weights) or size % len(weights):
        return np.ones(size)
    return np.repeat(weights, size // len(weights))
