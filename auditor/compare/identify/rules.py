"""Update rules as frameworks compute them, in float64.

Each takes :class:`Gradients` (steps, elements), learning rates (steps, 1) and hyperparameters, and gives what
each step adds to the weights. State starts empty: the tracks begin with the optimizer's first step.
Sources: the installed frameworks' own code (torch 2.13 ``torch/optim``, Keras 3.15
``keras/src/optimizers``, scikit-learn 1.9 ``neural_network/_stochastic_optimizers.py``), checked
against them by ``tests/unit/compare/test_pairs_optimizer.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64

Settings = Mapping[str, Any]
Rule = Callable[["Gradients", F64, Settings], F64]

#: Where epsilon enters.
AFTER: Final = "added to the root after bias correction"
BEFORE: Final = "added to the root before bias correction"
OUTSIDE: Final = "added to the root"
UNDER: Final = "under the root"
WITHIN: Final = "within the maximum"
BESIDE: Final = "added to the maximum"
#: Rules whose step does not depend on the gradient's scale, but for epsilon and decay.
SCALE_FREE: Final = frozenset({"adam", "nadam", "adamax", "radam", "rmsprop", "adagrad", "adadelta", "lion"})
#: Running means of one gradient that are kept.
_KEPT: Final = 32


class Gradients:
    """Gradients (steps, elements) and their running means, each computed once: many hypotheses ask for the same."""

    def __init__(self, values: F64) -> None:
        self.values = values
        self._means: dict[tuple[int, float], F64] = {}

    def mean(self, decay: float) -> F64:
        """The running mean that weighs the old with ``decay``, from zero."""
        return self._mean(1, decay)

    def square(self, decay: float) -> F64:
        """That of the squares."""
        return self._mean(2, decay)

    def _mean(self, power: int, decay: float) -> F64:
        found = self._means.get((power, decay))
        if found is None:
            if len(self._means) >= _KEPT:  # a search that tries ever other numbers
                self._means.clear()
            values = self.values if power == 1 else self.values * self.values
            found = self._means[power, decay] = ema(values, decay)
        return found


def sgd(g: Gradients, rate: F64, p: Settings) -> F64:
    """Momentum ``momentum``, ``dampening`` (never of the first step), ``nesterov``; buffer with the rate in or out."""
    mu, damp = p.get("momentum", 0.0), p.get("dampening", 0.0)
    if not mu:
        return -rate * g.values
    inside = p.get("momentum_buffer") == "rate inside"
    fresh = g.values * rate if inside else g.values
    added = (1 - damp) * fresh
    added[0] = fresh[0]
    buffer = _carried(added, mu)
    step = fresh + mu * buffer if p.get("nesterov") else buffer
    moved: F64 = -step if inside else -rate * step
    return moved


def ema(x: F64, decay: float) -> F64:
    """The running mean that weighs the old with ``decay``, from zero: (steps, elements)."""
    return _carried((1 - decay) * x, decay)


def _carried(x: F64, factor: float) -> F64:
    """To each row, in place, ``factor`` times what became of the one before it."""
    for t in range(1, len(x)):
        x[t] += factor * x[t - 1]
    return x


def counted(g: Gradients) -> F64:
    """1, 2, ... as a column."""
    return np.arange(1, len(g.values) + 1, dtype=np.float64)[:, None]


def adam(g: Gradients, rate: F64, p: Settings) -> F64:
    """Adam and AMSGrad; epsilon beside the corrected or the raw root; without ``bias_correction`` as it is."""
    numerator, root, scale = adam_parts(g, rate, p)
    moved: F64 = -numerator / (root + p.get("epsilon", 0.0) * scale + 1e-300)
    return moved


def adam_parts(g: Gradients, rate: F64, p: Settings) -> tuple[F64, F64, F64]:
    """Numerator, corrected root and what multiplies epsilon beside it: one, or the correction of the raw root."""
    b1, b2 = p["beta_1"], p["beta_2"]
    m, v = g.mean(b1), g.square(b2)
    t = counted(g)
    if p.get("amsgrad"):
        v = np.maximum.accumulate(v, axis=0)
    if not p.get("bias_correction", True):
        return rate * m, np.sqrt(v), np.ones_like(t)
    correction = np.sqrt(1 - b2**t)
    scale = 1 / correction if p.get("epsilon_placement") == BEFORE else np.ones_like(t)
    return rate * m / (1 - b1**t), np.sqrt(v) / correction, scale


def nadam(g: Gradients, rate: F64, p: Settings) -> F64:
    """NAdam; ``momentum_decay`` 0.004 in torch, 1 in Keras, where it is not a setting."""
    b1, b2 = p["beta_1"], p["beta_2"]
    m, v = g.mean(b1), g.square(b2)
    t = counted(g)
    psi = p.get("momentum_decay", 1.0)
    now = b1 * (1 - 0.5 * 0.96 ** (t * psi))
    then = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
    product = np.cumprod(now, axis=0)
    mean = then * m / (1 - product * then) + (1 - now) * g.values / (1 - product)
    moved: F64 = -rate * mean / (np.sqrt(v / (1 - b2**t)) + p.get("epsilon", 0.0) + 1e-300)
    return moved


def adamax(g: Gradients, rate: F64, p: Settings) -> F64:
    """Adam with the infinity norm."""
    b1, b2, eps = p["beta_1"], p["beta_2"], p.get("epsilon", 0.0)
    within = p.get("epsilon_placement", WITHIN) == WITHIN
    largest = np.zeros_like(g.values[0])
    norms = np.empty_like(g.values)
    for t, grad in enumerate(g.values):
        largest = np.maximum(b2 * largest, np.abs(grad) + (eps if within else 0.0))
        norms[t] = largest
    moved: F64 = -rate * g.mean(b1) / (1 - b1 ** counted(g)) / (norms + (0.0 if within else eps) + 1e-300)
    return moved


def rmsprop(g: Gradients, rate: F64, p: Settings) -> F64:
    """RMSprop, also centered and with momentum; epsilon beside or under the root."""
    rho, eps = p["decay"], p.get("epsilon", 0.0)
    v = g.square(rho)
    if p.get("centered"):
        v = np.maximum(v - g.mean(rho) ** 2, 0.0)
    root = np.sqrt(v + eps) if p.get("epsilon_placement") == UNDER else np.sqrt(v) + eps
    scaled = g.values / (root + 1e-300)
    return sgd(
        Gradients(scaled), rate, {"momentum": p.get("momentum", 0.0), "momentum_buffer": p.get("momentum_buffer")}
    )


def adagrad(g: Gradients, rate: F64, p: Settings) -> F64:
    """Adagrad from ``initial_accumulator``; ``lr_decay`` as in torch."""
    total = p.get("initial_accumulator", 0.0) + np.cumsum(g.values * g.values, axis=0)
    eps = p.get("epsilon", 0.0)
    root = np.sqrt(total + eps) if p.get("epsilon_placement") == UNDER else np.sqrt(total) + eps
    moved: F64 = -rate / (1 + (counted(g) - 1) * p.get("lr_decay", 0.0)) * g.values / (root + 1e-300)
    return moved


def adadelta(g: Gradients, rate: F64, p: Settings) -> F64:
    """Adadelta."""
    rho, eps = p["decay"], p.get("epsilon", 0.0)
    squares = g.square(rho)
    steps = np.zeros_like(g.values[0])
    moved = np.empty_like(g.values)
    for t, grad in enumerate(g.values):
        delta = np.sqrt(steps + eps) / np.sqrt(squares[t] + eps + 1e-300) * grad
        steps = rho * steps + (1 - rho) * delta * delta
        moved[t] = -rate[t] * delta
    return moved


def lion(g: Gradients, rate: F64, p: Settings) -> F64:
    """Lion: the sign of an interpolated momentum."""
    b1, b2 = p["beta_1"], p["beta_2"]
    m = g.mean(b2)
    before = np.vstack([np.zeros_like(m[:1]), m[:-1]])
    moved: F64 = -rate * np.sign(b1 * before + (1 - b1) * g.values)
    return moved


def radam(g: Gradients, rate: F64, p: Settings) -> F64:
    """RAdam as torch has it: no adaptation while the variance is unreliable."""
    b1, b2, eps = p["beta_1"], p["beta_2"], p.get("epsilon", 0.0)
    if b2 >= 1:  # where a search ends that finds none: its moments never come to be
        return np.full_like(g.values, np.nan)
    m, v = g.mean(b1), g.square(b2)
    t = counted(g)
    most = 2 / (1 - b2) - 1
    length = most - 2 * t * b2**t / (1 - b2**t)
    ratio = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * np.maximum(length, 4.1))
    rectified = np.sqrt(np.maximum(ratio, 0)) * np.sqrt(1 - b2**t) / (np.sqrt(v) + eps + 1e-300)
    moved: F64 = -rate * m / (1 - b1**t) * np.where(length > 5, rectified, 1.0)
    return moved


RULES: Final[Mapping[str, Rule]] = {
    "sgd": sgd,
    "adam": adam,
    "nadam": nadam,
    "adamax": adamax,
    "rmsprop": rmsprop,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "lion": lion,
    "radam": radam,
}


#: Settings without which a rule cannot be replayed.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("adam", "nadam", "adamax", "lion", "radam"), ("beta_1", "beta_2")),
    **dict.fromkeys(("rmsprop", "adadelta"), ("decay",)),
}


def predict(g: Gradients, w: F64, rate: F64, rule: str, p: Settings) -> F64:
    """What a rule adds to weights ``w`` (steps, elements) at each step, with weight decay as ``p`` has it."""
    decay = p.get("weight_decay", 0.0)
    if np.any(decay) and p.get("decay_coupling") == "coupled":
        g = Gradients(g.values + decay * w)
    moved = RULES[rule](g, rate, p)
    if np.any(decay) and p.get("decay_coupling") == "decoupled":
        moved = moved - rate * decay * w
    return moved
