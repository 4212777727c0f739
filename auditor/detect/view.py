"""What a rule sees: the steps of one frame, with what several rules need computed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.detect.facts import RunFacts
from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor_agent.statistics import KINDS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

#: Steps from one sample of weights and batches to the next (docs/signals.md).
SAMPLED: Final = 50
#: Event of a step whose gradients were scaled out of range and thrown away: no fault by itself.
SKIPPED_EVENT: Final = "step_skipped"


@dataclass(frozen=True, slots=True)
class Index:
    """A tensor table by columns: what a rule asks of it without a loop over tensors."""

    kinds: I64
    """Place of each tensor's kind in ``auditor_agent.statistics.KINDS``."""
    backward: I64
    """Place of each tensor in backward order: the last layer's first; within a layer, as listed."""
    matrix: Bool
    """Has two or more dimensions of more than one element: a weight matrix, not a bias."""


@lru_cache(maxsize=512)
def index(table: tuple[Tensor, ...]) -> Index:
    """The columns of ``table``; remembered, since all frames of a run share few tables."""
    layers: dict[str, int] = {}
    layer = np.array([layers.setdefault(layer_of(t.name), len(layers)) for t in table], dtype=np.int64)
    order = np.lexsort((np.arange(len(table)), -layer))
    backward = np.empty(len(table), dtype=np.int64)
    backward[order] = np.arange(len(table))
    kinds = np.array([KINDS.index(t.kind) for t in table], dtype=np.int64)
    matrix = np.array([sum(n > 1 for n in t.shape) >= 2 for t in table], dtype=np.bool_)
    return Index(kinds, backward, matrix)


def layer_of(name: str) -> str:
    """The layer that a parameter belongs to: its name without the last part (``fc1.weight`` → ``fc1``)."""
    cut = max(name.rfind("."), name.rfind("/"))
    return name[:cut] if cut > 0 else name


class StepView:
    """The steps of one batch, in the order of the job. N steps, R tensors per block.

    ``run``: what the process had declared of itself by then.
    """

    def __init__(self, batch: StepBatch, table: tuple[Tensor, ...], run: RunFacts = RunFacts()) -> None:  # noqa: B008
        self.batch, self.table, self.run = batch, table, run
        self.attempt, self.rank = batch.attempt, batch.rank
        self.steps, self.times = batch.steps, batch.times
        self.parted = "loss/data" in batch.scalars
        """Whether the run has told the loss without its penalty, in this batch or before."""

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def index(self) -> Index:
        """The tensor table by columns."""
        return index(self.table)

    def part(self, first: int, after: int) -> StepView:
        """The steps from index ``first`` to before ``after`` as a view of their own."""
        view = StepView(self.batch.part(first, after), self.table, self.run)
        view.parted = self.parted
        return view

    def blocks(self, kind: str) -> Iterator[tuple[Block, I64]]:
        """The blocks that report tensors of ``kind``, each with the columns of those tensors."""
        wanted = KINDS.index(kind)
        for block in self.batch.blocks:
            columns = np.flatnonzero(self.index.kinds[block.tensors] == wanted)
            if len(columns):
                yield block, columns

    def scalar(self, name: str) -> tuple[I64, F64]:
        """Where scalar ``name`` was given and what it was; empty if never."""
        return self.batch.scalars.get(name, _NOTHING)

    def scalars(self, prefix: str) -> Iterator[tuple[str, I64, F64]]:
        """The scalars whose names begin with ``prefix`` (``dead_units/``): name, indices, values."""
        for name, (at, values) in self.batch.scalars.items():
            if name.startswith(prefix):
                yield name, at, values

    def events(self, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The events of type ``kind`` in order, each with the index of its step.

        The index is that of the last step not after the event's own, 0 if there is none: an event
        may belong to a step that came in another frame, or to none.
        """
        for event in self.batch.events:
            if event.get("type") == kind:
                yield self.batch.place(event), event

    @cached_property
    def epochs(self) -> dict[int, int]:
        """The epochs that ended, as number by index of their last step: by scalar ``epoch`` or by event."""
        told = {at: int(event["epoch"]) for at, event in self.events("epoch") if isinstance(event.get("epoch"), int)}
        at, numbers = self.scalar("epoch")
        return told | {int(place): int(number) for place, number in zip(at, numbers, strict=True)}

    @cached_property
    def loss(self) -> F64:
        """The loss of each step, shape (N,); NaN also where none was given: see :attr:`has_loss`."""
        at, values = self.scalar("loss")
        out = np.full(len(self), np.nan)
        out[at] = values
        return out

    @cached_property
    def data_loss(self) -> F64:
        """The loss without the penalty, shape (N,): see :func:`auditor.detect.evidence.cost.data_loss`."""
        at, values = self.scalar("loss/data")
        if not self.parted:
            return self.loss
        out: F64 = np.full(len(self), np.nan)
        out[at] = values
        return out

    @cached_property
    def has_loss(self) -> Bool:
        """Whether each step reported a loss, shape (N,)."""
        out = np.zeros(len(self), dtype=np.bool_)
        out[self.scalar("loss")[0]] = True
        return out

    @cached_property
    def learning_rate(self) -> F64:
        """The largest learning rate of each step over all groups, shape (N,); NaN where not given."""
        out = np.full(len(self), np.nan)
        for name, (at, values) in self.batch.scalars.items():
            if name == "lr" or name.startswith(("lr.", "lr/", "lr_")):
                out[at] = np.fmax(out[at], values)
        return out

    @cached_property
    def gradient_norm(self) -> F64:
        """Global L2 norm of the finite gradient values of each step, (N,); NaN where there is none."""
        out = np.full(len(self), np.nan)
        for block, columns in self.blocks("gradient"):
            squares = block.stat("sumsq")[:, columns].sum(axis=1, dtype=np.float64)
            broken = sum(block.stat(name)[:, columns].any(axis=1) for name in ("nan", "inf"))
            nothing = (squares == 0) & np.asarray(broken, dtype=bool)
            out[block.first : block.first + len(squares)] = np.where(nothing, np.nan, np.sqrt(squares))
        return out

    @cached_property
    def skipped(self) -> frozenset[int]:
        """Steps whose update a gradient scaler skipped."""
        return frozenset(
            int(event["step"]) for event in self.batch.events if event.get("type") == SKIPPED_EVENT and "step" in event
        )


_NOTHING: Final[tuple[Any, Any]] = (np.zeros(0, np.int64), np.zeros(0, np.float64))


def stretches(view: StepView, every: int, also: Iterable[int] = ()) -> Iterator[tuple[int, int]]:
    """``view`` cut after each step whose number is a multiple of ``every``, and after the indices ``also``.

    A rule that takes its history stretch by stretch, and judges where :func:`due`, says the same
    however the sender cut the frames. Yields (first index, index after the last).
    """
    ends = {*np.flatnonzero(view.steps % np.uint64(every) == 0).tolist(), *(int(at) for at in also), len(view) - 1}
    first = 0
    for end in sorted(ends):
        if end >= first:
            yield first, end + 1
            first = end + 1


def due(view: StepView, at: int, every: int) -> bool:
    """Whether the step at index ``at`` is one at which a rule judges."""
    return int(view.steps[at]) % every == 0
