"""What a loss of TensorFlow is made of, read off the operations behind it.

In a function that is traced every tensor knows the operation that made it. A loop that runs eagerly
leaves no such trace: there TensorFlow's own callback for operations tells them as they run, between
the beginning of a tape and the question for its gradient, in the steps that are recorded.

From the loss downwards the first operation is looked for that brings together something computed
from the weights and something of the data alone: there output and target meet, whatever spelling
the program has for its loss. Nothing is computed or changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import tensorflow as tf
from tensorflow.python.framework import op_callbacks  # there is no public way

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import likelihood
from auditor_agent.integrations.tensorflow.entropies import entropy

#: Operations looked at: a loss is a few, the way from a target to the data some.
MOST_NODES: Final = 200
_MOST_BELOW: Final = 48
#: Tensors that an eager tape's operations may hold while a step is under way.
_MOST_KEPT: Final = 20_000
_REDUCTIONS: Final = {"Mean": "mean", "Sum": "sum"}
#: Losses that are one operation of TensorFlow's, of logits.
_WHOLE: Final = {
    "SoftmaxCrossEntropyWithLogits": "categorical_crossentropy",
    "SparseSoftmaxCrossEntropyWithLogits": "sparse_categorical_crossentropy",
}
_PICKS: Final = likelihood.PICKS
#: What lies between the choice of a class of each row and the loss where that is a likelihood: the value of an action
#: that is held against another one is none.
_LIKELIHOOD: Final = frozenset(
    {"Neg", "Mean", "Sum", "Mul", "RealDiv", "DivNoNan", "AddV2", "Add", "AddN", "Log", "Reshape", "Squeeze", *_PICKS}
)
_MEETINGS: Final = frozenset(
    {"Sub", "SquaredDifference", "Mul", "Div", "RealDiv", "Maximum", "Xdivy", "Xlogy", *_PICKS, *_WHOLE}
)
READS: Final = frozenset({"ReadVariableOp", "VariableV2", "ResourceGather"})
_SHAPERS: Final = frozenset({"Reshape", "Squeeze", "ExpandDims", "Identity"})
#: What lies between the loss of a row and its weight.
_AROUND: Final = frozenset({*_SHAPERS, *_REDUCTIONS, "Neg"})
#: What makes a loss of a difference, row by row.
_POINTWISE: Final = frozenset({"Square", "SquaredDifference", "Pow", "Abs"})
_DIFFERENCES: Final = frozenset({"Sub", "SquaredDifference"})
_SCALED: Final = frozenset({"RealDiv", "Div", "Maximum"})
_SELECTS: Final = frozenset({"Select", "SelectV2"})
_PARTING: Final = frozenset({"StridedSlice", "Slice", "GatherV2", "Split", "SplitV", "Unpack"})
_ADDITIONS: Final = frozenset({"AddV2", "Add", "AddN", "Identity"})

#: The operation that made a tensor: its type and its inputs; None for a tensor that was there.
Made = Callable[[Any], tuple[str, Sequence[Any]] | None]


def in_graph(tensor: Any) -> tuple[str, Sequence[Any]] | None:
    """The operation behind a tensor of a graph; None for an input of the function."""
    operation = getattr(tensor, "op", None)
    if operation is None or operation.type in {"Placeholder", "PlaceholderWithDefault", "Const"}:
        return None
    return str(operation.type), list(operation.inputs)


class Eager:
    """The operations that ran while a tape was there: between :meth:`begin` and :meth:`end`, in one thread."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[str, Sequence[Any], Any]] = {}
        self._listening = False

    @guarded(None)
    def begin(self) -> None:
        """Have TensorFlow tell the operations of this thread."""
        op_callbacks.add_op_callback(self.heard)
        self._listening = True

    @guarded(None)
    def end(self) -> None:
        """No more. Idempotent."""
        if self._listening:
            self._listening = False
            with tf.init_scope():  # within a graph that is being traced TensorFlow would not restore its own function
                op_callbacks.remove_op_callback(self.heard)

    def __call__(self, tensor: Any) -> tuple[str, Sequence[Any]] | None:
        """The operation that made an eager tensor."""
        found = self._made.get(id(tensor))
        return None if found is None else found[:2]

    @guarded(None)
    def heard(  # noqa: PLR0913, PLR0917 -- TensorFlow's signature, by keyword where a graph is traced
        self, kind: Any, inputs: Any, attributes: Any, outputs: Any, op_name: Any = None, graph: Any = None
    ) -> None:
        """As TensorFlow calls back."""
        del attributes, op_name
        if graph is not None or len(self._made) >= _MOST_KEPT:
            return
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        for output in outputs:  # kept with its inputs: an id is free again once its tensor is gone
            self._made[id(output)] = kind, list(inputs), output


