"""What a program computes itself between the layers of its model, as it stands in autograd's graph.

A normalisation, a dropout, a pool or an activation that is written out has no node of its own but products, roots
and sums. Which of them it is nobody can tell for certain; that something is computed there can be told, so that
whoever compares two programs does not take for missing what one of them spells by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from torch import Tensor

from auditor_agent.integrations.torch.axes import Users
from auditor_agent.integrations.torch.node import children, op_of, saved

#: What is told of it.
OWN: Final = "arithmetic"
#: Operations that make other numbers of each number, or one of several. Sums of two tensors and views do not count.
_COMPUTES: Final = frozenset(
    {
        *("Mul", "Div", "Reciprocal", "Pow", "Sqrt", "Rsqrt", "Exp", "Exp2", "Expm1", "Log", "Log1P", "Log2", "Abs"),
        *("Sin", "Cos", "Erf", "Erfc", "Sign", "Clamp", "ClampMin", "ClampMax", "Maximum", "Minimum", "Where"),
        *("Sum", "Mean", "Var", "VarMean", "Std", "StdMean", "Norm", "LinalgVectorNorm", "Logsumexp", "Cumsum"),
        *("Prod", "Max", "Min", "Amax", "Amin", "Median"),
    }
)
_SCALES: Final = frozenset({"Mul", "Div"})
_SUMS: Final = frozenset({"Add", "Sub", "Rsub"})


def computes(node: Any) -> bool:
    """Whether a node is arithmetic that may be part of a layer: not a product with one number."""
    name = op_of(node)
    return name in _COMPUTES and not (name in _SCALES and _by_number(node))


def made_by_hand(nodes: Iterable[Any]) -> bool:
    """Whether one of several nodes is arithmetic, but for numbers that it was multiplied by since."""
    return any(computes(_unscaled(node)) for node in nodes)


def around(node: Any, users: Users) -> bool:
    """Whether numbers stand before and behind a function, or a logarithm behind it: it may be a part of another one.

    ``relu6(x + 3) / 6`` is a hard sigmoid, ``2 * sigmoid(2 * x) - 1`` a hyperbolic tangent.

    Args:
        node: of the function.
        users: who takes the output of each node.
    """
    below, above = children(node), _above(node, users)
    if any(op_of(one) == "Log" for one in above):
        return True
    return any(map(_with_number, below)) and any(map(_with_number, above))


def beside(node: Any, users: Users) -> list[Any]:
    """The arithmetic before and behind such a function that is with a number."""
    return [one for one in (*children(node), *_above(node, users)) if _with_number(one)]


def _above(node: Any, users: Users) -> list[Any]:
    """What takes a function's result, or what that was multiplied by."""
    above = [user for user, _ in users.get(node, ())]
    return above + [user for one in above if op_of(one) == "Mul" for user, _ in users.get(one, ())]


def _with_number(node: Any) -> bool:
    """Whether it adds a number to something, takes it off, multiplies with it, or turns the sign."""
    name = op_of(node)
    if name in _SUMS:
        return len(children(node)) == 1
    return name == "Neg" or (name in _SCALES and _by_number(node))


def _by_number(node: Any) -> bool:
    made_of = children(node)
    factors = [factor for name in ("self", "other") if (factor := saved(node, name)) is not None]
    return len(made_of) == 1 and all(not isinstance(one, Tensor) or one.numel() <= 1 for one in factors)


def _unscaled(node: Any) -> Any:
    while op_of(node) in _SCALES and _by_number(node):
        node = next(iter(children(node)))
    return node
