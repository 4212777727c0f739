"""A step in the making, and the matrices that it is made of."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from auditor_agent.capture import kernels
from auditor_agent.integrations.torch.forward import Forward
from auditor_agent.integrations.torch.part import Key

_clock: Final = time.perf_counter


@dataclass(slots=True)
class Open:
    """A record in the making."""

    number: int
    time: float
    ids: tuple[int, ...] = ()
    """Tensors whose ids are known: those read before the record had to wait."""
    keys: list[Key] = field(default_factory=list)
    """What was read since."""
    read: bool = False
    """Whether gradients are among ``ids``."""
    matrices: list[Tensor | bytes] = field(default_factory=list)
    histograms: list[Tensor | bytes] = field(default_factory=list)
    """R x 64 counters each."""
    counted: list[int] = field(default_factory=list)
    """Ids of the tensors that the histograms are of."""
    scalars: dict[str, float | Tensor] = field(default_factory=dict)
    stepped: set[int] = field(default_factory=set)
    """Parts whose optimizer has stepped."""
    gradients: dict[int, Key] = field(default_factory=dict)
    """By part: which gradients were read, where the C kernel could read them as they lay."""
    forward: Forward | None = None
    costs: dict[str, float] = field(default_factory=dict)
    """Seconds spent on each kind that is not read at every step."""
    spent: float = 0.0
    """Seconds spent at all."""


def filled(words: Tensor | bytes, present: Sequence[bool]) -> Tensor:
    """The matrix with a column for each tensor: of those that are not ``present`` all is 0, the count too."""
    given = tensor(words)
    whole = given.new_zeros((given.shape[0], len(present)))
    whole[:, [at for at, there in enumerate(present) if there]] = given
    return whole


def tensor(words: Tensor | bytes) -> Tensor:
    """The words of some tensors as a matrix."""
    return kernels.matrix(words) if isinstance(words, bytes) else words


def side_by_side(matrices: Sequence[Tensor | bytes]) -> Tensor:
    """The matrices of one step as one, on the first one's device."""
    tensors = [tensor(words) for words in matrices]
    return torch.cat([each.to(tensors[0].device, non_blocking=True) for each in tensors], 1)


@contextlib.contextmanager
def timed(row: Open, kind: str) -> Iterator[None]:
    """Book what happens within on ``kind``."""
    start = _clock()
    yield
    row.costs[kind] = row.costs.get(kind, 0.0) + _clock() - start
