"""From a ``steps`` frame to arrays: what detectors, the store and the API work on.

The layout is described in docs/wire-format.md. Everything a header declares is checked against the
block before an array is made of it; a frame that does not add up raises ``WireError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor_agent import jsonfinite
from auditor_agent.statistics import COUNTS, KINDS, ROW_BYTES, STATISTICS, WORDS
from auditor_agent.stream.wire import Frame, WireError

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One line of a tensor table. Its id is its place in the table."""

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class Block:
    """The statistics of consecutive steps that report the same tensors.

    ``first`` is the index of its first step within the batch; ``tensors`` the tensor ids, shape
    (R,); ``words`` the statistics, shape (N, 12, R), four bytes each: use :meth:`stat`.
    """

    first: int
    tensors: I64
    words: U32

    def stat(self, name: str) -> U32 | F32:
        """Statistic ``name`` as an (N, R) array: uint32 for counts, float32 for the rest."""
        column = self.words[:, STATISTICS.index(name), :]
        return column if name in COUNTS else column.view(np.float32)

    def rows(self, first: int, after: int) -> tuple[int, int]:
        """The rows of the batch's steps from index ``first`` to before ``after``: first row, row behind the last."""
        return max(first - self.first, 0), max(min(after - self.first, self.words.shape[0]), 0)


@dataclass(frozen=True, slots=True)
class StepBatch:
    """The steps of one frame, in the order in which the job took them.

    ``steps`` (N,) step numbers; ``times`` (N,) Unix seconds; ``scalars`` by name: the indices into
    ``steps`` and the values, where a value was given (a NaN is a value); ``blocks`` the tensors'
    statistics; ``events`` what happened beside the numbers, each ``{"step", "type", ...}``.
    """

    run: str
    attempt: int
    rank: int
    seq: int
    table: str
    steps: U64
    times: F64
    scalars: dict[str, tuple[I64, F64]]
    blocks: tuple[Block, ...]
    events: tuple[dict[str, Any], ...] = ()

    def part(self, first: int, after: int) -> StepBatch:
        """The steps from index ``first`` to before ``after``, with what belongs to them; arrays are views.

        An event belongs to the last step not after its own, to the first one if there is none.
        """
        scalars = {}
        for name, (at, values) in self.scalars.items():
            here = (at >= first) & (at < after)
            if here.any():
                scalars[name] = (at[here] - first, values[here])
        blocks = []
        for block in self.blocks:
            low, high = block.rows(first, after)
            if low < high:
                blocks.append(Block(block.first + low - first, block.tensors, block.words[low:high]))
        events = tuple(event for event in self.events if first <= self.place(event) < after)
        return replace(
            self,
            steps=self.steps[first:after],
            times=self.times[first:after],
            scalars=scalars,
            blocks=tuple(blocks),
            events=events,
        )

    def place(self, event: Mapping[str, Any]) -> int:
        """The index of the step that ``event`` belongs to: the last one not after its own, else 0."""
        return max(int(np.searchsorted(self.steps, int(event["step"]), side="right")) - 1, 0)

    @property
    def rows(self) -> int:
        """Number of tensor statistics rows."""
        return sum(block.words.shape[0] * block.words.shape[2] for block in self.blocks)


def tensor_table(entries: Any) -> tuple[Tensor, ...]:
    """The tensor table of a header's ``tensors``: lists of [kind, name, shape, dtype].

    Raises:
        WireError: if an entry has another shape or an unknown kind.
    """
    try:
        table = tuple(
            Tensor(str(kind), str(name), tuple(int(n) for n in shape), str(dtype))
            for kind, name, shape, dtype in entries
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"tensor table: {error}") from error
    unknown = {tensor.kind for tensor in table} - set(KINDS)
    if unknown:
        raise WireError(f"tensor table: unknown kinds {sorted(unknown)}")
    return table


