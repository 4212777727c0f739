"""What a model that knows nothing of the inputs would pay: the cost of guessing, from recorded targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from auditor.detect.scored import Scored
from auditor.detect.view import F64

#: Targets kept for the guess; the recorder holds 20 batches.
_KEPT: Final = 4096
#: Recorded losses that must agree on the scale between our formula and the program's.
_AGREE: Final = 3
#: Relative difference up to which two scales agree.
_OFF: Final = 0.02
_TINY: Final = 1e-7

Measure = Callable[[F64], F64]


def _huber(off: F64) -> F64:
    size = np.abs(off)
    out: F64 = np.where(size <= 1, off**2 / 2, size - 0.5)
    return out


def _log_cosh(off: F64) -> F64:
    size = np.abs(off)
    out: F64 = size + np.log1p(np.exp(-2 * size)) - math.log(2)
    return out


#: What regressions minimise, by name; Huber's with a threshold of 1, the default of torch and Keras.
ERRORS: Final[Mapping[str, Measure]] = {
    "squared": np.square,
    "absolute": np.abs,
    "huber": _huber,
    "log_cosh": _log_cosh,
}


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Task:
    """Targets seen, and how the recorded loss relates to ours.

    ``targets``: class labels, or flattened values of a regression. ``ratios``: recorded loss by
    recomputed one, of the last recordings that agree, for each formula: 1 for a mean, 0.5 for half
    squared errors, the batch size for a sum. ``error``: the formula that explains the losses best;
    ``scales``: its ratios.
    """

    family: str = ""
    error: str = ""
    classes: int = 0
    targets: F64 = field(default_factory=_empty)
    scales: list[float] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)

    def observe(self, seen: Scored) -> None:
        """Take in one recorded step."""
        targets = seen.labels() if seen.family == "categorical" else seen.targets
        if targets is None or not seen.family:
            return
        self.family, self.classes = seen.family, seen.classes
        if len(self.targets) < _KEPT:
            self.targets = np.concatenate([self.targets, targets.ravel()])[:_KEPT]
        if seen.loss is None or not math.isfinite(seen.loss):
            return
        for name, value in computed(seen, targets).items():
            if value > _TINY:
                scale, known = seen.loss / value, self.ratios.get(name, [])
                agrees = bool(known) and abs(scale / (known[0] or math.nan) - 1) < _OFF
                self.ratios[name] = [*(known if agrees else []), scale][-_AGREE:]
        if self.ratios:
            self.error = max(self.ratios, key=self._credit)
            self.scales = self.ratios[self.error]

    @property
    def chance(self) -> float | None:
        """Loss of the best constant answer, in the program's own units; None until it is known.

        Entropy of the labels, entropy of the share of ones, variance of the targets, or their mean
        absolute distance from the median.
        """
        if len(self.scales) < _AGREE or len(self.targets) < 2:
            return None
        return self.scales[-1] * self.guess

    @property
    def guess(self) -> float:
        """:attr:`chance` as a plain mean over elements."""
        if self.family == "categorical":
            shares = np.unique(self.targets, return_counts=True)[1] / len(self.targets)
            return float(-(shares * np.log(shares)).sum())
        if self.family == "binary":
            p = min(max(float(self.targets.mean()), _TINY), 1 - _TINY)
            return -(p * math.log(p) + (1 - p) * math.log(1 - p))
        return guess_error(self.error, self.targets)

    def _credit(self, name: str) -> tuple[int, float]:
        """How well a formula explains the losses: recordings that agree, then how near its scale is to 1."""
        scales = self.ratios[name]
        return len(scales), -abs(math.log(abs(scales[-1]) or _TINY))


def guess_error(error: str, targets: F64) -> float:
    """Mean error ``error`` of the better of two constant answers to ``targets``: their mean and their median."""
    measure = ERRORS.get(error, np.square)
    return min(float(measure(targets - at).mean()) for at in (targets.mean(), np.median(targets)))


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
        return {"entropy": _categorical(seen, targets.astype(np.int64))} if fits else {}
    if targets.size != seen.outputs.size or not targets.size:
        return {}
    outputs, targets = seen.outputs.ravel(), targets.ravel()
    if seen.family == "binary":
        return {"entropy": binary_entropy(seen.logits, outputs, targets)} if seen.logits is not None else {}
    off = outputs - targets
    return {name: float(measure(off).mean()) for name, measure in ERRORS.items()}


def binary_entropy(logits: bool, outputs: F64, targets: F64) -> float:
    """Mean binary cross entropy of ``outputs`` (logits, or probabilities) and targets of one shape."""
    if logits:
        return float((np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))).mean())
    inside = np.clip(outputs, _TINY, 1 - _TINY)
    return float(-(targets * np.log(inside) + (1 - targets) * np.log1p(-inside)).mean())


def _categorical(seen: Scored, labels: npt.NDArray[np.int64]) -> float:
    own = seen.outputs[np.arange(len(labels)), labels]
    if seen.logits is False:
        return float(-np.log(np.maximum(own, _TINY)).mean())
    if seen.logits is None:  # logarithms of probabilities
        return float(-own.mean())
    top = seen.outputs.max(axis=1)
    return float((top + np.log(np.exp(seen.outputs - top[:, None]).sum(axis=1)) - own).mean())
