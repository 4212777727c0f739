"""G13: importing the agent is light, and needs nothing but the standard library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {
    *("numpy", "torch", "tensorflow", "keras", "sklearn", "ray", "sqlalchemy", "prometheus_client", "auditor"),
    *("http.client", "ssl", "asyncio", "multiprocessing", "unittest", "urllib.request"),
}


def bare(code: str) -> str:
    """Run code in an interpreter that sees the agent and no installed package."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "agents")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_g13_the_agent_works_without_any_package(tmp_path: Path) -> None:
    """Import, a run recorded into the spool, an end: with the standard library alone."""
    code = f"""
import os, sys
os.environ.update(AUDITOR_HOME={str(tmp_path)!r}, AUDITOR_MODE="offline", AUDITOR_RUN="bare", AUDITOR_RAISE="1")
import auditor_agent
loaded = sorted(set(sys.modules) & {HEAVY!r})
assert not loaded, loaded
run = auditor_agent.open_run("torch")
layout = run.layout([run.tensor("gradient", "a", (1,), "float32")])
for step in range(10): run.record(step, {{"loss": 1.0}}, layout, bytes(48))
run.finish()
loaded = sorted(set(sys.modules) & {HEAVY!r})
assert not loaded, loaded
print(run.counts()["pending"])
"""
    assert bare(code) == "10\n"
    assert list(tmp_path.rglob("*.frames"))


def test_g13_import_takes_fifty_milliseconds_at_most() -> None:
    """The best of several, so that a busy machine does not decide."""
    code = "import time; a = time.perf_counter(); import auditor_agent; print(time.perf_counter() - a)"
    assert min(float(bare(code)) for _ in range(5)) < 0.050


def test_g13_import_takes_five_mebibytes_at_most() -> None:
    """Resident memory before and after the import, the run's machinery included."""
    code = """
import resource
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
before = rss()
import auditor_agent
print(rss() - before)
"""
    assert min(int(bare(code)) for _ in range(3)) < 5 << 20


def test_the_agent_never_imports_the_daemon() -> None:
    """``auditor`` may import ``auditor_agent``, never the reverse."""
    for path in (ROOT / "agents").rglob("*.py"):
        for line in path.read_text().splitlines():
            assert not line.strip().startswith(("import auditor.", "from auditor.", "import auditor ", "from auditor "))


def test_unknown_names_are_attribute_errors() -> None:
    """The lazy names do not make every name exist."""
    import auditor_agent

    with pytest.raises(AttributeError):
        auditor_agent.nonsense  # noqa: B018 -- the access is the test
    assert {"watch", "keras", "tensorflow", "sklearn", "open_run", "Run"} <= set(dir(auditor_agent))
