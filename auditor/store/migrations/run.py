"""Runs the migrations that a database lacks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from auditor.store.engine import writing
from auditor.store.errors import StoreNewer

#: PostgreSQL's advisory lock that openers take in turn: the letters AUDF as a number.
_LOCK: Final = 0x41554446
#: alembic keeps the migration that runs in module globals: two databases of one process take turns.
_ONE_AT_A_TIME: Final = threading.Lock()


def run(engine: sa.Engine, target: str) -> None:
    """Runs the migrations that the database lacks, up to ``target``, in one transaction.

    Openers wait for one another: SQLite by its write lock, PostgreSQL by an advisory lock.

    Raises:
        StoreNewer: if the database is at a revision that this version does not know.
    """
    scripts = _scripts()
    if target == "head" and _current(engine) == scripts.get_current_head():
        return  # the usual case needs no lock, and a read-only database can take none
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        _check_known(scripts, _revision(connection))
        config = _config()
        config.attributes["connection"] = connection
        with _ONE_AT_A_TIME:
            command.upgrade(config, target)


def _current(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        revision = _revision(connection)
    _check_known(_scripts(), revision)
    return revision


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_known(scripts: ScriptDirectory, revision: str | None) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreNewer(
            f"the database is at schema {revision}, this version of the auditor knows up to "
            f"{scripts.get_current_head()}: update training-auditor, or point AUDITOR_DB at another database"
        )


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
