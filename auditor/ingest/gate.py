"""The store behind a door: opened when it can be, said to be closed, and why, when it cannot."""

from __future__ import annotations

import logging
import threading
import time

from auditor.ingest.errors import unavailable
from auditor.store.errors import StoreError
from auditor.store.store import Store
from auditor.store.writer import Writer

_log = logging.getLogger(__name__)

#: A write that failed (a full disk, say) keeps the daemon unready for so long, in seconds: nothing
#: but the next write can tell whether it would succeed.
_FAILURE_LASTS = 5.0
_RETRY_SECONDS = 1.0


class Gate:
    """Opens the store and its writer, and again whenever that failed. Any thread.

    Args:
        url: the store's URL.
        store: one that is open already; it is then not closed here.
    """

    def __init__(self, url: str, store: Store | None = None) -> None:
        self._url, self._given = url, store
        self._lock = threading.Lock()
        self._store = store
        self._writer: Writer | None = Writer(store) if store is not None else None
        self._reason = "the store is not open yet"
        self._next_try = 0.0
        self._failed: tuple[float, str] | None = None

    @property
    def store(self) -> Store:
        """The open store.

        Raises:
            ApiError: 503 with the reason if it cannot be opened.
        """
        self.open()
        if self._store is None:
            raise unavailable(self._reason)
        return self._store

    @property
    def writer(self) -> Writer:
        """The group-commit writer. Raises like :attr:`store`."""
        self.open()
        if self._writer is None:
            raise unavailable(self._reason)
        return self._writer

    def open(self) -> None:
        """Opens the store if it is not open and was not tried a moment ago."""
        if self._writer is not None:
            return
        with self._lock:
            if self._writer is not None or time.monotonic() < self._next_try:
                return
            try:
                self._store = Store.open(self._url)
            except (StoreError, ValueError, OSError) as error:
                self._refused(str(error))
            else:
                self._writer = Writer(self._store)

    def unready(self) -> str | None:
        """Why the store takes no writes now; None if it does."""
        self.open()
        if self._store is None:
            return self._reason
        failed = self._failed
        if failed is not None and time.monotonic() - failed[0] < _FAILURE_LASTS:
            return failed[1]
        try:
            self._store.ping()
        except StoreError as error:
            return str(error)
        return None

    def wrote(self, error: BaseException | None) -> None:
        """A write went through, or failed with ``error``."""
        self._failed = None if error is None else (time.monotonic(), str(error))

    def close(self) -> None:
        """Writes what waits and closes."""
        with self._lock:
            writer, store = self._writer, self._store
            self._writer = self._store = None
            self._reason, self._next_try = "the daemon is shutting down", float("inf")
        if writer is not None:
            writer.close()
        if store is not None and store is not self._given:
            store.close()

    def _refused(self, reason: str) -> None:
        if reason != self._reason:
            _log.error("%s", reason)
        self._reason, self._next_try = reason, time.monotonic() + _RETRY_SECONDS
