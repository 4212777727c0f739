"""Scalars of a run of one process, from the driver's rows straight into columns: 100,000 steps in some 40 ms."""

from __future__ import annotations

from collections.abc import Sequence
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
_VALUES: Final = np.dtype([("value", "f8")])


def of_one_stream(connection: sa.Connection, key: tuple[str, str, int, int], after: int | None) -> Series:
    """One scalar of one process, straight from the driver's rows into columns.

    Where it was told at every step and is an ordinary number throughout, its values alone are fetched:
    a row that is one number costs half of one that is three.
    """
    c = SCALARS.c
    where = _of(key)
    if after is not None:
        where.append(c.step > after)
    plain = _plain(connection, where)
    if plain is not None:
        return plain
    query = sa.select(c.step, sa.func.coalesce(c.value, 0.0), c.special).where(*where).order_by(c.step)
    cursor: Any = connection.execute(query).cursor
    rows = np.fromiter(cursor, dtype=_COLUMNS)
    values = rows["value"].copy()
    special.restore(values, rows["special"])
    return Series(rows["step"].copy(), values)


def ends(connection: sa.Connection, key: tuple[str, str, int, int]) -> tuple[int | None, int | None]:
    """The first and the last step of a scalar of one process; None where it has no value."""
    return _ends(connection, _of(key))


def _of(key: tuple[str, str, int, int]) -> list[sa.ColumnElement[bool]]:
    c = SCALARS.c
    return [column == value for column, value in zip((c.run, c.name, c.attempt, c.rank), key, strict=True)]


def _ends(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]]) -> tuple[int | None, int | None]:
    c = SCALARS.c
    # Each end by itself is a jump through the index; asked for together, the rows between are read.
    jumps = [sa.select(end(c.step)).where(*where).scalar_subquery() for end in (sa.func.min, sa.func.max)]
    first, last = connection.execute(sa.select(*jumps)).one()
    return first, last


def _plain(connection: sa.Connection, where: Sequence[sa.ColumnElement[bool]]) -> Series | None:
    """The scalar by its values alone; None where steps are missing or a value is not an ordinary number."""
    c = SCALARS.c
    first, last = _ends(connection, where)
    if first is None or last is None:
        return None
    cursor: Any = connection.execute(sa.select(c.value).where(*where).order_by(c.step)).cursor
    alone = np.fromiter(cursor, dtype=_VALUES)["value"].copy()  # no value becomes NaN
    if len(alone) != last - first + 1 or not np.isfinite(alone).all():
        return None
    if not alone.all():  # a zero may stand for a negative one
        odd = sa.select(sa.func.max(c.special)).where(*where)
        if connection.execute(odd).scalar_one():
            return None
    return Series(np.arange(first, last + 1, dtype=np.int64), alone)
