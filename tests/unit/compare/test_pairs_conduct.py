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
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Fact
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


def test_a_warm_up_that_begins_at_no_rate_at_all() -> None:
    """The first factor of a schedule is often 0 / n: nothing is moved by it, and no rate can be held against it."""

    def warm(top: float) -> Profile:
        rates = [top * min(1.0, at / 6) for at in range(12)]
        return Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R), rates), rate=rates).profile()

    assert warm(R).value("update.learning_rate") == 0
    assert not diagnose(warm(R), warm(R)).causes
    assert first(warm(R), warm(2 * R)) == ("OPT-01", "update.learning_rate")
    assert first(warm(R), run().profile()) == ("SCH-01", "update.schedule")


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


@pytest.mark.parametrize("late", [True, False])
def test_gradients_that_are_clipped_after_the_step_are_not_clipped(late: bool) -> None:
    """Each clipping finds the norm that the optimizer was given a step earlier; in time it finds its own step's."""
    norms = np.array([9.0, 7.0, 12.0, 8.0, 6.0, 11.0, 10.0, 5.0])
    curves = {
        "clip_threshold": Curve(np.arange(2, 9), np.full(7, 2.0)),
        "grad_norm_before_clip": Curve(np.arange(2, 9), norms[:-1] if late else norms[1:]),
        "grad_norm": Curve(np.arange(1, 9), norms if late else np.full(8, 2.0)),
    }
    told = {fact.parameter: fact.value for fact in conduct.facts(run().profile().evidence, curves, None)}
    assert told.get("update.clip_norm") == (None if late else 2.0)
    assert ("update.clip_share" in told) is not late


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


def test_weights_that_are_trainable_and_get_no_gradient_are_cut_off() -> None:
    """Frozen ones are somebody's choice of what to train; these are not."""
    recordings = [
        Recording(one.step, [a for a in one.arrays if not (a.role == "gradient" and "layer0" in a.name)], one.scalars)
        for one in run().recordings()
    ]

    def without(**more: Any) -> Profile:
        shapes = {a.name: {"shape": list(a.shape), **more} for a in recordings[0].arrays if a.role == "weight"}
        told = Beside({"model": {"tensors": shapes}}, curves={}, last_step=12)
        return profile("b", "torch", assembled(recordings), told)

    assert first(without(), run().profile()) == ("BWD-00", "update.frozen")
    assert first(without(trainable=False), run().profile()) == ("OPT-00", "update.frozen")


@pytest.mark.parametrize(
    ("roles", "since", "found"),
    [(["weight", "gradient", "updated"], 2, False), (["weight", "gradient", "updated"], None, True),
     (["gradient"], 1, True)],
)  # fmt: skip
def test_what_belongs_to_another_optimizer_is_not_frozen(roles: list[str], since: int | None, found: bool) -> None:
    """Though it was not recorded, and told of after the first step; one that it holds may be without a gradient."""
    recordings, names = run().recordings(), [name(0), name(1)]
    shapes = {a.name: {"shape": list(a.shape)} for a in recordings[0].arrays if a.role == "weight"}
    kept = [
        Recording(
            one.step,
            [a for a in one.arrays if not (a.role in roles and "layer0" in a.name)],
            one.scalars,
            {**one.facts, "optimizers": {"1": names}} if since and one.step >= since else one.facts,
        )
        for one in recordings
    ]
    told = profile("b", "tensorflow", assembled(kept), Beside({"model": {"tensors": shapes}}, curves={}, last_step=12))
    causes = [one.parameter for one in diagnose(told, run().profile()).causes]
    assert ("update.frozen" in causes) is found


def test_weights_that_get_a_gradient_and_never_move_are_passed_by() -> None:
    """A layer made after the optimizer, which holds the one that was there before."""
    recordings = []
    begins = {a.name: a.data for a in run().recordings()[0].arrays if a.role == "weight" and "layer1" in a.name}
    for one in run().recordings():
        arrays = [
            replace(a, data=begins[a.name]) if a.role in {"weight", "updated"} and a.name in begins else a
            for a in one.arrays
        ]
        recordings.append(Recording(one.step, arrays, one.scalars, one.facts))
    told = profile("b", "torch", assembled(recordings), Beside(curves={}, last_step=12))
    assert first(told, run().profile()) == ("OPT-00", "update.frozen")
    assert told.value("update.frozen")["passed_by"] == sorted(begins)
    assert run().profile().value("update.frozen")["passed_by"] == []


@pytest.mark.parametrize(("lengths", "limit"), [([1, 2, 2, 2], 2.0), ([1, 2, 3, 4], None), ([2, 2, 2, 3], None)])
def test_a_limit_is_the_largest_length_that_several_share(lengths: list[float], limit: float | None) -> None:
    """And no length that some exceed."""
    assert plateau(np.array(lengths, np.float64)) == limit


