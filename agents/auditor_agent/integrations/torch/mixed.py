"""Views that put the numbers of several samples into one row, as they stand in autograd's graph.

PyTorch's recurrent layers give their last states as (layers, samples, units), whatever ``batch_first`` says.
``h.view(len(x), -1)`` of them has the shape that ``h.transpose(0, 1).reshape(len(x), -1)`` has, and other numbers:
a view keeps numbers in their order, so samples that lie behind another axis do not come to the front by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

_VIEWS: Final = frozenset({"View", "UnsafeView", "ReshapeAlias"})


def mixes(nodes: Iterable[Any], rows: int) -> set[Any]:
    """The views among ``nodes`` whose rows are as many as the samples, of something that had these further behind.

    Args:
        nodes: of autograd's graph.
        rows: how many samples the model gave an answer for.
    """
    return {node for node in nodes if rows > 1 and _mixes(node, rows)}


def _mixes(node: Any, rows: int) -> bool:
    if str(node.name()).rpartition("::")[2].partition("Backward")[0] not in _VIEWS:
        return False
    before = [int(extent) for extent in getattr(node, "_saved_self_sym_sizes", ())]
    after = node._input_metadata[0].shape  # noqa: SLF001 -- the only place that has it
    if not len(after) or after[0] != rows or before.count(rows) != 1 or before[0] % rows == 0:
        return False  # samples times windows at the front: split again, they are samples
    return math.prod(before[: before.index(rows)]) > 1
