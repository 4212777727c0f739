"""One difference of the data, told once: what shows several of its sides at a time is one cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from auditor.compare.recognise.cause import Cause

#: What sizes and centres tell of the inputs and of the targets: values coded or scaled otherwise differ in several.
_SIZES: Final = ("scale", "range", "mean")
#: What explains all of these where it was seen, the most telling first.
_EXPLAINS: Final = ("data.target.numbering", "data.target.classes", "data.target.given")
#: Numbers in other places: of images that were reshaped both show it.
_MOVED: Final = ("data.input.axes", "data.input.arrangement")


def gathered(causes: Sequence[Cause]) -> Iterator[Cause]:
    """The causes, of each subject's sizes the largest one alone, with the effects of the others behind its own.

    Args:
        causes: what the data tells.
    """
    told: set[int] = set()
    for subject in ("data.input", "data.target"):
        of_it = [one for one in causes if one.id == "DATA-00" and _of(one, subject)]
        main = next((one for name in _EXPLAINS for one in causes if name == one.parameter and _of(one, subject)), None)
        first = main or max(of_it, key=lambda one: one.weight, default=None)
        if first is None:
            continue
        others = sorted((one for one in of_it if one is not first), key=lambda one: -one.weight)
        told |= {id(one) for one in (first, *others)}
        yield replace(first, effect="; ".join(one.effect for one in (first, *others)))
    moved = [one for one in causes if one.parameter in _MOVED]
    if len(moved) == len(_MOVED):
        first, second = sorted(moved, key=lambda one: _MOVED.index(one.parameter))
        told |= {id(first), id(second)}
        weight = max(first.weight, second.weight)
        yield replace(first, weight=weight, effect=f"{first.effect}; {second.effect}")
    yield from (one for one in causes if id(one) not in told)


def _of(one: Cause, subject: str) -> bool:
    return one.parameter.startswith(f"{subject}.") and (
        one.parameter in _EXPLAINS or one.parameter.rpartition(".")[2] in _SIZES
    )
