"""G1, G12, G14: nothing that goes wrong within a public call reaches the job."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from auditor_agent import guard, identity
from auditor_agent.run import NullRun, Run, open_run
from auditor_agent.stream.frames import FrameMaker
from auditor_agent.stream.ring import Ring
from auditor_agent.stream.sender import Sender
from auditor_agent.stream.spool import Spool
from auditor_agent.stream.tensors import TensorTable
from support.agent import ZEROS, balanced, train
from support.fake_daemon import FakeDaemon

Opener = Callable[..., Run]
ERRORS = [Exception("x"), MemoryError(), OSError(28, "No space left on device"), RecursionError(), UnicodeError("x")]

CALLS: dict[str, tuple[type, str, Callable[[Run], Any]]] = {
    "tensor": (TensorTable, "tensor", lambda run: run.tensor("gradient", "new", (1,), "float32")),
    "layout": (TensorTable, "layout", lambda run: run.layout([0])),
    "record": (Ring, "append", lambda run: run.record(7, {"loss": 1.0})),
    "record-check": (TensorTable, "check", lambda run: run.record(7, {"loss": 1.0})),
    "record-wake": (Sender, "wake", lambda run: run.record(7, {"loss": 1.0}, urgent=True)),
    "log": (Ring, "amend", lambda run: run.log(mine=1.0)),
    "event": (Ring, "event", lambda run: run.event(7, "skip")),
    "manifest": (Sender, "mail", lambda run: run.manifest({"a": 1})),
    "finish": (Sender, "finish", lambda run: run.finish()),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("call", CALLS)
def test_g1_g12_a_failure_within_a_call_is_swallowed_and_counted(
    call: str,
    error: Exception,
    fake_daemon: FakeDaemon,
    new_run: Opener,
    as_in_production: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call returns its null value, the failure is counted, the run goes on and balances."""
    owner, name, use = CALLS[call]
    run = new_run()
    train(run, 5)

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        assert use(run) in (None, 0)
    assert any(type(error).__name__ in cause for cause in guard.TALLY.counts())
    train(run, 5, first=10)
    run._finished = False  # where finish() was the call that failed, it is called again
    run._ring.closed = False
    run.finish()
    counts = balanced(run)
    assert counts["pending"] == 0
    assert counts["produced"] - counts["sent"] == counts["dropped"].get("invalid", 0) + counts["dropped"].get(
        "finished", 0
    )


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_g1_an_agent_that_cannot_begin_gives_a_run_that_does_nothing(
    error: Exception, as_in_production: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """open_run hands out a null run when anything fails."""

    def fail(config: object) -> None:
        raise error

    monkeypatch.setattr(identity, "establish", fail)
    run = open_run("torch")
    assert isinstance(run, NullRun)
    train(run, 3)
    run.log(a=1.0)
    run.event(1, "x")
    run.manifest({})
    run.finish()
    assert (run.should_stop, run.verdict, run.counts()["produced"]) == (False, "unknown", 0)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("inner", [(FrameMaker, "steps"), (Spool, "read"), (Spool, "append"), (Sender, "_collect")])
def test_g1_g12_a_failure_on_the_sender_thread_does_not_end_it(
    inner: tuple[type, str],
    skip: int,
    error: Exception,
    fake_daemon: FakeDaemon,
    new_run: Opener,
    as_in_production: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One turn of the sender fails; the next ones deliver, and what was lost has a reason."""
    real = getattr(*inner)
    calls = 0

    def fail_once(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == skip + 1:
            raise error
        return real(*args, **kwargs)

    monkeypatch.setattr(*inner, fail_once)
    run = new_run()
    train(run, 10)
    time.sleep(0.4)
    train(run, 10, first=10)
    run.finish()
    counts = balanced(run)
    assert calls > skip
    assert counts["pending"] == 0
    assert counts["sent"] + counts["dropped"].get("internal_error", 0) == 20
    assert counts["sent"] == fake_daemon.steps()


BAD_RECORDS: dict[str, dict[str, Any]] = {
    "negative step": {"step": -1},
    "step beyond 64 bits": {"step": 1 << 64},
    "step no number": {"step": "x"},
    "scalar no number": {"step": 1, "scalars": {"loss": object()}},
    "scalars no mapping": {"step": 1, "scalars": [1.0]},
    "unknown layout": {"step": 1, "layout": 99, "words": b""},
    "negative layout": {"step": 1, "layout": -1, "words": b""},
    "words without layout": {"step": 1, "words": ZEROS},
    "layout without words": {"step": 1, "layout": 1},
    "words too short": {"step": 1, "layout": 1, "words": ZEROS[:-4]},
    "words no bytes": {"step": 1, "layout": 1, "words": "text"},
    "words not contiguous": {"step": 1, "layout": 1, "words": memoryview(ZEROS * 2)[::2]},
    "time no number": {"step": 1, "time": "now"},
}


@pytest.mark.parametrize("bad", BAD_RECORDS)
def test_g1_g12_unusable_arguments_are_counted_and_spoil_nothing(
    bad: str, fake_daemon: FakeDaemon, new_run: Opener, as_in_production: None
) -> None:
    """A record that makes no sense is one step dropped as invalid; its neighbours arrive whole."""
    run = new_run()
    train(run, 5)
    run.record(**BAD_RECORDS[bad])
    train(run, 5, first=5)
    run.finish()
    assert balanced(run) == {"produced": 11, "sent": 10, "pending": 0, "dropped": {"invalid": 1}}


@pytest.mark.parametrize("body", [{"x": object()}, {1: {2: 3}}, {"s": {1, 2}}, {"deep": None}, {"n": float("nan")}])
def test_g1_any_manifest_arrives_somehow(body: dict[Any, Any], fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """What JSON cannot say arrives as text; a structure that contains itself is cut."""
    if "deep" in body:
        body["deep"] = body
    run = new_run()
    run.manifest(body)
    run.event(3, "something", value=object())
    run.finish()
    assert list(fake_daemon.headers("manifest")[0]["manifest"]) == [str(key) for key in body]
    assert fake_daemon.headers("steps")[0]["events"][0]["type"] == "something"


@pytest.mark.parametrize("hours", [-1, 1])
def test_g1_a_clock_that_jumps_changes_nothing(
    hours: int, fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits and backoff go by the monotonic clock."""
    run = new_run()
    train(run, 10)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
    train(run, 10, first=10)
    begin = time.monotonic()
    run.finish()
    assert time.monotonic() - begin < 1.0
    assert balanced(run)["sent"] == 20


def test_g14_ten_thousand_failures_make_two_lines_at_most(
    no_daemon: str, new_run: Opener, as_in_production: None, log_lines: list[str]
) -> None:
    """One line a minute per cause."""
    run = new_run()
    for _ in range(10_000):
        run.record(-1)
    assert run.counts()["dropped"] == {"invalid": 10_000}
    assert 1 <= len([line for line in log_lines if "record" in line]) <= 2


def test_g14_causes_without_end_do_not_grow_without_end() -> None:
    """Beyond a number of causes all others are one."""
    tally = guard.Tally()
    due = sum(tally.add(f"cause {n}")[1] for n in range(10_000))
    assert len(tally.counts()) == guard.MAX_CAUSES + 1
    assert due == guard.MAX_CAUSES + 1


def test_failures_raise_under_tests(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """AUDITOR_RAISE=1 shows what production swallows."""
    run = new_run()
    with pytest.raises(OverflowError):
        run.record(-1)
