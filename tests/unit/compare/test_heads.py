"""Losses of several outputs in one sum: what each counts for is solved for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

NAMES = (("SparseCategoricalCrossentropy", "CrossEntropy"), ("MeanAbsoluteError", "L1Loss"))


def run(
    weights: Sequence[float],
    framework: str = "torch",
    steps: int = 5,
    penalty: float = 0.0,
    *,
    named: bool = True,
    squared: bool = False,
) -> Profile:
    """Steps of a model with two outputs, its losses by PyTorch's own functions."""
    rng = np.random.default_rng(len(framework))
    found = []
    for at in range(steps):
        logits, classes = rng.standard_normal((16, 3)), rng.integers(0, 3, 16)
        values, wanted = rng.standard_normal((16, 1)), rng.standard_normal((16, 1))
        kind = torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(classes))
        size = (torch.nn.functional.mse_loss if squared else torch.nn.functional.l1_loss)(
            torch.tensor(values), torch.tensor(wanted)
        )
        loss = float(weights[0] * kind + weights[1] * size) + penalty * (at + 1) ** 2
        heads = [
            {
                "name": f"h{i}",
                "output": f"output{i}",
                "target": f"target{i}",
                "loss": {"class": "MSELoss" if squared and i else names[framework == "torch"]},
            }
            for i, names in enumerate(NAMES)
        ]
        second = "1" if named else "0@1"
        arrays = [array("output", "output0", logits), array("output", f"output{second}", values)]
        arrays += [array("target", "target0", classes), array("target", f"target{second}", wanted)]
        found.append(Recording(at + 1, arrays, {"loss": loss}, {"heads": heads} if named else {}))
    return profile("a", framework, assembled(found), Beside())


@pytest.mark.parametrize("other", [(1.0, 0.25), (2.0, 1.0)])
def test_other_weights_of_the_same_losses_are_found(other: tuple[float, float]) -> None:
    """In either order of the runs; none where the two weigh alike."""
    for a, b in ((run((1, 1)), run(other, "keras")), (run(other, "keras"), run((1, 1)))):
        found = diagnose(a, b).causes[0]
        assert (found.id, found.parameter) == ("LOSS-00", "loss.weights")
        assert found.weight == pytest.approx(max(1 - min(w, 1) / max(w, 1) for w in other), rel=1e-3)
    assert not any(cause.parameter == "loss.weights" for cause in diagnose(run(other), run(other, "keras")).causes)


def test_a_sum_that_holds_more_than_the_losses_tells_no_weights() -> None:
    """Nor do as many steps as there are weights: then anything fits."""
    assert run((1, 1), penalty=0.1).value("loss.heads") is None
    assert run((1, 1), steps=2).value("loss.heads") is None
    assert [one["weight"] for one in run((1, 0.5)).value("loss.heads")] == [1.0, 0.5]


def test_losses_that_a_loop_adds_up_without_names_are_found_by_their_numbers() -> None:
    """What was compared twice in a step; the function of each is one of those that fit."""
    told = run((0.25, 2), "tensorflow", named=False).value("loss.heads")
    assert told == [{"function": "cross entropy", "weight": 0.25}, {"function": "absolute error", "weight": 2.0}]


@pytest.mark.parametrize("squared", [False, True])
def test_another_function_of_one_output_is_another_loss(squared: bool) -> None:
    """Whatever the losses weigh; none where each is the other's."""
    found = diagnose(run((1, 0.5)), run((1, 0.5), "keras", squared=squared)).causes
    told = [cause for cause in found if cause.parameter == "loss.functions"]
    assert bool(told) is squared
    assert not told or (told[0].id, told[0].values[1]) == ("LOSS-00", "1 x cross entropy, 0.5 x squared error")
