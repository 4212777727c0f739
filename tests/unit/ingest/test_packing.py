"""When the daemon packs the curves of a run: once it has ended, one at a time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from auditor.ingest import service
from auditor.store import Store, packed
from auditor.store.errors import StoreUnavailable
from auditor.store.tables import PACKED
from support.app import App, application
from support.frames import Sender

#: What a sender of these tests tells, and what is derived from it.
CURVES = {"loss", "lr", "grad_norm"}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten steps make a long curve here."""
    monkeypatch.setattr(packed, "LEAST", 10)


def names(store: Store) -> set[str]:
    """The curves that are packed."""
    with store.engine.connect() as connection:
        return set(connection.scalars(sa.select(PACKED.c.name)))


def told(app: App, *, until: int = 30) -> Sender:
    """A run that has told steps."""
    sender = Sender()
    app.frames(sender.start(), sender.steps(range(until)))
    return sender


def test_a_run_is_packed_once_it_has_ended_and_again_when_more_comes(tmp_path: Path) -> None:
    """Not while it goes; a curve each time the watchdog looks."""
    with application(tmp_path) as app:
        sender = told(app)
        app.tick(20)
        assert names(app.service.store) == set()
        app.frames(sender.finish(step=29))
        app.settle()
        app.tick(1)
        assert len(names(app.service.store)) == 1
        app.tick(20)
        assert names(app.service.store) == CURVES
        app.frames(sender.steps(range(30, 35)))
        app.settle()
        assert names(app.service.store) == set()
        app.tick(20)
        assert names(app.service.store) == CURVES


def test_a_daemon_that_ends_packs_what_is_due(tmp_path: Path, database: str) -> None:
    """As the one that ``auditor run`` brings along does, right after the job."""
    store = Store.open(database)
    with application(tmp_path, store=store) as app:
        sender = told(app)
        app.frames(sender.finish(step=29))
        app.settle()
    assert names(store) == CURVES
    store.close()


def test_a_store_that_fails_leaves_rows_and_a_watchdog_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be packed is read from its rows."""
    with application(tmp_path) as app:
        sender = told(app)
        app.frames(sender.finish(step=29))
        app.settle()
        with monkeypatch.context() as broken:
            broken.setattr(Store, "pack", _unavailable)
            app.tick(3)
        app.tick(3)
        assert names(app.service.store) == set()
        assert len(app.get("/v1/runs/r1/scalars", names="loss")["scalars"]["loss"]["step"]) == 30


def _unavailable(_store: Store, _run: str) -> bool:
    raise StoreUnavailable("the disk is full")


def test_a_look_that_has_begun_is_waited_for_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread holds a connection: a database closed beside it would keep its last commits in the -wal file."""
    began, pack = threading.Event(), Store.pack

    def slow(store: Store, run: str) -> bool:
        with store.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            began.set()
            time.sleep(0.3)
        return pack(store, run)

    monkeypatch.setattr(Store, "pack", slow)
    monkeypatch.setattr(service, "PACK_SECONDS", 0.0)
    database = tmp_path / "looks.db"
    with application(tmp_path, db=f"sqlite:///{database}", watchdog_interval=0.01) as app:
        app.frames(told(app).finish(step=29))
        assert began.wait(5)
        assert Path(f"{database}-wal").exists()
    assert not Path(f"{database}-wal").exists()
