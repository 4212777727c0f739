"""The order in which the layers of a Keras model run, and what a program calls as functions between them.

In a traced step every operation has its place in the graph: what lies neither within a layer nor behind the
model's output is the program's own (``tf.nn.relu(self.dense(x))``). Of an eager step the layers alone are told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import arithmetic, dropped, loops, pieces, shares, written
from auditor_agent.integrations.keras.order import MOST, MOST_NODES, Order, ancestors, aside, tracing

#: Operations of TensorFlow that are activations, by what they are called elsewhere.
ACTIVATIONS: Final = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Elu": "elu",
    "Selu": "selu",
    "LeakyRelu": "leaky_relu",
    "Softplus": "softplus",
}
#: Likewise, with what gives an activation away without being one.
_FUNCTIONS: Final = ACTIVATIONS | {"Softsign": "softsign", "Erf": "gelu"}
_POOLS: Final = {"MaxPool": "MaxPooling2D", "AvgPool": "AveragePooling2D"}
_WHOLE: Final = {"Mean": "global_average_pool", "Max": "global_max_pool"}


@guarded(cast("dict[str, Any] | None", None))
def facts(order: Order, output: Any, trained: Sequence[Any] = ()) -> dict[str, Any] | None:
    """``operations``, and whether none was missed; None if nothing ran.

    Args:
        order: what ran.
        output: of the model, one or several in any nest.
        trained: the variables that the step moves, where they are known.
    """
    graph, ends = tracing(), list(_leaves(output))
    here = bool(ends) and all(getattr(end, "graph", None) is graph for end in ends)
    traced = graph is not None and here and order.graph in {None, graph}
    nodes = graph.get_operations() if traced else []
    last = {_made(end.op).name for end in ends} if traced else set()
    left = aside(order, graph.get_operations(), trained) if graph is not None and order.graph is graph else set()
    layers = [
        (place, {"layer": path, **_within(order.layers.get(path), nodes[place:end]), **_ends(last, nodes[place:end])})
        for path, place, end in order.ran
        if path not in left
    ]
    between = list(_between(order, graph, [end.op for end in ends])) if traced else []
    again: dict[str, Any] = {}
    for end in ends if traced else []:
        again |= loops.fed(order.ran, nodes, end.op)
    for _, told in layers:
        told.update(again.pop(str(told["layer"]), {}))
    if not layers and not between:
        return None
    # A layer of no operations (an Input, an inactive dropout) shares its place with the next: theirs is the order.
    found = sorted([*layers, *between], key=lambda one: one[0])
    return {"operations": list(_once(told for _, told in found))[:MOST], "operations_whole": traced}


def _within(layer: Any, nodes: Sequence[Any]) -> dict[str, Any]:
    """What shows of masks within a layer, and of an activation that is the program's own function."""
    told: dict[str, Any] = dict(shares.causal(nodes))
    function = getattr(layer, "activation", None)
    if function is None or str(getattr(function, "__module__", "keras")).partition(".")[0] in {"keras", "tensorflow"}:
        return told
    found = written.last(nodes, ACTIVATIONS)
    return told if found is None else {**told, "acts": found}


