"""Curves of a run that has ended, each as one row of two columns: read a hundred times as fast as row by row.

``scalars`` stays what SQL and Grafana see, and what is true: a packed curve is a copy, deleted by whatever writes
another scalar of its run in the same transaction, and made anew when the run has ended again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import sqlalchemy as sa

from auditor.store import columns
from auditor.store.records import Series
from auditor.store.tables import PACKED, RUNS

#: Steps from the first to the last of a curve from which on it is packed: fewer are read in milliseconds as rows.
LEAST: Final = 5_000
#: Bytes of a curve beyond which it stays in rows: 16 million values.
MOST: Final = 1 << 27

_Key = tuple[str, str, int, int]


def waiting(connection: sa.Connection, run: str) -> list[_Key]:
    """The long curves of a run of one process that are not packed yet, as (run, name, attempt, rank)."""
    stream = columns.only_stream(connection, run)
    if stream is None:
        return []
    have = set(connection.scalars(sa.select(PACKED.c.name).where(PACKED.c.run == run)))
    keys = [(run, name, *stream) for name in columns.names(connection, run) if name not in have]
    return [key for key in keys if LEAST <= _span(connection, key) <= MOST // 8]


def pack(connection: sa.Connection, key: _Key) -> None:
    """Packs one curve, within the transaction that ``connection`` is in."""
    run = key[0]
    held = sa.select(RUNS.c.run).where(RUNS.c.run == run).with_for_update()  # no writer meanwhile
    if connection.execute(held).first() is None:
        return  # purged
    series = columns.of_one_stream(connection, key, None)
    first = int(series.steps[0]) if len(series.steps) else 0
    evenly = bool(np.array_equal(series.steps, np.arange(first, first + len(series.steps))))
    row = {
        **dict(zip(("run", "name", "attempt", "rank"), key, strict=True)),
        "first_step": first,
        "steps": None if evenly else series.steps.astype("<i8").tobytes(),
        "values": series.values.astype("<f8").tobytes(),
    }
    connection.execute(sa.delete(PACKED).where(*_is(key)))
    connection.execute(sa.insert(PACKED), row)


def read(connection: sa.Connection, key: _Key, after: int | None) -> Series | None:
    """A packed curve, or None where it is in rows only."""
    c = PACKED.c
    found = connection.execute(sa.select(c.first_step, c.steps, c["values"]).where(*_is(key))).first()
    if found is None:
        return None
    first, stored, packed = found
    values = np.frombuffer(packed, "<f8").astype(np.float64)
    if stored is None:
        steps = np.arange(first, first + len(values), dtype=np.int64)
    else:
        steps = np.frombuffer(stored, "<i8").astype(np.int64)
    start = 0 if after is None else int(np.searchsorted(steps, after, side="right"))
    return Series(steps[start:], values[start:])


def outdated(connection: sa.Connection, runs: Collection[str]) -> None:
    """Deletes the packed curves of runs that are told more of."""
    if runs:
        connection.execute(sa.delete(PACKED).where(PACKED.c.run.in_(sorted(runs))))


def _span(connection: sa.Connection, key: _Key) -> int:
    first, last = columns.ends(connection, key)
    return 0 if first is None or last is None else last - first + 1


def _is(key: _Key) -> list[sa.ColumnElement[bool]]:
    c = PACKED.c
    return [column == value for column, value in zip((c.run, c.name, c.attempt, c.rank), key, strict=True)]
