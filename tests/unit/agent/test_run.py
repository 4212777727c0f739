from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from auditor.ingest.decode import step_batch
from auditor_agent.run import NullRun, Run, open_run
from auditor_agent.stream import courier, sender, wire
from auditor_agent.stream.deliver import deliver
from auditor_agent.stream.http import Poster
from auditor_agent.stream.ring import Block, Ring
from support.agent import balanced, join, train
from support.fake_daemon import FakeDaemon

Opener = Callable[..., Run]


def test_steps_arrive_with_every_number_in_its_place(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """What is recorded is what the daemon decodes: words, scalars, NaN, order."""
    run = new_run(name="n", project="p")
    layout = run.layout([run.tensor("gradient", "a", (2, 3), "float32"), run.tensor("gradient", "b", (4,), "float32")])
    words = struct.pack("<8I16f", *range(8), *[float(n) for n in range(16)])
    for step in range(100):
        run.record(step, {"loss": math.nan if step == 50 else float(step)}, layout, words, time=1e9 + step)
    run.finish()
    start = fake_daemon.headers("start")[0]
    assert (start["project"], start["name"], start["framework"], start["world_size"]) == ("p", "n", "torch", 1)
    batches = [step_batch(frame) for frame in fake_daemon.frames.values() if frame.header["type"] == "steps"]
    assert np.concatenate([batch.steps for batch in batches]).tolist() == list(range(100))
    losses = np.concatenate([batch.scalars["loss"][1] for batch in batches])
    assert np.flatnonzero(np.isnan(losses)).tolist() == [50]
    assert batches[0].blocks[0].stat("nan")[0].tolist() == [2, 3]
    assert balanced(run) == {"produced": 100, "sent": 100, "pending": 0, "dropped": {}}
    assert run.verdict == "healthy"
    assert fake_daemon.headers("finish")[0]["status"] == "finished"


def test_logged_scalars_belong_to_the_current_step(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """In the step's own row while it waits, in a row of its own after it has left."""
    run = new_run()
    run.record(7, {"loss": 1.0})
    run.log(accuracy=0.5)
    fake_daemon.wait(lambda daemon: daemon.steps() >= 1)
    run.log(late=0.25)
    run.finish()
    values = {}
    for frame in fake_daemon.frames.values():
        if frame.header["type"] == "steps":
            batch = step_batch(frame)
            for name, (at, value) in batch.scalars.items():
                values[name] = (batch.steps[at].tolist(), value.tolist())
    assert values == {"loss": ([7], [1.0]), "accuracy": ([7], [0.5]), "late": ([7], [0.25])}
    assert balanced(run)["pending"] == 0


def test_something_urgent_is_sent_at_once(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary step waits for the next look into the ring, an urgent one does not."""
    monkeypatch.setattr(sender, "PERIOD", 5.0)
    run = new_run()
    run.record(0)
    fake_daemon.wait(lambda daemon: daemon.steps() == 1)
    run.record(1)
    time.sleep(0.2)
    assert fake_daemon.steps() == 1
    begin = time.monotonic()
    run.record(2, {"loss": math.nan}, urgent=True)
    fake_daemon.wait(lambda daemon: daemon.steps() == 3)
    assert time.monotonic() - begin < 0.5


def test_two_threads_of_a_job_that_begin_together_make_one_sender(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """The second asked whether there is one, was put to sleep, and goes on when the first has made it."""
    run = new_run()
    assert isinstance(run, Run)
    own = run._sender

    class Slept:
        """A lock that its first taker gets when somebody else has been there and gone."""

        slept = False

        def acquire(self, *, blocking: bool) -> bool:
            assert not blocking
            if not self.slept:
                self.slept = True
                own.start()
            return True

        def release(self) -> None:
            pass

    own._starting = Slept()  # type: ignore[assignment]
    before = set(threading.enumerate())
    own.start()
    made = sorted(thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("auditor-"))
    assert made == ["auditor-http", "auditor-sender"]


def test_a_connection_that_broke_in_any_way_is_given_up(
    fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What follows goes over a new one."""
    poster = Poster(fake_daemon.url)
    with monkeypatch.context() as patched:
        patched.setattr("http.client.HTTPConnection.getresponse", lambda _: None)  # AttributeError in the middle
        assert poster("/v1/heartbeat", b"{}", "application/json").status == 0
    assert poster("/v1/heartbeat", b"{}", "application/json").status == 200
    poster.close()


def test_a_run_that_stays_nan_does_not_wake_the_sender_at_each_step(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is sent at once; of those that follow within a tenth of a second no frames of their own are made."""
    monkeypatch.setattr(sender, "PERIOD", 5.0)
    run = new_run()
    run.record(0)
    fake_daemon.wait(lambda daemon: daemon.steps() == 1)
    run.record(1, {"loss": math.nan}, urgent=True)
    fake_daemon.wait(lambda daemon: daemon.steps() == 2)
    for step in range(2, 20):
        run.record(step, {"loss": math.nan}, urgent=True)
    assert fake_daemon.steps() == 2
    run.finish()
    assert fake_daemon.steps() == 20
    assert len([frame for frame in fake_daemon.frames.values() if frame.header["type"] == "steps"]) == 3


def test_the_table_comes_again_when_the_daemon_asks(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """``need: tensors`` in an answer: the next steps frame carries the table."""
    run = new_run()
    train(run, 3)
    fake_daemon.wait(lambda daemon: daemon.steps() == 3)
    train(run, 3, first=3)
    fake_daemon.need, fake_daemon.verdict = ["tensors"], "suspect"
    fake_daemon.wait(lambda daemon: daemon.steps() == 6 and run.verdict == "suspect")  # the answer has been read
    train(run, 3, first=6)
    run.finish()
    tables = ["tensors" in header for header in fake_daemon.headers("steps")]  # three frames; more on a busy machine
    assert (tables[0], tables.count(True)) == (True, 2)


def test_heartbeats_come_without_steps(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that does not progress still says that it lives, and hears the daemon."""
    monkeypatch.setattr(courier, "HEARTBEAT", 0.1)
    run = new_run()
    train(run, 5)
    fake_daemon.verdict, fake_daemon.stop = "suspect", True
    fake_daemon.wait(lambda daemon: len(daemon.heartbeats) >= 2)
    beat = fake_daemon.heartbeats[-1]
    assert (beat["run"], beat["attempt"], beat["rank"], beat["step"]) == (run.id, 0, 0, 4)
    assert beat["counts"]["sent"] == 5
    assert (run.verdict, run.should_stop) == ("suspect", True)


@pytest.mark.parametrize(
    ("stop_on", "verdict", "stops"),
    [
        ("", "diverged", False),
        ("critical", "suspect", False),
        ("critical", "diverged", True),
        ("warning", "suspect", True),
        ("warning", "healthy", False),
    ],
)
def test_should_stop_is_opt_in(
    stop_on: str,
    verdict: str,
    stops: bool,
    fake_daemon: FakeDaemon,
    new_run: Opener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AUDITOR_STOP_ON says how grave a verdict must be; without it none is."""
    monkeypatch.setenv("AUDITOR_STOP_ON", stop_on)
    fake_daemon.verdict = verdict
    run = new_run()
    train(run, 1)
    fake_daemon.wait(lambda _: run.verdict == verdict)
    assert run.should_stop is stops


def test_one_run_per_process_until_it_ends(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """A second opener gets the live run; after its end a new one."""
    first = new_run()
    assert open_run("keras") is first
    first.finish()
    second = new_run()
    assert second is not first
    assert second.id != first.id


def test_g10_mode_off_gives_a_run_that_does_nothing(monkeypatch: pytest.MonkeyPatch, auditor_home: Path) -> None:
    """No folder, no thread, no count."""
    monkeypatch.setenv("AUDITOR_MODE", "off")
    run = open_run("torch")
    assert isinstance(run, NullRun)
    train(run, 3)
    run.finish()
    assert not auditor_home.exists()


def test_d1_what_was_spooled_offline_is_delivered_later(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch, auditor_home: Path
) -> None:
    """Offline nothing is sent; ``deliver`` sends it all, once, and clears the folder."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    run = new_run()
    train(run, 50)
    time.sleep(0.4)
    assert deliver(auditor_home / "spool", lambda _: Poster(fake_daemon.url)).busy == 1
    train(run, 50, first=50)
    run.manifest({"a": 1})
    run.finish()
    join(run)
    assert not fake_daemon.requests
    assert balanced(run)["pending"] == 100
    result = deliver(auditor_home / "spool", lambda name: Poster(fake_daemon.url, run=name))
    assert (result.steps, result.remaining, result.rejected, result.busy) == (100, 0, 0, 0)
    assert fake_daemon.requests[0][1]["X-Run-Id"] == run.id
    assert fake_daemon.steps() == 100
    assert not list((auditor_home / "spool").rglob("*.frames"))
    assert deliver(auditor_home / "spool", lambda _: Poster(fake_daemon.url)).frames == 0


def test_delivery_that_fails_deletes_nothing(
    no_daemon: str, new_run: Opener, monkeypatch: pytest.MonkeyPatch, auditor_home: Path
) -> None:
    """Only what was acknowledged goes."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    run = new_run()
    train(run, 10)
    run.finish()
    join(run)
    before = {path: path.read_bytes() for path in auditor_home.rglob("*.frames")}
    spooled = sum(len(list(wire.frames(content))) for content in before.values())
    result = deliver(auditor_home / "spool", lambda _: Poster(no_daemon), patience=0.3)
    assert spooled >= 3  # start, steps and finish; a busy machine may make more frames of as many steps
    assert (result.frames, result.remaining) == (0, spooled)
    assert "refused" in result.trouble
    assert {path: path.read_bytes() for path in auditor_home.rglob("*.frames")} == before


def test_the_token_is_sent_as_bearer(fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the content type and run id beside it."""
    monkeypatch.setenv("AUDITOR_TOKEN", "secret")
    run = new_run()
    train(run, 1)
    run.finish()
    headers = fake_daemon.requests[0][1]
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/vnd.training-auditor.frames"
    assert headers["X-Run-Id"] == run.id


def test_g12_a_step_taken_while_the_sender_gathers_is_not_lost_at_the_end(
    monkeypatch: pytest.MonkeyPatch, new_run: Opener, auditor_home: Path
) -> None:
    """The run ends just after the sender has swapped the ring: what came since is spooled before the finish."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    run = new_run()
    swapped = threading.Event()
    release = Ring.release

    def held(ring: Ring, block: Block) -> None:
        release(ring, block)
        if not swapped.is_set():
            swapped.set()
            deadline = time.monotonic() + 10
            while run._sender._last is None and time.monotonic() < deadline:
                time.sleep(0.001)

    monkeypatch.setattr(Ring, "release", held)
    run.record(1, {"loss": 1.0}, urgent=True)
    assert swapped.wait(10)
    run.record(2, {"loss": 2.0})
    run.finish()
    data = b"".join(path.read_bytes() for path in sorted(auditor_home.rglob("*.frames")))
    headers = [frame.header for frame in wire.frames(data)]
    assert [header.get("last_step") for header in headers if header["type"] == "steps"] == [1, 2]
    assert headers[-1]["type"] == "finish"
    assert balanced(run)["pending"] == 2


def test_what_an_integration_keeps_back_is_fetched_when_needed(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """By the sender before each look into the ring, and by ``log``, whose values belong to the current step."""
    run, kept = new_run(), [3, 4]
    run.on_settle(lambda: [run.record(step) for step in (kept.pop(0) for _ in tuple(kept))] and None)
    run.record(2)
    run.log(accuracy=0.5)
    kept.append(5)
    deadline = time.monotonic() + 10
    while kept and time.monotonic() < deadline:
        time.sleep(0.01)
    run.finish()
    batches = [step_batch(frame) for frame in fake_daemon.frames.values() if frame.header["type"] == "steps"]
    # Between what was settled and the value logged at step 4 the sender may take its row: then it has two.
    assert list(dict.fromkeys(step for batch in batches for step in batch.steps.tolist())) == [2, 3, 4, 5]
    logged = next(batch for batch in batches if "accuracy" in batch.scalars)
    rows, values = logged.scalars["accuracy"]
    assert (logged.steps[rows].tolist(), values.tolist()) == ([4], [0.5])
