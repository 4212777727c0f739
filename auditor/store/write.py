"""Writing: any number of batches in one transaction, each of them idempotent.

A frame is *new*, a *duplicate* or *refused*, in the order of the batches: the first session that
writes for (run, attempt, rank) holds it. What came with a frame is stored when the frame is. Rows of
``runs`` and ``streams`` are read under lock, folded in Python (``fold.py``) and written back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from auditor.model import Alert
from auditor.store import fold, packed, scalars
from auditor.store.records import (
    Chunk,
    ChunkKey,
    Committed,
    Event,
    Manifest,
    ScalarRows,
    StreamKey,
    TableRecord,
    WriteBatch,
)
from auditor.store.tables import ALERTS, CHUNKS, EVENTS, MANIFESTS, RUNS, STREAMS, TENSOR_TABLES
from auditor.store.text import clean, to_json

Rows = list[dict[str, Any]]


@dataclass
class _Fate:
    """What becomes of one batch's frames."""

    new: list[ChunkKey] = field(default_factory=list)
    duplicates: list[ChunkKey] = field(default_factory=list)
    refused: list[ChunkKey] = field(default_factory=list)

    def committed(self) -> Committed:
        return Committed(tuple(self.new), tuple(self.duplicates), tuple(self.refused))


def write(connection: sa.Connection, batches: Sequence[WriteBatch]) -> list[Committed]:
    """Stores ``batches`` within the transaction that ``connection`` is in; what became of each."""
    state = fold.State(_locked(connection, batches))
    known = _stored_seqs(connection, batches)
    fates: list[_Fate] = []
    chunks: list[Chunk] = []
    for batch in batches:
        fate, fresh = _admit(batch, state, known)
        fates.append(fate)
        chunks.extend(fresh)
        state.apply(batch, frozenset(fate.new))
    _insert_frames(connection, chunks, list(zip(batches, fates, strict=True)))
    _insert_alerts(connection, (alert for batch in batches for alert in batch.alerts))
    _update(connection, RUNS, state.changed_runs())
    _update(connection, STREAMS, state.changed_streams())
    return [fate.committed() for fate in fates]


def _locked(connection: sa.Connection, batches: Sequence[WriteBatch]) -> tuple[Rows, Rows]:
    """The rows of ``runs`` and ``streams`` that the batches touch, made if missing.

    Whoever changes anything of a run locks its row first, and runs in the order of their ids.
    """
    runs = {run: batch.time for batch in reversed(batches) for run in fold.runs_of(batch)}
    streams = {key: batch.time for batch in reversed(batches) for key in fold.streams_of(batch)}
    if not runs:
        return [], []
    locked: Rows = []
    while len(locked) < len(runs):  # a purge may take a run away between the two statements
        _insert(connection, RUNS, [fold.new_run(run, runs[run]) for run in sorted(runs)])
        locked = _rows(connection, sa.select(RUNS).where(RUNS.c.run.in_(runs)).order_by(RUNS.c.run).with_for_update())
    _insert(connection, STREAMS, [fold.new_stream(key, streams[key]) for key in sorted(streams)])
    # All streams of a run, not only those of the batch: the run's status is made of them.
    return locked, _rows(connection, sa.select(STREAMS).where(STREAMS.c.run.in_(runs)))


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> Rows:
    return [dict(row) for row in connection.execute(query).mappings()]


def _stored_seqs(connection: sa.Connection, batches: Sequence[WriteBatch]) -> dict[StreamKey, set[int]]:
    """Which of the batches' frames the store has; exact, for the runs are locked."""
    wanted: dict[StreamKey, set[int]] = defaultdict(set)
    for batch in batches:
        for chunk in batch.chunks:
            wanted[chunk.key.stream].add(chunk.seq)
    stored = {}
    for key, seqs in wanted.items():
        columns = CHUNKS.c
        of_stream = (columns.run == key.run) & (columns.attempt == key.attempt) & (columns.rank == key.rank)
        between = columns.seq.between(min(seqs), max(seqs))
        stored[key] = set(connection.scalars(sa.select(columns.seq).where(of_stream & between)))
    return stored


def _admit(batch: WriteBatch, state: fold.State, known: dict[StreamKey, set[int]]) -> tuple[_Fate, list[Chunk]]:
    fate, fresh = _Fate(), []
    for chunk in batch.chunks:
        key = chunk.key
        if not state.hold(key.stream, chunk.session):
            fate.refused.append(key)
        elif chunk.seq in known[key.stream]:
            fate.duplicates.append(key)
        else:
            known[key.stream].add(chunk.seq)
            fate.new.append(key)
            fresh.append(chunk)
    return fate, fresh


