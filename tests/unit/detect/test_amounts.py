"""Targets in their raw units: too far from where a network begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding, Severity
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(11)
INPUTS = RNG.normal(size=(32, 5))
WEIGHT = RNG.normal(size=(4, 5)).astype("float32")


def told(
    targets: Any,
    answers: Any,
    losses: Any,
    *,
    stride: float = 0.01,
    optimizer: str = "SGD",
    steps: int = 200,
    ended: bool = False,
) -> list[Finding]:
    """What is said of a regression: ``answers`` and ``losses`` by step, and the first update over weight."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="torch")
    sender.manifest({"optimizer": {"class": optimizer}})
    for step in (*range(1, 21), 50, 100, 200, 400):
        output, loss = answers(step), losses(step)
        if step > steps or not np.isfinite(output).all():
            continue
        arrays = [array("batch", "input0", INPUTS), array("output", "output0", output)]
        arrays += [array("target", "loss.target", targets), array("weight", "fc.weight", WEIGHT)]
        arrays += [array("gradient", "fc.weight", WEIGHT), array("updated", "fc.weight", WEIGHT * (1 - stride))]
        exact = float(((output - targets) ** 2).mean())
        facts = {"loss": {"operation": "MseLoss", "reduction": "mean"}, "phase": "train"}
        found += sender.record(Recording(step, arrays, {"loss": exact if np.isfinite(loss) else loss}, facts))
    for first in range(1, steps + 1, 50):
        heard = [losses(step) for step in range(first, first + 50)]
        found += sender.steps(batch(0, tensors, first=first, steps=50, loss=heard), tensors)
    found += sender.auditor.ended(0, 0, "finished") if ended else []
    return [one for one in found if one.rule == "label_range"]


def course(targets: np.ndarray, at: Any) -> tuple[Any, Any]:
    """Answers that stand at ``at(step)`` times the targets, and their mean squared errors."""
    noise = 0.02 * RNG.normal(size=600)
    return (
        lambda step: np.full(targets.shape, 0.1) + at(step) * targets,
        lambda step: float(((0.1 + at(step) * targets - targets) ** 2).mean()) * (1 + noise[step]),
    )


PRICES = 250_000 + 60_000 * RNG.normal(size=(32, 1))
CENTRED = 5_000 * RNG.normal(size=(32, 1))
PLAIN = RNG.normal(size=(32, 1))


@pytest.mark.parametrize("targets", [PRICES, CENTRED], ids=["prices", "around zero"])
def test_amounts_that_answers_do_not_come_near(targets: np.ndarray) -> None:
    """A warning, with their range: after four hundred losses that have hardly moved, or at the end of a run."""
    answers, losses = course(targets, lambda step: 1e-4 * step / 400)
    assert told(targets, answers, losses) == []
    assert [one.step for one in told(targets, answers, losses, ended=True)] == [200]
    [one] = told(targets, answers, losses, steps=450)
    assert (one.step, one.severity) == (400, Severity.WARNING)
    assert one.evidence["low"] == pytest.approx(targets.min())
    assert one.evidence["high"] == pytest.approx(targets.max())


@pytest.mark.parametrize(
    ("targets", "at"),
    [(PRICES, lambda step: min(step / 60, 1.0)), (PRICES, lambda step: step / 1500), (PLAIN, lambda _: 0.0)],
    ids=["learnt", "on their way", "of size 1"],
)
def test_amounts_that_are_no_obstacle(targets: np.ndarray, at: Any) -> None:
    """Large ones that are come to, or will be; and what stays at the cost of guessing for another reason."""
    assert told(targets, *course(targets, at), steps=450, ended=True) == []


@pytest.mark.parametrize(
    ("targets", "stride", "optimizer", "said"),
    [
        (PRICES, 900.0, "torch.optim.sgd.SGD", True),
        (PRICES, 900.0, "torch.optim.adam.Adam", False),
        (PRICES, 1e6, "torch.optim.sgd.SGD", False),
        (PLAIN, 900.0, "torch.optim.sgd.SGD", False),
    ],
    ids=["thrown off", "steps that do not grow", "too fast for any", "of size 1"],
)
def test_a_run_that_large_amounts_throw_off(targets: np.ndarray, stride: float, optimizer: str, *, said: bool) -> None:
    """At the loss that is no number, where the same rate would have done for amounts of size 1."""

    def answers(step: int) -> np.ndarray:
        return np.full(targets.shape, 0.1 if step == 1 else np.inf)

    def losses(step: int) -> float:
        return float(((0.1 - targets) ** 2).mean()) if step == 1 else float("nan")

    found = told(targets, answers, losses, stride=stride, optimizer=optimizer, steps=50)
    assert [one.step for one in found] == [2] * said


@pytest.mark.parametrize(
    ("value", "biased", "last", "expected"),
    [(0.0, True, 400, True), (3.5, True, 400, True), (0.0, False, 400, False), (0.0, True, 50, False)],
    ids=["cut off to 0", "another one", "a residual", "too early"],
)
def test_amounts_that_are_all_one(value: float, biased: bool, last: int, expected: bool) -> None:
    """A warning, where the last bias alone can answer them; a residual that is to vanish has no such gradient."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    for step in (*range(1, 21), *(step for step in (50, 100, 200, 400) if step <= last)):
        output, target = RNG.normal(size=(32, 1)), np.full((32, 1), value)
        off = output - target
        arrays = [array("output", "output0", output), array("target", "loss.target", target)]
        arrays.append(array("gradient", "4.bias", 2 * off.mean(axis=0) + (0 if biased else 0.3)))
        facts = {"loss": {"operation": "MseLoss", "reduction": "mean"}, "phase": "train"}
        found += sender.record(Recording(step, arrays, {"loss": float((off**2).mean())}, facts))
    found = [one for one in found if one.rule == "label_range"]
    assert [(one.step, one.severity) for one in found] == [(100, Severity.WARNING)] * expected


def test_amounts_of_which_one_differs_are_left_alone() -> None:
    """Rare events: one among hundreds is enough to ask for."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"name": "squared_error"}})
    for step in (*range(1, 21), 50, 100, 200):
        output, target = RNG.normal(size=(32, 1)), np.zeros((32, 1))
        target[7] = step == 3
        off = output - target
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        arrays.append(array("gradient", "intercepts_[1]", off.mean(axis=0)))
        found += sender.record(Recording(step, arrays, {"loss": float((off**2).mean()) / 2}, {}))
    assert [one for one in found if one.rule == "label_range"] == []
