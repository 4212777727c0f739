from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from auditor.detect import registry
from auditor.detect.engine import GAP_TICKS, RunAuditor
from auditor.detect.registry import rules
from auditor.detect.rule import Rule, dump, load
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject
from auditor_agent import jsonfinite
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table()
POISON = {(25, "fc1.weight"): "nan"}


def test_frames_are_judged_in_the_order_of_their_sequence_numbers() -> None:
    """A frame that overtakes another waits for it."""
    auditor = RunAuditor(RUN)
    late = batch(1, TABLE, first=10, bad={(10, "fc0.bias"): "nan"})
    assert auditor.observe(batch(2, TABLE, first=20, bad=POISON), TABLE, 0) == []
    assert auditor.observe(batch(0, TABLE), TABLE, 0) == []
    assert next(f.step for f in auditor.observe(late, TABLE, 0)) == 10


def test_a_frame_without_steps_is_no_gap() -> None:
    """Start and manifest frames have sequence numbers of their own; the detectors hear of them."""
    auditor = RunAuditor(RUN)
    assert auditor.observe(batch(2, TABLE, first=20, bad=POISON), TABLE, 0) == []
    assert auditor.advance(0, 0, 0, 0) == []
    assert [f.rule for f in auditor.advance(0, 0, 1, 0)] == ["nonfinite_gradient", "nonfinite_gradient"]


def test_a_duplicate_says_nothing_new() -> None:
    """A frame that comes again, before or after it was judged, is ignored."""
    auditor = RunAuditor(RUN)
    frame = batch(0, TABLE, first=20, bad=POISON)
    assert auditor.observe(frame, TABLE, 0) != []
    assert auditor.observe(frame, TABLE, 0) == []
    assert auditor.live.nonfinite == {"gradient": 10}


def test_a_gap_below_the_floor_is_given_up() -> None:
    """The agent says that what has not come below the floor was dropped."""
    auditor = RunAuditor(RUN)
    auditor.observe(batch(0, TABLE), TABLE, 0)
    assert auditor.observe(batch(5, TABLE, first=20, bad=POISON), TABLE, 4) == []
    assert auditor.observe(batch(6, TABLE, first=30), TABLE, 5) != []


def test_a_gap_is_given_up_when_too_much_waits_behind_it() -> None:
    """The buffer is bounded."""
    auditor = RunAuditor(RUN)
    found = []
    for seq in range(1, 70):
        found += auditor.observe(batch(seq, TABLE, first=10 * seq, bad={(10 * seq, "fc0.bias"): "nan"}), TABLE, 0)
    assert found[0].step == 10
    assert len({f.step for f in found}) == 70


def test_a_gap_is_given_up_after_some_ticks() -> None:
    """A missing frame delays an alert by half a minute at most."""
    auditor = RunAuditor(RUN)
    auditor.observe(batch(1, TABLE, first=20, bad=POISON), TABLE, 0)
    found = [auditor.tick(float(now)) for now in range(GAP_TICKS + 1)]
    assert next(f.rule for f in found[-1] if not f.cleared) == "nonfinite_gradient"
    assert not any(f.rule == "nonfinite_gradient" for early in found[:-1] for f in early)


def test_the_state_survives_a_trip_through_json() -> None:
    """An auditor restored in mid-run finds what the one that went on finds."""
    rng = np.random.default_rng(0)
    loss = rng.uniform(0.9, 1.1, 400)
    loss[300:] = 40.0
    whole, parts = RunAuditor(RUN), RunAuditor(RUN)
    expected, found = [], []
    for seq in range(20):
        losses = loss[20 * seq : 20 * seq + 20]
        sizes = np.where(np.arange(20 * seq, 20 * seq + 20) == 300, 40.0, 1.0)  # one update, and its harm stays
        norms = np.repeat(sizes[:, None], sum(tensor.kind == "gradient" for tensor in TABLE), axis=1)
        frame = batch(seq, TABLE, first=20 * seq, steps=20, loss=losses, lr=0.1, l2=norms)
        expected += whole.observe(frame, TABLE, 0)
        text = jsonfinite.dumps(parts.to_state())
        parts = RunAuditor.from_state(json.loads(text))
        found += parts.observe(frame, TABLE, 0)
    assert [f.rule for f in expected] == ["loss_spike"]
    assert found == expected
    assert parts.live == whole.live


