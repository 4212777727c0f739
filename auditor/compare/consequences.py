"""What follows from a cause: stages after it that differ in size, told under it and not as causes of their own.

Another initialiser gives other outputs, another loss and other gradients; none of these is a reason. Of
each stage one number is looked at over the first recorded steps. It differs if the two runs' medians are
further apart than the steps of each scatter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare import catalogue
from auditor.compare.identify.evidence import F64, data
from auditor.compare.identify.fact import STAGES
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause
from auditor.ingest.records import Recorded, StepRecording

#: Recorded steps that are looked at.
_STEPS: Final = 8
#: Two sizes differ from this ratio on, and beyond so many times the scatter of either run's steps: what one
#: seed has differently from another is told neither as a cause nor as what follows from one.
_RATIO: Final = 1.5
_SCATTERS: Final = 3.0


def of(a: Profile, b: Profile, roots: Sequence[Cause]) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
    """By a cause's id and parameter, the stages after it in which the two differ in size.

    Args:
        a: one run.
        b: the other.
        roots: the causes that matter; what follows is put under the last of them that comes before it.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for stage, words, size in _QUANTITIES:
        before = [cause for cause in roots if catalogue.entry(cause.id).order < STAGES.index(stage)]
        if not before:
            continue
        sides = [[value for one in side.evidence.steps[:_STEPS] if (value := size(one))] for side in (a, b)]
        told = _apart(*sides)
        if told is not None:
            last = max(before, key=lambda cause: catalogue.entry(cause.id).order)
            entry = {"stage": stage, "quantity": words, "a": told[0], "b": told[1], "ratio": told[1] / told[0]}
            found.setdefault((last.id, last.parameter), []).append(entry)
    return found


def words(one: Mapping[str, Any]) -> str:
    """One consequence: ``gradients 3.2 times as large (backward)``."""
    ratio = float(one["ratio"])
    more = ratio if ratio >= 1 else 1 / ratio
    return f"{one['quantity']} {more:.3g} times as large in {'b' if ratio >= 1 else 'a'} ({one['stage']})"


def _apart(a: Sequence[float], b: Sequence[float]) -> tuple[float, float] | None:
    """The medians, if they differ beyond chance."""
    if not a or not b or not all(math.isfinite(value) and value > 0 for value in (*a, *b)):
        return None
    logs = [np.log(side) for side in (a, b)]
    middles = [float(np.median(side)) for side in logs]
    scatter = math.hypot(*(float(np.std(side)) for side in logs))
    if abs(middles[1] - middles[0]) < max(math.log(_RATIO), _SCATTERS * scatter):
        return None
    return math.exp(middles[0]), math.exp(middles[1])


def _norm(arrays: Mapping[str, Recorded]) -> float | None:
    """L2 norm of several tensors together; of sampled ones as their samples suggest."""
    squares = 0.0
    for array in arrays.values():
        if array.values is None or not array.elements:
            return None
        values: F64 = np.asarray(array.values, np.float64)
        squares += float(np.sum(values * values)) * array.size / array.elements
    return math.sqrt(squares) if squares > 0 else None


def _rms(values: F64 | None) -> float | None:
    return None if values is None or not values.size else float(np.sqrt(np.mean(values * values)))


def _moved(one: StepRecording) -> float | None:
    weights, after = one.of("weight"), one.of("updated")
    size, squares = _norm(weights), 0.0
    for name, array in after.items():
        before = weights.get(name)
        if before is None or before.values is None or array.values is None or before.elements != array.elements:
            return None
        off = np.asarray(array.values, np.float64) - np.asarray(before.values, np.float64)
        squares += float(np.sum(off * off)) * array.size / max(1, array.elements)
    return math.sqrt(squares) / size if size and squares > 0 else None


_QUANTITIES: Final[tuple[tuple[str, str, Callable[[StepRecording], float | None]], ...]] = (
    ("data", "inputs", lambda one: _rms(data(one, "batch"))),
    ("forward", "outputs", lambda one: _rms(data(one, "output", "output0"))),
    ("loss", "the loss", lambda one: one.scalars.get("loss")),
    ("backward", "gradients", lambda one: _norm(one.of("gradient"))),
    ("optimizer", "updates", _moved),
)
