"""The live runs: detectors, alerts and vital signs of each, rebuilt from the store when unknown.

Truth is in the store; what is here can be thrown away at any time and is, whenever a commit fails:
then the detectors know more than the store does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Final

from auditor.alerts.lifecycle import AlertBook
from auditor.alerts.live import LiveRun, firing, roots
from auditor.detect.tuning import Tuning
from auditor.detect.urgent import UrgentFirst
from auditor.ingest.baselines import Shelf
from auditor.ingest.decode import StepBatch, Tensor
from auditor.ingest.draft import Draft
from auditor.ingest.faults import guarded
from auditor.ingest.intake import Arrival, Rejected, digest, replayed, span, tensor_ids_fit
from auditor.model import Alert, AlertState, Finding, RunStatus, Verdict, verdict
from auditor.store.records import Committed, Counts, Progress, RunRecord, WriteBatch
from auditor.store.store import Store

#: Frames that wait for their tensor table, per run; beyond it they are stored but not judged.
MAX_WAITING = 256

#: Ticks (of about a second) after which it is stored which rules cannot judge the run so far.
UNJUDGED_TICKS: Final = 30

Stream = tuple[int, int]
#: Stores alerts before the rest of their request.
Ahead = Callable[[WriteBatch, list[Alert]], None]


@dataclass(slots=True)
class Waiting:
    """A stored frame whose tensor table has not come yet."""

    batch: StepBatch
    floor: int


@dataclass(slots=True)
class Vitals:
    """Signs of life of a run by the daemon's clock, Unix seconds."""

    heartbeat_at: float | None = None
    progress_at: float | None = None
    ended_at: float | None = None
    ingested: int = 0
    dropped: dict[Stream, dict[str, int]] = field(default_factory=dict)


