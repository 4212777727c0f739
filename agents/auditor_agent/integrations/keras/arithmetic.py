"""What a program computes itself between the layers of its model, as it stands in TensorFlow's graph.

A normalisation, a dropout, a pool or an activation that is written out is no layer but products, roots and sums.
Which of them it is nobody can tell for certain; that something is computed there can be told, so that whoever
compares two programs does not take for missing what one of them spells by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

#: What is told of it.
OWN: Final = "arithmetic"
#: Operations that make other numbers of each number, or one of several. Sums of two tensors and views do not count.
_COMPUTES: Final = frozenset(
    {
        *("Mul", "RealDiv", "DivNoNan", "Reciprocal", "Pow", "Square", "SquaredDifference", "Sqrt", "Rsqrt", "Exp"),
        *("Expm1", "Log", "Log1p", "Abs", "Sin", "Cos", "Sign", "Maximum", "Minimum", "ClipByValue", "Select"),
        *("SelectV2", "Sum", "Mean", "Max", "Min", "Prod", "Cumsum"),
        *(
            "While",
            "StatelessWhile",
            "If",
            "StatelessIf",
        ),  # what a loop in the graph computes stands in none of its nodes
    }
)
_SCALES: Final = frozenset({"Mul", "RealDiv"})


def made(nodes: Sequence[Any], told: Collection[str]) -> set[str]:
    """Names of the operations that are arithmetic on what was learnt, but for products with one number.

    Args:
        nodes: of the graph, in the order in which they were made.
        told: names of those that are a layer's, told by another word, or of no output.
    """
    learnt = _learnt(nodes)
    return {
        node.name
        for node in nodes
        if node.type in _COMPUTES
        and node.name in learnt
        and node.name not in told
        and not (node.type in _SCALES and any(_number(one, learnt) for one in node.inputs))
    }


def is_of(tensor: Any, names: Collection[str]) -> bool:
    """Whether a tensor is arithmetic, but for numbers that it was multiplied by since."""
    node = tensor.op
    while node.name not in names and node.type in _SCALES:
        given = [one.op for one in node.inputs if one.shape.num_elements() != 1]
        if len(given) != 1:
            break
        node = given[0]
    return node.name in names


def _learnt(nodes: Sequence[Any]) -> set[str]:
    """Names of what a variable has a part in; the state of a generator of random numbers is none."""
    found: set[str] = set()
    for node in nodes:
        if "Random" in node.type:
            continue
        if any(one.dtype.name == "resource" or one.op.name in found for one in node.inputs):
            found.add(node.name)
    return found


def _number(tensor: Any, learnt: Collection[str]) -> bool:
    return tensor.shape.num_elements() == 1 and tensor.op.name not in learnt
