"""``auditor grafana sync``: what it hands on. What it says to Grafana is tests/contract/test_grafana.py's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.alerts import grafana
from tests.unit.cli.conftest import Call


def test_it_hands_on_every_alert(runs: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the addresses given; the report is what is printed."""
    seen: dict[str, Any] = {}

    def sync(url: str, token: str, **rest: Any) -> grafana.SyncReport:
        seen.update(url=url, token=token, **rest)
        return grafana.SyncReport(folder="created", url="http://g/d/x")

    monkeypatch.setattr(grafana, "sync", sync)
    told = call("grafana", "sync", "--url", "http://g", "--token", "t", "--prometheus-url", "http://p", "--json")
    assert {alert["run"] for alert in seen["alerts"]} == {"broken"}
    assert (seen["url"], seen["token"], seen["prometheus_url"]) == ("http://g", "t", "http://p")
    assert json.loads(told.stdout)["folder"] == "created"


def test_a_refusal_is_a_problem(runs: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, exit code 2; the token is not in it."""

    def refuse(*_: Any, **__: Any) -> None:
        raise grafana.GrafanaSyncError("Grafana refuses the token")

    monkeypatch.setattr(grafana, "sync", refuse)
    result = call("grafana", "sync", "--url", "http://g", "--token", "sesame", code=2)
    assert "refuses" in result.stderr
    assert "sesame" not in result.stderr


def test_it_asks_for_what_it_needs(auditor_home: Path, call: Call) -> None:
    """Address and token, by option or by environment."""
    assert "--url" in call("grafana", "sync", code=2).stderr
