from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from auditor.alerts.stories import ancestors
from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.statistics import STATISTICS
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table(1, ("weight",))
DROPOUT = {"modules": ["drop"], "kinds": ["Dropout"]}
NORM = {"modules": ["fc0"], "kinds": ["BatchNorm1d"]}


def mode(step: int, phase: str, training: str, **more: Any) -> dict[str, Any]:
    """A mode event."""
    return {"step": step, "type": "mode", "phase": phase, "training": training, **more}


def evaluation(step: int) -> dict[str, Any]:
    """The end of an evaluation."""
    return {"step": step, "type": "evaluation", "batches": 3, "samples": 99, "losses": 3}


def judge(events: Sequence[Mapping[str, Any]], *, ones: bool = False, framework: str = "torch") -> list[Finding]:
    """What is said of 100 steps with these events; ``ones``: the layer's weights are 1 throughout."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework=framework)
    for i in range(10):
        here = [dict(one) for one in events if 10 * i < one["step"] <= 10 * i + 10]
        made = batch(i, TABLE, first=10 * i + 1, steps=10, kind="weight", loss=1.0, events=here)
        if ones:
            floats = made.blocks[0].words.view(np.float32)
            floats[:, STATISTICS.index("min")] = floats[:, STATISTICS.index("max")] = 1.0
        found += sender.steps(made, TABLE)
    return [one for one in found if one.rule == "wrong_mode"]


@pytest.mark.parametrize(
    ("events", "ones"),
    [
        ([mode(1, "train", "false", **DROPOUT)], False),
        ([mode(1, "train", "false", **NORM)], True),
        ([mode(1, "train", "true"), mode(30, "eval", "false"), mode(31, "train", "false", **NORM)], False),
    ],
    ids=["dropout off from the start", "a new normalisation frozen", "never turned back after an evaluation"],
)
def test_training_in_evaluation_mode(events: Any, ones: bool) -> None:
    """Said at the twentieth step in the wrong mode, with the layers."""
    [found] = judge(events, ones=ones)
    assert found.step == events[-1]["step"] + 19
    assert found.evidence["what"] == "Training runs in evaluation mode"
    assert found.evidence["kinds"] == events[-1]["kinds"][0]


@pytest.mark.parametrize(
    "events",
    [
        [mode(1, "train", "true")],
        [mode(1, "train", "false", **NORM)],
        [mode(1, "train", "mixed", **NORM)],
        [mode(1, "train", "false", **DROPOUT), mode(10, "train", "true")],
        [mode(1, "train", "true"), mode(20, "eval", "false"), *map(evaluation, (20, 40, 60))],
        [mode(1, "train", "true"), mode(2, "eval", "true", **DROPOUT), *map(evaluation, range(2, 60))],
        [mode(1, "train", "true"), mode(20, "eval", "true", **DROPOUT), evaluation(20)],
        [mode(1, "train", "true"), mode(1, "train", "false", **DROPOUT)] * 2,
        [mode(1, "train", "true"), mode(20, "eval", "true", whole=False, **DROPOUT), *map(evaluation, (20, 40, 60))],
    ],
    ids=[
        *("right", "normalisation frozen on trained weights", "normalisation frozen, dropout on", "a dry run"),
        *("evaluations", "a pass without gradients at every step", "once only"),
        *("both modes in one step, as a discriminator's in a generator's turn", "Monte Carlo dropout"),
    ],
)
def test_recipes_are_left_alone(events: Any) -> None:
    """Fine-tuning with frozen statistics, dry runs, teachers at every step."""
    assert judge(events) == []


def test_evaluation_in_training_mode() -> None:
    """The second evaluation with dropout on says so; TensorFlow tells its one tracing."""
    events = [mode(20, "eval", "true", **DROPOUT), *map(evaluation, (20, 40, 60))]
    found = judge(events)
    assert [one.step for one in found] == [40]
    assert found[0].evidence["what"] == "Evaluation runs in training mode"
    traced = judge([mode(1, "train", "true"), mode(10, "eval", "true", **DROPOUT)], framework="tensorflow")
    assert len(traced) == 1
    look = [mode(10, "eval", "true", unscored=True, **DROPOUT), *map(evaluation, (20, 40, 60))]
    assert judge([mode(1, "train", "true"), *look], framework="tensorflow") == []


def test_an_event_without_steps_waits_for_the_next_ones() -> None:
    """A frame that holds an event and no step is told with the next frame that has steps."""
    sender = Sender(RunAuditor(RUN))
    empty = batch(0, TABLE, first=1, steps=0, kind=None, events=[mode(1, "train", "false", **DROPOUT)])
    assert sender.steps(empty, TABLE) == []
    sender.auditor = RunAuditor.from_state(sender.auditor.to_state())
    found = sender.steps(batch(1, TABLE, first=1, steps=30, kind=None, loss=1.0), TABLE)
    assert [(one.rule, one.step) for one in found] == [("wrong_mode", 20)]


@pytest.mark.parametrize(("asked", "times"), [({"asked": True}, 1), ({"asked": False}, 0), ({}, 0)])
def test_keras_tells_an_evaluation_once(asked: dict[str, bool], times: int) -> None:
    """Of a model that was itself called in training mode it is said; a dropout that is always on is meant so."""
    events = [mode(1, "train", "true"), mode(30, "eval", "true", **DROPOUT, **asked)]
    found = judge(events, framework="keras")
    assert [(one.step, one.evidence["what"]) for one in found] == [(30, "Evaluation runs in training mode")] * times


@pytest.mark.parametrize(("whole", "kinds", "said"), [(True, NORM, 0), (False, NORM, 1), (True, DROPOUT, 1)])
def test_normalisation_that_is_frozen_later_on_purpose(whole: bool, kinds: Any, said: int) -> None:
    """Only its layers were turned, behind model.train(); dropout is nobody's to turn off, nor is the whole model."""
    turned = mode(31, "train", "false", whole=whole, **kinds)
    events = [mode(1, "train", "true", whole=True), mode(30, "eval", "false", whole=False), turned]
    for ones in (False, True):  # at the first step, as where the run is the training from scratch as well
        assert len(judge(events, ones=ones)) == said


def test_normalisation_that_is_frozen_explains_steps_that_are_too_large() -> None:
    """What was not normalised is as large as it came: the rate is not the root."""
    assert "wrong_mode" in ancestors("learning_rate")
    assert not ancestors("wrong_mode")
