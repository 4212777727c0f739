"""The books: every step that was produced is sent, dropped for a reason, or pending."""

from __future__ import annotations

import threading
from typing import Any


class Ledger:
    """Counts in steps. ``lock`` also guards the ring: one short lock on the path of a step."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # re-entrant: a signal handler may call finish() in the middle of a step
        self._produced = 0
        self._sent = 0
        self._dropped: dict[str, int] = {}

    def after_fork(self) -> None:
        """In the child: replace the lock, which a thread that is not there any more may have held."""
        self.lock = threading.RLock()

    def produced_locked(self, reason: str | None = None) -> None:
        """Count one step, dropped at once if there is a reason. The caller holds ``lock``."""
        self._produced += 1
        if reason is not None:
            self._dropped[reason] = self._dropped.get(reason, 0) + 1

    def invalid(self) -> None:
        """Count a step that could not even be taken: unusable arguments, or no memory for it."""
        with self.lock:
            self.produced_locked("invalid")

    def sent(self, steps: int) -> None:
        """Count steps that the daemon has acknowledged."""
        with self.lock:
            self._sent += steps

    def dropped(self, reason: str, steps: int) -> None:
        """Count steps that will never arrive."""
        if steps:
            with self.lock:
                self._dropped[reason] = self._dropped.get(reason, 0) + steps

    def reconcile(self, held: int) -> None:
        """At the end: what is neither sent, dropped nor held was torn by a signal in mid-step."""
        self.dropped("interrupted", max(0, self.counts()["pending"] - held))

    def counts(self) -> dict[str, Any]:
        """``{"produced", "sent", "pending", "dropped": {reason: steps}}``."""
        with self.lock:
            dropped = dict(self._dropped)
            pending = self._produced - self._sent - sum(dropped.values())
            return {"produced": self._produced, "sent": self._sent, "pending": pending, "dropped": dropped}