def test_amsgrad_is_told_where_its_steps_are_the_same_for_now() -> None:
    """A setting that somebody chose is named however little it has done, but claims no mismatch."""
    adam, ams = (run(lambda p, flag=flag: torch.optim.Adam(p, R, amsgrad=flag), steps=20) for flag in (False, True))
    found = diagnose(adam.profile(), ams.profile())
    assert found.causes[0].id == "OPT-22"


def accumulating(batch: int, part: float, **more: Any) -> Tiny:
    """A run whose loss is this part of the mean squared error of its batch."""
    return run(batch=batch, loss=lambda output, target: part * ((output - target) ** 2).mean(), **more)


def test_batches_that_make_one_batch_by_their_mean_are_no_difference() -> None:
    """Four batches of eight, each a quarter of the loss, against one of thirty-two."""
    four = {"micro_batches": curve(*[4.0] * 12)}
    one = run(batch=32).profile()
    mean = diagnose(accumulating(8, 0.25).profile(curves=four), one)
    assert not [cause for cause in mean.causes if cause.id in {"OPT-21", "DATA-02", "LOSS-00", "LOSS-01"}]
    summed = diagnose(accumulating(8, 1.0).profile(curves=four), one)
    assert summed.causes[0].id == "OPT-21"


def constrained(limit: float, *, declared: bool) -> Profile:
    """Kernels whose columns are cut to a length after each step, as Keras does."""

    def step(weights: Any, gradients: Any, at: int) -> Any:
        del at
        moved = [w - np.float32(R) * g for w, g in zip(weights, gradients, strict=True)]
        lengths = [np.maximum(np.sqrt((w * w).sum(axis=0, keepdims=True)), 1e-7) for w in moved]
        cut = [w * np.minimum(1, limit / n) if w.ndim > 1 else w for w, n in zip(moved, lengths, strict=True)]
        return [w.astype(np.float32) for w in cut]

    rule = {"class": "MaxNorm", "config": {"max_value": limit}}
    layers = [{"name": "layer0", "class": "Dense", "config": {"kernel_constraint": rule if declared else None}}]
    return Tiny(stepper=lambda: step, framework="keras", rate=R).profile(manifest={"model": {"layers": layers}})


def test_weights_that_a_constraint_moves_are_set_apart_from_the_rule() -> None:
    """By its id where it is declared; else as weights that the rule does not explain."""
    plain = Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R)), framework="keras", rate=R).profile()
    assert first(constrained(0.7, declared=True), plain) == ("OPT-25", "update.unexplained")
    assert first(constrained(0.7, declared=False), plain) == ("OPT-00", "update.unexplained")


def test_a_run_that_stopped_early_is_told_and_is_no_mismatch() -> None:
    """When it stops is partly chance."""
    long = run(steps=12).profile(manifest={"data": {"epochs": 6}}, curves={"epoch": curve(*range(1, 7))})
    short = run(steps=6).profile(manifest={"data": {"epochs": 6}}, curves={"epoch": curve(1, 2, 3)})
    found = diagnose(long, short)
    assert found.causes[0].id == "SCH-03"
    assert not found.matters
    assert not diagnose(long, long).causes


def test_a_penalty_that_nobody_could_read_is_not_taken_for_none() -> None:
    """Of one side the loss is not explained: what it holds beside the data's is unknown."""
    seen = run(l2=0.05).profile()
    hidden = run(loss=lambda output, target: ((output - target).abs() ** 1.7).mean(), told_apart=False, l2=0.05)
    told = [cause.parameter for cause in diagnose(seen, hidden.profile()).causes]
    assert "penalty.gradient_factor" not in told


@pytest.mark.parametrize(("samples", "how"), [(64.0, "measured"), (16.0, "declared"), (48.0, "declared")])
def test_declared_accumulation_is_measured_where_a_step_has_so_many_samples(samples: float, how: str) -> None:
    """Four batches of sixteen make a step of 64; any other count leaves it the program's word."""
    manifest = {"canonical": {"update": [{"rule": "sgd", "gradient_accumulation_steps": 4}]}}
    many = run().profile(manifest=manifest, curves={"samples": curve(*[samples] * 12)})
    found = next(cause for cause in diagnose(many, run().profile()).causes if cause.id == "OPT-21")
    assert (found.how, found.weight) == (how, 0.75)


@pytest.mark.parametrize("peak", [1.0, 0.8])
def test_rates_that_begin_apart_and_meet_differ_by_a_schedule(peak: float) -> None:
    """Also where the one that warms up never reaches the other's first rate; rates that never meet are two rates."""
    falling = [R * peak * (1 - at / 24) for at in range(12)]
    warm = [rate * min(1.0, (at + 1) / 6) for at, rate in enumerate(falling)]
    half = [rate / 2 for rate in falling]

    def side(rates: list[float]) -> Profile:
        return Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R), rates), rate=rates).profile()

    assert first(side(warm), side(falling)) == ("SCH-01", "update.schedule")
    assert first(side(half), side(falling)) == ("OPT-01", "update.learning_rate")


