"""The operations that a loss of TensorFlow is made of, from its value down to what the layers gave.

Told as PyTorch's are (``integrations/torch/graph.py``): ``{"op", "shape", "inputs", ...}`` with the number that a
product has (``other``; ``"batch"`` for the count of samples, ``"batch*8"`` for eight times it) and the shape that a
reduction is of (``from``).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import flow

#: Operations told: a loss has a few.
MOST: Final = 96
#: Operations with weights of their own, or that mix features: the model begins there.
_LAYERS: Final = frozenset({
    *("MatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2dNative"),
    *("Conv2DBackpropInput", "BiasAdd", "ResourceGather", "GatherV2", "FusedBatchNormV3", "TensorListStack", "While"),
    *("StatelessWhile", "PartitionedCall", "StatefulPartitionedCall"),
})  # fmt: skip
_REDUCED: Final = frozenset({"Mean", "Sum"})
_SECOND_IS_NONE: Final = frozenset({"Mean", "Sum", "Reshape", "ExpandDims", "Transpose", "Squeeze"})
_NUMBERED: Final = frozenset({"Mul", "RealDiv", "DivNoNan", "Pow"})
_READS: Final = frozenset({"ReadVariableOp", "VariableV2"})
_FAR: Final = 12
_TWO: Final = 2.0


@guarded(cast("list[dict[str, Any]]", []))
def graph(loss: Any, made: flow.Made, outputs: Iterable[Any]) -> list[dict[str, Any]]:
    """The operations behind ``loss``, itself the first; none where it cannot be told.

    Args:
        loss: the value that is differentiated.
        made: what made a tensor of this step.
        outputs: what the models gave: there the loss ends.
    """
    if loss is None or made(loss) is None:
        return []
    names = {id(one): f"output{at}" for at, one in enumerate(outputs)}
    learnt = _Learnt(made)
    nodes: list[dict[str, Any]] = []
    places, waiting = {id(loss): 0}, deque([loss])
    kept = [loss]  # an id is free again once its tensor is gone
    while waiting:
        tensor = waiting.popleft()
        op, inputs = made(tensor) or ("", ())
        node: dict[str, Any] = {"op": op, "shape": flow.shape(tensor), "inputs": []}
        nodes.append(node)
        if not op or (op in _LAYERS and (op != "GatherV2" or flow.from_table(inputs, made))):
            continue
        inputs = list(inputs)[: 1 if op in _SECOND_IS_NONE else None]
        told, number = _settings(op, inputs, made, learnt)
        node |= told
        node["input_shapes"] = [flow.shape(one) for one in inputs]
        for one in inputs:
            place = None if one is number else _place(one, names, learnt, places, made)
            if place == len(places):
                places[id(one)] = place
                kept.append(one)
                waiting.append(one)
            node["inputs"].append(place)
    return nodes


def _place(tensor: Any, names: Mapping[int, str], learnt: _Learnt, places: Mapping[int, int], made: flow.Made) -> Any:
    """An operation by its number, an output or a weight by a name, None for what no weight has a part in."""
    if id(tensor) in names:
        return names[id(tensor)]
    if id(tensor) in places:
        return places[id(tensor)]
    if flow.is_variable(tensor) or (made(tensor) or ("",))[0] in _READS:
        return "weight"
    if not learnt(tensor):
        return None
    return "..." if len(places) >= MOST else len(places)


def _settings(op: str, inputs: Sequence[Any], made: flow.Made, learnt: _Learnt) -> tuple[dict[str, Any], Any]:
    """The number that a product or a power has, and the input that it is; what a reduction is of."""
    if op in _REDUCED:
        return {"from": flow.shape(inputs[0])}, None
    if op not in _NUMBERED or len(inputs) != int(_TWO):
        return {}, None
    # An eager tensor has a value always, learnt or not; how many there are of what is learnt is a number all the same.
    numbers = [_length(one, made) if learnt(one) else _number(one, made) for one in inputs]
    at = 0 if op == "Mul" and numbers[0] is not None else 1
    if numbers[at] is None or (op != "Mul" and numbers[0] is not None):
        return {}, None
    return {"exponent" if op == "Pow" else "other": numbers[at]}, inputs[at]


def _length(tensor: Any, made: flow.Made) -> Any:
    """A number of elements, of whatever they are."""
    op, inputs = made(tensor) or ("", ())
    while op in {"Cast", "Identity"}:
        op, inputs = made(inputs[0]) or ("", ())
    return _counted(op, inputs, made)


def _number(tensor: Any, made: flow.Made) -> Any:
    """A number that does not depend on what the samples are; ``"batch"`` for how many there are."""
    for _ in range(_FAR):
        value = tf.get_static_value(tensor) if tf.is_tensor(tensor) else tensor
        if value is not None:
            return float(value) if getattr(value, "size", 1) == 1 else None
        op, inputs = made(tensor) or ("", ())
        if op in {"Cast", "Identity"}:
            tensor = inputs[0]
        else:
            return _counted(op, inputs, made)
    return None


def _counted(op: str, inputs: Sequence[Any], made: flow.Made) -> Any:
    """How many samples there are, or elements of what has a number of them: of Keras' means, say."""
    if op == "StridedSlice" and (made(inputs[0]) or ("",))[0] == "Shape":
        first = tf.get_static_value(inputs[1])
        return "batch" if first is not None and first.size == 1 and int(first.reshape(-1)[0]) == 0 else None
    if op not in {"Prod", "Size"}:
        return None
    extents = tf.get_static_value(inputs[0]) if op == "Prod" else None
    if extents is not None:
        return float(extents.prod())
    kind, given = made(inputs[0]) or ("", ())
    if op == "Size" or kind == "Shape":
        shape = flow.shape(inputs[0] if op == "Size" else given[0]) or []
        numbers: list[Any] = ["batch" if one is None and not at else one for at, one in enumerate(shape)]
    else:
        numbers = [_length(one, made) or _extent(one) for one in given] if kind == "Pack" else []
    if not numbers or None in numbers:
        return None
    known = [float(one) for one in numbers if one != "batch"]
    if "batch" not in numbers:
        return float(math.prod(known))
    return "batch" if math.prod(known) == 1 and numbers.count("batch") == 1 else f"batch*{math.prod(known):g}"


def _extent(tensor: Any) -> float | None:
    """An extent that is known before a step."""
    value = tf.get_static_value(tensor)
    return None if value is None else float(value)


class _Learnt:
    """Whether a weight has a part in a tensor."""

    def __init__(self, made: flow.Made) -> None:
        self._made = made
        self._known: dict[int, bool] = {}

    def __call__(self, tensor: Any) -> bool:
        if id(tensor) not in self._known:
            self._known[id(tensor)] = flow.of_weights(tensor, self._made)
        return self._known[id(tensor)]
