"""The operations of one run's network in the order in which they run, in one vocabulary.

From the layers that its manifest declares, in the order in which the recording saw them run; where the
recording has the graph behind the output (``facts.operations``), what the program calls as functions is
in it, and a module that is called twice is there twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auditor.compare.structure import (
    counted,
    gathered,
    geometry,
    judged,
    products,
    recurrent,
    scaled,
    seen_graph,
    told_by,
    words,
)
from auditor.compare.structure.gathered import ARITHMETIC, ENDS
from auditor.compare.structure.operation import Operation

#: Operations with weights of their own.
WEIGHTED: Final = words.WEIGHTED
#: Classes of Keras models that list their layers in the order in which they run.
IN_ORDER: Final = frozenset({"Sequential", "Functional", "Model"})
#: Axes of Keras's attention that are the one after the samples; it names them when it is built.
_ALONG_TIME: Final = (None, 1, [1])
#: What torch's ``EmbeddingBag`` makes of the rows of a bag; their sum is no operation that is told elsewhere.
_BAGS: Final = {"mean": "global_average_pool", "max": "global_max_pool"}
#: Operations of a graph that are told as they are.
_PLAIN: Final = frozenset(
    {"batchnorm", "layernorm", "groupnorm", "upsample", "global_average_pool", "global_max_pool", "pad"}
)
#: Ways to resize that take pixels in between, which lie elsewhere if the corners' centres stay where they are.
_BETWEEN: Final = frozenset({"bilinear", "bicubic", "trilinear"})
_POOLS: Final = frozenset({"max_pool", "average_pool", "global_average_pool", "global_max_pool"})
#: The activation that was seen within a layer whose activation is the program's own function.
_ACTS: Final = "acts"
#: Of a function that may be a part of another one, which the program spells.
_AROUND: Final = "around"
#: What a graph tells of a layer beside its place.
_SEEN: Final = (*products.MASKS, "end", _ACTS)
#: Layers made of layers.
_COMPOUND: Final = recurrent.KINDS | {"attention"}


@dataclass(frozen=True, slots=True)
class Structure:
    """The operations of a network. ``whole``: none was missed: calls of functions, modules called again."""

    operations: tuple[Operation, ...] = ()
    whole: bool = False
    ordered: bool = False
    """Whether they are in the order in which they run, not in that in which the program made them."""
    ran: bool = False
    """Whether they were seen to run, not only declared."""
    shares: tuple[Mapping[str, Any], ...] = ()
    """Of each softmax within it: over how many numbers (``over``), and what they were scaled by (``scale``)."""
    sums: Mapping[str, int] | None = None
    """Of sums and stops how many there are (``seen_graph.sums``). None where some may have been missed."""
    mixes: int = 0
    """Views in PyTorch that take numbers of several samples for a row."""
    part: bool = False
    """Whether what ran is not what it lists: another model's layers too, or parts of a layer on their own."""
    own: frozenset[int] = frozenset()
    """Before which operations the program does arithmetic of its own, which may be any of those without weights."""


