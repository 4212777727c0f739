"""One request's share of a transaction, as it is drawn up: what each arrival adds to the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.ingest.decode import F64, I64, StepBatch, Tensor
from auditor.ingest.derive import Zone, step_scalars, zone
from auditor.ingest.intake import MAX_INT, Arrival, span
from auditor.model import Alert, Verdict
from auditor.store.records import (
    Chunk,
    Event,
    Finish,
    Manifest,
    Progress,
    ScalarRows,
    Start,
    TableRecord,
    WriteBatch,
)
from auditor_agent import jsonfinite

MAX_TEXT = 256


class Draft:
    """Collects what arrivals of one run say; :meth:`batch` is what the store is asked to commit."""

    def __init__(self, run: str, now: float) -> None:
        self._run, self._now = run, now
        self._chunks: list[Chunk] = []
        self._scalars: list[ScalarRows] = []
        self._tables: dict[str, TableRecord] = {}
        self._manifests: list[Manifest] = []
        self._events: list[Event] = []
        self._starts: list[Start] = []
        self._finishes: list[Finish] = []
        self._progress: dict[tuple[int, int], Progress] = {}

    def add(self, arrival: Arrival) -> None:
        """The frame itself, and what can be read off it without its tensor table."""
        batch = arrival.batch
        first, last = span(batch) if batch is not None else _declared_span(arrival)
        area = zone(batch) if batch is not None else Zone()
        self._chunks.append(
            Chunk(
                *self._key(arrival),
                type=arrival.type,
                session=arrival.session,
                header_json=jsonfinite.dumps(arrival.header),
                payload=arrival.block,
                first_step=first,
                last_step=last,
                rows=area.rows,
                nonfinite=area.nonfinite,
                max_norm=area.max_norm,
                table=batch.table if batch is not None else None,
            )
        )
        if arrival.tensors is not None and batch is not None:
            self.table(batch.table, arrival.tensors)
        if batch is not None:
            self._add_steps(arrival, batch)
        elif arrival.type == "start":
            self._starts.append(_start(arrival))
        elif arrival.type == "manifest":
            self._manifests.append(Manifest(*self._key(arrival), arrival.header["manifest"]))
        elif arrival.type == "finish":
            self._finishes.append(_finish(arrival))
        self._progress[arrival.stream] = Progress(
            self._run, *arrival.stream, arrival.time, step=last, counts=arrival.counts, session=arrival.session
        )

    def table(self, digest: str, tensors: tuple[Tensor, ...]) -> None:
        """A tensor table under its digest."""
        self._tables[digest] = TableRecord(self._run, digest, tensors)

    def derive(self, carrier: Arrival, batch: StepBatch, table: tuple[Tensor, ...]) -> None:
        """The scalars of ``batch`` that need its table; stored together with the frame ``carrier``.

        The two differ when a frame came before its table did: the store takes scalars only along
        with a frame that is new to it.
        """
        for name, (at, values) in step_scalars(batch, table).items():
            self._add_scalar(carrier, batch, name, at, values)

    def batch(self, alerts: list[Alert], verdict: Verdict) -> WriteBatch:
        """The share: frames, what they say, and the alerts that they changed, all or nothing."""
        return WriteBatch(
            chunks=self._chunks,
            scalars=self._scalars,
            tables=list(self._tables.values()),
            manifests=self._manifests,
            events=self._events,
            starts=self._starts,
            finishes=self._finishes,
            progress=list(self._progress.values()),
            alerts=alerts,
            verdicts={self._run: str(verdict)},
            time=self._now,
        )

    def _key(self, arrival: Arrival) -> tuple[str, int, int, int]:
        return self._run, arrival.attempt, arrival.rank, arrival.seq

    def _add_steps(self, arrival: Arrival, batch: StepBatch) -> None:
        for name, (at, values) in batch.scalars.items():
            self._add_scalar(arrival, batch, name, at, values)
        for index, event in enumerate(batch.events):
            fields = {key: value for key, value in event.items() if key not in {"step", "type"}}
            self._events.append(Event(*self._key(arrival), index, event["step"], event["type"], fields))

    def _add_scalar(self, arrival: Arrival, batch: StepBatch, name: str, at: I64, values: F64) -> None:
        if len(at):
            steps = batch.steps[at].astype("int64")
            self._scalars.append(ScalarRows(*self._key(arrival), name, steps, values))


def _declared_span(arrival: Arrival) -> tuple[int | None, int | None]:
    """First and last step of a frame that is no ``steps`` frame; the intake has checked what it declares."""
    if arrival.type != "histograms":
        return None, None
    return arrival.header["first_step"], arrival.header["last_step"]


def _start(arrival: Arrival) -> Start:
    header = arrival.header
    return Start(
        arrival.run,
        arrival.attempt,
        arrival.rank,
        arrival.seq,
        arrival.session,
        arrival.time,
        project=_text(header, "project") or "default",
        name=_text(header, "name"),
        framework=_text(header, "framework"),
        host=_text(header, "host"),
        world_size=max(_count(header, "world_size"), 1),
        pid=_count(header, "pid"),
        agent=_text(header, "agent"),
        argv0=_text(header, "argv0"),
    )


def _finish(arrival: Arrival) -> Finish:
    header = arrival.header
    step = header.get("step")
    return Finish(
        arrival.run,
        arrival.attempt,
        arrival.rank,
        arrival.seq,
        arrival.session,
        status=header["status"],
        reason=_text(header, "reason") or None,
        step=_count(header, "step", MAX_INT) if step is not None else None,
    )


def _text(header: Mapping[str, Any], name: str) -> str:
    value = header.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _count(header: Mapping[str, Any], name: str, limit: int = 2**31 - 1) -> int:
    value = header.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= limit else 0
