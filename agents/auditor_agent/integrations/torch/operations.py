"""What a forward pass consists of, in the order in which it ran: read off autograd's graph, once in a run.

Layers by their names; activations, pooling, dropout and padding as operations with their settings, whether a
module does them or a function: ``F.gelu(x, approximate="tanh")`` is told with ``approximate``, as it ran.
What happens within a recurrent layer or attention is not told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from torch import Tensor

from auditor_agent.integrations.torch import arithmetic, axes, dropped, shares
from auditor_agent.integrations.torch.mixed import mixes
from auditor_agent.integrations.torch.node import children, op_of, signed
from auditor_agent.integrations.torch.written import shifts, written

#: Operations told of one pass, and nodes of its graph that are looked at.
MOST: Final = 512
_MOST_NODES: Final = 8192
_ACTIVATIONS: Final = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Gelu": "gelu",
    "Silu": "silu",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Softplus": "softplus",
    "Mish": "mish",
    "Hardtanh": "hardtanh",
    "Hardswish": "hardswish",
    "Hardsigmoid": "hardsigmoid",
    "PreluKernel": "prelu",
    "LogSigmoid": "logsigmoid",
    "Glu": "glu",
    "Softmax": "softmax",
    "SafeSoftmax": "softmax",
    "LogSoftmax": "log_softmax",
}
_POOLS: Final = {
    "MaxPool2DWithIndices": "max_pool",
    "MaxPool3DWithIndices": "max_pool",
    "MkldnnMaxPool2D": "max_pool",
    "AvgPool2D": "average_pool",
    "AvgPool3D": "average_pool",
}
_WHOLE_POOLS: Final = {"Mean": "global_average_pool", "Amax": "global_max_pool", "Max": "global_max_pool"}
#: What is told of one that gives one number for each channel, and of any other.
_ADAPTIVE_POOLS: Final = {
    "AdaptiveAvgPool2D": ("global_average_pool", "average_pool"),
    "AdaptiveAvgPool3D": ("global_average_pool", "average_pool"),
    "AdaptiveMaxPool2D": ("global_max_pool", "max_pool"),
    "AdaptiveMaxPool3D": ("global_max_pool", "max_pool"),
}
_NORMS: Final = {"NativeBatchNorm": "batchnorm", "NativeLayerNorm": "layernorm", "NativeGroupNorm": "groupnorm"}
_SETTINGS: Final = (
    *("approximate", "negative_slope", "alpha", "beta", "kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    *("count_include_pad", "dim"),
)
#: Products, and whether they have a bias.
_PRODUCTS: Final = {"Addmm": True, "Mm": False}
_TERMS: Final = 2
_SHARES: Final = frozenset({"Softmax", "SafeSoftmax"})
#: Of whom it matters who takes what they give.
_USED: Final = _ACTIVATIONS.keys() | dropped.MASKS.keys()
#: Views that leave an output the numbers that it has.
_NAMES: Final = frozenset({"Squeeze", "View", "UnsafeView", "Alias", "ToCopy"})
#: What is told of numbers beside what is made of them.
_MOVES: Final = frozenset({"shift", "mix"})


def operations(
    outputs: Iterable[Tensor],
    layers: Mapping[Any, str],
    within: Mapping[Any, Iterable[Any] | None],
    besides: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    stopped: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The operations behind a model's outputs, at most :data:`MOST`.

    Args:
        outputs: of the model, before the backward pass.
        layers: names of layers by the node (``grad_fn``) of their output.
        within: by the same node, the nodes of what the layer was given.
        besides: by name, what is known of recurrent layers: ``input_shape`` of what they were given, and the ``state``
            that they began with.
        stopped: names of layers that were given what another gave, without its gradient.
    """
    results = list(outputs)
    nodes = sorted(reachable(output.grad_fn for output in results), key=_place)
    hidden, last = _hidden(layers, within), {_made(output.grad_fn, layers) for output in results}
    found: list[dict[str, Any]] = []
    calls: set[tuple[str, int]] = set()
    users = axes.users_of(nodes) if any(op_of(node) in _USED for node in nodes) else {}
    parts = {part for node in nodes if _around(node, users) for part in arithmetic.beside(node, users)}
    known: dict[Any, dict[str, Any] | None] = {node: {"op": "shift"} for node in shifts(nodes) if node not in parts}
    known |= written(nodes)
    known |= {node: {"op": "mix"} for node in mixes(nodes, _rows(results))}
    for node in nodes[:_MOST_NODES]:
        if node in layers:
            call = layers[node], id(within.get(node))
            if within.get(node) is None or call not in calls:  # the state beside the output of the same call
                found += [{"op": "stop"}] if layers[node] in stopped else []
                found.append(
                    {
                        **(_told(node) or _inside(node, within.get(node), known, users)),
                        **_attention(node, within.get(node)),
                        "layer": layers[node],
                        **_summed(node, users),
                        **besides.get(layers[node], {}),
                        **_ends(node, last),
                    }
                )
            calls.add(call)
        elif node not in hidden:
            entry = known.get(node)
            if node not in known:
                entry = _told(node) or shares.scaled(node, layers) or dropped.dropout(node, users) or _own(node, found)
            if entry is not None and entry.get("op") != "conv":
                ends = _ends(node, last) if entry["op"] != arithmetic.OWN else {}
                found.append({**entry, **_summed(node, users), **_around(node, users), **ends})
    return found[:MOST]


