"""What is made of the operations of a network once all are there: padding folded in, the loss's part left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from auditor.compare.structure import geometry
from auditor.compare.structure.operation import Operation

#: What a program computes itself between its layers, with no word for what it is.
ARITHMETIC: Final = "arithmetic"
#: What the loss has to do with, at the end of a network: given as logits or as probabilities.
ENDS: Final = frozenset({"softmax", "logsoftmax", "sigmoid", "logsigmoid"})


def folded(found: Sequence[Operation]) -> Iterator[Operation]:
    """Padding as part of the operation that it is for; dropout that drops nothing is none, and inverted if not said."""
    pads_ = [(at, one.settings.get("pads")) for at, one in enumerate(found) if one.kind == "pad"]
    padded = {place: pads for at, pads in pads_ for place in _padded(found, at)}
    for at, one in enumerate(found):
        if one.kind == "pad" or (one.kind == "dropout" and not one.settings.get("rate")):
            continue
        pads = padded.get(at)
        if one.kind == "dropout":
            yield Operation(one.kind, one.name, {"inverted": True, **one.settings})
        else:
            yield one if pads is None else Operation(one.kind, one.name, geometry.added(one.settings, pads))


def _padded(found: Sequence[Operation], at: int) -> list[int]:
    """The places of what a padding is for: the next window of its extents, where they are known, else the next one.

    Keras runs a model by its depth, so that a block's shortcut may stand between the two. And those after it up to the
    next padding that are over the same extents without one of their own: a gate beside what it lets pass.
    """
    after = [place for place in range(at + 1, len(found)) if found[place].kind != "pad"]
    windows = [place for place in after if "pads" in found[place].settings]
    made = found[at].settings.get("_over")
    fitting = [place for place in windows if made is not None and found[place].settings.get("_over") == made]
    first = next(iter(fitting or windows), None)
    if first is None:
        return []
    end = next((place for place in range(first, len(found)) if found[place].kind == "pad"), len(found))
    over = found[first].settings.get("_over")
    beside = [place for place in windows if first < place < end and over is not None and _bare(found[place], over)]
    return [first, *beside]


def _bare(one: Operation, over: Sequence[int]) -> bool:
    """Whether a window is over these extents and has no padding of its own."""
    pads = one.settings.get("pads")
    return one.settings.get("_over") == over and isinstance(pads, list) and not any(map(any, pads))


def parted(found: Sequence[Operation]) -> tuple[tuple[Operation, ...], frozenset[int]]:
    """The operations that are known, and before which of them there is arithmetic."""
    kept: list[Operation] = []
    own: set[int] = set()
    for one in found:
        if one.kind == ARITHMETIC:
            own.add(len(kept))
        else:
            kept.append(one)
    return tuple(kept), frozenset(own)


def without_end(found: Iterator[Operation]) -> list[Operation]:
    """Without softmaxes, and without what the loss may as well do at the end."""
    kept = [one for one in found if one.settings.get("function") not in {"softmax", "logsoftmax"}]
    while kept and kept[-1].settings.get("function") in ENDS:
        kept.pop()
    return kept
