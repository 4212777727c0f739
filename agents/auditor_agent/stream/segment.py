"""A stretch of consecutive frames, in a file or in memory, and which of them are settled."""

from __future__ import annotations

import contextlib
import os
from array import array
from pathlib import Path


class Segment:
    """Frames ``first``, ``first + 1``, ... end to end. Settled frames leave from the front.

    ``path`` is None for a segment in memory. The file stays open for appending until :meth:`close`;
    writes go straight to the kernel, so that a process killed later has lost nothing.
    """

    def __init__(self, first: int, path: Path | None) -> None:
        self.first, self.path = first, path
        self.lengths, self.steps = array("I"), array("I")
        self.size = 0
        self.done = 0
        """How many frames at the front are settled."""
        self.start = 0
        """Where the first unsettled frame begins, in bytes."""
        self._memory: list[bytes] = []
        self._fd = -1
        self._closed = False
        if path is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(path, flags, 0o600)

    @property
    def end(self) -> int:
        """The ``seq`` after the last frame."""
        return self.first + len(self.lengths)

    @property
    def front(self) -> int:
        """The ``seq`` of the first unsettled frame; ``end`` if all are settled."""
        return self.first + self.done

    @property
    def open(self) -> bool:
        """Whether it takes more frames."""
        return not self._closed

    def append(self, data: bytes, steps: int) -> None:
        """Add one frame.

        Raises:
            OSError: if it could not be written whole; the file is cut back to what it held, and
                takes no more frames.
        """
        if self.path is None:
            self._memory.append(data)
        else:
            self._write(data)
        self.lengths.append(len(data))
        self.steps.append(steps)
        self.size += len(data)

    def settle(self) -> int:
        """Take the first unsettled frame out; its steps."""
        steps = self.steps[self.done]
        self.start += self.lengths[self.done]
        self.done += 1
        return steps

    def read(self, offset: int, length: int) -> bytes:
        """Whole frames: ``length`` bytes from ``offset`` on.

        Raises:
            OSError: if the file cannot be read or has become shorter.
        """
        if self.path is None:
            return self._remembered(offset, length)
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, length, offset)
        finally:
            os.close(fd)
        if len(data) < length:
            raise OSError(f"{self.path.name} has become shorter")
        return data

    def pending_steps(self) -> int:
        """Steps of the unsettled frames."""
        return sum(self.steps[self.done :])

    def close(self) -> None:
        """Take no more frames."""
        self._closed = True
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                os.close(fd)

    def delete(self) -> None:
        """Close, and remove the file."""
        self.close()
        self._memory = []
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _remembered(self, offset: int, length: int) -> bytes:
        at, parts = 0, []
        for frame in self._memory:
            if offset <= at < offset + length:
                parts.append(frame)
            at += len(frame)
        return b"".join(parts)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            self.close()
            raise
