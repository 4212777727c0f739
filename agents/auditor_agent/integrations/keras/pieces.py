"""Activations that are made of straight pieces, or of another one, as they stand in TensorFlow's graph.

Keras's hard sigmoid is ``relu6(x + 3) / 6``, that of others a clipped ``0.2 x + 0.5``; what multiplies it with ``x`` is
a hard SiLU, and the logarithm of a sigmoid a negative ``Softplus`` of ``-x``. Told by their cores, they would be other
functions.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, Final

from auditor_agent.integrations.keras.shares import scaled, static_number

#: The operations by which they are known: of a clipped line the outermost.
CORES: Final = frozenset({"Relu6", "Softplus", "Maximum", "Minimum"})
_SUMS: Final = frozenset({"AddV2", "Add", "Sub"})
_PRODUCTS: Final = frozenset({"Mul", "RealDiv"})
_CLIPS: Final = frozenset({"Maximum", "Minimum"})
#: ``relu6`` of so much more than ``x``, divided by its end, is a hard sigmoid.
_SHIFT, _TOP = 3.0, 6.0
_HALF: Final = 0.5
_CLOSE: Final = 1e-4
_UP: Final = 3

#: What is told of one, and the names of its other operations.
Found = tuple[dict[str, Any], set[str]]


def activation(core: Any, behind: Collection[str]) -> Found | None:
    """What the activation is that ``core`` is the middle of, with the names of its other parts; None if it is of none.

    Args:
        core: an operation of :data:`CORES`.
        behind: names of the operations that the output was made of; others look on.
    """
    if core.type == "Softplus":
        return _log_sigmoid(core, behind)
    line = _raised(core) if core.type == "Relu6" else _clipped(core)
    if line is None:
        return None
    slope, base, below = line
    factor, gated, above = _upwards(core, base, behind, 1 / _TOP if core.type == "Relu6" else 1.0)
    slope *= factor
    if factor != 1.0 / _TOP and core.type == "Relu6":
        return None
    if not gated:
        return {"op": "hardsigmoid", "slope": slope}, below | above
    return ({"op": "hardswish"}, below | above) if math.isclose(slope, 1 / _TOP, rel_tol=_CLOSE) else None


def around(node: Any, behind: Collection[str]) -> bool:
    """Whether numbers stand before and behind a function, or a logarithm behind it: it may be a part of another one.

    As ``2 * sigmoid(2 * x) - 1``, which is a hyperbolic tangent.
    """
    above = _users(node, behind)
    above += [user for one in above if one.type == "Mul" for user in _users(one, behind)]
    return any(one.type == "Log" for one in above) or (
        _with_number(node.inputs[0].op) and any(map(_with_number, above))
    )


def _with_number(node: Any) -> bool:
    """Whether it adds a number to something, takes it off, multiplies with it, or turns the sign."""
    if node.type == "Neg":
        return True
    return node.type in _SUMS | _PRODUCTS and any(static_number(one) is not None for one in node.inputs)


def _log_sigmoid(core: Any, behind: Collection[str]) -> Found | None:
    below, above = core.inputs[0].op, _only(core, behind)
    if below.type != "Neg" or above is None or above.type != "Neg":
        return None
    return {"op": "logsigmoid"}, {below.name, above.name}


def _raised(core: Any) -> tuple[float, Any, set[str]] | None:
    """Slope before the division, what it is of, and the sum: of ``relu6(x + 3)``."""
    added = _sum(core.inputs[0])
    if added is None or not math.isclose(added[0], _SHIFT, rel_tol=_CLOSE):
        return None
    return 1.0, added[1], {core.inputs[0].op.name}


def _clipped(core: Any) -> tuple[float, Any, set[str]] | None:
    """Slope, what it is of and the operations below: of a line through a half that is clipped to zero and one."""
    outer = _bound(core)
    inner = None if outer is None or outer[1].op.type not in _CLIPS - {core.type} else _bound(outer[1].op)
    if outer is None or inner is None:
        return None
    limits = {core.type: outer[0], outer[1].op.type: inner[0]}
    added = _sum(inner[1])
    if limits != {"Maximum": 0.0, "Minimum": 1.0} or added is None or not math.isclose(added[0], _HALF, rel_tol=_CLOSE):
        return None
    names, by = {outer[1].op.name, inner[1].op.name}, scaled(added[1])
    return (1.0, added[1], names) if by is None else (by[0], by[1], names | {added[1].op.name})


def _bound(node: Any) -> tuple[float, Any] | None:
    """By which number a tensor is bounded, and the tensor."""
    for number, tensor in (tuple(node.inputs), tuple(node.inputs)[::-1]):
        value = static_number(number)
        if value is not None:
            return value, tensor
    return None


def _sum(tensor: Any) -> tuple[float, Any] | None:
    """Which number was added to what."""
    return _bound(tensor.op) if tensor.op.type in _SUMS - {"Sub"} else None


def _upwards(core: Any, base: Any, behind: Collection[str], wanted: float) -> tuple[float, bool, set[str]]:
    """What it is multiplied by until that is ``wanted``, whether by what it is of as well, and the operations."""
    node, factor, gated, names = core, 1.0, False, set[str]()
    for _ in range(_UP):
        above = _only(node, behind)
        if above is None:
            break
        by = scaled(above.outputs[0])
        if by is not None and by[1].op is node and factor != wanted:
            if not math.isclose(factor * by[0], wanted, rel_tol=_CLOSE):
                break
            factor = wanted
        elif above.type == "Mul" and not gated and any(one is base for one in above.inputs):
            gated = True
        else:
            break
        names.add(above.name)
        node = above
    return factor, gated, names


def _only(node: Any, behind: Collection[str]) -> Any:
    """The one operation on the way to the output that takes what ``node`` gives; None where there are others."""
    above = _users(node, behind)
    return above[0] if len(above) == 1 else None


def _users(node: Any, behind: Collection[str]) -> list[Any]:
    return [one for out in node.outputs for one in out.consumers() if one.name in behind]
