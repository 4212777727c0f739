"""What the parts of two losses count for, as their graphs say: where no numbers tell one function of each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from auditor.compare import effects
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_parts import PLAIN, STEADY, Part
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import REPORTED, Cause, between, close, sure

#: Relative difference of two weights that is none: batches of another size than the first, rounding.
_SAME: Final = 0.02
#: Functions that every framework has as they are: of others one may be another's spelling.
_PLAIN: Final = frozenset({"square", "absolute value", "exponential", "cross entropy", "binary cross entropy"})
#: Parts that are counted by rows, of which frameworks tell other numbers.
_ENTROPY: Final = "entropy"
_ROWS: Final = frozenset({"cross entropy", _ENTROPY})
_WORDS: Final = 5
#: What the divergence of a normal distribution from the standard one consists of.
_DIVERGENCE: Final = frozenset({"square", "exponential"})
#: Where the numbers of both sides tell what is minimised.
_KNOWN: Final = ("loss.function", "loss.terms", "loss.heads")

Key = tuple[str, float | None, int]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Parts that count for more on one side, that are there on one side only, or are of logits scaled otherwise.

    Nothing where the numbers of both sides tell what is minimised.
    """
    both = between(a, b, "loss.parts")
    told = [] if both is None else list(_whole(a, b, both))
    yield from told or _steady(a, b)


def _steady(a: Profile, b: Profile) -> Iterator[Cause]:
    """A part that is a mean over the values of a sample on one side and their sum on the other, whatever the rest does.

    The rest may be warmed up, or be multiplied by what nobody recorded.
    """
    both = between(a, b, STEADY)
    if both is None or any(between(a, b, name) is not None for name in _KNOWN):
        return
    left, right = (_by_key(fact.value) for fact in both)
    for key in left:
        size, ratio = key[1], _counts(right[key]) / _counts(left[key]) if key in right and _counts(left[key]) else 1.0
        if key[0] in _PLAIN and size and size > 1 and ratio > 0 and close(max(ratio, 1 / ratio), size, _SAME):
            values = (_words(both[0].value), _words(both[1].value))
            effect = f"one part of the loss counts {size:.4g} times as much on one side: its sum against its mean"
            yield Cause(_entry([key], left), "loss.terms", values, 1 - 1 / size, effect, confidence=0.8)
            return


def _whole(a: Profile, b: Profile, both: tuple[Fact, Fact]) -> Iterator[Cause]:
    """All parts of both losses."""
    confidence = min(0.9, sure(*both))
    left, right = (_by_key(fact.value) for fact in both)
    common = [key for key in left if key in right]
    if not common:
        return
    if any(between(a, b, name) is not None for name in _KNOWN):
        yield from _scaled(left, right, confidence)
        return
    ratios = [_ratio(left[key], right[key]) for key in common if _counts(left[key])]
    alike = bool(ratios) and all(close(ratio, ratios[0], _SAME) for ratio in ratios)
    values = (_words(both[0].value), _words(both[1].value))
    lacking = [key for key in (*left, *right) if key not in common]
    if not alike:
        if not lacking and min(ratios) > 0:
            most = max(ratios) / min(ratios)
            effect = f"one part of the loss counts {most:.4g} times as much against the others on one side"
            entry = _reduced({key: _counts(right[key]) / _counts(left[key]) for key in common if _counts(left[key])})
            yield Cause(entry, "loss.terms", values, 1 - 1 / most, effect, confidence=confidence)
        return
    if lacking:
        if not _given(a, b, without_a=any(key in right for key in lacking)):
            yield from _lacking(left, right, lacking, values, confidence)
        return
    yield from _scaled(left, right, confidence)
    if not close(ratios[0], 1.0, _SAME) and ratios[0] > 0:
        yield from _size(a, b, ratios[0], [part.size for part in left.values()], values)


def _reduced(ratios: Mapping[Key, float]) -> str:
    """The entry of parts that count for another share: a mean over the values of a sample where the other side sums."""
    base = max(ratios.values(), key=lambda one: sum(close(one, other, _SAME) for other in ratios.values()))
    odd = [(key, ratio / base) for key, ratio in ratios.items() if not close(ratio, base, _SAME)]
    sizes = [key[1] for key, ratio in odd if key[1] and key[1] > 1 and close(max(ratio, 1 / ratio), key[1], _SAME)]
    divergence = {key[0] for key, _ in odd} == _DIVERGENCE and len({*sizes}) == 1
    if len(sizes) != len(odd) or not (len(odd) == 1 or divergence):
        return "LOSS-00"
    return _entry([key for key, _ in odd], ratios)


def _entry(odd: Sequence[Key], parts: Collection[Key]) -> str:
    """The entry of parts that are reduced otherwise: of a divergence, of binary cross entropies, of others."""
    code = [key for key in parts if key[0] in _DIVERGENCE and key[1] == odd[0][1]]
    if odd[0][0] in _DIVERGENCE and {key[0] for key in code} == _DIVERGENCE:
        return "LOSS-10"
    return "LOSS-15" if odd[0][0] == "binary cross entropy" else "LOSS-14"


def alike(a: Profile, b: Profile) -> bool:
    """Whether the graphs of both losses have the same parts, each of which counts for as much."""
    both = between(a, b, "loss.parts")
    if both is None or not both[0].value:
        return False
    left, right = (_by_key(fact.value) for fact in both)
    same = left.keys() == right.keys() and {key[0] for key in left} <= _PLAIN
    return same and all(close(_counts(left[key]), _counts(right[key]), _SAME) for key in left)


def _given(a: Profile, b: Profile, *, without_a: bool) -> bool:
    """Whether the model of the side without a part may make it itself: the loss takes more there that it gives."""
    plain = between(a, b, PLAIN)
    counts = [0, 0] if plain is None else [int(fact.value) for fact in plain]
    return counts[0] > counts[1] if without_a else counts[1] > counts[0]


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


def _ratio(left: Part, right: Part) -> float:
    """How many times the other's a part counts; once where one side has a class of each row, the other all by ones."""
    picked = left.function == right.function == _ENTROPY and left.size != right.size
    return 1.0 if picked and close(left.weight, right.weight, _SAME) else _counts(right) / _counts(left)


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
