"""Fixtures: every kind of database that the store runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.store import Store
from support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the session; tests that ask for it are skipped where it is not installed."""
    programs = postgres.server_bin()
    if programs is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: postgresql)")
    with postgres.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/auditor.db"
    server: postgres.Server = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A new store, once on each kind of database."""
    opened = Store.open(database)
    yield opened
    opened.close()
