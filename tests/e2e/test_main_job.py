"""The main job: a run is watched, a NaN is caught, Prometheus fires. Real processes throughout."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from support.daemon import PROGRAMS, ROOT, Auditor, Daemon, environment, under_audit
from support.process import until
from support.prometheus import prometheus_server

RULES = ROOT / "deploy/prometheus/rules/auditor.rules.yml"
INTERVAL_SECONDS = 1.0
POISONED = {"torch_digits.py": "2.weight", "keras_digits.py": "middle/kernel"}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "framework"), [("torch_digits.py", "torch"), ("keras_digits.py", "keras")])
def test_v1_a_nan_in_one_gradient_is_named_and_fires_in_prometheus(
    program: str, framework: str, daemon: Daemon, auditor: Auditor, tmp_path: Path
) -> None:
    """An unmodified script, a live daemon, the real Prometheus: rule, tensor, step; firing in two intervals."""
    with prometheus_server(
        rules=[RULES], interval=f"{INTERVAL_SECONDS:g}s", http_sd=[f"{daemon.url}/v1/targets"]
    ) as server:
        until(lambda: [t for t in server.targets() if t["health"] == "up"], 30)
        run = under_audit(auditor, program, tmp_path / "run.json", NAN_STEP="23", AUDITOR_URL=daemon.url)
        listed = auditor("alerts", "--json", "--run", run["run"], AUDITOR_URL=daemon.url)
        alert = next(a for a in json.loads(listed.stdout)["alerts"] if a["rule"] == "nonfinite_gradient")
        # Long enough that a slow machine is seen in the figure below, and is no timeout.
        firing = until(lambda: _firing(server.alerts("AuditorRunNonfinite"), run["run"]), 30)
    waited = datetime.fromisoformat(firing[0]["activeAt"]).timestamp() - alert["started_at"]
    print(f"{framework}: from the alert to firing {waited:.2f} s")  # noqa: T201 -- for who runs it with -s
    assert run["verdict"] == "diverged"
    assert run["framework"] == framework
    assert alert["subject"]["name"].endswith(POISONED[program])
    assert (alert["subject"]["kind"], alert["first_step"], alert["state"]) == ("gradient", 23, "firing")
    assert alert["evidence"]["nan"] == 1
    assert firing[0]["labels"]["rule"] == "nonfinite_gradient"
    # By the clocks of daemon and Prometheus. One scrape and one evaluation are each at most an interval
    # away; where the machine is busy one of each may come late.
    assert 0 <= waited <= 2 * (INTERVAL_SECONDS + INTERVAL_SECONDS)
    assert "last loss" in run["stdout"]


def _firing(alerts: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    return [a for a in alerts if a["labels"]["run"] == run and a["labels"]["rule"] == "nonfinite_gradient"]


@pytest.mark.slow
@pytest.mark.parametrize("program", sorted(POISONED))
def test_v2_a_healthy_script_raises_nothing(program: str, daemon: Daemon, auditor: Auditor, tmp_path: Path) -> None:
    """The same scripts without the poison: healthy, no alert, every step there."""
    run = under_audit(auditor, program, tmp_path / "run.json", AUDITOR_URL=daemon.url)
    assert (run["verdict"], run["alerts"], run["status"], run["steps"]) == ("healthy", [], "finished", 60)
    assert run["lost"] == {"dropped": 0, "reasons": {}}


@pytest.mark.slow
@pytest.mark.parametrize("program", sorted(POISONED))
def test_g5_training_under_audit_is_bit_identical(
    program: str, daemon: Daemon, auditor: Auditor, tmp_path: Path
) -> None:
    """Losses and final weights of `auditor run` equal those of plain python, bit for bit."""
    plain, audited = tmp_path / "plain.json", tmp_path / "audited.json"
    env = environment(tmp_path, RESULT=str(plain))
    subprocess.run([sys.executable, str(PROGRAMS / program)], env=env, check=True, capture_output=True, timeout=400)
    under_audit(auditor, program, tmp_path / "run.json", AUDITOR_URL=daemon.url, RESULT=str(audited))
    assert json.loads(plain.read_text()) == json.loads(audited.read_text())


@pytest.mark.slow
def test_without_a_daemon_the_same_script_is_audited_in_process(
    auditor: Auditor, tmp_path: Path, database: str
) -> None:
    """`auditor run` alone, into SQLite and PostgreSQL: the store holds the alert afterwards; no Ray."""
    where = {"AUDITOR_HOME": str(tmp_path / "alone"), "AUDITOR_DB": database}
    run = under_audit(auditor, "torch_digits.py", tmp_path / "run.json", NAN_STEP="7", **where)
    listed = auditor("alerts", "--json", **where)
    found = {alert["rule"]: alert for alert in json.loads(listed.stdout)["alerts"]}
    assert run["verdict"] == "diverged"
    assert found["nonfinite_gradient"]["first_step"] == 7
    assert found["nonfinite_gradient"]["subject"]["name"] == "2.weight"
