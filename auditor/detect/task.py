"""What a model that knows nothing of the inputs would pay: the cost of guessing, from recorded targets."""

from __future__ import annotations

import math
from collections.abc import Callable
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
_TINY: Final = 1e-7

Loss = Callable[[F64, F64], float]


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Task:
    """Targets seen, and how the recorded loss relates to ours.

    ``targets``: class labels, or flattened values of a regression. ``scales``: recorded loss by
    recomputed one, of the last recordings: 1 for a mean, 0.5 for half squared errors, the batch size
    for a sum.
    """

    family: str = ""
    error: str = ""
    classes: int = 0
    targets: F64 = field(default_factory=_empty)
    scales: list[float] = field(default_factory=list)

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
            scale = seen.loss / value if value > _TINY else math.nan
            if self._continues(name, scale):
                self.error = name
                self.scales = [*self.scales, scale][-_AGREE:]
                return
        # Neither formula agrees with the steps before: begin again with the first one.
        self.error, self.scales = "", []
        for name, value in computed(seen, targets).items():
            if value > _TINY:
                self.error, self.scales = name, [seen.loss / value]
                return

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
        if self.error == "absolute":
            return float(np.abs(self.targets - np.median(self.targets)).mean())
        return float(self.targets.var())

    def _continues(self, name: str, scale: float) -> bool:
        return self.error == name and bool(self.scales) and abs(scale / self.scales[0] - 1) < 0.02


def computed(seen: Scored, targets: F64) -> dict[str, float]:
    """The losses that the recorded one may be a multiple of, by name; empty where nothing can be computed."""
    if seen.family == "categorical":
        fits = len(targets) == len(seen.outputs) and targets.min() >= 0 and targets.max() < seen.classes
        return {"entropy": _categorical(seen, targets.astype(np.int64))} if fits else {}
    if targets.size != seen.outputs.size or not targets.size:
        return {}
    outputs, targets = seen.outputs.ravel(), targets.ravel()
    if seen.family == "binary":
        return {"entropy": _binary(seen.logits, outputs, targets)} if seen.logits is not None else {}
    off = outputs - targets
    return {"squared": float((off**2).mean()), "absolute": float(np.abs(off).mean())}


def _binary(logits: bool, outputs: F64, targets: F64) -> float:
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
