"""D1 and D4: many writers, readers beside them, processes that are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from auditor.store import Store, Writer
from auditor.store.records import Committed
from support.chunks import steps_batch

AGENTS, FRAMES, STEPS = 32, 20, 500


@pytest.mark.parametrize("stores", [1, 2])
def test_d4_many_agents_write_while_others_read(database: str, stores: int) -> None:
    """32 agents of 10,000 steps each, every frame twice, through one or two daemons; readers never fail."""
    opened = [Store.open(database) for _ in range(stores)]
    writers = [Writer(store) for store in opened]
    done = threading.Event()

    def agent(i: int) -> list[Committed]:
        futures: list[Future[Committed]] = []
        for seq in range(FRAMES):
            batch = steps_batch(f"r{i % 8}", seq, range(seq * STEPS, (seq + 1) * STEPS), count=1, rank=i // 8)
            futures += [writer.submit(batch) for writer in (writers[i % stores], writers[-1])]
        return [future.result(timeout=120) for future in futures]

    def reader(i: int) -> int:
        questions = 0
        while not done.is_set():
            store, run = opened[i % stores], f"r{i}"
            first, second = store.frontier(run), store.scalars(run, ["loss"], rank=0)
            for _, last in first.get((0, 0), []):
                assert len(second["loss"].steps) >= (last + 1) * STEPS  # a frame is never seen by halves
            store.runs()
            questions += 1
            done.wait(0.02)  # a question fifty times a second, not a busy loop on the interpreter's lock
        return questions

    with ThreadPoolExecutor(AGENTS + 4) as pool:
        readers = [pool.submit(reader, i) for i in range(4)]
        fates = [fate for agent_fates in pool.map(agent, range(AGENTS)) for fate in agent_fates]
        done.set()
        assert all(future.result(timeout=60) > 0 for future in readers)
    assert sum(len(fate.new) for fate in fates) == AGENTS * FRAMES
    assert sum(len(fate.duplicates) for fate in fates) == AGENTS * FRAMES
    assert sum(len(fate.refused) for fate in fates) == 0
    for i in range(8):
        assert opened[0].frontier(f"r{i}") == {(0, rank): [(0, FRAMES - 1)] for rank in range(4)}
        assert len(opened[0].scalars(f"r{i}", ["loss"], rank=3)["loss"].steps) == FRAMES * STEPS
    for writer, store in zip(writers, opened, strict=True):
        writer.close()
        store.close()


KILLED = textwrap.dedent("""
    import os, sys
    from auditor.store import Store, Writer
    from tests.support.chunks import steps_batch

    def write():
        writer = Writer(Store.open(sys.argv[1]))
        print("pid", os.getpid(), flush=True)
        for first in range(0, 100_000, 4):
            futures = [writer.submit(steps_batch("r", seq, [seq], count=40)) for seq in range(first, first + 4)]
            for seq, future in enumerate(futures, first):
                future.result()
                os.write(1, b"%d\\n" % seq)  # whole lines: a killed writer leaves no half of one

    # Imported once, forked for each death: no thread and no connection is there yet.
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            write()
        os.waitpid(child, 0)
        print("dead", flush=True)
""")
LINEAGES, DEATHS = 5, 10


def lineage(number: int, folder: Path, env: dict[str, str]) -> None:
    """One database, one writer after the other, each killed at a random point."""
    url, random_ = f"sqlite:///{folder}/{number}.db", random.Random(number)
    command = [sys.executable, "-c", KILLED, url]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(DEATHS):
            process.stdin.write("go\n")
            process.stdin.flush()
            pid = int(process.stdout.readline().split()[1])
            assert process.stdout.readline() == "0\n"
            time.sleep(random_.uniform(0.0, 0.3))
            os.kill(pid, signal.SIGKILL)
            acknowledged = [0, *(int(line) for line in iter(process.stdout.readline, "dead\n"))]
            whole(url, max(acknowledged))
        process.stdin.close()


def whole(url: str, acknowledged: int) -> None:
    """From the first frame to the last there is no gap, at least what was acknowledged, and no damage."""
    store = Store.open(url)
    ((first, last),) = store.frontier("r")[0, 0]
    assert first == 0
    assert last >= acknowledged
    assert store.scalars("r")["loss"].steps.tolist() == list(range(last + 1))
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    store.close()


@pytest.mark.slow
def test_d1_what_was_acknowledged_survives_a_kill(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """Killed at fifty random points and begun again from the start: nothing lost, nothing twice, no damage."""
    with ThreadPoolExecutor(LINEAGES) as pool:
        for done in [pool.submit(lineage, number, tmp_path, repo_env) for number in range(LINEAGES)]:
            done.result(timeout=150)


def test_d10_a_run_may_be_purged_while_it_is_written(database: str) -> None:
    """Neither side fails; the run begins anew with the next frame."""
    writing, purging = Store.open(database), Store.open(database)
    done, gone, seq = threading.Event(), [0], 0

    def purge() -> None:
        while not done.is_set():
            gone.append(purging.purge(keep=0))

    with ThreadPoolExecutor(1) as pool:
        purged = pool.submit(purge)
        try:
            patience = time.monotonic() + 60
            while seq < 200 or (sum(gone) < 2 and time.monotonic() < patience):  # a busy machine takes longer to meet
                assert writing.write(steps_batch("r", seq, [seq])).new
                seq += 1
        finally:
            done.set()
        purged.result(timeout=60)
    assert sum(gone) > 1
    assert writing.write(steps_batch("r", 0, [5])).refused == ()
    for store in (writing, purging):
        store.close()
