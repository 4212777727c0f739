"""The demo's processes: a daemon, and three training programs under ``auditor run``."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from auditor.cli.client import answers, find_daemon
from auditor.cli.problems import Problem

PROJECT = "demo"
PROGRAMS = Path(__file__).parent / "programs"
#: Seconds that the daemon has to start (Ray takes five on an idle machine), and to end.
_START_SECONDS, _STOP_SECONDS = 150.0, 30.0
_AUDITOR = (sys.executable, "-m", "auditor")


@dataclass(frozen=True, slots=True)
class Program:
    """One of the demo's training scripts, and what is to come of it."""

    title: str
    script: str
    verdict: str


HEALTHY = Program("PyTorch, healthy", "torch_healthy.py", "healthy")
BROKEN = Program("PyTorch, goes NaN", "torch_nan.py", "diverged")
KERAS = Program("Keras, same model", "keras_healthy.py", "healthy")
CAST = (HEALTHY, BROKEN, KERAS)


@dataclass(slots=True)
class Act:
    """A program in its own process: its run id, and where its output and its result go."""

    program: Program
    run: str
    process: subprocess.Popen[bytes]
    log: Path
    result_file: Path
    _output: IO[bytes] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    def result(self) -> dict[str, Any]:
        """What ``auditor run --json`` wrote; empty if it wrote nothing."""
        try:
            value = json.loads(self.result_file.read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def stop(self) -> None:
        """Ends the process if it still runs."""
        if not self.ended:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._output.close()


@contextmanager
def daemon(folder: Path) -> Iterator[tuple[str, bool]]:
    """The URL of a daemon, and whether it was started for this: one that lives already is used.

    Raises:
        Problem: if it does not start; its output is in ``folder``.
    """
    if (url := find_daemon()) is not None:
        if not answers(url):
            raise Problem(f"no answer from the daemon at {url}", "unset AUDITOR_URL to let the demo start its own")
        yield url, False
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "daemon.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_AUDITOR, "serve", "--port", str(port)], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        try:
            _wait_until_up(process, url, log)
            yield url, True
        finally:
            _end(process)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise Problem(f"the daemon did not start: {lines[-1]}", f"all it said: {log}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """A port that nobody listens on now; the system's own range, clear of Ray's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def acts(url: str, folder: Path, programs: Sequence[Program] = CAST) -> Iterator[list[Act]]:
    """The programs, started side by side under ``auditor run``; those that still run at the end are ended."""
    tag = secrets.token_hex(3)
    playing: list[Act] = []
    try:
        playing.extend(_start(program, tag, url, folder) for program in programs)
        yield playing
    finally:
        for act in playing:
            act.stop()


def _start(program: Program, tag: str, url: str, folder: Path) -> Act:
    name = Path(program.script).stem
    run = f"{name}-{tag}"
    log, result = folder / f"{run}.log", folder / f"{run}.json"
    command = [*_AUDITOR, "run", "--name", name, "--project", PROJECT, "--json", str(result), "--"]
    output = log.open("wb")
    process = subprocess.Popen(
        [*command, sys.executable, str(PROGRAMS / program.script)],
        env=os.environ | {"AUDITOR_URL": url, "AUDITOR_RUN": run},
        stdout=output, stderr=output, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Act(program, run, process, log, result, output)
