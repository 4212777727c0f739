"""The sender's judgement, tested with no thread, no socket and no clock."""

from __future__ import annotations

import json

import pytest

from auditor_agent.stream.courier import (
    BATCH_FRAMES,
    HEARTBEAT,
    LAST_BACKOFF,
    LONGEST_RETRY_AFTER,
    Courier,
    Reply,
    Step,
)


def ok(*seqs: int, **more: object) -> Reply:
    """A 200 that commits ``seqs`` of attempt 1, rank 2."""
    answer = {"committed": [[1, 2, seq] for seq in seqs], "rejected": [], "verdict": "healthy", "stop": False}
    return Reply(200, json.dumps({**answer, **more}).encode())


def test_frames_go_at_once_and_heartbeats_when_nothing_was_sent() -> None:
    """A heartbeat is due some seconds after the last success, not before, and never instead of frames."""
    courier = Courier(1, 2)
    assert courier.plan(100.0, frames=True) is Step.FRAMES
    courier.answered(100.0, ok(0), (0,))
    assert courier.plan(100.0 + HEARTBEAT - 0.1, frames=False) is Step.WAIT
    assert courier.plan(100.0 + HEARTBEAT, frames=False) is Step.HEARTBEAT
    assert courier.plan(100.0 + HEARTBEAT, frames=True) is Step.FRAMES


def test_backoff_doubles_up_to_its_limit_and_ends_with_a_success() -> None:
    """Failures spread out; one answer and all is forgotten."""
    courier = Courier(1, 2, jitter=1.0)
    waits = []
    for _ in range(12):
        courier.answered(0.0, Reply(0, error="refused"), (0,))
        waits.append(courier.wait(0.0))
        assert courier.plan(waits[-1] - 0.01, frames=True) is Step.WAIT
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0]
    assert waits[-1] == LAST_BACKOFF
    courier.answered(0.0, ok(0), (0,))
    assert courier.wait(0.0) == 0.0


@pytest.mark.parametrize(("asked", "waited"), [(3.0, 3.0), (1e9, LONGEST_RETRY_AFTER), (float("inf"), 300.0)])
def test_retry_after_is_honoured_within_reason(asked: float, waited: float) -> None:
    """As long as asked, five minutes at most."""
    courier = Courier(1, 2)
    courier.answered(0.0, Reply(503, retry_after=asked), (0,))
    assert courier.wait(0.0) == waited


def test_an_answer_settles_only_what_was_asked() -> None:
    """Numbers of other ranks, or never sent, settle nothing."""
    courier = Courier(1, 2)
    answer = {"committed": [[1, 2, 5], [1, 3, 6], [0, 2, 6], [1, 2, 99]], "rejected": [{"seq": 7, "reason": "x"}]}
    outcome = courier.answered(0.0, Reply(200, json.dumps(answer).encode()), (5, 6, 7))
    assert outcome.committed == {5}
    assert outcome.refused == {7: "x"}


def test_the_answer_brings_verdict_stop_and_need() -> None:
    """What the daemon says besides reaches the run."""
    outcome = Courier(1, 2).answered(0.0, ok(0, verdict="diverged", stop=True, need=["tensors"]), (0,))
    assert (outcome.verdict, outcome.stop, outcome.need) == ("diverged", True, {"tensors"})


def test_bodies_shrink_when_too_large_and_grow_again() -> None:
    """413 halves; success doubles up to the usual size; a lone frame is refused for good."""
    courier = Courier(1, 2)
    courier.answered(0.0, Reply(413), tuple(range(8)))
    assert courier.room()[1] == 4
    courier.answered(0.0, Reply(413), (0, 1, 2, 3))
    assert courier.room()[1] == 2
    assert courier.answered(0.0, Reply(413), (0,)).refused == {0: "too_large"}
    assert courier.room()[1] == BATCH_FRAMES


def test_bodies_shrink_when_the_answer_is_late_and_grow_again() -> None:
    """What a busy daemon cannot settle in time it is given in halves; a refused connection says nothing of size."""
    courier = Courier(1, 2)
    for room in (4, 2, 1):
        courier.answered(0.0, Reply(0, late=True), tuple(range(2 * room)))
        assert courier.room()[1] == room
    courier.answered(0.0, Reply(0, late=True), (0,))
    assert courier.room()[1] == 1
    courier.answered(0.0, ok(0), (0,))
    assert courier.room()[1] == 2
    courier.answered(0.0, Reply(0, error="refused"), (1, 2))
    assert courier.room()[1] == 2


def test_there_is_hope_only_where_a_daemon_ever_answered() -> None:
    """At the end of a process, a daemon that never answered is not waited for."""
    courier = Courier(1, 2)
    assert not courier.hopeless()
    courier.answered(0.0, Reply(0, error="refused"), (0,))
    assert courier.hopeless()
    courier.answered(0.0, ok(0), (0,))
    courier.answered(0.0, Reply(0, error="refused"), (1,))
    assert not courier.hopeless()
