"""Retention: whole runs go, in transactions small enough that nobody waits for them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from auditor.store.tables import CHUNKS, OF_A_RUN, RUNS, SCALARS

#: Rows that one transaction deletes: a few tens of milliseconds.
FRAMES_AT_ONCE: Final = 128
SCALARS_AT_ONCE: Final = 20_000


def doomed(connection: sa.Connection, *, older_than: float | None, keep: int | None, run: str | None) -> list[str]:
    """The runs that a purge takes: each that any given condition names.

    Args:
        connection: where to look.
        older_than: Unix time; runs that have not changed since.
        keep: number of runs to keep, those that changed last.
        run: this run, whatever its age.
    """
    names: dict[str, None] = {}
    if run is not None:
        names.update(dict.fromkeys(connection.scalars(sa.select(RUNS.c.run).where(RUNS.c.run == run))))
    if older_than is not None:
        old = sa.select(RUNS.c.run).where(RUNS.c.updated_at < older_than).order_by(RUNS.c.updated_at)
        names.update(dict.fromkeys(connection.scalars(old)))
    if keep is not None:
        newest_first = sa.select(RUNS.c.run).order_by(RUNS.c.updated_at.desc(), RUNS.c.run)
        names.update(dict.fromkeys(connection.scalars(newest_first).all()[keep:]))
    return list(names)


def take_apart(connection: sa.Connection, run: str) -> bool:
    """Deletes a bounded part of a run; True once nothing is left of it."""
    connection.execute(sa.select(RUNS.c.run).where(RUNS.c.run == run).with_for_update())  # no writer meanwhile
    for table, bound in ((CHUNKS, FRAMES_AT_ONCE), (SCALARS, SCALARS_AT_ONCE)):
        keys = list(table.primary_key.columns)
        part = sa.select(*keys).where(table.c.run == run).limit(bound)
        if connection.execute(sa.delete(table).where(sa.tuple_(*keys).in_(part))).rowcount == bound:
            return False
    for table in OF_A_RUN:
        connection.execute(sa.delete(table).where(table.c.run == run))
    connection.execute(sa.delete(RUNS).where(RUNS.c.run == run))
    return True


def give_back(connection: sa.Connection) -> None:
    """Returns the freed pages of an SQLite file to the disk; PostgreSQL's autovacuum sees to its own."""
    if connection.dialect.name == "sqlite":
        # Each row that it returns is a page given back: without fetching them it stops after the first.
        # Each step of this statement frees one page and returns no column: of the driver's methods
        # only this one keeps stepping.
        cursor: Any = connection.connection.cursor()
        cursor.executescript("PRAGMA incremental_vacuum")
        cursor.close()
