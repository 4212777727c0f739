"""Which axis is which, through the moves of a program: read off autograd's graph.

An image that is flattened with its channels last is another row than one with its channels first; shares that add up
to one along one axis, and are summed over another, are no weighted mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from auditor_agent.integrations.torch.node import op_of, saved, signed

#: Nodes looked at from a product down to an image, and from shares up to what sums them.
_FAR: Final = 16
_VIEWS: Final = frozenset({"View", "UnsafeView", "ReshapeAlias", "Reshape"})
_MOVES: Final = frozenset({"Permute", "Transpose"})
#: What leaves every number in its place.
_KEEPS: Final = frozenset({"Clone", "Alias", "ToCopy", "NativeDropout", "MaskedFill", "Where"})
_ACTIVATIONS: Final = frozenset({"Relu", "LeakyRelu", "Elu", "Gelu", "Silu", "Tanh", "Sigmoid"})
_PRODUCTS: Final = frozenset({"Bmm", "Mm"})
_SUMS: Final = frozenset({"Sum", "Mean"})
#: By node what takes its output, and as which of its inputs.
Users = Mapping[Any, Sequence[tuple[Any, int]]]
#: An image of one axis at least: samples, channels, positions.
_IMAGE: Final = 3


def turned(product: Any) -> bool:
    """Whether the rows that a product takes are images that were flattened after their axes had been moved."""
    children = [child for child, _ in product.next_functions]
    node, flat = children[-2] if len(children) > 1 else None, False
    for _ in range(_FAR):
        name = "" if node is None else op_of(node)
        if name in _MOVES:
            return flat and len(_shape(node)) >= _IMAGE
        below = [] if node is None else [child for child, _ in node.next_functions if child is not None]
        if len(below) != 1 or name not in _VIEWS | _KEEPS | _ACTIVATIONS | {"Mul"}:  # by the mask of a dropout
            break
        flat, node = flat or name in _VIEWS, below[0]
    return False


def users_of(nodes: Iterable[Any]) -> Users:
    """Who takes the output of each node, among ``nodes``."""
    found: dict[Any, list[tuple[Any, int]]] = {}
    for node in nodes:
        for place, (child, _) in enumerate(node.next_functions):
            if child is not None:
                found.setdefault(child, []).append((node, place))
    return found


def summed(softmax: Any, users: Users) -> bool | None:
    """Whether what shares multiply is summed over the axis along which they add up to one; None where nothing tells.

    Args:
        softmax: the node that made the shares.
        users: of every node of the pass.
    """
    dim = signed(saved(softmax, "dim"))
    if not isinstance(dim, int) or not _shape(softmax):
        return None
    node, axis = softmax, dim % len(_shape(softmax))
    for _ in range(_FAR):
        above = users.get(node, ())
        if len(above) != 1:
            return None
        user, place = above[0]
        name, extents = op_of(user), _shape(node)
        if name in _PRODUCTS:
            return axis == len(extents) - (1 if place == 0 else 2)
        if name in _SUMS:
            over = saved(user, "dim")
            return axis in {signed(one) % len(extents) for one in over} if isinstance(over, tuple) and over else None
        moved = _moved(user, name, extents, axis)
        if moved is None:
            return None
        node, axis = user, moved
    return None


def _moved(user: Any, name: str, extents: Sequence[int], axis: int) -> int | None:
    """Where an axis lies behind a node; None where it does not go on."""
    after = _shape(user)
    if name in {"Mul", "Expand", *_KEEPS}:
        return axis + len(after) - len(extents)  # axes are met from the last
    if name in _VIEWS:
        return _viewed(extents, after, axis)
    if name in _MOVES:
        return _permuted(user, name, len(extents)).index(axis)
    dim = signed(saved(user, "dim"))
    if name == "Unsqueeze" and isinstance(dim, int):
        return axis + (dim % len(after) <= axis)
    if name == "Squeeze" and isinstance(dim, int) and dim % len(extents) != axis:
        return axis - (dim % len(extents) < axis)
    return None


def _permuted(user: Any, name: str, rank: int) -> list[int]:
    """Where each axis behind a node was before it."""
    if name == "Permute":
        return [signed(one) % rank for one in saved(user, "dims")]
    one, other = (signed(saved(user, key)) % rank for key in ("dim0", "dim1"))
    return [{one: other, other: one}.get(at, at) for at in range(rank)]


def _viewed(before: Sequence[int], after: Sequence[int], axis: int) -> int | None:
    """The axis of the same extent, with as many numbers before it; 0 of what becomes the batch of a product."""
    outside = math.prod(before[:axis])
    found = [at for at, extent in enumerate(after) if extent == before[axis] and math.prod(after[:at]) == outside]
    if found and before[axis] > 1:
        return found[-1]
    return 0 if len(after) == _IMAGE and axis < len(before) - 2 and before[-2:] == after[-2:] else None


def _shape(node: Any) -> tuple[int, ...]:
    told = node._input_metadata  # noqa: SLF001 -- the only place that has it
    return tuple(int(extent) for extent in told[0].shape) if told else ()
