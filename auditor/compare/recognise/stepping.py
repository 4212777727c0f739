"""What becomes of the steps: such as move nothing, and an optimizer that is made again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from auditor.compare import effects
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import REPORTED, Cause, between, percent

#: What an optimizer counts for that forgets: as steps that no rule explains, whose size cannot be replayed either.
_ANEW: Final = 0.1
#: Times that are one fine-tuning, or one run taken up again, and no more; times that are named, at most.
_ONCE: Final = 1
_NAMED: Final = 4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Steps without an effect on one side, an optimizer that forgets on one side."""
    yield from _stands(a, b)
    yield from _begun_anew(a, b)
    yield from _left_over(a, b)


def _stands(a: Profile, b: Profile) -> Iterator[Cause]:
    """Steps that move nothing at all: gradients were zeroed before them, or the weights are none of the loss's."""
    both = between(a, b, "update.stands")
    if both is None or both[0].value["moved"] == both[1].value["moved"]:
        return
    still = both[0].value if both[1].value["moved"] else both[1].value
    words = tuple("moved by each step" if fact.value["moved"] else "never moved" for fact in both)
    entry, effect = "OPT-00", "every step leaves all weights as they are, though gradients are there"
    if not still["gradients"] and still["backwards"]:
        effect = (
            "gradients are gone when the optimizer steps: it steps before the backward pass, or they were zeroed after"
        )
    elif not still["gradients"]:
        entry, effect = "BWD-00", "no gradient reaches any weight that the optimizer holds: none is ever moved"
    mend: Literal["a", "b"] = "b" if both[0].value["moved"] else "a"
    yield Cause(entry, "update.stands", (words[0], words[1]), 1.0, effect, confidence=0.95, mend=mend)


def _begun_anew(a: Profile, b: Profile) -> Iterator[Cause]:
    """An optimizer that is made again and again for one model: what it remembers is gone, if nobody hands it on.

    Once is the second phase of a fine-tuning, or a run taken up again. That its memory was not handed on is not
    known, so it is told and claims nothing.
    """
    times = [[event.step for event in side.events if _anew(event)] for side in (a, b)]
    if min(map(len, times)) > 0 or max(map(len, times)) <= _ONCE:
        return
    side, steps = (a, times[0]) if times[0] else (b, times[1])
    words = tuple(
        f"made anew after steps {', '.join(map(str, each[:_NAMED]))}" if each else "one optimizer" for each in times
    )
    effect = "the optimizer is made again and again on one side: its moments begin anew unless they are handed on"
    mend: Literal["a", "b"] = "a" if side is a else "b"
    yield Cause("OPT-00", "update.begun_anew", (words[0], words[1]), _ANEW, effect, step=steps[0] + 1, mend=mend,
                confidence=0.8, chance=True)  # fmt: skip


def _left_over(a: Profile, b: Profile) -> Iterator[Cause]:
    """An optimizer that remembers steps of other weights, which were replaced since: its first steps show it.

    It forgets them. As other first batches would, they move the weights otherwise for a while: it claims nothing.
    """
    sizes = [effects.left_over(side) for side in (a, b)]
    known = [size for size in sizes if size is not None]
    if len(known) != 1:
        return
    mend: Literal["a", "b"] = "b" if sizes[0] is None else "a"
    words = tuple("as it was made" if size is None else "as the steps before left it" for size in sizes)
    first, whole = known[0]
    effect = (
        f"the weights were replaced and the optimizer was kept: what it remembers changes {percent(first)} of the"
        f" first recorded steps, {percent(whole)} of all"
    )
    weight = min(REPORTED, whole)
    yield Cause("OPT-00", "update.left_over", (words[0], words[1]), weight, effect, mend=mend, chance=True)


def _anew(event: Any) -> bool:
    return event.type == "optimizer_changed" and not dict(event.fields).get("another_model")
