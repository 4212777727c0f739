"""What the graph behind a recorded output says beside the layers: shares, what is cut off, the axis of time."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auditor.compare.structure import words

#: A tensor of no module, named by its place in the optimizer.
_BARE: Final = re.compile(r"group\d+\.param\d+")
#: Axes of a batch of sequences.
_SEQUENCES: Final = 3
#: Modules of PyTorch that compute nothing.
_SHAPES: Final = frozenset({"Flatten", "Unflatten", "Identity", "PixelShuffle", "PixelUnshuffle", "Fold", "Unfold"})
#: What is told of a layer once, however often it is called, and of the last pass alone.
_COUNTED: Final = frozenset({"calls", "fed_by", "end"})
#: Operations that an agent tells of one pass: a graph of so many may go on.
_MOST: Final = 512
#: What a program's own arithmetic consists of, as far as there are words.
_OWN: Final = "arithmetic"
_ARITHMETIC: Final = frozenset({"add", "shift", _OWN})


def once(graph: Any, weights: Sequence[Mapping[str, Any]] = ()) -> Any:
    """One pass, where a step calls its model several times over: PyTorch's first pass is all that is told of it.

    Operations on bare ``weights`` that are as many as there are kernels are each on its own: two towers of one kind.
    """
    if not isinstance(graph, list) or _each_its_own(graph, weights):
        return graph
    told = [{key: one[key] for key in one if key not in _COUNTED} if isinstance(one, Mapping) else one for one in graph]
    for size in range(2, len(told) // 2 + 1):
        if len(told) % size == 0 and told == told[:size] * (len(told) // size):
            passes = zip(graph[:size], graph[-size:], strict=True)
            return [{**first, **last} if isinstance(first, Mapping) else first for first, last in passes]
    return graph


def _each_its_own(graph: Sequence[Any], weights: Sequence[Mapping[str, Any]]) -> bool:
    bare = [one for one in graph if isinstance(one, Mapping) and "layer" not in one]
    weighted = sum(str(one.get("op")).lower() in words.WEIGHTED for one in bare)
    return weighted > 0 and weighted == sum(len(one.get("shape") or ()) > 1 for one in weights)


def alike(graph: Any, layers: Sequence[Mapping[str, Any]]) -> Any:
    """A graph in which layers that one input after another goes through are told once: two towers of shared weights.

    PyTorch tells a module once for each call, Keras too; and one call of both inputs as one batch is the same model.
    """
    weighted = {
        str(one.get(key))
        for one in layers
        for key in ("name", "path")
        if one.get(key) and words.kind_of(one.get("class")) in words.WEIGHTED
    }
    kept = list(graph) if isinstance(graph, list) and len(graph) < _MOST else None
    if kept is None:
        return graph
    told = [{key: one[key] for key in one if key not in _COUNTED} if isinstance(one, Mapping) else one for one in kept]
    for size in range(len(kept) // 2, 0, -1):
        at = 0
        while at + 2 * size <= len(told):
            block = told[at : at + size]
            if block == told[at + size : at + 2 * size] and not weighted.isdisjoint(_names(block)):
                kept[at : at + size] = []
                told[at : at + size] = []
            else:
                at += 1
    return kept


def own(graph: Any, layers: Sequence[Mapping[str, Any]], tensors: Mapping[str, Any]) -> Any:
    """A graph of PyTorch without what another model did before or after this one: a generator before its judge.

    A product that is of no layer is another model's where every weight of this one is a layer's; but one alone behind
    all layers, as wide as what a table or a layer takes, may be its weight again, the other way round, and one before
    all may be the weight of one that is never called: a table that rows of ones and zeros are multiplied with.
    """
    names = [str(one.get("name")) for one in layers]
    if not isinstance(graph, list) or not tensors or not all(_of_any(str(one), names) for one in tensors):
        return graph
    told = [one if isinstance(one, Mapping) else {} for one in graph]
    mine = [at for at, one in enumerate(told) if "layer" in one]
    others = [at for at, one in enumerate(told) if one.get("op") == "dense" and "layer" not in one]
    before = [at for at in others if mine and at < mine[0]]
    after = [at for at in others if mine and at > mine[-1]]
    wide = {one.get(key) for one in layers for key in ("num_embeddings", "in_features")}
    if len(after) == 1 and told[after[0]].get("units") in wide:
        others, after = [at for at in others if at not in after], []
    uncalled = [one for one in layers if all(str(one.get("name")) != node.get("layer") for node in told)]
    gives = {one.get(key) for one in uncalled for key in ("embedding_dim", "out_features")}
    if len(before) == 1 and told[before[0]].get("units") in gives - {None}:
        others, before = [at for at in others if at not in before], []
    if not mine or len(before) + len(after) != len(others):
        return graph
    return graph[mine[0] if before else 0 : after[0] if after else len(graph)]


def bare(tensors: Mapping[str, Any]) -> bool:
    """Whether an optimizer of PyTorch holds tensors of no module: what is computed with them stands in no model.

    But for single numbers: a temperature, the logarithm of a deviation.
    """
    own = (one for name, one in tensors.items() if _BARE.fullmatch(str(name)) and isinstance(one, Mapping))
    return any(math.prod(one.get("shape") or [1]) > 1 for one in own)


def known(graph: Any, layers: Sequence[Mapping[str, Any]]) -> Any:
    """One pass of a traced model that a step calls several times, with another model between its calls."""
    names = {str(one.get(key)) for one in layers for key in ("name", "path") if one.get(key)}
    if not isinstance(graph, list):
        return graph
    mine = [one for one in graph if not isinstance(one, Mapping) or "layer" not in one or one["layer"] in names]
    return once(mine) if len(mine) < len(graph) and len(once(mine)) < len(mine) else graph


def _of_any(tensor: str, names: Sequence[str]) -> bool:
    return any(tensor.startswith(f"{name}.") for name in names)


def told(graph: Any) -> Any:
    """A graph without what a program computes itself, of which it says no more than where it is."""
    if not isinstance(graph, list):
        return graph
    return [node for node in graph if not isinstance(node, Mapping) or node.get("op") != _OWN]


def shares(graph: Any) -> tuple[Mapping[str, Any], ...]:
    """Every softmax of a graph but one at its end, which is the loss's matter: what it is over, of, and leaves out."""
    nodes = [node for node in graph or [] if isinstance(node, Mapping)] if isinstance(graph, list) else []
    return tuple(
        {key: node[key] for key in ("over", "scale", "causal", "padded", "summed", "mixed") if key in node}
        for node in nodes[:-1]
        if node.get("op") == "softmax"
    )


