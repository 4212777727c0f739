"""What a softmax within a traced model is over, and how the products that it is of were scaled and masked."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from auditor_agent.integrations.keras import axes

#: Operations looked at from a softmax down to the product it is of, and from that to a weight.
_FAR: Final = 12
#: Operations that leave a number's size as it is, or mask it.
_THROUGH: Final = frozenset({"AddV2", "Add", "Sub", "SelectV2", "Reshape", "Transpose", "Identity", "Cast",
                             "ExpandDims", "Squeeze", "StridedSlice", "Split"})  # fmt: skip
_AS_IT_IS: Final = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "ExpandDims"})
_PRODUCTS: Final = frozenset({"BatchMatMulV2", "BatchMatMulV3", "MatMul", "Einsum"})
_DATA: Final = frozenset({"IteratorGetNext", "OptionalGetValue"})
_BINARY: Final = 2
#: Axes of what attention multiplies: samples, heads, positions, numbers.
_HEADS: Final = 4
#: Positions from which on a triangle is no chance, what a mask adds to close one, and operations looked at for a mask.
_FEWEST: Final = 3
_CLOSED: Final = -1e4
_LOOKED: Final = 64
_COMPARED: Final = frozenset({"GreaterEqual", "LessEqual", "Greater", "Less"})


def settings(node: Any) -> dict[str, Any]:
    """``over``: how many numbers each softmax is over; ``scale``: what their products were multiplied by.

    ``scale`` only of a product of two results, as attention has it. ``summed``: whether what the shares multiply is
    summed over the axis along which they add up to one.
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
        found |= _cut(product)
    summed = axes.summed(node)
    return {**found, **causal([node]), **({} if summed is None else {"summed": summed})}


def _cut(product: Any) -> dict[str, bool]:
    """``mixed``: whether heads were cut out of rows as they lie, so that one holds parts of several positions.

    Positions and numbers, (…, t, h·k), are made (…, t, h, k) and then moved; made (…, h, t, k) at once they are mixed.
    Nothing where it does not show.
    """
    node = product.inputs[0].op
    for _ in range(_FAR if product.type != "Einsum" else 0):
        if node.type == "Transpose":
            order = sys.modules["tensorflow"].get_static_value(node.inputs[1])
            if order is not None and len(order) == _HEADS and order[1] != 1:
                return {"mixed": False}
        elif node.type == "Reshape" and _of_heads(node):
            return {"mixed": True}
        elif node.type not in _AS_IT_IS | {"Mul", "RealDiv"}:
            break
        node = node.inputs[0].op
    return {}


def _of_heads(reshape: Any) -> bool:
    """Whether (samples, positions, heads · numbers) becomes (samples, heads, positions, numbers)."""
    shapes = [tensor.shape for tensor in (reshape.inputs[0], reshape.outputs[0])]
    if any(shape.rank is None for shape in shapes) or [shape.rank for shape in shapes] != [_HEADS - 1, _HEADS]:
        return False
    (_, positions, whole), (_, heads, own, inner) = (shape.as_list() for shape in shapes)
    cut = None not in {positions, whole, heads, own, inner} and whole == heads * inner and positions == own
    return bool(cut and heads > 1 and positions > 1)


def causal(nodes: Iterable[Any]) -> dict[str, bool]:
    """``causal``: whether any softmax of ``nodes`` leaves out later positions; nothing where none is of attention.

    ``padded``: whether any leaves out positions by what the model is given; nothing where that does not show.
    """
    known = [node for node in nodes if node.type == "Softmax" and _square(node.inputs[0])]
    padded = {_padded(node) for node in known}
    shows = bool(known) and (True in padded or None not in padded)
    told = {"causal": any(_causal(node) for node in known)} if known else {}
    return told | ({"padded": True in padded} if shows else {})


def _padded(softmax: Any) -> bool | None:
    """Whether a mask between the softmax and its products depends on the data; None where another mask may."""
    node, masked = softmax.inputs[0].op, False
    for _ in range(_FAR):
        if node.type in _PRODUCTS:
            return None if masked else False
        filled = node.type == "SelectV2"
        if filled or node.type in {"AddV2", "Add"}:
            masked = True
            if any(_given(mask) for mask in (node.inputs[:1] if filled else node.inputs[1:])):
                return True
        if node.type not in _THROUGH | {"Mul", "RealDiv"} or not node.inputs:
            return None
        node = node.inputs[1 if filled else 0].op
    return None


def _given(mask: Any) -> bool:
    """Whether a mask comes from what the model is given, and from no weight and no product."""
    waiting, seen, found = [mask], set[str](), False
    while waiting and len(seen) < _LOOKED:
        tensor = waiting.pop()
        node = tensor.op
        if node.name in seen or node.type in {"Shape", "Const"}:
            continue
        seen.add(node.name)
        if node.type in _PRODUCTS | {"ReadVariableOp"}:
            return False
        outside = node.type == "Placeholder" and _value(tensor) is None and tensor.dtype.name != "resource"
        found = found or outside or node.type in _DATA
        waiting += list(node.inputs)
    return found


def _square(tensor: Any) -> bool:
    shape = tensor.shape
    return bool(shape.rank and shape.rank >= _FEWEST and shape[-1] == shape[-2] and (shape[-1] or 0) >= _FEWEST)


def _causal(softmax: Any) -> bool:
    node = softmax.inputs[0].op
    for _ in range(_FAR):
        masks = {"SelectV2": node.inputs[:1], "AddV2": node.inputs, "Add": node.inputs}.get(node.type, ())
        if any(_triangle(mask) for mask in masks):
            return True
        if node.type not in _THROUGH | {"Mul", "RealDiv"} or not node.inputs:
            return False
        node = node.inputs[1 if node.type == "SelectV2" else 0].op
    return False


