"""``histograms`` frames as NumPy arrays, and the histograms of one tensor by step.

The layout is described in docs/wire-format.md, ``histograms``; what a bin means in
``auditor_agent.histogram``. Everything a header declares is checked against the block before an
array is made of it, and nothing is unpacked but the rows that are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from auditor.ingest.decode import I64, U32, U64, Ranges, Tensor, width
from auditor_agent.histogram import BINS, COUNTER_BYTES
from auditor_agent.stream.wire import Frame, WireError

if TYPE_CHECKING:
    from auditor.store.records import StoredChunk

U8 = npt.NDArray[np.uint8]
_STEP_BYTES: Final = 8 + 4
_MAX_STEP: Final = 2**53


@dataclass(frozen=True, slots=True)
class Rows:
    """Histograms of one tensor as they are stored: the counts of ``lengths`` bins from ``firsts`` on, each."""

    steps: I64
    firsts: I64
    lengths: I64
    counters: U32

    def pick(self, rows: I64) -> Rows:
        """Some of them, in the order asked for."""
        starts = np.cumsum(self.lengths) - self.lengths
        lengths = self.lengths[rows]
        return Rows(self.steps[rows], self.firsts[rows], lengths, self.counters[_places(starts[rows], lengths)])

    def matrix(self) -> U32:
        """Every counter, shape (N, 64)."""
        dense = np.zeros((len(self.steps), BINS), np.uint32)
        at = np.arange(len(self.steps), dtype=np.int64) * BINS + self.firsts
        dense.reshape(-1)[_places(at, self.lengths)] = self.counters
        return dense


@dataclass(frozen=True, slots=True)
class HistogramBatch:
    """The histograms of one frame, in the order in which the job took the steps."""

    steps: U64
    layout_of: U32
    layouts: tuple[Ranges, ...]
    firsts: U8
    lengths: U8
    counters: U32

    def of(self, tensor: int) -> Rows:
        """Those of one tensor, by its id."""
        widths = np.array([width(ranges) for ranges in self.layouts], np.int64)
        places = np.array([_place(ranges, tensor) for ranges in self.layouts], np.int64)
        widths, places = widths[self.layout_of], places[self.layout_of]
        chosen = np.flatnonzero(places >= 0)
        rows = (np.cumsum(widths) - widths)[chosen] + places[chosen]
        lengths = self.lengths.astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        return Rows(
            self.steps[chosen].astype(np.int64),
            self.firsts[rows].astype(np.int64),
            lengths[rows],
            self.counters[_places(starts[rows], lengths[rows])],
        )


def histogram_batch(frame: Frame) -> HistogramBatch:
    """The arrays of a ``histograms`` frame, views into its block.

    Raises:
        WireError: if header and block do not add up.
    """
    header, block = frame.header, memoryview(frame.block)
    steps, rows, told = (_count(header, name) for name in ("steps", "rows", "counters"))
    expected = _STEP_BYTES * steps + COUNTER_BYTES * told + 2 * rows
    if not steps or expected != len(block):
        raise WireError(f"histograms block: {len(block)} bytes, {expected} declared for {steps} steps")
    try:
        layouts = tuple([(int(first), int(length)) for first, length in ranges] for ranges in header["layouts"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise WireError(f"histograms header: {error!r}") from error
    numbers = np.frombuffer(block, "<u8", steps)
    layout_of = np.frombuffer(block, "<u4", steps, 8 * steps)
    counters = np.frombuffer(block, "<u4", told, _STEP_BYTES * steps)
    ranges = np.frombuffer(block, np.uint8, 2 * rows, _STEP_BYTES * steps + COUNTER_BYTES * told).reshape(-1, 2)
    batch = HistogramBatch(numbers, layout_of, layouts, ranges[:, 0], ranges[:, 1], counters)
    _check(batch, header)
    return batch


def _check(batch: HistogramBatch, header: Mapping[str, Any]) -> None:
    if not isinstance(header.get("table"), str):
        raise WireError("histograms header: no table")
    if batch.layout_of.max() >= len(batch.layouts):
        raise WireError("histograms block: a step points at no layout")
    widths = np.array([width(ranges) for ranges in batch.layouts], np.int64)
    if int(widths[batch.layout_of].sum()) != len(batch.lengths):
        raise WireError("histograms block: the layouts have another number of tensors")
    if int(batch.lengths.sum(dtype=np.int64)) != len(batch.counters):
        raise WireError("histograms block: the ranges have another number of counters")
    if len(batch.lengths) and int((batch.firsts.astype(np.int64) + batch.lengths).max()) > BINS:
        raise WireError(f"histograms block: a range beyond bin {BINS - 1}")
    first, last = header.get("first_step"), header.get("last_step")
    if type(first) is not int or type(last) is not int or last > _MAX_STEP:
        raise WireError(f"histograms header: first and last step are no integers up to {_MAX_STEP}")
    if (first, last) != (int(batch.steps.min()), int(batch.steps.max())):
        raise WireError("histograms header: first and last step are not those of the block")


@dataclass(frozen=True, slots=True)
class Found:
    """The histograms of one tensor, and for each row which frame it came from."""

    rows: Rows
    origins: I64
    """(attempt, rank, seq) of each row, shape (N, 3)."""
    dropped: dict[str, int]
    """Steps whose histograms the agents lost, by reason."""


def gather(
    chunks: Iterable[StoredChunk],
    tables: Mapping[str, tuple[Tensor, ...]],
    tensor: tuple[str, str],
    within: tuple[int | None, int | None] = (None, None),
) -> Found:
    """The histograms that ``histograms`` chunks hold of a tensor, by (kind, name), from a first to a last step."""
    names = _Names(tables)
    parts: list[Rows] = []
    origins: list[npt.NDArray[Any]] = []
    books: dict[tuple[int, int], dict[str, int]] = {}
    low, high = within
    for chunk in chunks:
        header = json.loads(chunk.header_json)
        books[chunk.attempt, chunk.rank] = _dropped(header)
        ident = names.id_of(str(header.get("table")), tensor)
        if ident is None:
            continue
        rows = histogram_batch(Frame(header, memoryview(chunk.payload))).of(ident)
        inside = (low is None or rows.steps >= low) & (high is None or rows.steps <= high)
        rows = rows.pick(np.flatnonzero(np.broadcast_to(inside, rows.steps.shape)))
        parts.append(rows)
        origins.append(np.tile([chunk.attempt, chunk.rank, chunk.seq], (len(rows.steps), 1)))
    dropped: dict[str, int] = {}
    for reasons in books.values():
        for reason, steps in reasons.items():
            dropped[reason] = dropped.get(reason, 0) + steps
    return Found(_joined(parts), np.concatenate([np.zeros((0, 3), np.int64), *origins]), dropped)


def _dropped(header: Mapping[str, Any]) -> dict[str, int]:
    """The books are cumulative: the last frame's count."""
    counts = header.get("counts")
    books = counts.get("histograms") if isinstance(counts, dict) else None
    dropped = books.get("dropped") if isinstance(books, dict) else None
    if not isinstance(dropped, dict):
        return {}
    return {str(reason)[:64]: int(steps) for reason, steps in dropped.items() if type(steps) is int and steps > 0}


