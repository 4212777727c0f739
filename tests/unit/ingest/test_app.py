"""Frames in, acknowledgements out: what docs/wire-format.md promises of the daemon."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor_agent.stream import wire
from support.app import App, application
from support.frames import TABLE, Sender, table_digest


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An application over an empty database."""
    with application(tmp_path) as made:
        yield made


def test_frames_are_acknowledged_with_their_keys_once_they_are_stored(app: App) -> None:
    """The answer lists [attempt, rank, seq], and what it lists can be read back."""
    sender = Sender()
    answer = app.frames(sender.start(), sender.steps([0, 1, 2]))
    assert answer == {
        "committed": [[0, 0, 0], [0, 0, 1]],
        "rejected": [],
        "verdict": "healthy",
        "stop": False,
        "need": [],
    }
    assert [chunk.seq for chunk in app.service.store.chunks("r1")] == [0, 1]


def test_d1_a_duplicate_counts_as_committed_and_is_stored_once(app: App) -> None:
    """An agent that did not hear the answer sends again; nothing is doubled."""
    sender = Sender()
    frame = sender.start() + sender.steps([0, 1])
    assert app.frames(frame) == app.frames(frame)
    assert app.get("/v1/runs/r1")["steps"] == 2
    assert app.get("/v1/runs/r1/scalars", names="loss")["scalars"]["loss"]["step"] == [0, 1]


def test_v1_the_verdict_comes_back_with_the_frame_that_brings_the_nan(app: App) -> None:
    """The alert names the tensor and the step, and is committed with the frame."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0, 1]))
    answer = app.frames(sender.steps([2], norms=(1.0, 2.0, 1.0), nan=(0, 3)))
    assert answer["verdict"] == "diverged"
    (alert,) = app.get("/v1/runs/r1")["alerts"]
    assert (alert["rule"], alert["state"], alert["first_step"]) == ("nonfinite_gradient", "firing", 2)
    assert alert["subject"] == {"kind": "gradient", "name": "fc1.bias", "rank": 0}


def test_derived_scalars_are_stored_beside_the_job_s_own(app: App) -> None:
    """``grad_norm`` over the gradients alone; ``nonfinite`` only where there is something to count."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0, 1], [0.5, math.nan], norms=(3.0, 4.0, 100.0)))
    app.frames(sender.steps([2], nan=(1, 2, 7)))
    app.frames(sender.steps([3], nan=(0, 0, 7)))
    scalars = app.get("/v1/runs/r1/scalars")["scalars"]
    assert scalars["grad_norm"] == {"step": [0, 1, 2, 3], "value": [5.0, 5.0, "NaN", 5.0]}
    assert scalars["nonfinite"] == {"step": [2], "value": [3.0]}
    assert scalars["loss"]["value"] == [0.5, "NaN", 0.5, 0.5]
    assert app.get("/v1/runs/r1/norms") == scalars["grad_norm"]


def test_a_bad_frame_is_rejected_alone(app: App) -> None:
    """Its neighbours in the same body are stored."""
    sender = Sender()
    start, bad = sender.start(), wire.encode(sender.head("finish", status="exploded"))
    answer = app.frames(start, bad, sender.steps([0], tensors=True))
    assert [entry["seq"] for entry in answer["rejected"]] == [1]
    assert "exploded" in answer["rejected"][0]["reason"]
    assert answer["committed"] == [[0, 0, 0], [0, 0, 2]]


def test_another_session_of_the_same_attempt_is_refused(app: App) -> None:
    """Two processes that claim one attempt cannot mix their frames."""
    first, second = Sender(), Sender(session="ffffffffffffffff")
    app.frames(first.start())
    answer = app.frames(second.start())
    assert answer["committed"] == []
    assert "AUDITOR_ATTEMPT" in answer["rejected"][0]["reason"]


