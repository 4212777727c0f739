"""Recurrent layers that skip the steps of padding on one side and read them on the other.

Keras's skip what a table with ``mask_zero`` or a ``Masking`` layer marks; PyTorch's skip what is packed:
``padding_idx`` only keeps a row at zero, and the layer behind it goes on over the zeros (FWD-21).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.compare.identify.evidence import data
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import LISTED, Cause
from auditor.compare.structure import seen_graph, told_by

#: What ``aligned`` finds this cause by: of the entry's differences the one that outputs show.
PARAMETER: Final = "recurrent.skipped"
_RECURRENT: Final = frozenset({"lstm", "gru", "rnn"})
_EFFECT: Final = (
    "a recurrent layer skips the steps of padding on one side (mask_zero, Masking, packed sequences) "
    "and goes on over them on the other"
)
#: Too small to be a mismatch by itself: who does not pack may pick the last word's state by hand, which comes to the
#: same. Outputs that differ give it their size (``aligned.weigh``).
_SUPPOSED: Final = 0.5 * LISTED


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """As declared, of batches in which a class 0 was seen: the one that is masked."""
    sides = [_skips(side) for side in (a, b)]
    if None in sides or sides[0] == sides[1] or not (_padded(a) and _padded(b)):
        return
    words = ["skips padding" if one else "reads padding" for one in sides]
    yield Cause("FWD-21", PARAMETER, (words[0], words[1]), _SUPPOSED, _EFFECT, "declared", 0.8)


def _skips(side: Profile) -> bool | None:
    """Whether padding is skipped; None without a recurrent layer behind a table, and where nobody saw what ran."""
    kinds = [one.kind for one in side.structure.operations]
    if "embedding" not in kinds or not _RECURRENT & set(kinds[kinds.index("embedding") :]):
        return None
    if side.framework != "torch":
        told = [(str(one.get("class")), told_by.merged(one)) for one in side.layers]
        return any(layer.get("mask_zero") or name.endswith("Masking") for name, layer in told)
    ran = (one.facts.get("operations") for one in side.evidence.steps)
    graph = next((one for one in ran if isinstance(one, list)), None)
    return None if graph is None else seen_graph.packed(graph)


def _padded(side: Profile) -> bool:
    first = side.evidence.first
    batch = data(first, "batch") if first is not None else None
    return batch is not None and batch.size > 0 and bool((batch == 0).any() and (batch == batch.round()).all())
