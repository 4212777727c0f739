"""Steps and tensors that a rule leaves unexplained although it explains the rest: something else moves them.

At some steps: weights that are overwritten by their running mean every so often, a constraint. Some
tensors: Keras squares the parts of a sparse gradient before it adds them up, so an embedding that meets
a word twice in a batch moves by a rule of its own (OPT-29).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.identify.hypothesis import EXPLAINED, Fit, Sample, judge, movement

#: Part of the steps, and of the tensors, that a rule must explain to be the rule.
_MOST: Final = 0.5
#: Part of a tensor's elements that have a gradient at some steps alone, of a table of which rows are taken.
_TAKEN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Aside:
    """What was left out: places of steps from 1, names of tensors."""

    steps: tuple[int, ...] = ()
    tensors: tuple[str, ...] = ()

    def facts(self) -> dict[str, list[Any]]:
        """What there is of them, by the facts' names."""
        told: dict[str, list[Any]] = {"interrupted": list(self.steps), "unexplained": list(self.tensors)}
        return {name: value for name, value in told.items() if value}


NOTHING: Final = Aside()


def set_aside(fits: Sequence[Fit], given: Sample) -> tuple[Fit, Sample, Aside]:
    """The first fit that explains the numbers but for few steps and tensors, held against the others only.

    Args:
        fits: hypotheses, the best at the end.
        given: what they are held against.

    Returns:
        The last fit and the whole sample where it explains everything, or no fit explains most of it.
    """
    if fits[-1].explains:
        return fits[-1], given, NOTHING
    for fit in fits:
        steps, tensors = _unexplained(fit, given)
        if steps.mean() < _MOST and tensors.mean() <= _MOST:
            rest = given.without(steps, tensors)
            again = judge(fit.hypothesis, rest)
            if again.explains:
                places = tuple(int(place) + 1 for place in np.flatnonzero(steps))
                names = tuple(name for name, left in zip(given.names, tensors, strict=True) if left)
                return again, rest, Aside(places, names)
    return fits[-1], given, NOTHING


def gathered(given: Sample) -> list[bool]:
    """By tensor, whether it looks like a table of which each batch takes other rows.

    Where most weights are such tables (users and items), what moves the others is the rule all the same.
    """
    touched = given.gradient != 0
    sometimes = np.add.reduceat(touched.any(axis=0) & ~touched.all(axis=0), given.offsets, dtype=np.float64)
    told = zip(given.names, sometimes / given.counts, strict=True)
    return [bool("embed" in name.lower() or share > _TAKEN) for name, share in told]


def _unexplained(fit: Fit, given: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Steps at which most tensors, and tensors that at most of the other steps, are not explained."""
    with np.errstate(all="ignore"):
        off = np.nan_to_num((movement(fit.hypothesis, given) - given.moved) / given.noise, nan=1e6)
    squares: F64 = np.add.reduceat(np.minimum(np.abs(off), 1e6) ** 2, given.offsets, axis=1) / given.counts
    bad = np.sqrt(squares) > EXPLAINED
    steps = bad.mean(axis=1) > _MOST
    tensors = bad[~steps].any(axis=0) if (~steps).any() else np.ones(len(given.names), np.bool_)
    return steps, tensors
