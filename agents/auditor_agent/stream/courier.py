"""What to send and when: the sender's judgement, without a thread, a socket or a clock.

It is told the time and what was answered, and says what to do. The protocol is in
docs/wire-format.md, section Requests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

HEARTBEAT: Final = 5.0
"""Seconds without a delivered frame until a heartbeat is due."""
FIRST_BACKOFF: Final = 0.5
LAST_BACKOFF: Final = 10.0
LONGEST_RETRY_AFTER: Final = 300.0
BATCH_BYTES: Final = 2 << 20
BATCH_FRAMES: Final = 256


class Step(Enum):
    """What the sender should do now."""

    WAIT = "wait"
    FRAMES = "frames"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request. ``status`` 0: nothing came, ``error`` says why; ``late``: not in time."""

    status: int
    body: bytes = b""
    retry_after: float | None = None
    error: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reply means: frames that are committed, frames refused for good, what the daemon says."""

    committed: frozenset[int] = frozenset()
    refused: Mapping[int, str] = field(default_factory=dict)
    verdict: str | None = None
    stop: bool = False
    need: frozenset[str] = frozenset()
    trouble: tuple[str, str] | None = None
    """What went wrong: cause and detail, for the log."""


class Courier:
    """Backoff, batch size and the meaning of replies, for one process's frames.

    Args:
        attempt: the attempt whose frames are sent.
        rank: the rank whose frames are sent.
        jitter: a number in [0, 1) drawn per process, so that a thousand ranks do not retry in step.
    """

    def __init__(self, attempt: int, rank: int, jitter: float = 0.0) -> None:
        self._attempt, self._rank, self._jitter = attempt, rank, jitter
        self.failures = 0
        self.reached = False
        """Whether the daemon has ever answered a request with success."""
        self.max_frames = BATCH_FRAMES
        self._not_before = 0.0
        self._heartbeat_at = 0.0

    def plan(self, now: float, *, frames: bool) -> Step:
        """What to do at ``now`` (monotonic seconds), no request being under way."""
        if now < self._not_before:
            return Step.WAIT
        if frames:
            return Step.FRAMES
        return Step.HEARTBEAT if now >= self._heartbeat_at else Step.WAIT

    def room(self) -> tuple[int, int]:
        """How much the next request may carry: bytes (or one frame), frames."""
        return BATCH_BYTES, self.max_frames

    def wait(self, now: float) -> float:
        """Seconds until the next request may go out."""
        return max(0.0, self._not_before - now)

    def hurry(self) -> None:
        """The end is near: forget the backoff once."""
        self._not_before = 0.0

    def hopeless(self) -> bool:
        """At the end: whether trying again before the deadline makes no sense."""
        return self.failures > 0 and not self.reached

    def answered(self, now: float, reply: Reply, seqs: tuple[int, ...]) -> Outcome:
        """Judge the reply to a request that carried ``seqs`` (none: a heartbeat)."""
        if reply.status == 200:
            answer = _answer(reply.body)
            if answer is not None:
                return self._accepted(now, answer, seqs)
            return self._failed(now, reply, ("the daemon's answer makes no sense", repr(reply.body[:80])))
        if reply.status in (400, 413, 422) and seqs and (reply.status == 413 or _is_ours(reply.body)):
            return self._undigestible(now, reply, seqs)
        if reply.late and len(seqs) > 1:  # too much for the time it has: less is judged and settled sooner
            self.max_frames = len(seqs) // 2
        what = f"status {reply.status}" if reply.status else reply.error
        return self._failed(now, reply, (_cause(reply.status), what))

    def _accepted(self, now: float, answer: dict[str, Any], seqs: tuple[int, ...]) -> Outcome:
        mine = frozenset(seqs)
        committed = mine & _committed(answer, self._attempt, self._rank)
        refused = {seq: why for seq, why in _rejected(answer).items() if seq in mine - committed}
        if seqs and not committed and not refused:
            return self._failed(now, Reply(200), ("the daemon settled nothing of what was sent", ""))
        self.failures, self.reached = 0, True
        self.max_frames = min(BATCH_FRAMES, self.max_frames * 2)
        self._not_before, self._heartbeat_at = now, now + HEARTBEAT
        need = answer.get("need")
        verdict = answer.get("verdict")
        return Outcome(
            committed,
            refused,
            verdict if isinstance(verdict, str) else None,
            answer.get("stop") is True,
            frozenset(item for item in need if isinstance(item, str)) if isinstance(need, list) else frozenset(),
            ("the daemon refused frames", next(iter(refused.values()))) if refused else None,
        )

    def _undigestible(self, now: float, reply: Reply, seqs: tuple[int, ...]) -> Outcome:
        """Too large, or one frame spoils the body: smaller bodies until it stands alone."""
        if len(seqs) > 1:
            self.max_frames = max(1, len(seqs) // 2)
            self._not_before = now
            return Outcome()
        reason = "too_large" if reply.status == 413 else "rejected"
        self.max_frames = BATCH_FRAMES
        return Outcome(refused={seqs[0]: reason}, trouble=("the daemon refused a frame", f"status {reply.status}"))

    def _failed(self, now: float, reply: Reply, trouble: tuple[str, str]) -> Outcome:
        backoff = min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** min(self.failures, 16)) * (0.5 + self._jitter / 2)
        self.failures += 1
        asked = min(reply.retry_after or 0.0, LONGEST_RETRY_AFTER)
        self._not_before = now + max(backoff, asked)
        self._heartbeat_at = max(self._heartbeat_at, self._not_before)
        return Outcome(trouble=trouble)


def _cause(status: int) -> str:
    if status in (401, 403):
        return "the daemon refuses the token (AUDITOR_TOKEN)"
    if status == 404:
        return "no daemon at AUDITOR_URL"
    if status in (429, 503):
        return "the daemon is busy"
    return "the daemon cannot be reached" if not status else "the daemon fails"


def _answer(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _is_ours(body: bytes) -> bool:
    """Whether an error body has the daemon's shape; a proxy in between has its own."""
    answer = _answer(body)
    return answer is not None and "error" in answer and "detail" in answer


def _committed(answer: Mapping[str, Any], attempt: int, rank: int) -> frozenset[int]:
    entries = answer.get("committed")
    if not isinstance(entries, list):
        return frozenset()
    return frozenset(
        entry[2]
        for entry in entries
        if isinstance(entry, list) and len(entry) == 3 and entry[:2] == [attempt, rank] and isinstance(entry[2], int)
    )


def _rejected(answer: Mapping[str, Any]) -> dict[int, str]:
    entries = answer.get("rejected")
    if not isinstance(entries, list):
        return {}
    return {
        entry["seq"]: str(entry.get("reason", ""))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("seq"), int)
    }
