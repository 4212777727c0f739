"""Whether shares that add up to one along an axis are summed over it, through what a traced step does with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

#: Operations looked at from a softmax to what sums its shares.
_FAR: Final = 16
_KEEPS: Final = frozenset({"Identity", "Cast", "Mul", "SelectV2"})
_PRODUCTS: Final = {"BatchMatMulV2": ("adj_x", "adj_y"), "BatchMatMulV3": ("adj_x", "adj_y"),
                    "MatMul": ("transpose_a", "transpose_b")}  # fmt: skip
_SUMS: Final = frozenset({"Sum", "Mean"})
#: What a tape adds to the graph of a step, beside the pass itself; and what asks for an extent alone.
_BACKWARD: Final = "gradient_tape/"
_ASIDE: Final = frozenset({"Shape", "Size", "Rank"})


def summed(softmax: Any) -> bool | None:
    """Whether what shares multiply is summed over the axis along which they add up to one; None where nothing tells."""
    tensor = softmax.outputs[0]
    axis = -1 if tensor.shape.rank is None else tensor.shape.rank - 1
    for _ in range(_FAR):
        users = [one for one in tensor.consumers() if _BACKWARD not in one.name and one.type not in _ASIDE]
        if axis < 0 or len(users) != 1 or tensor.shape.rank is None or users[0].outputs[0].shape.rank is None:
            return None
        user = users[0]
        place = next(at for at, given in enumerate(user.inputs) if given is tensor)
        if user.type in _PRODUCTS:
            turned = bool(user.get_attr(_PRODUCTS[user.type][place]))
            return bool(axis == tensor.shape.rank - (1 if (place == 0) != turned else 2))
        if user.type == "Einsum":
            return _within(user, place, axis)
        if user.type in _SUMS:
            over = _numbers(user.inputs[1])
            return None if over is None else axis in {one % tensor.shape.rank for one in over}
        axis, tensor = _moved(user, tensor, axis), user.outputs[0]
    return None


def _moved(user: Any, tensor: Any, axis: int) -> int:
    """Where an axis lies behind an operation; -1 where it does not go on."""
    before, after = tensor.shape.as_list(), user.outputs[0].shape.as_list()
    if user.type in _KEEPS:
        return axis + len(after) - len(before)  # axes are met from the last
    if user.type == "Reshape":
        return _reshaped(before, after, axis)
    numbers = _numbers(user.inputs[1]) if user.type in {"Transpose", "ExpandDims"} else None
    if user.type == "Transpose" and numbers is not None:
        return [one % len(before) for one in numbers].index(axis)
    if user.type == "ExpandDims" and numbers is not None:
        return axis + (numbers[0] % len(after) <= axis)
    if user.type == "Squeeze":
        gone = {one % len(before) for one in user.get_attr("squeeze_dims")}
        return axis - sum(one < axis for one in gone) if gone and axis not in gone else -1
    return -1


def _reshaped(before: Sequence[int | None], after: Sequence[int | None], axis: int) -> int:
    """The axis of the same extent with as much before it, or as much behind it."""
    kept = min(len(before), len(after))
    front = next((at for at in range(kept) if before[at] != after[at]), kept)
    back = next((at for at in range(1, kept + 1) if before[-at] != after[-at]), kept + 1)
    if before[axis] in {None, 1}:
        return -1
    if axis < front:
        return axis
    return axis + len(after) - len(before) if len(before) - axis < back else -1


def _within(user: Any, place: int, axis: int) -> bool | None:
    """Whether a product that is written in letters sums over an axis of one of its inputs."""
    equation = user.get_attr("equation")
    told = equation.decode() if isinstance(equation, bytes) else str(equation)
    given, _, made = told.replace(" ", "").partition("->")
    letters = given.split(",")
    return letters[place][axis] not in made if "." not in told and len(letters) > 1 else None


def _numbers(tensor: Any) -> list[int] | None:
    """Numbers that do not depend on the data: those that a softmax moves its axis by are computed within the graph."""
    value = sys.modules["tensorflow"].get_static_value(tensor)
    if value is not None:
        return [int(one) for one in value.reshape(-1)]
    given = [] if tensor.op.type not in _FOLDED else [_numbers(one) for one in tensor.op.inputs]
    parts = [one for one in given if one is not None]
    return _FOLDED[tensor.op.type](parts) if parts and len(parts) == len(given) else None


_FOLDED: Final[Mapping[str, Callable[[Sequence[list[int]]], list[int]]]] = {
    "ConcatV2": lambda parts: [one for part in parts[:-1] for one in part],
    "Pack": lambda parts: [one for part in parts for one in part],
    "Range": lambda parts: list(range(parts[0][0], parts[1][0], parts[2][0])),
    "Sub": lambda parts: [parts[0][0] - parts[1][0]],
}
