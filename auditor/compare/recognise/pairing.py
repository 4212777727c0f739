"""Which target belongs to which input: rows that both sides were seen to train on, held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent

#: Rows of a common input below which nothing is said.
_FEWEST: Final = 32
#: Part of the common rows that may have another target: noise that somebody added to some labels is told elsewhere.
_SAME: Final = 0.9
#: Part of the targets that both sides must have at all: else they are scaled or coded otherwise.
_KNOWN: Final = 0.95
#: Part of the rows whose new target follows from the old one: then targets have other names, and no other order.
_RENAMED: Final = 0.95
#: Rows of a target that is not unique: of continuous ones every new target follows from the old.
_REPEATED: Final = 4
#: What classes of other numbers count for: no step is harder, but the two answer different questions.
_NUMBERED: Final = 0.05

Rows = Mapping[bytes, bytes]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Equal inputs with other targets, though the targets are the same ones: the two were shuffled apart."""
    (left, varies), (right, too) = _rows(a), _rows(b)
    common = left.keys() & right.keys()
    if len(common) < _FEWEST or (varies and too):  # inputs that do not say which row they are of
        return
    pairs = [(left[row], right[row]) for row in common]
    kept = sum(mine == theirs for mine, theirs in pairs) / len(pairs)
    known = set(left.values())
    alike = sum(theirs in known for theirs in right.values()) / len(right)
    if kept >= _SAME or alike < _KNOWN:
        return
    if _renamed(pairs):
        yield from _other_names(pairs, 1 - kept)
        return
    told = f"{percent(1 - kept)} of the inputs that both sides train on have another target"
    words = ("paired", f"{percent(1 - kept)} otherwise")
    if kept > (1 + _chance(pairs)) / 2:  # nearer to all of them than to as many as any order leaves
        yield Cause("DATA-00", "data.target.changed", words, 1 - kept, f"{told}: labels are wrong on one side")
    else:
        yield Cause("DATA-00", "data.pairing", words, 1 - kept, f"{told}: they were shuffled apart")


def _other_names(pairs: list[tuple[bytes, bytes]], part: float) -> Iterator[Cause]:
    """The same classes with other numbers: as hard to learn, and every answer means something else."""
    numbers = {number for pair in pairs for one in pair for number in np.frombuffer(one, np.float32)}
    if not all(float(number).is_integer() for number in numbers):
        return
    effect = f"{percent(part)} of the inputs that both sides train on have another class, always the same for the same"
    yield Cause("DATA-00", "data.target.numbering", ("in order", "otherwise"), _NUMBERED, f"{effect}: renumbered")


def _chance(pairs: list[tuple[bytes, bytes]]) -> float:
    """The part of the rows that have their own target in any order."""
    counts = Counter(mine for mine, _ in pairs)
    return sum((many / len(pairs)) ** 2 for many in counts.values())


def _rows(side: Profile) -> tuple[Rows, bool]:
    """The target that each input had first, of batches recorded whole, as float32; whether one had another later."""
    found: dict[bytes, bytes] = {}
    others = False
    for one in side.evidence.steps:
        inputs, targets = data(one, "batch"), data(one, "target")
        if inputs is None or targets is None or inputs.ndim < 1 or targets.ndim < 1 or len(inputs) != len(targets):
            continue
        for given, wanted in zip(_bytes(inputs), _bytes(targets), strict=True):
            others |= found.setdefault(given, wanted) != wanted
    return found, others


def _bytes(values: F64) -> list[bytes]:
    rows = np.ascontiguousarray(values.reshape(len(values), -1), np.float32)
    return [row.tobytes() for row in rows + np.float32(0.0)]  # -0.0 is 0.0


def _renamed(pairs: list[tuple[bytes, bytes]]) -> bool:
    """Whether the new target follows from the old one, as where classes are numbered otherwise."""
    counts: dict[bytes, dict[bytes, int]] = {}
    for mine, theirs in pairs:
        told = counts.setdefault(mine, {})
        told[theirs] = told.get(theirs, 0) + 1
    follows = sum(max(told.values()) for told in counts.values())
    return len(pairs) >= _REPEATED * len(counts) and follows >= _RENAMED * len(pairs)
