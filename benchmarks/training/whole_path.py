"""Unmodified training scripts under `auditor run`, agent, wire, store and rules included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "tests" / "e2e" / "programs"
STEPS = 400


def audited(program: str, seed: int) -> dict[str, Any]:
    """What `auditor run` says of one run of ``program``, in a store of its own.

    Raises:
        RuntimeError: if the script failed.
    """
    with tempfile.TemporaryDirectory() as home:
        result = Path(home) / "run.json"
        paths = os.pathsep.join([str(ROOT), str(ROOT / "agents")])
        mine = {"AUDITOR_HOME": home, "PYTHONPATH": paths, "SEED": str(seed), "STEPS": str(STEPS)}
        mine["OMP_NUM_THREADS"] = "1"  # several run side by side
        command = [sys.executable, "-m", "auditor", "run", "--json", str(result), "--", sys.executable]
        done = subprocess.run(
            [*command, str(PROGRAMS / program)], env=os.environ | mine, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} with seed {seed} failed:\n{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(result.read_text())
        return found


def runs(program: str, seeds: range, workers: int = 2) -> Iterator[tuple[int, dict[str, Any]]]:
    """(seed, result) of each seed, some at a time."""
    with ThreadPoolExecutor(workers) as pool:
        yield from zip(seeds, pool.map(lambda seed: audited(program, seed), seeds), strict=True)
