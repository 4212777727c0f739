from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from auditor.model import Alert, AlertState, Severity, Subject
from auditor.store import Store, retention
from auditor.store.tables import METADATA
from support.chunks import steps_batch


def filled(store: Store, runs: int) -> None:
    """Writes runs r0, r1, ..., a second apart, each with an alert."""
    for i in range(runs):
        subject = Subject("run", "r")
        alert = Alert(f"a{i}", f"r{i}", 0, "x", Severity.INFO, AlertState.FIRING, subject, 1, 1, 1.0, 1.0)
        store.write(replace(steps_batch(f"r{i}", 0, range(20)), time=100.0 + i, alerts=[alert]))


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ({"older_than": 103.0}, ["r5", "r4", "r3"]),
        ({"keep": 2}, ["r5", "r4"]),
        ({"run": "r3"}, ["r5", "r4", "r2", "r1", "r0"]),
        ({"run": "r5", "keep": 5}, ["r4", "r3", "r2", "r1"]),
        ({"run": "unknown"}, ["r5", "r4", "r3", "r2", "r1", "r0"]),
        ({}, ["r5", "r4", "r3", "r2", "r1", "r0"]),
        ({"keep": 0}, []),
    ],
)
def test_a_purge_takes_what_its_conditions_name(store: Store, conditions: dict[str, object], left: list[str]) -> None:
    """By age, by number, by name; without a condition nothing goes."""
    filled(store, 6)
    assert store.purge(**conditions) == 6 - len(left)  # type: ignore[arg-type]
    assert [run.run for run in store.runs()] == left
    assert {alert.run for alert in store.alerts()} == set(left)


def test_d10_nothing_of_a_purged_run_is_left(store: Store) -> None:
    """In no table."""
    filled(store, 1)
    store.purge(run="r0")
    with store.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0, table.name


def test_a_large_run_goes_in_bounded_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each transaction deletes at most so many frames and scalars."""
    monkeypatch.setattr(retention, "FRAMES_AT_ONCE", 4)
    monkeypatch.setattr(retention, "SCALARS_AT_ONCE", 7)
    for seq in range(10):
        store.write(steps_batch("r", seq, [2 * seq, 2 * seq + 1]))
    deleted: list[int] = []

    def watch(_connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE"):
            deleted.append(cursor.rowcount)  # type: ignore[attr-defined]

    sa.event.listen(store.engine, "after_cursor_execute", watch)
    assert store.purge(run="r") == 1
    assert max(deleted) == 7
    assert sum(deleted) >= 10 + 20
    assert store.runs() == []


def test_d10_retention_bounds_the_file(tmp_path: Path) -> None:
    """A file that keeps ten runs does not grow with the hundreds that passed through it."""
    store = Store.open(f"sqlite:///{tmp_path}/a.db")
    sizes = []
    for i in range(150):
        store.write(replace(steps_batch(f"r{i}", 0, range(50), count=20), time=float(i)))
        if i % 10 == 9:
            store.purge(keep=10)
            with store.engine.connect() as connection:
                pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            sizes.append(pages)
    assert len(store.runs()) == 10
    assert sizes[-1] <= 1.2 * sizes[0]
    store.purge(keep=0)
    store.close()
    assert (tmp_path / "a.db").stat().st_size < 300_000
