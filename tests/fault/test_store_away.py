"""D5: a store that cannot be used is said to be so; agents keep what they have and nothing is lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.ingest import faults, gate
from auditor.store import Store, StoreUnavailable
from auditor.store.records import Committed, WriteBatch
from support.app import application
from support.frames import Sender


def test_d5_a_database_that_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive but not ready, with the reason and what to do; ready by itself once the path is usable."""
    monkeypatch.setattr(gate, "_RETRY_SECONDS", 0.0)
    folder = tmp_path / "data"
    folder.write_text("a file where a folder should be")
    sender = Sender()
    body = sender.start() + sender.steps([0, 1])
    with application(tmp_path / "home", db=f"sqlite:///{folder}/auditor.db") as app:
        assert app.client.get("/healthz").status_code == 200
        unready = app.client.get("/readyz")
        assert (unready.status_code, unready.json()["error"]) == (503, "unavailable")
        assert unready.json()["detail"]
        for answer in (app.client.post("/v1/frames", content=body), app.client.get("/v1/runs")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert set(answer.json()) == {"error", "detail", "hint"}
        assert "auditor_ready 0.0" in app.client.get("/metrics").text
        folder.unlink()
        assert app.frames(body)["committed"] == [[0, 0, 0], [0, 0, 1]]
        assert app.client.get("/readyz").status_code == 200


def test_d5_a_store_that_is_away_is_no_internal_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The watchdog of a daemon without a store logs no traceback: what is wrong is said once, in a line."""
    monkeypatch.delenv("AUDITOR_RAISE")
    monkeypatch.setattr(faults.guarded, "_logged", {})
    (tmp_path / "data").write_text("a file where a folder should be")
    with application(tmp_path / "home", db=f"sqlite:///{tmp_path}/data/auditor.db") as app:
        assert app.client.get("/readyz").status_code == 503
        time.sleep(0.2)  # in which it looks for the first time
    told = [record for record in caplog.records if record.name.startswith("auditor")]
    assert len(told) == 1
    assert "AUDITOR_DB" in told[0].getMessage()
    assert told[0].exc_info is None


def test_d5_a_database_of_a_newer_daemon(tmp_path: Path) -> None:
    """Not touched, not ready, and the reason names the version."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with application(tmp_path, db=url) as app:
        answer = app.client.get("/readyz")
        assert answer.status_code == 503
        assert "update training-auditor" in answer.json()["detail"]


class Moody(Store):
    """A store whose writes fail while ``full``."""

    full = False

    def write_all(self, batches: Sequence[WriteBatch]) -> list[Committed]:
        """Fails as a full disk does, or writes."""
        if self.full:
            raise StoreUnavailable("the store is unavailable (database or disk is full): free some space")
        return super().write_all(batches)


def test_d5_a_disk_that_fills_up_in_mid_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are refused with 503, sent again and then stored and judged once: the NaN is not missed."""
    store = Moody.open(f"sqlite:///{tmp_path / 'a.db'}")
    sender = Sender()
    with application(tmp_path, store=store) as app:
        app.frames(sender.start(), sender.steps([0, 1]))
        store.full = True
        frame = sender.steps([2], nan=(1,))
        for _ in range(3):
            answer = app.client.post("/v1/frames", content=frame)
            assert (answer.status_code, "full" in answer.json()["detail"]) == (503, True)
            app.settle()
        assert "full" in app.client.get("/readyz").json()["detail"]
        store.full = False
        shown: dict[str, Any] = app.get("/v1/runs/r1")
        assert (shown["steps"], shown["alerts"]) == (2, [])
        answer_now = app.frames(frame)
        assert (answer_now["committed"], answer_now["verdict"]) == ([[0, 0, 2]], "diverged")
        assert app.client.get("/readyz").status_code == 200
        (alert,) = app.get("/v1/runs/r1")["alerts"]
        assert (alert["rule"], alert["first_step"], alert["evidence"]["occurrences"]) == ("nonfinite_gradient", 2, 1)
    store.close()


def test_d5_the_failure_of_a_write_is_forgotten_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes to an unready daemon: readiness must not wait for a write that never comes."""
    store = Moody.open(f"sqlite:///{tmp_path / 'a.db'}")
    with application(tmp_path, store=store) as app:
        store.full = True
        assert app.client.post("/v1/frames", content=Sender().start()).status_code == 503
        store.full = False
        assert app.client.get("/readyz").status_code == 503
        later = time.monotonic() + 60.0
        monkeypatch.setattr(gate.time, "monotonic", lambda: later)
        assert app.client.get("/readyz").status_code == 200
    store.close()
