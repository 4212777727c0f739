"""What a program computes itself between the layers of its model, as it stands in autograd's graph.

A normalisation, a dropout, a pool or an activation that is written out has no node of its own but products, roots
and sums. Which of them it is nobody can tell for certain; that something is computed there can be told, so that
whoever compares two programs does not take for missing what one of them spells by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from torch import Tensor

from auditor_agent.integrations.torch.node import op_of, saved

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


def computes(node: Any) -> bool:
    """Whether a node is arithmetic that may be part of a layer: not a product with one number."""
    name = op_of(node)
    return name in _COMPUTES and not (name in _SCALES and _by_number(node))


def made_by_hand(nodes: Iterable[Any]) -> bool:
    """Whether one of several nodes is arithmetic, but for numbers that it was multiplied by since."""
    return any(computes(_unscaled(node)) for node in nodes)


def _by_number(node: Any) -> bool:
    children = [child for child, _ in node.next_functions if child is not None]
    factors = [factor for name in ("self", "other") if (factor := saved(node, name)) is not None]
    return len(children) == 1 and all(not isinstance(one, Tensor) or one.numel() <= 1 for one in factors)


def _unscaled(node: Any) -> Any:
    while op_of(node) in _SCALES and _by_number(node):
        node = next(child for child, _ in node.next_functions if child is not None)
    return node
