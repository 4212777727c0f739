"""Activations that a program writes out itself, as they stand in autograd's graph.

``0.5 * x * (1 + torch.erf(x / 2 ** 0.5))`` is a GELU, with ``tanh`` of a cubic its approximation;
``x * torch.sigmoid(x)`` is SiLU, ``x * torch.tanh(F.softplus(x))`` Mish, ``x.clamp(min=0)`` ReLU. What tells
them from a gate is that the factor is made of the very numbers it multiplies, element by element.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from torch import Tensor

from auditor_agent.capture.kernels import in_memory
from auditor_agent.integrations.torch.node import op_of, saved

#: Nodes between an activation's core and the product that ends it, and from the core down to what it is of.
_UP: Final = 4
_DOWN: Final = 12
_CLAMPS: Final = frozenset({"Clamp", "ClampMin", "Maximum"})
_CORES: Final = frozenset({"Tanh", "Erf", "Sigmoid"}) | _CLAMPS
_ELEMENTWISE: Final = frozenset({"Mul", "Add", "Sub", "Div", "Pow", "Softplus", "Neg"})
#: What a number is multiplied by before a sigmoid, which it is multiplied by in its turn: of SiLU, and of the GELU that
#: Hendrycks and Gimpel (2016, section 2) give beside the one with ``tanh``.
_FACTORS: Final = {"silu": 1.0, "quick_gelu": 1.702}
_CLOSE: Final = 1e-3
#: A node, and which of its outputs: a split has several.
_Output: TypeAlias = tuple[Any, int]


def written(nodes: Iterable[Any]) -> dict[Any, dict[str, Any] | None]:
    """By the node that is its core, what an activation is that was written out; None: a part of one."""
    above: dict[Any, list[Any]] = {}
    cores = []
    for node in nodes:
        if op_of(node) in _CORES:
            cores.append(node)
        for child in _children(node):
            above.setdefault(child, []).append(node)
    found: dict[Any, dict[str, Any] | None] = {}
    for core in cores:
        if op_of(core) in _CLAMPS:
            if _from_zero(core):
                found[core] = {"op": "relu"}
            continue
        gate = _gates(core, above)
        told = None if gate is None else _told(core, gate[1], shifted=gate[0])
        if gate is not None and told is not None:
            found |= dict.fromkeys((node for node, _ in _within(core, gate[1]) - gate[1]), None)
            found |= dict.fromkeys(gate[2], None)
            found[core] = told
    return found


def _told(core: Any, base: set[_Output], *, shifted: bool) -> dict[str, Any] | None:
    name, below = op_of(core), next(iter(_children(core)), None)
    if name == "Sigmoid":
        factor = 1.0 if base & set(_outputs(core)) else _factor(below)
        return None if shifted or factor is None else _with_sigmoid(factor)
    if name == "Tanh" and not shifted:
        return {"op": "mish"} if op_of(below) == "Softplus" else None
    return {"op": "gelu", "approximate": "tanh" if name == "Tanh" else "none"} if shifted else None


def _with_sigmoid(factor: float) -> dict[str, Any] | None:
    """What multiplies a number by the sigmoid of it and a ``factor``: SiLU, or what stands for a GELU."""
    name = next((name for name, one in _FACTORS.items() if math.isclose(factor, one, rel_tol=_CLOSE)), None)
    return None if name is None else {"op": name}


def _factor(node: Any) -> float | None:
    """By which number something was multiplied, which it is the product of; 1 of what is no such product."""
    if op_of(node) not in {"Mul", "Div"} or len(_children(node)) != 1:
        return 1.0
    number = saved(node, "other")
    if isinstance(number, Tensor):
        number = float(number) if number.numel() == 1 and in_memory(number) else None
    if not isinstance(number, (int, float)) or not number:
        return None
    return float(number) if op_of(node) == "Mul" else 1 / number


def _from_zero(core: Any) -> bool:
    """Whether negative numbers become zero, and all others stay."""
    if op_of(core) != "Maximum":
        return getattr(core, "_saved_min", None) == 0 and getattr(core, "_saved_max", None) is None
    other = getattr(core, "_saved_other", None)
    if len(_children(core)) != 1 or not isinstance(other, Tensor) or not in_memory(other):
        return False
    return not bool(other.any())


def _gates(core: Any, above: Mapping[Any, list[Any]]) -> tuple[bool, set[_Output], list[Any]] | None:
    """Whether a number was added to it before it multiplied what it is made of, what that is, and the way there.

    None if it multiplies nothing that it is made of: the other half of a split, in a gated linear unit.
    """
    node, shifted, between = core, False, list[Any]()
    for _ in range(_UP):
        parents = above.get(node, [])
        if len(parents) != 1:
            return None
        child, node = node, parents[0]
        children, name = _children(node), op_of(node)
        if len(children) == 1 and name in {"Add", "Mul", "Div"}:
            shifted = shifted or name == "Add"
            between.append(node)
        elif name == "Mul":
            other = next((one for one in _outputs(node) if one[0] is not child), None)
            common = _within(core) & _base(other) if other is not None else set[_Output]()
            return (shifted, common, [*between, node]) if common else None
        else:
            return None
    return None


def _base(output: _Output) -> set[_Output]:
    """``output``, and what it is but for a number that it was multiplied by."""
    found = {output}
    while op_of(output[0]) in {"Mul", "Div"} and len(_outputs(output[0])) == 1:
        output = _outputs(output[0])[0]
        found.add(output)
    return found


def _within(core: Any, stops: Collection[_Output] = ()) -> set[_Output]:
    """What the core is made of, element by element, as far as ``stops``."""
    waiting, seen = _outputs(core), set[_Output]()
    while waiting and len(seen) < _DOWN:
        output = waiting.pop()
        seen.add(output)
        if op_of(output[0]) in _ELEMENTWISE and output not in stops:
            waiting += [one for one in _outputs(output[0]) if one not in seen]
    return seen


def shifts(nodes: Iterable[Any]) -> set[Any]:
    """Sums of something computed with a constant that is no mask, no epsilon and no part of a factor.

    A table of positions, say: autograd keeps nothing of a constant that is added, not even its shape. What goes into
    another sum alone is the zero that a sum began with (``total = 0``).
    """
    nodes = list(nodes)
    above: dict[Any, list[Any]] = {}
    for node in nodes:
        for child in _children(node):
            above.setdefault(child, []).append(node)
    return {
        node
        for node in nodes
        if op_of(node) == "Add"
        and len(_children(node)) == 1
        and not any(map(_takes_a_number, above.get(node, [])))
        and not _begins(above.get(node, []))
    }


def _begins(takers: Sequence[Any]) -> bool:
    """Whether nothing but another sum takes it."""
    return bool(takers) and all(op_of(one) == "Add" and len(_children(one)) > 1 for one in takers)


def _takes_a_number(node: Any) -> bool:
    """Whether a number is added before it as a rule: what keeps a root from zero, a mask, one and a share."""
    return op_of(node) in _NUMBERED or (op_of(node) == "Mul" and len(_children(node)) > 1)


_NUMBERED: Final = frozenset(
    {"Softmax", "SafeSoftmax", "LogSoftmax", "Sqrt", "Rsqrt", "Pow", "Log", "Exp", "Div", "Reciprocal"}
)


def _children(node: Any) -> list[Any]:
    return [child for child, _ in _outputs(node)]


def _outputs(node: Any) -> list[_Output]:
    """What a node was given, and by which of the givers' outputs."""
    return [(child, index) for child, index in node.next_functions if child is not None]
