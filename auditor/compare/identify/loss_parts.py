"""What the parts of a loss count for, read off the graph behind it: how each is reduced and by what it is multiplied.

From the loss downwards all that is linear in its parts (sums, means, products with numbers) is multiplied out, down
to the functions that are not: squares, absolute values, cross entropies. What an element of each counts for in the
sum is then a number of the program's own, whatever weights it began with and however its lines are written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from auditor.compare.identify.evidence import Evidence, data
from auditor.compare.identify.fact import Fact

#: Functions by the operations of PyTorch and TensorFlow; those in the second table divide or sum by themselves.
_FUNCTIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Square", "SquaredDifference", "MseLoss"), "square"),
    **dict.fromkeys(("Abs", "L1Loss"), "absolute value"),
    **dict.fromkeys(("SmoothL1Loss", "HuberLoss"), "huber"),
    **dict.fromkeys(("BinaryCrossEntropy", "BinaryCrossEntropyWithLogits"), "binary cross entropy"),
    **dict.fromkeys(("SparseSoftmaxCrossEntropyWithLogits", "SoftmaxCrossEntropyWithLogits"), "cross entropy"),
    **dict.fromkeys(("NllLoss", "NllLoss2D", "NllLossNd"), "cross entropy"),
    **dict.fromkeys(("Log", "Log1P", "Log1p", "LogSoftmax", "LogSigmoid", "Xlogy"), "logarithm"),
    "Exp": "exponential",
    "Sqrt": "root",
    "Relu": "positive part",
    "Mul": "product",
    **dict.fromkeys(("Div", "RealDiv", "DivNoNan"), "quotient"),
}
_ROWS: Final = frozenset({"cross entropy"})
_LOSSES: Final = frozenset({"square", "absolute value", "huber", "binary cross entropy", "cross entropy"})
#: Operations that give the losses of elements; a logarithm is multiplied with the target to be one.
POINTWISE: Final = frozenset(op for op, name in _FUNCTIONS.items() if name in _LOSSES)
#: Operations that leave each number as it is.
PASSED: Final = frozenset({
    *("View", "ReshapeAlias", "UnsafeView", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute", "Clone", "ToCopy"),
    *("Identity", "Reshape", "ExpandDims", "Cast", "Alias", "Contiguous"),
    *("StridedSlice", "Slice", "Narrow", "Split", "SplitV", "Unbind", "Unpack"),  # what is counted is what comes of it
})  # fmt: skip
#: What is packed is added up above.
_SUMS: Final = frozenset({"Add", "AddV2", "AddN", "Pack", "Sub", "Rsub", "Neg"})
_PRODUCTS: Final = frozenset({"Mul", "Div", "RealDiv", "DivNoNan"})
_REDUCED: Final = frozenset({"Mean", "Sum"})
_LOGARITHMS: Final = frozenset({"Log", "Log1P", "LogSoftmax", "LogSigmoid"})
#: On the way from a cross entropy to its logits: shares, kept away from zero and one.
_SHARES: Final = frozenset({"LogSoftmax", "Softmax", "Minimum", "Maximum", "ClampMin", "Clamp"})
#: What a binary cross entropy of logits is written as: max(x, 0) - x y + log(1 + exp(-|x|)) (TensorFlow).
_LOGITS: Final = frozenset({"Relu", "Maximum", "Select", "SelectV2", "ClampMin"})
#: Two weights that are one: numbers of a graph, rounded to float32.
_SAME: Final = 1e-4
_SQUARE: Final = 2.0
_MOST: Final = 400
#: The parts that count for as much at every step, beside some that are warmed up, say.
STEADY: Final = "loss.parts.steady"
#: How many summands are what a model gave, as it is: a penalty that it makes itself, the opinion of a critic.
PLAIN: Final = "loss.parts.linear"
_LINEAR: Final = "linear"
#: The loss of a step's first backward pass, where it takes several.
_EARLIER: Final = "loss@1"
#: Steps whose graphs are looked at.
_STEPS: Final = 5

#: A factor and what it is of: the ``output`` of a model, or what a product within the loss (a ``layer``) gave.
Scale = tuple[float, str]
Node = Mapping[str, Any]
Graph = Sequence[Node]


@dataclass(frozen=True, slots=True)
class Part:
    """One function that a loss is a sum of.

    ``size``: elements of it per sample; ``weight``: what one sample's sum of them counts for in the mean over the
    batch; ``scale``: of logarithms and cross entropies, what their logits were multiplied by.
    """

    function: str
    size: float
    weight: float
    scale: Scale | None = None


class _UnclearError(Exception):
    """A graph that does not say what its parts count for."""


def facts(evidence: Evidence) -> list[Fact]:
    """``loss.parts``: the functions that the loss is a sum of, where its graph was told whole.

    Of steps whose graphs were told anew all must say the same: a loss that is divided by what a batch holds (positions
    that are no padding, say) has no weights of its own.
    """
    seen: list[tuple[Part, ...]] = []
    plain = 0
    for one in evidence.steps[:_STEPS]:
        if one.facts.get("forwards") == 1 and _EARLIER in one.scalars:
            return []  # of several losses over one call of the model, one after the other, the last one's graph is told
        told = one.facts.get("loss")
        graph = told.get("graph") if isinstance(told, Mapping) else None
        if isinstance(told, Mapping) and isinstance(graph, list) and graph and (batch := _batch(one, told)):
            try:
                seen.append(parts(graph, batch))
                plain = max(plain, linear(graph, batch))
            except _UnclearError:
                return []
    if not seen or not seen[0]:
        return []
    note = "from the graph of the loss"
    if all(_alike(seen[0], other) for other in seen[1:]):
        return [Fact("loss.parts", seen[0], note=note), Fact(STEADY, seen[0], note=note), Fact(PLAIN, plain, note=note)]
    same = all([one.function for one in seen[0]] == [one.function for one in other] for other in seen[1:])
    kept = [
        one for at, one in enumerate(seen[0]) if same and all(_near(one.weight, other[at].weight) for other in seen)
    ]
    return [Fact(STEADY, tuple(kept), note=note)] if kept else []


def _alike(a: Sequence[Part], b: Sequence[Part]) -> bool:
    return len(a) == len(b) and all(
        one.function == other.function and _near(one.weight, other.weight) for one, other in zip(a, b, strict=True)
    )


def _batch(one: Any, told: Mapping[str, Any]) -> int:
    given = data(one, "batch")
    if given is not None and given.ndim:
        return len(given)
    shape = told.get("output_shape")
    return int(shape[0]) if isinstance(shape, list) and shape and isinstance(shape[0], int) else 0


def parts(graph: Graph, batch: int) -> tuple[Part, ...]:
    """The functions of one loss, those of equal kind and weight put together.

    Raises:
        _UnclearError: where the graph was cut short or holds what nobody knows to be linear.
    """
    found = [one for one in _named([*_down(graph, 0, 1.0, batch, 0)], batch) if one.function != _LINEAR]
    together: dict[tuple[str, float, Scale | None], Part] = {}
    for one in found:
        key = one.function, round(math.log(abs(one.weight) or 1e-300), 3), one.scale
        kept = together.get(key)
        together[key] = one if kept is None else replace(kept, size=kept.size + one.size)
    return tuple(together.values())


def linear(graph: Graph, batch: int) -> int:
    """How many summands of a loss are of no function at all.

    Raises:
        _UnclearError: as ``parts`` does.
    """
    return sum(one.function == _LINEAR for one in _named([*_down(graph, 0, 1.0, batch, 0)], batch))


@dataclass(frozen=True, slots=True)
class _Found:
    """One function before anything is put together: ``elements`` of it, and what each counts for."""

    op: str
    elements: int
    weight: float
    scale: Scale | None = None
    of: str = ""
    """Of a product: the operation that is multiplied."""


def _down(graph: Graph, at: Any, factor: float, batch: int, depth: int) -> Iterator[_Found]:
    """What lies behind one input of a node."""
    if _constant(at):
        return
    if at == "..." or depth > _MOST or (isinstance(at, int) and at >= len(graph)):
        raise _UnclearError
    node: Node = graph[at] if isinstance(at, int) else {}
    below = [(one, sign) for one, sign in _linear(node, batch) if one is not None]
    if below:
        for one, sign in below:
            yield from _down(graph, one, factor * sign, batch, depth + 1)
    elif not node.get("inputs"):
        yield _Found(_LINEAR, 1, factor)  # what a layer gave
    elif not all(_constant(one) for one in node["inputs"]):
        yield _function(graph, node, factor, batch)


def _constant(at: Any) -> bool:
    """Whether an input is a constant, or a weight: a penalty is no part of the data's loss."""
    return at is None or (isinstance(at, str) and not at.startswith(("output", "...")))


