"""What a PyTorch run declares itself to be: the manifest, read off live objects.

Nothing here draws a random number, starts a computation on the user's data or changes a flag.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import kernels
from auditor_agent.integrations.torch.names import clean, unwrap
from auditor_agent.statistics import COUNTS, STATISTICS

_FROZEN: Final = 16
"""Frozen matrices that are described: of more, evenly spread ones."""
_CORNER: Final = 8
"""Rows and columns of a frozen square that are told: a square taken over as it lies shows by them (FWD-17)."""
_ATTRIBUTES: Final = 24
"""Plain attributes told of one layer: the constants of its class (kernel size, eps, p, ...)."""


def manifest(
    model: nn.Module | None,
    named: Sequence[tuple[str, Tensor]],
    optimizers: Sequence[Optimizer | None],
    loss_fn: Any,
) -> dict[str, Any]:
    """The manifest of a run about to take its first step."""
    return {
        "framework": "torch",
        "model": _model(model, named),
        "init": _init(named),
        **declared(optimizers, named),
        "loss": _loss(loss_fn),
        "precision": _precision(named),
        "seeds": {"torch": torch.initial_seed()},
        "environment": _environment(named),
    }


def _model(model: nn.Module | None, named: Sequence[tuple[str, Tensor]]) -> dict[str, Any]:
    layers = [] if model is None else [_layer(clean(name), layer) for name, layer in unwrap(model).named_modules()]
    return {
        "class": None if model is None else _class(unwrap(model)),
        "parameters": sum(parameter.numel() for _, parameter in named),
        "compiled": model is not None and any(type(m).__name__ == "OptimizedModule" for m in model.modules()),
        "training": None if model is None else model.training,
        "tensors": {
            name: {"shape": list(p.shape), "dtype": dtype(p), **({} if p.requires_grad else {"trainable": False})}
            for name, p in named
        },
        "layers": [layer for layer in layers if layer["name"]],
        "frozen": {} if model is None else _frozen(unwrap(model), {id(parameter) for _, parameter in named}),
    }


def _frozen(model: nn.Module, known: set[int]) -> dict[str, dict[str, Any]]:
    """Matrices of the model that need no gradient and that no optimizer holds: whether anything trained them shows."""
    told = [
        (clean(name), parameter)
        for name, parameter in model.named_parameters()
        if id(parameter) not in known and not parameter.requires_grad and parameter.dim() > 1
    ]
    evenly = told[:: -(-len(told) // _FROZEN) or 1]
    chosen = [(name, p) for name, p in evenly if type(p) in kernels.PLAIN and p.untyped_storage().nbytes()]
    moments = _init(chosen) if chosen else {}
    return {
        name: {"shape": list(p.shape), **{one: moments[name][one] for one in ("mean", "std", "absmax")}, **_corner(p)}
        for name, p in chosen
    }


def _corner(frozen: Tensor) -> dict[str, list[list[float]]]:
    square = frozen.dim() == 2 and frozen.shape[0] == frozen.shape[1]
    return {"corner": frozen.detach()[:_CORNER, :_CORNER].tolist()} if square else {}


def _layer(name: str, layer: nn.Module) -> dict[str, Any]:
    own = {"name": name, "class": type(layer).__name__}
    return {**own, **_plain(vars(layer)), **own}  # a module may have a name of its own: ``nn.Upsample`` has


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that are numbers, words or tuples of numbers."""
    chosen = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in attributes.items()
        if not name.startswith("_") and name != "training" and _is_plain(value)
    }
    return dict(list(chosen.items())[:_ATTRIBUTES])


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(item, (int, float)) for item in value)
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 64)


def _init(named: Sequence[tuple[str, Tensor]]) -> dict[str, dict[str, float]]:
    """The twelve statistics of every weight as the run finds it. Waits for the device, once."""
    words = kernels.kernel([parameter for _, parameter in named])
    count = len(named)
    counts = struct.unpack_from(f"<{len(COUNTS) * count}I", words)
    moments = struct.unpack_from(f"<{(len(STATISTICS) - len(COUNTS)) * count}f", words, 4 * len(COUNTS) * count)
    columns = [*counts, *moments]
    return {
        name: {statistic: columns[row * count + at] for row, statistic in enumerate(STATISTICS)}
        for at, (name, _) in enumerate(named)
    }


def declared(optimizers: Sequence[Optimizer | None], named: Sequence[tuple[str, Tensor]]) -> dict[str, Any]:
    """``optimizer``, the first one's settings as resolved; ``optimizers``, all of them where there are several."""
    each = [_optimizer(optimizer, named) for optimizer in optimizers]
    body: dict[str, Any] = {"optimizer": each[0] if each else None}
    return {**body, "optimizers": each} if len(each) > 1 else body


def _optimizer(optimizer: Optimizer | None, named: Sequence[tuple[str, Tensor]]) -> dict[str, Any] | None:
    if optimizer is None:
        return None
    names = {id(parameter): name for name, parameter in named}
    groups = [
        {
            **{name: _setting(value) for name, value in group.items() if name != "params"},
            "parameters": [names.get(id(parameter), "?") for parameter in group["params"]],
        }
        for group in optimizer.param_groups
    ]
    return {"class": _class(optimizer), "groups": groups}


def _setting(value: Any) -> Any:
    """A hyperparameter as JSON can say it; tensors of one element (capturable lr) as numbers."""
    if isinstance(value, Tensor):
        return value.item() if value.numel() == 1 else f"tensor{tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return [_setting(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else type(value).__name__


def _loss(loss_fn: Any) -> dict[str, Any]:
    if loss_fn is None:
        return {}
    if isinstance(loss_fn, nn.Module):
        return {"class": _class(loss_fn), **_plain(vars(loss_fn))}
    return {"function": getattr(loss_fn, "__qualname__", type(loss_fn).__name__)}


def _precision(named: Sequence[tuple[str, Tensor]]) -> dict[str, Any]:
    return {
        "parameters": sorted({dtype(parameter) for _, parameter in named}),
        "default": _word(torch.get_default_dtype()),
        "float32_matmul": torch.get_float32_matmul_precision(),
        "autocast": {kind: torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")},
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _environment(named: Sequence[tuple[str, Tensor]]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "devices": sorted({str(parameter.device) for _, parameter in named}),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
    }


def dtype(tensor: Tensor) -> str:
    """``float32`` for ``torch.float32``."""
    return _word(tensor.dtype)


def _word(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")


def _class(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
