"""Layers that are frozen: as they were drawn, or as a training left them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from auditor.detect.evidence.owned import frozen
from auditor.detect.facts import RunFacts
from support.numpy_training import SHAPES, Training, rules

BODY = ("fc0.weight", "fc0.bias")


class Keras(Training):
    """The same run as Keras would tell it."""

    framework: ClassVar[str] = "keras"


def run(*, declared: bool = True, ran: bool = True, **more: Any) -> list[str]:
    """What is said of a run whose first layer is frozen."""
    layers = [
        {"name": name, "trainable": not (declared and name in BODY), "weights": [{"name": name, "trainable": False}]}
        for name in SHAPES
    ]
    shown = {"layers": [{"name": name, "kind": "Dense"} for name in (SHAPES if ran else ("fc1.weight",))]}
    training = Keras(frozen=BODY, cut=BODY, manifest={"model": {"layers": layers}}, facts=shown, **more)
    return [rule for rule in rules(training.run(320)) if rule == "unchanged_parameters"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"targets": "noise"}, True),
        ({}, False),
        ({"targets": "noise", "declared": False}, False),
        ({"targets": "noise", "ran": False}, False),
        ({"targets": "noise", "scale": 1.5}, False),
    ],
    ids=["costs", "random features that do", "not frozen by declaration", "does not run", "was trained"],
)
def test_a_random_body_that_is_frozen(how: dict[str, Any], said: bool) -> None:
    """Only where its weights look new and the loss, after 200 steps, shows that features are missing."""
    assert bool(run(**how)) is said


@pytest.mark.parametrize(
    ("how", "spread", "layer", "copied", "said"),
    [
        ({"targets": "noise"}, 1.0, "body", False, True),
        ({}, 1.0, "body", False, False),
        ({"targets": "noise"}, 1.5, "body", False, False),
        ({"targets": "noise"}, 1.0, "elsewhere", False, False),
        ({"targets": "noise"}, 1.0, "body", True, False),
    ],
    ids=["costs", "random features that do", "was trained", "does not run", "a teacher"],
)
def test_a_random_body_that_no_optimizer_was_given(
    how: dict[str, Any], spread: float, layer: str, *, copied: bool, said: bool
) -> None:
    """PyTorch: the agent describes it once, for nothing more is read of it."""
    bound = spread / np.sqrt(8)
    told = {"body.weight": {"shape": [16, 8], "mean": 0.0, "std": bound / np.sqrt(3), "absmax": 0.999 * bound}}
    facts = {"layers": [{"name": layer, "kind": "Linear"}]}
    begun = {"student.weight": {**told["body.weight"], "count": 128}} if copied else {}
    training = Training(manifest={"model": {"frozen": told}, "init": begun}, facts=facts, **how)
    assert ("unchanged_parameters" in rules(training.run(320))) is said


def test_what_is_declared_to_be_frozen() -> None:
    """The weights of a frozen layer, not the running statistics of a layer that is trained."""
    layers = [
        {"name": "body", "trainable": False, "weights": [{"name": "body/kernel", "trainable": False}]},
        {"name": "norm", "trainable": True, "weights": [{"name": "norm/moving_mean", "trainable": False}]},
    ]
    assert frozen(RunFacts(manifest={"model": {"layers": layers}})) == {"body/kernel"}


class Dries(Training):
    """Gradients that are zeros after ``until`` steps, as those too small for their type; ``left``: of the loss."""

    until: int = 60
    left: float = 1.0
    count: int = 0

    def step(self, inputs: Any, labels: Any, rate: float) -> tuple[float, dict[str, np.ndarray], np.ndarray]:
        """From some step on nothing is left of the gradients."""
        self.count += 1
        dry = self.count > self.until
        loss, gradients, output = super().step(inputs, labels, 0.0 if dry else rate)
        if dry:
            gradients = {name: np.zeros_like(gradient) for name, gradient in gradients.items()}
        return loss * (self.left if dry else 1.0), gradients, output


@pytest.mark.parametrize(("until", "left", "said"), [(60, 1.0, True), (185, 1.0, False), (60, 1e-3, False)])
def test_gradients_that_all_become_zeros(until: int, left: float, said: bool) -> None:
    """With a loss that goes on; not for a few steps, nor where the loss has come to nothing as well."""
    training = Dries(targets="noise")
    training.until, training.left = until, left
    found = [one for one in training.run(220) if one.rule == "zero_gradient"]
    assert [(one.step, "every gradient was zero" in one.evidence["why"]) for one in found] == [(200, True)] * said


def test_parameters_that_were_never_looked_at_are_not_judged() -> None:
    """A name that the optimizer holds, and of which no weight was sampled, is of another part of the run."""
    names = [*SHAPES, "adapter.weight"]
    manifest = {
        "optimizer": {"class": "SGD", "groups": [{"parameters": names}]},
        "model": {
            "tensors": {
                **{name: {"shape": list(shape)} for name, shape in SHAPES.items()},
                names[-1]: {"shape": [4, 4]},
            }
        },
    }
    assert "zero_gradient" not in rules(Training(manifest=manifest).run(160))
    seen = Training(manifest=manifest, cut=("fc0.weight", "fc0.bias"))
    found = next(one for one in seen.run(160) if one.rule == "zero_gradient")
    assert found.evidence["names"] == ["fc0.weight", "fc0.bias"]
