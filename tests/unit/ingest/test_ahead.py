"""What cannot wait is stored ahead of its request: a NaN's alert does not wait for the other rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.registry import instances
from auditor.detect.rule import Rule
from auditor.store import Store
from auditor.store.errors import StoreUnavailable
from auditor.store.records import Committed, WriteBatch
from support.app import App, application
from support.frames import Sender

NAN = (0, 3)


class Seen:
    """A store's transactions: what each was given, in order; ``fails`` says which of them do not come about."""

    def __init__(self, store: Store) -> None:
        self.given: list[WriteBatch] = []
        self.fails = False
        self._write = store.write_all
        store.write_all = self.write_all  # type: ignore[method-assign]  # to look at it

    def write_all(self, batches: Sequence[WriteBatch]) -> list[Committed]:
        """As the store does, but for frames while they fail."""
        if self.fails and any(batch.chunks for batch in batches):
            raise StoreUnavailable("pulled out")
        self.given += batches
        return self._write(batches)

    def told(self) -> list[tuple[list[str], int]]:
        """Of each batch the rules of its alerts and its number of frames; forgets them."""
        given, self.given = self.given, []
        return [(sorted(alert.rule for alert in batch.alerts), len(batch.chunks)) for batch in given]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An application over an empty database."""
    with application(tmp_path) as made:
        yield made


def test_the_alert_of_a_nan_is_stored_before_its_frame_and_once(app: App) -> None:
    """A fault that is news goes ahead; while it goes on it waits like everything else."""
    sender, seen = Sender(), Seen(app.service.store)
    app.frames(sender.start(), sender.steps([0, 1]))
    assert seen.told() == [([], 2)]
    app.frames(sender.steps([2], norms=(1.0, 2.0, 1.0), nan=NAN))
    assert seen.told() == [(["nonfinite_gradient"], 0), ([], 1)]
    app.frames(sender.steps([3], nan=NAN))
    assert seen.told() == [(["nonfinite_gradient"], 1)]


def test_a_run_that_begins_with_a_nan_is_told_ahead_too(app: App) -> None:
    """Its alerts are the first that the store hears of it; name and project follow with the frames."""
    sender, seen = Sender(), Seen(app.service.store)
    app.frames(sender.start(), sender.steps([0, 1], loss=float("nan"), nan=NAN))
    first, second = seen.told()
    assert (set(first[0]), first[1]) == ({"nonfinite_gradient", "nonfinite_loss"}, 0)
    assert second[1] == 2
    shown = app.get("/v1/runs/r1")
    assert (shown["name"], shown["project"]) == ("n", "p")
    assert {alert["rule"] for alert in shown["alerts"]} >= {"nonfinite_gradient", "nonfinite_loss"}


def test_an_alert_whose_frame_was_not_stored_is_the_same_when_the_frame_comes_again(app: App) -> None:
    """Between the two transactions the store may go away: nothing is lost, nothing is counted twice."""
    sender, seen = Sender(), Seen(app.service.store)
    app.frames(sender.start(), sender.steps([0, 1]))
    frame = sender.steps([2], nan=NAN)
    seen.fails = True
    assert app.client.post("/v1/frames", content=frame).status_code == 503
    (ahead,) = app.service.store.alerts(run="r1")
    assert [chunk.seq for chunk in app.service.store.chunks("r1")] == [0, 1]
    seen.fails = False
    assert app.frames(frame)["verdict"] == "diverged"
    (alert,) = app.service.store.alerts(run="r1")
    assert (alert.id, alert.first_step, alert.evidence) == (ahead.id, ahead.first_step, ahead.evidence)


def test_the_two_groups_are_all_rules_and_the_urgent_read_no_recordings() -> None:
    """Each rule is asked once, and what is asked first costs no recording's decoding."""
    urgent, others = instances(urgent=True), instances(urgent=False)
    assert sorted(rule.id for rule in urgent + others) == sorted(rule.id for rule in instances())
    assert {rule.id for rule in urgent} == {"nonfinite_loss", "nonfinite_gradient", "nonfinite_weight"}
    assert all(type(rule).observe_record is Rule.observe_record for rule in urgent)
    assert set(RunAuditor("r").unjudged()) >= {rule.id for rule in urgent}