@dataclass(slots=True)
class Compared:
    """What a loss compared."""

    output: Any = None
    target: Any = None
    result: Any = None
    """What came of it: the loss of the data where a loss function gave it, else the difference."""
    facts: dict[str, Any] = field(default_factory=dict)
    weight: Any = None
    """What the losses of the rows were multiplied with: weights of samples, a mask."""


#: Behind it nothing is learnt: what a target network gives.
_STOP: Final = "StopGradient"
#: But for what TensorFlow's own functions stop: ``tf.reduce_logsumexp``, ``tf.nn.moments``.
_STEADY: Final = frozenset({"Max", "SelectV2", "Mean"})


@guarded(cast("Compared | None", None))
def compared(loss: Any, made: Made, *, deep: bool = True, every: Made | None = None) -> Compared | None:
    """Where output and target meet below ``loss``; None where that cannot be told.

    Args:
        loss: what the gradient is of.
        made: what made a tensor; for what another network gives, nothing.
        every: what made a tensor, by whichever network.
        deep: whether to look below a meeting for one that it may be made of; once, for each takes as long again.
    """
    waiting: deque[tuple[Any, tuple[str, ...], tuple[Any, ...]]] = deque([(loss, (), ())])
    seen: set[int] = set()
    while waiting and len(seen) < MOST_NODES:
        tensor, chain, path = waiting.popleft()
        node = made(tensor)
        if node is None or id(tensor) in seen:
            continue
        seen.add(id(tensor))
        kind, inputs = node
        chain, path = (*chain, kind), (*path, tensor)
        if kind in _MEETINGS and len(inputs) >= 2 and not (deep and kind == "Mul" and _weighed(inputs, made)):
            sides = [of_weights(side, made) for side in inputs[:2]]
            apart = sides[0] != sides[1] and all(_rank(side) for side in inputs[:2])
            by_class = kind in _PICKS and (from_table(inputs, made) or not _LIKELIHOOD.issuperset(chain))
            divided = deep and apart and kind in _SCALED and _differs(inputs[sides.index(True)], made)
            if apart and not by_class and not divided:
                output, target = inputs[:2] if sides[0] else inputs[1::-1]
                return _told(chain, path, output, target, made, every or made)
            if kind == "Sub" and all(sides) and (found := _of_logits(chain, tensor, inputs, made)) is not None:
                return found
        waiting.extend((below, chain, path) for below in inputs if _floating(below))
    return None


def _weighed(factors: Sequence[Any], made: Made) -> bool:
    """Whether one of the factors is a loss of its own, by rows: what it is multiplied with is weights, no target."""
    for factor in factors[:2]:
        if likelihood.is_of_rows(factor, made, lambda one: of_weights(one, made)):
            return True
        node = made(factor)
        for _ in range(MOST_NODES):
            if node is None or node[0] not in _AROUND or not node[1]:
                break
            node = made(node[1][0])
        if node is not None and (node[0] in _WHOLE or _of_elements(factor, node[0], made)):
            return True
    return False


def _of_elements(factor: Any, kind: str, made: Made) -> bool:
    """Whether it is the losses of elements: one function of a difference, or a cross entropy of several operations."""
    if kind not in _POINTWISE | _ADDITIONS | {"Sub"}:
        return False
    found = compared(factor, made, deep=False)
    return found is not None and (kind in _POINTWISE or found.facts["operation"] != "arithmetic")


