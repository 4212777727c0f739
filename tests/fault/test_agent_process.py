"""G9, G10, G11: how the agent behaves when its process ends or forks. Real processes only."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.agent import child_env
from support.fake_daemon import FakeDaemon

TESTS = str(Path(__file__).resolve().parent.parent)
PRELUDE = f"""
import os, signal, sys, threading, time
sys.path.insert(0, {TESTS!r})
from auditor_agent import guard
from auditor_agent.run import open_run
from support.agent import train
run = open_run("torch")
"""


def job(body: str, env: dict[str, str], url: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a user's script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + body],
        env=child_env(env, AUDITOR_URL=url),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


ENDINGS: dict[str, tuple[str, int, str | None]] = {
    "falls off the end": ("", 0, "finished"),
    "sys.exit(0)": ("sys.exit(0)", 0, "finished"),
    "sys.exit(3)": ("sys.exit(3)", 3, "finished"),  # only the parent knows the code: `auditor run` reports it
    "exception": ("raise ValueError('boom')", 1, "failed"),
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -signal.SIGINT, "stopped"),
    "SIGTERM": ("time.sleep(0.5); os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)", -signal.SIGTERM, None),
    "os._exit": ("time.sleep(0.5); os._exit(5)", 5, None),
    "SIGTERM handled": (
        """
signal.signal(signal.SIGTERM, lambda *_: (run.finish('stopped', 'SIGTERM'), sys.exit(7)))
os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)
""",
        7,
        "stopped",
    ),
    "an exception caught before": ("try: 1 / 0\nexcept ZeroDivisionError: pass", 0, "finished"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_g1_g9_every_ending_keeps_its_exit_code_and_says_what_it_was(
    ending: str, fake_daemon: FakeDaemon, repo_env: dict[str, str]
) -> None:
    """Steps arrive and the status is right, by whatever door the process leaves."""
    body, code, status = ENDINGS[ending]
    done = job("train(run, 100)\n" + body, repo_env, fake_daemon.url)
    assert done.returncode == code, done.stderr
    assert fake_daemon.steps() == 100
    finishes = fake_daemon.headers("finish")
    assert [header["status"] for header in finishes] == ([status] if status else [])
    if ending == "exception":
        assert finishes[0]["reason"] == "ValueError: boom"


#: Code that ends a job, and the exit code that it must keep.
INTO_THE_HOLE = {
    "falls off the end": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "exception": ("raise ValueError", 1),
    "SIGINT": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", -signal.SIGINT),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -signal.SIGTERM),
    "SIGHUP": ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(9)", -signal.SIGHUP),
    "SIGTERM with a handler that exits": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
        9,
    ),
    "os._exit": ("os._exit(5)", 5),
}


@pytest.mark.parametrize("ending", INTO_THE_HOLE)
def test_g1_g9_a_black_hole_does_not_delay_any_ending(ending: str, repo_env: dict[str, str]) -> None:
    """Two seconds of flush at most, from the last statement to the end of the process; the exit code is the job's.

    The best of three, so that a busy machine does not decide.
    """
    last, code = INTO_THE_HOLE[ending]
    best = 9.0
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"http://127.0.0.1:{hole.getsockname()[1]}"
        body = "train(run, 100); time.sleep(0.4); print(time.time(), flush=True)\n" + last
        for _ in range(3):
            done = job(body, repo_env, url)
            best = min(best, time.time() - float(done.stdout.split()[0]))
            assert done.returncode == code, done.stderr
            if best < 2.2 + 0.3:  # 0.3 s for the interpreter itself
                break
    assert best < 2.2 + 0.3


def test_g10_no_thread_before_the_first_event_and_no_signal_handler_ever(
    fake_daemon: FakeDaemon, repo_env: dict[str, str]
) -> None:
    """Opening a run starts nothing; recording starts two daemon threads; signals stay as they were."""
    done = job(
        """
import faulthandler
signals = {n: signal.getsignal(n) for n in signal.valid_signals()}
hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, os.fork, os._exit)
run.tensor("gradient", "a", (1,), "float32"); run.layout([0]); run.should_stop; run.verdict
assert threading.active_count() == 1, threading.enumerate()
run.record(1, {"loss": 1.0})
assert sorted(t.name for t in threading.enumerate()) == ["MainThread", "auditor-http", "auditor-sender"]
assert all(t.daemon for t in threading.enumerate() if t is not threading.main_thread())
assert signals == {n: signal.getsignal(n) for n in signal.valid_signals()}
assert hooks == (sys.excepthook, threading.excepthook, sys.unraisablehook, os.fork, os._exit)
print("fine")
""",
        repo_env,
        fake_daemon.url,
    )
    assert done.stdout == "fine\n", done.stderr


def test_g11_forks_under_load_do_not_hang_and_send_nothing(fake_daemon: FakeDaemon, repo_env: dict[str, str]) -> None:
    """Two hundred children forked while two threads record: each uses its copy of the run and ends at once."""
    done = job(
        """
