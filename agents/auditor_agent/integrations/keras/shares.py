"""What a softmax within a traced model is over, and by how much the products that it is of were scaled."""

from __future__ import annotations

import math
import sys
from typing import Any, Final

#: Operations looked at from a softmax down to the product it is of, and from that to a weight.
_FAR: Final = 12
#: Operations that leave a number's size as it is, or mask it.
_THROUGH: Final = frozenset({"AddV2", "Add", "Sub", "SelectV2", "Reshape", "Transpose", "Identity", "Cast",
                             "ExpandDims", "Squeeze", "StridedSlice", "Split"})  # fmt: skip
_PRODUCTS: Final = frozenset({"BatchMatMulV2", "BatchMatMulV3", "MatMul", "Einsum"})
_BINARY: Final = 2


def settings(node: Any) -> dict[str, Any]:
    """``over``: how many numbers each softmax is over; ``scale``: what their products were multiplied by.

    ``scale`` only of a product of two results, as attention has it.
    """
    found: dict[str, Any] = {}
    shape = node.inputs[0].shape
    if shape.rank and shape[-1] is not None:
        found["over"] = int(shape[-1])
    scale, product = _down(node.inputs[0].op, products=True)
    if product is not None:
        for given in product.inputs:
            scale *= _down(given.op, products=False)[0]
        found["scale"] = scale
    return found


def _down(node: Any, *, products: bool) -> tuple[float, Any]:
    """The factor by which numbers multiply on the way to ``node``, and the product that they come from."""
    scale = 1.0
    for _ in range(_FAR):
        if node.type in _PRODUCTS:
            own = any(_variable(given) for given in node.inputs)  # a layer's: where what is multiplied comes from
            return scale, node if products and not own else None
        if node.type in {"Mul", "RealDiv"}:
            numbers = [_number(given) for given in node.inputs]
            number = next((one for one in reversed(numbers) if one is not None), None)
            if not number or (node.type == "RealDiv" and numbers[1] is None):
                break
            scale = scale * number if node.type == "Mul" else scale / number
            node = node.inputs[0 if numbers[1] is not None else 1].op
            continue
        if node.type not in _THROUGH or not node.inputs:
            break
        node = node.inputs[1 if node.type == "SelectV2" else 0].op
    return scale, None


def _variable(tensor: Any) -> bool:
    node = tensor.op
    while node.type in {"Identity", "Cast", "Reshape"}:
        node = node.inputs[0].op
    return str(node.type) == "ReadVariableOp"


def _number(tensor: Any) -> float | None:
    """A number that does not depend on the data: a constant, the root of one, an extent."""
    value = sys.modules["tensorflow"].get_static_value(tensor)
    if value is not None:
        return float(value) if getattr(value, "size", 1) == 1 else None
    node = tensor.op
    if node.type in {"Sqrt", "Rsqrt"}:
        inner = _number(node.inputs[0])
        return None if not inner or inner < 0 else math.sqrt(inner) ** (1 if node.type == "Sqrt" else -1)
    if node.type in {"Cast", "Identity"}:
        return _number(node.inputs[0])
    if node.type == "Pow" and len(node.inputs) == _BINARY:
        base, power = (_number(given) for given in node.inputs)
        return None if not base or base < 0 or power is None else base**power
    if node.type == "StridedSlice" and node.inputs[0].op.type in {"Shape", "Const"}:
        return _extent(node)
    return None


def _extent(node: Any) -> float | None:
    """``tf.shape(x)[-1]``."""
    static = sys.modules["tensorflow"].get_static_value
    places, source = static(node.inputs[1]), node.inputs[0].op
    # Of a shape that is known when it is asked for TensorFlow makes a constant at once.
    shape = static(node.inputs[0]) if source.type == "Const" else source.inputs[0].shape
    if places is None or places.size != 1 or shape is None or getattr(shape, "rank", 1) is None:
        return None
    extent = shape[int(places.reshape(-1)[0])]
    return None if extent is None else float(extent)
