"""The probe's hands on PyTorch: everything here runs at each step of the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np
import torch
from keras.src.backend.torch.core import get_device
from torch import Tensor

from auditor_agent.capture import kernels, portable
from auditor_agent.capture.arrays import Words
from auditor_agent.integrations.keras.eager import EagerTape, EagerTaps, host
from auditor_agent.integrations.keras.layers import Layers
from auditor_agent.integrations.keras.rows import Row, Store, row_of
from auditor_agent.integrations.keras.silent import Silent

__all__ = [
    "dense",
    "expanded",
    "host",
    "mean",
    "outside",
    "parts",
    "reciprocal",
    "scalar",
    "store",
    "tape",
    "taps",
    "target",
    "total",
    "untraced",
]

#: Steps kept where nobody reads them.
_ROWS: Final = 1024


class TorchStore:
    """Statistics taken at once by the fastest kernel, on a device without waiting for it."""

    anywhere = crowded = False

    def __init__(self, rows: int) -> None:
        self.rows, self.lost = rows, 0
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self.urgent = False

    @torch.no_grad()
    def put(self, head: Sequence[Any], gradients: Sequence[Any], after: Sequence[Any] = ()) -> None:
        """Take one step's row; ``head[-1]`` is the factor that undoes loss scaling."""
        del after  # it runs op by op
        parts = [torch.as_tensor(part) for part in head]
        scalars = torch.stack([part.detach().to(gradients[0].device, torch.float64).reshape(()) for part in parts])
        matrix = kernels.words(gradients)
        if not (scalars.is_cpu and float(scalars[-1]) == 1.0):
            matrix = portable.scaled(matrix, scalars[-1], len(gradients))
        if scalars.is_cpu:
            broken = portable.nonfinite(portable.to_bytes(matrix)) or not bool(scalars[1].isfinite())
            self.urgent = self.urgent or broken
        if len(self._waiting) >= self.rows:
            self._waiting.clear()
            self.lost += self.rows
        self._waiting.append((scalars, matrix))

    def count(self, least: int, updates: int = 1) -> None:
        """Makes no histograms."""

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first; waits for the device."""
        waiting, self._waiting, self.urgent = self._waiting, [], False
        return [row_of(head.cpu().numpy(), _matrix(matrix)) for head, matrix in waiting]

    @torch.no_grad()
    def statistics(self, variables: Sequence[Any]) -> Words:
        """Statistics of variables as they are now."""
        return _matrix(kernels.words([variable.value for variable in variables]))


def _matrix(words: Tensor) -> Words:
    return words.cpu().numpy().view(np.uint32)


def store(tensors: int, rows: int, *, jit: bool) -> Store:
    """A store in this process's memory."""
    del tensors, jit
    return TorchStore(max(rows, _ROWS))


def tape(probe: Any) -> Any:
    """The flight recorder's part in a train step on PyTorch, on a CPU and where nothing is compiled."""
    return EagerTape(probe) if probe.taps is not None else Silent()


def taps(layers: Layers, *, accumulate: int, jit: bool) -> EagerTaps | None:
    """What looks at layers' outputs and the batch; None on a device and where the step is compiled."""
    if jit or get_device() != "cpu":
        return None
    return EagerTaps(layers, accumulate=accumulate)


def target(variables: Sequence[Any]) -> Any:
    """Nothing: a backward pass does not say which loss it began at."""
    del variables


def expanded(loss: Any, given: Sequence[Any] = ()) -> Any:
    """Nothing: the operations of a loss are not read here."""
    del loss, given


def parts(loss: Any, output: Any) -> list[dict[str, Any]]:
    """Nothing: the operations of a loss are not read here."""
    del loss, output
    return []


def outside() -> AbstractContextManager[Any]:
    """Nothing is traced."""
    return nullcontext()


def untraced(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` left out of what ``torch.compile`` makes of the step."""
    return torch.compiler.disable(function)  # type: ignore[no-any-return,no-untyped-call]


def dense(gradient: Any) -> Any:
    """A gradient as it is; an empty tensor for None."""
    return torch.zeros(0) if gradient is None else gradient


def scalar(value: Any) -> Any:
    """``value`` as a float64 scalar; NaN for None."""
    if value is None:
        return torch.tensor(float("nan"), dtype=torch.float64)
    return torch.as_tensor(value).detach().to(torch.float64).mean()


def total(parts: Sequence[Any]) -> Any:
    """The sum of scalars."""
    return torch.stack(list(parts)).sum() if parts else torch.zeros((), dtype=torch.float64)


def reciprocal(value: Any) -> Any:
    """1 / value as a scalar."""
    value = getattr(value, "value", value)  # a Keras variable
    return torch.as_tensor(value).detach().to(torch.float64).reciprocal()


def mean(gradient: Any, unscale: Any, held: Any, count: int) -> Any:
    """(gradient * unscale + held) / count, in the gradient's precision."""
    return (gradient * unscale.to(gradient.dtype) + held.to(gradient.dtype)) / count
