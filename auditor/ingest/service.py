"""What the routes ask for: frames taken, signs of life noted, clocks watched. Blocking; any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any, Final

from auditor.alerts.alertmanager import open_poster
from auditor.alerts.live import DaemonCounters, LiveRun
from auditor.ingest.errors import bad_request, unavailable
from auditor.ingest.gate import Gate
from auditor.ingest.intake import Rejected, arrivals
from auditor.ingest.live import RunState
from auditor.ingest.packing import Packing
from auditor.ingest.runs import Registry
from auditor.model import Alert, Verdict
from auditor.settings import Settings, SettingsError
from auditor.store.errors import StoreError, StoreUnavailable
from auditor.store.records import ChunkKey, Committed, Exit, Progress, WriteBatch
from auditor.store.store import Store
from auditor_agent.stream.wire import WireError

_REFUSED = "another process holds this attempt and rank: start with another AUDITOR_ATTEMPT or AUDITOR_RUN"

#: Seconds for which an alert that goes ahead is waited for: several commits' time. A slow store has it later.
AHEAD_SECONDS: Final = 0.1
#: Seconds that a daemon which ends goes on packing curves of ended runs.
PACK_SECONDS: Final = 2.0


@dataclass(slots=True)
class Pending:
    """A request whose share of a transaction was handed to the writer."""

    state: RunState | None
    future: Future[Committed] | None
    rejected: list[Rejected]
    verdict: Verdict = Verdict.HEALTHY
    need: list[str] = field(default_factory=list)
    submitted: float = 0.0

    def acknowledgement(self, committed: Committed) -> dict[str, Any]:
        """The answer, once the store has committed."""
        refused = [Rejected(key.seq, _REFUSED) for key in committed.refused]
        keys: tuple[ChunkKey, ...] = (*committed.new, *committed.duplicates)
        return {
            "committed": sorted([key.attempt, key.rank, key.seq] for key in keys),
            "rejected": [rejected.as_json() for rejected in (*self.rejected, *refused)],
            "verdict": str(self.verdict),
            "stop": self.state.stop if self.state is not None else False,
            "need": self.need,
        }


class Service:
    """The daemon without its HTTP.

    Args:
        settings: what it was told.
        store: one that is open already; else it is opened from the settings, and again if it fails.
        clock: Unix seconds; when things were received.

    Raises:
        SettingsError: if the rules' overrides name an unknown rule or parameter.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.counters = DaemonCounters(reasons=("frame", "session"))
        self._gate = Gate(settings.db_url, store)
        try:
            self._runs = Registry(settings)
        except ValueError as error:
            raise SettingsError(str(error)) from error
        #: Set when the daemon ends: what may take long and need not be finished is left.
        self.ending = Event()
        self._packing = Packing()
        self.clock = clock
        self._poster = open_poster(settings.alertmanager_url, counters=self.counters)

    @property
    def store(self) -> Store:
        """The open store. Raises ApiError (503) when there is none."""
        return self._gate.store

    def unready(self) -> str | None:
        """Why the daemon cannot take frames now; None if it can."""
        return self._gate.unready()

    def close(self) -> None:
        """Writes what waits, packs what has ended, closes the store, posts what is due."""
        self.drain()
        if self._packing.due and self._gate.unready() is None:
            self._packing.finish(self.store, PACK_SECONDS)
        self._gate.close()
        self._poster.close()

    def drain(self) -> None:
        """Returns once everything submitted so far is committed or has failed."""
        wait(state.last for state in self._runs.all() if state.last is not None)

    def live(self) -> list[LiveRun]:
        """The live and lately ended runs."""
        return [state.shown for state in self._runs.all() if state.shown is not None]

    def take(self, body: bytes | bytearray) -> Pending:
        """Decodes, judges and submits the frames of a request's body.

        Raises:
            ApiError: 400 if it is no sequence of frames of one run, 503 if nothing can be stored.
        """
        try:
            taken, rejected = arrivals(body, self.settings.max_inflated)
        except WireError as error:
            raise bad_request(str(error)) from error
        self.counters.rejected("frame", len(rejected))
        if not taken:
            return Pending(None, None, rejected)
        with self._entered(taken[0].run) as state:
            batch, changed, refused = state.take(taken, self.clock(), partial(self._ahead, state))
            self.counters.rejected("session", len(refused))
            future = self._submit(state, batch, changed)
            streams = {arrival.stream for arrival in taken}
            return Pending(
                state, future, rejected + refused, state.verdict, state.need(streams), submitted=time.monotonic()
            )

    def heartbeat(self, sign: Progress) -> Pending:
        """Notes a sign of life. Raises like :meth:`take`."""
        self.counters.heartbeat()
        with self._entered(sign.run) as state:
            future = self._submit(state, *state.heartbeat(sign, self.clock()))
            need = state.need([(sign.attempt, sign.rank)])
            return Pending(state, future, [], state.verdict, need, submitted=time.monotonic())

    def stop(self, run: str) -> None:
        """Asks a run to stop; its agent learns it with the next acknowledgement."""
        self._write(run, WriteBatch(stops=[run], time=self.clock()))

    def exit(self, run: str, code: int, signal: str | None) -> str:
        """Notes how the job's process ended, as its parent saw it; the run's status."""
        state = self._write(run, WriteBatch(exits=[Exit(run, code, signal)], time=self.clock()))
        if state.ended:
            with state.lock:
                state.exited(state.status)
        return state.status

    def refresh(self, state: RunState) -> None:
        """Takes over what the store made of the run in the commits since."""
        with state.lock:
            state.dirty = False
            state.refresh(self.store.run(state.run))

    def tick(self) -> None:
        """What the clock brings: stalled and silent runs, ended runs that leave, a store that comes back."""
        self._gate.open()
        now = self.clock()
        for state in self._runs.all():
            if not state.loaded or not state.lock.acquire(blocking=False):
                continue  # somebody is at it
            try:
                self._tick(state, now)
            finally:
                state.lock.release()
        if self._packing.due and not self.ending.is_set():
            self._packing.step(self.store)

    def wake(self) -> None:
        """Takes up the runs that were alive when the last daemon ended: their silence must be heard."""
        day = 86_400.0
        limit = self.settings.max_live_runs
        for record in self.store.runs(status="running", since=self.clock() - day, limit=limit):
            if self.ending.is_set():
                return
            with self._entered(record.run):
                pass

    def _tick(self, state: RunState, now: float) -> None:
        if state.dirty:
            state.dirty = False
            state.refresh(self.store.run(state.run))
        batch, changed = state.tick(now)
        if changed or batch.unjudged:
            self._submit(state, batch, changed)
        ended_at = state.vitals.ended_at
        if ended_at is not None and now - ended_at > self.settings.metrics_linger:
            self._poster.run_ended(state.run)
            self._runs.forget(state.run)

    def _write(self, run: str, batch: WriteBatch) -> RunState:
        """Commits ``batch`` and takes over what it made of the run."""
        with self._entered(run) as state:
            future = self._submit(state, batch, [])
        try:
            future.result()
        except StoreError as error:
            raise unavailable(str(error)) from error
        self.refresh(state)
        return state

    @contextmanager
    def _entered(self, run: str) -> Iterator[RunState]:
        """The state of ``run``, loaded and locked."""
        store = self.store
        while True:
            state = self._runs.get(run)
            with state.lock:
                if state.stale:
                    if state.inflight:
                        raise unavailable("the run is being rebuilt after a failed commit")
                    continue
                try:
                    if not state.loaded:
                        self._load(state, store)
                    yield state
                except StoreError as error:
                    state.stale = True
                    raise unavailable(str(error)) from error
                except BaseException:
                    state.stale = True  # nobody knows what it saw
                    raise
                return

    def _load(self, state: RunState, store: Store) -> None:
        state.load(store)
        firing = state.open_alerts()
        if firing and not state.ended:
            self._poster.post(firing, project=state.project, framework=state.framework)

    def _submit(self, state: RunState, batch: WriteBatch, changed: list[Alert]) -> Future[Committed]:
        state.shown = shown = state.snapshot()
        state.flying(1)
        try:
            future = self._gate.writer.submit(batch)
        except BaseException:
            state.flying(-1)
            raise
        state.last = future
        future.add_done_callback(lambda done: self._settled(state, batch, changed, shown, done))
        return future

    def _ahead(self, state: RunState, batch: WriteBatch, changed: list[Alert]) -> None:
        """Stores ``batch`` before the rest of its request is judged.

        It is waited for: two threads at work would take turns at the interpreter, and the rest would be first.
        """
        wait([self._submit(state, batch, changed)], timeout=AHEAD_SECONDS)

    def _settled(
        self, state: RunState, batch: WriteBatch, changed: list[Alert], shown: LiveRun, done: Future[Committed]
    ) -> None:
        """On the writer's thread: must not wait for anything."""
        error = done.exception()
        if error is not None:
            state.stale = True
        state.flying(-1)
        self._gate.wrote(error if isinstance(error, StoreUnavailable) else None)
        if error is not None:
            return
        self._count(state, batch, done.result())
        self._packing.told(state.run, batch, ended=state.ended)
        if batch.starts or batch.finishes or batch.exits or batch.stops:
            state.dirty = True
        if changed:
            self._poster.post(changed, project=shown.project, framework=shown.framework)

    def _count(self, state: RunState, batch: WriteBatch, committed: Committed) -> None:
        if committed.refused:
            state.stale = True  # the store knows of a session that this state does not
            self.counters.rejected("session", len(committed.refused))
        self.counters.duplicate(len(committed.duplicates))
        new = set(committed.new)
        for chunk in batch.chunks:
            if chunk.key in new:
                self.counters.stored(chunk.type, 1, chunk.rows)
        for rows in batch.scalars:
            if rows.name == "loss" and ChunkKey(rows.run, rows.attempt, rows.rank, rows.seq) in new:
                state.vitals.ingested += len(rows.steps)
