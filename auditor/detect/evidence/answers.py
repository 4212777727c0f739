"""Are more of a classifier's answers right than of one and the same for all, whatever they cost?

A loss may lie above the cost of guessing in a run that learns: a few answers that are wrong and sure of it
outweigh many right ones. So the right ones are counted.
"""

from __future__ import annotations

import math

import numpy as np

from auditor.detect.evidence.scored import Scored
from auditor.detect.view import F64


def named(seen: Scored) -> tuple[F64, F64] | None:
    """The labels of a classifier's batch and the classes that it answered, each (N,); None if they are not known."""
    rows, labels = seen.outputs, None
    if not np.isfinite(rows).all():
        return None
    if seen.family == "categorical" and seen.classes > 1:
        labels, answers = seen.labels(), rows.argmax(axis=1).astype(np.float64)
    elif seen.family == "binary" and seen.classes == 1 and seen.targets is not None:
        labels, answers = seen.targets.ravel(), (rows[:, 0] > (0.0 if seen.logits else 0.5)).astype(np.float64)
    if labels is None or len(labels) != len(rows) or not bool((labels == np.floor(labels)).all()):
        return None
    return labels, answers


def surely_right(seen: Scored) -> float:
    """By how many standard errors a batch's right answers are more than its commonest class; NaN if not told."""
    known = named(seen)
    return math.nan if known is None else _beyond(known[1], known[0])


def _beyond(answers: F64, labels: F64) -> float:
    commonest = float(np.unique(labels, return_counts=True)[1].max() / len(labels))
    if commonest == 1:
        return math.nan
    right = float((answers == labels).mean())
    return (right - commonest) / math.sqrt(commonest * (1 - commonest) / len(labels))
