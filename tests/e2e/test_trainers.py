"""Scripts that leave the loop to a trainer, with no line changed; and a real Ray Train job."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor_agent.stream import wire

PROGRAMS = Path(__file__).parent / "programs"


def python(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python child that ended well."""
    done = subprocess.run(
        [sys.executable, *arguments], env=env, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


@pytest.fixture
def quiet(repo_env: dict[str, str]) -> dict[str, str]:
    """The environment of a child: no network for Hugging Face, warnings as usual, one thread."""
    return {**repo_env, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("program", ["lightning_trains.py", "transformers_trains.py"])
def test_g5_a_trainers_script_is_audited_with_no_line_changed(
    program: str, quiet: dict[str, str], tmp_path: Path
) -> None:
    """The same result to the last bit; steps, gradients and the losses of evaluations are in the store."""
    plain, audited, report = (tmp_path / name for name in ("plain.json", "audited.json", "run.json"))
    python(quiet, str(PROGRAMS / program), str(plain))
    command = ("-m", "auditor", "run", "--json", str(report), "--", sys.executable, str(PROGRAMS / program))
    python(quiet, *command, str(audited))
    assert json.loads(plain.read_text()) == json.loads(audited.read_text())
    run = json.loads(report.read_text())
    assert (run["verdict"], run["steps"], run["framework"]) == (
        "healthy",
        json.loads(plain.read_text())["steps"],
        "torch",
    )
    with contextlib.closing(sqlite3.connect(Path(quiet["AUDITOR_HOME"]) / "auditor.db")) as database:
        names = {name for (name,) in database.execute("SELECT DISTINCT name FROM scalars")}
    assert {"val_loss", "epoch", "loss"} <= names


@pytest.mark.slow
def test_a_ray_train_job_is_one_run_with_a_rank_per_worker(quiet: dict[str, str], tmp_path: Path) -> None:
    """Two workers, gloo: ranks out of the environment, reduced gradients; no agent joins Ray."""
    env = {**quiet, "AUDITOR_MODE": "offline", "RAY_USAGE_STATS_ENABLED": "0"}
    env["PYTHONPATH"] += os.pathsep + str(PROGRAMS)
    python(env, str(PROGRAMS / "ray_trains.py"), str(tmp_path / "store"))
    (folder,) = (Path(env["AUDITOR_HOME"]) / "spool").iterdir()
    assert folder.name.startswith("ray-")
    assert sorted(path.name for path in folder.iterdir()) == ["0-0", "0-1"]
    told = [rank_of(folder / f"0-{rank}") for rank in range(2)]
    assert [start["world_size"] for start, _ in told] == [2, 2]
    assert told[0][1] == told[1][1] == 6


def rank_of(folder: Path) -> tuple[dict[str, Any], int]:
    """What a rank said at its start, and how many steps it told."""
    frames = [frame for path in sorted(folder.glob("*.frames")) for frame in wire.frames(path.read_bytes())]
    start = next(frame.header for frame in frames if frame.header["type"] == "start")
    return start, sum(frame.header.get("steps", 0) for frame in frames)
