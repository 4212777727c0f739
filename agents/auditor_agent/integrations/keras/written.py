"""Activations that are made of several operations, as they stand in TensorFlow's graph.

GELU, SiLU and Mish have no operation of their own: ``keras.ops.gelu(x)``, ``tf.nn.silu(x)`` and what a program
writes out itself leave an ``Erf``, a ``Tanh`` or a ``Sigmoid`` that multiplies the very numbers that it is made
of, element by element. A gate multiplies others.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

#: Operations between an activation's core and the product that ends it, and from the core down to what it is of.
_UP: Final = 6
_DOWN: Final = 16
CORES: Final = frozenset({"Erf", "Erfc", "Tanh", "Sigmoid"})
_SUMS: Final = frozenset({"AddV2", "Add", "Sub"})
_PRODUCTS: Final = frozenset({"Mul", "RealDiv"})
_PASSED: Final = frozenset({"Identity", "IdentityN", "Cast", "StopGradient"})
_ELEMENTWISE: Final = _SUMS | _PRODUCTS | _PASSED | {"Pow", "Square", "Softplus", "Neg"}


def activation(core: Any, behind: Iterable[str]) -> tuple[dict[str, Any], set[str]] | None:
    """What the activation is of which ``core`` is a part, with the names of its other parts; None if it is of none.

    Args:
        core: an operation of :data:`CORES`.
        behind: names of the operations that the output was made of; others look on.
    """
    gate = _gates(core, set(behind))
    if gate is None:
        return None
    shifted, base, between = gate
    below = {node.name: node for node in _within(core, base)}
    if core.type == "Sigmoid":
        told = None if shifted else {"op": "silu"}
    elif core.type == "Tanh" and not shifted:
        told = {"op": "mish"} if any(node.type == "Softplus" for node in below.values()) else None
    else:
        told = {"op": "gelu", "approximate": core.type == "Tanh"}
    return None if told is None else (told, (set(below) - base) | between)


def _gates(core: Any, behind: set[str]) -> tuple[bool, set[str], set[str]] | None:
    """Whether a number was added to it before it multiplied what it is made of, the names of both and of the way there.

    None if it multiplies nothing that it is made of.
    """
    node, shifted, between = core, core.type == "Erfc", set[str]()
    for _ in range(_UP):
        above = [one for out in node.outputs for one in out.consumers() if one.name in behind]
        if len(above) != 1:
            return None
        child, node = node, above[0]
        others = [one.op for one in node.inputs if one.op is not child and not _constant(one)]
        if node.type in _PASSED or (not others and node.type in _SUMS | _PRODUCTS):
            shifted = shifted or node.type in _SUMS
            between.add(node.name)
        elif node.type == "Mul" and others:
            common = {one.name for one in _within(core, set())} & _base(others[0])
            return (shifted, common, {*between, node.name}) if common else None
        else:
            return None
    return None


def _base(node: Any) -> set[str]:
    """``node``, and what it is but for numbers that it was multiplied by."""
    found = {node.name}
    for _ in range(_UP):
        given = [one.op for one in node.inputs if not _constant(one)]
        if node.type not in _PASSED | _PRODUCTS or len(given) != 1:
            break
        node = given[0]
        found.add(node.name)
    return found


def _within(core: Any, stops: set[str]) -> list[Any]:
    """The operations that the core is made of, element by element, as far as ``stops``."""
    waiting, seen = [one.op for one in core.inputs], dict[str, Any]()
    while waiting and len(seen) < _DOWN:
        node = waiting.pop()
        if node.name in seen:
            continue
        seen[node.name] = node
        if node.type in _ELEMENTWISE and node.name not in stops:
            waiting += [one.op for one in node.inputs if not _constant(one)]
    return list(seen.values())


def _constant(tensor: Any) -> bool:
    return tensor.op.type == "Const" or sys.modules["tensorflow"].get_static_value(tensor) is not None
