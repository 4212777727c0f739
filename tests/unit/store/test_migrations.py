from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from auditor.store import Store, StoreNewer, migrations
from auditor.store.engine import make_engine, writing
from auditor.store.migrations.run import _scripts
from auditor.store.tables import METADATA
from support.chunks import start_batch, steps_batch


def test_the_migrations_make_the_tables(store: Store) -> None:
    """Nothing is in one and not in the other: columns, types, indexes."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_d9_opening_again_keeps_everything(database: str) -> None:
    """A database that is current is left as it is."""
    first = Store.open(database)
    first.write(steps_batch("r", 0, range(5)))
    first.close()
    again = Store.open(database)
    assert again.frontier("r") == {(0, 0): [(0, 0)]}
    again.close()


def test_d9_the_first_schema_with_data_is_brought_up_to_date(database: str) -> None:
    """What revision 0001 held is there after every later migration, to the byte."""
    engine = make_engine(database)
    migrations.upgrade(engine, "0001")
    with writing(engine) as connection:
        connection.execute(
            sa.text(
                "INSERT INTO runs (run, project, name, framework, host, status, verdict, created_at, updated_at, loss)"
                " VALUES ('old', 'p', 'n', 'torch', 'h', 'finished', 'healthy', 1, 2, 0.25)"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO chunks (run, attempt, rank, seq, type, session, rows, nonfinite, header, payload)"
                " VALUES ('old', 0, 0, 3, 'record', 's', 0, 0, '{}', :payload)"
            ),
            {"payload": b"\x00\xff"},
        )
        connection.execute(
            sa.text(
                "INSERT INTO scalars (run, name, attempt, rank, step, value, special, seq)"
                " VALUES ('old', 'loss', 0, 0, 4, NULL, 3, 3)"
            )
        )
    engine.dispose()
    store = Store.open(database)
    run = store.run("old")
    assert run is not None
    assert (run.project, run.loss, run.status) == ("p", 0.25, "finished")
    assert [chunk.payload for chunk in store.chunks("old")] == [b"\x00\xff"]
    assert store.scalars("old")["loss"].values.tolist() == [float("-inf")]
    store.close()


def test_d4_many_may_open_a_new_database_at_once(database: str) -> None:
    """One of them makes the schema, the others wait for it; all of them can write."""

    def open_and_write(i: int) -> None:
        store = Store.open(database)
        store.write(start_batch(f"r{i}"))
        store.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(open_and_write, range(12)))
    store = Store.open(database)
    assert len(store.runs()) == 12
    store.close()


def test_d5_a_newer_schema_is_a_clear_error(database: str) -> None:
    """It names both versions and says what to do, and leaves the database as it is."""
    store = Store.open(database)
    with writing(store.engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreNewer, match=r"schema 9999.*knows up to \d+: update training-auditor"):
        Store.open(database)


def test_the_newest_migration_is_alembics_head() -> None:
    """What is read off the files' names, so that a current database needs no alembic."""
    assert migrations.newest() == _scripts().get_current_head()