class RunState:
    """One live run. Every method but the constructor is to be called with :attr:`lock` held."""

    def __init__(self, run: str, tuning: Tuning) -> None:
        self.run = run
        self.lock = threading.Lock()
        self.loaded = False
        self.stale = False
        """A commit failed: forget this state as soon as nothing of it is in flight."""
        self.dirty = False
        """The store settled something since :meth:`refresh`."""
        self.shown: LiveRun | None = None
        """The run as ``/metrics`` shows it; replaced, never changed: readable without the lock."""
        self.last: Future[Committed] | None = None
        """The batch handed to the writer last."""
        self.vitals = Vitals()
        self.project, self.name, self.framework = "default", "", ""
        self.status = str(RunStatus.RUNNING)
        self.stop = False
        self._inflight = 0
        self._counting = threading.Lock()
        self._tuning = tuning
        self._auditor = UrgentFirst(run)
        self._tuned = False
        self._shelf: Shelf | None = None
        self._ticks = 0
        self._told: dict[str, str] | None = None
        """What was last stored of the rules that could not judge."""
        self._book = AlertBook(run)
        self._tables: dict[str, tuple[Tensor, ...]] = {}
        self._sessions: dict[Stream, str | None] = {}
        self._waiting: dict[tuple[int, int, int], Waiting] = {}

    @property
    def inflight(self) -> int:
        """Batches handed to the writer and not committed yet."""
        return self._inflight

    def flying(self, more: int) -> None:
        """``more`` batches are in flight. The one method that needs no lock: the writer calls it."""
        with self._counting:
            self._inflight += more

    @property
    def verdict(self) -> Verdict:
        """What the alerts say."""
        return verdict(self._book.alerts)

    @property
    def ended(self) -> bool:
        """Whether the run's process is known to have ended."""
        return self.status != RunStatus.RUNNING

    def load(self, store: Store) -> None:
        """Becomes what it was when the store last heard of the run: alerts read, frames replayed."""
        record = store.run(self.run)
        self._shelf = Shelf.of(store, record.created_at if record is not None else None)
        if record is not None:
            self._tune(record.project)
            self._told = dict(record.unjudged) if record.unjudged is not None else None
        self._book.restore(store.alerts(run=self.run))
        self._tables = dict(store.tables(self.run))
        for chunk in store.chunks(self.run):
            with guarded("replay"):
                # Its alerts were committed with it, or before: what the detectors find again is not news.
                self._judge(replayed(chunk), None)
            self._rest()
        for stream in store.streams(self.run):
            self._sessions[stream.attempt, stream.rank] = stream.session
            self._alive((stream.attempt, stream.rank), stream.counts, stream.heartbeat_at)
            self.vitals.progress_at = _later(self.vitals.progress_at, stream.progress_at)
            # Whoever was alive when the daemon went away could not tell it so: clocks start anew.
            self._beat(stream.attempt, stream.rank, stream.step)
        self.refresh(store.run(self.run))
        if self.ended:
            self.exited(self.status)
        self.shown = self.snapshot()
        self.loaded = True

    def refresh(self, record: RunRecord | None) -> None:
        """Takes over what the store made of the run: names, status, whether it is to stop."""
        if record is None:
            return
        self.project, self.name, self.framework = record.project, record.name, record.framework
        self.status, self.stop = record.status, record.stop
        if not self.ended:
            self.vitals.ended_at = None
        elif self.vitals.ended_at is None:
            self.vitals.ended_at = record.updated_at
        self.shown = self.snapshot()

    def take(
        self, arrivals: Iterable[Arrival], now: float, ahead: Ahead | None = None
    ) -> tuple[WriteBatch, list[Alert], list[Rejected]]:
        """What one request's frames add to the store, which alerts change, which frames are refused.

        ``now``: when they were received. The agent's clock judges nothing. ``ahead`` stores a new alert that
        cannot wait for the judgement of the rest: should the daemon die before the frames are stored too, their
        agent sends them again, and what is found in them is known.
        """
        draft, rejected, findings = Draft(self.run, now), [], []
        for arrival in arrivals:
            reason = self._refusal(arrival)
            if reason is not None:
                rejected.append(Rejected(arrival.seq, reason))
                continue
            draft.add(arrival)
            findings += self._judge(arrival, draft)
            findings += self._signs(arrival, now)
        if ahead is not None and any(self._book.news(finding) for finding in findings):
            changed, findings = self._apply(findings, now), []
            ahead(WriteBatch(alerts=changed, verdicts={self.run: str(self.verdict)}, time=now), changed)
        changed = self._apply(findings + self._rest(), now)
        batch = draft.batch(changed, self.verdict)
        if batch.finishes:
            batch = replace(batch, unjudged=self._unjudged())
        return batch, changed, rejected

    def heartbeat(self, sign: Progress, now: float) -> tuple[WriteBatch, list[Alert]]:
        """A sign of life without new steps."""
        self._alive((sign.attempt, sign.rank), sign.counts or Counts(), now)
        findings = self._beat(sign.attempt, sign.rank, sign.step)
        changed = self._apply(findings + self._rest(), now)
        return WriteBatch(progress=[sign], alerts=changed, verdicts={self.run: str(self.verdict)}, time=now), changed

    def tick(self, now: float) -> tuple[WriteBatch, list[Alert]]:
        """What the clock alone changes: stalled, silent, heard of again."""
        findings: list[Finding] = []
        with guarded("tick"):
            findings = self._auditor.tick(now)
        changed = self._apply(findings + self._rest(), now)
        self._ticks += 1
        unjudged = {} if self.ended or self._ticks % UNJUDGED_TICKS else self._unjudged()
        verdicts = {self.run: str(self.verdict)}
        return WriteBatch(alerts=changed, verdicts=verdicts, unjudged=unjudged, time=now), changed

    def _unjudged(self) -> dict[str, dict[str, str]]:
        """The rules that could not judge the run, where the store does not know it yet."""
        with guarded("unjudged"):
            told = self._auditor.unjudged()
            if told != self._told:
                self._told = told
                return {self.run: told}
        return {}

    def exited(self, status: str) -> None:
        """The run has ended, whether its processes said so or their parent: clocks stop."""
        for attempt, rank in list(self._sessions):
            with guarded("ended"):
                self._auditor.ended(attempt, rank, status)
        self._rest()

    def need(self, streams: Iterable[Stream]) -> list[str]:
        """What the agent of any of ``streams`` is to send once more."""
        lacking = {(attempt, rank) for attempt, rank, _ in self._waiting}
        return ["tensors"] if lacking.intersection(streams) else []

    def snapshot(self) -> LiveRun:
        """The run as ``/metrics`` shows it."""
        live = self._auditor.live
        dropped: dict[str, int] = {}
        for reasons in self.vitals.dropped.values():
            for reason, count in reasons.items():
                dropped[reason] = dropped.get(reason, 0) + count
        return LiveRun(
            run=self.run,
            project=self.project,
            framework=self.framework,
            name=self.name,
            status=self.status,
            loss=live.loss,
            step=live.step,
            grad_norm=live.grad_norm,
            nonfinite=dict(live.nonfinite),
            alerts=firing(self._book.alerts),
            roots=roots(self._book.alerts),
            progress_at=self.vitals.progress_at,
            heartbeat_at=self.vitals.heartbeat_at,
            ended_at=self.vitals.ended_at,
            dropped=dropped,
            ingested=self.vitals.ingested,
        )

    def open_alerts(self) -> list[Alert]:
        """The alerts that fire now."""
        return [alert for alert in self._book.alerts if alert.state is AlertState.FIRING]

    def _refusal(self, arrival: Arrival) -> str | None:
        holder = self._sessions.get(arrival.stream) or arrival.session
        if holder != arrival.session:
            return (
                f"another process is attempt {arrival.attempt}, rank {arrival.rank} of this run: "
                "start with another AUDITOR_ATTEMPT or AUDITOR_RUN"
            )
        self._sessions[arrival.stream] = holder
        batch = arrival.batch
        if batch is None:
            return None
        if arrival.tensors is not None:
            self._tables.setdefault(batch.table, arrival.tensors)
        table = self._tables.get(batch.table)
        return None if table is None or tensor_ids_fit(batch, table) else "a tensor id beyond the tensor table"

    def _judge(self, arrival: Arrival, draft: Draft | None) -> list[Finding]:
        """Shows one frame to the detectors; its derived scalars go into ``draft`` if there is one."""
        findings: list[Finding] = []
        batch = arrival.batch
        self._tune(str(arrival.header.get("project") or self.project) if arrival.type == "start" else self.project)
        if batch is None:
            findings += self._advance(arrival)
        elif batch.table in self._tables:
            findings += self._known(arrival, batch, arrival.floor, draft)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting[batch.attempt, batch.rank, batch.seq] = Waiting(batch, arrival.floor)
        if arrival.tensors is not None:
            findings += self._release(arrival, draft)
        if arrival.type in {"start", "manifest"} and self._auditor.baseline is None and self._shelf is not None:
            with guarded("baseline"):
                facts = self._auditor.facts(*arrival.stream)
                self._auditor.baseline = self._shelf.find(facts, self.run, facts.asked)
        if arrival.type == "finish":
            with guarded("ended"):
                findings += self._auditor.ended(arrival.attempt, arrival.rank, arrival.header["status"])
        return findings

    def _rest(self) -> list[Finding]:
        """What the rules that are not urgent say to all that came since they were last asked."""
        findings: list[Finding] = []
        for call in self._auditor.due():
            with guarded("detect"):
                findings += call()
        return findings

    def _tune(self, project: str) -> None:
        """The rules as ``project`` has them, before any of them has seen anything."""
        if not self._tuned:
            self._tuned = True
            self._auditor = UrgentFirst(self.run, overrides=self._tuning.overrides(project))

    def _advance(self, arrival: Arrival) -> list[Finding]:
        with guarded("detect"):
            return self._auditor.advance(
                *arrival.stream, arrival.seq, arrival.floor, arrival.type, arrival.header, arrival.block
            )
        return []

    def _known(self, carrier: Arrival, batch: StepBatch, floor: int, draft: Draft | None) -> list[Finding]:
        table = self._tables[batch.table]
        if draft is not None:
            draft.derive(carrier, batch, table)
        return self._observe(batch, table, floor)

    def _observe(self, batch: StepBatch, table: tuple[Tensor, ...], floor: int) -> list[Finding]:
        with guarded("detect"):
            return self._auditor.observe(batch, table, floor)
        return []

    def _release(self, carrier: Arrival, draft: Draft | None) -> list[Finding]:
        """Judges the frames that waited for the table that ``carrier`` brings, or for a beginning of it."""
        self._learn_beginnings(carrier, draft)
        findings: list[Finding] = []
        for key in sorted(self._waiting):
            waiting = self._waiting[key]
            table = self._tables.get(waiting.batch.table)
            if table is None or key[:2] != carrier.stream:
                continue
            del self._waiting[key]
            if tensor_ids_fit(waiting.batch, table):
                findings += self._known(carrier, waiting.batch, waiting.floor, draft)
        return findings

    def _learn_beginnings(self, carrier: Arrival, draft: Draft | None) -> None:
        """A table only grows at its end: the one a waiting frame names may be the beginning of a later one."""
        wanted = {waiting.batch.table for waiting in self._waiting.values()} - set(self._tables)
        tensors, entries = carrier.tensors or (), carrier.header["tensors"]
        for length in range(len(entries) if wanted else 0):
            name = digest(entries[:length])
            if name in wanted:
                self._tables[name] = tensors[:length]
                if draft is not None:
                    draft.table(name, tensors[:length])

    def _signs(self, arrival: Arrival, now: float) -> list[Finding]:
        """What it means for the clocks that a frame came at all."""
        last = span(arrival.batch)[1] if arrival.batch is not None else None
        self._alive(arrival.stream, arrival.counts, now)
        if last is not None:
            self.vitals.progress_at = now
        return self._beat(arrival.attempt, arrival.rank, last)

    def _beat(self, attempt: int, rank: int, step: int | None) -> list[Finding]:
        with guarded("heartbeat"):
            return self._auditor.heartbeat(attempt, rank, step or 0, 0.0)
        return []

    def _alive(self, stream: Stream, counts: Counts, now: float) -> None:
        self.vitals.heartbeat_at = _later(self.vitals.heartbeat_at, now)
        if counts.dropped:
            self.vitals.dropped[stream] = dict(counts.dropped)

    def _apply(self, findings: list[Finding], now: float) -> list[Alert]:
        with guarded("alerts"):
            return self._book.apply(findings, now)
        return []


def _later(known: float | None, time: float | None) -> float | None:
    return max((t for t in (known, time) if t is not None), default=None)
