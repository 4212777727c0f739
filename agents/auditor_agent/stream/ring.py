"""The hand-over from the training loop to the sender: two column blocks, filled and drained in turn.

Appending a step copies its words into a preallocated buffer and its few numbers into columns: no
disk, no network, no encoding. The sender swaps the blocks and encodes the full one while steps go
into the other. When both are full, steps are dropped and counted: the job never waits.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, Final

from auditor_agent.stream.ledger import Ledger

BLOCK_BYTES: Final = 1 << 20
"""What one block may hold, in bytes; larger for a model whose STEPS_AT_LEAST steps need it."""
MAX_BLOCK_BYTES: Final = 16 << 20
STEPS_AT_LEAST: Final = 128
_ROW_BYTES: Final = 8 + 8 + 4
_VALUE_BYTES: Final = 4 + 4 + 8
MAX_NAMES: Final = 1024
"""Distinct scalar names of one block."""
MAX_EVENTS: Final = 256
"""Events of one block."""


class Block:
    """Columns of consecutive steps, as the wire has them."""

    def __init__(self) -> None:
        self.words = bytearray()
        self.clear()

    def clear(self) -> None:
        """Empty the columns; the buffer for words stays allocated."""
        self.steps, self.times, self.layouts = array("Q"), array("d"), array("I")
        self.at, self.which, self.values = array("I"), array("I"), array("d")
        self.names: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []
        self.filled = 0
        self.bytes = 0
        self._whole = (0, 0, 0)

    def seal(self) -> None:
        """What was appended so far is whole: rows, values, bytes of words."""
        self._whole = (len(self.steps), len(self.values), self.filled)

    def mend(self) -> None:
        """Cut off what an exception in the middle of an append (bad input, a Ctrl-C) has left torn."""
        rows, values, self.filled = self._whole
        for column in (self.steps, self.times, self.layouts):
            del column[rows:]
        for column in (self.at, self.which, self.values):
            del column[values:]

    def fits(self, size: int, words: int, limit: int) -> bool:
        """Whether ``size`` more bytes, ``words`` of them statistics, keep within ``limit``."""
        if self.bytes + size > limit:
            return False
        need = self.filled + words
        if need > len(self.words):
            grown = bytearray(min(limit, max(need, 2 * len(self.words), BLOCK_BYTES // 8)))
            grown[: self.filled] = memoryview(self.words)[: self.filled]
            self.words = grown
        return True

    def put(self, step: int, time: float, layout: int, words: memoryview | None) -> None:
        """Append one step whose room was checked by :meth:`fits`."""
        self.steps.append(step)
        self.times.append(time)
        self.layouts.append(layout)
        self.bytes += _ROW_BYTES
        if words is not None:
            end = self.filled + len(words)
            self.words[self.filled : end] = words
            self.filled = end
            self.bytes += len(words)

    def put_values(self, scalars: Mapping[str, float]) -> int:
        """Append scalars of the last step; how many found no room among the names."""
        refused = 0
        row = len(self.steps) - 1
        for name, value in scalars.items():
            which = self.names.get(name)
            if which is None:
                if len(self.names) >= MAX_NAMES:
                    refused += 1
                    continue
                which = self.names[name] = len(self.names)
            self.at.append(row)
            self.which.append(which)
            self.values.append(value)
            self.bytes += _VALUE_BYTES
        return refused


class Ring:
    """Two blocks and the lock between the job's threads and the sender's."""

    def __init__(self, ledger: Ledger, block_bytes: int = BLOCK_BYTES) -> None:
        self._ledger = ledger
        self._limit = block_bytes
        self._active, self._spare = Block(), Block()
        self.closed = False
        self.crowded = False
        """Whether the active block is at least half full: the sender should come soon."""

    def append(
        self, step: int, time: float, layout: int, scalars: Mapping[str, float], words: memoryview | None
    ) -> tuple[str | None, int]:
        """Take one step. Returns why it was dropped (None if kept), and how many scalars were refused.

        Args:
            step: step number, 0 to 2**64 - 1.
            time: Unix seconds.
            layout: id of the layout that ``words`` follow.
            scalars: floats by name.
            words: the statistics' bytes, one-dimensional, or None.
        """
        length = 0 if words is None else len(words)
        size = _ROW_BYTES + _VALUE_BYTES * len(scalars) + length
        with self._ledger.lock:
            if size * STEPS_AT_LEAST > self._limit:
                self._limit = max(self._limit, min(size * STEPS_AT_LEAST, MAX_BLOCK_BYTES))
            block = self._active
            reason = self._refusal(block, size, length)
            refused = 0
            if reason is None:
                try:
                    block.put(step, time, layout, words)
                    refused = block.put_values(scalars) if scalars else 0
                    block.seal()
                except BaseException:
                    block.mend()
                    raise
            self._ledger.produced_locked(reason)
            self.crowded = block.bytes * 2 > self._limit
            return reason, refused

    def amend(self, step: int, time: float, scalars: Mapping[str, float]) -> tuple[str | None, int]:
        """Add scalars to ``step``: to its row if it still is the last one here, else as a row of their own."""
        with self._ledger.lock:
            block = self._active
            if not self.closed and block.steps and block.steps[-1] == step:
                if block.fits(_VALUE_BYTES * len(scalars), 0, self._limit):
                    refused = block.put_values(scalars)
                    block.seal()
                    return None, refused
                return "ring_full", 0  # the step itself stands; only these values are lost
        return self.append(step, time, 0, scalars, None)

    def event(self, event: dict[str, Any]) -> bool:
        """Take an event; False if there is no room for it."""
        with self._ledger.lock:
            if self.closed or len(self._active.events) >= MAX_EVENTS:
                return False
            self._active.events.append(event)
            return True

    def swap(self) -> Block | None:
        """The block that was filled, for the sender to encode and :meth:`release`; None if empty."""
        with self._ledger.lock:
            if not (self._active.steps or self._active.events):
                return None
            full, self._active = self._active, self._spare
            self.crowded = False
            self._spare = full
            return full

    def release(self, block: Block) -> None:
        """Make a drained block ready to be filled again."""
        block.clear()

    def steps(self) -> int:
        """Steps that wait here."""
        with self._ledger.lock:
            return len(self._active.steps)

    def _refusal(self, block: Block, size: int, words: int) -> str | None:
        if self.closed:
            return "finished"
        if size > self._limit:
            return "too_large"
        return None if block.fits(size, words, self._limit) else "ring_full"
