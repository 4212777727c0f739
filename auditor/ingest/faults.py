"""When the daemon's own judgement fails: the data is kept all the same, and the fault is told.

A detector that trips over a frame must not cost the frame. Under tests (``AUDITOR_RAISE=1``) the
error is raised instead.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from types import TracebackType
from typing import Final, Self

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LOGS: Final = 60.0


class guarded:  # noqa: N801 - used like a function, in a with statement
    """Swallows an exception of the block, logs it at most once a minute per ``cause``."""

    _lock = threading.Lock()
    _logged: dict[str, float] = {}  # noqa: RUF012 - shared on purpose: the limit holds for the process

    def __init__(self, cause: str) -> None:
        self._cause = cause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if os.environ.get("AUDITOR_RAISE") == "1":
            return False
        self._tell(error)
        return True

    def _tell(self, error: Exception) -> None:
        cause, now = f"{self._cause}:{type(error).__name__}", time.monotonic()
        with self._lock:
            if now - self._logged.get(cause, -_SECONDS_BETWEEN_LOGS) < _SECONDS_BETWEEN_LOGS:
                return
            self._logged[cause] = now
        _log.error("internal error in %s; the data is kept", self._cause, exc_info=error)
