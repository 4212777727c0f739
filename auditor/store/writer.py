"""Group commit: whatever arrives while one transaction commits goes into the next, together.

A commit costs a sync of the disk, whether it holds one frame or a thousand. One thread writes; any
number of threads submit and wait for their future. The queue is bounded in bytes: who submits into a
full one waits, which is the back-pressure that a request ought to feel.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

from auditor.store.errors import StoreUnavailable
from auditor.store.records import Committed, WriteBatch

if TYPE_CHECKING:
    from auditor.store.store import Store

#: What one transaction holds at most, in bytes of payload: more would only make its readers wait.
COMMIT_BYTES: Final = 32 << 20
#: What waits at most, in bytes of payload.
QUEUE_BYTES: Final = 128 << 20
#: What a batch counts for beside its payloads.
_BATCH_BYTES: Final = 1024


class Writer:
    """Writes batches into a store on a thread of its own, many to a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[tuple[WriteBatch, int, Future[Committed]]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="auditor-store-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: WriteBatch) -> Future[Committed]:
        """Queues ``batch``; the future is done once it is committed, or failed with nothing of it stored.

        Waits while the queue is full. The order of submission is the order of storing.

        Raises:
            StoreUnavailable: if the writer is closed.
        """
        future: Future[Committed] = Future()
        size = _BATCH_BYTES + sum(len(chunk.payload) + len(chunk.header_json) for chunk in batch.chunks)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._bytes < QUEUE_BYTES)
            if self._closed:
                raise StoreUnavailable("the store's writer is closed: the daemon is shutting down, send it again later")
            self._waiting.append((batch, size, future))
            self._bytes += size
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """Writes what waits and ends the thread. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        while group := self._next():
            live = [(batch, future) for batch, future in group if future.set_running_or_notify_cancel()]
            if live:
                self._commit(live)

    def _next(self) -> list[tuple[WriteBatch, Future[Committed]]]:
        """What waits, up to one transaction's worth; empty when there is nothing and will be nothing."""
        group: list[tuple[WriteBatch, Future[Committed]]] = []
        taken = 0
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            while self._waiting and (not group or taken + self._waiting[0][1] <= COMMIT_BYTES):
                batch, size, future = self._waiting.popleft()
                group.append((batch, future))
                taken += size
            self._bytes -= taken
            self._changed.notify_all()
        return group

    def _commit(self, group: list[tuple[WriteBatch, Future[Committed]]]) -> None:
        try:
            results = self._store.write_all([batch for batch, _ in group])
        except Exception as error:
            # A batch that the database does not take must not fail its neighbours; a database that
            # is away fails them all, and trying one by one would only make them wait.
            if isinstance(error, StoreUnavailable) or len(group) == 1:
                for _, future in group:
                    future.set_exception(error)
                return
            for one in group:
                self._commit([one])
            return
        for (_, future), result in zip(group, results, strict=True):
            future.set_result(result)