import faulthandler, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of forks with threads: that is the point
faulthandler.register(signal.SIGALRM, chain=True)  # says where a child hung, then ends it
threads = [threading.Thread(target=train, args=(run, 20000, n * 20000)) for n in range(2)]
for thread in threads: thread.start()
for n in range(200):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)  # a hang ends with another code; a machine that is slow does not
        train(run, 10, 10**6)
        run.log(mine=1.0); run.event(1, "x"); run.manifest({}); run.counts(); run.finish()
        sys.exit(0) if n % 2 else os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
for thread in threads: thread.join()
run.finish(timeout=60)  # seconds: not what is tested here
print(run.counts(), guard.TALLY.counts())
""",
        repo_env,
        fake_daemon.url,
        timeout=170,
    )
    assert "'produced': 40000" in done.stdout, done.stderr
    headers = fake_daemon.headers()
    assert {(header["run"], header["session"]) for header in headers} == {(headers[0]["run"], headers[0]["session"])}
    assert max(header["last_step"] for header in fake_daemon.headers("steps")) < 10**6
    assert fake_daemon.headers("finish"), done.stdout + done.stderr
    dropped = fake_daemon.headers("finish")[0]["counts"]["dropped"]
    assert fake_daemon.steps() + sum(dropped.values()) == 40_000


@pytest.mark.parametrize(("method", "children"), [("fork", 72), ("forkserver", 72), ("spawn", 56)])
def test_g11_children_of_any_start_method_send_nothing_and_do_not_hang(
    method: str, children: int, fake_daemon: FakeDaemon, repo_env: dict[str, str], tmp_path: Path
) -> None:
    """As data loader workers do: each imports the agent, holds what it inherited, does its work and ends."""
    script = tmp_path / "train.py"
    script.write_text(
        f"""
import multiprocessing, sys, threading, time, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {TESTS!r})
from auditor_agent import run as agent
from support.agent import train
def child(n):
    inherited = agent._PROCESS.run
    assert inherited is None, inherited  # what was inherited is the parent's
    assert threading.active_count() == 1, threading.enumerate()
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    run = agent.open_run("torch")
    train(run, 20)
    begin = time.monotonic()
    for first in range(0, {children}, 8):
        processes = [context.Process(target=child, args=(n,)) for n in range(first, min(first + 8, {children}))]
        for process in processes: process.start()
        train(run, 20, 20 + first)
        for process in processes:
            process.join(60)
            assert process.exitcode == 0, process.exitcode
    print(time.monotonic() - begin)
    run.finish(timeout=10)
    print(run.counts())
"""
    )
    env = child_env(repo_env, AUDITOR_URL=fake_daemon.url)
    done = subprocess.run(
        [sys.executable, str(script)], env=env, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert fake_daemon.steps() == 20 + 20 * (children // 8)
    assert len({header["session"] for header in fake_daemon.headers()}) == 1
    assert [header["status"] for header in fake_daemon.headers("finish")] == ["finished"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_g11_a_child_that_trains_opens_a_run_of_its_own(
    method: str, fake_daemon: FakeDaemon, repo_env: dict[str, str], tmp_path: Path
) -> None:
    """Under one run id the child is the next attempt; parent and child both arrive whole."""
    script = tmp_path / "train.py"
    script.write_text(
        f"""
import multiprocessing, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {TESTS!r})
from auditor_agent.run import open_run
from support.agent import train
def child():
    run = open_run("torch")
    train(run, 30)
    run.finish()
if __name__ == "__main__":
    run = open_run("torch")
    train(run, 20)
    process = multiprocessing.get_context({method!r}).Process(target=child)
    process.start(); process.join(30)
    train(run, 20, 20)
    sys.exit(process.exitcode)
"""
    )
    env = child_env(repo_env, AUDITOR_URL=fake_daemon.url, AUDITOR_RUN="shared")
    done = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    by_attempt = {0: 0, 1: 0}
    for header in fake_daemon.headers("steps"):
        by_attempt[header["attempt"]] += header["steps"]
    assert by_attempt == {0: 40, 1: 30}
    assert [header["status"] for header in fake_daemon.headers("finish")] == ["finished", "finished"]


def test_g9_no_threads_to_be_had_at_the_end(fake_daemon: FakeDaemon, repo_env: dict[str, str]) -> None:
    """Where no thread can be started any more (Python 3.12 at exit), the end sends what there is itself."""
    done = job(
        """
def refuse(self): raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
train(run, 50)
run.finish()
print(run.counts())
""",
        repo_env,
        fake_daemon.url,
    )
    assert "'sent': 50" in done.stdout, done.stderr
    assert fake_daemon.steps() == 50


def test_g9_finish_within_a_signal_handler_in_mid_step_does_not_hang(
    fake_daemon: FakeDaemon, repo_env: dict[str, str]
) -> None:
    """A handler that ends the run interrupts record() wherever it happens to be."""
    for _ in range(5):
        done = job(
            """
signal.signal(signal.SIGALRM, lambda *_: (run.finish("stopped"), os._exit(9)))
signal.setitimer(signal.ITIMER_REAL, 0.05)
while True: train(run, 1000)
""",
            repo_env,
            fake_daemon.url,
            timeout=20,
        )
        assert done.returncode == 9, done.stderr