def step_batch(frame: Frame) -> StepBatch:
    """The arrays of a ``steps`` frame; views into the frame's block where alignment allows.

    Raises:
        WireError: if header and block do not add up.
    """
    header = frame.header
    try:
        count, values = int(header["steps"]), int(header["values"])
        layouts = [[(int(first), int(length)) for first, length in ranges] for ranges in header["layouts"]]
        names = [str(name) for name in header["scalars"]]
        identity = (str(header["run"]), int(header["attempt"]), int(header["rank"]), int(header["seq"]))
        table, events = str(header["table"]), tuple(dict(event) for event in header.get("events", ()))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WireError(f"steps header: {error!r}") from error
    if count < 0 or values < 0:
        raise WireError("steps header: negative count")
    reader = _Reader(frame.block)
    steps, times = reader.take(np.dtype("<u8"), count), reader.take(np.dtype("<f8"), count)
    layout_of = reader.take(np.dtype("<u4"), count)
    at, which = reader.take(np.dtype("<u4"), values), reader.take(np.dtype("<u4"), values)
    value = reader.take(np.dtype("<f8"), values)
    if values and (at.max() >= count or which.max() >= len(names)):
        raise WireError("steps block: a scalar points outside the frame")
    if count and layout_of.max(initial=0) >= len(layouts):
        raise WireError("steps block: a step points at no layout")
    blocks = _blocks(reader, layout_of, layouts)
    if reader.rest():
        raise WireError(f"steps block: {reader.rest()} bytes left over")
    scalars = {name: (at[which == i].astype(np.int64), value[which == i]) for i, name in enumerate(names)}
    return StepBatch(*identity, table, steps, times, scalars, blocks, events)


#: A layout as it is declared: (first tensor id, count), ...
Ranges = list[tuple[int, int]]

#: Tensors that one step may report.
MAX_TENSORS = 200_000


def width(ranges: Ranges) -> int:
    """Number of tensors in a layout."""
    total = sum(length for _, length in ranges)
    if total > MAX_TENSORS or any(first < 0 or length < 0 or first > MAX_TENSORS for first, length in ranges):
        raise WireError(f"layout of {total} tensors, limit {MAX_TENSORS}")
    return total


def expand(ranges: Ranges) -> I64:
    """Tensor ids of a layout."""
    parts = [np.arange(first, first + length, dtype=np.int64) for first, length in ranges]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _blocks(reader: _Reader, layout_of: U32, layouts: list[Ranges]) -> tuple[Block, ...]:
    blocks, first = [], 0
    changes = np.flatnonzero(np.diff(layout_of.astype(np.int64))) + 1
    for last in [*changes.tolist(), len(layout_of)]:
        if last == first:
            continue
        ranges = layouts[int(layout_of[first])]
        tensors = width(ranges)
        # The words first: what a header merely declares allocates nothing.
        words = reader.take(np.dtype("<u4"), (last - first) * WORDS * tensors)
        if tensors:
            blocks.append(Block(first, expand(ranges), words.reshape(last - first, WORDS, tensors)))
        first = last
    return tuple(blocks)


class _Reader:
    """Takes columns off a block one after the other."""

    def __init__(self, block: memoryview) -> None:
        self._block, self._at = block, 0

    def take(self, dtype: np.dtype[Any], count: int) -> Any:
        end = self._at + dtype.itemsize * count
        if end > len(self._block):
            raise WireError(f"steps block: {len(self._block)} bytes, at least {end} declared")
        column = np.frombuffer(self._block, dtype, count, self._at)
        self._at = end
        return column

    def rest(self) -> int:
        return len(self._block) - self._at


def number(value: Any) -> float:
    """A JSON number of a header, non-finite ones by name; ``WireError`` if it is none."""
    try:
        return jsonfinite.number(value)
    except ValueError as error:
        raise WireError(str(error)) from error


__all__ = ["ROW_BYTES", "Block", "StepBatch", "Tensor", "number", "step_batch", "tensor_table"]