def test_frames_of_two_runs_in_one_body_are_none(app: App) -> None:
    """Ownership goes by run: a body is of one."""
    answer = app.client.post("/v1/frames", content=Sender("a").start() + Sender("b").start())
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_a_frame_without_its_table_is_stored_and_judged_when_the_table_comes(app: App) -> None:
    """The daemon asks for the table; the frames that waited count as if it had been there."""
    sender = Sender()
    app.frames(sender.start())
    first = app.frames(sender.steps([0, 1], tensors=False, nan=(2,)))
    assert (first["committed"], first["need"], first["verdict"]) == ([[0, 0, 1]], ["tensors"], "healthy")
    grown = Sender(seq=2, table=(*TABLE, ("weight", "fc2.weight", [2], "float32")))
    second = app.frames(grown.steps([2], norms=(3.0, 4.0, 1.0, 1.0), tensors=True))
    assert (second["need"], second["verdict"]) == ([], "diverged")
    scalars = app.get("/v1/runs/r1/scalars")["scalars"]
    assert scalars["grad_norm"]["step"] == [0, 1, 2]
    assert app.get("/v1/runs/r1")["alerts"][0]["first_step"] == 0
    assert app.get("/v1/runs/r1/series", kind="gradient", name="fc1.bias", stat="l2")["step"] == [0, 1, 2]


def test_a_tensor_id_beyond_the_table_is_rejected(app: App) -> None:
    """A layout cannot name what the table does not have."""
    sender = Sender()
    answer = app.frames(sender.start(), sender.steps([0], norms=(1.0,) * 4))
    assert [entry["seq"] for entry in answer["rejected"]] == [1]
    after = app.frames(sender.steps([0], tensors=True))
    assert after["committed"] == [[0, 0, 2]]


def test_a_table_with_another_digest_is_rejected(app: App) -> None:
    """The digest is the table's name in the store: it has to be true."""
    sender = Sender()
    frame = sender.steps([0], tensors=True)
    (decoded,) = wire.frames(frame)
    forged = wire.encode({**decoded.header, "table": "0" * 16}, decoded.block)
    assert "digest" in app.frames(forged)["rejected"][0]["reason"]
    assert table_digest(TABLE) != "0" * 16


def test_a_body_that_is_no_frame_takes_nothing(app: App) -> None:
    """400 in the one error shape, also when intact frames stand before the damage."""
    sender = Sender()
    frame = bytearray(sender.start() + sender.steps([0]))
    frame[-1] ^= 1
    answer = app.client.post("/v1/frames", content=bytes(frame))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "detail", "hint"}
    assert app.get("/v1/runs")["runs"] == []


def test_an_empty_body_is_acknowledged(app: App) -> None:
    """No frames, nothing to commit."""
    assert app.frames(b"")["committed"] == []


def test_a_finish_frame_settles_the_run(app: App) -> None:
    """The status is the job's own; the watchdog has nothing more to say."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0]))
    assert app.get("/v1/runs/r1")["status"] == "running"
    app.frames(sender.finish("failed"))
    assert app.get("/v1/runs/r1")["status"] == "failed"
    app.tick(1000.0)
    assert app.get("/v1/alerts")["alerts"] == []


@pytest.mark.parametrize(
    ("code", "signal", "status"),
    [(0, None, "finished"), (1, None, "failed"), (-15, "SIGTERM", "stopped"), (-9, "SIGKILL", "failed")],
)
def test_the_parent_s_word_settles_a_run_that_said_nothing(
    app: App, code: int, signal: str | None, status: str
) -> None:
    """``POST exit`` counts when no finish frame came."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0]))
    answer = app.client.post("/v1/runs/r1/exit", json={"code": code, "signal": signal})
    assert answer.json() == {"run": "r1", "status": status}
    app.tick(1000.0)
    assert app.get("/v1/alerts")["alerts"] == []


def test_a_run_that_was_asked_to_stop_hears_it_with_the_next_answer(app: App) -> None:
    """Frames and heartbeats both carry it."""
    sender = Sender()
    app.frames(sender.start())
    assert app.client.post("/v1/runs/r1/stop").json() == {"run": "r1", "stop": True}
    assert app.frames(sender.steps([0]))["stop"] is True
    assert app.beat()["stop"] is True
    assert app.client.post("/v1/runs/nobody/stop").status_code == 404


def test_v4_silence_fires_and_a_later_frame_resolves_it(app: App) -> None:
    """Neither heartbeat nor step for ``silent_seconds`` by the daemon's clock."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0, 1]))
    app.tick(100.0)
    assert app.get("/v1/alerts")["alerts"] == []
    app.tick(30.0)
    app.settle()
    (alert,) = app.get("/v1/alerts")["alerts"]
    assert (alert["rule"], alert["state"]) == ("agent_silent", "firing")
    app.frames(sender.steps([2]))
    app.tick(1.0)
    app.settle()
    assert [a["state"] for a in app.get("/v1/alerts")["alerts"]] == ["resolved"]


def test_v4_heartbeats_without_steps_are_a_stall_and_not_silence(app: App) -> None:
    """Stalled is not dead."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0, 1]))
    for _ in range(8):
        app.tick(50.0)
        app.beat(step=1)
    app.settle()
    assert [(a["rule"], a["state"]) for a in app.get("/v1/alerts")["alerts"]] == [("run_stalled", "firing")]