def _own(node: Any, found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Arithmetic of the program's own, told once for all that stands together."""
    if not arithmetic.computes(node) or (found and found[-1].get("op") == arithmetic.OWN):
        return None
    return {"op": arithmetic.OWN}


def _summed(node: Any, users: axes.Users) -> dict[str, bool]:
    """``summed``: whether shares are summed over the axis along which they add up to one."""
    told = axes.summed(node, users) if op_of(node) in _SHARES else None
    return {} if told is None else {"summed": told}


def _around(node: Any, users: axes.Users) -> dict[str, bool]:
    """``around``: whether a function may be a part of another one that the program spells."""
    function = op_of(node) in _ACTIVATIONS.keys() - _SHARES
    return {"around": True} if function and arithmetic.around(node, users) else {}


def _made(node: Any, layers: Collection[Any]) -> Any:
    """The node that made an output, behind what only takes an axis of one off."""
    while node is not None and node not in layers and op_of(node) in _NAMES and len(node.next_functions) == 1:
        node = node.next_functions[0][0]
    return node


def _ends(node: Any, last: Collection[Any]) -> dict[str, bool]:
    """``end``: an output is made here, so that an activation here may be the loss's matter."""
    return {"end": True} if node in last else {}


def _rows(outputs: Iterable[Tensor]) -> int:
    return next((int(output.shape[0]) for output in outputs if output.dim()), 0)


def _attention(node: Any, stops: Iterable[Any] | None) -> dict[str, Any]:
    """What shows of attention within a layer."""
    with contextlib.suppress(RuntimeError):  # of a tensor that was changed in place since
        within = set() if stops is None else reachable([node], frozenset(stops))
        masked = shares.causal(within)
        return {**masked, **shares.extents(within)} if masked else {}
    return {}


def _inside(
    node: Any, stops: Iterable[Any] | None, known: Mapping[Any, dict[str, Any] | None], users: axes.Users
) -> dict[str, Any]:
    """The activation or dropout that a layer of the program's own writes out, if it is one and nothing else."""
    if stops is None:
        return dropped.dropout(node, users) or {}
    within = reachable([node], frozenset(stops))
    if any(hasattr(one, "variable") for one in within):
        return {}
    told = [entry for one in within if (entry := known.get(one)) is not None and entry["op"] not in _MOVES]
    if {op_of(one) for one in within} <= dropped.PARTS:
        told += [entry for one in within if (entry := dropped.dropout(one, users)) is not None]
    return told[0] if len(told) == 1 else {}


def given(args: Any) -> list[Any] | None:
    """The nodes of what a layer was given, none for what has no gradient; None where no tensor is seen among it."""
    parts = [one for part in (args if isinstance(args, tuple) else (args,)) for one in _parts(part)]
    tensors = [one for one in parts if isinstance(one, Tensor)]
    return [one.grad_fn for one in tensors if one.grad_fn is not None] if tensors else None


def _parts(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def reachable(roots: Iterable[Any], stops: frozenset[Any] = frozenset()) -> set[Any]:
    """The nodes of autograd's graph behind ``roots``, as far as ``stops``; not without end."""
    waiting = [root for root in roots if root is not None]
    seen: set[Any] = set()
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.pop()
        if node in seen or node in stops:
            continue
        seen.add(node)
        waiting.extend(child for child, _ in node.next_functions if child is not None)
    return seen


def _hidden(layers: Mapping[Any, str], within: Mapping[Any, Iterable[Any] | None]) -> set[Any]:
    """Nodes between what a layer was given and what it gave."""
    found: set[Any] = set()
    for node in layers:
        stops = within.get(node)
        if stops is not None:
            found |= reachable([node], frozenset(stops))
    return found


def _place(node: Any) -> int:
    """When a node was made; the leaves, which autograd counts last, have no place of their own."""
    return int(node._sequence_nr())  # noqa: SLF001 -- the only place that has it


def _told(node: Any) -> dict[str, Any] | None:
    name = op_of(node)
    if name in _ACTIVATIONS:
        return _activation(node, _ACTIVATIONS[name])
    if name.startswith("ScaledDotProduct"):
        return shares.fused(node)
    reader = next((_READERS[word] for word in (name, name[: len("Upsample")]) if word in _READERS), None)
    with contextlib.suppress(RuntimeError):  # of a tensor that was changed in place since
        return None if reader is None else reader(node, name)
    return None


def _activation(node: Any, function: str) -> dict[str, Any]:
    found = {"op": function, **_settings(node)}
    if function == "softmax":
        return found | shares.settings(node)
    if function == "elu" and getattr(node, "_saved_scale", 1) != 1:
        return {"op": "selu"}
    if function == "hardtanh" and getattr(node, "_saved_min_val", -1) == 0 and getattr(node, "_saved_max_val", 1) == 6:
        return {"op": "relu6"}
    return found


def _settings(node: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _SETTINGS:
        value = getattr(node, f"_saved_{name}", None)
        if isinstance(value, tuple):
            value = [signed(part) for part in value]
        if isinstance(value, (bool, int, float, str, list)) and value != []:
            found[name] = signed(value)
    return found


def _from(node: Any, saved: str) -> dict[str, Any]:
    """The extents of an image, or of what else lies between channels and the end."""
    tensor = getattr(node, f"_saved_{saved}", None)
    return {"from": [int(extent) for extent in tensor.shape[2:]]} if isinstance(tensor, Tensor) else {}


def _pool(node: Any, name: str) -> dict[str, Any]:
    return {"op": _POOLS[name], **_settings(node), **_from(node, "self")}


def _convolution(node: Any, name: str) -> dict[str, Any]:
    del name
    return {"op": "conv", **_from(node, "input")}


def _product(node: Any, name: str) -> dict[str, Any] | None:
    """A product with a parameter that is no module's: ``x @ self.w + self.b``.

    ``turned``: of images that were flattened after their axes had been moved.
    """
    below = children(node)
    below += [grandchild for child in below for grandchild, _ in child.next_functions if grandchild is not None]
    if not any(hasattr(child, "variable") for child in below):
        return None
    shape = node._input_metadata[0].shape  # noqa: SLF001 -- the only place that has it
    told: dict[str, Any] = {"op": "dense", "units": int(shape[-1])} | ({"bias": True} if _PRODUCTS[name] else {})
    return told | ({"turned": True} if axes.turned(node) else {})


def _sum(node: Any, name: str) -> dict[str, Any] | None:
    """A sum of two tensors of its own shape that were both computed: around a block, not a bias nor positions.

    ``own``: one of them is arithmetic, so that the sum may be part of it.
    """
    del name
    both = [(child, int(output)) for child, output in node.next_functions if child is not None]
    if len(both) != _TERMS or any(hasattr(child, "variable") for child, _ in both):
        return None
    shapes = [child._input_metadata[output].shape for child, output in both]  # noqa: SLF001 -- as above
    own = node._input_metadata[0].shape  # noqa: SLF001 -- as above
    if not all(shape == own for shape in shapes):
        return None
    return {"op": "add"} | ({"own": True} if arithmetic.made_by_hand(child for child, _ in both) else {})


def _norm(node: Any, name: str) -> dict[str, Any]:
    epsilon = getattr(node, "_saved_eps", None)
    return {"op": _NORMS[name]} | ({} if epsilon is None else {"epsilon": float(epsilon)})


def _upsample(node: Any, name: str) -> dict[str, Any]:
    corners = getattr(node, "_saved_align_corners", None)
    told = {"op": "upsample", "mode": name.removeprefix("Upsample").rstrip("123D").lower()}
    return told if corners is None else told | {"corners": bool(corners)}


def _pad(node: Any, name: str) -> dict[str, Any]:
    del name
    flat = [signed(part) for part in getattr(node, "_saved_pad", ())]
    return {"op": "pad", "pads": [flat[at : at + 2] for at in range(0, len(flat), 2)][::-1]}


def _adaptive(node: Any, name: str) -> dict[str, Any]:
    """A pool that is told how much it gives: of all positions, or of windows that divide what it has."""
    given = getattr(node, "_saved_self", None)
    gives = [int(extent) for extent in node._input_metadata[0].shape[2:]]  # noqa: SLF001 -- as above
    if all(extent == 1 for extent in gives) or not isinstance(given, Tensor):
        return {"op": _ADAPTIVE_POOLS[name][0]}
    over = [int(extent) for extent in given.shape[2:]]
    if any(extent % many for extent, many in zip(over, gives, strict=True)):
        return {"op": arithmetic.OWN}  # windows of several sizes, which no other pool has
    window = [extent // many for extent, many in zip(over, gives, strict=True)]
    return {"op": _ADAPTIVE_POOLS[name][1], "kernel_size": window, "stride": window, "padding": 0, "from": over}


def _whole(node: Any, name: str) -> dict[str, Any] | None:
    """A mean or maximum over all positions; none over samples or the features of a row, as normalizations take it."""
    dims = getattr(node, "_saved_dim", None)
    sizes = getattr(node, "_saved_self_sym_sizes", None)
    if dims is None:
        return None
    if sizes is None and isinstance(given := getattr(node, "_saved_self", None), Tensor):
        sizes = tuple(given.shape)
    chosen = {signed(dim) for dim in (dims if isinstance(dims, tuple) else (dims,))}
    rank = len(sizes) if sizes is not None else 0
    chosen = {dim + rank if dim < 0 and rank else dim for dim in chosen}
    if not chosen or 0 in chosen or (rank and rank - len(chosen) != _TERMS):
        return None
    if chosen == {rank - 1} and getattr(node, "_saved_keepdim", False):
        return None
    return {"op": _WHOLE_POOLS[name]}


_READERS: Final[Mapping[str, Callable[[Any, str], dict[str, Any] | None]]] = {
    **dict.fromkeys(_POOLS, _pool),
    **dict.fromkeys(_WHOLE_POOLS, _whole),
    **dict.fromkeys(_ADAPTIVE_POOLS, _adaptive),
    **dict.fromkeys(_NORMS, _norm),
    **dict.fromkeys(_PRODUCTS, _product),
    "Add": _sum,
    "Convolution": _convolution,
    "Upsample": _upsample,
    "ConstantPadNd": _pad,
}
