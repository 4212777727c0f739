"""Brings a database to this version's schema when it is opened, whoever opens it first."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

_TABLE = sa.table("alembic_version", sa.column("version_num"))


def upgrade(engine: sa.Engine, target: str = "head") -> None:
    """Runs the migrations that the database lacks, up to ``target``, in one transaction.

    Openers wait for one another: SQLite by its write lock, PostgreSQL by an advisory lock.

    Raises:
        StoreNewer: if the database is at a revision that this version does not know.
    """
    if target == "head" and _revision(engine) == newest():
        return  # the usual case needs no lock, no alembic (a tenth of a second), and a read-only database can take none
    from auditor.store.migrations.run import run

    run(engine, target)


def newest() -> str:
    """The revision of this version: the number that the last migration's file begins with."""
    return max(path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(_TABLE.name):
            return None
        found = connection.execute(sa.select(_TABLE.c.version_num)).scalars().all()
    return str(found[0]) if len(found) == 1 else None