def test_a_later_attempt_ends_the_faults_of_the_one_before() -> None:
    """A restarted process is judged afresh; what fired before is over."""
    auditor = RunAuditor(RUN)
    auditor.observe(batch(0, TABLE, first=20, bad=POISON), TABLE, 0)
    found = auditor.observe(batch(0, TABLE, attempt=1), TABLE, 0)
    assert [(f.rule, f.attempt, f.cleared) for f in found] == [("nonfinite_gradient", 0, True)]
    assert auditor.live.attempt == 1
    late = auditor.observe(batch(1, TABLE, first=30, bad={(30, "fc0.bias"): "nan"}), TABLE, 0)
    assert late[-1].cleared


def test_a_rewind_starts_the_histories_afresh() -> None:
    """A second fit whose loss begins high is no spike."""
    auditor, rng = RunAuditor(RUN), np.random.default_rng(1)
    found = auditor.observe(batch(0, TABLE, steps=200, loss=rng.uniform(0.09, 0.11, 200)), TABLE, 0)
    found += auditor.observe(batch(1, TABLE, first=0, steps=200, loss=rng.uniform(4.9, 5.1, 200)), TABLE, 0)
    assert found == []


@pytest.mark.parametrize("cut", [200, 120, 300])
def test_another_model_starts_the_histories_afresh(cut: int) -> None:
    """A second fit goes on with the first one's numbers; of the same model only what it was about begins anew."""
    for another, known in ((True, (200, 200)), (False, (400, 200))):
        rules = taken_over([199], cut, another=another)
        assert (
            rules["loss_not_decreasing"].memory.plateau.losses.count,
            rules["loss_diverging"].memory.losses.count,
        ) == known


@pytest.mark.parametrize("cut", [200, 120, 300])
def test_rounds_of_a_few_steps_are_one_course(cut: int) -> None:
    """Copies that are trained for 40 steps each, as in federated learning, go on where the last one was."""
    rules = taken_over(range(39, 400, 40), cut, another=True)
    assert rules["loss_diverging"].memory.losses.count == 400


def taken_over(steps: Iterable[int], cut: int, *, another: bool) -> dict[str, Any]:
    """The rules after 400 steps in two frames, another optimizer having taken over after ``steps``."""
    losses = np.random.default_rng(1).uniform(0.09, 0.11, 400)
    auditor, told = (
        RunAuditor(RUN),
        [(step, {"type": "optimizer_changed", "step": step, "another_model": another}) for step in steps],
    )
    for seq, (first, after) in enumerate([(0, cut), (cut, 400)]):
        events = [event for step, event in told if first <= step < after]
        part = batch(seq, TABLE, first=first, steps=after - first, loss=losses[first:after], events=events)
        auditor.observe(part, TABLE, 0)
    return {rule.id: rule for rule in auditor._lanes[0, 0].rules}


@pytest.mark.parametrize("cut", [100, 150, 151, 200])
def test_a_loss_of_another_model_has_no_past(cut: int) -> None:
    """Its optimizer still holds the model before: the losses from the step before the one that tells are new ones."""
    losses = np.where(np.arange(400) < 150, 0.01, 2.0)
    auditor, rules = RunAuditor(RUN), {}
    for seq, (first, after) in enumerate([(0, cut), (cut, 400)]):
        event = {"type": "bypassed", "step": 151, "parameters": [{"shape": [4, 4], "mean": 0, "std": 1, "absmax": 2}]}
        events = [event] if first <= 151 < after else []
        auditor.observe(
            batch(seq, TABLE, first=first, steps=after - first, loss=losses[first:after], events=events), TABLE, 0
        )
        rules = {rule.id: rule for rule in auditor._lanes[0, 0].rules}
    assert rules["unchanged_parameters"].active
    assert rules["loss_diverging"].memory.best == 2.0


def test_rules_are_muted_and_tuned_by_id() -> None:
    """A muted rule says nothing; an unknown rule or parameter is an error that names the known ones."""
    auditor = RunAuditor(RUN, overrides={"nonfinite_gradient": {"mute": True}, "loss_spike": {"share": 0.5}})
    assert auditor.observe(batch(0, TABLE, first=20, bad=POISON), TABLE, 0) == []
    with pytest.raises(ValueError, match=r"known: .*loss_spike"):
        RunAuditor(RUN, overrides={"los_spike": {}})
    with pytest.raises(ValueError, match=r"it has .*'share'"):
        RunAuditor(RUN, overrides={"loss_spike": {"shar": 1}})


class EveryStep(Rule):
    """A user's rule."""

    id = "every_step"
    severity = Severity.INFO
    phase = "run"
    meaning, needs, trigger, source = "m", "n", "t", "s"
    summary, likely_causes, advice = "{name}", (), ""

    def observe(self, view: StepView) -> list[Finding]:
        """One finding per frame."""
        return [self.finding(view, 0, Subject("run", view.batch.run), {})]


