"""Delivers what processes left in their spools: the core of ``auditor sync``.

Only what the daemon has acknowledged, or refused for good, is deleted. A folder whose process
still lives is left to it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auditor_agent.identity import WATERMARK, retire
from auditor_agent.stream.courier import BATCH_BYTES, Courier, Outcome
from auditor_agent.stream.recovery import Recovered, folders, recover, restate_floor, segments
from auditor_agent.stream.sender import REQUEST_TIMEOUT, Post
from auditor_agent.stream.wire import CONTENT_TYPE

PATIENCE: Final = 30.0
"""Seconds without progress after which delivery gives up."""


@dataclass(slots=True)
class Delivery:
    """What became of a spool. ``frames`` and ``steps`` were acknowledged."""

    frames: int = 0
    steps: int = 0
    rejected: int = 0
    """Frames the daemon refused for good."""
    remaining: int = 0
    """Frames that are still there: the daemon did not take them."""
    damaged: int = 0
    """Bytes that are no frames any more; their files are kept, renamed to ``.damaged``."""
    busy: int = 0
    """Folders whose process still lives."""
    trouble: str = ""
    """The last thing that went wrong."""
    verdict: str = "unknown"


def deliver(directory: Path, poster: Callable[[str], Post], *, patience: float = PATIENCE) -> Delivery:
    """Send every spooled frame at or below ``directory``.

    Args:
        directory: a spool, a run's folder in it, or one process's.
        poster: gives, for a run id, what posts its requests.
        patience: seconds without progress until giving up.
    """
    delivery = Delivery()
    for folder in folders(directory):
        with _owned(folder) as owned:
            if owned:
                _Folder(folder, poster, delivery, patience).deliver()
                if {path.name for path in folder.iterdir()} <= {WATERMARK}:
                    retire(folder)
            else:
                delivery.busy += 1
    return delivery


class _Folder:
    """Delivers one process's folder, segment by segment."""

    def __init__(self, folder: Path, poster: Callable[[str], Post], delivery: Delivery, patience: float) -> None:
        self._folder, self._poster, self._delivery, self._patience = folder, poster, delivery, patience
        self._post: Post | None = None
        self._courier: Courier | None = None
        self._expected = -1

    def deliver(self) -> None:
        try:
            self._segments()
        finally:
            if self._post is not None:
                self._post.close()

    def _segments(self) -> None:
        for path in segments(self._folder):
            try:
                frames, damaged = recover(path)
            except OSError as error:
                self._delivery.trouble = str(error)
                continue
            left = self._send(self._closed_gaps(frames))
            self._delivery.remaining += left
            if left:
                continue
            self._delivery.damaged += damaged
            with contextlib.suppress(OSError):
                if damaged:
                    path.rename(path.with_suffix(".damaged"))
                else:
                    path.unlink()

    def _closed_gaps(self, frames: list[Recovered]) -> list[Recovered]:
        """The frames; one that follows a loss says that nothing before it will come."""
        closed = []
        for frame in frames:
            lost = frame.seq != self._expected and frame.seq > int(frame.header.get("floor", 0))
            closed.append(restate_floor(frame) if lost else frame)
            self._expected = frame.seq + 1
        return closed

    def _send(self, frames: list[Recovered]) -> int:
        """Send frames of one segment; how many could not be."""
        waiting = {frame.seq: frame for frame in frames}
        if not waiting:
            return 0
        first = frames[0].header
        courier = self._courier = self._courier or Courier(int(first["attempt"]), int(first["rank"]))
        post = self._post = self._post or self._poster(str(first["run"]))
        give_up = time.monotonic() + self._patience
        while waiting and time.monotonic() < give_up:
            time.sleep(min(courier.wait(time.monotonic()), max(0.0, give_up - time.monotonic())))
            batch = _batch(waiting, courier.room()[1])
            body = b"".join(waiting[seq].data for seq in batch)
            reply = post("/v1/frames", body, CONTENT_TYPE, REQUEST_TIMEOUT)
            outcome = courier.answered(time.monotonic(), reply, batch)
            if self._settle(outcome, waiting):
                give_up = time.monotonic() + self._patience
        return len(waiting)

    def _settle(self, outcome: Outcome, waiting: dict[int, Recovered]) -> bool:
        delivery = self._delivery
        for seq in outcome.committed:
            delivery.steps += waiting.pop(seq).steps
        for seq in outcome.refused:
            del waiting[seq]
        delivery.frames += len(outcome.committed)
        delivery.rejected += len(outcome.refused)
        delivery.verdict = outcome.verdict or delivery.verdict
        if outcome.trouble is not None:
            delivery.trouble = ": ".join(filter(None, outcome.trouble))
        return bool(outcome.committed or outcome.refused)


def _batch(waiting: dict[int, Recovered], max_frames: int) -> tuple[int, ...]:
    seqs: list[int] = []
    size = 0
    for seq, frame in waiting.items():
        size += len(frame.data)
        if seqs and (size > BATCH_BYTES or len(seqs) >= max_frames):
            break
        seqs.append(seq)
    return tuple(seqs)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock; False if its process still does. A file system without locks has none to hold."""
    try:
        fd = os.open(folder / WATERMARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield True
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        yield True
    finally:
        os.close(fd)
