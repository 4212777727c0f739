"""A dropout that is called as a function or written out, as it stands in TensorFlow's graph.

Random numbers are held against a rate, and what is learnt is kept or zeroed by that: chosen (``tf.where``,
``tf.nn.dropout``) or multiplied by a mask. Inverted dropout (Srivastava et al., 2014, section 10) multiplies what is
kept by 1 / (1 - rate), before or after or in the mask.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final

from auditor_agent.integrations.keras.shares import scaled, static_number

#: Draws of uniform numbers between 0 and 1.
_UNIFORM: Final = frozenset({"RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2"})
#: Whether the left one is kept for being the larger.
_LARGER: Final = {"GreaterEqual": True, "Greater": True, "Less": False, "LessEqual": False}
_CHOICES: Final = frozenset({"SelectV2", "Select"})
_RENAMES: Final = frozenset({"Cast", "Identity"})
_BINOMIAL: Final = "StatelessRandomBinomial"
#: Operations that are gone through for a number.
_DEEP: Final = 6
#: Relative distance of a factor and 1 / (1 - rate), each rounded to float32 or to half of that.
_CLOSE: Final = 1e-3


def dropout(node: Any, learnt: Any) -> dict[str, Any] | None:
    """``op`` and ``rate`` of a dropout, ``inverted`` where it is none of that kind; None of anything else.

    Args:
        node: of the graph.
        learnt: whether a variable has a part in an operation. Of plain inputs only an inverted dropout is told: what
            else is hidden of them may be what is to be rebuilt.
    """
    masked = _chosen(node) if node.type in _CHOICES else _multiplied(node) if node.type == "Mul" else None
    if masked is None:
        return None
    kept, value, factors = masked
    if not 0 < kept < 1:
        return None
    factors = [*factors, *_below(value), *_after(node)]
    told = {"op": "dropout", "rate": round(1 - kept, 6)}
    if not factors:
        return {**told, "inverted": False} if learnt(value.op) else None
    return told if any(math.isclose(one, 1 / kept, rel_tol=_CLOSE) for one in _products(factors)) else None


def _chosen(node: Any) -> tuple[float, Any, list[float]] | None:
    """Part that is kept, and what of: a choice between something and zero."""
    condition, first, second = node.inputs
    kept = _chance(condition.op)
    if kept is None:
        return None
    if _zero(second):
        return kept, first, []
    return (1 - kept, second, []) if _zero(first) else None


def _multiplied(node: Any) -> tuple[float, Any, list[float]] | None:
    """Part that is kept, what of, and the numbers in the mask that it is multiplied by."""
    for mask, value in (tuple(node.inputs), tuple(node.inputs)[::-1]):
        factors: list[float] = []
        below = mask
        for _ in range(_DEEP):
            if below.op.type in _RENAMES:
                below = below.op.inputs[0]
            elif (by := scaled(below)) is not None:
                factors.append(by[0])
                below = by[1]
            else:
                break
        kept = _chance(below.op)
        if kept is not None:
            return kept, value, factors
    return None


def _chance(node: Any) -> float | None:
    """How often a coin falls so that something is kept; None of what is no coin with a known number."""
    if node.type == "LogicalNot":
        other = _chance(node.inputs[0].op)
        return None if other is None else 1 - other
    if node.type == _BINOMIAL:
        counts, chance = static_number(node.inputs[2]), static_number(node.inputs[3])
        return chance if counts == 1.0 else None
    if node.type == "Floor":  # of keep + uniform
        drawn = _range(node.inputs[0])
        return drawn[1] - 1 if drawn is not None and 0 < drawn[0] < 1 and math.isclose(drawn[1] - drawn[0], 1) else None
    if node.type not in _LARGER:
        return None
    for (one, other), larger in ((node.inputs, _LARGER[node.type]), (node.inputs[::-1], not _LARGER[node.type])):
        drawn, bound = _range(one), static_number(other)
        if drawn is not None and bound is not None and drawn[0] < drawn[1]:
            below = (bound - drawn[0]) / (drawn[1] - drawn[0])
            return 1 - below if larger else below
    return None


def _range(tensor: Any, deep: int = _DEEP) -> tuple[float, float] | None:
    """Least and largest of uniform random numbers, shifted and multiplied by numbers; None of anything else."""
    node = tensor.op
    if node.type in _UNIFORM:
        return 0.0, 1.0
    if not deep:
        return None
    if node.type in _RENAMES:
        return _range(node.inputs[0], deep - 1)
    if node.type in {"Add", "AddV2", "Mul"}:
        for drawn, number in (tuple(node.inputs), tuple(node.inputs)[::-1]):
            by = static_number(number)
            least = None if by is None else _range(drawn, deep - 1)
            if least is not None and by is not None:
                ends = [one * by if node.type == "Mul" else one + by for one in least]
                return min(ends), max(ends)
    return None


def _below(value: Any) -> Iterator[float]:
    """The number by which something was multiplied before it was masked."""
    by = scaled(value)
    if by is not None:
        yield by[0]


def _after(node: Any) -> Iterator[float]:
    """The number by which it is multiplied since."""
    found = [scaled(one.outputs[0]) for one in node.outputs[0].consumers() if one.type in {"Mul", "RealDiv"}]
    if len(found) == 1 and found[0] is not None and found[0][1].op is node:
        yield found[0][0]


def _products(factors: Sequence[float]) -> Iterator[float]:
    for count in range(1, len(factors) + 1):
        for some in combinations(factors, count):
            yield math.prod(some)


def _zero(tensor: Any) -> bool:
    """Whether a tensor is nothing but zeros, as far as is known while the step is traced."""
    value = sys.modules["tensorflow"].get_static_value(tensor)
    if value is not None:
        return not value.any()
    node = tensor.op
    return node.type == "ZerosLike" or (node.type == "Fill" and static_number(node.inputs[1]) == 0.0)