def _linear(node: Node, batch: int) -> list[tuple[Any, float]]:
    """The inputs of a node that is linear in them, each with what it is multiplied by; none of one that is not."""
    op, inputs, number = str(node.get("op")), list(node.get("inputs") or []), node.get("other")
    if op in _SUMS:
        return list(zip(inputs, _signs(op, node, len(inputs)), strict=True))
    if op in PASSED:
        return [(one, 1.0) for one in inputs[:1]]
    if op in _REDUCED:
        share = 1.0 if op == "Sum" else _count(node, batch)
        return [(one, 1 / share) for one in inputs[:1]]
    if op in _PRODUCTS and (number or (op == "Mul" and number is not None)):  # nothing is a number to be warmed up from
        value = _counted(number, batch)
        return [(one, value if op == "Mul" else 1 / value) for one in inputs]
    return []


def _counted(number: Any, batch: int) -> float:
    """A number of a graph, with the samples of the step where it counts them: ``batch``, ``batch*8``."""
    if isinstance(number, str):
        return batch * float(number.partition("*")[2] or 1)
    return float(number)


def _signs(op: str, node: Node, count: int) -> list[float]:
    if op == "Neg":
        return [-1.0] * count
    second = float(node.get("alpha", 1) or 1)
    if op == "Sub":
        return [1.0, -second][:count]
    return [-1.0, 1.0][:count] if op == "Rsub" else [1.0, *[second] * (count - 1)]


