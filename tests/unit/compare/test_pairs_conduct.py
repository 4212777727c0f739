"""Pairs that use one optimizer differently: the difference is told first, its absence not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.identify import conduct
from auditor.compare.identify.clipping import plateau
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, keras_stepper, name, torch_stepper

R = 1e-2


def run(make: Callable[..., Any] = lambda p: torch.optim.SGD(p, R), **more: Any) -> Tiny:
    """A run with a PyTorch optimizer."""
    return Tiny(stepper=lambda: torch_stepper(make), rate=R, **more)


def curve(*values: float) -> Curve:
    """A scalar of the first steps."""
    return Curve(np.arange(1, len(values) + 1), np.array(values, np.float64))


def first(a: Profile, b: Profile) -> tuple[str, str]:
    """Id and parameter of the first cause; the same whichever run comes first."""
    there, back = diagnose(a, b).causes, diagnose(b, a).causes
    assert there[0].id == back[0].id
    return there[0].id, there[0].parameter


def test_another_rate_for_the_head_is_a_learning_rate() -> None:
    """Each weight's rate is read off its steps and held against its like on the other side."""
    groups = run(lambda p: torch.optim.SGD([{"params": p[:2]}, {"params": p[2:], "lr": R / 10}], R)).profile()
    assert first(groups, run().profile()) == ("OPT-01", "update.learning_rate")
    assert "layer1.weight" in str(diagnose(groups, run().profile()).causes[0].values[0])
    assert not diagnose(groups, groups).causes


def test_a_warm_up_is_a_schedule_and_no_other_rate() -> None:
    """Rates that start apart and have one peak."""
    rates = [R * min(1.0, (at + 1) / 6) for at in range(12)]
    warm = Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R), rates), rate=rates)
    assert first(warm.profile(), run().profile()) == ("SCH-01", "update.schedule")


def test_batches_to_a_step_are_counted() -> None:
    """Whatever the program declares."""
    many = run().profile(curves={"micro_batches": curve(*[4.0] * 12)})
    assert first(many, run().profile()) == ("OPT-21", "update.gradient_accumulation_steps")


def carrying(tiny: Tiny, left: float) -> Profile:
    """A run whose backward passes begin with so much of an old gradient."""
    found = [Recording(one.step, one.arrays, {**one.scalars, "carried": left}, one.facts) for one in tiny.recordings()]
    return replace(tiny.profile(), evidence=replace(tiny.profile().evidence, steps=tuple(assembled(found))))


def test_a_gradient_that_nobody_zeroed_is_seen_by_what_is_left_of_it() -> None:
    """Also where it is zeroed now and then, and no sum of all steps."""
    for left, wanted in ((0.25, True), (0.0, False)):
        told = {fact.parameter: fact.value for fact in conduct.facts(carrying(run(), left).evidence, {}, None)}
        assert told["backward.carried"] is wanted


def test_clipping_that_is_told_is_told_by_kind_and_by_how_much() -> None:
    """By what the norm was before and after; a threshold that no gradient reached is no clipping."""
    evidence = run().profile().evidence
    norms = {"grad_norm_before_clip": curve(2, 4, 1), "clip_threshold": curve(2, 2, 2)}
    told = {
        fact.parameter: fact.value for fact in conduct.facts(evidence, {**norms, "grad_norm": curve(2, 2, 1)}, None)
    }
    assert told["update.clip_norm"] == 2
    assert told["update.clip_share"] == pytest.approx(1 / 6)
    told = {
        fact.parameter: fact.value for fact in conduct.facts(evidence, {**norms, "grad_norm": curve(2, 4, 1)}, None)
    }
    assert not [parameter for parameter in told if "clip" in parameter]


def test_weights_that_are_overwritten_by_their_mean_are_found_at_their_steps() -> None:
    """The rule explains every other step, and is told as the rule."""

    def averaged() -> Any:
        return keras.optimizers.Adam(R, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4)

    mean = Tiny(stepper=lambda: keras_stepper(averaged), framework="keras", rate=R).profile()
    plain = Tiny(stepper=lambda: keras_stepper(lambda: keras.optimizers.Adam(R)), framework="keras", rate=R).profile()
    assert first(mean, plain) == ("OPT-00", "update.interrupted")
    assert mean.value("update.interrupted") == [4, 8, 12]
    assert mean.value("update.rule") == "adam"


def test_weights_that_another_hand_moves_between_steps_are_found() -> None:
    """A clamp after the step, done by the loop."""
    tiny = run()
    recordings = tiny.recordings()
    moved = []
    for one in recordings:
        arrays = [
            array(a.role, a.name, np.frombuffer(a.data, a.dtype).reshape(a.shape) + np.float32(1e-3))
            if a.role in {"weight", "updated"} and one.step > 5 else a
            for a in one.arrays
        ]  # fmt: skip
        moved.append(Recording(one.step, arrays, one.scalars, one.facts))
    other = profile("b", "torch", assembled(moved), Beside(curves={}, last_step=12))
    assert first(other, tiny.profile()) == ("OPT-00", "update.between")
    assert other.value("update.between")["steps"] == [6]


def test_a_layer_that_is_not_trained_on_one_side_is_found() -> None:
    """No gradient reaches its weights."""
    recordings = [
        Recording(one.step, [a for a in one.arrays if not (a.role == "gradient" and "layer0" in a.name)], one.scalars)
        for one in run().recordings()
    ]
    frozen = profile("b", "torch", assembled(recordings), Beside(curves={}, last_step=12))
    assert first(frozen, run().profile()) == ("OPT-00", "update.frozen")
    assert frozen.value("update.frozen")["tensors"] == [name(1), name(0)]


@pytest.mark.parametrize(("lengths", "limit"), [([1, 2, 2, 2], 2.0), ([1, 2, 3, 4], None), ([2, 2, 2, 3], None)])
def test_a_limit_is_the_largest_length_that_several_share(lengths: list[float], limit: float | None) -> None:
    """And no length that some exceed."""
    assert plateau(np.array(lengths, np.float64)) == limit


def test_amsgrad_is_told_where_its_steps_are_the_same_for_now() -> None:
    """A setting that somebody chose is named however little it has done, but claims no mismatch."""
    adam, ams = (run(lambda p, flag=flag: torch.optim.Adam(p, R, amsgrad=flag), steps=20) for flag in (False, True))
    found = diagnose(adam.profile(), ams.profile())
    assert found.causes[0].id == "OPT-22"
