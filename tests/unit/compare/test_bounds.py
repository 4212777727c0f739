"""Weights that are kept within bounds: as a part of the step on one side, by hand between two steps on the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare import declared
from auditor.compare.causes import diagnose
from auditor.compare.identify import bounds
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from support.recordings import assembled
from support.tiny import Tiny, adam, array, glorot

R, STEPS = 0.2, 12
Constraint = Callable[[np.ndarray], np.ndarray]


def lengths(limit: float) -> Constraint:
    """Columns of kernels cut to a length."""
    return lambda w: w * np.minimum(1, limit / np.maximum(np.sqrt((w * w).sum(0, keepdims=True)), 1e-7))


def within(least: float, most: float) -> Constraint:
    """All numbers of kernels clipped."""
    return lambda w: np.clip(w, least, most)


def trained(constraint: Constraint, *, between: bool) -> Profile:
    """Plain steps; a constraint of kernels within each, or recorded between them."""

    def step(weights: Any, gradients: Any, at: int) -> Any:
        del at
        moved = [w - np.float32(R) * g for w, g in zip(weights, gradients, strict=True)]
        return [constraint(w).astype(np.float32) if w.ndim > 1 else w for w in moved]

    made = Tiny(stepper=lambda: step, rate=R, steps=STEPS).recordings()
    for one in made if between else ():
        known = {(each.role, each.name): each for each in one.arrays}
        for at, each in enumerate(one.arrays):
            if each.role == "updated":
                w, g = (np.frombuffer(known[role, each.name].data, "f4").reshape(each.shape) for role in
                        ("weight", "gradient"))  # fmt: skip
                one.arrays[at] = array("updated", each.name, w - np.float32(R) * g)
    curve = {"lr": Curve(np.arange(1, STEPS + 1), np.full(STEPS, R))}
    return profile("a", "torch", assembled(made), Beside(curves=curve))


@pytest.mark.parametrize(
    "constraint", [lengths(0.7), within(-0.3, 0.3), within(0.0, 9.0)], ids=["max", "clip", "least"]
)
def test_a_constraint_within_the_step_is_one_between_steps(constraint: Constraint) -> None:
    """Where the weights pile up at the same bounds."""
    inner, outer = trained(constraint, between=False), trained(constraint, between=True)
    assert bounds.alike(inner.value(bounds.BOUNDS), outer.value(bounds.BOUNDS))
    told = [one.parameter for one in diagnose(inner, outer).causes]
    assert not [one for one in told if one.startswith(("update.between", "update.unexplained", "penalty."))]


def test_another_bound_is_another_constraint() -> None:
    """So is one that only one side has."""
    inner, outer = trained(lengths(0.7), between=False), trained(lengths(0.6), between=True)
    assert not bounds.alike(inner.value(bounds.BOUNDS), outer.value(bounds.BOUNDS))
    assert {"update.between", "update.unexplained"} & {one.parameter for one in diagnose(inner, outer).causes}
    free = trained(lambda w: w, between=False)
    assert free.value(bounds.BOUNDS) is None
    assert "update.between" in {one.parameter for one in diagnose(free, outer).causes}


def test_a_unit_that_nothing_moves_is_at_no_bound() -> None:
    """It is as long at every step, and may be the longest."""
    plain = trained(lambda w: w, between=False)
    tracks = [replace(track, updated=np.repeat(track.updated[:1], STEPS, 0)) for track in plain.evidence.tracks]
    still = replace(plain.evidence, tracks=tuple(tracks))
    assert bounds.facts(still, [track.name for track in tracks]) == []


def test_tensors_that_keras_keeps_within_a_constraint_are_named() -> None:
    """By the setting that is called like them; a setting of nothing is none."""
    weights = [{"name": "m/a/kernel"}, {"name": "m/a/bias"}]
    layer = {"config": {"kernel_constraint": {"class": "NonNeg"}, "bias_constraint": None}, "weights": weights}
    assert declared.constrained({"model": {"layers": [layer]}}) == {"m/a/kernel"}
    assert not declared.constrained({"model": {"layers": [{**layer, "config": None}]}})
    assert not declared.constrained(None)


def test_a_rule_is_found_beside_units_that_rest_and_a_constraint() -> None:
    """Adam of four tensors: one is clipped, and of two some units have no gradient, as of rows of a table."""
    made = adam(1e-2, eps=1e-6)

    def step(weights: Any, gradients: Any, at: int) -> Any:
        moved = made(weights, gradients, at)
        return [*moved[:2], np.maximum(moved[2], 0), moved[3]]

    def resting(gradients: Any) -> Any:
        active = np.random.default_rng(int(1e6 * abs(gradients[3][0]))).random(24) < 0.5
        return [1e-4 * gradients[0] * active, 1e-4 * gradients[1] * active, *gradients[2:]]

    def begun() -> Any:
        return [*glorot()[:2], np.abs(glorot()[2]), glorot()[3]]

    layers = [{"name": "d", "config": {"layer1.weight_constraint": "NonNeg"}, "weights": [{"name": "layer1.weight"}]}]
    run = Tiny(
        stepper=lambda: step, framework="keras", weights=begun, gradients=resting, activation=torch.relu, steps=16
    )
    found = run.profile(manifest={"model": {"layers": layers}})
    assert found.value("update.rule") == "adam"
    assert found.value("update.unexplained") == ["layer1.weight"]
    assert found.value(bounds.BOUNDS) == [{"elements": 24, "bounds": {"least": 0.0}}]
