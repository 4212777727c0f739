from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import backward
from auditor.compare.identify.evidence import evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_fits import LossFit
from auditor.compare.profile import Profile
from auditor.compare.recognise import conduct, loss
from auditor.ingest.records import Recorded, StepRecording
from support.tiny import Tiny

LOGITS = LossFit("binary cross entropy", "logits", "mean", 1.0, broadcast=False, smoothing=0.0, residual=0.0)
SHARES = replace(LOGITS, takes="probabilities")


def side(*, factor: float, turned: float | None, count: int = 4, keras: bool = False) -> Profile:
    """A run of so many batches to a step, whose loss and gradient are of that much."""
    known = Tiny(steps=3).profile()
    told: dict[str, Any] = {"loss.factor": factor, "backward.factor": turned, "update.batches_per_step": count}
    measured = {name: fact for name, fact in known.facts.measured.items() if not name.startswith("backward.")}
    measured |= {name: Fact(name, value) for name, value in told.items() if value is not None}
    name = "update.gradient_accumulation_steps"
    declared = {**known.facts.declared, **({name: Fact(name, count, how="declared")} if keras else {})}
    return replace(known, facts=replace(known.facts, measured=measured, declared=declared))


@pytest.mark.parametrize(
    ("a", "b", "entries"),
    [
        ({"factor": 1.0, "turned": 4.0}, {"factor": 1.0, "turned": None, "keras": True}, ["OPT-21"]),
        ({"factor": 0.25, "turned": 4.0}, {"factor": 1.0, "turned": None, "keras": True}, []),
        ({"factor": 0.25, "turned": 4.0}, {"factor": 1.0, "turned": 1.0, "count": 1}, []),
        ({"factor": 0.5, "turned": 4.0}, {"factor": 1.0, "turned": 2.0}, ["LOSS-00"]),
        ({"factor": 1.0, "turned": 4.0}, {"factor": 0.25, "turned": 4.0}, ["OPT-21"]),
        ({"factor": 1.0, "turned": 4.0}, {"factor": 1.0, "turned": 4.0}, []),
        ({"factor": 1.0, "turned": None}, {"factor": 1.0, "turned": None, "keras": True}, []),
    ],
)
def test_what_several_batches_add_up_to_is_read_off_loss_and_gradient(
    a: dict[str, Any], b: dict[str, Any], entries: list[str]
) -> None:
    """Their sum against their mean. A loss divided by their number, and summed, is Keras's; one gradient, no claim."""
    for left, right in ((a, b), (b, a)):
        found = list(loss.causes(side(**left), side(**right)))
        assert [one.id for one in found] == entries
        assert all(one.chance == (one.parameter == "loss.printed") for one in found)


def test_a_mean_that_keras_takes_by_itself_is_a_loss_that_is_divided() -> None:
    """Of as many batches: the factor of the loss is no other gradient; without Keras's mean, or the division, it is."""
    divided, whole, keras = (
        side(factor=part, turned=None, keras=by) for part, by in ((0.25, False), (1.0, False), (1.0, True))
    )
    assert conduct.balanced(divided, keras)
    assert conduct.balanced(keras, divided)
    assert not conduct.balanced(whole, keras)
    assert not conduct.balanced(divided, whole)
    assert not conduct.balanced(keras, keras)


def step(outputs: list[np.ndarray], targets: list[np.ndarray], gradient: np.ndarray) -> StepRecording:
    """A step of so many batches, with the gradient of the output's bias."""
    arrays = {}
    for at, (output, target) in enumerate(zip(outputs, targets, strict=True)):
        end = f"@{at}" if at else ""
        for role, name, values in (("output", f"output0{end}", output), ("target", f"target0{end}", target)):
            arrays[role, name] = Recorded(role, name, "float64", values.shape, values.size, values.reshape(-1))
    for role in ("weight", "gradient", "updated"):
        arrays[role, "bias"] = Recorded(role, "bias", "float64", gradient.shape, gradient.size, gradient)
    return StepRecording(0, 0, 1, arrays, {"loss": 1.0})


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Of each number."""
    return np.asarray(1 / (1 + np.exp(-x)))


def factor_of(one: StepRecording, fit: LossFit) -> float | None:
    """What the recorded gradient is of the loss's; None where that cannot be said."""
    facts = {fact.parameter: fact.value for fact in backward.facts(evidence("torch", [one]), [fit])}
    return facts.get("backward.factor")


@pytest.mark.parametrize("summed", [True, False])
def test_the_gradient_of_several_batches_is_held_against_all_of_them(*, summed: bool) -> None:
    """Three times the mean loss's where they are added up, once where their mean is taken."""
    rng = np.random.default_rng(0)
    outputs = [rng.normal(size=(8, 2)) for _ in range(3)]
    targets = [rng.integers(0, 2, (8, 2)).astype(float) for _ in range(3)]
    slopes = [(sigmoid(o) - y).mean(axis=0) / 2 for o, y in zip(outputs, targets, strict=True)]
    gradient = np.sum(slopes, axis=0) if summed else np.mean(slopes, axis=0)
    assert factor_of(step(outputs, targets, gradient), LOGITS) == pytest.approx(3.0 if summed else 1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("shape", "reduction", "factor"),
    [([8], "mean", 8.0), ([None], "mean", 8.0), ([8], "sum", None), ([], "mean", None), (None, "mean", None)],
)
def test_what_a_tape_was_given_says_what_the_gradient_is_of(
    shape: list[int | None] | None, reduction: str, factor: float | None
) -> None:
    """Where no output was recorded: several numbers are differentiated as their sum, and their mean is told."""
    one = step([], [], np.zeros(2))
    one.arrays["batch", "input0"] = Recorded("batch", "input0", "float32", (8, 3), 24, np.zeros(24, np.float32))
    one.facts["loss"] = {} if shape is None else {"loss_shape": shape}
    assert factor_of(one, replace(LOGITS, reduction=reduction)) == factor


@pytest.mark.parametrize(("steep", "factor"), [(0.0, 8.0), (40.0, None)])
def test_behind_a_sigmoid_the_slope_is_by_what_it_was_given(steep: float, factor: float | None) -> None:
    """A vector of losses, differentiated, is their sum: the mean times its rows. Clipped answers tell nothing."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(8, 1))
    logits[0] += steep
    target = rng.integers(0, 2, (8, 1)).astype(float)
    gradient = (sigmoid(logits) - target).sum(axis=0)
    found = factor_of(step([sigmoid(logits)], [target], gradient), SHARES)
    assert found == (factor if factor is None else pytest.approx(factor, rel=1e-3))
