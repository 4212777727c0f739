"""What the doctor sees, and that it only looks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import checks
from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings
from tests.unit.cli.conftest import Call


def findings(call: Call, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """The doctor's findings by check."""
    told = json.loads(call("doctor", "--json", *arguments, code=code).stdout)
    return {item["check"]: item for item in told["checks"]}


def test_a_fresh_home_is_fine_and_stays_untouched(auditor_home: Path, call: Call) -> None:
    """No daemon is no problem; nothing is made."""
    found = findings(call, "--check")
    assert found["daemon"]["level"] == "note"
    assert found["database"]["level"] == "ok"
    assert not auditor_home.exists()
    assert "python" in call("doctor").stdout


def test_runs_in_the_store_are_counted(runs: Path, call: Call) -> None:
    """The schema is ours."""
    assert findings(call)["database"]["found"].startswith("4 runs")


def test_a_daemon_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """Exit code 1 with --check."""
    monkeypatch.setenv("AUDITOR_URL", "http://127.0.0.1:9")
    assert findings(call, "--check", code=1)["daemon"]["level"] == "problem"


def test_a_daemon_that_asks_for_a_token_is_recognised(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """It is healthy; the token is what is wrong."""
    with hosted(load_settings(port=0, token="sesame")) as url:
        monkeypatch.setenv("AUDITOR_URL", url)
        found = findings(call, "--check", code=1)
        assert found["daemon"]["level"] == "ok"
        assert found["token"]["level"] == "problem"
        monkeypatch.setenv("AUDITOR_TOKEN", "sesame")
        assert "token" not in findings(call, "--check")


def test_frames_in_the_spool_are_a_warning(auditor_home: Path, call: Call) -> None:
    """With the command that delivers them."""
    folder = auditor_home / "spool" / "lost-run" / "0-0"
    folder.mkdir(parents=True)
    (folder / "000000000000.frames").write_bytes(b"x" * 1000)
    found = findings(call)["spool"]
    assert (found["level"], "lost-run" in found["found"], "sync" in found["hint"]) == ("warning", True, True)


def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """Before the database says so."""
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage)
    assert findings(call, "--check", code=1)["disk"]["level"] == "problem"


def test_s7_a_password_in_the_database_url_is_not_shown() -> None:
    """Reports are pasted into issues."""
    assert checks._hidden("postgresql+psycopg://me:secret@host/db") == "postgresql+psycopg://me:***@host/db"
    assert checks._hidden("sqlite:////home/x.db") == "sqlite:////home/x.db"
