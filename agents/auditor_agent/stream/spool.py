"""Unsent frames on disk, bounded; in memory where the disk fails.

A folder holds segments named after their first ``seq``, frames end to end, and the file ``acked``
with the number of frames, from the first, that are settled. Only the sender's thread calls this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auditor_agent import guard, identity
from auditor_agent.stream.segment import Segment

SUFFIX: Final = ".frames"
SEGMENT_BYTES: Final = 4 << 20
MEMORY_BYTES: Final = 3 << 20
"""What unsent frames may take in memory when the disk is no use."""
MEMORY_SEGMENT_BYTES: Final = 256 << 10
SETTLED_SEGMENT_BYTES: Final = 1 << 20
"""A segment whose frames are all settled is deleted from this size on."""
DISK_RETRY: Final = 30.0
"""Seconds until a disk that failed is tried again."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive-in-order unsettled frames: their numbers and their bytes end to end."""

    seqs: tuple[int, ...]
    data: bytes


class Spool:
    """A queue of frames by ``seq``. Appending never fails: what finds no room pushes out the oldest.

    Args:
        directory: the process's own folder; None to keep to memory.
        cap: bytes on disk at most.
        dropped: told the reason and the steps of what was pushed out.
    """

    def __init__(
        self,
        directory: Path | None,
        cap: int,
        dropped: Callable[[str, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._cap, self._dropped, self._clock = directory, cap, dropped, clock
        self._segment_bytes = min(SEGMENT_BYTES, max(64 << 10, cap // 8))
        self._segments: deque[Segment] = deque()
        self._settled: set[int] = set()
        self._retry_at = 0.0
        self._next = 0
        self._mark = _watermark(directory)

    @property
    def floor(self) -> int:
        """The first unsettled ``seq``; the next one to come if there is none."""
        for segment in self._segments:
            if segment.front < segment.end:
                return segment.front
        return self._next

    @property
    def empty(self) -> bool:
        """Whether every frame is settled."""
        return self.floor == self._next

    @property
    def fresh(self) -> bool:
        """Whether the next frame begins a segment: it should say all that is needed to read it alone."""
        return not self._segments or self._full(self._segments[-1])

    @property
    def spare(self) -> int:
        """Bytes that can be appended, about, until the oldest are pushed out."""
        on_disk = self._directory is not None and self._clock() >= self._retry_at
        cap = self._cap if on_disk else MEMORY_BYTES
        return cap - sum(segment.size for segment in self._segments if (segment.path is not None) == on_disk)

    def steps(self) -> int:
        """Steps of the unsettled frames."""
        out_of_order = sum(self._steps_of(seq) for seq in self._settled)
        return sum(segment.pending_steps() for segment in self._segments) - out_of_order

    def append(self, seq: int, data: bytes, steps: int) -> None:
        """Keep a frame; ``seq`` is beyond the last."""
        if self._segments and self._segments[-1].end != seq:
            self._segments[-1].close()  # a number was lost on the way here; within a segment there is no gap
        if not self._to_disk(seq, data, steps):
            self._to_memory(seq, data, steps)
        self._next = seq + 1
        self._trim()

    def read(self, max_bytes: int, max_frames: int) -> Batch:
        """The oldest unsettled frames, at least one if there is any."""
        seqs: list[int] = []
        parts: list[bytes] = []
        room = max_bytes
        for segment in list(self._segments):
            taken, data = self._read(segment, room, max_frames - len(seqs), first=not seqs)
            seqs += taken
            parts.append(data)
            room -= len(data)
            if room <= 0 or len(seqs) >= max_frames or (taken and taken[-1] + 1 < segment.end):
                break
        return Batch(tuple(seqs), b"".join(parts))

    def settle(self, seq: int) -> int | None:
        """Take a frame out for good; its steps, or None if it was out already."""
        if seq in self._settled or not any(segment.front <= seq < segment.end for segment in self._segments):
            return None
        steps = self._steps_of(seq)
        self._settled.add(seq)
        self._advance()
        return steps

    def close(self) -> None:
        """Release the files; what is unsettled stays on disk for ``auditor sync``."""
        for segment in self._segments:
            if segment.front == segment.end:
                segment.delete()
            segment.close()
        self.abandon()
        if self._directory is not None and self.empty:
            identity.retire(self._directory)

    def abandon(self) -> None:
        """Close this process's copies of the descriptors and touch nothing else (after a fork)."""
        for segment in self._segments:
            segment.close()
        if self._mark >= 0:
            with contextlib.suppress(OSError):
                os.close(self._mark)
            self._mark = -1

    def _full(self, segment: Segment) -> bool:
        limit = MEMORY_SEGMENT_BYTES if segment.path is None else self._segment_bytes
        return not segment.open or segment.size >= limit

    def _to_disk(self, seq: int, data: bytes, steps: int) -> bool:
        if self._directory is None or self._clock() < self._retry_at:
            return False
        try:
            self._rescue(self._directory)
            if self.fresh:
                self._segments.append(Segment(seq, self._directory / f"{seq:012d}{SUFFIX}"))
            self._segments[-1].append(data, steps)
        except OSError as error:
            self._retry_at = self._clock() + DISK_RETRY
            guard.note("spool cannot be written, keeping unsent data in memory", str(error))
            if self._segments and self._segments[-1].first == self._segments[-1].end:
                self._segments.pop().delete()
            return False
        return True

    def _rescue(self, directory: Path) -> None:
        """Move what is in memory to the disk, which works again."""
        for place, segment in enumerate(self._segments):
            if segment.path is None:
                copy = Segment(segment.front, directory / f"{segment.front:012d}{SUFFIX}")
                try:
                    offset = segment.start
                    for length, steps in zip(
                        segment.lengths[segment.done :], segment.steps[segment.done :], strict=True
                    ):
                        copy.append(segment.read(offset, length), steps)
                        offset += length
                except OSError:
                    copy.delete()
                    raise
                copy.close()
                self._segments[place] = copy

    def _to_memory(self, seq: int, data: bytes, steps: int) -> None:
        if self.fresh or self._segments[-1].path is not None:
            self._segments.append(Segment(seq, None))
        self._segments[-1].append(data, steps)

    def _trim(self) -> None:
        for on_disk, cap, reason in ((True, self._cap, "spool_full"), (False, MEMORY_BYTES, "memory_full")):
            kept = [segment for segment in self._segments if (segment.path is not None) == on_disk]
            total = sum(segment.size for segment in kept)
            for segment in kept:
                if total <= cap:
                    break
                total -= segment.size
                self._discard(segment, reason)

    def _discard(self, segment: Segment, reason: str) -> None:
        lost = [seq for seq in range(segment.front, segment.end) if seq not in self._settled]
        steps = sum(self._steps_of(seq) for seq in lost)
        self._settled.difference_update(range(segment.first, segment.end))
        self._segments.remove(segment)
        segment.delete()
        self._dropped(reason, steps)
        guard.note(f"unsent data dropped ({reason})", f"{steps} steps of {len(lost)} frames")
        self._save_mark()

    def _read(self, segment: Segment, room: int, count: int, *, first: bool) -> tuple[list[int], bytes]:
        lengths: list[int] = []
        for length in segment.lengths[segment.done : segment.done + count]:
            if room < length and not (first and not lengths):
                break
            lengths.append(length)
            room -= length
        if not lengths:
            return [], b""
        try:
            data = segment.read(segment.start, sum(lengths))
        except OSError as error:
            guard.note("spool cannot be read", str(error))
            self._discard(segment, "spool_damaged")
            return [], b""
        return list(range(segment.front, segment.front + len(lengths))), data

    def _steps_of(self, seq: int) -> int:
        for segment in self._segments:
            if segment.first <= seq < segment.end:
                return segment.steps[seq - segment.first]
        return 0

    def _advance(self) -> None:
        moved = False
        while self._segments:
            segment = self._segments[0]
            while segment.front < segment.end and segment.front in self._settled:
                self._settled.discard(segment.front)
                segment.settle()
                moved = True
            finished = segment.front == segment.end
            if not finished or (segment is self._segments[-1] and segment.size < SETTLED_SEGMENT_BYTES):
                break
            self._segments.popleft().delete()
        if moved:
            self._save_mark()

    def _save_mark(self) -> None:
        if self._mark >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._mark, f"{self.floor:012d}\n".encode(), 0)


def _watermark(directory: Path | None) -> int:
    """Descriptor of ``acked``, locked: who holds the lock owns the folder. -1 where that fails."""
    if directory is None:
        return -1
    try:
        fd = os.open(directory / identity.WATERMARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd
