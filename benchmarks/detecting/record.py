"""Runs a program of the zoo under ``auditor run`` and keeps the frames that its agent sent.

A recording is a gzip file of frames end to end, as in a spool, in the order in which they were made,
and a JSON file beside it: what ``auditor run`` said, how long it took, the script's last line. Its
name holds digests of the program and of the agent, so that a changed agent records anew.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from auditor.store.store import Store
from auditor_agent.stream.wire import encode
from tests.zoo.index import PROGRAMS, Program

ROOT = Path(__file__).resolve().parent.parent.parent
#: A program that takes longer is killed; alone on one core none needs a fifth of it.
TIMEOUT = 180.0


@dataclass(frozen=True, slots=True)
class Case:
    """One run to be judged."""

    program: Program
    seed: int
    healthy: bool

    @property
    def faulty(self) -> bool:
        """Whether a fault is in it."""
        return self.program.fault is not None and not self.healthy

    @property
    def label(self) -> str:
        """For people: ``torch_lr_high.py 1000 twin``."""
        twin = " twin" if self.program.fault and self.healthy else ""
        return f"{self.program.name} seed {self.seed}{twin}"


@cache
def agent_digest() -> str:
    """Changes with any file of the agent."""
    folder = ROOT / "agents"
    files = sorted(path for ending in ("*.py", "*.c") for path in folder.rglob(ending))
    return _digest(*files)


@cache
def program_digest(program: Program) -> str:
    """Changes with the program, the data that it shares with others, and its command line."""
    command = " ".join(program.launcher)
    return hashlib.sha256(
        f"{_digest(PROGRAMS / f'{program.name}.py', PROGRAMS / 'zoo_data.py')}{command}".encode()
    ).hexdigest()[:10]


def _digest(*paths: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes())
    return whole.hexdigest()[:10]


def place(case: Case, cache_folder: Path) -> Path:
    """Where the frames of ``case`` lie, or will."""
    twin = "healthy" if case.healthy else "as-is"
    name = f"{case.seed}-{twin}-{program_digest(case.program)}-{agent_digest()}.frames.gz"
    return cache_folder / case.program.name / name


def stored(case: Case, cache_folder: Path, *, any_agent: bool) -> Path | None:
    """The recording of ``case``: of this agent, or with ``any_agent`` else the newest of this program."""
    exact = place(case, cache_folder)
    if exact.exists() or not any_agent:
        return exact if exact.exists() else None
    pattern = exact.name.replace(agent_digest(), "*")
    found = sorted(exact.parent.glob(pattern), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def about(recording: Path) -> dict[str, Any]:
    """What was noted beside the frames: ``result`` of `auditor run`, ``seconds``, ``code``, ``said``."""
    noted: dict[str, Any] = json.loads(recording.with_suffix("").with_suffix(".json").read_text())
    return noted


def record(case: Case, cache_folder: Path) -> Path:
    """Runs ``case`` under ``auditor run`` in a home of its own; returns its recording.

    Raises:
        RuntimeError: if the program failed where it should not, or a healthy one's steps were not recorded.
    """
    target = place(case, cache_folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zoo-") as home:
        began = time.monotonic()
        done = subprocess.run(
            _command(case, Path(home)), env=_environment(home), capture_output=True, text=True,
            timeout=TIMEOUT, check=False,
        )  # fmt: skip
        seconds = time.monotonic() - began
        result = Path(home) / "run.json"
        if not result.exists() or (done.returncode and not (case.faulty and case.program.fails)):
            raise RuntimeError(f"{case.label}: exit {done.returncode}\n{done.stderr[-2000:]}")
        found = json.loads(result.read_text())
        # A run of which nothing came is judged like any other: its fault is missed.
        frames = _frames(Path(home), found["run"]) if (Path(home) / "auditor.db").exists() else b""
    if not case.faulty and not found["steps"]:
        raise RuntimeError(f"{case.label}: no step was recorded, so its silence says nothing\n{done.stderr[-2000:]}")
    said = (done.stdout.strip().splitlines() or [""])[-1]
    notes = {"result": found, "seconds": seconds, "code": done.returncode, "said": said}
    target.with_suffix("").with_suffix(".json").write_text(json.dumps(notes))
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(gzip.compress(frames, 3))
    partial.replace(target)
    return target


def _command(case: Case, home: Path) -> list[str]:
    script = [sys.executable, *case.program.launcher, str(PROGRAMS / f"{case.program.name}.py")]
    twin = ["--healthy"] if case.healthy else []
    audit = [sys.executable, "-m", "auditor", "run", "--json", str(home / "run.json"), "--"]
    return [*audit, *script, "--seed", str(case.seed), *twin]


def _environment(home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUDITOR_")}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "agents")])
    mine = {"AUDITOR_HOME": home, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    return kept | mine | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONDONTWRITEBYTECODE": "1"}


def _frames(home: Path, run: str) -> bytes:
    """The run's frames out of its store, in the order in which they were made."""
    store = Store.open(f"sqlite:///{home / 'auditor.db'}")
    try:
        chunks = [(json.loads(chunk.header_json), chunk.payload) for chunk in store.chunks(run)]
    finally:
        store.close()
    chunks.sort(key=lambda item: float(item[0]["time"]))  # stable: each rank's own order stays
    return b"".join(encode(header, payload) for header, payload in chunks)
