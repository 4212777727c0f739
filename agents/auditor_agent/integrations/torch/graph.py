"""What a loss is made of, read off the graph that autograd keeps of it.

Whatever spelling a program uses, ``nn.MSELoss``, ``F.mse_loss`` or ``((p - y) ** 2).mean()``, by the
time it calls ``backward()`` the graph holds the operations, their shapes and what they saved for
their derivative: output and target as they met in the loss. Nothing is patched, nothing computed.

A shape is told as it was before broadcasting: a prediction (B, 1) against a target (B,) shows as two
inputs of those shapes whose difference is (B, B).
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor

from auditor_agent.integrations.torch import factors
from auditor_agent.integrations.torch.node import PASSED, REDUCERS, narrow, op_of, saved, signed

#: Nodes of a graph that are looked at: a loss has a few, its penalties some per parameter.
MOST_NODES: Final = 96
#: Losses besides the first whose targets are kept: of further heads.
MOST_FURTHER: Final = 3
#: Operations with weights of their own, or that mix samples' features: the model begins there.
_LAYERS: Final = frozenset(
    {
        *("Addmm", "Mm", "Bmm", "Baddbmm", "Convolution", "ConvolutionOverrideable", "MkldnnConvolution"),
        *("NativeBatchNorm", "CudnnBatchNorm", "NativeLayerNorm", "NativeGroupNorm", "Embedding"),
        *("ScaledDotProductAttention", "ScaledDotProductFlashAttentionForCpu", "CudnnRnn", "MkldnnRnnLayer"),
        *("CompiledFunction", "MkldnnLinear", "FusedRmsNorm"),
    }
)
_REDUCTIONS: Final = {0: "none", 1: "mean", 2: "sum"}
_SETTINGS: Final = (
    *("exponent", "alpha", "beta", "delta", "dim", "p", "ord", "ignore_index", "log_target", "margin", "other"),
)
#: Saved tensors that are data: what the loss compared.
_DATA: Final = ("self", "target", "weight", "pos_weight", "result")
#: Whose saved ``self`` or ``result`` is worth keeping besides operations named ...Loss.
_TELLING: Final = frozenset({"Pow", "Abs", "LogSoftmax", "BinaryCrossEntropy", "BinaryCrossEntropyWithLogits"})


@dataclass(slots=True)
class LossGraph:
    """The operations of a loss, the root first, and the tensors that they saved.

    ``nodes``: ``{"op", "shape", "inputs", ...}``; an input is the index of another node, a
    parameter's name, ``"output<i>"`` for an output of the model, or None for a constant.
    ``tensors``: role and name to tensor, as given to the operation (before broadcasting).
    """

    nodes: list[dict[str, Any]] = field(default_factory=list)
    tensors: dict[tuple[str, str], Tensor] = field(default_factory=dict)
    heads: list[dict[str, Any]] = field(default_factory=list)
    """Of a model with several outputs: which loss compares which of them with which target."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What could be told of ``operation``, ``reduction``, ``output_shape``, ``target_shape``, ``broadcast``."""


def read(root: Tensor, outputs: Mapping[Any, str], names: Mapping[int, str]) -> LossGraph:
    """The graph behind ``root``, down to the model's last layer.

    Args:
        root: the tensor that ``backward`` starts from; its graph must not have been freed.
        outputs: names of the model's outputs by their ``grad_fn``.
        names: names of parameters by ``id``.
    """
    graph = LossGraph()
    places: dict[Any, int] = {root.grad_fn: 0}
    waiting = deque([root.grad_fn])
    while waiting:
        node = waiting.popleft()
        if node is None:
            continue
        entry = _entry(node)
        graph.nodes.append(entry)
        _keep(graph, entry, node)
        factors.keep(graph.tensors, node, outputs)
        inside = node not in outputs and entry["op"] not in _LAYERS
        entry["inputs"] = [_input(child, outputs, names, places, waiting) for child, _ in node.next_functions if inside]
    _tell(graph)
    graph.heads = _heads(graph.nodes)
    return graph


def heads(graphs: Sequence[LossGraph]) -> list[dict[str, Any]]:
    """The heads of a step's losses: of micro-batches, which are alike; none where each is another head's."""
    told = graphs[0].heads if graphs else []
    return told if all(graph.heads == told for graph in graphs) else []


def _heads(nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Which output each loss was given, with the name of its target, where it is not the first output alone."""
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        if "target" in node:
            output, logs = _origin(nodes, node)
            operation = "CrossEntropy" if logs and node["op"].startswith("NllLoss") else node["op"]
            told = {"name": output, "output": output, "target": node["target"], "loss": {"operation": operation}}
            found.setdefault(output, told)  # of two losses of one output, the one nearer to the root
    found.pop("", None)
    return list(found.values()) if set(found) - {"output0"} else []


def _origin(nodes: Sequence[Mapping[str, Any]], node: Mapping[str, Any]) -> tuple[str, bool]:
    """The output that a loss's first input is, "" if it was worked out of it; whether by a LogSoftmax."""
    logs = False
    for _ in nodes:
        given = node["inputs"]
        first = given[0] if given else None
        if isinstance(first, str):
            return (first if first.startswith("output") else ""), logs
        if first is None or first >= len(nodes):
            break
        node = nodes[first]
        if node["op"] not in PASSED and node["op"] != "LogSoftmax":
            break
        logs = logs or node["op"] == "LogSoftmax"
    return "", logs


def _input(
    child: Any, outputs: Mapping[Any, str], names: Mapping[int, str], places: dict[Any, int], waiting: Any
) -> Any:
    if child is None:
        return None
    if child in outputs:
        return outputs[child]
    variable = getattr(child, "variable", None)
    if isinstance(variable, Tensor):
        return names.get(id(variable), "parameter")
    if child not in places:
        if len(places) >= MOST_NODES:
            return "..."
        places[child] = len(places)
        waiting.append(child)
    return places[child]


def _entry(node: Any) -> dict[str, Any]:
    op = op_of(node)
    entry: dict[str, Any] = {"op": op, "shape": _shape(node), "inputs": []}
    reduction = saved(node, "reduction")
    if isinstance(reduction, int):
        entry["reduction"] = _REDUCTIONS.get(reduction, reduction)
    for setting in _SETTINGS:
        value = saved(node, setting)
        if isinstance(value, Tensor):
            value = value.item() if value.numel() == 1 and value.is_cpu else None
        value = signed(value)
        if isinstance(value, (bool, int, float, tuple)):
            entry[setting] = value
    before = saved(node, "self_sym_sizes")
    if before is not None:
        entry["from"] = [int(extent) for extent in before]
    children = [child for child, _ in node.next_functions]
    entry["input_shapes"] = [None if child is None else _shape(child) for child in children]
    return entry


def _shape(node: Any) -> list[int] | None:
    with contextlib.suppress(AttributeError, IndexError, RuntimeError, TypeError):
        return [int(extent) for extent in node._input_metadata[0].shape]  # noqa: SLF001 -- the only place that has it
    return None


def _keep(graph: LossGraph, entry: dict[str, Any], node: Any) -> None:
    """Keep what a loss compared; the last of several operations with the same role does not replace the first."""
    op = entry["op"]
    if op == "Mul":
        _keep_soft(graph, entry, node)
        return
    if not (op.endswith("Loss") or op.startswith("NllLoss") or op in _TELLING):
        return
    shapes: dict[str, list[int]] = {}
    for name in _DATA:
        tensor = saved(node, name)
        if isinstance(tensor, Tensor):
            given = narrow(tensor.detach())
            shapes[name] = list(given.shape)
            role = "target" if name in {"target", "weight", "pos_weight"} else "output"
            kept = graph.tensors.setdefault((role, _name(op, name)), given) is given
            if name == "target":
                _keep_target(graph, entry, given, kept=kept)
    if shapes:
        entry["saved"] = shapes


def _keep_target(graph: LossGraph, entry: dict[str, Any], target: Tensor, *, kept: bool) -> None:
    """``entry`` says under which name: of the first loss, or of one that is added to it."""
    number = sum(role == "target" and name.startswith("loss.target") for role, name in graph.tensors)
    if kept:
        entry["target"] = "loss.target"
    elif number <= MOST_FURTHER:
        entry["target"] = f"loss.target/{number}"
        graph.tensors["target", entry["target"]] = target


def _keep_soft(graph: LossGraph, entry: dict[str, Any], node: Any) -> None:
    """Targets that are a row of probabilities each: what a LogSoftmax is multiplied with, of the same shape."""
    children = [child for child, _ in node.next_functions]
    made = [i for i, child in enumerate(children) if child is not None and child.name().startswith("LogSoftmax")]
    if len(children) != 2 or len(made) != 1 or children[1 - made[0]] is not None:
        return
    target = saved(node, "self" if made[0] else "other")
    if isinstance(target, Tensor) and list(target.shape) == _shape(node):
        entry["soft_target"] = list(target.shape)
        graph.tensors.setdefault(("target", "loss.target"), narrow(target.detach()))


def _name(op: str, saved: str) -> str:
    """``loss.target`` and ``loss.input`` for what was compared; ``Pow.input`` and the like for what came of it."""
    if saved in {"target", "weight", "pos_weight"}:
        return f"loss.{saved}"
    return f"{op}.{'result' if saved == 'result' else 'input'}"


def _tell(graph: LossGraph) -> None:
    """The plain facts: from the root downwards, the first operation that is a loss or reduces many to one."""
    for node in graph.nodes:
        if "saved" in node and "target" in node["saved"]:
            _tell_loss(graph, node)
            return
    for node in graph.nodes:
        if node["op"] in REDUCERS and node.get("from") and not _penalty(graph, node):
            _tell_arithmetic(graph, node)
            return


def _tell_loss(graph: LossGraph, node: dict[str, Any]) -> None:
    saved = node["saved"]
    output, target = saved.get("self"), saved["target"]
    child = _child(graph, node)
    if child is not None and child["op"] == "Expand":
        output = child.get("from")
    wide = None if output is None else _broadcast(output, target)
    graph.facts |= {
        "operation": node["op"],
        "reduction": node.get("reduction"),
        "output_shape": output,
        "target_shape": target,
        "broadcast": bool(wide is not None and output is not None and _squeezed(output) != _squeezed(wide)),
    }
    if node["op"].startswith("NllLoss"):
        graph.facts["broadcast"] = False  # classes against rows: not elementwise
        while child is not None and child["op"] in PASSED:  # of pixels and of sequences: rows of them
            child = _child(graph, child)
        below = None if child is None else child["op"]
        graph.facts["operation"] = "CrossEntropy" if below == "LogSoftmax" else "NllLoss"


def _tell_arithmetic(graph: LossGraph, node: dict[str, Any]) -> None:
    """A loss written by hand: the reduction, what is reduced, and the two sides of the first difference."""
    facts: dict[str, Any] = {"operation": "arithmetic", "reduction": REDUCERS[node["op"]], "shape": node["from"]}
    seen: set[int] = set()
    at: dict[str, Any] | None = node
    chain = [node["op"]]
    while at is not None and at["op"] not in {"Sub", "Rsub"} and id(at) not in seen:
        seen.add(id(at))
        at = _child(graph, at)
        if at is not None:
            chain.append(at["op"])
    facts["chain"] = chain
    soft = next((one["soft_target"] for one in graph.nodes if "soft_target" in one), None)
    if soft is not None:
        facts["soft_target"] = soft
    if at is not None and at["op"] in {"Sub", "Rsub"}:
        sides = [shape for shape in at["input_shapes"] if shape is not None]
        if len(sides) == 1 and at["shape"] is not None:
            facts["output_shape"] = sides[0]
            facts["broadcast"] = sides[0] != at["shape"]
        facts["shape"] = at["shape"]
    graph.facts |= facts


def _child(graph: LossGraph, node: dict[str, Any]) -> dict[str, Any] | None:
    """The first input that is an operation."""
    for place in node["inputs"]:
        if isinstance(place, int) and place < len(graph.nodes):
            return graph.nodes[place]
    return None


def _penalty(graph: LossGraph, node: dict[str, Any]) -> bool:
    """Whether everything below ``node`` ends in parameters alone: a penalty on weights, not a loss of data."""
    ends, waiting, seen = [], [node], set()
    while waiting:
        at = waiting.pop()
        if id(at) in seen:
            continue
        seen.add(id(at))
        if at["op"] in _LAYERS:
            return False
        for place in at["inputs"]:
            if isinstance(place, int) and place < len(graph.nodes):
                waiting.append(graph.nodes[place])
            elif place is not None:
                ends.append(place)
    return bool(ends) and not any(str(end).startswith("output") for end in ends)


def _broadcast(a: list[int], b: list[int]) -> list[int]:
    longest = max(len(a), len(b))
    a, b = [1] * (longest - len(a)) + a, [1] * (longest - len(b)) + b
    return [max(x, y) for x, y in zip(a, b, strict=True)]


def _squeezed(shape: list[int]) -> list[int]:
    return [extent for extent in shape if extent != 1]