class Entry:
    """An installed entry point that names ``target``, or does not import."""

    name, value = "mine", "theirs:Mine"

    def __init__(self, target: object) -> None:
        self.target = target

    def load(self) -> object:
        """What the entry point names."""
        if isinstance(self.target, Exception):
            raise self.target
        return self.target


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[object], None]]:
    """Installs a user's rule, and takes it out again."""

    def put(target: object) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: [Entry(target)] if group == "auditor.rules" else [])
        registry._loaded.cache_clear()

    yield put
    registry._loaded.cache_clear()


def test_users_add_rules_by_entry_point(install: Callable[[object], None]) -> None:
    """A class of the group auditor.rules is a rule like any other."""
    install(EveryStep)
    found = RunAuditor(RUN).observe(batch(0, TABLE), TABLE, 0)
    assert [f.rule for f in found] == ["every_step"]
    assert registry.unusable() == {}


class Nameless(EveryStep):
    """A rule of a phase that there is not."""

    id = "nameless"
    phase = "later"


class Wordless(Rule):
    """A rule that says nothing of itself but its id."""

    id = "wordless"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (ModuleNotFoundError("No module named 'theirs'"), "ModuleNotFoundError: No module named 'theirs'"),
        (object(), "TypeError: it is no subclass of"),
        (Nameless, "its phase 'later' is none of "),
        (Wordless, "it does not say its severity, meaning"),
    ],
)
def test_a_user_s_rule_that_cannot_be_used_costs_no_other(
    install: Callable[[object], None], caplog: pytest.LogCaptureFixture, target: object, why: str
) -> None:
    """The run is judged by all others; what is wrong is logged once, and told with what could not be judged."""
    install(target)
    auditor = RunAuditor(RUN)
    found = auditor.observe(batch(0, TABLE, first=20, bad=POISON), TABLE, 0)
    assert "nonfinite_gradient" in {f.rule for f in found}
    assert why in auditor.unjudged()["mine"]
    assert "theirs:Mine" in auditor.unjudged()["mine"]
    RunAuditor("another")
    assert len([record for record in caplog.records if why in record.getMessage()]) == 1


def test_a_run_of_no_steps_is_judged_by_no_rule() -> None:
    """Every rule says why it could not: what was not looked at is not called sound."""
    nothing = RunAuditor(RUN)
    assert set(nothing.unjudged()) == set(registry.rules())
    told = Sender(RunAuditor(RUN))
    told.start(world_size=2)
    told.manifest({"optimizer": {"class": "Adam"}})
    reasons = told.auditor.unjudged()
    assert set(reasons) == set(registry.rules())
    assert all(len(reason) > 10 for reason in reasons.values())


def test_frames_with_one_step_and_frames_without_tensors_are_fine() -> None:
    """Frames of every shape pass through all rules."""
    auditor = RunAuditor(RUN)
    for seq, (steps, kind, loss) in enumerate(
        [(0, None, None), (1, "gradient", 1.0), (3, None, 2.0), (2, "weight", None), (1, "gradient", None)]
    ):
        assert auditor.observe(batch(seq, TABLE, first=10 * seq, steps=steps, kind=kind, loss=loss), TABLE, 0) == []
    assert auditor.live.steps == 7


@dataclass(slots=True)
class Inner:
    """What a memory may hold besides."""

    worst: float = 0.0
    each: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Kept:
    """Numbers and words in every place that a memory has."""

    alone: float = 0.0
    listed: list[float] = field(default_factory=list)
    pairs: list[list[float]] = field(default_factory=list)
    named: dict[str, list[float]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    by_word: dict[str, str] = field(default_factory=dict)
    maybe: float | None = None
    inner: Inner = field(default_factory=Inner)


def test_what_is_no_number_survives_in_every_place_of_a_memory() -> None:
    """Lists, lists of lists and objects come back with the numbers that they held; words stay words."""
    wild = [math.nan, math.inf, -math.inf, 1.5]
    kept = Kept(
        *(math.inf, wild, [wild, wild], {"NaN": wild}, ["NaN", "Infinity"], {"layer": "NaN"}, -math.inf),
        Inner(math.nan, wild),
    )
    again = load(Kept, json.loads(jsonfinite.dumps(dump(kept))))
    assert repr(again) == repr(kept)


@pytest.mark.parametrize("rule", sorted(rules()))
def test_every_rule_takes_back_its_memory(rule: str) -> None:
    """As it begins, with all that is unknown yet."""
    made = rules()[rule]()
    before = repr(made.memory)
    made.restore(json.loads(jsonfinite.dumps(made.state())))
    assert repr(made.memory) == before
