"""Reading. Every question is one or a few short transactions; none holds a snapshot while the caller works."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from auditor.ingest.decode import StepBatch, Tensor, step_batch, tensor_table
from auditor.model import Alert, AlertState, Severity, Subject
from auditor.store import columns, fold, packed, special
from auditor.store.engine import BINARY
from auditor.store.records import (
    Event,
    Manifest,
    RunRecord,
    Series,
    StoredChunk,
    StreamRecord,
)
from auditor.store.tables import ALERTS, CHUNKS, EVENTS, MANIFESTS, RUNS, SCALARS, STREAMS, TENSOR_TABLES
from auditor.store.text import from_json
from auditor_agent.stream.wire import Frame

#: Frames fetched at a time while iterating: some megabytes, of which a reader holds one page.
PAGE: Final = 64
Position = tuple[int, int, int]


def runs(
    connection: sa.Connection,
    *,
    run: str | None = None,
    project: str | None = None,
    status: str | None = None,
    since: float | None = None,
    limit: int = 100,
) -> list[RunRecord]:
    """Runs, the one that changed last first; ``since``: changed at or after this time."""
    query = sa.select(RUNS).order_by(RUNS.c.updated_at.desc(), RUNS.c.run).limit(limit)
    for column, value in ((RUNS.c.run, run), (RUNS.c.project, project), (RUNS.c.status, status)):
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        query = query.where(RUNS.c.updated_at >= since)
    rows = connection.execute(query).mappings().all()
    names = [row["run"] for row in rows]
    processes = defaultdict(list)
    for stream in connection.execute(sa.select(STREAMS).where(STREAMS.c.run.in_(names))).mappings():
        processes[stream["run"]].append(dict(stream))
    firing = _firing(connection, names)
    return [_run_record(dict(row), processes[row["run"]], firing[row["run"]]) for row in rows]


def _firing(connection: sa.Connection, names: Sequence[str]) -> dict[str, dict[str, int]]:
    query = (
        sa.select(ALERTS.c.run, ALERTS.c.severity, sa.func.count())
        .where(ALERTS.c.run.in_(names), ALERTS.c.state == str(AlertState.FIRING))
        .group_by(ALERTS.c.run, ALERTS.c.severity)
    )
    counts: dict[str, dict[str, int]] = {name: {str(s): 0 for s in reversed(Severity)} for name in names}
    for run, severity, count in connection.execute(query):
        counts[run][severity] = count
    return counts


def _run_record(row: fold.Row, streams: list[fold.Row], alerts: dict[str, int]) -> RunRecord:
    counts = [fold.counts_of(stream) for stream in streams]
    dropped: dict[str, int] = defaultdict(int)
    for count in counts:
        for reason, steps in count.dropped.items():
            dropped[reason] += steps
    attempts = {stream["attempt"] for stream in streams}
    return RunRecord(
        run=row["run"],
        project=row["project"],
        name=row["name"],
        framework=row["framework"],
        host=row["host"],
        status=row["status"],
        verdict=row["verdict"],
        reason=row["reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        first_step=row["first_step"],
        last_step=row["last_step"],
        loss=row["loss"],
        attempts=len(attempts),
        ranks=len({stream["rank"] for stream in streams}),
        alerts=alerts,
        pending=sum(count.pending for count in counts),
        dropped=dict(dropped),
        stop=row["stop_attempt"] is not None and row["stop_attempt"] >= max(attempts, default=0),
        exit_code=row["exit_code"],
        exit_signal=row["exit_signal"],
        unjudged=from_json(row["unjudged"]) if row["unjudged"] is not None else None,
    )


def streams(connection: sa.Connection, run: str) -> list[StreamRecord]:
    """The processes of a run, by attempt and rank."""
    query = sa.select(STREAMS).where(STREAMS.c.run == run).order_by(STREAMS.c.attempt, STREAMS.c.rank)
    plain = (
        *("run", "attempt", "rank", "session", "status", "reason", "step"),
        *("started_at", "heartbeat_at", "progress_at"),
    )
    return [
        StreamRecord(**{name: row[name] for name in plain}, counts=fold.counts_of(dict(row)))
        for row in connection.execute(query).mappings()
    ]


def scalars(
    connection: sa.Connection,
    run: str,
    names: Iterable[str] | None = None,
    *,
    attempt: int | None = None,
    rank: int | None = None,
    after: int | None = None,
) -> dict[str, Series]:
    """Scalars by name; see ``Store.scalars``."""
    c = SCALARS.c
    alone = None if attempt is not None or rank is not None else columns.only_stream(connection, run)
    if alone is not None:
        chosen = list(dict.fromkeys(names)) if names is not None else columns.names(connection, run)
        alike = {name: _of_one_stream(connection, (run, name, *alone), after) for name in sorted(chosen)}
        return {name: series for name, series in alike.items() if len(series.steps)}
    query = sa.select(c.name, c.step, c.attempt, c.rank, c.seq, c.value, c.special).where(c.run == run)
    if names is not None:
        query = query.where(c.name.in_(list(names)))
    for column, value in ((c.attempt, attempt), (c.rank, rank)):
        if value is not None:
            query = query.where(column == value)
    if after is not None:
        query = query.where(c.step > after)
    # All at once, and sorted by name in the database: a row at a time costs three times as much.
    # The driver's own tuples: nothing in them needs SQLAlchemy to convert it.
    rows = connection.execute(query.order_by(c.name)).cursor.fetchall()
    if not rows:
        return {}
    found, steps, attempts, ranks, seqs, values, kinds = zip(*rows, strict=True)
    counted = [np.array(column) for column in (steps, attempts, ranks, seqs)]
    numbers = special.join(list(values), list(kinds))
    ends = [*(at for at in range(1, len(found)) if found[at] != found[at - 1]), len(found)]
    starts = [0, *ends[:-1]]
    return {
        str(found[first]): resolve(*_cut(counted, numbers, slice(first, last)))
        for first, last in zip(starts, ends, strict=True)
    }


def _of_one_stream(connection: sa.Connection, key: tuple[str, str, int, int], after: int | None) -> Series:
    found = packed.read(connection, key, after)
    return columns.of_one_stream(connection, key, after) if found is None else found


def _cut(
    counted: Sequence[npt.NDArray[np.int64]], numbers: npt.NDArray[np.float64], rows: slice
) -> tuple[npt.NDArray[Any], ...]:
    steps, attempts, ranks, seqs = (column[rows] for column in counted)
    return steps, numbers[rows], attempts, ranks, seqs


def resolve(
    steps: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    attempts: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int64],
    seqs: npt.NDArray[np.int64],
) -> Series:
    """One value per step, all arrays (N,): of the last attempt that took it, its lowest rank, its last frame.

    Within one frame the later value wins.
    """
    order = np.lexsort((np.arange(len(steps)), seqs, -ranks, attempts, steps))
    steps, values = steps[order], values[order]
    last = np.append(steps[1:] != steps[:-1], True)[: len(steps)]
    return Series(steps[last].astype(np.int64), values[last].astype(np.float64))


def chunk_page(
    connection: sa.Connection,
    run: str,
    position: Position | None,
    *,
    attempt: int | None = None,
    rank: int | None = None,
    after_seq: int | None = None,
    type: str | None = None,  # noqa: A002 - the column's name
) -> list[StoredChunk]:
    """The next ``PAGE`` frames after ``position`` = (attempt, rank, seq), in that order."""
    c = CHUNKS.c
    query = sa.select(CHUNKS).where(c.run == run).order_by(c.attempt, c.rank, c.seq).limit(PAGE)
    query = query.execution_options(**{BINARY: True})
    for column, value in ((c.attempt, attempt), (c.rank, rank), (c.type, type)):
        if value is not None:
            query = query.where(column == value)
    if after_seq is not None:
        query = query.where(c.seq > after_seq)
    if position is not None:
        query = query.where(sa.tuple_(c.attempt, c.rank, c.seq) > sa.tuple_(*map(sa.literal, position)))
    return [_chunk(row) for row in connection.execute(query)]


def _chunk(row: Any) -> StoredChunk:
    run, attempt, rank, seq, kind, session, first, last, rows, nonfinite, norm, table, header, payload = row
    return StoredChunk(
        run, attempt, rank, seq, kind, session, first, last, rows, nonfinite, norm, table, header, payload
    )


def steps_of(chunk: StoredChunk) -> StepBatch:
    """A stored ``steps`` frame as arrays.

    Raises:
        WireError: if its header and payload do not add up.
    """
    return step_batch(Frame(json.loads(chunk.header_json), memoryview(chunk.payload)))


def series(
    chunks: Iterable[StoredChunk],
    tables: dict[str, tuple[Tensor, ...]],
    kind: str,
    name: str,
    stat: str,
) -> Series:
    """One statistic of one tensor over frames of type ``steps``."""
    ids = {digest: _id_of(table, kind, name) for digest, table in tables.items()}
    parts: list[tuple[npt.NDArray[Any], npt.NDArray[Any], tuple[int, int, int]]] = []
    for chunk in chunks:
        wanted = ids.get(chunk.table or "")
        if wanted is not None:
            parts += [
                (steps, values, (chunk.attempt, chunk.rank, chunk.seq)) for steps, values in _of(chunk, wanted, stat)
            ]
    if not parts:
        return Series(np.zeros(0, np.int64), np.zeros(0))
    steps = np.concatenate([part[0] for part in parts]).astype(np.int64)
    values = np.concatenate([part[1] for part in parts]).astype(np.float64)
    origin = np.repeat([part[2] for part in parts], [len(part[0]) for part in parts], axis=0)
    return resolve(steps, values, origin[:, 0], origin[:, 1], origin[:, 2])


def _id_of(table: tuple[Tensor, ...], kind: str, name: str) -> int | None:
    return next((i for i, tensor in enumerate(table) if (tensor.kind, tensor.name) == (kind, name)), None)


def _of(chunk: StoredChunk, tensor: int, stat: str) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    batch = steps_of(chunk)
    for block in batch.blocks:
        places = np.flatnonzero(block.tensors == tensor)
        if len(places):
            steps = batch.steps[block.first : block.first + len(block.words)]
            yield steps, block.stat(stat)[:, places[0]]


def tables(connection: sa.Connection, run: str, digest: str | None = None) -> dict[str, tuple[Tensor, ...]]:
    """Tensor tables of a run by digest."""
    query = sa.select(TENSOR_TABLES.c.digest, TENSOR_TABLES.c.tensors).where(TENSOR_TABLES.c.run == run)
    if digest is not None:
        query = query.where(TENSOR_TABLES.c.digest == digest)
    return {digest: tensor_table(from_json(text)) for digest, text in connection.execute(query)}


def manifests(connection: sa.Connection, run: str) -> list[Manifest]:
    """The manifest of each process of a run, by attempt and rank."""
    c = MANIFESTS.c
    query = sa.select(MANIFESTS).where(c.run == run).order_by(c.attempt, c.rank)
    return [
        Manifest(row["run"], row["attempt"], row["rank"], row["seq"], from_json(row["manifest"]))
        for row in connection.execute(query).mappings()
    ]


def events(connection: sa.Connection, run: str) -> list[Event]:
    """The events of a run, by step."""
    c = EVENTS.c
    query = sa.select(EVENTS).where(c.run == run).order_by(c.step, c.attempt, c.rank, c.seq, c.index)
    plain = ("run", "attempt", "rank", "seq", "index", "step", "type")
    return [
        Event(**{name: row[name] for name in plain}, fields=from_json(row["fields"]))
        for row in connection.execute(query).mappings()
    ]


def alerts(
    connection: sa.Connection,
    *,
    run: str | None = None,
    since: float | None = None,
    state: str | None = None,
    rule: str | None = None,
    limit: int = 1000,
) -> list[Alert]:
    """Alerts, the one that changed last first; ``since``: changed at or after this time."""
    query = sa.select(ALERTS).order_by(ALERTS.c.updated_at.desc(), ALERTS.c.id).limit(limit)
    for column, value in ((ALERTS.c.run, run), (ALERTS.c.state, state), (ALERTS.c.rule, rule)):
        if value is not None:
            query = query.where(column == str(value))
    if since is not None:
        query = query.where(ALERTS.c.updated_at >= since)
    return [_alert(dict(row)) for row in connection.execute(query).mappings()]


def _alert(row: fold.Row) -> Alert:
    plain = ("id", "run", "attempt", "rule", "first_step", "last_step", "started_at", "updated_at", "resolved_at")
    return Alert(
        **{name: row[name] for name in plain},
        severity=Severity(row["severity"]),
        state=AlertState(row["state"]),
        subject=Subject(row["subject_kind"], row["subject_name"], row["subject_rank"]),
        evidence=from_json(row["evidence"]),
        members=tuple(Subject(*member) for member in from_json(row["members"])),
        summary=row["summary"],
        likely_causes=tuple(from_json(row["likely_causes"])),
        advice=row["advice"],
    )


def frontier(connection: sa.Connection, run: str) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Stored ``seq`` by (attempt, rank), as ranges of which both ends are included."""
    c = CHUNKS.c
    # Within a range without gaps, seq minus its place in the order is constant.
    place = sa.func.row_number().over(partition_by=(c.attempt, c.rank), order_by=c.seq)
    islands = sa.select(c.attempt, c.rank, c.seq, (c.seq - place).label("island")).where(c.run == run).subquery()
    i = islands.c
    first, last = sa.func.min(i.seq), sa.func.max(i.seq)
    query = (
        sa.select(i.attempt, i.rank, first, last)
        .group_by(i.attempt, i.rank, i.island)
        .order_by(i.attempt, i.rank, first)
    )
    ranges = defaultdict(list)
    for attempt, rank, low, high in connection.execute(query):
        ranges[attempt, rank].append((low, high))
    return dict(ranges)


