"""G1, G8, G12: a disk that fails costs the job nothing; what it cannot hold stays in memory, bounded."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor_agent.run import Run
from auditor_agent.stream import spool as spool_module
from support.agent import balanced, child_env, train
from support.fake_daemon import FakeDaemon

Opener = Callable[..., Run]
ERRORS = ["ENOSPC", "EACCES", "EROFS", "EMFILE", "EIO", "EDQUOT"]


class BrokenDisk:
    """Makes one system call fail, for files of the spool only, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, error: str) -> None:
        self.broken, self.failures = True, 0
        self._error = getattr(errno, error)
        real = getattr(os, call)

        def fail(first: Any, *args: Any, **kwargs: Any) -> Any:
            if self.broken and "spool" in self._path(first):
                self.failures += 1
                raise OSError(self._error, os.strerror(self._error))
            return real(first, *args, **kwargs)

        monkeypatch.setattr(os, call, fail)

    @staticmethod
    def _path(target: Any) -> str:
        return str(Path(f"/proc/self/fd/{target}").readlink()) if isinstance(target, int) else os.fspath(target)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("call", ["mkdir", "open", "write", "pwrite", "ftruncate", "unlink"])
def test_g1_g8_g12_a_broken_disk_with_a_daemon_loses_nothing(
    call: str, error: str, fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever system call fails: memory holds what the disk does not, and every step arrives."""
    disk = BrokenDisk(monkeypatch, call, error)
    run = new_run()
    train(run, 100)
    run.finish()
    assert balanced(run) == {"produced": 100, "sent": 100, "pending": 0, "dropped": {}}
    assert fake_daemon.steps() == 100
    assert disk.failures or call in ("ftruncate", "unlink")


@pytest.mark.parametrize("error", ["ENOSPC", "EROFS", "EIO"])
def test_g1_g8_g12_a_full_disk_without_a_daemon_stays_within_memory_bounds(
    error: str, no_daemon: str, new_run: Opener, monkeypatch: pytest.MonkeyPatch, log_lines: list[str]
) -> None:
    """Memory only, the oldest dropped and counted, one warning."""
    monkeypatch.setattr(spool_module, "MEMORY_BYTES", 600 << 10)
    BrokenDisk(monkeypatch, "write", error)
    run = new_run()
    for part in range(12):
        train(run, 1000, first=part * 1000)
        time.sleep(0.05)
        run._sender.wake()
    time.sleep(0.2)
    run.finish()
    counts = balanced(run)
    assert counts["produced"] == 12_000
    assert counts["dropped"]["memory_full"] > 0
    assert sum(segment.size for segment in run._sender._spool._segments) <= 600 << 10
    assert len([line for line in log_lines if "spool cannot be written" in line]) == 1


def test_g8_g12_the_spool_stays_within_its_bytes(
    no_daemon: str, new_run: Opener, monkeypatch: pytest.MonkeyPatch, auditor_home: Path
) -> None:
    """The oldest segments go first, and are counted."""
    monkeypatch.setenv("AUDITOR_SPOOL_BYTES", str(1 << 20))
    run = new_run()
    for part in range(40):
        train(run, 500, first=part * 500)
        run._sender.wake()
        time.sleep(0.02)
    run.finish()
    assert sum(path.stat().st_size for path in auditor_home.rglob("*.frames")) <= 1 << 20
    counts = balanced(run)
    assert counts["produced"] == 20_000
    assert counts["dropped"]["spool_full"] == 20_000 - counts["pending"]
    assert min(path.name for path in auditor_home.rglob("*.frames")) > "000000000000.frames"


def test_g8_a_disk_that_works_again_takes_what_memory_held(
    no_daemon: str, new_run: Opener, monkeypatch: pytest.MonkeyPatch, auditor_home: Path
) -> None:
    """What was kept in memory while the disk was full is on disk at the end, in order."""
    monkeypatch.setattr(spool_module, "DISK_RETRY", 0.0)
    disk = BrokenDisk(monkeypatch, "write", "ENOSPC")
    run = new_run()
    train(run, 100)
    time.sleep(0.4)
    disk.broken = False
    train(run, 100, first=100)
    run.finish()
    assert disk.failures
    assert balanced(run)["pending"] == 200
    assert all(segment.path is not None for segment in run._sender._spool._segments)


def test_g1_g12_spool_files_that_vanish_are_counted(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch, auditor_home: Path
) -> None:
    """Someone empties the spool under the living agent: those steps are dropped with a reason."""
    fake_daemon.misbehaviour = lambda handler: handler.reply(503, {}, {"Retry-After": "0.5"}) is None
    run = new_run()
    train(run, 100)
    time.sleep(0.4)
    for path in auditor_home.rglob("*.frames"):
        path.unlink()
    fake_daemon.misbehaviour = None
    train(run, 50, first=100)
    time.sleep(1.0)
    train(run, 50, first=150)
    run.finish()
    counts = balanced(run)
    assert counts["dropped"]["spool_damaged"] >= 100
    assert counts["sent"] + counts["dropped"]["spool_damaged"] == 200


SHORT_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.path.insert(0, sys.argv[1])
from auditor_agent.run import open_run
from support.agent import balanced, train
import time
run = open_run("torch")
for part in range(20):
    train(run, 50, part * 50)
    run._sender.wake()
    time.sleep(0.02)
run.finish()
counts = balanced(run)
assert counts["produced"] == 1000 == counts["pending"], counts
print("fine")
"""


def test_g8_a_real_limit_on_file_size_leaves_intact_segments(
    repo_env: dict[str, str], no_daemon: str, auditor_home: Path
) -> None:
    """The kernel refuses a write half-way: the file is cut back to whole frames, the rest is in memory."""
    from auditor_agent.stream.recovery import recover

    env = child_env(repo_env, AUDITOR_URL=no_daemon)
    tests = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", SHORT_FILES, tests], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "fine\n", done.stderr
    for path in auditor_home.rglob("*.frames"):
        frames, damaged = recover(path)
        assert frames
        assert damaged == 0
