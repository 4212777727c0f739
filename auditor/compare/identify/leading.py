"""Which of several inputs stands for the batch: frameworks put them in another order, by name or as they are called.

What is said of a batch is said of the first of its arrays. Of several inputs that is the one with the most numbers a
sample; of equally many one that is no code; of several such the one with the largest values. Names and places are no
help: Keras sorts a dictionary's inputs by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.ingest.records import Recorded, StepRecording

_INPUT: Final = re.compile(r"input\d+")


def first(recordings: Sequence[StepRecording], of: Sequence[StepRecording]) -> list[StepRecording]:
    """The recordings with that input before the others.

    Args:
        recordings: training steps or evaluations.
        of: the training steps that decide.
    """
    name = _leading(of)
    if name is None:
        return list(recordings)
    return [_before_others(one, name) for one in recordings]


def _leading(steps: Sequence[StepRecording]) -> str | None:
    """The name of the input that is to be first; None where there is one alone, or it is so already."""
    names = [name for name in (steps[0].of("batch") if steps else ()) if _INPUT.fullmatch(name)]
    if len(names) < len(("one", "other")):
        return None
    best = min(names, key=lambda name: _key([one.of("batch").get(name) for one in steps]))
    return None if best == names[0] else best


def _key(arrays: Sequence[Recorded | None]) -> tuple[int, bool, float]:
    """Sorts first what leads: numbers a sample, whether they are codes, their size over all steps."""
    held = [array for array in arrays if array is not None and array.values is not None]
    if not held:
        return 0, True, 0.0
    values: F64 = np.concatenate([np.asarray(array.values, np.float64).ravel() for array in held])
    size = float(np.sqrt(np.mean(values * values))) if values.size else 0.0
    codes = np.array_equal(values, np.round(values))  # of whatever type: a framework may be given them as floats
    return -prod(held[0].shape[1:]), codes, -size


def _before_others(one: StepRecording, name: str) -> StepRecording:
    lead = ("batch", name)
    if lead not in one.arrays:
        return one
    return replace(one, arrays={lead: one.arrays[lead], **one.arrays})
