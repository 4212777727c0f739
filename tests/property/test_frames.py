"""However the sender cut its frames, and whenever the daemon began anew, the rules say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor_agent.stream.recording import Recording
from support.course import LABELS, logits
from support.lanes import array
from support.stories import GRADIENTS, LAYERS, Story, alerts

STEPS = 460
#: Steps in a frame: each alone, some, many, all.
SPLITS = (1, 7, 64, STEPS)
PROBES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50, 100, 200, 400)
SAMPLED = (1, 2, 3, 4, 5, *range(50, STEPS + 1, 50))


def losses(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A course of the loss with its noise."""
    t = np.arange(STEPS)
    course = {
        "learns": 1.4 * np.exp(-t / 80) + 0.1,
        "flat": np.full(STEPS, 1.39),
        "constant": np.full(STEPS, 2.0),
        "spike": np.where((t >= 233) & (t < 252), 6.0, 0.5),
        "diverges": 1.4 * np.exp(t / 60),
        "destroyed": np.where(t < 12, 400.0, 3.0),
        "forgets": np.where(t < 200, 0.3, 1.4),
        "bounces": 3.0 + 1.5 * (-1.0) ** t,
    }[kind]
    noise = 1.0 if kind == "constant" else np.exp(0.03 * rng.normal(size=STEPS))
    return np.asarray(course * noise)


def rates(kind: str) -> np.ndarray:
    """A schedule of the learning rate."""
    t = np.arange(STEPS)
    schedule = {
        "steady": np.full(STEPS, 0.01),
        "zero": np.zeros(STEPS),
        "restarts": 0.01 * (1 - (t % 115) / 120),
        "warm-up": 0.01 * np.minimum(1, (t + 1) / 150),
    }[kind]
    return np.asarray(schedule)


def norms(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Gradient norms by tensor."""
    t = np.arange(STEPS)[:, None]
    out = np.exp(0.2 * rng.normal(size=(STEPS, len(GRADIENTS))))
    if kind == "vanishing":
        out *= np.where(np.arange(len(GRADIENTS)) < 4, 1e-5, 1.0)
    elif kind == "peak":
        out *= np.where(t == 233, 60.0, np.where((t > 233) & (t < 252), 6.0, 1.0))
    elif kind == "exploding":
        out *= np.where((t > 150) & (t < 330), 1e4, 1.0)
    elif kind == "zero":
        out[:, :6] = 0.0
    return np.asarray(out)


def recorded(step: int, loss: float, rng: np.random.Generator, **facts: Any) -> Recording:
    """A step with its batch, outputs of this loss, and a weight before and after."""
    weight = rng.normal(size=(8, 8)).astype(np.float32)
    arrays = [
        array("batch", "input0", rng.normal(size=(len(LABELS), 6)).astype(np.float32)),
        array("output", "output0", logits(max(loss, 1e-3))),
        array("target", "target0", LABELS),
        array("weight", "fc0.weight", weight),
        array("gradient", "fc0.weight", np.full_like(weight, 0.01)),
        array("updated", "fc0.weight", (weight - np.float32(1e-4)).astype(np.float32)),
    ]
    return Recording(step, arrays, {"loss": loss, "lr": 0.01}, facts)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A run in which some things go wrong."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = ["learns", "flat", "constant", "spike", "diverges", "destroyed", "forgets", "bounces"]
    loss = losses(draw(st.sampled_from(kinds)), rng)
    probes = [step for step in PROBES if draw(st.booleans())] if draw(st.booleans()) else PROBES
    skipped = sorted(draw(st.sets(st.integers(1, STEPS), max_size=40)))
    mode = {"step": draw(st.integers(1, 300)), "type": "mode", "phase": "train"}
    modes = [{**mode, "training": "false", "kinds": ["Dropout"], "modules": ["d"]}]
    modes += [{**mode, "step": mode["step"] + draw(st.integers(5, 60)), "training": "true"}]
    epochs = {step: rng.uniform(0.2, 0.3) for step in range(46, STEPS + 1, 46)}
    grown = draw(st.sampled_from([1.0, 1.03]))
    return Story(
        loss,
        rates(draw(st.sampled_from(["steady", "zero", "restarts", "warm-up"]))),
        norms(draw(st.sampled_from(["sound", "vanishing", "exploding", "zero"])), rng),
        scalars={
            "epoch": {step: float(place) for place, step in enumerate(epochs, 1)},
            "accuracy": epochs,
            "val_accuracy": epochs,
            "val_loss": {step: 1 + draw(st.sampled_from([-0.02, 0.05])) * i for i, step in enumerate(epochs)},
            "saturated/fc0": dict.fromkeys(SAMPLED, draw(st.sampled_from([0.0, 0.7, 1.0]))),
        },
        weights={step: grown**step if draw(st.booleans()) else 3.0 for step in SAMPLED},
        bad=sorted(draw(st.sets(st.integers(1, STEPS), max_size=2))),
        events=sorted(
            [
                *({"step": s, "type": "step_skipped", "scale": 2.0} for s in skipped),
                *(modes if draw(st.booleans()) else []),
                *({"step": s, "type": "evaluation", "samples": 200} for s in epochs),
            ],
            key=lambda event: int(event["step"]),
        ),
        recordings=[recorded(step, float(loss[step - 1]), rng) for step in probes if loss[step - 1] < 500],
        framework=draw(st.sampled_from(["torch", "keras", "tensorflow"])),
        manifest={
            "loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True},
            "optimizer": {"class": "SGD", "groups": [{"parameters": [f"fc{i}.weight" for i in range(LAYERS)]}]},
        },
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stories())
def test_d6_frames_of_any_size_give_the_same_alerts(story: Story) -> None:
    """One step in a frame, a few, many or all: rule, subject, first step and state of each alert are the same."""
    told = {size: alerts(story.tell(size)[1]) for size in SPLITS}
    for size in SPLITS[1:]:
        assert told[size] == told[1], f"{size} steps in a frame against 1"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stories())
def test_frames_of_any_size_leave_the_same_reasons(story: Story) -> None:
    """Nor does what a rule says of why it could not judge depend on the frames."""
    reasons = {size: story.tell(size)[0].unjudged() for size in SPLITS}
    assert all(reasons[size] == reasons[1] for size in SPLITS)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stories(), st.sets(st.integers(0, STEPS // 40), min_size=1, max_size=4))
def test_d8_rules_go_on_from_what_was_written_down(story: Story, restarts: set[int]) -> None:
    """All rules, their state through JSON and back between any two frames: findings and reasons are the same."""
    known, found = story.tell(40)
    again, refound = story.tell(40, restarts)
    assert refound == found
    assert again.unjudged() == known.unjudged()


@pytest.mark.parametrize(
    ("loss", "gradients", "expected"),
    [
        ("flat", "vanishing", "vanishing_gradient"),
        ("spike", "peak", "loss_spike"),
        ("diverges", "exploding", "exploding_gradient"),
    ],
)
def test_stories_are_told(loss: str, gradients: str, expected: str) -> None:
    """The stories do bring about alerts, so that their equality says something."""
    rng = np.random.default_rng(0)
    story = Story(losses(loss, rng), rates("steady"), norms(gradients, rng))
    assert any(rule.startswith(expected) for rule, *_ in alerts(story.tell(64)[1]))
