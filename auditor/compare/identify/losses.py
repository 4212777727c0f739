"""Pointwise losses as frameworks compute them, in float64: output and target to a loss per element.

Those of whole rows (cross entropy, cosine) give one number per row. Sources: the installed
frameworks' own code, checked against them by ``tests/unit/compare/test_pairs_loss.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64

Pointwise = Callable[[F64, F64], F64]

#: What Keras clips probabilities to.
KERAS_EPSILON: Final = 1e-7
#: What reductions by weights are called where those are a mask.
MASKED: Final = {
    "weighted, mean over batch": "padding as zeros, mean",
    "mean by weight": "mean without padding",
    "weighted, sum over batch": "sum without padding",
}


def squared(o: F64, y: F64) -> F64:
    """(o - y)²."""
    return (o - y) ** 2


def absolute(o: F64, y: F64) -> F64:
    """|o - y|."""
    return np.abs(o - y)


def huber(delta: float) -> Pointwise:
    """Quadratic within ``delta``, linear beyond (torch's HuberLoss, Keras's Huber)."""

    def loss(o: F64, y: F64) -> F64:
        off = np.abs(o - y)
        return np.where(off <= delta, 0.5 * off * off, delta * (off - 0.5 * delta))

    return loss


def smooth_l1(beta: float) -> Pointwise:
    """Huber's divided by ``beta`` (torch's SmoothL1Loss)."""
    return lambda o, y: huber(beta)(o, y) / beta


def log_cosh(o: F64, y: F64) -> F64:
    """Log cosh(o - y)."""
    off = np.abs(o - y)
    found: F64 = off + np.log1p(np.exp(-2 * off)) - np.log(2.0)
    return found


def poisson_rate(o: F64, y: F64) -> F64:
    """O - y log(o + 1e-7), o a rate (Keras)."""
    return o - y * np.log(o + KERAS_EPSILON)


def poisson_rate_torch(o: F64, y: F64) -> F64:
    """O - y log(o + 1e-8), o a rate (torch with ``log_input=False``)."""
    return o - y * np.log(o + 1e-8)


def poisson_log(o: F64, y: F64) -> F64:
    """exp(o) - y o, o the logarithm of a rate."""
    return np.exp(o) - y * o


def hinge(o: F64, y: F64) -> F64:
    """max(0, 1 - y o), y in {-1, 1}; {0, 1} are made so, as Keras does."""
    return np.maximum(0.0, 1 - _signs(y) * o)


def squared_hinge(o: F64, y: F64) -> F64:
    """The square of it."""
    return hinge(o, y) ** 2


def hinge_as_given(o: F64, y: F64) -> F64:
    """max(0, 1 - y o) of labels of 0 and 1 as they are: of the zeros a loss of one that no output changes."""
    return np.maximum(0.0, 1 - y * o)


def squared_hinge_as_given(o: F64, y: F64) -> F64:
    """The square of it."""
    return hinge_as_given(o, y) ** 2


def _signs(y: F64) -> F64:
    return 2 * y - 1 if np.isin(y, (0.0, 1.0)).all() else y


def squared_logarithmic(o: F64, y: F64) -> F64:
    """(log(1 + o) - log(1 + y))²."""
    return (np.log1p(np.maximum(o, KERAS_EPSILON)) - np.log1p(np.maximum(y, KERAS_EPSILON))) ** 2


def percentage(o: F64, y: F64) -> F64:
    """100 |o - y| / |y|."""
    return 100 * np.abs((o - y) / np.maximum(np.abs(y), KERAS_EPSILON))


def percentage_over(floor: float) -> Pointwise:
    """100 |o - y| / max(|y|, floor): Keras's with another number for its epsilon."""
    return lambda o, y: 100 * np.abs(o - y) / np.maximum(np.abs(y), floor)


def binary_logits(o: F64, y: F64) -> F64:
    """Binary cross entropy of logits."""
    return np.maximum(o, 0) - o * y + np.log1p(np.exp(-np.abs(o)))


def binary_probabilities(clip: float, *, single: bool = False) -> Pointwise:
    """Binary cross entropy of probabilities that are kept ``clip`` away from 0 and 1.

    ``single``: the bounds as float32 has them. The upper one is a rounding unit away from 1e-7 below one, and the
    loss of what is cut there off by a hundredth.
    """
    high = float(np.float32(1) - np.float32(clip)) if single else 1 - clip

    def loss(o: F64, y: F64) -> F64:
        p = np.clip(o, clip, high)
        return -(y * np.log(p) + (1 - y) * np.log1p(-p))

    return loss


def binary_log_probabilities(o: F64, y: F64) -> F64:
    """Binary cross entropy of logarithms of probabilities: what a loss written by hand multiplies its target with."""
    rest = -np.expm1(np.minimum(o, 0.0))
    return np.where(o <= 0, -(y * o + (1 - y) * np.log(rest)), np.nan)


def positives(log_probability: Callable[[F64], F64]) -> Pointwise:
    """Binary cross entropy without its half for what is negative: -y log(p), of one output.

    Of several classes that is a cross entropy.
    """

    def loss(o: F64, y: F64) -> F64:
        if o.ndim > 1 and o.shape[-1] > 1:
            return np.full(o.shape, np.nan)
        return np.where(y != 0, -y * log_probability(o), 0.0)

    return loss


