"""Scalars of a run of one process, from the driver's rows straight into columns: 100,000 steps in some 40 ms."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from auditor.store import special
from auditor.store.records import Series
from auditor.store.tables import SCALARS, STREAMS


def only_stream(connection: sa.Connection, run: str) -> tuple[int, int] | None:
    """(attempt, rank) of a run that has but one process: nothing of it needs to be resolved."""
    found = connection.execute(sa.select(STREAMS.c.attempt, STREAMS.c.rank).where(STREAMS.c.run == run).limit(2)).all()
    return (int(found[0][0]), int(found[0][1])) if len(found) == 1 else None


def names(connection: sa.Connection, run: str) -> list[str]:
    """Names of a run's scalars, by jumps through the index: it is not read from end to end."""
    c, found, last = SCALARS.c, list[str](), ""
    while True:
        query = sa.select(sa.func.min(c.name)).where(c.run == run, c.name > last)
        name = connection.execute(query).scalar()
        if name is None:
            return found
        found.append(str(name))
        last = str(name)


_COLUMNS: Final = np.dtype([("step", "i8"), ("value", "f8"), ("special", "i8")])


def of_one_stream(connection: sa.Connection, key: tuple[str, str, int, int], after: int | None) -> Series:
    """One scalar of one process, straight from the driver's rows into columns."""
    c = SCALARS.c
    query = sa.select(c.step, sa.func.coalesce(c.value, 0.0), c.special).order_by(c.step)
    run, name, attempt, rank = key
    query = query.where(c.run == run, c.name == name, c.attempt == attempt, c.rank == rank)
    if after is not None:
        query = query.where(c.step > after)
    cursor: Any = connection.execute(query).cursor
    rows = np.fromiter(cursor, dtype=_COLUMNS)
    values = rows["value"].copy()
    special.restore(values, rows["special"])
    return Series(rows["step"].copy(), values)
