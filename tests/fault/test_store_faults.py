"""D5: what the store says when its database is away, full, read-only, damaged; and that it recovers."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from auditor.store import Store, StoreUnavailable, Writer
from support import postgres
from support.chunks import steps_batch


def test_d5_a_read_only_database_can_be_read_and_says_what_to_do(tmp_path: Path) -> None:
    """Writing fails with advice; what was stored can still be seen."""
    path = tmp_path / "a.db"
    store = Store.open(f"sqlite:///{path}")
    store.write(steps_batch("r", 0, range(3)))
    store.close()
    read_only = Store.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    for attempt in (read_only.ping, lambda: read_only.write(steps_batch("r", 1, range(3)))):
        with pytest.raises(StoreUnavailable, match=r"readonly database.*make the database file"):
            attempt()
    assert read_only.frontier("r") == {(0, 0): [(0, 0)]}
    read_only.close()


def test_d5_a_full_disk_stores_nothing_by_halves_and_recovers(tmp_path: Path) -> None:
    """The batch that did not fit is whole once there is room."""
    store = Store.open(f"sqlite:///{tmp_path}/a.db")
    store.write(steps_batch("r", 0, range(3)))
    limit = 60  # pages

    def bound(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    sa.event.listen(store.engine, "begin", bound)
    large = steps_batch("r", 1, range(500), count=100)
    with pytest.raises(StoreUnavailable, match=r"disk is full.*free some space"):
        store.write(large)
    assert store.frontier("r") == {(0, 0): [(0, 0)]}
    assert store.scalars("r")["loss"].steps.tolist() == [0, 1, 2]
    limit = 10_000
    assert store.write(large).new
    store.close()


def test_d5_a_file_that_may_not_grow_is_a_clear_error(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """A quota, here the kernel's limit on the size of files; what was acknowledged before is there."""
    program = textwrap.dedent("""
        import resource, signal, sys
        from auditor.store import Store, StoreUnavailable
        from tests.support.chunks import steps_batch
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Store.open(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            for seq in range(1000):
                store.write(steps_batch("r", seq, range(10), count=100))
                print(seq, flush=True)
        except StoreUnavailable as error:
            print(error, file=sys.stderr)
            sys.exit(3)
    """)
    url = f"sqlite:///{tmp_path}/a.db"
    done = subprocess.run(
        [sys.executable, "-c", program, url], env=repo_env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "look at the database's disk" in done.stderr
    acknowledged = [int(line) for line in done.stdout.split()]
    assert acknowledged
    store = Store.open(url)
    assert store.frontier("r") == {(0, 0): [(0, acknowledged[-1])]}
    store.close()


@pytest.mark.parametrize("content", [b"this is no database, but it is long enough to be one" * 40, b"\0" * 4096])
def test_d5_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """It may be somebody's thesis."""
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="AUDITOR_DB is no SQLite database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_d5_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    """The path leads through a file."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"unable to open.*check that the folder in AUDITOR_DB"):
        Store.open(f"sqlite:///{tmp_path}/file/a.db")


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server that a test may stop."""
    programs = postgres.server_bin()
    if programs is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: postgresql)")
    with postgres.running(programs) as server:
        yield server


def test_d5_a_server_that_goes_away_and_comes_back(own_server: postgres.Server) -> None:
    """An error while it is away, by store, writer and opening alike; nothing lost, no restart needed."""
    url = own_server.new_database()
    store = Store.open(url)
    writer = Writer(store)
    writer.submit(steps_batch("r", 0, range(3))).result(timeout=20)
    own_server.stop()
    error = writer.submit(steps_batch("r", 1, range(3))).exception(timeout=20)
    assert isinstance(error, StoreUnavailable)
    for attempt in (store.ping, store.runs, lambda: Store.open(url)):
        with pytest.raises(StoreUnavailable, match="the database server is up"):
            attempt()
    own_server.restart()
    store.ping()
    assert writer.submit(steps_batch("r", 1, range(3))).result(timeout=20).new
    assert store.frontier("r") == {(0, 0): [(0, 1)]}
    writer.close()
    store.close()
