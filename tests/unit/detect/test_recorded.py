from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from auditor.detect import registry
from auditor.detect.ahead import MAX_WAITING
from auditor.detect.engine import RunAuditor
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import PART_BYTES, Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array, reference

TABLE = table()
SEEN: list[RecordView] = []


class Reader(Rule):
    """A rule that keeps what it is shown."""

    id = "reader"
    severity = Severity.INFO
    phase = "run"
    meaning, needs, trigger, source = "m", "n", "t", "s"
    summary, likely_causes, advice = "{name}", (), ""

    def observe_record(self, view: RecordView) -> list[Finding]:
        """One finding per recording, with its weights' sums."""
        SEEN.append(view)
        sums = {name: float(one.values.sum()) for name, one in view.of("weight").items() if one.values is not None}
        return [self.finding(view, 0, Subject("run", "run"), {"sums": sums, "complete": view.complete})]


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()
    monkeypatch.setattr(registry, "rules", lambda: {"reader": Reader})


def step(number: int, before: Any = None, **facts: Any) -> Recording:
    """A recorded step with one weight: its own values, or a reference to the step before."""
    updated = array("updated", "w", np.full((4, 2), number, np.float32))
    weight = (
        array("weight", "w", np.full((4, 2), number - 1.0, np.float32)) if before is None else reference("w", updated)
    )
    return Recording(number, [weight, updated], {"loss": number / 2}, facts)


def test_rules_read_recordings_facts_and_what_the_run_declared() -> None:
    """A recorded step comes with its arrays, scalars, facts and the manifest."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="torch", host="node7")
    sender.manifest({"loss": {"class": "MSELoss"}, "model": {"layers": [{"name": "fc", "class": "Linear"}, 3]}})
    [found] = sender.record(step(1, loss={"operation": "arithmetic"}))
    [view] = SEEN
    assert (found.step, found.time, found.evidence["sums"]) == (1, 5.0, {"w": 0.0})
    assert (view.run.framework, view.run.host, view.run.loss) == ("torch", "node7", {"class": "MSELoss"})
    assert [layer["name"] for layer in view.run.layers] == ["fc"]
    assert view.facts["loss"] == {"operation": "arithmetic"}
    assert (view.scalars, view.phase) == ({"loss": 0.5}, "train")
    weight = view.array("weight", "w")
    assert weight is not None
    assert weight.whole().shape == (4, 2)


def test_weights_that_refer_to_the_step_before_are_filled_in() -> None:
    """A weight without data is what the recorded step before left; without that step it is left out."""
    sender = Sender(RunAuditor(RUN))
    first = sender.record(step(1))
    second = sender.record(step(2, before=True))
    gap = sender.record(step(9, before=True))
    assert [f.evidence["sums"] for f in (*first, *second, *gap)] == [{"w": 0.0}, {"w": 8.0}, {}]
    assert SEEN[-1].recording.left_out == {"reference_lost": 1}


def test_a_recording_of_several_frames_is_shown_once_and_in_order() -> None:
    """Frames may overtake each other; the rule sees each step once, whole."""
    sender = Sender(RunAuditor(RUN))
    large = [array("weight", f"w{i}", np.ones(PART_BYTES // 4, np.float32)) for i in range(3)]
    parts = list(Recording(1, large).parts())
    assert len(parts) == 3
    found = []
    for seq in (2, 0, 2, 1):
        header, block = parts[seq]
        found += sender.auditor.advance(0, 0, seq, 0, "record", header, block)
    assert [(f.step, len(f.evidence["sums"]), f.evidence["complete"]) for f in found] == [(1, 3, True)]


def test_a_recording_of_which_a_frame_was_lost_is_shown_as_far_as_it_came() -> None:
    """The rule is told that it is not complete: when the next step comes, or the process ends."""
    auditor = RunAuditor(RUN)
    sender = Sender(auditor)
    large = [array("weight", f"w{i}", np.ones(PART_BYTES // 4, np.float32)) for i in range(2)]
    assert sender.record(Recording(1, large), lost=1) == []
    found = sender.record(step(2))
    assert [(f.step, f.evidence["complete"]) for f in found] == [(1, False), (2, True)]
    assert sender.record(Recording(3, large, facts={"phase": "eval"}), lost=0) == []
    [late] = auditor.ended(0, 0, "finished")
    assert (late.step, late.evidence["complete"], SEEN[-1].facts) == (3, False, {})


def test_recordings_and_steps_come_in_the_order_of_their_frames() -> None:
    """A steps frame that overtakes a recording waits for it."""
    auditor = RunAuditor(RUN)
    sender = Sender(auditor)
    auditor.observe(batch(1, TABLE), TABLE, 0)
    assert auditor.live.steps == 0
    assert [f.step for f in sender.record(step(1))] == [1]
    assert auditor.live.steps == 10


def test_a_recording_waits_for_its_step() -> None:
    """One that is ahead is shown just before its step, an evaluation's just after; late ones and the next at once."""
    auditor = RunAuditor(RUN)
    sender = Sender(auditor)
    seen: list[tuple[str, int]] = []

    class Order(Reader):
        def observe(self, view: StepView) -> list[Finding]:
            seen.append(("steps", int(view.steps[-1])))
            return []

        def observe_record(self, view: RecordView) -> list[Finding]:
            seen.append((view.phase, view.step))
            return []

    for rule in (lane := auditor._lane(0, 0)[0]).rules:
        rule.observe, rule.observe_record = Order().observe, Order().observe_record  # type: ignore[method-assign]
    lane._readers = lane.rules
    for number, facts in ((1, {}), (5, {}), (5, {"phase": "eval"}), (12, {}), (12, {"phase": "eval"}), (30, {})):
        sender.record(step(number, **facts), ahead=True)
    assert (seen, lane.gap) == ([("train", 1)], True)
    sender.steps(batch(0, TABLE, first=1, steps=12), TABLE)
    assert seen[1:4] == [("steps", 4), ("train", 5), ("steps", 5)]
    assert seen[4:] == [("eval", 5), ("steps", 11), ("train", 12), ("steps", 12), ("eval", 12)]
    assert auditor.ended(0, 0, "finished") == []
    assert seen[-1] == ("train", 30)


