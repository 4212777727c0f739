"""Arrays of two frameworks held against each other: the same numbers, perhaps with other axes first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from auditor.compare.identify.evidence import F64


def ways(a: F64, b: F64) -> Iterator[F64]:
    """``b`` with its axes in every order in which it has the shape of ``a``; the first, samples, stays."""
    if a.ndim == 0 or a.ndim != b.ndim:
        if a.size == b.size and a.shape[:1] == b.shape[:1]:
            yield b.reshape(a.shape)
        return
    for order in itertools.permutations(range(1, b.ndim)):
        turned = b.transpose(0, *order)
        if turned.shape == a.shape:
            yield turned


def nearest(a: F64, b: F64) -> float | None:
    """The relative distance of two arrays in the order of axes in which it is least; None if no order fits."""
    return min((distance(a, turned) for turned in ways(a, b)), default=None)


def distance(a: F64, b: F64) -> float:
    """Relative L2 distance."""
    scale = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) / scale if scale > 0 else 0.0