def _insert_frames(
    connection: sa.Connection, chunks: Iterable[Chunk], batches: Sequence[tuple[WriteBatch, _Fate]]
) -> None:
    _insert(connection, CHUNKS, [_chunk_row(chunk) for chunk in chunks])
    told = [rows for batch, fate in batches for rows in _of_new(batch.scalars, fate)]
    scalars.insert(connection, told)
    packed.outdated(connection, {rows.run for rows in told})
    manifests = [_manifest_row(manifest) for batch, fate in batches for manifest in _of_new(batch.manifests, fate)]
    _insert(connection, MANIFESTS, manifests, replace=("seq", "manifest"), newer="seq")
    _insert(connection, EVENTS, [_event_row(event) for batch, fate in batches for event in _of_new(batch.events, fate)])
    _insert(connection, TENSOR_TABLES, [_table_row(table) for batch, fate in batches for table in _held(batch, fate)])


_FromFrame = TypeVar("_FromFrame", ScalarRows, Manifest, Event)


def _of_new(records: Iterable[_FromFrame], fate: _Fate) -> list[_FromFrame]:
    new = set(fate.new)
    return [record for record in records if fold.key_of(record) in new]


def _held(batch: WriteBatch, fate: _Fate) -> list[TableRecord]:
    """The batch's tables, of runs of which a frame was taken.

    A table says the same under its digest whichever frame brought it, and a daemon that asked for it
    again may get it with a frame that it has.
    """
    runs = {key.run for key in (*fate.new, *fate.duplicates)}
    return [table for table in batch.tables if table.run in runs]


def _insert_alerts(connection: sa.Connection, alerts: Iterable[Alert]) -> None:
    newest: dict[str, Alert] = {}
    for alert in alerts:
        if alert.id not in newest or alert.updated_at >= newest[alert.id].updated_at:
            newest[alert.id] = alert
    rows = [_alert_row(newest[name]) for name in sorted(newest)]
    replace = tuple(column.name for column in ALERTS.columns if not column.primary_key)
    _insert(connection, ALERTS, rows, replace=replace, newer="updated_at")


def _chunk_row(chunk: Chunk) -> dict[str, Any]:
    return {
        "run": chunk.run,
        "attempt": chunk.attempt,
        "rank": chunk.rank,
        "seq": chunk.seq,
        "type": clean(chunk.type),
        "session": clean(chunk.session),
        "first_step": chunk.first_step,
        "last_step": chunk.last_step,
        "rows": chunk.rows,
        "nonfinite": chunk.nonfinite,
        "max_norm": fold.finite_or_none(chunk.max_norm),
        "table_digest": chunk.table,
        "header": chunk.header_json,
        "payload": chunk.payload,
    }


def _manifest_row(manifest: Manifest) -> dict[str, Any]:
    return {**fold.columns_of(manifest), "manifest": to_json(manifest.manifest)}


def _event_row(event: Event) -> dict[str, Any]:
    return {**fold.columns_of(event), "type": clean(event.type), "fields": to_json(event.fields)}


def _table_row(table: TableRecord) -> dict[str, Any]:
    tensors = [[tensor.kind, tensor.name, list(tensor.shape), tensor.dtype] for tensor in table.tensors]
    return {"run": table.run, "digest": table.digest, "tensors": to_json(tensors)}


def _alert_row(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "run": alert.run,
        "attempt": alert.attempt,
        "rule": alert.rule,
        "severity": str(alert.severity),
        "state": str(alert.state),
        "subject_kind": alert.subject.kind,
        "subject_name": clean(alert.subject.name),
        "subject_rank": alert.subject.rank,
        "first_step": alert.first_step,
        "last_step": alert.last_step,
        "started_at": alert.started_at,
        "updated_at": alert.updated_at,
        "resolved_at": alert.resolved_at,
        "evidence": to_json(alert.evidence),
        "members": to_json([[m.kind, m.name, m.rank] for m in alert.members]),
        "summary": clean(alert.summary),
        "likely_causes": to_json(list(alert.likely_causes)),
        "advice": clean(alert.advice),
    }


def _update(connection: sa.Connection, table: sa.Table, rows: Rows) -> None:
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    bound = [{(f"key_{name}" if name in keys else name): value for name, value in row.items()} for row in rows]
    where = sa.and_(*(table.c[name] == sa.bindparam(f"key_{name}") for name in keys))
    rest = [column.name for column in table.columns if column.name not in keys]
    connection.execute(sa.update(table).where(where).values({name: sa.bindparam(name) for name in rest}), bound)


def _insert(
    connection: sa.Connection, table: sa.Table, rows: Rows, *, replace: Sequence[str] = (), newer: str | None = None
) -> None:
    """Inserts ``rows``; where the key exists, does nothing or takes ``replace`` if ``newer`` is not older."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = list(table.primary_key.columns)
    if newer is None:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    else:
        statement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: statement.excluded[name] for name in replace},
            where=statement.excluded[newer] >= table.c[newer],
        )
    connection.execute(statement, rows)