@pytest.mark.parametrize("skew", [-86_400.0, 86_400.0])
def test_d7_the_agent_s_clock_judges_nothing(tmp_path: Path, skew: float) -> None:
    """A job whose clock is a day off is neither silent nor stalled, and has the same verdict."""
    with application(tmp_path) as app:
        sender = Sender(time=app.clock.now + skew)
        app.frames(sender.start())
        for step in range(30):
            app.tick(10.0)
            sender.time += 10.0
            app.frames(sender.steps([step], 1.0 / (1 + step)))
        app.settle()
        shown = app.get("/v1/runs/r1")
        assert (shown["verdict"], shown["alerts"]) == ("healthy", [])
        assert abs(shown["updated_at"] - app.clock.now) < 1.0


def _story(home: Path, *, restart: bool) -> list[dict[str, Any]]:
    """The alerts of a run with two NaN, its daemon restarted between them or not; without times."""
    sender = Sender()
    first = [sender.start(), sender.steps([0, 1]), sender.steps([2], nan=(1,))]
    rest = [sender.steps(range(3, 60)), sender.steps([60], nan=(0, 1))]
    with application(home) as app:
        app.frames(*first)
        if not restart:
            app.frames(*rest)
    with application(home) as app:
        if restart:
            assert app.frames(*rest)["verdict"] == "diverged"
        alerts: list[dict[str, Any]] = app.get("/v1/runs/r1")["alerts"]
    clocks = {"started_at", "updated_at", "resolved_at"}
    return [{name: value for name, value in alert.items() if name not in clocks} for alert in alerts]


def test_d8_a_new_daemon_goes_on_where_the_old_one_ended(tmp_path: Path) -> None:
    """Detectors are rebuilt from the store: the same alerts as if nothing had happened."""
    went_on, restarted = _story(tmp_path / "a", restart=False), _story(tmp_path / "b", restart=True)
    assert went_on
    assert restarted == went_on


def test_d8_silence_that_an_earlier_daemon_noticed_is_one_alert_with_the_later_one(tmp_path: Path) -> None:
    """The alert resolves once life can be seen again, and fires again under its id when it cannot."""
    sender = Sender()
    with application(tmp_path) as app:
        app.frames(sender.start(), sender.steps([0, 1]))
        app.tick(200.0)
        app.settle()
        (before,) = app.get("/v1/alerts")["alerts"]
        assert before["state"] == "firing"
    with application(tmp_path) as app:
        app.clock.now += 300.0
        app.beat(step=1)
        app.tick(1.0)
        app.settle()
        assert [a["state"] for a in app.get("/v1/alerts")["alerts"]] == ["resolved"]
        app.tick(200.0)
        app.settle()
        (after,) = app.get("/v1/alerts")["alerts"]
        assert (after["id"], after["state"]) == (before["id"], "firing")


def test_v5_live_runs_are_in_the_metrics_and_leave_after_their_end(app: App) -> None:
    """An ended run lingers and vanishes."""
    sender = Sender()
    app.frames(sender.start(), sender.steps([0, 1]))
    assert 'auditor_run_step{framework="torch",project="p",run="r1"} 1.0' in app.client.get("/metrics").text
    app.frames(sender.finish())
    assert 'auditor_run_live{framework="torch",project="p",run="r1"} 0.0' in app.client.get("/metrics").text
    app.tick(400.0)
    assert 'run="r1"' not in app.client.get("/metrics").text


def test_ownership_is_bounded_and_what_gave_way_comes_back(tmp_path: Path) -> None:
    """More runs than are kept alive: each frame is judged as if its run had never left."""
    with application(tmp_path, max_live_runs=2) as app:
        senders = [Sender(f"run{i}") for i in range(5)]
        for sender in senders:
            app.frames(sender.start(), sender.steps([0, 1]))
        for sender in senders:
            assert app.frames(sender.steps([2], nan=(1,)))["verdict"] == "diverged"
        assert len(app.service.live()) == 2
        assert len(app.get("/v1/alerts")["alerts"]) == 5
