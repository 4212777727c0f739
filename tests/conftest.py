"""What every test shares: a home of its own, errors that raise, an environment for child processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.databases import database, postgres_server, store

# One thread a test: the tests run side by side, and a framework's threads that wait for each other
# actively take a small model's step from a millisecond to a hundred. Before any framework is loaded.
for _pool in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_pool, "1")

# A shell without job control starts what it sends to the background deaf to Ctrl-C, and so would be every job of
# a test that ends with one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["database", "postgres_server", "store"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def auditor_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh AUDITOR_HOME, no daemon from outside, internal errors that raise."""
    for name in [name for name in os.environ if name.startswith("AUDITOR_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "auditor-home"
    monkeypatch.setenv("AUDITOR_HOME", str(home))
    monkeypatch.setenv("AUDITOR_RAISE", "1")
    return home


@pytest.fixture(autouse=True)
def nothing_compiled() -> None:
    """As in a process of its own: where torch compiled any frame, forward passes are not heard (G4)."""
    compiler = sys.modules.get("torch._dynamo.utils")
    if compiler is not None:
        compiler.counters.clear()


@pytest.fixture(autouse=True)
def nothing_observed() -> Iterator[None]:
    """What observes TensorFlow's loops unasked stays for good, as under ``auditor run``: here until the test ends."""
    yield
    tape = sys.modules.get("auditor_agent.integrations.tensorflow.tape")
    if tape is not None:
        tape._sinks.clear()
        tape.off()


@pytest.fixture
def repo_env(auditor_home: Path) -> dict[str, str]:
    """The environment for a child process that runs the code of this checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    paths = [str(ROOT), str(ROOT / "agents"), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    env["AUDITOR_HOME"] = str(auditor_home)
    return env
