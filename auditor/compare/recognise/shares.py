"""Shares that add up to one, of attention or at the end of a network: over which axis, how scaled, how masked.

FWD-22, FWD-20 and the masks of attention (FWD-00).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from auditor.compare.profile import Profile
from auditor.compare.recognise import sizes, squashed
from auditor.compare.recognise.cause import Cause, between, close
from auditor.compare.structure import told_by, words

#: Relative difference of two scales that is no rounding.
_SCALES: Final = 1e-3
#: What is told of each softmax of the two sides.
_Pairs = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """What shares on the two sides are of."""
    yield from _over_samples(a, b)
    yield from _softmax(a, b)


def _over_samples(a: Profile, b: Profile) -> Iterator[Cause]:
    """A softmax at the end over the samples of a batch: by what the outputs add up to."""
    ends = tuple("the samples" if squashed.along_batch(side) else "the classes" for side in (a, b))
    if ends[0] != ends[1]:
        effect = "outputs add up to one over the samples of a batch on one side, over the classes on the other"
        yield Cause("FWD-22", "softmax.over", (ends[0], ends[1]), 0.9, effect, confidence=0.9)


def _softmax(a: Profile, b: Profile) -> Iterator[Cause]:
    """Each softmax within the networks: over another axis, of products of another scale."""
    left, right = a.structure.shares, b.structure.shares
    if len(left) != len(right):
        left, right = ((*side.structure.shares, *_of_layers(side)) for side in (a, b))
    if len(left) != len(right):  # a head at a time on one side
        left, right = tuple(_apart(left)), tuple(_apart(right))
    if len(left) != len(right):
        return
    pairs = list(zip(left, right, strict=True))
    yield from _of_samples(a, b, pairs)
    yield from list(_over(a, b, pairs)) or _summed(pairs)
    for word in ("causal", "padded"):
        masks = [(mine.get(word), theirs.get(word)) for mine, theirs in pairs]
        if (off := next((two for two in masks if two[0] != two[1] and None not in two), None)) is not None:
            yield Cause("FWD-00", f"attention.{word}", off, sizes.ANOTHER, sizes.SAID[word], confidence=0.9)
    yield from _mixed(pairs)
    for mine, theirs in ((one.get("scale"), other.get("scale")) for one, other in pairs):
        if mine and theirs and not close(abs(mine), abs(theirs), _SCALES):
            ratio = max(abs(mine / theirs), abs(theirs / mine))
            effect = f"the products of which attention takes the softmax are {ratio:.3g} times as large on one side"
            yield Cause("FWD-20", "attention.scale", (mine, theirs), min(1.0, math.log(ratio)), effect, confidence=0.9)
            break


def _apart(told: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of those in a row of which the same is told one."""
    return [one for at, one in enumerate(told) if not at or one != told[at - 1]]


def _over(a: Profile, b: Profile, pairs: _Pairs) -> Iterator[Cause]:
    """Shares over another number of values, of inputs of the same extents."""
    features = between(a, b, "data.features")
    if features is None or features[0].value != features[1].value:
        return
    over = [(mine.get("over"), theirs.get("over")) for mine, theirs in pairs]
    if (off := next((two for two in over if two[0] != two[1] and None not in two), None)) is not None:
        effect = f"shares add up to one over {off[0]} numbers on one side, over {off[1]} on the other"
        samples = [side.value("data.batch_size") == told for side, told in zip((a, b), off, strict=True)]
        yield Cause(
            "FWD-22", "softmax.over", (off[0], off[1]), sizes.ANOTHER, effect, confidence=0.9,
            mend="a" if samples == [True, False] else "b",
        )  # fmt: skip


def _mixed(pairs: _Pairs) -> Iterator[Cause]:
    """Heads of several positions' parts: rows were cut as they lie, where heads were to be moved before positions."""
    told = [(mine.get("mixed"), theirs.get("mixed")) for mine, theirs in pairs]
    if (off := next((two for two in told if two[0] != two[1] and None not in two), None)) is not None:
        words_ = tuple("of several positions each" if one else "of every position" for one in off)
        effect = "on one side a head has parts of several positions: rows were reshaped where an axis was to be moved"
        yield Cause("FWD-20", "attention.mixed", (words_[0], words_[1]), sizes.ANOTHER, effect, confidence=0.9,
                    mend="a" if off[0] else "b")  # fmt: skip


def _summed(pairs: _Pairs) -> Iterator[Cause]:
    """Shares that add up to one along another axis than the one over which what they multiply is summed."""
    told = [(mine.get("summed"), theirs.get("summed")) for mine, theirs in pairs]
    if (off := next((two for two in told if two[0] != two[1] and None not in two), None)) is not None:
        words_ = tuple("the axis that is summed" if one else "another axis than is summed" for one in off)
        effect = "shares add up to one along another axis on one side than the one over which their products are summed"
        yield Cause("FWD-22", "softmax.summed", (words_[0], words_[1]), sizes.ANOTHER, effect, confidence=0.9,
                    mend="b" if off[0] else "a")  # fmt: skip


def _of_samples(a: Profile, b: Profile, pairs: _Pairs) -> Iterator[Cause]:
    """A softmax over as many numbers as a batch has samples, against one along another axis of a size not told."""
    sizes_ = [side.value("data.batch_size") for side in (a, b)]
    features = [extent for side in (a, b) for extent in side.value("data.features") or ()]
    for two in pairs:
        samples = [one.get("over") == size is not None for one, size in zip(two, sizes_, strict=True)]
        other = two[0 if samples[1] else 1].get("axis")
        if any(samples) and not all(samples) and other not in {None, 0} and sizes_[samples.index(True)] not in features:
            words_ = tuple("the samples" if one else f"axis {other}" for one in samples)
            effect = "shares add up to one over the samples of a batch on one side, along another axis on the other"
            yield Cause("FWD-22", "softmax.over", (words_[0], words_[1]), sizes.ANOTHER, effect, confidence=0.9,
                        mend="a" if samples[0] else "b")  # fmt: skip
            return


def _of_layers(side: Profile) -> list[Mapping[str, Any]]:
    """What each softmax that is a layer, or within one of attention, says: by how much it is scaled, or over what."""
    widths = [width for one in side.layers if words.kind_of(one.get("class")) == "attention" and (width := _head(one))]
    return [
        *({"scale": 1 / math.sqrt(width), "summed": True, "mixed": False} for width in widths),
        *_shared(side.layers),
    ]


def _shared(layers: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Over how many numbers each softmax is that is a layer of Keras, but for one at the end; or its axis."""
    for one in layers[:-1]:
        config, shape = one.get("config"), one.get("output_shape")
        axis = config.get("axis") if isinstance(config, Mapping) else None
        if words.plain(one.get("class")) == "softmax" and isinstance(axis, int):
            known = isinstance(shape, list) and -len(shape) <= axis < len(shape)
            yield told_by.known({"over": shape[axis]} if known and shape is not None else {"axis": axis})


def _head(layer: Mapping[str, Any]) -> int | None:
    """The width of a head of attention, as the layer declares it."""
    told = told_by.merged(layer)
    width, heads = told.get("embed_dim"), told.get("num_heads")
    whole = isinstance(width, int) and isinstance(heads, int) and heads > 0
    found = told.get("key_dim") or (int(width or 0) // int(heads or 1) if whole else None)
    return int(found) if isinstance(found, int) and found > 0 else None