def _triangle(mask: Any) -> bool:
    """Whether a mask is closed above its diagonal and open on it, as nothing else is; or was cut to a triangle."""
    waiting, seen = [mask], set[str]()
    while waiting and len(seen) < _LOOKED:
        tensor = waiting.pop()
        node, value = tensor.op, _value(tensor)
        if node.name in seen or node.type in _PRODUCTS:
            continue  # the products themselves, not their mask
        seen.add(node.name)
        if value is not None:
            if _lower(value):
                return True
        elif node.type == "MatrixBandPart" or (node.type in _COMPARED and all(map(_counted, node.inputs))):
            return True
        else:
            waiting += list(node.inputs)
    return False


def _value(tensor: Any) -> Any:
    """A tensor that does not depend on the data: a constant, or one from outside of the graph."""
    found = sys.modules["tensorflow"].get_static_value(tensor)
    if found is None and tensor.op.type == "Placeholder":
        outside = next((one for one, inside in getattr(tensor.graph, "captures", ()) if inside is tensor), None)
        known = outside is not None and hasattr(outside, "numpy") and outside.dtype.name != "resource"
        found = outside.numpy() if known and outside is not None else None
    return found


def _lower(value: Any) -> bool:
    if getattr(value, "ndim", 0) < _BINARY or value.shape[-1] != value.shape[-2] or value.shape[-1] < _FEWEST:
        return False
    one = value.reshape(-1, *value.shape[-2:])[0]
    open_ = one > _CLOSED if one.dtype.kind == "f" and (one <= 0).all() else one != 0
    return all(open_[at, at] and not open_[at, at + 1 :].any() for at in range(len(one)))


def _down(node: Any, *, products: bool) -> tuple[float, Any]:
    """The factor by which numbers multiply on the way to ``node``, and the product that they come from."""
    scale = 1.0
    for _ in range(_FAR):
        if node.type in _PRODUCTS:
            own = any(_variable(given) for given in node.inputs)  # a layer's: where what is multiplied comes from
            return scale, node if products and not own else None
        if node.type in {"Mul", "RealDiv"}:
            numbers = [static_number(given) for given in node.inputs]
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


def factor(node: Any) -> tuple[float | None, Any]:
    """The one number of a product or quotient, and the operation that what is multiplied was made by."""
    numbers = [static_number(given) for given in node.inputs]
    at = 1 if numbers[1] is not None else 0
    number = numbers[at]
    if not number or (node.type == "RealDiv" and at == 0):
        return None, None
    below = node.inputs[1 - at].op
    while below.type in _AS_IT_IS:
        below = below.inputs[0].op
    return (number if node.type == "Mul" else 1 / number), below


def scaled(tensor: Any) -> tuple[float, Any] | None:
    """By which number something was multiplied, and what."""
    node = tensor.op
    if node.type == "RealDiv":
        by = static_number(node.inputs[1])
        return None if not by else (1 / by, node.inputs[0])
    if node.type == "Mul":
        for one, number in (tuple(node.inputs), tuple(node.inputs)[::-1]):
            by = static_number(number)
            if by is not None:
                return by, one
    return None


def _counted(tensor: Any) -> bool:
    """Whether its numbers are places, one after the other."""
    node = tensor.op
    for _ in range(_FAR):
        if node.type in {"Range", "Cumsum"} or not node.inputs:
            break
        node = node.inputs[0].op
    return str(node.type) in {"Range", "Cumsum"}


def _variable(tensor: Any) -> bool:
    node = tensor.op
    while node.type in {"Identity", "Cast", "Reshape"}:
        node = node.inputs[0].op
    return str(node.type) == "ReadVariableOp"


def static_number(tensor: Any, deep: int = _FAR) -> float | None:
    """A number that does not depend on the data: a constant, the root of one, an extent, a sum or product of such."""
    value = sys.modules["tensorflow"].get_static_value(tensor)
    if value is not None or deep <= 0:
        return float(value.item()) if value is not None and value.size == 1 and value.dtype.kind in "fiu" else None
    node = tensor.op
    if node.type in {"Sqrt", "Rsqrt"}:
        inner = static_number(node.inputs[0], deep - 1)
        return None if not inner or inner < 0 else math.sqrt(inner) ** (1 if node.type == "Sqrt" else -1)
    if node.type in {"Cast", "Identity"}:
        return static_number(node.inputs[0], deep - 1)
    if node.type == "Pow" and len(node.inputs) == _BINARY:
        base, power = (static_number(given, deep - 1) for given in node.inputs)
        return None if not base or base < 0 or power is None else base**power
    if node.type == "StridedSlice" and node.inputs[0].op.type in {"Shape", "Const"}:
        return _extent(node)
    return _worked_out(node, deep)


def _worked_out(node: Any, deep: int) -> float | None:
    """A sum or product of two numbers that do not depend on the data; the second is looked at if the first is one."""
    made = _MADE.get(node.type)
    first = static_number(node.inputs[0], deep - 1) if made is not None and len(node.inputs) == _BINARY else None
    second = None if first is None else static_number(node.inputs[1], deep - 1)
    if made is None or first is None or second is None or (node.type == "RealDiv" and not second):
        return None
    return made(first, second)


_MADE: Final[Mapping[str, Callable[[float, float], float]]] = {
    "Sub": operator.sub,
    "Add": operator.add,
    "AddV2": operator.add,
    "Mul": operator.mul,
    "RealDiv": operator.truediv,
}


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
