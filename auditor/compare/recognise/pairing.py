"""Which target belongs to which input: rows that both sides were seen to train on, held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64, data, targets_of
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent

#: Rows of a common input below which nothing is said.
_FEWEST: Final = 32
#: Part of the common rows that may have another target before all of them may be in another order,
_SAME: Final = 0.9
#: and part and number of them that are more than some inputs which come twice, with targets of their own.
_FEW: Final = 0.02
_SOME: Final = 8
#: Part of the targets that both sides must have at all: else they are scaled or coded otherwise.
_KNOWN: Final = 0.95
#: Part of the rows whose new target follows from the old one: then targets have other names, and no other order.
_RENAMED: Final = 0.95
#: Difference of one number scaled in float32 and in float64, relative to it or to one unit of a scaled quantity.
_ROUNDED: Final = 1e-5
#: Rows of a target that is not unique: of continuous ones every new target follows from the old.
_REPEATED: Final = 4
#: What classes of other numbers count for: no step is harder, but the two answer different questions.
_NUMBERED: Final = 0.05

#: Parameters of what is told of the targets themselves.
TARGETS: Final = frozenset({"data.target.classes", "data.target.changed"})

Rows = Mapping[bytes, bytes]
Pairs = Sequence[tuple[bytes, bytes]]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Equal inputs with other targets, though the targets are the same ones: the two were shuffled apart."""
    (left, varies), (right, too) = _rows(a), _rows(b)
    common = left.keys() & right.keys()
    if len(common) < _FEWEST or (varies and too):  # inputs that do not say which row they are of
        return
    pairs = [(left[row], left[row] if _rounded(left[row], right[row]) else right[row]) for row in common]
    changed = sum(mine != theirs for mine, theirs in pairs) / len(pairs)
    if not _same_values(pairs):
        return
    if _merged(pairs):
        counts = [len({pair[side] for pair in pairs}) for side in (0, 1)]
        effect = f"classes of one side are one class on the other: {percent(changed)} of the common inputs are renamed"
        yield Cause("DATA-00", "data.target.classes", (counts[0], counts[1]), changed, effect)
    elif changed <= 1 - _SAME:
        if changed >= _FEW and changed * len(pairs) >= _SOME and not (varies or too):
            yield _changed(changed)
    elif _follows(pairs):
        yield from _other_names(pairs, changed)
    elif 1 - changed > (1 + _chance(pairs)) / 2:  # nearer to all of them than to as many as any order leaves
        yield _changed(changed)
    else:
        effect = f"{_told(changed)}: they were shuffled apart"
        yield Cause("DATA-00", "data.pairing", ("paired", f"{percent(changed)} otherwise"), changed, effect)


def _other_names(pairs: Pairs, part: float) -> Iterator[Cause]:
    """The same classes with other numbers: as hard to learn, and every answer means something else."""
    numbers = {number for pair in pairs for one in pair for number in np.frombuffer(one, np.float32)}
    if not all(float(number).is_integer() for number in numbers):
        return
    effect = f"{percent(part)} of the inputs that both sides train on have another class, always the same for the same"
    yield Cause("DATA-00", "data.target.numbering", ("in order", "otherwise"), _NUMBERED, f"{effect}: renumbered")


def _changed(part: float) -> Cause:
    effect = f"{_told(part)}: labels are wrong on one side"
    return Cause("DATA-00", "data.target.changed", ("paired", f"{percent(part)} otherwise"), part, effect)


def _told(part: float) -> str:
    return f"{percent(part)} of the inputs that both sides train on have another target"


def _same_values(pairs: Pairs) -> bool:
    """Whether the targets of one side are among those of the other: neither scaled nor coded otherwise."""
    sides = [{pair[side] for pair in pairs} for side in (0, 1)]
    parts = [sum(pair[side] in sides[1 - side] for pair in pairs) / len(pairs) for side in (0, 1)]
    return max(parts) >= _KNOWN


def _chance(pairs: Pairs) -> float:
    """The part of the rows that have their own target in any order."""
    counts = Counter(mine for mine, _ in pairs)
    return sum((many / len(pairs)) ** 2 for many in counts.values())


def _rows(side: Profile) -> tuple[Rows, bool]:
    """The target that each input had first, of batches recorded whole, as float32; whether one had another later."""
    found: dict[bytes, bytes] = {}
    others = False
    for one in side.evidence.steps:
        inputs, targets = data(one, "batch"), data(one, "target")
        if len(targets_of(one)) > 1:  # of several losses nobody knows which one comes first on the other side
            return {}, False
        if inputs is None or targets is None or inputs.ndim < 1 or targets.ndim < 1 or len(inputs) != len(targets):
            continue
        for given, wanted in zip(_bytes(inputs), _bytes(classes(targets)), strict=True):
            others |= found.setdefault(given, wanted) != wanted
    return found, others


def _bytes(values: F64) -> list[bytes]:
    rows = np.ascontiguousarray(values.reshape(len(values), -1), np.float32)
    return [row.tobytes() for row in rows + np.float32(0.0)]  # -0.0 is 0.0


def classes(targets: F64) -> F64:
    """Class numbers of one-hot rows; other targets as they are."""
    rows = targets.reshape(len(targets), -1)
    one_hot = rows.shape[1] > 1 and bool(np.isin(rows, (0.0, 1.0)).all() and (rows.sum(axis=1) == 1).all())
    return np.argmax(rows, axis=1).astype(np.float64)[:, None] if one_hot else rows


def _rounded(one: bytes, other: bytes) -> bool:
    """Whether two targets are one but for rounding."""
    mine, theirs = (np.frombuffer(told, np.float32) for told in (one, other))
    return one == other or (mine.size == theirs.size and bool(np.allclose(mine, theirs, _ROUNDED, _ROUNDED / 10)))


def _merged(pairs: Pairs) -> bool:
    """Whether several targets of one side are one on the other, and each side's follow from the other's otherwise."""
    backwards = [(theirs, mine) for mine, theirs in pairs]
    return any(_follows(way, whole=True) and len({x for x, _ in way}) > len({y for _, y in way})
               for way in (pairs, backwards))  # fmt: skip


def _follows(pairs: Pairs, *, whole: bool = False) -> bool:
    """Whether the new target follows from the old one, as where classes are numbered otherwise; ``whole``: always."""
    counts: dict[bytes, dict[bytes, int]] = {}
    for mine, theirs in pairs:
        told = counts.setdefault(mine, {})
        told[theirs] = told.get(theirs, 0) + 1
    follows = sum(max(told.values()) for told in counts.values())
    least = 1.0 if whole else _RENAMED
    return len(pairs) >= _REPEATED * len(counts) and follows >= least * len(pairs)
