from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_v2_healthy_digits_raise_nothing_in_torch_and_keras(repo_env: dict[str, str]) -> None:
    """The smoke version of `make false-alarms`: three seeds each, not one alert of warning or above."""
    script = [sys.executable, str(ROOT / "benchmarks" / "false_alarms.py"), "--only", "batch_of_one"]
    done = subprocess.run(
        [*script, "--seeds", "1", "--digits", "3"],
        env=repo_env,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    for program in ("torch_digits.py", "keras_digits.py"):
        assert f"{program:24} 3/3 silent and complete" in done.stdout
