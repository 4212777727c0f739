"""Elements of tensors on their way into a recording: chosen, copied, brought to the host."""

from __future__ import annotations

import ctypes
import functools
from collections import UserDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from types import SimpleNamespace
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.capture import kernels, native, portable
from auditor_agent.stream.recording import Array

_MOST_TENSORS: Final = 8
#: Things that are looked at for them: what holds itself has no end.
_MOST_LOOKED: Final = 1024


@dataclass(slots=True)
class Taken:
    """One tensor's elements on their way to the host, or there already."""

    role: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    values: Tensor | bytes

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        values = self.values
        return len(values) if isinstance(values, bytes) else values.numel() * values.element_size()

    def array(self) -> Array:
        """With the elements as bytes; they must have arrived."""
        data = self.values if isinstance(self.values, bytes) else portable.to_bytes(self.values)
        return Array(self.role, self.name, self.dtype, self.shape, self.elements, data)


@dataclass(slots=True)
class Making:
    """One step in the making."""

    number: int
    taken: list[Taken] = field(default_factory=list)
    scalars: dict[str, float | Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    phase: str = "train"
    parts: list[int] = field(default_factory=list)
    """The optimizers that have stepped, in their order."""


def take(role: str, name: str, tensor: Tensor, count: int) -> Taken:
    """``count`` evenly spread elements of ``tensor``, copied, on their way to the host."""
    return take_all(role, [(name, tensor, count)])[0]


def take_all(role: str, wanted: Sequence[tuple[str, Tensor, int]]) -> list[Taken]:
    """The same of many tensors: name, tensor and count each. What lies in host memory by one call of the C kernel."""
    sampled: list[tuple[Tensor, int]] = []
    taken: list[Taken] = []
    for name, tensor, count in wanted:
        size = tensor.numel()
        values: Tensor | bytes = b""
        if not (type(tensor) in kernels.PLAIN and tensor.is_cpu and tensor.is_contiguous()) or tensor.is_neg():
            values = _copied(tensor, count)
        elif count >= size:
            values = ctypes.string_at(tensor.data_ptr(), size * tensor.element_size()) if size else b""
        elif native.available():
            sampled.append((tensor, len(taken)))
        else:
            values = _copied(tensor, count)
        taken.append(Taken(role, name, word(tensor.dtype), tuple(tensor.shape), min(count, size), values))
    if sampled:
        _sample(sampled, taken)
    return taken


def _sample(sampled: Sequence[tuple[Tensor, int]], taken: Sequence[Taken]) -> None:
    """Give the ``taken`` at these places their elements of these tensors."""
    items = [tensor.element_size() for tensor, _ in sampled]
    counts = [taken[at].elements for _, at in sampled]
    sizes = [tensor.numel() for tensor, _ in sampled]
    data = native.sample([tensor.data_ptr() for tensor, _ in sampled], sizes, counts, items)
    first = 0
    for (_, at), count, item in zip(sampled, counts, items, strict=True):
        taken[at].values = data[first : first + count * item]
        first += count * item


def _copied(tensor: Tensor, count: int) -> Tensor:
    """By operations of the framework, on any device: copied, on their way to the host."""
    flat = tensor.reshape(-1)
    if count < flat.numel():
        # Made where the tensor is: an index from the host would have to be waited for.
        flat = flat[spread(flat.numel(), count, flat.device)]
    elif flat.data_ptr() == tensor.data_ptr():
        flat = flat.clone()
    return to_host(flat)


@functools.cache
def word(dtype: torch.dtype) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")


def spread(size: int, count: int, device: torch.device) -> Tensor:
    """``count`` evenly spread indices below ``size``, made where they are used."""
    at = torch.arange(count, device=device).mul_(size - 1)
    return at.div_(max(1, count - 1), rounding_mode="floor")


def named(passed: Sequence[list[Taken]]) -> Iterator[Taken]:
    """Those of the last pass under their names, of earlier ones (micro-batches) as ``name@place``."""
    for place, taken in enumerate(passed):
        for one in taken:
            if place:
                one.name = f"{one.name}@{place}"
            yield one


def rates(optimizer: Optimizer, first: int = 0) -> dict[str, float | Tensor]:
    """The learning rates as the record has them: ``lr``, ``lr/1`` and so on, from the place ``first`` on."""
    found: dict[str, float | Tensor] = {}
    for at, group in enumerate(optimizer.param_groups, first):
        rate = group.get("lr")
        if rate is not None:
            value = to_host(rate.detach().reshape(()).clone()) if isinstance(rate, Tensor) else float(rate)
            found[f"lr/{at}" if at else "lr"] = value
    return found


def scaled(optimizer: Optimizer) -> dict[str, float | Tensor]:
    """The GradScaler's scale, where a fused optimizer is given gradients that still carry it."""
    scale = getattr(optimizer, "grad_scale", None)
    return {"gradient_scale": to_host(scale.detach().reshape(()).clone())} if isinstance(scale, Tensor) else {}


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in ``value``, at most eight, in order."""
    stack, given, looked = [value], 0, 0
    while stack and given < _MOST_TENSORS and looked < _MOST_LOOKED:
        item = stack.pop()
        looked += 1
        if isinstance(item, Tensor):
            given += 1
            yield item
        else:
            stack.extend(reversed(contents(item)))


def contents(item: Any) -> Sequence[Any]:
    """What a model takes or gives at once: of a tuple, a mapping, a dataclass, a namespace; of anything else nothing.

    Only of types whose reading runs no code of the program's.
    """
    if isinstance(item, (tuple, list)):
        return item
    if isinstance(item, dict):
        return list(item.values())
    if isinstance(item, UserDict):  # a tokenizer's batch
        return list(item.data.values())
    if isinstance(item, SimpleNamespace):
        return list(vars(item).values())
    if is_dataclass(item) and not isinstance(item, type):
        own = getattr(item, "__dict__", {})
        return [own[one.name] for one in fields(item) if one.name in own]
    return ()


def predictions(given: Iterable[Tensor]) -> list[Tensor]:
    """What a model gives but for single numbers: losses that it works out itself, a temperature.

    All of it if there is nothing else. So what it predicts comes first, wherever a library puts its loss.
    """
    every = list(given)
    return [tensor for tensor in every if tensor.dim()] or every


def to_host(tensor: Tensor) -> Tensor:
    """``tensor`` on its way to the host, not waited for."""
    if tensor.is_cpu:
        return tensor
    host = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=tensor.is_cuda)
    return host.copy_(tensor, non_blocking=tensor.is_cuda)


def mark(taken: Iterable[Taken]) -> Any:
    """An event behind the copies of a step; None on a CPU."""
    if not torch.cuda.is_available() or not any(
        isinstance(one.values, Tensor) and one.values.is_pinned() for one in taken
    ):
        return None
    event = torch.Event("cuda")
    event.record()
    return event


def done(mark: Any) -> bool:
    """Whether what a mark stands behind has arrived."""
    return mark is None or bool(mark.query())


def unreadable(tensor: Tensor) -> bool:
    """Whether its elements cannot be copied now: it has none, or a CUDA graph is being captured."""
    return tensor.is_meta or (tensor.is_cuda and torch.cuda.is_current_stream_capturing())