@pytest.mark.parametrize("divided", [True, False])
def test_a_loss_that_is_divided_by_the_batches_to_a_step_is_no_other_loss(divided: bool) -> None:
    """Its mean over all of them: what differs is how many samples make a step."""
    four = curve(*[4.0] * 12)
    factor = 0.25 if divided else 1.0
    loss = lambda o, y: factor * torch.nn.functional.l1_loss(o, y)  # noqa: E731 -- as Tiny takes it
    many = run(loss=loss).profile(curves={"micro_batches": four})
    found = diagnose(many, run(loss=torch.nn.functional.l1_loss).profile()).causes
    assert [cause.id for cause in found] == ["OPT-21"]


def test_numbers_of_few_bits_that_are_equal_are_no_limit() -> None:
    """The largest of many norms in bfloat16 is often met again."""
    norms = {"grad_norm": curve(*[2.0] * 6, *np.linspace(1, 2, 6))}
    told = [conduct.facts(evidence, norms, None) for evidence in (run().profile().evidence, half_width())]
    assert [any(fact.parameter == "update.clip_norm" for fact in facts) for facts in told] == [True, False]


@pytest.mark.parametrize(("rate", "told"), [(0.0, False), (1e-12, False), (1e-3, True)])
def test_gradients_of_what_does_not_move_are_no_limit(rate: float, *, told: bool) -> None:
    """A schedule that has come to nothing leaves the same norms in every epoch."""
    norms = {"grad_norm": curve(*np.linspace(1, 2, 6), *[3.0] * 6), "lr": curve(*[0.1] * 6, *[rate] * 6)}
    facts = conduct.facts(run().profile().evidence, norms, None)
    assert any(fact.parameter == "update.clip_norm" for fact in facts) is told


def half_width() -> Evidence:
    """The same, of weights that are kept in bfloat16."""
    kept = run().profile().evidence
    return replace(kept, tracks=tuple(replace(track, dtype="bfloat16") for track in kept.tracks))


def test_absolute_values_against_squares_are_another_penalty_and_none_is_missing() -> None:
    """Whichever of the two has which, in the loss or in the optimizer."""
    lasso = run(l2=0.0).profile()
    facts = replace(lasso.facts, measured={**lasso.facts.measured, "penalty.l1": Fact("penalty.l1", 0.01)})
    lasso = replace(lasso, facts=facts)
    for ridge in (run(l2=0.01).profile(), run(lambda p: torch.optim.SGD(p, R, weight_decay=0.02)).profile()):
        assert first(lasso, ridge) == ("OPT-07", "penalty.kind")
    assert first(lasso, run().profile()) == ("LOSS-16", "penalty.l1")


@pytest.mark.parametrize("limit", [0.3, 0.5])
def test_what_is_left_beside_a_constraint_is_explained_by_the_plainest_rule(limit: float) -> None:
    """Of rules with a setting so large that they come down to it, the one that needs none."""
    assert constrained(limit, declared=True).value("update.rule") == "sgd"


def twice(times: int) -> Profile:
    """A run whose gradients are kept for so many steps."""
    kept: list[Any] = []

    def hold(gradients: Any) -> Any:
        kept.append(gradients if len(kept) % times == 0 else kept[-1])
        return [g.copy() for g in kept[-1]]

    return run(gradients=hold).profile()


def test_steps_that_are_taken_twice_with_one_gradient_are_found() -> None:
    """As by a second ``step()``; steps with gradients of their own are none."""
    assert first(twice(2), run().profile()) == ("OPT-00", "update.steps_per_gradient")
    assert not diagnose(twice(1), run().profile()).causes
    assert "update.steps_per_gradient" not in [cause.parameter for cause in diagnose(twice(2), twice(3)).causes]


def test_steps_without_a_gradient_are_none_with_the_one_before() -> None:
    """A loss that is clipped has none where it is: that is alike from step to step."""
    seen: list[Any] = []

    def dead(gradients: Any) -> Any:
        seen.append(gradients)
        return gradients if len(seen) % 4 == 1 else [g * 0 for g in gradients]

    assert run(gradients=dead).profile().value("update.repeated") == 0.0


@pytest.mark.parametrize(("batches", "told"), [(4.0, False), (1.0, True)])
def test_epochs_are_counted_in_steps_of_several_batches(batches: float, told: bool) -> None:
    """Twelve steps of four batches go through as much data as forty-eight batches."""
    known = {"data": {"samples": 64, "epochs": 12}}
    counted = run(batch=16, steps=12).profile(manifest=known, curves={"epoch": curve(*range(1, 13))})
    looped = run(batch=16, steps=12).profile(
        manifest={"data": {"samples": 64}}, curves={"micro_batches": curve(*[batches] * 12)}
    )
    found = [cause.parameter for cause in diagnose(counted, looped).causes]
    assert ("update.epochs" in found) is told
