"""Two biases where the other has one: PyTorch's LSTM adds both, and trains both (FWD-14).

Their gradients are the same, so their sum moves twice as far at every step as the one bias of another framework.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent

#: Only the next steps show it, no output of the first.
PARAMETER: Final = "lstm.biases"
#: How PyTorch calls the bias of what a cell remembers, beside that of what it is given.
_SECOND: Final = "bias_hh"
#: Cells in which the two are only ever added.
_CELLS: Final = frozenset({"lstm", "rnn"})


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Nothing where one of the two is left as it is, or the other side has two as well."""
    for side, other in ((a, b), (b, a)):
        twice = _twice(side, other)
        moved = sum(float((track.moved**2).sum()) for track in side.evidence.tracks)
        part = sum(float((track.moved**2).sum()) for track in side.evidence.tracks if track.name in twice)
        if part > 0:
            weight = min(1.0, math.sqrt(part / moved))
            values = ("two" if side is a else "one", "one" if side is a else "two")
            effect = (
                f"two biases are added and both are trained on one side: {percent(weight)} of a step is the second's"
            )
            # Every port has it that leaves the layer as it is: under rules that adapt their steps it is only named.
            plain = side.value("update.rule") == "sgd"
            yield Cause("FWD-14", PARAMETER, values, weight, effect, mend="a" if side is a else "b", chance=not plain)


def _twice(side: Profile, other: Profile) -> set[str]:
    """The second biases of a side where the other side has none, as its tensors of these sizes tell."""
    cells = {one.kind for one in side.structure.operations} & _CELLS
    names = {track.name: track.weight.shape[1] for track in side.evidence.tracks if _SECOND in track.name}
    if not cells or not names or any(_SECOND in track.name for track in other.evidence.tracks):
        return set()
    many, few = (_vectors(one) for one in (side, other))
    seconds = Counter(names.values())
    return {name for name, size in names.items() if many[size] - few[size] == seconds[size] and few[size] > 0}


def _vectors(side: Profile) -> Counter[int]:
    """How many vectors of each size a run's weights have."""
    first = side.evidence.first
    weights = () if first is None else first.of("weight").values()
    return Counter(one.size for one in weights if len(one.shape) == 1)
