"""What a softmax within a model is over, and by how much the products that it is of were scaled: read off autograd."""

from __future__ import annotations

from typing import Any, Final

from torch import Tensor

from auditor_agent.capture.kernels import in_memory

#: Nodes looked at from a softmax down to the product it is of, and from that to a weight.
_FAR: Final = 12
#: Operations that leave a number's size as it is, or mask it.
_THROUGH: Final = frozenset({
    *("Add", "Sub", "MaskedFill", "Where", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Expand", "Transpose"),
    *("Permute", "Unsqueeze", "Squeeze", "Clone", "Alias", "ToCopy", "T", "Select", "Slice", "Split", "Unbind"),
})  # fmt: skip
_PRODUCTS: Final = frozenset({"Bmm", "Mm"})


def settings(node: Any) -> dict[str, Any]:
    """``over``: how many numbers each softmax is over; ``scale``: what their products were multiplied by.

    ``scale`` only of a product of two results, as attention has it.
    """
    found: dict[str, Any] = {}
    result, dim = getattr(node, "_saved_result", None), getattr(node, "_saved_dim", None)
    if isinstance(result, Tensor) and isinstance(dim, int) and result.dim():
        dim = dim - 2**64 if dim >= 2**63 else dim
        found["over"] = int(result.shape[dim])
    scale, product = _down(_first(node), products=True)
    if product is not None:
        for child, _ in product.next_functions:
            scale *= _down(child, products=False)[0]
        found["scale"] = scale
    return found


def _down(node: Any, *, products: bool) -> tuple[float, Any]:
    """The factor by which numbers multiply on the way to ``node``, and the product that they come from."""
    scale = 1.0
    for _ in range(_FAR):
        if node is None:
            break
        name = _name(node)
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


def _name(node: Any) -> str:
    return str(node.name()).rpartition("::")[2].partition("Backward")[0]


def _number(node: Any) -> float | None:
    """What a product or quotient has as its one number; None where it is of two tensors."""
    if sum(child is not None for child, _ in node.next_functions) != 1:
        return None
    other = getattr(node, "_saved_other", None)
    if isinstance(other, Tensor):
        return float(other) if other.numel() == 1 and in_memory(other) else None
    return float(other) if isinstance(other, (int, float)) else None
