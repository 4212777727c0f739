"""A dropout, of the library or written out, as it stands in autograd's graph.

What a program draws itself leaves the mask alone: what is learnt is multiplied by zeros and ones, chosen by them or
filled by them. Inverted dropout (Srivastava et al., 2014, section 10) multiplies what is kept by 1 / (1 - rate), in
the mask, before it or after it. The rate is that factor's, which the mask must have drawn; without a factor it is the
part of the mask that is zero, counted, and whether that is a dropout at all only another run can tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from torch import Tensor

from auditor_agent.capture.kernels import in_memory
from auditor_agent.integrations.torch.axes import Users
from auditor_agent.integrations.torch.node import op_of, saved

#: Nodes that hold a mask, by what they saved it under, and whether it says what is kept.
MASKS: Final = {"Mul": ("other", True), "Where": ("condition", True), "MaskedFill": ("mask", False)}
#: What a layer consists of that does nothing else.
PARTS: Final = MASKS.keys() | {"Div", "NativeDropout"}
#: Standard deviations of a part that was drawn from the rate that it was drawn by.
_DRAWN: Final = 5.0
_LEAST: Final = 2


def dropout(node: Any, users: Users) -> dict[str, Any] | None:
    """``op`` and ``rate`` of a dropout; None of anything else.

    Of a mask that nothing makes up for also ``inverted`` (false), and of how many numbers the rate was ``counted``.

    Args:
        node: of autograd's graph, before the backward pass.
        users: of every node of the pass.
    """
    if op_of(node) == "NativeDropout":
        rate = saved(node, "p")
        return None if rate is None else {"op": "dropout", "rate": float(rate)}
    found = _mask(node)
    if found is None:
        return None
    mask, keeps = found
    top = float(mask.max())
    if not bool(((mask == 0) | (mask == top)).all()):
        return None
    if top > 1 and keeps:
        return {"op": "dropout", "rate": round(1 - 1 / top, 6)}
    return _drawn(node, mask == (1 if keeps else 0), users) if top == 1 else None


def _mask(node: Any) -> tuple[Tensor, bool] | None:
    """What hides numbers of something learnt, and whether it says what is kept; None where nothing does."""
    name, keeps = MASKS.get(op_of(node), ("", True))
    mask = saved(node, name) if name else None
    if name == "other":  # of a product with a constant the constant alone is kept, on whichever side it stood
        factors = [one for one in (mask, saved(node, "self")) if one is not None]
        mask = factors[0] if len(factors) == 1 else None
    if not isinstance(mask, Tensor) or not in_memory(mask) or mask.numel() < _LEAST:
        return None
    if op_of(node) == "Where":  # of something learnt and a constant, which autograd does not keep
        given = [child is not None for child, _ in node.next_functions]
        keeps = given == [True, False]
        if not keeps and given != [False, True]:
            return None
    whole = mask.is_floating_point() if name == "other" and mask.dtype.itemsize > 1 else mask.dtype.itemsize == 1
    return (mask, keeps) if whole else None


def _drawn(node: Any, kept: Tensor, users: Users) -> dict[str, Any] | None:
    below = [child for child, _ in node.next_functions if child is not None]
    shape = tuple(node._input_metadata[0].shape)  # noqa: SLF001 -- the only place that has it
    if len(below) != 1 or hasattr(below[0], "variable") or tuple(kept.shape) != shape or _regular(kept):
        return None
    part, count = float(kept.double().mean()), kept.numel()
    factors = [factor for factor in _factors(node, below[0], users) if factor > 1]
    for factor in factors:
        spread = math.sqrt((1 - 1 / factor) / factor / count)
        if abs(part - 1 / factor) <= _DRAWN * spread:
            return {"op": "dropout", "rate": round(1 - 1 / factor, 6)}
    return None if factors else {"op": "dropout", "rate": 1 - part, "inverted": False, "counted": count}


def _regular(kept: Tensor) -> bool:
    """Whether a mask is the same throughout an axis: places that are padded, features that are left out."""
    axes = range(kept.dim())
    return any(bool((kept == kept.narrow(axis, 0, 1)).all()) for axis in axes if kept.shape[axis] > 1)


def _factors(node: Any, below: Any, users: Users) -> Iterator[float]:
    """The numbers by which something was multiplied before it was masked, and since."""
    above = [user for user, _ in users.get(node, ())]
    for one in (below, *(above if len(above) == 1 else ())):
        factor = _number(saved(one, "other"))
        if op_of(one) in {"Mul", "Div"} and factor:
            yield 1 / factor if op_of(one) == "Div" else factor


def _number(value: Any) -> float | None:
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 and in_memory(value) else None
    return float(value) if isinstance(value, (int, float)) else None
