"""A PyTorch run's declarations in canonical units: see ``auditor_agent.capture.manifest``."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any, Final

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, RandomSampler

from auditor_agent.integrations.torch.names import clean, unwrap

_MOST_LAYERS: Final = 512


def canonical(model: nn.Module | None, optimizer: Optimizer) -> dict[str, Any]:
    """The ``canonical`` section: update rule by group, normalization layers, data loaders. Needs NumPy."""
    try:
        from auditor_agent.capture.manifest import normalization, update_rule
    except ImportError:
        return {}
    groups = [{k: _number(v) for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    layers = {} if model is None else dict(unwrap(model).named_modules())
    norms = {
        clean(name): normalization("torch", vars(layer))
        for name, layer in list(layers.items())[:_MOST_LAYERS]
        if hasattr(layer, "eps") and name
    }
    return {
        "update": [update_rule("torch", type(optimizer).__name__, group) for group in groups],
        "normalization": norms,
        "loaders": _loaders(),
    }


def heads(told: Sequence[dict[str, Any]], activations: Sequence[str | None]) -> dict[str, Any]:
    """What the model's outputs end in, for the facts of a step, and which loss compares which of them."""
    ends = {f"output{at}": activation for at, activation in enumerate(activations)}
    found = [{**one, "activation": ends.get(one["output"])} for one in told]
    return {"output_activation": ends.get("output0"), **({"heads": found} if found else {})}


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) and value.numel() == 1 and value.is_cpu else value


def _loaders() -> list[dict[str, Any]]:
    """What the live data loaders declare (DATA-01, DATA-02). One walk over the live objects, some 50 ms."""
    # By type(), as in torch_names: isinstance() would run the code of proxies.
    found = [thing for thing in gc.get_objects() if issubclass(type(thing), DataLoader)][:16]
    return [
        {
            "batch_size": loader.batch_size,
            "drop_last": bool(loader.drop_last),
            "shuffle": isinstance(loader.sampler, RandomSampler),
            "samples": _length(loader.dataset),
            "workers": loader.num_workers,
        }
        for loader in found
    ]


def _length(dataset: Any) -> int | None:
    try:
        return len(dataset)
    except Exception:  # a stream has no length, and the class is the user's
        return None
