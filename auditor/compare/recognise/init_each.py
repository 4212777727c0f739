"""Initial weights one by one: what the largest of each kind does not tell of the others.

A table of positions among kernels, the last kernel of a block that begins at zero, projections that were drawn as one
packed matrix. Tensors correspond by their sizes where both sides have as many of each; of several of one size those
that are drawn alike do, whatever they are called.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

#: As ``init.weights`` has them.
Weight = Mapping[str, Any]
#: Logarithm of how many times as widely spread, and how far chance may put it.
Spread = Callable[[Mapping[str, Any], Mapping[str, Any]], tuple[float, float]]

_KERNEL: Final = 2
#: Elements of a tensor below which its spread says little.
_FEWEST: Final = 32
_CONSTANT: Final = frozenset({"zeros", "ones", "constant"})
_SAME: Final = 1e-6
#: Times the error of one comparison, for there are as many as tensors.
_MANY: Final = 1.5
#: What being drawn otherwise costs against the largest ratio of two spreads that counts.
_APART: Final = 100.0


def apart(a: Sequence[Weight], b: Sequence[Weight], spread: Spread) -> Iterator[tuple[Weight, Weight]]:
    """Kernels of one size that are drawn otherwise; none where the two sides cut their kernels into other tensors."""
    left, right = _kernels(a), _kernels(b)
    if not as_many(a, b):
        return
    groups: dict[int, tuple[list[Weight], list[Weight]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate((left, right)):
        for one in side:
            groups[_size(one)][place].append(one)
    for mine, theirs in groups.values():
        if min(one["elements"] for one in (*mine, *theirs)) >= _FEWEST:
            yield from _unlike(mine, theirs, spread)


def as_many(a: Sequence[Weight], b: Sequence[Weight]) -> bool:
    """Whether both sides have kernels, and as many of each size."""
    left, right = (Counter(map(_size, _kernels(side))) for side in (a, b))
    return bool(left) and left == right


def _kernels(side: Sequence[Weight]) -> list[Weight]:
    several = (one for one in side if len(one["shape"]) >= _KERNEL)
    return [part for one in several if not str(one.get("kind", "")).endswith("bias") for part in _parts(one)]


def _unlike(mine: Sequence[Weight], theirs: Sequence[Weight], spread: Spread) -> Iterator[tuple[Weight, Weight]]:
    """What is left of two groups once all that are drawn alike are put together."""
    off = [[_distance(one, other, spread) for other in theirs] for one in mine]
    if not any(map(any, off)):
        return
    from scipy.optimize import linear_sum_assignment  # a tenth of a second: few runs need it

    for i, j in zip(*linear_sum_assignment(np.array(off)), strict=True):
        if off[i][j]:
            yield mine[i], theirs[j]


def _distance(one: Weight, other: Weight, spread: Spread) -> float:
    """Nothing of two that may be drawn alike; else how far they are apart, always more than nothing."""
    constant = [side["distribution"] in _CONSTANT for side in (one, other)]
    if all(constant):
        return 0.0 if abs(one["mean"] - other["mean"]) <= _SAME else _APART
    if any(constant):
        return 2 * _APART
    ratio, error = spread(_spread_of(one), _spread_of(other))
    return 0.0 if abs(ratio) <= _MANY * error else _APART + min(abs(ratio), _APART)


def _spread_of(one: Weight) -> dict[str, Any]:
    bound = one.get("scale") if one["distribution"] == "uniform" else None
    return {"std": one.get("std", 0.0), "bound": bound, "elements": one["elements"]}


def _parts(one: Weight) -> list[Weight]:
    """A tensor of its own; of the three projections that PyTorch's attention has in one, each."""
    if not str(one["name"]).endswith("in_proj_weight") or one["shape"][0] % 3:
        return [one]
    third = {"shape": [one["shape"][0] // 3, *one["shape"][1:]], "elements": one["elements"] // 3}
    return [{**one, **third}] * 3


def _size(one: Weight) -> int:
    return math.prod(one["shape"])
