"""Getting a step's numbers off the device without waiting for them.

On a CPU they are there already. On an accelerator they are copied into page-locked memory behind
the work that makes them, and read at a later step, when the copy has happened by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from auditor_agent.capture.portable import nonfinite, to_bytes

#: Steps that may be under way before the oldest is waited for: bounds the page-locked memory.
_DEPTH: Final = 8


@dataclass(slots=True)
class Step:
    """One step on its way: ``scalars`` are floats, or 0-dimensional tensors still on the device."""

    number: int
    time: float
    scalars: dict[str, float | Tensor]
    layout: int
    matrix: Tensor | bytes
    """The words: a matrix, or what :func:`to_bytes` makes of one that lay on the host."""
    histograms: Tensor | bytes = b""
    """R x 64 counters of the tensors of ``counted``, where there are any."""
    counted: int = 0
    """Layout of the histograms."""


@dataclass(slots=True)
class Arrived:
    """One step whose numbers can be read; ``words`` as ``capture.portable.kernel`` gives them."""

    number: int
    time: float
    scalars: dict[str, float]
    layout: int
    words: bytes
    nonfinite: bool
    histograms: bytes = b""
    counted: int = 0


class Transfer:
    """Hands steps to ``sink`` in their order, as soon as their numbers are on the host."""

    def __init__(self, sink: Callable[[Arrived], None]) -> None:
        self._sink = sink
        self._under_way: deque[tuple[Step, Any]] = deque()

    def put(self, step: Step) -> None:
        """Start the copy of ``step``; deliver what has arrived."""
        if _on_host(step) and not self._under_way:
            self._deliver(step)
            return
        self._under_way.append((_start(step), _mark(step)))
        self.poll()

    def poll(self) -> None:
        """Deliver what has arrived."""
        while self._under_way and (len(self._under_way) > _DEPTH or _done(self._under_way[0][1])):
            self._pop()

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def drain(self) -> None:
        """Deliver all, waiting for the device. For the end of a run."""
        while self._under_way:
            self._pop()

    def _pop(self) -> None:
        step, mark = self._under_way.popleft()
        if mark is not None:
            mark.synchronize()
        self._deliver(step)

    def _deliver(self, step: Step) -> None:
        scalars = {name: value if type(value) is float else float(value) for name, value in step.scalars.items()}
        words = step.matrix if isinstance(step.matrix, bytes) else to_bytes(step.matrix)
        counters = step.histograms if isinstance(step.histograms, bytes) else to_bytes(step.histograms)
        arrived = Arrived(step.number, step.time, scalars, step.layout, words, nonfinite(words), counters, step.counted)
        self._sink(arrived)


def _on_host(step: Step) -> bool:
    return all([not isinstance(value, Tensor) or value.is_cpu for value in _numbers(step)])  # noqa: C419 - the quicker


def _numbers(step: Step) -> tuple[Tensor | bytes | float, ...]:
    return (step.matrix, step.histograms, *step.scalars.values())


def _start(step: Step) -> Step:
    scalars = _scalars_to_host(step.scalars)
    matrix = _to_host(step.matrix) if isinstance(step.matrix, Tensor) else step.matrix
    counters = _to_host(step.histograms) if isinstance(step.histograms, Tensor) else step.histograms
    return Step(step.number, step.time, scalars, step.layout, matrix, counters, step.counted)


def _scalars_to_host(scalars: dict[str, float | Tensor]) -> dict[str, float | Tensor]:
    """All that lie on a device in one copy, as float64."""
    away = {name: value for name, value in scalars.items() if isinstance(value, Tensor) and not value.is_cpu}
    if len(away) > 1:
        home = next(iter(away.values())).device
        values = [value.detach().to(home, torch.float64, non_blocking=True).reshape(()) for value in away.values()]
        return {**scalars, **dict(zip(away, _to_host(torch.stack(values)).unbind(), strict=True))}
    return {**scalars, **{name: _to_host(value) for name, value in away.items()}}


def _to_host(tensor: Tensor) -> Tensor:
    if tensor.is_cpu:
        return tensor
    host = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=tensor.is_cuda)
    return host.copy_(tensor, non_blocking=tensor.is_cuda)


def _mark(step: Step) -> Any:
    """An event behind the copies on the current stream; None where copies wait by themselves."""
    if not any(isinstance(value, Tensor) and value.is_cuda for value in _numbers(step)):
        return None
    event = torch.Event("cuda")
    event.record()
    return event


def _done(mark: Any) -> bool:
    return mark is None or bool(mark.query())
