"""``auditor run`` once the script has ended: what its agent could not send any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli import run
from auditor.cli.host import Where
from auditor.cli.spool import Leftover, Result

WHERE = Where("http://127.0.0.1:1", None)


def left(frames: int, remaining: int) -> Result:
    """One round of delivery."""
    return Result("a", frames, frames, 0, remaining, "the daemon did not take them" if remaining else "")


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """What each round of delivery is to give, the last for ever; nobody waits long."""
    told: list[Result] = []
    monkeypatch.setattr(run, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(run, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(run, "leftovers", lambda _spool, name: [Leftover(name, Path("a"), 1)] if told else [])
    monkeypatch.setattr(run, "deliver", lambda *_args: told.pop(0) if len(told) > 1 else told[0])
    return told


def test_a_daemon_that_takes_frames_bit_by_bit_is_given_all(rounds: list[Result]) -> None:
    """Under load one round of delivery may end before the last frame."""
    rounds += [left(3, 40), left(0, 40), left(30, 10), left(10, 0)]
    assert run._delivered(WHERE, "a") == []
    assert rounds == [left(10, 0)]


@pytest.mark.parametrize("answers", [True, False])
def test_a_daemon_that_answers_and_takes_nothing_is_waited_for(
    rounds: list[Result], monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    """It is busy with one large request; one that does not answer is given up."""
    monkeypatch.setattr(run, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(run.Where, "answers", lambda *_: answers)
    rounds += [left(0, 40), left(0, 40), left(40, 0)]
    assert [one.remaining for one in run._delivered(WHERE, "a")] == ([] if answers else [40])


def test_what_the_daemon_does_not_take_is_told(rounds: list[Result]) -> None:
    """The verdict is of a part of the run then, and nobody should take it for the whole."""
    rounds += [left(3, 40), left(0, 40)]
    assert run._delivered(WHERE, "a") == [left(0, 40)]