def _count(node: Node, batch: int) -> float:
    """How many numbers a mean is of."""
    before, after = _extents(node.get("from"), batch), _extents(node.get("shape"), batch)
    if before is None or after is None or not math.prod(after):
        raise _UnclearError
    return math.prod(before) / math.prod(after)


def _extents(shape: Any, batch: int) -> list[int] | None:
    """A shape, with the batch where an extent is not known before a step."""
    if not isinstance(shape, (list, tuple)) or [one for one in shape[1:] if one is None]:
        return None
    return [batch if one is None else int(one) for one in shape]


def _function(graph: Graph, node: Node, factor: float, batch: int) -> _Found:
    op, inputs = str(node["op"]), list(node.get("inputs") or [])
    whole = node.get("reduction") in {"mean", "sum"}
    shapes = [*(node.get("input_shapes") or []), node.get("shape")]
    extents = _extents(next((one for one in shapes if one), None) if whole else node.get("shape"), batch)
    if extents is None:
        raise _UnclearError
    rows, elements = _FUNCTIONS.get(op) in _ROWS, math.prod(extents)
    if rows and whole:  # of its classes one counts, along the second axis of places
        elements //= extents[1 if "2D" in op else -1] or 1
    weight = factor / elements if node.get("reduction") == "mean" else factor
    weight *= _numbers(graph, node)
    below = next((one for one in inputs if isinstance(one, int)), None)
    if _squares(node):
        return _Found("Square", elements, weight)
    if op == "Log" and _operation(graph, below) == "Exp":
        return _Found(_LINEAR, elements, weight)
    logs = next((one for one in inputs if _operation(graph, one) in _LOGARITHMS), None) if op == "Mul" else None
    if logs is not None:
        return _Found(op, elements, weight, _scale(graph, _below(graph, logs)), _operation(graph, logs))
    return _Found(op, elements, weight, _scale(graph, below) if rows or op in _LOGARITHMS else None)


def _numbers(graph: Graph, node: Node) -> float:
    """What a square, product or quotient is multiplied by because what it is of is: ``(2 x)^2`` is four times one."""
    inside = [_inside(graph, one) for one in node.get("inputs") or [] if one is not None]
    if _squares(node):
        return inside[0] ** 2 if inside else 1.0
    if node["op"] == "Mul":
        return math.prod(inside)
    return inside[0] / (inside[1] if len(inside) > 1 else 1.0) if node["op"] in _PRODUCTS and inside else 1.0


