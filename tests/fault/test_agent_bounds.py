"""G7, G12: memory stays bounded while nobody takes what is produced."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor_agent.run import Run
from auditor_agent.stream import sender
from support.agent import balanced, child_env, train
from support.fake_daemon import FakeDaemon

Opener = Callable[..., Run]
TESTS = str(Path(__file__).resolve().parent.parent)

DEAD_SERVER = f"""
import json, resource, sys, time
sys.path.insert(0, {TESTS!r})
from auditor_agent.run import open_run
from support.agent import ZEROS, balanced
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
run = open_run("torch")
layout = run.layout([run.tensor("gradient", "a", (2, 3), "float32"), run.tensor("gradient", "b", (4,), "float32")])
def record(count):
    for step in range(count):
        run.record(step, {{"loss": 1.0}}, layout, ZEROS)
record(100_000)
before = rss()
record(int(sys.argv[1]))
after = rss()
run.finish()
time.sleep(0.1)
print(json.dumps({{"growth": after - before, "books": balanced(run)}}))
"""


@pytest.mark.parametrize(
    "count",
    [200_000, pytest.param(1_000_000, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(("spool", "limit"), [("disk", 5 << 20), ("memory", 12 << 20)])
def test_g7_g12_a_dead_server_costs_bounded_memory(
    count: int, spool: str, limit: int, no_daemon: str, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """Hundreds of thousands of steps as fast as they can be recorded: the process grows by less than 5 MiB.

    Without a disk it holds 3 MiB of unsent frames, and the allocator some free space between them.
    """
    if spool == "memory":
        auditor_home.write_text("a file where the folder should be")
    env = child_env(repo_env, AUDITOR_URL=no_daemon, AUDITOR_SPOOL_BYTES=str(32 << 20))
    done = subprocess.run(
        [sys.executable, "-c", DEAD_SERVER, str(count)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["growth"] < limit
    books = found["books"]
    assert books["produced"] == 100_000 + count
    assert set(books["dropped"]) <= {"ring_full", "spool_full", "memory_full"}
    assert sum(path.stat().st_size for path in auditor_home.rglob("*.frames")) <= 32 << 20


def test_g7_g12_a_full_ring_drops_and_never_waits(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the sender asleep the ring fills up; recording goes on at the same price."""
    monkeypatch.setattr(sender.Sender, "wake", lambda _: None)
    monkeypatch.setattr(sender, "PERIOD", 1.5)
    run = new_run()
    train(run, 1)
    time.sleep(0.3)
    begin = time.monotonic()
    train(run, 40_000, first=1)
    assert time.monotonic() - begin < 1.4
    monkeypatch.undo()
    run.finish(timeout=5.0)
    counts = balanced(run)
    assert counts["produced"] == 40_001
    assert counts["dropped"]["ring_full"] > 10_000
    assert counts["pending"] == 0


def test_g7_g12_a_step_larger_than_the_ring_is_dropped_as_too_large(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """A step of 16 MiB and more finds no room, ever; a large one does."""
    run = new_run()
    large = [run.tensor("gradient", f"t{n}", (1,), "float32") for n in range(20_000)]
    layout = run.layout(large)
    run.record(0, {}, layout, bytes(48 * 20_000))
    run.record(1, {}, run.layout(large * 20), bytes(48 * 400_000))
    run.record(2, {}, layout, bytes(48 * 20_000))
    run.finish(timeout=10.0)
    assert balanced(run) == {"produced": 3, "sent": 2, "pending": 0, "dropped": {"too_large": 1}}


def test_g7_events_and_names_are_bounded(fake_daemon: FakeDaemon, new_run: Opener, log_lines: list[str]) -> None:
    """Events and scalar names without end are cut, and a line says so."""
    run = new_run()
    for n in range(3000):
        run.event(0, "again", n=n)
        run.record(n, {f"name{n}": 1.0})
    run.finish()
    assert balanced(run)["pending"] == 0
    for header in fake_daemon.headers("steps"):
        assert len(header.get("events", ())) <= 256
        assert len(header["scalars"]) <= 1024
