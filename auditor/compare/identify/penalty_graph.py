"""Which penalty the loss's own graph spells out: ``0.0005 * sum(w ** 2)`` of these weights, and how they are added.

In a few steps the sums of squares of most tensors hardly move, and many choices of them explain a penalty's value to
rounding. The graph says which it is; the value has to follow from it all the same.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.ingest.records import StepRecording

#: Sums of terms; ``Sum`` and ``Mean`` are one where they run over such.
_SUMS: Final = frozenset({"Add", "AddV2", "AddN", "Pack", "Stack"})
#: What takes each number's square or size, as the power of it.
_POWERS: Final = {"Square": 2, "Abs": 1, "L2Loss": 2}
#: PyTorch's norm of any order.
_LENGTH: Final = "LinalgVectorNorm"
_SQUARED: Final = 2
_PASSED: Final = frozenset({"Identity", "Reshape", "Squeeze", "Cast", "ToCopy"})
#: Nodes of a loss that are looked at, as often as they come.
_VISITS: Final = 4096
#: Choices of tensors of one shape that are tried.
_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Spelt:
    """``strength`` times the sum of the ``power`` of all numbers of these tensors."""

    strength: float
    power: int
    tensors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Term:
    strength: float
    power: int
    shape: tuple[int, ...]
    name: str


def spelt(steps: Sequence[StepRecording]) -> Iterator[Spelt]:
    """What the loss's graph may say: tensors of one shape, which not every framework names, are tried in turn.

    Nothing of a loss without terms of weights, or with terms of several strengths or powers.
    """
    terms = _told(steps)
    if not terms or len({(round(math.log(one.strength), 4), one.power) for one in terms}) > 1:
        return
    shapes: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name, array in steps[0].of("weight").items():
        shapes[tuple(array.shape)].append(name)
    ways = [
        [(one.name,)] if one.name in steps[0].of("weight") else [(name,) for name in shapes[one.shape]] for one in terms
    ]
    seen = set()
    for way in itertools.islice(itertools.product(*ways), _MOST):
        chosen = frozenset(name for part in way for name in part)
        if len(chosen) == len(terms) and chosen not in seen:
            seen.add(chosen)
            order = [name for name in steps[0].of("weight") if name in chosen]
            yield Spelt(terms[0].strength, terms[0].power, tuple(order))


def elastic(steps: Sequence[StepRecording]) -> tuple[Spelt, Spelt] | None:
    """Squares and sizes of the same tensors, each with a strength: what scikit-learn and Keras call L1 and L2."""
    found = _every(steps)
    if sorted(one.power for one in found) != [1, 2] or found[0].tensors != found[1].tensors:
        return None
    sizes, squares = sorted(found, key=lambda one: one.power)
    return squares, sizes


def taken(steps: Sequence[StepRecording]) -> dict[int, float]:
    """By step, what all terms of weights in the loss come to; of steps whose weights are known whole alone."""
    found, known = _every(steps), dict[int, float]()
    for step in steps:
        weights = step.of("weight")
        arrays = [(one, weights.get(name)) for one in found for name in one.tensors]
        if arrays and all(each is not None and not each.sampled and each.values is not None for _, each in arrays):
            sums = (one.strength * float((np.abs(np.asarray(each.values, np.float64)) ** one.power).sum())
                    for one, each in arrays if each is not None)  # fmt: skip
            known[step.step] = sum(sums)
    return known


def _every(steps: Sequence[StepRecording]) -> list[Spelt]:
    """All terms, those of one strength and power together; nothing where it is not told which tensors they are of."""
    terms = _told(steps)
    groups: dict[tuple[float, int], list[_Term]] = defaultdict(list)
    for term in terms:
        groups[round(math.log(term.strength), 4), term.power].append(term)
    weights = steps[0].of("weight") if steps else {}
    found = []
    for same in groups.values():
        names = [
            name for name, one in weights.items() if any(_is(term, name, tuple(one.shape), weights) for term in same)
        ]
        if len(names) != len(same):
            return []
        found.append(Spelt(same[0].strength, same[0].power, tuple(names)))
    return found


def _is(term: _Term, name: str, shape: tuple[int, ...], weights: Mapping[str, Any]) -> bool:
    """Whether a term is of a tensor: by its name, where it has one, else by its shape."""
    return term.name == name if term.name in weights else term.shape == shape


def _told(steps: Sequence[StepRecording]) -> list[_Term]:
    """The terms of the step that tells most of them: in PyTorch the first one does not know the tensors' names."""
    weights = steps[0].of("weight") if steps else {}
    return max(map(_terms, steps), key=lambda some: (len(some), sum(one.name in weights for one in some)), default=[])