def log_sigmoid(o: F64) -> F64:
    """log(1 / (1 + exp(-o)))."""
    found: F64 = -np.logaddexp(0.0, -o)
    return found


def focal(loss: Pointwise) -> Pointwise:
    """A binary cross entropy times (1 - p)^2, p the probability of the right class (Lin et al. 2017; Keras)."""

    def weighed(o: F64, y: F64) -> F64:
        part = loss(o, y)
        found: F64 = (1 - np.exp(-part)) ** 2 * part
        return found

    return weighed


def log_softmax(o: F64) -> F64:
    """Of the last axis."""
    shifted = o - o.max(axis=-1, keepdims=True)
    found: F64 = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def cross_entropy(log_probabilities: F64, y: F64) -> F64:
    """Of one-hot or probability rows ``y`` of the output's shape, one number per row."""
    found: F64 = -(y * log_probabilities).sum(axis=-1)
    return found


def logits_rows(o: F64, y: F64) -> F64:
    """Cross entropy of logits."""
    return cross_entropy(log_softmax(o), y)


def double_rows(o: F64, y: F64) -> F64:
    """Cross entropy of the softmax of what is a softmax already (LOSS-05): ``o`` are the probabilities."""
    return cross_entropy(log_softmax(o), y)


def double_rows_of_logits(o: F64, y: F64) -> F64:
    """The same where ``o`` are the logits before the first softmax."""
    return cross_entropy(log_softmax(np.exp(log_softmax(o))), y)


def probability_rows(clip: float) -> Pointwise:
    """Cross entropy of probabilities, made to add up to one and kept ``clip`` away from 0 and 1 (Keras)."""

    def loss(o: F64, y: F64) -> F64:
        p = o / o.sum(axis=-1, keepdims=True)
        return cross_entropy(np.log(np.clip(p, clip, 1 - clip)), y)

    return loss


def clipped_shares_rows(o: F64, y: F64) -> F64:
    """Cross entropy of probabilities clipped first and then made to add up to one (Keras, of class numbers)."""
    p = np.clip(o, KERAS_EPSILON, 1 - KERAS_EPSILON)
    return cross_entropy(np.log(p / p.sum(axis=-1, keepdims=True)), y)


def log_probability_rows(o: F64, y: F64) -> F64:
    """Cross entropy of logarithms of probabilities (torch's NLLLoss)."""
    return cross_entropy(o, y)


def share_rows(o: F64, y: F64) -> F64:
    """Minus the probability itself of the right class: a softmax of logits where its logarithm was to be taken."""
    return cross_entropy(np.exp(log_softmax(o)), y)


def divergence(o: F64, y: F64) -> F64:
    """Y log(y / o) per element, o probabilities (Keras)."""
    o, y = np.clip(o, KERAS_EPSILON, 1), np.clip(y, KERAS_EPSILON, 1)
    return y * np.log(y / o)


def divergence_log(o: F64, y: F64) -> F64:
    """Y (log y - o) per element, o logarithms of probabilities (torch's KLDivLoss)."""
    return np.where(y > 0, y * np.log(np.maximum(y, 1e-300)), 0.0) - y * o


def divergence_logits(o: F64, y: F64) -> F64:
    """The same where ``o`` are logits, of which the program takes the logarithm of the softmax first."""
    if not o.ndim or o.shape[-1] < 2:
        return np.full(o.shape, np.nan)
    return divergence_log(log_softmax(o), y)


def cosine(o: F64, y: F64) -> F64:
    """Minus the cosine of each row's angle (Keras)."""
    lengths = np.linalg.norm(o, axis=-1) * np.linalg.norm(y, axis=-1)
    found: F64 = -(o * y).sum(axis=-1) / np.maximum(lengths, 1e-12)
    return found


def cosine_distance(o: F64, y: F64) -> F64:
    """One minus the cosine (torch's CosineEmbeddingLoss)."""
    return 1 + cosine(o, y)


def cosine_similarity(o: F64, y: F64) -> F64:
    """The cosine itself: a loss that turns outputs away from their targets."""
    return -cosine(o, y)


def cosine_added(o: F64, y: F64) -> F64:
    """One plus the cosine: one less a loss that is its negative already."""
    return 1 - cosine(o, y)


def weighted_rows(parts: Sequence[F64], weights: Sequence[F64]) -> dict[str, list[float]]:
    """Reductions of pointwise losses by weights, one list per step: of each element where there are as many weights.

    Else of the samples (LOSS-08). Weights of zeros and ones are a mask, which leaves out what is none (LOSS-09).
    """
    rows = [
        part.ravel() if part.size == len(w) else part.reshape(len(part), -1).mean(axis=1)
        for part, w in zip(parts, weights, strict=True)
    ]
    both = list(zip(rows, weights, strict=True))
    found = {
        "weighted, mean over batch": [float((row * w).mean()) for row, w in both],
        "mean by weight": [float((row * w).sum() / w.sum()) for row, w in both],
        "weighted, sum over batch": [float((row * w).sum()) for row, w in both],
    }
    masked = is_mask(weights)
    return {MASKED[name] if masked else name: values for name, values in found.items()}


def is_mask(weights: Sequence[F64]) -> bool:
    """Whether weights, step by step, leave out some and count the rest once."""
    return all(np.isin(w, (0.0, 1.0)).all() and w.any() for w in weights) and not all(w.all() for w in weights)
