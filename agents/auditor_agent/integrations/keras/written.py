"""Activations that are made of several operations, as they stand in TensorFlow's graph.

GELU, SiLU and Mish have no operation of their own: ``keras.ops.gelu(x)``, ``tf.nn.silu(x)`` and what a program
writes out itself leave an ``Erf``, a ``Tanh`` or a ``Sigmoid`` that multiplies the very numbers that it is made
of, element by element. A gate multiplies others.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from auditor_agent.integrations.keras.shares import scaled

#: Operations between an activation's core and the product that ends it, and from the core down to what it is of.
_UP: Final = 6
_DOWN: Final = 16
CORES: Final = frozenset({"Erf", "Erfc", "Tanh", "Sigmoid"})
_SUMS: Final = frozenset({"AddV2", "Add", "Sub"})
_PRODUCTS: Final = frozenset({"Mul", "RealDiv"})
#: What a number is multiplied by before a sigmoid, which it is multiplied by in its turn: of SiLU, and of the GELU that
#: Hendrycks and Gimpel (2016, section 2) give beside the one with ``tanh``.
_FACTORS: Final = {"silu": 1.0, "quick_gelu": 1.702}
_CLOSE: Final = 1e-3
_NAMES: Final = frozenset({"Identity", "IdentityN", "Cast", "Reshape", "Squeeze"})
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
    below = _within(core, base)
    if core.type == "Sigmoid":
        told = None if shifted else _sigmoid(core, base)
    elif core.type == "Tanh" and not shifted:
        told = {"op": "mish"} if any(one.op.type == "Softplus" for one in below) else None
    else:
        told = {"op": "gelu", "approximate": core.type == "Tanh"}
    return None if told is None else (told, {one.op.name for one in below if one.name not in base} | between)


def last(nodes: Sequence[Any], named: Mapping[str, str]) -> dict[str, Any] | None:
    """The activation that a layer ends in; None where what it ends in is none, or is more than one.

    Args:
        nodes: what the layer does, in TensorFlow's graph.
        named: operations that are activations by themselves, by what they are called elsewhere.
    """
    end = nodes[-1] if nodes else None
    while end is not None and end.type in _NAMES and len(end.inputs):
        end = end.inputs[0].op
    if end is None:
        return None
    if end.type in named:
        slope = {"negative_slope": float(end.get_attr("alpha"))} if end.type == "LeakyRelu" else {}
        return {"op": named[end.type], **slope} if end.inputs[0].op.type not in _PRODUCTS else None
    names = {node.name for node in nodes}
    found = [told for node in nodes if node.type in CORES and (told := activation(node, names)) is not None]
    return found[0][0] if len(found) == 1 and end.name in found[0][1] else None


def _sigmoid(core: Any, base: set[str]) -> dict[str, Any] | None:
    """SiLU, or the GELU that is made of a sigmoid, by the number that stands before what the sigmoid is of."""
    factor, tensor = 1.0, core.inputs[0]
    while tensor.name not in base:
        by = scaled(tensor)
        if by is None:
            return None
        factor, tensor = factor * by[0], by[1]
    name = next((name for name, one in _FACTORS.items() if math.isclose(factor, one, rel_tol=_CLOSE)), None)
    return None if name is None else {"op": name}


def _gates(core: Any, behind: set[str]) -> tuple[bool, set[str], set[str]] | None:
    """Whether a number was added to it before it multiplied what it is made of, that tensor's name and the way there.

    None if it multiplies nothing that it is made of: the other half of a split, in a gated linear unit.
    """
    node, shifted, between = core, core.type == "Erfc", set[str]()
    for _ in range(_UP):
        above = [one for out in node.outputs for one in out.consumers() if one.name in behind]
        if len(above) != 1:
            return None
        child, node = node, above[0]
        others = [one for one in node.inputs if one.op is not child and not _constant(one)]
        if node.type in _PASSED or (not others and node.type in _SUMS | _PRODUCTS):
            shifted = shifted or node.type in _SUMS
            between.add(node.name)
        elif node.type == "Mul" and others:
            common = {one.name for one in _within(core, set())} & _base(others[0])
            return (shifted, common, {*between, node.name}) if common else None
        else:
            return None
    return None


def _base(tensor: Any) -> set[str]:
    """Names of ``tensor``, and of what it is but for numbers that it was multiplied by."""
    found = {tensor.name}
    for _ in range(_UP):
        given = [one for one in tensor.op.inputs if not _constant(one)]
        if tensor.op.type not in _PASSED | _PRODUCTS or len(given) != 1:
            break
        tensor = given[0]
        found.add(tensor.name)
    return found


def _within(core: Any, stops: set[str]) -> list[Any]:
    """The tensors that the core is made of, element by element, as far as those named in ``stops``."""
    waiting, seen = list(core.inputs), dict[str, Any]()
    while waiting and len(seen) < _DOWN:
        tensor = waiting.pop()
        if tensor.name in seen:
            continue
        seen[tensor.name] = tensor
        if tensor.op.type in _ELEMENTWISE and tensor.name not in stops:
            waiting += [one for one in tensor.op.inputs if not _constant(one)]
    return list(seen.values())


def _constant(tensor: Any) -> bool:
    return tensor.op.type == "Const" or sys.modules["tensorflow"].get_static_value(tensor) is not None
