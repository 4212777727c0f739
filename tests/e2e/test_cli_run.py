"""``auditor run`` with real scripts: with a daemon, without one, with one that never answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings

TRAINS = """
import sys, torch
torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(64, 4); y = x.sum(dim=1, keepdim=True)
for step in range(30):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    if BREAK and step == 11:
        loss = loss * float("nan")
    loss.backward()
    optimizer.step()
print("done")
sys.exit(CODE)
"""


def auditor(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Calls the command line as a process."""
    command = [sys.executable, "-m", "auditor", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)


def script(folder: Path, *, breaks: bool = False, code: int = 0) -> str:
    """A training script that goes NaN at its 12th step, or not."""
    path = folder / "train.py"
    path.write_text(TRAINS.replace("BREAK", str(breaks)).replace("CODE", str(code)))
    return str(path)


def run(env: dict[str, str], folder: Path, *options: str, **kind: Any) -> tuple[Any, dict[str, Any]]:
    """Runs a script under audit; the process and what ``--json`` wrote."""
    file = folder / "result.json"
    done = auditor(env, "run", "--json", str(file), *options, "--", sys.executable, script(folder, **kind))
    return done, json.loads(file.read_text())


def test_without_a_daemon_the_run_is_audited_in_process(repo_env: dict[str, str], tmp_path: Path) -> None:
    """Verdict on stderr and in JSON, stdout untouched, the run in the store afterwards.

    What could not be judged is a line at the end of a run, a list where it is asked for.
    """
    done, result = run(repo_env, tmp_path, "--name", "plain")
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "healthy" in done.stderr
    assert (result["verdict"], result["status"], result["steps"], result["alerts"]) == ("healthy", "finished", 30, [])
    shown = json.loads(auditor(repo_env, "show", result["run"], "--json").stdout)
    assert shown["name"] == "plain"
    some = next(iter(shown["unjudged"]))
    assert f"{len(shown['unjudged'])} rules could not judge this run; why: auditor show {result['run']}" in done.stderr
    assert some not in done.stderr
    assert some in auditor(repo_env, "show", result["run"]).stdout


def test_g1_v1_a_nan_is_named_and_the_exit_code_kept(repo_env: dict[str, str], tmp_path: Path) -> None:
    """The script's own code, whatever the audit found; a comparison with a run of before on request."""
    _, good = run(repo_env, tmp_path)
    done, result = run(repo_env, tmp_path, "--baseline", good["run"], breaks=True, code=7)
    assert done.returncode == 7
    assert result["verdict"] == "diverged"
    first = min(result["alerts"], key=lambda alert: alert["first_step"])
    assert first["rule"] in {"nonfinite_loss", "nonfinite_gradient"}
    assert result["baseline"]["verdict"] == "mismatch"
    assert "nonfinite_gradient" in done.stderr


def test_a_live_daemon_is_used(repo_env: dict[str, str], auditor_home: Path, tmp_path: Path) -> None:
    """At AUDITOR_URL; the embedded database of this home is not even made."""
    elsewhere = load_settings(port=0, home=tmp_path / "daemon")
    with hosted(elsewhere) as url:
        _, result = run(repo_env | {"AUDITOR_URL": url}, tmp_path)
    assert result["verdict"] == "healthy"
    assert not (auditor_home / "auditor.db").exists()


def test_a_daemon_that_never_answers_costs_nothing_but_a_sync(repo_env: dict[str, str], tmp_path: Path) -> None:
    """The job runs to its end, says so, and ``auditor sync`` delivers every step."""
    done, result = run(repo_env | {"AUDITOR_URL": "http://127.0.0.1:9"}, tmp_path)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert "auditor sync" in done.stderr
    assert result["verdict"] == "unknown"
    synced = auditor(repo_env, "sync", "--json")
    assert synced.returncode == 0, synced.stderr
    (delivered,) = json.loads(synced.stdout)["delivered"]
    assert (delivered["run"], delivered["steps"], delivered["remaining"]) == (result["run"], 30, 0)
    shown = json.loads(auditor(repo_env, "show", result["run"], "--json").stdout)
    assert (shown["verdict"], shown["steps"], shown["lost"]["dropped"]) == ("healthy", 30, 0)
    assert json.loads(auditor(repo_env, "sync", "--json").stdout)["delivered"] == []


def test_a_script_that_trains_nothing_is_said(repo_env: dict[str, str], tmp_path: Path) -> None:
    """No verdict is made up."""
    file = tmp_path / "result.json"
    done = auditor(repo_env, "run", "--json", str(file), "--", sys.executable, "-c", "print('hello')")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    assert "nothing was recorded" in done.stderr
    assert json.loads(file.read_text())["verdict"] == "unknown"


def test_a_program_that_is_not_there_is_said(repo_env: dict[str, str]) -> None:
    """As a shell says it: 127."""
    assert auditor(repo_env, "run", "--", "no-such-program-here").returncode == 127


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_shows_what_it_claims(repo_env: dict[str, str], auditor_home: Path) -> None:
    """A real daemon on Ray, three real programs; afterwards no process and no note of the daemon is left."""
    done = auditor(repo_env, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nonfinite_gradient" in done.stdout
    assert (auditor_home / "demo" / "comparison.html").stat().st_size > 20_000
    assert not (auditor_home / "daemon.json").exists()


ENDLESS = """
import time, torch
torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(64, 4); y = x.sum(dim=1, keepdim=True)
for step in range(4000):
    time.sleep(0.01)
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    if step == 60:
        loss = loss * float("nan")
    loss.backward()
    optimizer.step()
print("done")
"""
DEAF = """
import time, auditor_agent
from auditor_agent.run import open_run
run = open_run("torch")
for step in range(6000):
    run.record(step, {"loss": float("nan") if step > 30 else 1.0})
    time.sleep(0.01)
print("done")
"""


@pytest.mark.parametrize(("program", "codes"), [(ENDLESS, {1}), (DEAF, {130})], ids=["asks", "does not ask"])
def test_stop_on_critical_ends_the_training_and_leaves_the_evidence(
    repo_env: dict[str, str], tmp_path: Path, program: str, codes: set[int]
) -> None:
    """A script that goes NaN ends soon after, by itself or by SIGINT: status stopped, every step before it stored."""
    path, file = tmp_path / "train.py", tmp_path / "result.json"
    path.write_text(program)
    done = auditor(repo_env, "run", "--stop-on", "critical", "--json", str(file), "--", sys.executable, str(path))
    result = json.loads(file.read_text())
    assert done.returncode in codes, done.stderr
    assert "done" not in done.stdout
    assert (result["status"], result["verdict"]) == ("stopped", "diverged")
    assert result["steps"] < 3500
    assert result["alerts"][0]["first_step"] in {31, 61}
    assert result["lost"] == {"dropped": 0, "reasons": {}}
