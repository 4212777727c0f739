"""Networks of the same operations that differ in what is added, or cut off, between them: FWD-00, BWD-00."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise import links, sizes
from auditor.compare.recognise.cause import Cause
from auditor.compare.structure.operations import WEIGHTED

#: What one side may have more of, with the entry that says so.
_COUNTED: Final[Mapping[str, tuple[str, str, str]]] = {
    "add": ("FWD-00", "forward.sums", "{} residual connection{} on one side only: sums of two computed tensors"),
    "shift": ("FWD-00", "forward.shift", "{} constant{} added on one side only: a table of positions, say"),
    "stop": ("BWD-00", "backward.stopped", "no gradient passes {} place{} on one side: detached, or stopped"),
}


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Networks of the same operations, of which one adds to a block what it was given, or positions, or cuts it off."""
    left, right = a.structure.sums, b.structure.sums
    if left is None or right is None or _weighted(a) != _weighted(b):
        return
    # What is added to a plain input is a layer of Keras, and in PyTorch's graph a sum with what no weight made.
    among = _more(left, right, "add", "own", "end") - _more(right, left, "add", "own", "end")
    moved = among != 0 and among == right["shift"] - left["shift"]
    shifted = _more(left, right, "shift", "own_shift") - _more(right, left, "shift", "own_shift")
    more = {
        "add": 0 if moved else abs(among),
        "shift": 0 if moved or links.added(a, left) == links.added(b, right) else abs(shifted),
        # Before what another optimizer moves it changes nothing: gradients there are zeroed, or were not asked for.
        "stop": 0 if a.evidence.others or b.evidence.others else abs(left["stop"] - right["stop"]),
    }
    for word, (entry, parameter, said) in _COUNTED.items():
        if more[word]:
            effect = said.format(more[word], "s" if more[word] > 1 else "")
            yield Cause(entry, parameter, (left[word], right[word]), sizes.ANOTHER, effect, confidence=0.9)


def _weighted(side: Profile) -> Counter[str]:
    """The operations with weights that are known: sums of products with parts of one weight are a layer of it."""
    return Counter(one.kind for one in side.structure.operations if one.kind in WEIGHTED)


def _more(mine: Mapping[str, int], theirs: Mapping[str, int], word: str, *others: str) -> int:
    """How many a side has more, were all others of the other side, such as stand within arithmetic, such as well."""
    return max(0, mine[word] - theirs[word] - sum(theirs.get(one, 0) for one in others))
