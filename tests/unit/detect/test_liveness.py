from __future__ import annotations

import pytest

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import RunAuditor
from auditor.model import AlertState
from support.batches import RUN, batch, table

TABLE = table()
DAY = 86_400.0


def story(auditor: RunAuditor, book: AlertBook, until: float, *, start: float = 0.0, beats: bool = True) -> None:
    """Ticks every ten seconds, with a heartbeat before each if ``beats``."""
    now = start
    while now <= until:
        if beats:
            auditor.heartbeat(0, 0, 9, now)
        book.apply(auditor.tick(now), now)
        now += 10.0


def states(book: AlertBook) -> dict[str, AlertState]:
    """The state of each alert by rule."""
    return {alert.rule: alert.state for alert in book.alerts}


def test_v4_a_stalled_run_is_not_dead() -> None:
    """Heartbeats without steps for 300 s: stalled, not silent; steps resolve it."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    story(auditor, book, 290.0)
    assert states(book) == {}
    story(auditor, book, 310.0, start=300.0)
    assert states(book) == {"run_stalled": AlertState.FIRING}
    [alert] = book.alerts
    assert alert.last_step == 9
    assert alert.evidence["idle_seconds"] == 300.0
    assert alert.evidence["step_seconds"] == pytest.approx(0.1)
    auditor.observe(batch(1, TABLE, first=10, loss=1.0), TABLE, 0)
    story(auditor, book, 320.0, start=320.0)
    assert states(book) == {"run_stalled": AlertState.RESOLVED}


def test_v4_a_silent_agent_is_not_stalled_and_is_resolved_when_it_returns() -> None:
    """Neither heartbeat nor step for 120 s without an end: silent."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    story(auditor, book, 110.0, beats=False)
    assert states(book) == {}
    story(auditor, book, 1000.0, start=120.0, beats=False)
    assert states(book) == {"agent_silent": AlertState.FIRING}
    auditor.heartbeat(0, 0, 9, 1010.0)
    story(auditor, book, 1010.0, start=1010.0, beats=False)
    assert states(book)["agent_silent"] is AlertState.RESOLVED


def test_v4_a_run_that_ended_is_neither() -> None:
    """After its end a run is not watched by the clock."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    story(auditor, book, 10.0)
    auditor.ended(0, 0, "finished")
    story(auditor, book, 2000.0, start=20.0, beats=False)
    assert states(book) == {}


def test_v4_a_slow_run_may_take_ten_of_its_own_steps() -> None:
    """A run of 100 s per step is not stalled after 300 s."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    frame = batch(0, TABLE, loss=1.0)
    frame.times[:] = frame.steps * 100.0
    auditor.observe(frame, TABLE, 0)
    story(auditor, book, 990.0)
    assert states(book) == {}
    story(auditor, book, 1000.0, start=1000.0)
    assert states(book) == {"run_stalled": AlertState.FIRING}


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_d7_the_clock_of_the_job_changes_no_verdict(skew: float) -> None:
    """A job whose clock is a day off is stalled after the same 300 s, and no earlier."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    frame = batch(0, TABLE, loss=1.0)
    frame.times[:] += skew
    auditor.observe(frame, TABLE, 0)
    story(auditor, book, 290.0)
    assert states(book) == {}
    story(auditor, book, 300.0, start=300.0)
    assert states(book) == {"run_stalled": AlertState.FIRING}


def test_thresholds_are_settings() -> None:
    """stall_seconds and silent_seconds are replaced by id."""
    auditor, book = RunAuditor(RUN, overrides={"run_stalled": {"stall_seconds": 5.0}}), AlertBook(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    story(auditor, book, 10.0)
    assert states(book) == {"run_stalled": AlertState.FIRING}


def test_before_its_first_step_a_run_is_not_stalled() -> None:
    """Compilation and data loading may take as long as they take."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    story(auditor, book, 2000.0)
    assert states(book) == {}


def test_d8_an_alert_taken_back_after_a_restart_is_resolved_when_the_run_returns() -> None:
    """The daemon was restarted while the run was silent: the restored alert does not fire for ever."""
    auditor, book = RunAuditor(RUN), AlertBook(RUN)
    auditor.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    story(auditor, book, 200.0, beats=False)
    reborn, taken = RunAuditor(RUN), AlertBook(RUN)
    taken.restore(book.alerts)
    reborn.observe(batch(0, TABLE, loss=1.0), TABLE, 0)
    reborn.heartbeat(0, 0, 9, 300.0)
    taken.apply(reborn.tick(300.0), 300.0)
    assert states(taken) == {"agent_silent": AlertState.RESOLVED}