def _joined(parts: list[Rows]) -> Rows:
    empty = np.zeros(0, np.int64)
    columns = ([part.steps for part in parts], [part.firsts for part in parts], [part.lengths for part in parts])
    counters = np.concatenate([np.zeros(0, np.uint32), *(part.counters for part in parts)])
    steps, firsts, lengths = (np.concatenate([empty, *column]) for column in columns)
    return Rows(steps, firsts, lengths, counters)


class _Names:
    """Ids of tensors by table. A table only grows at its end: one that never came is the beginning of another."""

    def __init__(self, tables: Mapping[str, tuple[Tensor, ...]]) -> None:
        self._tables = tables
        self._known: dict[tuple[str, tuple[str, str]], int | None] = {}

    def id_of(self, table: str, tensor: tuple[str, str]) -> int | None:
        key = (table, tensor)
        if key not in self._known:
            tensors = self._tables.get(table) or self._beginning(table)
            self._known[key] = next((i for i, one in enumerate(tensors) if (one.kind, one.name) == tensor), None)
        return self._known[key]

    def _beginning(self, table: str) -> tuple[Tensor, ...]:
        from auditor.ingest.intake import digest

        for tensors in self._tables.values():
            entries = [[one.kind, one.name, list(one.shape), one.dtype] for one in tensors]
            for length in range(len(entries), 0, -1):
                if digest(entries[:length]) == table:
                    return tensors[:length]
        return ()


def _place(ranges: Ranges, tensor: int) -> int:
    """Where a layout has a tensor; -1 if it has not."""
    before = 0
    for first, length in ranges:
        if first <= tensor < first + length:
            return before + tensor - first
        before += length
    return -1


def _places(starts: I64, lengths: I64) -> I64:
    """``starts[0], starts[0] + 1, ...`` of ``lengths[0]`` places, then those of the next."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


def _count(header: Mapping[str, Any], name: str) -> int:
    value = header.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**31:
        raise WireError(f"histograms header: {name} {str(value)[:40]!r} is no count")
    return value