def _inside(graph: Graph, at: Any) -> float:
    """The number that an input was multiplied by, whatever was reshaped on the way."""
    number = 1.0
    for _ in range(_MOST):
        node = graph[at] if isinstance(at, int) and at < len(graph) else {}
        op, other = str(node.get("op")), node.get("other")
        inputs = [one for one in node.get("inputs") or [] if one is not None]
        if len(inputs) != 1:
            break
        if op in _PRODUCTS and isinstance(other, (int, float)) and other:
            number *= other if op == "Mul" else 1 / other
        elif op == "Neg":
            number = -number
        elif op not in PASSED:
            break
        at = inputs[0]
    return number


def _squares(node: Node) -> bool:
    """Whether it is the square of what it is given: a power of two, or a product with itself."""
    op, inputs = node["op"], node.get("inputs") or []
    itself = op == "Mul" and len(inputs) > 1 and inputs[0] is not None and inputs[0] == inputs[1]
    return itself or (op == "Pow" and float(node.get("exponent") or 0) == _SQUARE)


def _below(graph: Graph, at: Any) -> Any:
    """What a logarithm is of, whatever was reshaped or negated behind it."""
    place = _through(graph, at)
    return None if place is None else next((one for one in graph[place].get("inputs") or [] if one is not None), None)


def _operation(graph: Graph, at: Any) -> str:
    """The operation that an input is of, whatever was reshaped or negated on the way."""
    place = _through(graph, at)
    return str(graph[place].get("op")) if place is not None else ""


def _through(graph: Graph, at: Any) -> int | None:
    for _ in range(_MOST):
        if not isinstance(at, int) or at >= len(graph):
            return None
        node = graph[at]
        inputs = [one for one in node.get("inputs") or [] if one is not None]
        if str(node.get("op")) not in PASSED | {"Neg", "Sub"} or len(inputs) != 1:
            return at
        at = inputs[0]
    return None


def _scale(graph: Graph, at: Any) -> Scale | None:
    """What is multiplied on the way from logits to what made them, and what that was; None where it does not show."""
    scale = 1.0
    for _ in range(_MOST):
        if not isinstance(at, int) or at >= len(graph):
            return (scale, "output") if isinstance(at, str) and at.startswith("output") else None
        node = graph[at]
        op, number = str(node.get("op")), node.get("other")
        if op in _PRODUCTS and isinstance(number, (int, float)) and number:
            scale = scale * number if op == "Mul" else scale / number
        elif op not in PASSED | _SHARES:
            return None if node.get("inputs") else (scale, "layer")
        at = next((one for one in node.get("inputs") or [] if one is not None), None)
    return None


def _named(found: Sequence[_Found], batch: int) -> Iterator[Part]:
    """Under one name in every framework; a binary cross entropy that is written out in its three parts is one."""
    rest = list(found)
    for one in [one for one in rest if one.op in {"Log1p", "Log1P", "Softplus"}]:
        like = [other for other in rest if other.elements == one.elements and _near(abs(other.weight), abs(one.weight))]
        product = next((other for other in like if other.op == "Mul" and not other.of), None)
        positive = next((other for other in like if other.op in _LOGITS), None)
        if product is not None and positive is not None:
            rest = [other for other in rest if other not in (one, product, positive)]
            yield Part("binary cross entropy", one.elements / batch, one.weight * batch)
    logs = [one for one in rest if one.op == "Mul" and one.of in _LOGARITHMS]
    for one in logs:
        twins = (o for o in logs if o is not one and o.elements == one.elements and _near(o.weight, one.weight))
        twin = next(twins, None)
        if twin is not None and one in rest and twin in rest:
            rest = [other for other in rest if other not in (one, twin)]
            yield Part("binary cross entropy", one.elements / batch, abs(one.weight) * batch)
    for one in rest:
        name = "entropy" if one.of else _FUNCTIONS.get(one.op, one.op)
        weight = abs(one.weight) if one.of else one.weight
        yield Part(name, one.elements / batch, weight * batch, one.scale)


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME * max(abs(a), abs(b))