def _once(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Arithmetic that stands together is told once."""
    before = ""
    for told in found:
        if before != arithmetic.OWN or told.get("op") != arithmetic.OWN:
            yield told
        before = str(told.get("op"))


def _made(node: Any) -> Any:
    """The operation that made an output, behind what only names it, casts it or takes an axis of one off."""
    while node.type in _NAMES and len(node.inputs):
        node = node.inputs[0].op
    return node


def made_of(tensors: Sequence[Any], given: Sequence[Any]) -> bool | None:
    """Whether one of ``tensors`` is one of ``given``, by another name, type or shape at most; None of an eager step."""
    if not all(hasattr(one, "op") for one in (*tensors, *given)):
        return None
    nodes = {id(_made(one.op)) for one in given}
    return any(id(_made(one.op)) in nodes for one in tensors)


def _ends(last: set[str], nodes: Sequence[Any]) -> dict[str, bool]:
    """``end``: an output is made here, so that an activation here may be the loss's matter."""
    return {"end": True} if any(node.name in last for node in nodes) else {}


def _leaves(output: Any) -> Iterator[Any]:
    """The tensors of what a model gave: a dictionary by its outputs' names, a list, one."""
    if isinstance(output, (list, tuple, Mapping)):
        for part in output.values() if isinstance(output, Mapping) else output:
            yield from _leaves(part)
    elif output is not None:
        yield output


def _between(order: Order, graph: Any, last: Sequence[Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    behind, ends = ancestors(last), {_made(one).name for one in last}
    nodes = graph.get_operations()
    cores = [node for node in nodes if node.type in written.CORES and node.name in behind]
    whole = {core.name: found for core in cores if (found := written.activation(core, behind)) is not None}
    hard = [node for node in nodes if node.type in pieces.CORES and node.name in behind]
    whole |= {core.name: found for core in hard if (found := pieces.activation(core, behind)) is not None}
    parts = {name for _, names in whole.values() for name in names}
    of_model = [(place, node) for place, node in enumerate(nodes) if node.name in behind]
    told = dict(_named(order, [one for one in of_model if one[1].name not in parts], nodes, whole))
    made = arithmetic.made(nodes, {*told, *parts, *whole, *_of_layers(order, nodes)})
    for place, node in of_model:
        if node.name in told:
            sum_ = node.type == _SUM and any(arithmetic.is_of(one, made) for one in node.inputs)
            part = node.type in _FUNCTIONS and node.name not in whole and pieces.around(node, behind)
            more = {key: True for key, holds in (("own", sum_), ("around", part)) if holds}
            yield place, {**told[node.name], **more, **_ends(ends, [node])}
        elif node.name in made:
            yield place, {"op": arithmetic.OWN}


def _named(
    order: Order, placed: Sequence[tuple[int, Any]], nodes: Sequence[Any], whole: Mapping[str, tuple[Any, set[str]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of operations with their places those that there is a word for, by name, and that are no layer's matter."""
    layers = _of_layers(order, nodes)
    backwards = {node.name for node in nodes} - {node.name for _, node in placed} - layers
    for place, node in placed:
        if node.type not in _TOLD:
            continue
        around = [path for path, a, b in order.ran if a <= place < b]
        own = node.type in _SEEN_WITHIN or node.name in whole
        if not around or (own and order.own.issuperset(around)):
            entry = (
                whole[node.name][0]
                if node.name in whole
                else _entry(node, layers, backwards) or _scaled(order, nodes, node)
            )
            entry = entry or dropped.dropout(node, _learnt)
            if entry is not None:
                yield node.name, entry


def _of_layers(order: Order, nodes: Sequence[Any]) -> set[str]:
    """Names of what Keras's own layers do within."""
    return {node.name for path, a, b in order.ran if path not in order.own for node in nodes[a:b]}


def _scaled(order: Order, nodes: Sequence[Any], node: Any) -> dict[str, Any] | None:
    """What the rows of a table are multiplied by, where that is one number: the root of its width."""
    if node.type not in _SCALED:
        return None
    factor, below = shares.factor(node)
    place = next((at for at, one in enumerate(nodes) if one is below), -1) if below is not None else -1
    around = [(b - a, path) for path, a, b in order.ran if a <= place < b]
    if factor is None or below is None or below.type not in _GATHERED or not around:
        return None
    return {"op": "scale", "of": min(around)[1], "factor": factor}


#: Products, and what rows are taken of a table by.
_SCALED: Final = frozenset({"Mul", "RealDiv"})
_GATHERED: Final = frozenset({"ResourceGather", "GatherV2"})
_NAMES: Final = frozenset({"Identity", "Cast", "Squeeze", "Reshape"})
_PRODUCTS: Final = frozenset({"MatMul", "BatchMatMulV2"})
_SUM: Final = "AddV2"
_STOP: Final = "StopGradient"
#: Before what a number is added as a rule: a mask, what keeps a root from zero.
_NUMBERED: Final = frozenset({"Softmax", "LogSoftmax", "Sqrt", "Rsqrt", "Pow", "Log", "Exp", "RealDiv", "Reciprocal"})
_SHAPES: Final = frozenset({"Shape", "ShapeN"})
_TERMS: Final = 2
_CHOICE: Final = "SelectV2"
_CORES: Final = written.CORES | pieces.CORES
_TOLD: Final = frozenset({*_FUNCTIONS, *_CORES, *_POOLS, *_WHOLE, *_PRODUCTS, _SUM, _STOP, _CHOICE, *_SCALED})
#: Told of layers of the program's own making too.
_SEEN_WITHIN: Final = frozenset({"Softmax", _SUM, _CHOICE, *_SCALED})


def _entry(node: Any, layers: Collection[str], backwards: Collection[str]) -> dict[str, Any] | None:
    if node.type in _FUNCTIONS:
        function = _FUNCTIONS[node.type]
        slope = {"negative_slope": float(node.get_attr("alpha"))} if function == "leaky_relu" else {}
        return {"op": function, **slope, **(shares.settings(node) if function == "softmax" else {})}
    if node.type in _PRODUCTS:
        return _product(node)
    if node.type == _SUM:
        return {"op": "add"} if _of_equals(node) else {"op": "shift"} if _of_constant(node, layers, backwards) else None
    if node.type == _STOP:
        return {"op": "stop"} if _learnt(node.inputs[0].op) and not _steadies(node) else None
    if node.type in _POOLS:
        size, step = ([int(n) for n in node.get_attr(name)][1:-1] for name in ("ksize", "strides"))
        padding = node.get_attr("padding")
        padding = padding.decode() if isinstance(padding, bytes) else padding
        told = {"pool_size": size, "strides": step, "padding": padding.lower()}
        return {"op": _POOLS[node.type], **told, "input_shape": _extents(node.inputs[0])}
    return {"op": _WHOLE[node.type]} if node.type in _WHOLE and _over_positions(node) else None


def _product(node: Any) -> dict[str, Any] | None:
    """A product with a variable that is no layer's: ``x @ w + b``."""
    if not _of_variable(node.inputs[1]) or node.outputs[0].shape.rank is None:
        return None
    after = [one for made in node.outputs[0].consumers() for one in (made, *_reshaped(made))]
    sums = [one for one in after if one.type in {"AddV2", "BiasAdd"}]
    bias = any(_of_variable(given) for one in sums for given in one.inputs)
    return {"op": "Dense", "units": _extents(node.outputs[0])[-1], "use_bias": bias}


def _reshaped(node: Any) -> list[Any]:
    """What takes the rows of a product again as the positions that they were."""
    return list(node.outputs[0].consumers()) if node.type == "Reshape" else []


def _of_equals(node: Any) -> bool:
    """Whether a sum is of two tensors of its own shape that were both learnt: not of a bias, positions or noise.

    As autograd tells it in PyTorch, where what no weight has a part in is not in the graph.
    """
    given, own = list(node.inputs), _extents_or_none(node.outputs[0])
    if len(given) != _TERMS or own is None or any(_of_variable(one) for one in given):
        return False
    return all(_extents_or_none(one) == own and _learnt(one.op) for one in given)


def _of_constant(node: Any, layers: Collection[str], backwards: Collection[str]) -> bool:
    """Whether a sum is of something learnt with what no weight has a part in: positions, noise. No mask, no epsilon.

    Nor one and a share, by which something is multiplied; not by one of Keras's ``layers``, as a normalisation does.
    Nor a number that goes into another sum alone: PyTorch's graph cannot tell it from the zero that a sum begins with.
    """
    given = list(node.inputs)
    if len(given) != _TERMS or any(_of_variable(one) for one in given):
        return False
    if any(_nothing(one) for one in given):
        return False
    after = [one for one in node.outputs[0].consumers() if one.type not in _SHAPES and one.name not in backwards]
    number = any(one.shape.rank == 0 for one in given)
    if number and after and all(one.type == _SUM and all(_learnt(part.op) for part in one.inputs) for one in after):
        return False
    own = [one for one in after if one.type == "Mul" and one.name not in layers]
    factor = any(all(_learnt(part.op) for part in one.inputs) for one in own)
    numbered = factor or not _NUMBERED.isdisjoint(one.type for one in after)
    return not numbered and sum(_learnt(one.op) for one in given) == 1


def _steadies(stop: Any) -> bool:
    """Whether a library stops a gradient that would be none: of what it takes off before it adds up, and adds again.

    The largest number in ``tf.reduce_logsumexp``, where that is finite; the mean in ``tf.nn.moments``.
    """
    node, after = stop.inputs[0].op, stop.outputs[0].consumers()
    chosen = [tensor.op.type for tensor in node.inputs][:2] if node.type == "SelectV2" else []
    squared = node.type == "Mean" and any(one.type == "SquaredDifference" for one in after)
    return chosen == ["IsFinite", "Max"] or squared


def _nothing(tensor: Any) -> bool:
    """Whether it is the zero that a sum begins with (``total = 0``)."""
    import sys

    value = sys.modules["tensorflow"].get_static_value(tensor) if tensor.op.type in {"Const", "Cast"} else None
    return value is not None and not value.any()


def _extents_or_none(tensor: Any) -> list[int | None] | None:
    return None if tensor.shape.rank is None else _extents(tensor)


def _learnt(last: Any) -> bool:
    """Whether a variable has a part in it; the state of a generator of random numbers is none."""
    waiting, seen = [last], {last.name}
    while waiting and len(seen) < MOST_NODES:
        node = waiting.pop()
        if "Random" in node.type:
            continue
        if any(given.dtype.name == "resource" for given in node.inputs):
            return True
        for tensor in node.inputs:
            if tensor.op.name not in seen:
                seen.add(tensor.op.name)
                waiting.append(tensor.op)
    return False


def _of_variable(tensor: Any) -> bool:
    node = tensor.op
    while node.type in {"Identity", "Cast", "Transpose"}:
        node = node.inputs[0].op
    return str(node.type) == "ReadVariableOp"


def _over_positions(node: Any) -> bool:
    """Whether a mean or maximum runs over all positions, not over samples, the features of a row or everything."""
    import sys

    axes = sys.modules["tensorflow"].get_static_value(node.inputs[1])
    rank = node.inputs[0].shape.rank
    if axes is None or rank is None:
        return False
    chosen = {int(axis) % rank for axis in _flat(axes)}
    if 0 in chosen or not chosen or rank - len(chosen) != _TERMS:
        return False
    return chosen != {rank - 1} or not node.get_attr("keep_dims")


def _flat(axes: Any) -> Sequence[Any]:
    return list(axes.reshape(-1)) if hasattr(axes, "reshape") else [axes]


def _extents(tensor: Any) -> list[int | None]:
    return [None if extent is None else int(extent) for extent in tensor.shape]