def structure(
    framework: str,
    manifest: Mapping[str, Any] | None,
    facts: Sequence[Mapping[str, Any]],
    given: Sequence[int] | None = None,
) -> Structure:
    """The network of a run.

    Args:
        framework: ``torch``, ``keras``, ``tensorflow`` or ``sklearn``.
        manifest: what it declares.
        facts: the ``facts`` of its recorded steps.
        given: extents of a sample of its batches.
    """
    model = (manifest or {}).get("model")
    told = model.get("layers") if isinstance(model, Mapping) else None
    layers = [layer for layer in told or [] if isinstance(layer, Mapping)]
    ran = next((one for one in facts if isinstance(one.get("operations"), list)), {})
    bare = model.get("weights", ()) if isinstance(model, Mapping) and framework == "tensorflow" else ()
    graph, complete = seen_graph.once(ran.get("operations"), bare), bool(ran.get("operations_whole", True))
    listed = (one["layers"] for one in facts if isinstance(one.get("layers"), list) and one["layers"])
    seen: Sequence[Mapping[str, Any]] = next(listed, [])
    tensors = model.get("tensors", {}) if isinstance(model, Mapping) else {}
    if framework == "torch":
        graph = seen_graph.own(graph, layers, tensors)
    else:
        graph = judged.alone(graph, model, layers)
        graph = seen_graph.once(graph, bare) if framework == "tensorflow" else graph
        graph = judged.taught(seen_graph.known(graph, layers), layers)
    graph = seen_graph.alike(graph, layers)
    shares = seen_graph.shares(seen_graph.told(graph))
    if framework == "torch":
        weighted = {str(one.get("name")) for one in layers if words.kind_of(one.get("class")) in WEIGHTED}
        cut = seen_graph.cut(weighted, graph, seen)
        graph, complete = (None, False) if cut else (seen_graph.as_given(graph, given), complete)
        beside = {"rows": seen_graph.batch(facts), "packed": seen_graph.packed(graph)}
        graph = products.projected(graph)
        found = list(_of_torch([{**one, **beside} for one in _outermost(layers)], graph, seen, tensors))
        ordered = bool(graph or seen)
    else:
        found = list(_of_keras(_ordered(_outermost(layers), graph)))
        ordered = graph is not None or str((model or {}).get("class")) in IN_ORDER or framework == "sklearn"
    hidden = graph is None and framework != "sklearn" and str((model or {}).get("class")) not in IN_ORDER
    found = list(products.unpacked(scaled.tables(found, graph), attends=bool(shares) or hidden))
    found = geometry.cut_by_hand(geometry.of_rank(found))
    whole = bool(found) and (ordered if framework in {"keras", "sklearn"} else graph is not None) and complete
    whole = whole and not seen_graph.bare(tensors)
    sums = seen_graph.sums(framework, graph, layers) if whole else None
    kept, own = gathered.parted(gathered.without_end(gathered.folded(found)))
    mixes = seen_graph.mixed(ran.get("operations"))
    part = seen_graph.within(graph, _outermost(layers)) if framework == "torch" else seen_graph.beyond(graph, layers)
    return Structure(kept, whole, ordered, bool(graph or seen), shares, sums, mixes, part, own)


