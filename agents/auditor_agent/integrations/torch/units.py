"""What the units of a layer did on a batch, and which activation stands behind a layer.

A unit is a place on the last axis of an output; on the channel axis (1) of images and of what a
convolution or its normalization gives. An output is looked at *folded*, as (outer, units, inner):
its samples are all places (outer, inner), in this order. No output is copied for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from auditor_agent.capture import kernels, native
from auditor_agent.integrations.torch.taken import spread, to_host

#: Activations that are exactly zero over a part of their range.
_RECTIFIERS: Final = frozenset({"relu", "relu6", "threshold", "hardswish", "hardsigmoid"})
#: Where an output counts as saturated: outside of these.
_ENDS: Final = {"tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99)}
#: Activations by the operation that autograd notes.
_OPERATIONS: Final = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Gelu": "gelu",
    "Silu": "silu",
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Softplus": "softplus",
    "Mish": "mish",
    "Hardtanh": "hardtanh",
    "Clamp": "clamp",
    "ClampMin": "clamp",
    "ClampMax": "clamp",
}
#: What stands behind a layer and can be had again from its output.
_AGAIN: Final = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
#: Operations that make a linear output.
_LINEAR: Final = frozenset({"Addmm", "Mm", "Bmm", "Baddbmm", "Convolution", "MkldnnConvolution", "UnsafeView"})
#: Nodes of autograd's graph that are looked at.
_MOST_NODES: Final = 4096


def activation_of(module: nn.Module) -> str | None:
    """``relu`` for ``nn.ReLU`` and so on; None for what is no activation."""
    kind = type(module)
    if kind.__module__ != "torch.nn.modules.activation" or kind is nn.MultiheadAttention:
        return None
    return {"LogSoftmax": "log_softmax", "LeakyReLU": "leaky_relu"}.get(kind.__name__, kind.__name__.lower())


def by_unit(module: nn.Module, output: Tensor) -> Tensor:
    """``output`` folded; not copied where its layout allows."""
    if output.dim() < 2:
        return output.reshape(-1, 1, 1)
    channels = output.dim() > 3 or (output.dim() == 3 and isinstance(module, (_ConvNd, _NormBase)))
    return output.flatten(2) if channels else output.reshape(-1, output.shape[-1], 1)


def samples_of(folded: Tensor) -> int:
    """How many samples a unit has."""
    return folded.shape[0] * folded.shape[2]


def shares(name: str, activation: str | None, folded: Tensor, moments: Tensor | None) -> dict[str, float | Tensor]:
    """``dead_units/NAME`` or ``saturated/NAME``, as parts of 1, of a folded output; empty for other layers.

    ``moments``: its :func:`summary`, if that is known already.
    """
    if not folded.numel():
        return {}
    if activation in _RECTIFIERS:
        _, _, low, high = summary(folded) if moments is None else moments
        return {f"dead_units/{name}": _share((low == 0) & (high == 0))}
    if activation in _ENDS:
        least, most = _ENDS[activation]
        return {f"saturated/{name}": _share((folded < least) | (folded > most))}
    return {}


def again(activation: str, output: Tensor) -> Tensor | None:
    """What ``activation`` makes of a layer's ``output``; None where that is not known here.

    Where the script applied it in place, ``output`` has become it: for ReLU that is all the same.
    """
    operation = _AGAIN.get(activation)
    return None if operation is None else operation(output)


def summary(folded: Tensor) -> Tensor:
    """Mean, standard deviation, minimum and maximum of each unit, float32, shape (4, units); of some samples."""
    if _plain(folded) and folded.dtype in kernels.NAMES:
        return _by_native(folded)
    wide = folded.float()
    std, mean = torch.std_mean(wide, (0, 2), correction=0)
    return torch.stack((mean, std, wide.amin((0, 2)), wide.amax((0, 2))))


def _plain(tensor: Tensor) -> bool:
    """Whether the C library may read ``tensor``."""
    return kernels.in_memory(tensor) and not tensor.is_neg() and native.available()


def _by_native(folded: Tensor) -> Tensor:
    outer, units, inner = folded.shape
    if inner > 1 and folded.stride(1) == 1 and folded.stride(0) == inner * folded.stride(2):  # channels last
        folded = folded.as_strided((outer * inner, units, 1), (folded.stride(2), 1, 1))
    elif units > 1 and folded.stride(1 if inner == 1 else 2) != 1:
        folded = folded.contiguous()
    outer, units, inner = folded.shape
    over, step, inward = folded.stride()
    where = (outer, units, inner), (over, step if units > 1 else 1, inward)
    found = native.units(folded.data_ptr(), kernels.NAMES[folded.dtype], where)
    return torch.frombuffer(found, dtype=torch.float32).view(4, units)


def some(folded: Tensor, rows: int, units: int) -> Tensor | bytes:
    """``rows`` evenly spread samples by ``units`` evenly spread units, copied."""
    if _plain(folded):
        (outer, width, inner), (over, step, inward) = folded.shape, folded.stride()
        where = (outer, width, inner), (over, step, inward)
        return native.rows(folded.data_ptr(), folded.element_size(), where, rows, units)
    chosen = folded
    if units < folded.shape[1]:
        chosen = chosen[:, spread(folded.shape[1], units, folded.device)]
    inner, count = folded.shape[2], samples_of(folded)
    if rows == count:
        return to_host(chosen.movedim(1, -1).reshape(rows, units))
    at = spread(count, rows, folded.device)
    return to_host(chosen[at.div(inner, rounding_mode="floor"), :, at % inner])


def columns(matrix: Tensor, units: int) -> Tensor | bytes:
    """``units`` evenly spread columns of ``matrix``, copied."""
    return some(matrix[:, :, None], len(matrix), units)


#: Operations after which the values are what they were.
_SHAPES: Final = frozenset(
    {"Squeeze", "Unsqueeze", "View", "UnsafeView", "ReshapeAlias", "Transpose", "T", "Permute", "Select", "Alias"}
)


def behind(outputs: Iterable[Tensor], layers: Mapping[Any, str]) -> dict[str, str]:
    """The activation that each layer's output went into next, by the layer's name: ``F.relu(self.fc1(x))``.

    Args:
        outputs: of the model; the graph behind them is read, nothing that it saved is touched.
        layers: the layers' names by the node (``grad_fn``) of their output.
    """
    found: dict[str, str] = {}
    waiting = deque(output.grad_fn for output in outputs if output.grad_fn is not None)
    seen: set[Any] = set(waiting)
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.popleft()
        activation = _OPERATIONS.get(operation(node))
        for child, _ in node.next_functions:
            if child is None:
                continue
            if activation is not None and child in layers and node not in layers:
                found[layers[child]] = activation
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return found


def output_activation(output: Tensor) -> str | None:
    """What the last operation of a model is: ``softmax``, ``sigmoid``, ``linear``, …; None if it is none of these.

    Operations that only give the values another shape are looked through.
    """
    node = output.grad_fn
    while node is not None and operation(node) in _SHAPES and node.next_functions:
        node = node.next_functions[0][0]
    if node is None:
        return None
    last = operation(node)
    return "linear" if last in _LINEAR else _OPERATIONS.get(last)


def operation(node: Any) -> str:
    """``Relu`` of a node called ``ReluBackward0``."""
    return str(node.name()).rpartition("::")[2].partition("Backward")[0]


def _share(chosen: Tensor) -> float | Tensor:
    share = chosen.float().mean()
    return share.item() if share.is_cpu else share
