"""Connections: what SQLite and PostgreSQL need in order to behave alike.

SQLite runs in WAL mode, so that readers never block the writer nor see half a transaction, with
``synchronous=FULL``: an acknowledged frame survives a power cut. From PostgreSQL payloads are read in
binary: as text they come 2.3 times slower.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

#: How long a writer waits for another process's transaction, in seconds.
BUSY_SECONDS: Final = 60
#: Execution option of queries that read payloads: PostgreSQL sends their results in binary.
BINARY: Final = "auditor_binary"
_IMMEDIATE: Final = "auditor_immediate"


def make_engine(url: str) -> sa.Engine:
    """An engine for ``url``: ``sqlite:///path`` or ``postgresql://user:password@host/database``.

    Raises:
        ValueError: if it is neither, or an SQLite database in memory, which its threads cannot share.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed)
    raise ValueError(f"AUDITOR_DB is a {backend} URL: use sqlite:///path or postgresql://user@host/database")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write; on SQLite it takes the write lock at once, or waits for it.

    A transaction that only finds out later that it wants to write cannot wait: SQLite fails it.
    """
    with engine.connect().execution_options(**{_IMMEDIATE: True}) as connection, connection.begin():
        yield connection


def _sqlite(url: URL) -> sa.Engine:
    if url.database in (None, "", ":memory:"):
        raise ValueError("AUDITOR_DB names no file: use sqlite:///path, a database in memory is not supported")
    uri = url.query.get("uri") is not None
    if not uri:
        # Left to SQLite to complain about, which it does at the first connection and by name.
        with suppress(OSError):
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=16, max_overflow=64)
    sa.event.listen(engine, "connect", _sqlite_connected)
    sa.event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connected(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transaction handling begins late and commits around DDL: we say BEGIN ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
    if connection.execute("PRAGMA query_only").fetchone()[0] or _mode(connection) == "wal":
        return
    _into_wal(connection)


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switches a new file to WAL. The switch needs the file alone and does not wait by itself."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            # Only an empty file takes these two: pages that fit whole blocks, and freed pages that
            # `purge` can hand back to the disk.
            connection.execute("PRAGMA page_size=8192")
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "readonly" in str(error):
                return  # it can still be read
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _sqlite_begin(connection: sa.Connection) -> None:
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _postgresql(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 10},
        pool_size=16,
        max_overflow=64,
        pool_pre_ping=True,
    )
    sa.event.listen(engine, "before_cursor_execute", _choose_format)
    return engine


def _choose_format(_connection: Any, cursor: Any, _statement: Any, _parameters: Any, context: Any, _many: bool) -> None:
    # Only where it is asked for: SQLAlchemy reads some columns of the catalog as text.
    if context is not None and context.execution_options.get(BINARY):
        cursor.format = 1