def sums(framework: str, graph: Any, layers: Sequence[Mapping[str, Any]]) -> Mapping[str, int] | None:
    """How often two computed tensors are added (``add``), a constant (``shift``), and no gradient passes (``stop``).

    ``end``: constants that are added to an output, of which a plain input may be one. ``own`` and ``own_shift``: those
    that may be part of arithmetic of the program's own, or of what a ``Lambda`` does, of which nothing is told.

    Added by an operator or a layer, which is as many sums as it takes to add its inputs two by two. Nothing is cut
    off before the first layer that has weights. None where some may have been missed: of a graph that was not told
    to its end, and in PyTorch of modules of the program's own making that are told as one, for what they do within
    is not.
    """
    if not isinstance(graph, list) or len(graph) >= _MOST:
        return None
    classes = {str(one.get(key)): str(one.get("class")) for one in layers for key in ("name", "path") if one.get(key)}
    nodes = [node for node in graph if isinstance(node, Mapping)]
    told = [classes.get(str(node["layer"]), "") for node in nodes if "layer" in node]
    if framework == "torch" and not all(name in _SHAPES or words.kind_of(name) for name in told):
        return None
    told_ = [node.get("op") for node in nodes]
    shapes = {str(one.get(key)): one.get("input_shape") for one in layers for key in ("name", "path") if one.get(key)}
    both = sum(_terms(shapes.get(name)) - 1 for name in _names(nodes) if classes.get(name) == "Add")
    kinds = [words.kind_of(classes.get(str(node.get("layer")))) or node.get("op") for node in nodes]
    learnt = next((place for place, kind in enumerate(kinds) if str(kind).lower() in words.WEIGHTED), len(nodes))
    part = _beside_arithmetic(told_)
    own = sum(one.get("op") == "add" and (bool(one.get("own")) or at in part) for at, one in enumerate(nodes))
    unseen = told.count("Lambda")
    plain = {"add": told_.count("add") - own + both, "own": own + unseen}
    # What is added at an output's end is the least that a rate or a variance has: a loss may as well add it.
    inner = [at for at, one in enumerate(nodes) if one.get("op") == "shift" and not one.get("end")]
    beside = sum(at in part for at in inner)
    shifts = {"shift": len(inner) - beside, "own_shift": beside + unseen, "end": told_.count("shift") - len(inner)}
    return {**plain, **shifts, "stop": told_[learnt:].count("stop")}


def _beside_arithmetic(ran: Sequence[Any]) -> set[int]:
    """Places of sums that stand together with arithmetic: a convolution written as a sum of products, say."""
    found: set[int] = set()
    at = 0
    for alike, group in itertools.groupby(ran, lambda op: op in _ARITHMETIC):
        words_ = list(group)
        found |= set(range(at, at + len(words_))) if alike and _OWN in words_ else set()
        at += len(words_)
    return found