def _differs(tensor: Any, made: Made) -> bool:
    """Whether ``tensor`` is worked out of a difference of output and target: what it is divided by is neither."""
    found = compared(tensor, made, deep=False)
    return found is not None and found.facts.get("chain", [""])[-1] in _DIFFERENCES


def from_table(inputs: Sequence[Any], made: Made) -> bool:
    """Whether what is gathered are rows of a weight: an embedding, no classes of an output."""
    node = made(inputs[0])
    return is_variable(inputs[0]) or (node is not None and node[0] in READS)


@guarded(None)
def weight(loss: Any, result: Any, made: Made) -> Any:
    """What the losses of the rows, worked out of ``result``, are multiplied with, or chosen by; None if by nothing.

    Args:
        loss: what the gradient is of.
        result: what came of output and target.
        made: what made a tensor.
    """
    waiting, seen = deque([loss]), set[int]()
    while waiting and len(seen) < MOST_NODES:
        tensor = waiting.popleft()
        node = None if tensor is result or id(tensor) in seen else made(tensor)
        if node is None:
            continue
        seen.add(id(tensor))
        kind, given = node
        if (kind == "Mul" or kind in _SELECTS) and len(given) > 1:
            ours = [of_weights(one, made) for one in given]
            by = given[ours.index(False) if kind == "Mul" and False in ours else 0]
            if sum(ours) == 1 and _rank(by) and comes_of(given[ours.index(True)], [result], made):
                return by
        waiting.extend(below for below in given if _floating(below))
    return None


def plain_sum(total: Any, part: Any, made: Made) -> bool:
    """Whether ``total`` is ``part``, or a sum that ``part`` enters as it is."""
    waiting = [total]
    for _ in range(MOST_NODES):
        if not waiting:
            return False
        tensor = waiting.pop()
        if tensor is part:
            return True
        node = made(tensor)
        if node is not None and node[0] in _ADDITIONS:
            waiting.extend(node[1])
    return False


def _told(  # noqa: PLR0913, PLR0917 -- as it was found
    chain: Sequence[str], path: Sequence[Any], output: Any, target: Any, made: Made, every: Made
) -> Compared:
    """What met in the last tensor of ``path``; of a cross entropy the probabilities or logits that it takes."""
    facts = _facts(chain, path[-1], output, target)
    if of_weights(target, every, stopped=True):
        facts["taught"] = True
    if chain[-1] == "GatherNd":
        target = likelihood.classes_of(target, made)
    named = entropy(path, output, target, made) if chain[-1] == "Mul" else None
    if named is None:
        return Compared(output, target, path[-1], facts)
    output, target, told = named
    shapes = {"output_shape": shape(output), "target_shape": shape(target)}
    return Compared(output, target, path[-1], facts | told | shapes)


def _of_logits(chain: Sequence[str], losses: Any, given: Sequence[Any], made: Made) -> Compared | None:
    """A cross entropy of several classes as a difference; None where the difference is none."""
    found = likelihood.of_logits(given, made, lambda one: of_weights(one, made))
    if found is None:
        return None
    kind = "sparse_categorical_crossentropy" if found[1].dtype.is_integer else "categorical_crossentropy"
    facts = {"operation": kind, "from_logits": True, "broadcast": False}
    return Compared(*found, losses, _facts(chain, losses, *found) | facts)


def _facts(chain: Sequence[str], difference: Any, output: Any, target: Any) -> dict[str, Any]:
    reduction = next((_REDUCTIONS[kind] for kind in chain if kind in _REDUCTIONS), None)
    facts: dict[str, Any] = {"operation": _WHOLE.get(chain[-1], "arithmetic"), "reduction": reduction}
    shapes = {"output_shape": shape(output), "target_shape": shape(target)}
    if chain[-1] in _WHOLE:
        return facts | shapes | {"from_logits": True, "broadcast": False}
    wide = shape(difference)
    known = [extents for extents in (wide, *shapes.values()) if extents is not None]
    apart = len(known) == 3 and _squeezed(shapes["output_shape"]) != _squeezed(wide)
    broadcast = apart and chain[-1] not in _PICKS
    return facts | shapes | {"shape": wide, "broadcast": broadcast, "chain": list(chain)}


