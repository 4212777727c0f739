"""Alerts straight to Alertmanager (API v2): a receiver hears of a NaN milliseconds after the store.

The way through ``/metrics`` and Prometheus rules takes a scrape and an evaluation; this one does
not wait. Callers only write into a bounded :class:`~auditor.alerts.ledger.Ledger`; one daemon
thread, made with the first alert, does the talking.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx

from auditor.alerts.counters import DaemonCounters
from auditor.alerts.ledger import Ledger, Post
from auditor.model import Alert

log = logging.getLogger(__name__)

#: Seconds before the first, second, ... further attempt; the last one repeats.
BACKOFF: Final = (0.5, 1.0, 2.0, 5.0, 15.0)
#: Seconds between two lines in the log about an Alertmanager that cannot be reached.
LOG_EVERY: Final = 60.0
TIMEOUT: Final = 5.0


class NullPoster:
    """Stands where no Alertmanager is configured."""

    def post(self, alerts: Iterable[Alert], *, project: str, framework: str) -> None:
        """Nobody to tell."""

    def run_ended(self, run: str) -> None:
        """Nobody to tell."""

    def run_resumed(self, run: str) -> None:
        """Nobody to tell."""

    def close(self, timeout: float = 2.0) -> None:
        """Nothing to close."""


class AlertmanagerPoster:
    """Keeps an Alertmanager informed. No method blocks (but ``close``) or raises; any thread may call.

    Args:
        url: Alertmanager's address, ``http://host:9093``, with its route prefix if it has one.
        ledger: what is held and when it is due; a default one when absent.
        counters: the daemon's, which count sent, dropped and retried.
        clock: Unix seconds.
        transport: for tests; httpx's own when absent.
    """

    def __init__(
        self,
        url: str,
        ledger: Ledger | None = None,
        *,
        counters: DaemonCounters | None = None,
        clock: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._endpoint = f"{url.rstrip('/')}/api/v2/alerts"
        self._ledger = ledger if ledger is not None else Ledger()
        self._counters = counters if counters is not None else DaemonCounters()
        self._clock = clock
        self._client = httpx.Client(timeout=TIMEOUT, transport=transport)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing_by: float | None = None
        self._failures = 0
        self._logged_at = -LOG_EVERY

    def post(self, alerts: Iterable[Alert], *, project: str, framework: str) -> None:
        """Alerts of a run that changed. After a restart: those restored from the store that fire."""
        now = self._clock()
        with self._changed:
            left_out = sum(not self._ledger.apply(alert, project, framework, now) for alert in alerts)
            self._wake()
        if left_out:
            self._counters.posted("dropped", left_out)

    def run_ended(self, run: str) -> None:
        """The run's last attempt has settled: its alerts resolve after the ledger's linger."""
        with self._changed:
            self._ledger.run_ended(run, self._clock())
            self._wake()

    def run_resumed(self, run: str) -> None:
        """A new attempt of a run that had ended began: its alerts stay up."""
        with self._changed:
            self._ledger.run_resumed(run)

    def close(self, timeout: float = 2.0) -> None:
        """Post what is due, for ``timeout`` seconds at most, and end the thread. Idempotent."""
        with self._changed:
            self._closing_by = time.monotonic() + timeout
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout + TIMEOUT)
        self._client.close()

    def _wake(self) -> None:
        if self._thread is None and self._closing_by is None and len(self._ledger):
            self._thread = threading.Thread(target=self._work, name="auditor-alertmanager", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            try:
                if (posts := self._next()) is None:
                    return
                if posts:
                    self._settle(posts, self._send(posts))
            except Exception:  # a thread that dies would take every later alert with it
                log.exception("Alertmanager: internal error; alerts are kept")
                time.sleep(BACKOFF[-1] if self._closing_by is None else 0.0)
                if self._closing_by is not None:
                    return

    def _next(self) -> list[Post] | None:
        """What is due, after waiting for it; None when it is time to end."""
        with self._changed:
            posts = self._ledger.due(self._clock())
            if self._closing_by is not None:
                return posts if posts and time.monotonic() < self._closing_by else None
            if not posts:
                at = self._ledger.next_due()
                self._changed.wait(None if at is None else max(0.0, at - self._clock()))
            return posts

    def _send(self, posts: list[Post]) -> int:
        """HTTP status of the attempt; 0 if there was no answer."""
        bodies: list[Any] = [post.body for post in posts]
        try:
            return self._client.post(self._endpoint, json=bodies).status_code
        except Exception as error:
            self._complain(f"no answer: {type(error).__name__}")
            return 0

    def _settle(self, posts: list[Post], status: int) -> None:
        now = self._clock()
        with self._changed:
            if 200 <= status < 300:
                self._failures = 0
                self._ledger.posted(posts, now)
                self._counters.posted("sent", len(posts))
            elif 400 <= status < 500 and status not in {401, 403, 404, 408, 429}:  # those may be put right
                self._ledger.refused(posts)
                self._counters.posted("dropped", len(posts))
                self._complain(f"alerts refused with HTTP {status}")
            else:
                wait = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
                self._failures += 1
                given_up = self._ledger.failed(posts, now, now + wait)
                self._counters.retried()
                self._counters.posted("dropped", given_up)
                if status:
                    self._complain(f"HTTP {status}")

    def _complain(self, what: str) -> None:
        """At most one line a minute, without the address: it may carry a password."""
        if time.monotonic() - self._logged_at >= LOG_EVERY:
            self._logged_at = time.monotonic()
            log.warning("Alertmanager: %s; alerts are kept and tried again", what)


def open_poster(url: str | None, ledger: Ledger | None = None, **options: Any) -> AlertmanagerPoster | NullPoster:
    """A poster to ``url``, or one that does nothing when there is no address (the default).

    Args:
        url: Alertmanager's address or None.
        ledger: see :class:`AlertmanagerPoster`.
        **options: likewise.
    """
    return AlertmanagerPoster(url, ledger, **options) if url else NullPoster()
