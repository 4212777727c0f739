"""What a softmax within a model is over, how the products that it is of were scaled and masked: read off autograd."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from auditor_agent.capture.kernels import in_memory
from auditor_agent.integrations.torch.node import op_of, saved, signed

#: Nodes looked at from a softmax down to the product it is of, and from that to a weight.
_FAR: Final = 12
#: Operations that leave a number's size as it is, or mask it.
_THROUGH: Final = frozenset({
    *("Add", "Sub", "MaskedFill", "Where", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Expand", "Transpose"),
    *("Permute", "Unsqueeze", "Squeeze", "Clone", "Alias", "ToCopy", "T", "Select", "Slice", "Split", "Unbind"),
})  # fmt: skip
_PRODUCTS: Final = frozenset({"Bmm", "Mm"})
_MASKS: Final = frozenset({"Add", "Sub", "MaskedFill", "Where"})
#: Positions from which on a triangle of zeros is no chance, and elements of a mask that are looked at.
_FEWEST: Final = 3
#: Axes of what attention multiplies: samples, heads, positions, numbers; operations that say what they were given.
_HEADS: Final = 4
_VIEWS: Final = frozenset({"View", "UnsafeView", "ReshapeAlias", "Expand"})
_MOST: Final = 1 << 20
#: What a mask adds to leave a position out, at least.
_CLOSED: Final = -1e4


def settings(node: Any) -> dict[str, Any]:
    """``over``: how many numbers each softmax is over; ``scale``: what their products were multiplied by.

    ``scale`` only of a product of two results, as attention has it.
    """
    found: dict[str, Any] = {}
    result, dim = getattr(node, "_saved_result", None), getattr(node, "_saved_dim", None)
    if isinstance(result, Tensor) and isinstance(dim, int) and result.dim():
        found["over"] = int(result.shape[signed(dim)])
    scale, product = _down(_first(node), products=True)
    if product is not None:
        for child, _ in product.next_functions:
            scale *= _down(child, products=False)[0]
        found["scale"] = scale
        found |= _cut(product)
    return {**found, **causal([node])}


def _cut(product: Any) -> dict[str, bool]:
    """``mixed``: whether heads were cut out of rows as they lie, so that one holds parts of several positions.

    Positions and numbers, (…, t, h·k), are made (…, t, h, k) and then transposed; made (…, h, t, k) at once they are
    mixed. Nothing where it does not show.
    """
    node = product.next_functions[0][0] if product.next_functions else None
    made: Sequence[int] = ()
    for _ in range(_FAR):
        name = "" if node is None else op_of(node)
        if name in {"Transpose", "Permute"} and len(made) == _HEADS:
            dims = [saved(node, key) for key in ("dim0", "dim1")] if name == "Transpose" else saved(node, "dims")
            order = [signed(dim) % _HEADS for dim in dims or ()]
            moved = sorted(order) == [1, 2] if name == "Transpose" else order[1:2] != [1]
            if moved:
                return {"mixed": False}
        given = saved(node, "self_sym_sizes") if name in _VIEWS else None
        if given is not None and _of_heads(given, made):
            return {"mixed": True}
        made = made if given is None else given
        if node is None or (name not in _THROUGH - _MASKS and name not in {"Mul", "Div"}):
            break
        node = _first(node)
    return {}


def _of_heads(given: Sequence[int], made: Sequence[int]) -> bool:
    """Whether (samples, positions, heads · numbers) becomes (samples, heads, positions, numbers)."""
    if (len(given), len(made)) != (_HEADS - 1, _HEADS):
        return False
    (_, positions, whole), (_, heads, own, inner) = given, made
    return whole == heads * inner and positions == own and heads > 1 and positions > 1


def fused(node: Any) -> dict[str, Any] | None:
    """The same of ``F.scaled_dot_product_attention``."""
    query, keys = getattr(node, "_saved_query", None), getattr(node, "_saved_key", None)
    if not isinstance(query, Tensor) or not isinstance(keys, Tensor):
        return None
    scale = getattr(node, "_saved_scale", None)
    found: dict[str, Any] = {
        "op": "softmax",
        "over": int(keys.shape[-2]),
        "scale": float(scale) if scale else 1 / math.sqrt(query.shape[-1]),
        "summed": True,
    }
    return {**found, **causal([node])}


def scaled(node: Any, layers: Mapping[Any, str]) -> dict[str, Any] | None:
    """What the rows of a table are multiplied by, where that is one number: the root of their width, say."""
    number = _number(node) if op_of(node) in {"Mul", "Div"} else None
    below = _first(node)
    for _ in range(_FAR):
        if below is None or below in layers or op_of(below) not in _THROUGH - _MASKS:
            break
        below = _first(below)
    if not number or below not in layers or not op_of(below).startswith("Embedding"):
        return None
    return {"op": "scale", "of": layers[below], "factor": number if op_of(node) == "Mul" else 1 / number}


def causal(nodes: Iterable[Any]) -> dict[str, bool]:
    """``causal``: whether any attention among ``nodes`` leaves out what comes later; nothing where there is none.

    ``padded``: whether any leaves out other positions, as a mask of padding does; nothing where that does not show.
    """
    known = [(one, _padded(node, causal=one)) for node in nodes if (one := _causal(node)) is not None]
    if not known:
        return {}
    padded = {other for _, other in known}
    shows = True in padded or None not in padded
    return {"causal": any(one for one, _ in known)} | ({"padded": True in padded} if shows else {})


def extents(nodes: Iterable[Any]) -> dict[str, int]:
    """Of attention among ``nodes``: how many positions each looks at (``over``), and of how many rows (``of``).

    A row of each head counts: of 4 heads over 8 samples there are 32. Nothing where several differ.
    """
    known = {told for node in nodes if (told := _extents(node)) is not None}
    return dict(zip(("over", "of"), known.pop(), strict=True)) if len(known) == 1 else {}


def _extents(node: Any) -> tuple[int, int] | None:
    name = op_of(node)
    fused = name.startswith(_FUSED)
    shares = getattr(node, "_saved_query" if fused else "_saved_result", None)
    keys = getattr(node, "_saved_key", None) if fused else shares
    if not (fused or name in {"Softmax", "SafeSoftmax"}) or not isinstance(shares, Tensor) or shares.dim() < _FEWEST:
        return None
    dim = getattr(node, "_saved_dim", None)
    if not fused and isinstance(dim, int) and signed(dim) not in {-1, shares.dim() - 1}:
        return None  # shares of something else than of positions: of the samples, say
    over = keys.shape[-2 if fused else -1] if isinstance(keys, Tensor) else 0
    return int(over), math.prod(int(extent) for extent in shares.shape[:-2])


def _padded(node: Any, *, causal: bool) -> bool | None:
    """Whether positions are left out that are none of the future; None behind a mask that closes nothing or those."""
    name, closed = op_of(node), None
    if name.startswith(_FUSED):
        mask = getattr(node, "_saved_attn_mask", None)
        if mask is None:
            return False
        open_ = mask if mask.dtype is torch.bool else mask > _CLOSED
        closed = not bool(open_.all()) if in_memory(mask) and mask.numel() <= _MOST else None
    else:
        result = node._saved_result  # noqa: SLF001 -- how autograd calls what it keeps
        closed = not bool(result.all()) if in_memory(result) and result.numel() <= _MOST else None
        if closed is False and not causal:
            return None if _masked(_first(node)) else False
    return True if closed and not causal else None


def _masked(node: Any) -> bool:
    """Whether anything is filled in or added between a softmax and the product that it is of."""
    for _ in range(_FAR):
        if node is None or op_of(node) in _PRODUCTS:
            return False
        if op_of(node) in _MASKS or op_of(node) not in _THROUGH | {"Mul", "Div"}:
            return True
        node = _first(node)
    return True


_FUSED: Final = "ScaledDotProduct"


def _causal(node: Any) -> bool | None:
    """Whether no position looks at a later one; None where that does not show, or of anything but attention."""
    name = op_of(node)
    if name.startswith(_FUSED):
        mask = getattr(node, "_saved_attn_mask", None)
        return bool(getattr(node, "_saved_is_causal", False)) or (isinstance(mask, Tensor) and _lower(mask))
    result = getattr(node, "_saved_result", None)
    if (
        name not in {"Softmax", "SafeSoftmax"}
        or not isinstance(result, Tensor)
        or result.dim() < _FEWEST
        or result.shape[-1] < _FEWEST
    ):
        return None
    return _lower(result) if result.shape[-1] == result.shape[-2] else None


def _lower(values: Tensor) -> bool:
    """Whether the strictly upper triangle is closed, as nothing else is: false, zero, or far below it in a mask."""
    size = values.shape[-1] if values.dim() > 1 else 0
    if size < _FEWEST or values.shape[-2] != size or values.numel() > _MOST or not in_memory(values):
        return False
    one = values.detach().reshape(-1, size, size)[0]
    added = one.is_floating_point() and bool((one <= 0).all())  # a mask that is added, not shares
    open_ = one > _CLOSED if added else one != 0
    return bool(open_.diagonal().all()) and not bool(open_.triu(1).any())


def _down(node: Any, *, products: bool) -> tuple[float, Any]:
    """The factor by which numbers multiply on the way to ``node``, and the product that they come from."""
    scale = 1.0
    for _ in range(_FAR):
        if node is None:
            break
        name = op_of(node)
        if name in _PRODUCTS:
            return scale, node if products else None
        if name in {"Mul", "Div"}:
            number = _number(node)
            if not number:
                break
            scale = scale * number if name == "Mul" else scale / number
        elif name not in _THROUGH:
            break
        node = _first(node)
    return scale, None


def _first(node: Any) -> Any:
    return next((child for child, _ in node.next_functions if child is not None), None)


def _number(node: Any) -> float | None:
    """What a product or quotient has as its one number; None where it is of two tensors."""
    if sum(child is not None for child, _ in node.next_functions) != 1:
        return None
    other = getattr(node, "_saved_other", None)
    if isinstance(other, Tensor):
        return float(other) if other.numel() == 1 and in_memory(other) else None
    return float(other) if isinstance(other, (int, float)) else None
