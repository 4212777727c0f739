"""Histograms on their way from the training loop to ``histograms`` frames.

The format is described in docs/wire-format.md, the counters in ``auditor_agent.histogram``. A shelf
holds what the loop has put until the sender comes; most counters are 0, so a frame says of each
histogram only the bins between its first and last occupied one. Standard library only.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from auditor_agent.histogram import COUNTER_BYTES, HISTOGRAM_BYTES
from auditor_agent.stream.ledger import Ledger

SHELF_BYTES: Final = 2 << 20
"""What may wait for the sender, in bytes; more for a model whose STEPS_AT_LEAST steps need it."""
MOST_BYTES: Final = 16 << 20
STEPS_AT_LEAST: Final = 32
FRAME_BYTES: Final = 4 << 20
"""Histograms that one frame takes, in bytes before they are packed; at least one step."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The histograms of one step: R x 64 uint32 counters of the tensors of ``layout``."""

    step: int
    layout: int
    counters: bytes


@dataclass(frozen=True, slots=True)
class Columns:
    """Entries as a frame has them."""

    steps: array[int]
    layouts: array[int]
    rows: int
    """Histograms in all."""
    counters: bytes
    """Counts of the bins that are told, uint32."""
    ranges: bytes
    """Of each histogram: its first bin, and how many are told."""


class Shelf:
    """Steps of histograms that wait for the sender; bounded, every step in the books."""

    def __init__(self) -> None:
        self.books = Ledger()
        """Counts of steps, apart from those of the statistics: a step's histograms may be lost alone."""
        self._entries: deque[Entry] = deque()
        self._bytes, self._limit = 0, SHELF_BYTES
        self._sent: dict[int, int] = {}
        self.closed = False

    @property
    def crowded(self) -> bool:
        """Whether the sender should come soon."""
        return self._bytes * 2 > self._limit

    def put(self, entry: Entry) -> str | None:
        """Take one step; why it was dropped, or None."""
        size = len(entry.counters)
        with self.books.lock:
            self._limit = max(self._limit, min(MOST_BYTES, STEPS_AT_LEAST * size))
            reason = "finished" if self.closed else "shelf_full" if self._bytes + size > self._limit else None
            self.books.produced_locked(reason)
            if reason is None:
                self._entries.append(entry)
                self._bytes += size
        return reason

    def take(self) -> list[Entry]:
        """The oldest steps, as many as a frame takes; none if nothing waits."""
        taken: list[Entry] = []
        size = 0
        with self.books.lock:
            while self._entries and (not taken or size + len(self._entries[0].counters) <= FRAME_BYTES):
                taken.append(self._entries.popleft())
                size += len(taken[-1].counters)
            self._bytes -= size
        return taken

    def spooled(self, seq: int, steps: int) -> None:
        """Frame ``seq`` holds so many steps and waits to be sent."""
        self._sent[seq] = steps

    def settled(self, seq: int, refused: str | None = None) -> None:
        """Frame ``seq`` was taken by the daemon, or refused for a reason."""
        steps = self._sent.pop(seq, 0)
        if steps and refused is None:
            self.books.sent(steps)
        elif refused is not None:
            self.books.dropped(refused, steps)

    def lost_below(self, floor: int) -> None:
        """No frame before ``floor`` is in the spool any more: what was not settled was pushed out."""
        # In the order in which they were made: the first that is still there ends the search.
        while self._sent and (first := next(iter(self._sent))) < floor:
            self.books.dropped("spool_full", self._sent.pop(first))


def pack(entries: Sequence[Entry]) -> Columns:
    """``entries`` as columns."""
    kept: list[bytes] = []
    ranges = bytearray()
    for entry in entries:
        for at in range(0, len(entry.counters), HISTOGRAM_BYTES):
            row = entry.counters[at : at + HISTOGRAM_BYTES]
            last = -(-len(row.rstrip(b"\0")) // COUNTER_BYTES)
            first = (len(row) - len(row.lstrip(b"\0"))) // COUNTER_BYTES if last else 0
            kept.append(row[first * COUNTER_BYTES : last * COUNTER_BYTES])
            ranges += bytes((first, last - first))
    steps = array("Q", [entry.step for entry in entries])
    layouts = array("I", [entry.layout for entry in entries])
    return Columns(steps, layouts, len(ranges) // 2, _little(b"".join(kept)), bytes(ranges))


def _little(counters: bytes) -> bytes:
    if sys.byteorder == "little":
        return counters
    words = array("I", counters)
    words.byteswap()
    return words.tobytes()
