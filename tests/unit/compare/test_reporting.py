"""Metrics of one name that mean something else: told from the manifests, sized by the recorded outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, glorot, sgd, torch_stepper

ZERO = {"class": "BinaryAccuracy", "config": {"name": "accuracy", "dtype": "float32", "threshold": 0.0}}


def run(metric: Any, seed: int = 0, outputs: int = 1) -> Profile:
    """A run compiled with one metric."""
    tiny = Tiny(stepper=sgd, weights=lambda: glorot(seed, (6, 24, outputs)))
    return tiny.profile(manifest={"loss": {"metrics": [metric]}})


def told(a: Any, b: Any, outputs: int = 1) -> list[str]:
    """Parameters of the causes that a metric is."""
    found = diagnose(run(a, outputs=outputs), run(b, 5, outputs)).causes
    return [cause.parameter for cause in found if cause.id == "DATA-08"]


def test_accuracy_by_another_threshold_is_told_with_what_lies_between() -> None:
    """Declared, for no step shows it: never a mismatch by itself."""
    found = diagnose(run("accuracy"), run(ZERO, 5))
    told = next(cause for cause in found.causes if cause.id == "DATA-08")
    assert (told.parameter, told.values, told.how) == ("accuracy.threshold", (0.5, 0.0), "declared")
    assert 0.05 < told.weight < 0.95
    assert not found.matters


@pytest.mark.parametrize(("a", "b"), [("accuracy", "acc"), (ZERO, ZERO), ("mae", "accuracy")])
def test_the_same_metric_in_two_spellings_and_other_metrics_are_none(a: Any, b: Any) -> None:
    """What is called otherwise is no difference of one metric."""
    assert told(a, b) == []


def test_another_metric_under_one_name_is_told() -> None:
    """Whatever it is made of; of several outputs the word stands for no threshold."""
    top = {"class": "TopKCategoricalAccuracy", "config": {"name": "accuracy", "k": 5}}
    plain = {"class": "CategoricalAccuracy", "config": {"name": "accuracy"}}
    assert told(top, plain, 3) == ["accuracy.definition"]
    assert told("accuracy", ZERO, 3) == []


def bare() -> Profile:
    """A run whose program declares no metrics, as PyTorch's do."""
    return Tiny(stepper=sgd, weights=lambda: glorot(5, (6, 24, 1))).profile(manifest={"loss": {}})


def test_accuracy_of_logits_at_one_half_is_told_where_the_other_side_declares_nothing() -> None:
    """The middle of logits is zero; probabilities have theirs at one half."""
    found = next(cause for cause in diagnose(bare(), run("accuracy")).causes if cause.id == "DATA-08")
    assert (found.parameter, found.values, found.how) == ("accuracy.threshold", (0.0, 0.5), "declared")
    assert 0.05 < found.weight < 0.95
    assert not [cause for cause in diagnose(bare(), run("mae")).causes if cause.id == "DATA-08"]
    assert not [cause for cause in diagnose(bare(), run(ZERO)).causes if cause.id == "DATA-08"]


def penalised(l2: float) -> Profile:
    """Squares of the kernels in the loss, told apart from it."""
    tiny = Tiny(stepper=sgd, l2=l2, framework="keras")
    scalars = [one.scalars for one in tiny.recordings()]
    steps = np.arange(1, len(scalars) + 1)
    names = ("loss", "loss/penalty")
    return tiny.profile(curves={name: Curve(steps, np.array([one[name] for one in scalars])) for name in names})


def decaying(decay: float) -> Tiny:
    """The same pull by the optimizer, on the kernels."""

    def make(parameters: list[Any]) -> torch.optim.Optimizer:
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in parameters if p.ndim == 1]},
        ]
        return torch.optim.SGD(groups, 1e-2)

    return Tiny(stepper=lambda: torch_stepper(make))


def decayed(decay: float) -> Profile:
    """A run of it."""
    return decaying(decay).profile()


def test_a_loss_that_is_printed_with_its_penalty_is_told_and_claims_nothing() -> None:
    """Where the steps are the same: decay by the optimizer is in no loss. Another pull is another difference."""
    found = diagnose(penalised(0.05), decayed(0.1))
    told = next(cause for cause in found.causes if cause.id == "LOSS-17")
    assert (told.values, told.how) == (("with the penalty", "without"), "declared")
    assert not found.matters
    other = diagnose(penalised(0.05), decayed(0.05))
    assert "LOSS-17" not in {cause.id for cause in other.causes}
    assert other.matters
    both = diagnose(penalised(0.05), penalised(0.05))
    assert not both.causes


def looked(tiny: Tiny, printed: float) -> list[StepRecording]:
    """An evaluation of eight rows whose loss has so much beside the squared error."""
    rng = np.random.default_rng(3)
    output, target = rng.normal(size=(2, 8, 1)).astype(np.float32)
    loss = float(((output - target) ** 2).mean()) + printed
    arrays = [array("output", "output0", output), array("target", "target0", target)]
    return assembled([Recording(len(tiny.recordings()), arrays, {"loss": loss}, {"phase": "eval"})])


def evaluated(printed: bool, l2: float = 0.05, off: float = 0.0, metrics: Sequence[Any] = ()) -> Profile:
    """A run with a penalty, and an evaluation of eight rows whose loss has it too, or not, or something else."""
    tiny = Tiny(stepper=sgd, l2=l2, framework="keras")
    scalars = [one.scalars for one in tiny.recordings()]
    curves = {"loss/penalty": Curve(np.arange(1, len(scalars) + 1), np.array([one["loss/penalty"] for one in scalars]))}
    seen = looked(tiny, printed * scalars[-1]["loss/penalty"] + off)
    manifest = {"loss": {"class": "MeanSquaredError", "metrics": list(metrics)}}
    return tiny.profile(curves=curves, evaluations=seen, manifest=manifest)


def test_a_penalty_within_an_evaluations_loss_is_told_and_claims_nothing() -> None:
    """Keras's ``evaluate`` adds it, a loop mostly does not; where both do or neither does nothing is said."""
    found = diagnose(evaluated(True), evaluated(False))
    told = next(cause for cause in found.causes if cause.id == "LOSS-20")
    assert (told.values, told.how) == (("with the penalty", "without"), "declared")
    assert not found.matters
    for printed in (True, False):
        assert "LOSS-20" not in {cause.id for cause in diagnose(evaluated(printed), evaluated(printed)).causes}


def test_an_evaluation_beside_a_decay_is_told_unless_the_loss_is_a_metric_too() -> None:
    """A loop with the optimizer's decay has no penalty to print; Keras has the loss without one as a metric."""
    tiny = decaying(0.1)
    loop = tiny.profile(evaluations=looked(tiny, 0.0))
    for metrics in ([], ["mae"], [{"class": "MeanAbsoluteError", "config": {"name": "mse"}}]):
        first = diagnose(evaluated(True, metrics=metrics), loop).causes[0]
        assert (first.id, first.values) == ("LOSS-20", ("with the penalty", "without"))
    for metric in ("mse", "mean_squared_error", {"class": "MeanSquaredError", "config": {"name": "error"}}):
        assert "LOSS-20" not in {cause.id for cause in diagnose(evaluated(True, metrics=[metric]), loop).causes}


def test_another_part_of_an_evaluations_loss_is_no_penalty() -> None:
    """Of another size than the penalty that was trained with."""
    assert "LOSS-20" not in {cause.id for cause in diagnose(evaluated(False, off=0.7), evaluated(False)).causes}
