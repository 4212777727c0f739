"""What losses compute: errors and cross entropies of plain arrays, and what a constant answer costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from auditor.detect.view import F64

#: The smallest probability, and the smallest loss, that counts (keras.config.epsilon()).
TINY: Final = 1e-7

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


def guess_error(error: str, targets: F64, weights: F64 | float = 1.0) -> float:
    """Mean error ``error`` of the better of two constant answers to ``targets``: their mean and their median."""
    measure, each = ERRORS.get(error, np.square), np.broadcast_to(weights, targets.shape)
    mean = float((each * targets).mean() / (each.mean() or 1.0))
    return min(float((each * measure(targets - at)).mean()) for at in (mean, float(np.median(targets))))


def binary_entropy(logits: bool, outputs: F64, targets: F64, weights: F64 | float = 1.0) -> float:
    """Mean binary cross entropy of ``outputs`` (logits, or probabilities) and targets of one shape, each weighted."""
    if logits:
        each = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
        return float((weights * each).mean())
    inside = np.clip(outputs, TINY, 1 - TINY)
    return float(-(weights * (targets * np.log(inside) + (1 - targets) * np.log1p(-inside))).mean())


def categorical_entropy(logits: bool | None, outputs: F64, labels: F64, weights: F64 | float = 1.0) -> float:
    """Weighted mean cross entropy of rows of logits (True), probabilities (False) or logarithms of such (None)."""
    own = outputs[np.arange(len(labels)), labels.astype(np.int64)]
    if logits is False:
        return float(-(weights * np.log(np.maximum(own, TINY))).mean())
    if logits is None:
        return float(-(weights * own).mean())
    top = outputs.max(axis=1)
    return float((weights * (top + np.log(np.exp(outputs - top[:, None]).sum(axis=1)) - own)).mean())
