"""Networks of the same operations that differ in what is added, or cut off, between them: FWD-00, BWD-00."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise import links, sizes
from auditor.compare.recognise.cause import Cause

#: What one side may have more of, with the entry that says so.
_COUNTED: Final[Mapping[str, tuple[str, str, str]]] = {
    "add": ("FWD-00", "forward.sums", "{} residual connection{} on one side only: sums of two computed tensors"),
    "shift": ("FWD-00", "forward.shift", "{} constant{} added on one side only: a table of positions, say"),
    "stop": ("BWD-00", "backward.stopped", "no gradient passes {} place{} on one side: detached, or stopped"),
}


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Networks of the same operations, of which one adds to a block what it was given, or positions, or cuts it off."""
    left, right = a.structure.sums, b.structure.sums
    if left is None or right is None:
        return
    among = _more(left, right) - _more(right, left)
    # What is added to a plain input is a layer of Keras, and in PyTorch's graph a sum with what no weight made.
    moved = among != 0 and among == right["shift"] - left["shift"]
    for word, (entry, parameter, said) in _COUNTED.items():
        more = abs(among) if word == "add" else abs(left[word] - right[word])
        more = 0 if moved and word != "stop" else more
        more = 0 if word == "shift" and links.added(a, left) == links.added(b, right) else more
        if more:
            effect = said.format(more, "s" if more > 1 else "")
            yield Cause(entry, parameter, (left[word], right[word]), sizes.ANOTHER, effect, confidence=0.9)


def _more(mine: Mapping[str, int], theirs: Mapping[str, int]) -> int:
    """How many residual connections a side has more, were all sums within the other's arithmetic such as well."""
    return max(0, mine["add"] - theirs["add"] - theirs.get("own", 0))
