"""Steps that move nothing, an optimizer that is made anew, limits under a scale: told on one side, silent on both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.identify import conduct
from auditor.compare.identify.evidence import Evidence
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, torch_stepper

R = 1e-2


def run(**more: Any) -> Tiny:
    """A run with plain gradient descent."""
    return Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R)), rate=R, **more)


def standing(*, gradients: bool, backwards: int) -> Profile:
    """A run whose steps leave the weights as they are."""
    recordings = []
    for one in run().recordings():
        begins = {a.name: a.data for a in run().recordings()[0].arrays if a.role == "weight"}
        arrays = [
            replace(a, data=begins[a.name]) if a.role in {"weight", "updated"} else a
            for a in one.arrays
            if gradients or a.role != "gradient"
        ]
        recordings.append(Recording(one.step, arrays, one.scalars, {**one.facts, "backwards": backwards}))
    return profile("b", "torch", assembled(recordings), Beside(curves={}, last_step=12))


def told(a: Profile, b: Profile) -> list[tuple[str, str]]:
    """Ids and parameters of the causes, the same whichever run comes first."""
    there, back = ([(one.id, one.parameter) for one in diagnose(*sides).causes] for sides in ((a, b), (b, a)))
    assert there == back
    return there


@pytest.mark.parametrize(
    ("gradients", "backwards", "entry"), [(False, 1, "OPT-00"), (False, 0, "BWD-00"), (True, 1, "OPT-00")]
)
def test_steps_that_move_nothing_are_told(gradients: bool, backwards: int, entry: str) -> None:
    """Zeroed before the step; of weights that the loss does not know; given and not used."""
    still = standing(gradients=gradients, backwards=backwards)
    found = diagnose(still, run().profile())
    assert (found.causes[0].id, found.causes[0].parameter) == (entry, "update.stands")
    assert found.matters
    assert found.causes[0].mend == "a"


def test_steps_that_move_nothing_on_both_sides_are_no_difference() -> None:
    """Nor is a short run, or one whose rate is zero while it warms up."""
    still = standing(gradients=False, backwards=1)
    assert "update.stands" not in [parameter for _, parameter in told(still, still)]
    assert run(steps=5).profile().value("update.stands") is None
    rates = [0.0] * 8 + [R] * 2
    waiting = Tiny(stepper=lambda: torch_stepper(lambda p: torch.optim.SGD(p, R), rates), rate=rates, steps=10)
    assert waiting.profile().value("update.stands") is None


def anew(steps: list[int], *, another: bool = False) -> Profile:
    """A run whose optimizer was made anew after these steps."""
    events = [
        Event("b", 0, 0, 0, 0, at, "optimizer_changed", {"model": "Net", "another_model": another}) for at in steps
    ]
    return replace(run().profile(), events=events)


def test_an_optimizer_that_is_made_again_and_again_is_told_and_claims_nothing() -> None:
    """Nobody knows whether its memory was handed on."""
    found = diagnose(run().profile(), anew([24, 48, 72]))
    assert [(one.id, one.parameter) for one in found.causes] == [("OPT-00", "update.begun_anew")]
    assert not found.matters
    assert found.causes[0].step == 25


@pytest.mark.parametrize(
    ("left", "right"), [(anew([24]), anew([])), (anew([24, 48]), anew([30])), (anew([24, 48], another=True), anew([]))]
)
def test_a_second_phase_and_other_models_are_no_optimizer_that_forgets(left: Profile, right: Profile) -> None:
    """One change is a fine-tuning or a run taken up again; both sides have phases; each model has its own."""
    assert told(left, right) == []


def limits(after: list[float], limit: float = 1.0) -> dict[str, Any]:
    """What the facts say of limits where gradients of such norms were cut to one."""
    steps = np.arange(1, len(after) + 1)
    curves = {
        "clip_threshold": Curve(steps, np.full(len(after), limit)),
        "grad_norm_before_clip": Curve(steps, np.linspace(900.0, 4000.0, len(after))),
        "grad_norm": Curve(steps, np.array(after)),
    }
    found = conduct.facts(run().profile().evidence, curves, None)
    return {fact.parameter: fact.value for fact in found if fact.parameter.startswith("update.clip_")}


def test_gradients_that_are_cut_before_their_scale_is_taken_off_are_cut_to_a_part_of_the_limit() -> None:
    """Clipping of 1 while the scaler's 1024 is on them leaves norms of 1/1024; with the scale off, of the limit."""
    assert limits([1 / 1024] * 8)["update.clip_norm"] == pytest.approx(1 / 1024, rel=1e-5)
    assert limits([1.0] * 8)["update.clip_norm"] == 1.0
    assert "update.clip_norm" not in limits([30.0, 50.0, 40.0, 60.0, 20.0, 70.0, 35.0, 45.0], 50.0)  # each value cut


def test_gradients_that_only_add_up_have_no_limit() -> None:
    """Long ones to which nothing is added any more are all alike: OPT-26, and no clipping beside it."""
    norms = {"grad_norm": Curve(np.arange(1, 13), np.full(12, 5e11))}
    steps = [Recording(one.step, one.arrays, {**one.scalars, "carried": 1.0}, one.facts) for one in run().recordings()]
    kept = replace(run().profile().evidence, steps=tuple(assembled(steps)))
    for evidence, limit in ((kept, False), (run().profile().evidence, True)):
        assert ("update.clip_norm" in _names(evidence, norms)) is limit


def _names(evidence: Evidence, curves: dict[str, Curve]) -> list[str]:
    return [fact.parameter for fact in conduct.facts(evidence, curves, None)]


@pytest.mark.parametrize(("part", "corner"), [(1 / 4, 10.0), (1 / 16, 10.0), (1 / 3, 10.0)])
def test_a_part_of_a_squared_error_is_no_huber_loss_within_its_corner(part: float, corner: float) -> None:
    """A quarter of it is half a huber loss of small errors as well; the plainer word is taken."""
    small = run(loss=lambda output, target: part * ((output - target) ** 2).mean()).profile()
    assert small.value("loss.function") == "squared error"
    assert small.value("loss.factor") == pytest.approx(part, rel=1e-4)
    bent = run(loss=lambda o, t: torch.nn.functional.huber_loss(10 * o, 10 * t, delta=corner)).profile()
    assert not str(bent.value("loss.function")).startswith("squared")
