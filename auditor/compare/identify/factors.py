"""The target of a loss that the program writes itself, found among what the loss was multiplied with.

``-(y * log(p)).mean()`` has no operation that says which of its numbers is the target, and a weight or a mask is
multiplied with it in the same way. Whatever makes a loss of the tables give the recorded values is the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import loss, taped
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.loss_fits import LossFit
from auditor.compare.identify.loss_pairs import pairs_of
from auditor.ingest.records import StepRecording

Values = npt.NDArray[Any]

_TARGET: Final = "loss.target"
#: Losses to which the length of a target is nothing.
_OF_ANGLES: Final = "cosine"
#: Steps whose losses have to follow from the target: fewer can by chance.
_FEWEST: Final = 5


def told(evidence: Evidence) -> tuple[Evidence, list[LossFit]]:
    """The evidence with its target, and what its loss may be.

    As it was where no factor explains the loss; without a target that was a factor and is none, as it seems.
    """
    by_tape = taped.guessed(evidence)
    evidence = taped.of_model(evidence) if by_tape else evidence
    for candidate in _candidates(evidence, "target" if by_tape else "factor") if by_tape or _unknown(evidence) else ():
        if len(pairs_of(candidate)) >= _FEWEST:
            fits = loss.identify(candidate)
            if fits and fits[0].explains:
                scaled = fits[0].function.startswith(_OF_ANGLES)  # the target may have been scaled to a length of one
                kept = untold(candidate) if scaled else candidate
                return taped.without_others(kept) if by_tape else kept, fits
    if by_tape:
        evidence = taped.without_others(untold(evidence))
    return evidence, loss.identify(evidence)


def untold(evidence: Evidence) -> Evidence:
    """Without targets."""
    return replace(evidence, steps=tuple(_without(one) for one in evidence.steps))


def _unknown(evidence: Evidence) -> bool:
    """Whether nothing was recorded as the target."""
    return evidence.first is not None and not evidence.first.of("target")


def _candidates(evidence: Evidence, role: str) -> Iterator[Evidence]:
    """The evidence with one target after the other: each as it is, as a part of it, as what it leaves of one."""
    first = evidence.first
    names = list(first.of(role)) if first is not None else []
    for made in (_positive, _unit, _rest):
        for name in names:
            steps = [_with(one, (role, name), made) for one in evidence.steps]
            if None not in steps:
                yield replace(evidence, steps=tuple(one for one in steps if one is not None))


def _positive(values: Values) -> Values:
    """A target, or a target with the sign of the loss."""
    negative = values.dtype.kind == "f" and bool((values <= 0).all())
    found: Values = -values if negative else values
    return found


def _unit(values: Values) -> Values | None:
    """Labels of 0 and 1 by themselves, where they come with the weight of the ones."""
    found, most = _positive(values), np.abs(values).max(initial=0)
    if found.dtype.kind != "f" or not 0 < most != 1 or not np.isin(found, (0, most)).all():
        return None
    one: Values = found / most
    return one


def _rest(values: Values) -> Values | None:
    """What ``(1 - y)`` is of: the weight of the other part may be in its factor."""
    return 1 - values if values.dtype.kind == "f" and np.isin(values, (0, 1)).all() else None


def _with(one: StepRecording, key: tuple[str, str], made: Callable[[Values], Values | None]) -> StepRecording | None:
    """A step that has what is made of the array for its target; None where it cannot be."""
    found = one.arrays.get(key)
    if found is None or found.values is None:
        return None if found is not None else one
    values = made(found.values)
    if values is None:
        return None
    target = replace(found, role="target", name=_TARGET, values=values)
    return replace(one, arrays={**_without(one).arrays, ("target", _TARGET): target})


def _without(one: StepRecording) -> StepRecording:
    """A step without a target."""
    return replace(one, arrays={key: array for key, array in one.arrays.items() if key[0] != "target"})
