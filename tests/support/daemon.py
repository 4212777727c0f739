"""The daemon as people start it and the CLI as people call it, for tests of real processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.process import answers, until

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "tests/e2e/programs"


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a child process of these tests lives in: this checkout's code, a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUDITOR_", "PYTHONWARNINGS"))}
    paths = [str(ROOT), str(ROOT / "agents"), kept.get("PYTHONPATH", "")]
    return kept | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "AUDITOR_HOME": str(home),
        "AUDITOR_RAISE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        **more,
    }


#: Set in a daemon and in all that it starts, so that a test can lose the whole of it.
MARK = "TEST_DAEMON"


@dataclass
class Daemon:
    """`auditor serve` on a port of its own; killed and started again at will."""

    home: Path
    port: int
    more: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 60.0) -> None:
        """Starts it and waits until it is ready."""
        command = [sys.executable, "-m", "auditor", "serve", "--port", str(self.port)]
        marked = {MARK: str(self.port), **self.more}
        with (self.home / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment(self.home, **marked), stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: (self._noted() and answers(f"{self.url}/readyz")) or self._died(), seconds)

    def _noted(self) -> bool:
        """Whether daemon.json names this process: replicas of a killed one may answer for a while."""
        try:
            note = json.loads((self.home / "daemon.json").read_text())
        except (OSError, ValueError):
            return False
        return self.process is not None and note["pid"] == self.process.pid

    def _died(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"auditor serve ended:\n{(self.home / 'serve.log').read_text()[-3000:]}")
        return False

    def kill(self) -> None:
        """The process that people started, with its group, without a word."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def lose(self) -> None:
        """Everything of it at once, Ray's processes too: what a lost machine does."""
        self.kill()
        mark = f"{MARK}={self.port}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)

    def stop(self) -> int:
        """Asks it to end; its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.kill()


Auditor = Callable[..., subprocess.CompletedProcess[str]]


def under_audit(
    auditor: Auditor, program: str, result: Path, options: Sequence[str] = (), **more: str
) -> dict[str, Any]:
    """`auditor run` of one of the programs; the JSON it wrote. The program must have succeeded."""
    command = ["run", "--json", str(result), *options, "--", sys.executable, str(PROGRAMS / program)]
    done = auditor(*command, **more)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(result.read_text())
    return found | {"stdout": done.stdout, "stderr": done.stderr}
