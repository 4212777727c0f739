"""How the process is ending, as far as Python tells without hooks or signal handlers.

An unhandled exception is printed before ``atexit`` runs, and printing leaves it in ``sys``
(``last_exc`` from 3.12, ``last_value`` before). ``sys.exit(3)`` leaves nothing: the parent, such as
``auditor run``, knows the exit code.
"""

from __future__ import annotations

import sys

from auditor_agent.scrub import scrubbed


def _last_exception() -> BaseException | None:
    found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


class Ending:
    """Remembers what ``sys`` held when the run began, so that an older exception is not taken for its end."""

    def __init__(self) -> None:
        self._before = _last_exception()

    def status(self) -> tuple[str, str | None]:
        """``finished``, ``failed`` or ``stopped``, and why in one line."""
        last = _last_exception()
        # An interactive session prints exceptions and lives on: they do not end it.
        if last is None or last is self._before or hasattr(sys, "ps1"):
            return "finished", None
        if isinstance(last, KeyboardInterrupt):
            return "stopped", "KeyboardInterrupt"
        return "failed", one_line(last)


def one_line(error: BaseException) -> str:
    """An exception as one short line."""
    try:
        text = str(error)
    except Exception:  # an exception that cannot say what it is
        text = ""
    # Scrubbed before it is cut: half a secret would not be known as one.
    line: str = scrubbed(" ".join(f"{type(error).__name__}: {text[:4096]}".split()))
    return line[:300].rstrip(": ")
