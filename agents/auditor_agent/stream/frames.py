"""Builds the frames of one process: numbers them, carries the books and the tensor table along.

What each header says is in docs/wire-format.md. Only the sender's thread calls this.
"""

from __future__ import annotations

import sys
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor_agent.histogram import COUNTER_BYTES
from auditor_agent.identity import Identity
from auditor_agent.stream import wire
from auditor_agent.stream.histograms import Entry, pack
from auditor_agent.stream.ring import Block
from auditor_agent.stream.tensors import TensorTable


@dataclass(frozen=True, slots=True)
class Encoded:
    """One frame, ready for the spool."""

    seq: int
    steps: int
    data: bytes


class FrameMaker:
    """Makes frames in the order of their ``seq``."""

    def __init__(
        self,
        identity: Identity,
        tensors: TensorTable,
        counts: Callable[[], Mapping[str, Any]],
        floor: Callable[[], int],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._identity, self._tensors = identity, tensors
        self._counts, self._floor, self._clock = counts, floor, clock
        self._sent_table = ""
        self.seq = 0

    def plain(self, kind: str, body: Mapping[str, Any]) -> Encoded:
        """A frame without a block: ``start``, ``manifest``, ``finish``."""
        return self._frame({**self._common(kind), **body}, 0)

    def record(self, fields: Mapping[str, Any], block: bytes) -> Encoded:
        """A ``record`` frame: one part of what the flight recorder saw of a step."""
        return self._frame({**self._common("record"), **fields}, 0, block)

    def histograms(self, entries: Sequence[Entry]) -> Encoded:
        """A ``histograms`` frame: how many elements of each tensor have which magnitude, by step."""
        columns = pack(entries)
        digest, _ = self._tensors.snapshot()
        used = {layout: place for place, layout in enumerate(dict.fromkeys(columns.layouts))}
        header = self._common("histograms") | {
            "steps": len(entries),
            "first_step": min(columns.steps),
            "last_step": max(columns.steps),
            "rows": columns.rows,
            "counters": len(columns.counters) // COUNTER_BYTES,
            "layouts": [self._tensors.ranges(layout) for layout in used],
            "table": digest,
        }
        layouts = array("I", [used[layout] for layout in columns.layouts])
        block = b"".join((_little(columns.steps), _little(layouts), columns.counters, columns.ranges))
        return self._frame(header, 0, block)

    def steps(self, block: Block, *, with_table: bool) -> Encoded:
        """A ``steps`` frame of all that ``block`` holds; carries the table if it changed or is asked for."""
        digest, entries = self._tensors.snapshot()
        used = {layout: place for place, layout in enumerate(dict.fromkeys(block.layouts))}
        numbers = block.steps or [int(event["step"]) for event in block.events]
        header = self._common("steps") | {
            "steps": len(block.steps),
            "first_step": min(numbers),
            "last_step": max(numbers),
            "values": len(block.values),
            "scalars": list(block.names),
            "layouts": [self._tensors.ranges(layout) for layout in used],
            "table": digest,
        }
        if block.events:
            header["events"] = block.events
        if with_table or digest != self._sent_table:
            header["tensors"] = entries
        layouts = array("I", [used[layout] for layout in block.layouts])
        columns: tuple[array[Any], ...] = (block.steps, block.times, layouts, block.at, block.which, block.values)
        words = memoryview(block.words)[: block.filled]
        encoded = self._frame(header, len(block.steps), b"".join((*map(_little, columns), words)))
        self._sent_table = digest
        return encoded

    def _common(self, kind: str) -> dict[str, Any]:
        me = self._identity
        return {
            "type": kind,
            "run": me.run,
            "attempt": me.attempt,
            "rank": me.rank,
            "session": me.session,
            "seq": self.seq,
            "floor": min(self._floor(), self.seq),
            "time": self._clock(),
            "counts": self._counts(),
        }

    def _frame(self, header: Mapping[str, Any], steps: int, block: bytes = b"") -> Encoded:
        data = wire.encode(header, block)
        wire.frame_bytes(data)  # raises what a reader would: beyond the limits
        encoded = Encoded(self.seq, steps, data)
        self.seq += 1
        return encoded


def _little(column: array[Any]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