def packed(graph: Any) -> bool:
    """Whether a recurrent layer of PyTorch was given packed sequences, which are those without their padding."""
    return isinstance(graph, list) and any(isinstance(node, Mapping) and node.get("packed") for node in graph)


def beyond(graph: Any, layers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether layers of Keras ran that are none of the model's nor parts of its layers, by where paths begin."""
    nodes = [node for node in graph if isinstance(node, Mapping)] if isinstance(graph, list) else []
    known = {str(one[key]).partition("/")[0] for one in layers for key in ("path", "name") if one.get(key)}
    return bool(known) and any(
        name.partition("/")[0] not in known for name in _names([n for n in nodes if "layer" in n])
    )


def within(graph: Any, outermost: Sequence[Mapping[str, Any]]) -> bool:
    """Whether PyTorch called a part of a layer that counts as one: the weights of its attention, used by hand."""
    nodes = [node for node in graph if isinstance(node, Mapping)] if isinstance(graph, list) else []
    known = {str(one.get("name")) for one in outermost if words.kind_of(one.get("class"))}
    inner = [name for name in _names([n for n in nodes if "layer" in n]) if name not in known]
    return any(name.startswith(f"{whole}.") for name in inner for whole in known if whole)


def _names(nodes: Sequence[Any]) -> list[str]:
    return [str(node["layer"]) for node in nodes if isinstance(node, Mapping) and "layer" in node]


def _terms(shape: Any) -> int:
    """How many tensors a layer of these input shapes was given."""
    return len(shape) if isinstance(shape, list) and all(isinstance(one, (list, tuple)) for one in shape) else 2


def cut(weighted: set[str], graph: Any, seen: Sequence[Mapping[str, Any]]) -> bool:
    """Whether layers ran that are not in the graph: before a ``detach`` nothing is."""
    if not isinstance(graph, list):
        return False
    told = {str(node.get("layer")) for node in graph if isinstance(node, Mapping)}
    ran = {str(one.get("name")) for one in seen}
    return bool((weighted & ran) - told)


def batch(facts: Sequence[Mapping[str, Any]]) -> int | None:
    """How many rows the loss was of, as its shapes say."""
    for one in facts:
        told = one.get("loss")
        shape = told.get("target_shape") or told.get("output_shape") if isinstance(told, Mapping) else None
        if isinstance(shape, list) and shape and isinstance(shape[0], int):
            return shape[0]
    return None


def mixed(graph: Any) -> int:
    """How many views of a graph take numbers of several samples for a row (``mix``)."""
    nodes = graph if isinstance(graph, list) else []
    return sum(isinstance(node, Mapping) and node.get("op") == "mix" for node in nodes)


def as_given(graph: Any, given: Sequence[int] | None) -> Any:
    """A graph whose first operation says (``unseen``) if its windows stand over other extents than the batch has.

    What is done to plain inputs has no gradient, and autograd's graph does not show it: ``F.pad`` of an image before
    the first convolution.

    Args:
        graph: as recorded.
        given: extents of a sample of the batch, with its channels; None where it was not recorded.
    """
    nodes = [one for one in graph if isinstance(one, Mapping)] if isinstance(graph, list) else []
    at = 1 if len(nodes) > 1 and nodes[0].get("op") == _OWN else 0
    over = nodes[at].get("from") if nodes else None
    if not isinstance(over, list) or given is None or not Counter(over) - Counter(given):
        return graph
    return [*nodes[:at], {**nodes[at], "unseen": True}, *nodes[at + 1 :]]


def attended(layer: Mapping[str, Any], node: Mapping[str, Any]) -> list[int] | None:
    """Positions, rows and width of what attention ran along, as its shares in the graph have them; None if unknown."""
    over, of, heads = node.get("over"), node.get("of"), layer.get("num_heads")
    if not isinstance(over, int) or not isinstance(of, int) or not isinstance(heads, int) or not heads:
        return None
    return [over, of // heads, int(layer.get("embed_dim") or 0)]


def along_time(layer: Mapping[str, Any], shape: Any) -> bool | None:
    """Whether it runs along time: not where batches that come first are taken for it. None where nobody knows."""
    rows = layer.get("rows")
    if layer.get("batch_first"):
        return True
    if not isinstance(shape, list) or len(shape) != _SEQUENCES or rows is None or shape[0] == shape[1]:
        return None
    if rows == shape[0] * shape[1]:
        return None  # a loss of every position, whose rows are of both axes
    return not (shape[0] == rows != shape[1])
