"""Activations that were seen to be other functions, whatever they are called: FWD-08, FWD-09, FWD-10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.compare.identify.activations import SEEN, Function
from auditor.compare.profile import Profile
from auditor.compare.recognise import sizes
from auditor.compare.recognise.cause import Cause
from auditor.compare.structure import Operation

#: Entries of one function with other settings.
_SETTINGS: Final = {"gelu": ("FWD-08", "gelu.approximate"), "leakyrelu": ("FWD-09", "leakyrelu.slope")}
#: Functions that are known by other formulas as well: Keras 2 had a hard sigmoid of slope 0.2.
_FORMULAS: Final[Mapping[str, Function]] = {"hardsigmoid": ("hardsigmoid", (("slope", 1 / 6),))}


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """The first layer of two networks of the same sizes behind which no function explains both."""
    left, right = a.value(SEEN) or (), b.value(SEEN) or ()
    if [one[:2] for one in left] == [one[:2] for one in right]:
        for (*_, mine), (*_, theirs) in zip(left, right, strict=True):
            if mine and theirs and not mine & theirs:
                yield _cause(_plainest(mine), _plainest(theirs))
                return
    yield from _of_one_name(a, b)


def _of_one_name(a: Profile, b: Profile) -> Iterator[Cause]:
    """A function of the program's own beside PyTorch's of that name, which has one formula."""
    for side, other in ((a, b), (b, a)):
        seen = {one for *_, functions in side.value(SEEN) or () for one in functions}
        for name, formula in _FORMULAS.items():
            among = [one for one in seen if one[0] == name]
            called = [sum(_named(one, name) for one in each.structure.operations) for each in (side, other)]
            if other.framework == "torch" and len(among) == 1 and among[0] != formula and 0 < called[0] == called[1]:
                mine, theirs = (among[0], formula) if side is a else (formula, among[0])
                yield _cause(mine, theirs)


def _named(one: Operation, name: str) -> bool:
    return one.kind == "activation" and one.settings.get("function") == name


def _cause(mine: Function, theirs: Function) -> Cause:
    entry, parameter = _SETTINGS.get(mine[0], ("FWD-10", "activation.function"))
    if mine[0] != theirs[0] or mine[0] not in _SETTINGS:
        entry, parameter = "FWD-10", "activation.function"
    made = (Operation("activation", "", {"function": name, **dict(settings)}) for name, settings in (mine, theirs))
    size, effect = sizes.apart(*made)
    return Cause(entry, parameter, (_words(mine), _words(theirs)), size, effect, confidence=0.95)


def _plainest(functions: frozenset[Function]) -> Function:
    """Of functions that all explain what was seen, the one of fewest settings, then the first by name."""
    return min(functions, key=lambda one: (len(one[1]), one[0]))


def _words(function: Function) -> str:
    name, settings = function
    told = ", ".join(f"{key}={_number(value)}" for key, value in settings)
    return f"{name}({told})" if told else name


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
