"""What can go wrong between the daemon and its database, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import exc


class StoreError(Exception):
    """Base of all errors that the store raises on purpose."""


class StoreUnavailable(StoreError):  # noqa: N818 - the name that the daemon's contract gave it
    """The database cannot be reached, read or written now. Nothing of the batch was stored."""


class StoreNewer(StoreError):  # noqa: N818 - likewise
    """The database was written by a newer version of the daemon."""


#: What a driver's message contains, and what to do about it.
_ADVICE: Final = (
    ("disk is full", "free some space on the database's disk or run `auditor purge`"),
    ("no space left", "free some space on the database's disk or run `auditor purge`"),
    ("could not extend file", "free some space on the database server's disk or run `auditor purge`"),
    ("disk i/o error", "look at the database's disk: it may be full, over quota or failing"),
    ("readonly database", "make the database file and its folder writable for the daemon's user"),
    ("read-only transaction", "point AUDITOR_DB at the primary server, not at a read-only replica"),
    ("unable to open", "check that the folder in AUDITOR_DB exists and is writable for the daemon's user"),
    ("database is locked", "another process holds the database file: stop it, or give each daemon its own AUDITOR_DB"),
    ("not a database", "the file in AUDITOR_DB is no SQLite database: move it away or choose another path"),
    ("malformed", "the database file is damaged: restore a backup, or move it away and start a new one"),
    ("password authentication", "check user and password in AUDITOR_DB"),
)
_OTHERWISE: Final = "check AUDITOR_DB and that the database server is up; the agents keep their data until it is back"


@contextmanager
def unavailable() -> Iterator[None]:
    """Turns the database's failures within the block into ``StoreUnavailable`` with advice."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError) as error:
        raise StoreUnavailable(describe(error)) from error
    except exc.DBAPIError as error:
        # A damaged file or a server that shut down in mid-query come as plain DatabaseErrors.
        if type(error) is not exc.DatabaseError and not error.connection_invalidated:
            raise
        raise StoreUnavailable(describe(error)) from error


def describe(error: exc.SQLAlchemyError) -> str:
    """One line: what the database said, and what to do about it."""
    said = str(getattr(error, "orig", None) or error).strip()
    said = " ".join(said.split())
    advice = next((advice for part, advice in _ADVICE if part in said.lower()), _OTHERWISE)
    return f"the store is unavailable ({said}): {advice}"