def nonfinite_chunks(connection: sa.Connection, run: str | None = None) -> list[tuple[str, int, int, int]]:
    """(run, first step, last step, elements) of the frames that hold a NaN or Inf, from the index alone."""
    c = CHUNKS.c
    query = sa.select(c.run, c.first_step, c.last_step, c.nonfinite).where(c.nonfinite > sa.literal_column("0"))
    if run is not None:
        query = query.where(c.run == run)
    return [
        (name, first, last, count)
        for name, first, last, count in connection.execute(query.order_by(c.run, c.first_step))
    ]


def hosts(
    connection: sa.Connection, *, since: float | None = None, project: str | None = None
) -> list[tuple[str, str, str, str]]:
    """(host, run, status, verdict) of every host that a rank of a run said it runs on."""
    query = (
        sa.select(RUNS.c.run, RUNS.c.status, RUNS.c.verdict, CHUNKS.c.header)
        .join(CHUNKS, CHUNKS.c.run == RUNS.c.run)
        .where(CHUNKS.c.type == "start")
    )
    if since is not None:
        query = query.where(RUNS.c.updated_at >= since)
    if project is not None:
        query = query.where(RUNS.c.project == project)
    found = {}
    for run, status, verdict, header in connection.execute(query):
        host = from_json(header).get("host")
        if isinstance(host, str) and host:
            found[host, run] = (status, verdict)
    return [(host, run, status, verdict) for (host, run), (status, verdict) in sorted(found.items())]
