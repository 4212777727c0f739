"""Runs a side of a pair under ``auditor run`` and keeps its store, so that comparing can be tried again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "tests" / "programs" / "pairs"
TIMEOUT = 240.0


def place(side: str, seed: int, cache: Path) -> Path:
    """The folder of a side's store; it changes with the program and what it shares with others."""
    program, *_ = side.split()
    parts = [(PROGRAMS / name).read_bytes() for name in (f"{program}.py", "settings.py")]
    digest = hashlib.sha256(b"".join([*parts, side.encode()])).hexdigest()[:12]
    return cache / f"{program}-{digest}-{seed}"


def record(side: str, seed: int, cache: Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        RuntimeError: if the program failed.
    """
    program, *options = side.split()
    return run_into(place(side, seed, cache), PROGRAMS / f"{program}.py", f"seed={seed}", *options)


def run_into(folder: Path, program: Path, *options: str) -> Path:
    """The folder with the store of a program's run, which is made if it is not there.

    Raises:
        RuntimeError: if the program failed.
    """
    if (folder / "run.json").exists():
        return folder
    with tempfile.TemporaryDirectory(prefix="pairs-") as home:
        command = [sys.executable, "-m", "auditor", "run", "--json", f"{home}/run.json", "--"]
        command += [sys.executable, str(program), *options]
        done = subprocess.run(
            command, env=_environment(home), capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program.stem} {' '.join(options)}: exit {done.returncode}\n{done.stderr[-1500:]}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("auditor.db", "run.json"):
            shutil.copy(Path(home) / name, folder / name)
    return folder


def run_of(folder: Path) -> str:
    """The id of the run in a folder."""
    return str(json.loads((folder / "run.json").read_text())["run"])


def _environment(home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUDITOR_")}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "agents")])
    mine = {"AUDITOR_HOME": home, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    return kept | mine | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONDONTWRITEBYTECODE": "1"}
