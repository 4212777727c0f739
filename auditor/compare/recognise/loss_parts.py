"""What the parts of two losses count for, as their graphs say: where no numbers tell one function of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from auditor.compare import effects
from auditor.compare.identify.loss_parts import Part
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import REPORTED, Cause, between, close, sure

#: Relative difference of two weights that is none: batches of another size than the first, rounding.
_SAME: Final = 0.02
#: Functions that every framework has as they are: of others one may be another's spelling.
_PLAIN: Final = frozenset({"square", "absolute value", "exponential", "cross entropy", "binary cross entropy"})
#: Parts that are counted by rows, of which frameworks tell other numbers.
_ROWS: Final = frozenset({"cross entropy", "entropy"})
_WORDS: Final = 5

Key = tuple[str, float | None, int]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Parts that count for more on one side, that are there on one side only, or are of logits scaled otherwise.

    Nothing where the numbers of both sides tell what is minimised.
    """
    both = between(a, b, "loss.parts")
    if both is None:
        return
    confidence = min(0.9, sure(*both))
    left, right = (_by_key(fact.value) for fact in both)
    common = [key for key in left if key in right]
    if not common:
        return
    if any(between(a, b, name) is not None for name in ("loss.function", "loss.terms", "loss.heads")):
        yield from _scaled(left, right, confidence)
        return
    ratios = [_counts(right[key]) / _counts(left[key]) for key in common if _counts(left[key])]
    alike = bool(ratios) and all(close(ratio, ratios[0], _SAME) for ratio in ratios)
    values = (_words(both[0].value), _words(both[1].value))
    lacking = [key for key in (*left, *right) if key not in common]
    if not alike:
        if not lacking and min(ratios) > 0:
            most = max(ratios) / min(ratios)
            effect = f"one part of the loss counts {most:.4g} times as much against the others on one side"
            yield Cause("LOSS-00", "loss.terms", values, 1 - 1 / most, effect, confidence=confidence)
        return
    if lacking:
        yield from _lacking(left, right, lacking, values, confidence)
        return
    yield from _scaled(left, right, confidence)
    if not close(ratios[0], 1.0, _SAME) and ratios[0] > 0:
        yield from _size(a, b, ratios[0], [part.size for part in left.values()], values)


def alike(a: Profile, b: Profile) -> bool:
    """Whether the graphs of both losses have the same parts, each of which counts for as much."""
    both = between(a, b, "loss.parts")
    if both is None or not both[0].value:
        return False
    left, right = (_by_key(fact.value) for fact in both)
    same = left.keys() == right.keys() and {key[0] for key in left} <= _PLAIN
    return same and all(close(_counts(left[key]), _counts(right[key]), _SAME) for key in left)


def _lacking(
    left: Mapping[Key, Part], right: Mapping[Key, Part], lacking: Sequence[Key], values: tuple[str, str], sure_: float
) -> Iterator[Cause]:
    one_side = all(key in left for key in lacking) or all(key in right for key in lacking)
    if one_side and {key[0] for key in lacking} <= _PLAIN and {key[0] for key in (*left, *right)} <= _PLAIN:
        names = ", ".join(sorted({key[0] for key in lacking}))
        effect = f"a part of the loss is there on one side only: {names}"
        yield Cause("LOSS-00", "loss.terms", values, 0.5, effect, confidence=sure_)


def _scaled(left: Mapping[Key, Part], right: Mapping[Key, Part], sure_: float) -> Iterator[Cause]:
    """Logits that are multiplied by another number before their softmax: a temperature."""
    for key in left:
        scales = left[key].scale, right[key].scale if key in right else None
        if scales[0] is None or scales[1] is None or scales[0][1] != scales[1][1]:
            continue  # a model that scales what it gives, say, against a loop that does
        mine, theirs = scales[0][0], scales[1][0]
        if not close(abs(mine), abs(theirs), _SAME):
            ratio = max(abs(mine / theirs), abs(theirs / mine))
            effect = f"what the softmax of the loss is of is {ratio:.3g} times as large on one side: a temperature"
            told = (f"{key[0]} of {mine:.4g} x logits", f"{key[0]} of {theirs:.4g} x logits")
            yield Cause("LOSS-00", "loss.temperature", told, min(1.0, math.log(ratio)), effect, confidence=sure_)
            return


def _size(a: Profile, b: Profile, ratio: float, sizes: Sequence[float], values: tuple[str, str]) -> Iterator[Cause]:
    """The whole of it is larger: summed where the other takes the mean."""
    if a.value("update.batches_per_step", 1) != b.value("update.batches_per_step", 1):
        return
    more, batch = max(ratio, 1 / ratio), float(a.value("data.batch_size", 0))
    entry = "LOSS-00"
    if close(more, batch, _SAME):
        entry = "LOSS-03"
    elif len(sizes) == 1 and sizes[0] > 1 and close(more, sizes[0], _SAME):
        entry = "LOSS-14"
    found = [effects.scaled(a, ratio), effects.scaled(b, 1 / ratio)]
    steps = min(2.0, max((size for size in found if size is not None), default=more - 1))
    effect = f"the loss is {more:.4g} times as large on one side"
    yield Cause(entry, "loss.scale", values, max(REPORTED, steps), effect, confidence=0.8)


def _counts(part: Part) -> float:
    """What a part counts for; of rows all of them, for a batch may be of more samples than the loss has rows."""
    return part.weight * part.size if part.function in _ROWS else part.weight


def _by_key(parts: Sequence[Part]) -> dict[Key, Part]:
    """By function and size; of several of one kind by which counts for most."""
    found: dict[Key, Part] = {}
    for part in sorted(parts, key=lambda one: -abs(one.weight)):
        size = None if part.function in _ROWS else round(part.size, 3)
        key = next(key for at in range(len(parts)) if (key := (part.function, size, at)) not in found)
        found[key] = part
    return found


def _words(parts: Sequence[Part]) -> str:
    return " + ".join(f"{part.weight:.4g} x {part.function}({part.size:g})" for part in parts[:_WORDS])
