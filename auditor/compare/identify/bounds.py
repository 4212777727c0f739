"""Within what a constraint keeps weights: the length of a unit's, the least and the most of any number.

Keras applies a constraint as a part of its step (``kernel_constraint``), a loop in PyTorch or TensorFlow clips weights
between two steps. Weights pile up at the bound either way, and there the two are one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, Evidence, Track
from auditor.compare.identify.fact import Fact

BOUNDS: Final = "update.bounds"
#: How near to a bound lies at it: a constraint divides by a length and a little, and rounds.
_AT: Final = 1e-5
#: Numbers at a bound, over all steps, and steps with such, from which on it is one.
_FEWEST, _STEPS = 3, 2
_MATRIX: Final = 2


def facts(evidence: Evidence, moved_aside: Collection[str]) -> list[Fact]:
    """``update.bounds``: of each tensor that something moves beside the rule its elements and its bounds, by kind.

    Args:
        evidence: of one run.
        moved_aside: tensors that the rule does not explain; to them come those that are moved between steps.
    """
    found: list[dict[str, Any]] = []
    for track in evidence.tracks:
        between = len(track.weight) > 1 and bool(np.any(track.weight[1:] != track.updated[:-1]))
        if between or track.name in moved_aside:
            kept = track.weight[1:] if between else track.updated
            found.append({"elements": kept.shape[1], "bounds": dict(_of(kept, track))})
    return [Fact(BOUNDS, sorted(found, key=repr))] if any(one["bounds"] for one in found) else []


def _of(kept: F64, track: Track) -> Iterator[tuple[str, float]]:
    """The bounds of one tensor's numbers, (steps, elements), by what they are of."""
    moves = kept[:, np.any(kept != kept[0], axis=0)]
    if not moves.size:
        return
    for kind, bound in (("most", float(moves.max())), ("least", float(moves.min()))):
        if _piles(moves, bound):
            yield kind, bound
    if kept.shape[1] != int(np.prod(track.shape)) or len(track.shape) != _MATRIX:
        return
    rows = kept.reshape(-1, *track.shape)
    for axis in (1, 2):
        # A unit that nothing moves is as long at every step.
        lengths = np.linalg.norm(rows, axis=axis)[:, np.any(rows != rows[0], axis=(0, axis))]
        if _piles(lengths, lengths.max()):
            yield "length", float(lengths.max())


def _piles(values: F64, bound: float) -> bool:
    """Whether several numbers lie at a bound, at several steps."""
    at = np.abs(values - bound) <= _AT * max(abs(bound), 1e-30)
    return bool(at.sum() >= _FEWEST and at.any(axis=1).sum() >= _STEPS)


def alike(a: Any, b: Any) -> bool:
    """Whether two runs' tensors are as many, as large, and within the same bounds."""
    if not a or not b or len(a) != len(b):
        return False
    pairs = zip(a, b, strict=True)
    return all(
        one["elements"] == other["elements"]
        and one["bounds"].keys() == other["bounds"].keys()
        and all(
            abs(value - other["bounds"][kind]) <= _AT * max(1.0, abs(value)) for kind, value in one["bounds"].items()
        )
        for one, other in pairs
    )