def _terms(one: StepRecording) -> list[_Term]:
    told = one.facts.get("loss")
    graph = told.get("graph") if isinstance(told, Mapping) else None
    nodes = [node if isinstance(node, Mapping) else {} for node in graph or []]
    found: list[_Term] = []
    waiting: list[tuple[Any, float]] = [(0, 1.0)] if nodes else []
    for _ in range(_VISITS):
        if not waiting:
            return found
        place, strength = waiting.pop()
        if isinstance(place, int) and 0 <= place < len(nodes) and strength > 0:
            term = _term(nodes, place, strength)
            found += [] if term is None else [term]
            waiting += [] if term is not None else reversed(_below(nodes[place], strength))
    return []  # a graph in which the same parts come again and again


def _term(nodes: Sequence[Mapping[str, Any]], place: int, strength: float) -> _Term | None:
    """The term of a weight that a node is; None of any other."""
    node, inputs = nodes[place], list(nodes[place].get("inputs") or ())
    if (length := _length(nodes, place)) is not None:
        return _Term(strength, *length)
    op, extents = node.get("op"), tuple(node.get("from") or ())
    power = _power(nodes, inputs[0]) if op in {"Sum", "Mean"} and len(inputs) == 1 else 0
    if not inputs or (op != "L2Loss" and not power):
        return None
    leaf = node if op == "L2Loss" else nodes[inputs[0]]
    share = 0.5 if op == "L2Loss" else 1 / math.prod(extents) if op == "Mean" and extents else 1.0
    shape = tuple((leaf.get("input_shapes") or [()])[0] or ())
    return _Term(strength * share, power or 2, shape, str(leaf["inputs"][0]))


def _length(nodes: Sequence[Mapping[str, Any]], place: int) -> tuple[int, tuple[int, ...], str] | None:
    """Power, shape and name of a weight whose sum of sizes this is, ``w.norm(1)``, or of squares, ``w.norm() ** 2``."""
    node, power = nodes[place], 1
    below = next(iter(node.get("inputs") or ()), None)
    if node.get("op") == "Pow" and node.get("exponent") == _SQUARED and isinstance(below, int) and below < len(nodes):
        node, power = nodes[below], 2
        below = next(iter(node.get("inputs") or ()), None)
    if node.get("op") != _LENGTH or node.get("ord") != power or node.get("shape") or not _is_weight(below):
        return None
    return power, tuple((node.get("input_shapes") or [()])[0] or ()), str(below)


def _is_weight(made: Any) -> bool:
    return isinstance(made, str) and not made.startswith("output")


def _below(node: Mapping[str, Any], strength: float) -> list[tuple[Any, float]]:
    """What a node adds up or multiplies by a number, each with how often the loss has it; nothing of any other."""
    op, inputs, other = node.get("op"), list(node.get("inputs") or ()), node.get("other")
    if op in _SUMS or op in _PASSED or (op == "Sum" and len(node.get("from") or ()) <= 1):
        scaled = strength * float(node.get("alpha") or 1.0)
        return [(made, scaled if at and op == "Add" else strength) for at, made in enumerate(inputs)]
    if op in {"Mul", "Div", "RealDiv"} and isinstance(other, int | float) and other > 0:
        return [(made, strength * other if op == "Mul" else strength / other) for made in inputs]
    return []


def _power(nodes: Sequence[Mapping[str, Any]], place: Any) -> int:
    """The power that a node takes of a weight's numbers; 0: none that is known, or of something else."""
    if not isinstance(place, int) or not 0 <= place < len(nodes):
        return 0
    node = nodes[place]
    given = [one for one in node.get("inputs") or () if one is not None]
    if not given or not all(map(_is_weight, given)):
        return 0
    if node.get("op") == "Pow":
        return 2 if node.get("exponent") == _SQUARED else 0
    if node.get("op") == "Mul":
        return 2 if len(given) == 2 and given[0] == given[1] else 0
    return _POWERS.get(str(node.get("op")), 0)
