"""Keeps the agent's own faults away from the job that hosts it.

Two kinds of trouble pass through here. A *failure* is a defect of the agent or an unusable
argument: it is counted and swallowed, and raised when ``AUDITOR_RAISE=1`` so that tests see it. A
*note* is a circumstance (the daemon is away, the disk is full): counted, never raised. Both are
logged at most once a minute per cause.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LOG_EVERY: Final = 60.0
"""Seconds between two log lines of one cause."""
MAX_CAUSES: Final = 256
"""Causes remembered; what comes after is counted under one name, so that memory stays bounded."""
_OTHER: Final = "other causes"


class Tally:
    """Counts by cause, and when each was last logged. Thread-safe; usable in a forked child."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}
        self._logged: dict[str, float] = {}

    def add(self, cause: str) -> tuple[int, bool]:
        """Count ``cause``; its count so far, and whether it is due for a log line."""
        with self._lock:
            if cause not in self._counts and len(self._counts) >= MAX_CAUSES:
                cause = _OTHER
            count = self._counts[cause] = self._counts.get(cause, 0) + 1
            now = self._clock()
            due = now - self._logged.get(cause, -LOG_EVERY) >= LOG_EVERY
            if due:
                self._logged[cause] = now
            return count, due

    def counts(self) -> dict[str, int]:
        """How often each cause was seen."""
        with self._lock:
            return dict(self._counts)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._counts.clear()
            self._logged.clear()

    def after_fork(self) -> None:
        """Replace the lock: another thread may have held it when this process was forked."""
        self._lock = threading.RLock()


TALLY: Final = Tally()
os.register_at_fork(after_in_child=TALLY.after_fork)


def raises() -> bool:
    """Whether failures raise: ``AUDITOR_RAISE=1``, as in tests."""
    return os.environ.get("AUDITOR_RAISE", "") == "1"


def note(cause: str, detail: str = "") -> None:
    """Count a circumstance and log it at most once a minute. Never raises."""
    try:
        count, due = TALLY.add(cause)
        if due:
            _log(cause if not detail else f"{cause}: {detail}", count)
    except Exception:  # noqa: S110 -- the reporter of troubles has nobody left to report its own to
        pass


def failure(cause: str, error: Exception) -> None:
    """Count and log a failure of the agent; raise it when ``AUDITOR_RAISE=1``."""
    note(f"{cause}: {type(error).__name__}", str(error))
    if raises():
        raise error


def guarded(default: R) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator for what the host calls: an exception becomes ``default``, counted and logged.

    ``KeyboardInterrupt`` and ``SystemExit`` pass: they are the host's, not the agent's.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                failure(function.__qualname__, error)
                return default

        return call

    return decorate


def _log(message: str, count: int) -> None:
    import logging

    times = "" if count == 1 else f" ({count} times so far)"
    logging.getLogger("auditor_agent").warning("training auditor: %s%s", message[:500], times)
