"""Decoders that are given the right answers in training against such that are given their own: teacher forcing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from auditor.compare.profile import Profile
from auditor.compare.recognise import sizes
from auditor.compare.recognise.cause import Cause

#: Difference of two parts of the steps that no coin of one kind leaves, of as many steps as it takes to tell.
_APART: Final = 0.7
_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class _Fed:
    """In which part of the steps a layer is given the network's own answers; ``sure``: no coin has a part in it."""

    part: float
    sure: bool
    layer: str = ""
    by: str = ""


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """A layer that is given what the network said last, on one side alone."""
    left, right = _of(a), _of(b)
    if left is None or right is None or not (left.sure and right.sure) or abs(left.part - right.part) < _APART:
        return
    most = max(left, right, key=lambda one: one.part)
    words = _words(left), _words(right)
    effect = f"{most.layer} is given what {most.by} said last on one side, and the right answers on the other"
    yield Cause("FWD-00", "forward.fed_back", (words[0], words[1]), sizes.ANOTHER, effect, confidence=0.9)


def _words(one: _Fed) -> str:
    return f"its own answers in {100 * one.part:.0f} % of the steps" if one.part else "never its own answers"


def _of(side: Profile) -> _Fed | None:
    """What the recorded steps show; None where no pass was told whole."""
    steps = [one.facts["layers"] for one in side.evidence.steps if isinstance(one.facts.get("layers"), list)]
    loops = [[layer for layer in layers if _repeated(layer)] for layers in steps]
    loops = [layers for layers in loops if layers]
    if side.framework == "torch" and loops:
        return _counted([next((one for one in layers if one.get("fed_by")), {}) for layers in loops])
    told = next((one.facts for one in side.evidence.steps if isinstance(one.facts.get("operations"), list)), None)
    if told is None or not told.get("operations_whole", True):
        return None
    repeated = [one for one in told["operations"] if _repeated(one)]
    fed: Mapping[str, Any] = next((one for one in repeated if one.get("fed_by")), {})
    return _Fed(1.0 if fed else 0.0, sure=True, layer=str(fed.get("layer", "")), by=str(fed.get("fed_by", "")))


def _counted(steps: list[Mapping[str, Any]]) -> _Fed:
    fed = [one for one in steps if one]
    named: Mapping[str, Any] = fed[0] if fed else {}
    enough = len(steps) >= _STEPS
    return _Fed(len(fed) / len(steps), enough, str(named.get("name", "")), str(named.get("fed_by", "")))


def _repeated(layer: Any) -> bool:
    return isinstance(layer, Mapping) and int(layer.get("calls") or 1) > 1
