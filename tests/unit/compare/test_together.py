"""One run a side that took the same steps as the other: equivalent is measured there, and nowhere else."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch

from auditor.compare.trajectories import Curve
from auditor.compare.verdict import Side, compare
from support.recordings import assembled
from support.tiny import Tiny, glorot, keras_stepper, torch_stepper

STEPS = 12
FRAMEWORKS = ("torch", "keras")


def adam(framework: str, **more: Any) -> Tiny:
    """A training by Adam with one epsilon, from one beginning and over one order of batches."""
    steppers = {
        "torch": lambda: torch_stepper(lambda p: torch.optim.Adam(p, 1e-2, eps=1e-7)),
        "keras": lambda: keras_stepper(lambda: keras.optimizers.Adam(1e-2)),
    }
    return Tiny(stepper=steppers[framework], framework=framework, steps=STEPS, **more)


def side(name: str, tiny: Tiny, val: tuple[float, ...] = (0.5, 0.25), *, last: float = 1.0) -> Side:
    """The run with its loss of every step, those of the last half times ``last``, and a validation loss."""
    recordings = tiny.recordings()
    losses = np.array([one.scalars["loss"] for one in recordings])
    losses[STEPS // 2 :] *= last
    at = np.arange(1, STEPS + 1)
    curves = {"loss": Curve(at, losses), "val_loss": Curve(np.array([6, STEPS]), np.array(val))}
    curves["lr"] = Curve(at, np.full(STEPS, 1e-2))
    return Side(name, tiny.framework, "finished", curves, {}, last_step=STEPS, recordings=tuple(assembled(recordings)))


@pytest.mark.parametrize("frameworks", [("torch", "keras"), ("keras", "keras"), ("keras", "torch")])
def test_the_same_steps_in_two_frameworks_are_equivalent(frameworks: tuple[str, str]) -> None:
    """Epsilon stands elsewhere and is harmless; the rest is rounding, and the reason says how much."""
    a, b = (adam(name) for name in frameworks)
    found = compare(side("a", a), side("b", b, (0.5 + 1e-6, 0.25 - 1e-6), last=1 + 1e-6))
    assert (found["verdict"], found["outcome"]) == ("equivalent", "equivalent"), found["reasons"]
    assert "the same weights and batches" in found["reasons"][0]
    assert not found["causes"]


def test_layouts_and_orders_of_tensors_do_not_count() -> None:
    """The numbers are matched where the names are not."""

    class Transposed(Tiny):
        def recordings(self) -> Any:
            found = super().recordings()
            for one in found:
                for array in one.arrays:
                    if array.role in {"weight", "gradient", "updated"} and len(array.shape) > 1:
                        object.__setattr__(array, "name", f"layer.{array.name}")
            return found

    moved = Transposed(stepper=adam("torch").stepper, steps=STEPS)
    assert compare(side("a", moved), side("b", adam("keras"), last=1 + 1e-6))["verdict"] == "equivalent"


@pytest.mark.parametrize(
    ("case", "other"),
    [
        ("other weights", {"weights": lambda: glorot(5)}),
        ("other batches", {"order": lambda at: np.random.default_rng(50 + at).permutation(96)[:16]}),
        ("a loss slightly off", {"loss": lambda o, y: 1.0005 * ((o - y) ** 2).mean()}),
        ("another activation", {"activation": lambda z: torch.tanh(1.001 * z)}),
    ],
)
def test_steps_that_are_not_the_same_are_never_equivalent(case: str, other: dict[str, Any]) -> None:
    """Whatever the curves say; here they end alike to six digits."""
    found = compare(side("a", adam("torch")), side("b", adam("torch", **other)))
    assert found["verdict"] != "equivalent", (case, found["reasons"])


def test_an_evaluation_that_differs_is_not_covered_by_a_training_that_agrees() -> None:
    """A mean of batches' means, a layer in the wrong mode: the steps are one, the number is not."""
    found = compare(side("a", adam("torch")), side("b", adam("torch"), (0.5, 0.252), last=1 + 1e-6))
    assert found["outcome"] == "inconclusive", found["reasons"]


@pytest.mark.parametrize("last", [0.7, 1.3])
def test_a_course_that_parts_late_is_not_equivalent(last: float) -> None:
    """The recorded steps agree; in the second half the losses are a third apart."""
    assert compare(side("a", adam("torch")), side("b", adam("torch"), last=last))["outcome"] == "inconclusive"


def test_a_harmless_epsilon_puts_weights_off_as_far_as_replaying_it_does() -> None:
    """Adam's first steps are all sign: where gradients are small, epsilon's place shows in the weights at once."""
    small: dict[str, Any] = {"loss": lambda o, y: 3e-2 * ((o - y) ** 2).mean()}
    found = compare(side("a", adam("torch", **small)), side("b", adam("keras", **small), last=1 + 1e-6))
    assert found["outcome"] == "equivalent", found["reasons"]
    assert {cause["id"] for cause in found["harmless"]} == {"OPT-03"}


def test_few_recorded_steps_prove_nothing() -> None:
    """Fewer than momentum and second moments take to show themselves."""
    a, b = side("a", adam("torch")), side("b", adam("torch"), last=1 + 1e-6)
    few = [Side(one.run, one.framework, one.status, one.curves, {}, last_step=STEPS, recordings=one.recordings[:4])
           for one in (a, b)]  # fmt: skip
    assert compare(*few)["outcome"] == "inconclusive"


def test_seeds_are_compared_in_pairs_of_one_beginning_in_whichever_order_they_come() -> None:
    """Two a side; not where one of them has no like on the other side."""
    begun = {seed: {name: side(f"{name}{seed}", adam(name, weights=lambda s=seed: glorot(s))) for name in FRAMEWORKS}
             for seed in (0, 1, 2)}  # fmt: skip
    torch_runs = [begun[0]["torch"], begun[1]["torch"]]
    found = compare(torch_runs, [begun[1]["keras"], begun[0]["keras"]])
    assert (found["verdict"], found["outcome"]) == ("equivalent", "equivalent")
    assert found["reasons"][0].startswith("2 pairs of runs, each with the same weights and batches")
    assert compare(torch_runs, [begun[0]["keras"], begun[2]["keras"]])["verdict"] == "inconclusive"
    assert compare(torch_runs, [begun[0]["keras"]])["verdict"] == "inconclusive"
