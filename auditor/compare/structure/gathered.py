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
    """Padding as part of the operation that it is for; dropout that drops nothing is none."""
    waiting: list[list[int]] | None = None
    for one in found:
        if one.kind == "pad":
            waiting = one.settings.get("pads")
        elif one.kind == "dropout" and not one.settings.get("rate"):
            continue
        elif waiting is not None and "pads" in one.settings:
            yield Operation(one.kind, one.name, geometry.added(one.settings, waiting))
            waiting = None
        else:
            yield one


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