def test_what_waits_is_bounded() -> None:
    """Beyond a number of recordings the oldest is shown before its step."""
    sender = Sender(RunAuditor(RUN))
    found = [f.step for number in range(2, 2 + MAX_WAITING + 3) for f in sender.record(step(number), ahead=True)]
    assert found == [2, 3, 4]


def test_declarations_survive_a_trip_through_json() -> None:
    """A restored auditor shows its rules what the one before had been told."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "mse"}, "scale": float("inf")})
    state = json.loads(jsonfinite.dumps(sender.auditor.to_state()))
    sender.auditor = RunAuditor.from_state(state)
    sender.record(step(1))
    assert (SEEN[-1].run.framework, SEEN[-1].run.loss) == ("keras", {"class": "mse"})


def test_recordings_are_not_kept_where_no_rule_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a reader the lane keeps no bytes of them."""
    monkeypatch.setattr(registry, "rules", dict)
    auditor = RunAuditor(RUN)
    lane, _ = auditor._lane(0, 0)
    assert not lane.records
    assert Sender(auditor).record(step(1)) == []
    assert lane.next_seq == 1


class Broken(Reader):
    """A rule with a mistake of its own."""

    id = "broken"

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Fails."""
        raise KeyError(view.step)


def test_a_rule_that_fails_is_retired_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule's error costs that rule alone, and the run says why it is not judged."""
    monkeypatch.setattr(registry, "rules", lambda: {"broken": Broken, "reader": Reader})
    monkeypatch.setenv("AUDITOR_RAISE", "0")
    sender = Sender(RunAuditor(RUN))
    found = sender.record(step(1)) + sender.record(step(2))
    assert [(f.rule, f.step) for f in found] == [("reader", 1), ("reader", 2)]
    assert sender.auditor.unjudged() == {"broken": "the rule failed: KeyError: 1"}