def of_weights(tensor: Any, made: Made, *, stopped: bool = False) -> bool:
    """Whether ``tensor`` has a gradient by a variable, or would but for a stop; taken for granted far from the data."""
    waiting, seen = [tensor], set()
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if len(seen) > _MOST_BELOW or is_variable(at):
            return True
        node = made(at)
        if node is not None:
            if node[0] in READS:
                return True
            if stopped or node[0] != _STOP or _steadies(node[1], made):
                waiting.extend(node[1])
    return False


def _steadies(stopped: Sequence[Any], made: Made) -> bool:
    """Whether a library stops a gradient that would be none: of the largest number, of a mean, to be taken off."""
    node = made(stopped[0]) if stopped else None
    while node is not None and node[0] in _SHAPERS and node[1]:
        node = made(node[1][0])
    return node is not None and node[0] in _STEADY


@guarded(False)
def of_itself(variable: Any, given: Sequence[Any]) -> bool:
    """Whether what a variable is given in a traced function is made of nothing but itself: a decay, no rule's step."""
    if tf.executing_eagerly() or not given or not tf.is_tensor(given[0]) or not hasattr(given[0], "op"):
        return False
    own = given[0].graph.capture(variable.handle) if hasattr(given[0].graph, "capture") else variable.handle
    waiting, seen, found = [given[0]], set[int](), False
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        node = in_graph(at)
        if len(seen) > _MOST_BELOW or (node is None and at is not own and (is_variable(at) or _rank(at))):
            return False
        found = found or at is own
        waiting.extend(() if node is None else node[1])
    return found


def is_variable(tensor: Any) -> bool:
    """Whether it is a variable or its handle, not a value of one."""
    return getattr(tensor, "dtype", None) == tf.resource or isinstance(tensor, tf.Variable)


def _floating(tensor: Any) -> bool:
    return bool(getattr(getattr(tensor, "dtype", None), "is_floating", False))


def _rank(tensor: Any) -> int:
    rank = getattr(getattr(tensor, "shape", None), "rank", None)
    return 1 if rank is None else int(rank)


def shape(tensor: Any) -> list[int | None] | None:
    """The extents of a tensor as far as they are known."""
    extents = getattr(tensor, "shape", None)
    if extents is None or getattr(extents, "rank", 0) is None:
        return None
    return [None if extent is None else int(extent) for extent in extents]


def _squeezed(extents: Sequence[Any] | None) -> list[Any]:
    return [extent for extent in extents or () if extent != 1]


def arguments(graph: Any) -> Sequence[Any]:
    """The inputs of a function that is being traced; none of a loop or branch within one."""
    outer = getattr(graph, "outer_graph", None)
    return () if hasattr(outer, "outer_graph") else getattr(graph, "inputs", ())


def comes_of(tensor: Any, others: Sequence[Any], made: Made) -> bool:
    """Whether ``tensor`` is one of ``others``, or was made of one by few operations."""
    wanted, waiting, seen = {id(one) for one in others}, [tensor], set[int]()
    while wanted and waiting and len(seen) < _MOST_BELOW:
        at = waiting.pop()
        if id(at) in wanted:
            return True
        node = None if id(at) in seen else made(at)
        seen.add(id(at))
        waiting.extend(node[1] if node is not None else ())
    return False


def sources(tensor: Any, inputs: Sequence[Any], *, whole: bool = False) -> Iterator[int]:
    """Places in ``inputs`` of a function from which ``tensor`` was made by few operations.

    ``whole``: not by taking a part of one.
    """
    places = {id(given): place for place, given in enumerate(inputs)}
    waiting, seen = [tensor], 0
    while waiting and seen < _MOST_BELOW:
        at, seen = waiting.pop(), seen + 1
        if id(at) in places and not is_variable(at):
            yield places[id(at)]
            continue
        node = in_graph(at)
        if node is not None and not (whole and node[0] in _PARTING):
            waiting.extend(node[1])
