"""The daemon dies, or never lived: the job does not notice and nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.daemon import PROGRAMS, Auditor, Daemon, environment
from support.process import free_port

STEPS = 400


@pytest.mark.slow
@pytest.mark.parametrize("death", ["kill", "lose"])
def test_d1_a_daemon_killed_in_mid_run_and_restarted_has_every_step_once(
    death: str, auditor: Auditor, tmp_path: Path
) -> None:
    """Kill -9 while a job runs, of `auditor serve` or of all that it started; then each step is there once."""
    served = Daemon(tmp_path, free_port())
    env = environment(
        tmp_path, AUDITOR_URL=served.url, AUDITOR_RUN="survivor", STEPS=str(STEPS), STEP_SECONDS="0.03"
    )  # about 12 s of training: longer than a restart of the daemon takes
    try:
        served.start()
        command = [sys.executable, "-m", "auditor", "run", "--", sys.executable, str(PROGRAMS / "torch_digits.py")]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as job:
            time.sleep(4)
            getattr(served, death)()
            time.sleep(1)
            served.start()
            out, err = job.communicate(timeout=400)
        assert job.returncode == 0, err
        assert "last loss" in out
        auditor("sync", AUDITOR_URL=served.url, AUDITOR_HOME=str(tmp_path))
        exported = tmp_path / "run.parquet"
        done = auditor("export", "survivor", "--parquet", str(exported), AUDITOR_URL=served.url)
        assert done.returncode == 0, done.stderr
        assert steps_of(exported) == sorted(list(range(1, STEPS + 1)) * 6)
        shown = json.loads(auditor("show", "survivor", "--json", AUDITOR_URL=served.url).stdout)
        assert (shown["status"], shown["steps"], shown["lost"]["dropped"]) == ("finished", STEPS, 0)
    finally:
        served.stop()


def steps_of(parquet: Path) -> list[int]:
    """The steps of all gradient rows, in order."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(parquet)
    return sorted(table.filter(pc.equal(table["kind"], "gradient"))["step"].to_pylist())


@pytest.mark.slow
def test_d1_without_any_daemon_the_job_runs_on_and_sync_delivers_it_later(auditor: Auditor, tmp_path: Path) -> None:
    """No one listens at AUDITOR_URL: the script ends as ever; `auditor sync` brings all of it in."""
    served = Daemon(tmp_path, free_port())
    env = {"AUDITOR_URL": served.url, "AUDITOR_HOME": str(tmp_path), "AUDITOR_RUN": "lonely", "NAN_STEP": "31"}
    done = auditor("run", "--", sys.executable, str(PROGRAMS / "torch_digits.py"), **env)
    assert done.returncode == 0, done.stderr
    assert "last loss" in done.stdout
    try:
        served.start()
        synced = auditor("sync", AUDITOR_URL=served.url, AUDITOR_HOME=str(tmp_path))
        assert synced.returncode == 0, synced.stderr
        shown = json.loads(auditor("show", "lonely", "--json", AUDITOR_URL=served.url).stdout)
    finally:
        served.stop()
    alerts = {alert["rule"]: alert for alert in shown["alerts"]}
    assert shown["steps"] == 60
    assert (alerts["nonfinite_gradient"]["first_step"], alerts["nonfinite_gradient"]["subject"]["name"]) == (
        31,
        "2.weight",
    )