def _outermost(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without what is part of another layer that counts as one: projections of attention, cells of recurrent ones."""
    kept: list[Mapping[str, Any]] = []
    around: list[str] = []
    for layer in layers:
        path = str(layer.get("path") or layer.get("name"))
        if any(path.startswith((f"{whole}/", f"{whole}.")) for whole in around):
            continue
        kept.append(layer)
        if words.kind_of(layer.get("class")) in _COMPOUND or words.plain(layer.get("class")) == "bidirectional":
            around.append(path)
    return kept


# -- PyTorch ----------------------------------------------------------------------------------


def _of_torch(
    layers: Sequence[Mapping[str, Any]], graph: Any, seen: Sequence[Mapping[str, Any]], tensors: Mapping[str, Any]
) -> Iterator[Operation]:
    by_name = {str(layer.get("name")): told_by.merged(layer) for layer in layers}
    if isinstance(graph, list):
        for node in graph:
            if isinstance(node, Mapping) and node.get("plain"):
                yield from _on_plain(by_name.get(str(node.get("layer")), {}), tensors)
            elif isinstance(node, Mapping):
                yield from _node(node, by_name, tensors)
        return
    order = [str(one.get("name")) for one in seen] or list(by_name)
    functions = {str(one.get("name")): one.get("activation") for one in seen}
    for name in order:
        if name in by_name:
            made = _torch_layer(by_name[name], tensors, {})
            yield from made
            called = words.activation(functions.get(name))
            if called is not None and made and made[0].kind != "activation":
                yield Operation("activation", name, {"function": called})


def _node(node: Mapping[str, Any], by_name: Mapping[str, Any], tensors: Mapping[str, Any]) -> Iterator[Operation]:
    """One node of the graph: of a module with weights, or an operation by itself."""
    name = str(node.get("layer", ""))
    if name in by_name and words.kind_of(by_name[name].get("class")) in WEIGHTED:
        yield from _torch_layer(by_name[name], tensors, node)
        if (
            words.kind_of(by_name[name].get("class")) not in _COMPOUND
        ):  # a layer of the program's own, with its function
            yield from _called(node, name)
        return
    if name in by_name and "op" not in node:
        yield from _as_declared(by_name[name], tensors, node)
        return
    kind = str(node.get("op"))
    if words.activation(kind) is not None:
        yield from _called(node, name)
    elif kind in {"max_pool", "average_pool"}:
        yield Operation(kind, name, geometry.of_torch(node, node.get("from"), kind))
    elif kind == "dense":
        yield from products.dense(name, node.get(products.TAKEN), node.get("units"), bias=node.get("bias"))
    elif kind == "dropout":
        yield counted.dropout(name, node)
    elif kind == ARITHMETIC:
        yield Operation(ARITHMETIC)
    elif kind in _PLAIN:
        yield Operation(kind, name, {key: node[key] for key in ("epsilon", "mode", "corners", "pads") if key in node})


def _on_plain(layer: Mapping[str, Any], tensors: Mapping[str, Any]) -> list[Operation]:
    """A module that was given plain inputs, of which autograd keeps nothing: as it is declared."""
    return [Operation(ARITHMETIC)] if words.unknown(layer.get("class")) else _torch_layer(layer, tensors, {})


def _called(node: Mapping[str, Any], name: str) -> Iterator[Operation]:
    """The activation that a node is, if it is one."""
    function = words.activation(node.get("op"))
    if function is not None:
        settings = {"function": function, **words.activation_settings("torch", function, node)}
        settings = {} if node.get(_AROUND) else settings
        yield from _unless_end(Operation("activation", name, settings), node)


def _unless_end(one: Operation, node: Mapping[str, Any]) -> Iterator[Operation]:
    """An activation, but at the end of an output: whether a sigmoid is in the model or in its loss is the loss's."""
    if not (node.get("end") and one.settings.get("function") in ENDS):
        yield one


def _as_declared(layer: Mapping[str, Any], tensors: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Operation]:
    """A module of which the graph shows no operation: a pool of sequences, which PyTorch makes of one of images."""
    own = words.activation(layer.get("class"))
    if own is not None:  # one that the program wrote itself: what it is called is all that is known
        yield Operation("activation", str(layer.get("name")), {"function": own})
    elif words.kind_of(layer.get("class")) in _POOLS:
        yield from _torch_layer(layer, tensors, node)
    elif words.unknown(layer.get("class")):
        yield Operation(ARITHMETIC)


def _torch_layer(layer: Mapping[str, Any], tensors: Mapping[str, Any], node: Mapping[str, Any]) -> list[Operation]:
    kind, name = words.kind_of(layer.get("class")), str(layer.get("name"))
    if kind is None:
        return []
    settings: dict[str, Any] = {}
    if kind == "activation":
        function = words.activation(layer.get("class")) or ""
        settings = {"function": function, **words.activation_settings("torch", function, layer)}
    elif kind == "dense":
        bias = _biased(name, "bias", tensors)
        return list(products.dense(name, layer.get("in_features"), layer.get("out_features"), bias=bias))
    elif kind == "attention":
        along = seen_graph.along_time(layer, seen_graph.attended(layer, node))
        return list(
            products.attention(
                name, layer.get("embed_dim"), {**told_by.common({**layer, **node}), "along_time": along},
                bias=_biased(name, "in_proj_bias", tensors),
            )
        )  # fmt: skip
    elif kind in {"conv", "conv_transpose"}:
        groups = int(layer.get("groups") or 1)
        kind = "depthwise" if groups > 1 and groups == layer.get("in_channels") else kind
        settings = {"units": layer.get("out_channels"), "bias": _biased(name, "bias", tensors)}
        settings |= {} if kind == "depthwise" else {"groups": groups}  # as many as channels: that is what the word says
        settings |= geometry.of_torch(layer, node.get("from"), kind)
        settings |= {"pads": None} if node.get("unseen") else {}
    elif kind in {"max_pool", "average_pool"}:
        settings = geometry.of_torch(layer, None, kind)
    elif kind == "pad":
        settings = geometry.padding_of_torch(layer)
    elif kind in recurrent.KINDS:
        return recurrent.of_torch(kind, name, layer, node)
    else:
        settings = told_by.common(layer)
        if kind == "embedding":
            return _embedding(name, layer)
    return [Operation(kind, name, told_by.known(settings))]


def _embedding(name: str, layer: Mapping[str, Any]) -> list[Operation]:
    """A table; torch's ``EmbeddingBag`` is one with the mean or the maximum over positions behind it."""
    settings = told_by.known({"units": layer.get("embedding_dim"), "padding": told_by.unpadded(layer)})
    pool = _BAGS.get(str(layer.get("mode")))
    return [Operation("embedding", name, settings), *([Operation(pool, name)] if pool else [])]


def _biased(name: str, bias: str, tensors: Mapping[str, Any]) -> bool | None:
    """Whether a layer has a bias; None where its tensors are not told."""
    if not any(known.startswith(f"{name}.") for known in tensors):
        return None
    return f"{name}.{bias}" in tensors


# -- Keras, TensorFlow, scikit-learn ----------------------------------------------------------


def _ordered(layers: Sequence[Mapping[str, Any]], graph: Any) -> Iterator[Mapping[str, Any]]:
    """Layers as they ran, where that is known: once for each call; operations called as functions among them."""
    if not isinstance(graph, list):
        yield from layers
        return
    by_name = {str(layer[key]): layer for layer in layers for key in ("name", "path") if layer.get(key)}
    for node in graph:
        name = node.get("layer") if isinstance(node, Mapping) else None
        if name is not None and str(name) in by_name:
            yield {**by_name[str(name)], **told_by.known({key: node.get(key) for key in _SEEN})}
        elif isinstance(node, Mapping) and node.get("op"):
            yield {"class": node["op"], "name": node.get("name", ""), "config": dict(node)}


def _of_keras(layers: Iterator[Mapping[str, Any]]) -> Iterator[Operation]:
    for layer in layers:
        told = told_by.merged(layer)
        kind = words.kind_of(told.get("class"))
        applied = [] if kind in {"activation", *recurrent.KINDS} else _applied(told)
        for one in (*_keras_layer(told), *applied):
            yield from _unless_end(one, told)


def _applied(layer: Mapping[str, Any]) -> Iterator[Operation]:
    """The activation within a layer; one that the program wrote itself may be any of those that have a name."""
    name, given, seen = str(layer.get("name")), layer.get("activation"), layer.get(_ACTS)
    if isinstance(seen, Mapping):
        given = {"class": seen.get("op"), "config": seen}
    told = (given.get("class"), given.get("config")) if isinstance(given, Mapping) else (given, None)
    known = next((one for one in told if isinstance(one, str) and words.activation(one)), None)
    if known is not None:
        function, config = words.activation(known) or "", told[1] if isinstance(told[1], Mapping) else {}
        settings = words.activation_settings("keras", function, config)
        yield Operation("activation", name, {"function": function, **settings})
    elif not any(one is not None and words.plain(one) in words.IDENTITIES for one in told) and given is not None:
        yield Operation("activation", name)


def _keras_layer(told: Mapping[str, Any]) -> Iterator[Operation]:
    kind, name = words.kind_of(told.get("class")), str(told.get("name"))
    bias = bool(told.get("use_bias", told.get("bias_axes", True)))
    if kind is None:
        if words.plain(told.get("class")) == "bidirectional":
            yield from recurrent.both_ways(told)
        elif words.unknown(told.get("class")):
            yield Operation(ARITHMETIC)
    elif kind == "dense":
        yield from products.dense(name, *told_by.fans(told), bias=bias)
    elif kind == "attention":
        own = {**told_by.common(told), "along_time": True if told.get("attention_axes") in _ALONG_TIME else None}
        yield from products.attention(name, told_by.fans(told)[0], own, bias=bias)
    elif kind in recurrent.KINDS:
        yield from recurrent.of_keras(kind, name, told)
    elif words.plain(told.get("class")).startswith("separable"):
        yield from _keras_separable(name, told)
    else:
        yield Operation(kind, name, told_by.known(_keras_settings(kind, told)))


def _keras_separable(name: str, told: Mapping[str, Any]) -> Iterator[Operation]:
    """Keras's ``SeparableConv``: a kernel for each channel, and one of a single point over all of them."""
    within = _keras_settings("depthwise", {**told, "filters": None, "use_bias": False})
    point = {"kernel_size": 1, "strides": 1, "padding": "valid", "dilation_rate": 1, "input_shape": None}
    yield Operation("depthwise", name, told_by.known(within))
    yield Operation("conv", name, told_by.known(_keras_settings("conv", {**told, **point})))


def _keras_settings(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "activation":
        if told.get(_AROUND):
            return {}
        function = words.activation(told.get("class")) or ""
        if function == "relu" and told.get("negative_slope"):
            function = "leakyrelu"
        elif function == "relu" and told.get("max_value") == words.TOP:
            function = "relu6"
        return {"function": function, **words.activation_settings("keras", function, told)}
    if kind in {"conv", "depthwise", "conv_transpose"}:
        settings = {"units": told.get("filters"), "bias": bool(told.get("use_bias", True))}
        settings |= {} if kind == "depthwise" else {"groups": int(told.get("groups") or 1)}
        return settings | geometry.of_keras(told, kind)
    if kind in {"max_pool", "average_pool", "pad"}:
        return geometry.of_keras(told, kind)
    settings = told_by.common(told)
    if kind == "embedding":
        settings |= {"units": told.get("output_dim"), "padding": bool(told.get("mask_zero"))}
        settings |= {"padding": told["padding_idx"] is not None} if "padding_idx" in told else {}
    if kind == "upsample" and settings.get("mode") in _BETWEEN:
        settings.setdefault("corners", False)  # Keras puts the centres of pixels half a pixel in
    return settings
