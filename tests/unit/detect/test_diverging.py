from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.formulas import categorical_entropy
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.course import CHANCE, Course, noisy, of
from support.lanes import Sender, array

RULE = "loss_diverging"


def said(losses: Any, kind: str = "classes", **more: Any) -> list[Any]:
    """What the rule says of a run: the first finding of each time that it fires, and what clears it."""
    found = of(Course(kind).tell(losses, **more), RULE)
    return [one for i, one in enumerate(found) if not i or one.cleared or found[i - 1].cleared]


def test_a_loss_that_runs_away_is_named_where_it_left() -> None:
    """Three times first loss and guessing, and not coming down: the step is that at which it left."""
    losses = np.concatenate([noisy(0.5, 0.05, 200), noisy(np.geomspace(5, 1e6, 150), 0.05, 150)])
    [found] = said(losses)
    assert found.step == 201
    assert found.evidence["seen_at"] == 250
    assert "runs away" in found.evidence["what"]
    assert found.evidence["limit"] == pytest.approx(3 * CHANCE, rel=0.01)


def test_an_unknown_loss_needs_more() -> None:
    """A sign error climbs to 1e13; an actor's or a GAN's loss that rises a hundredfold is none of it."""
    assert len(said(noisy(np.geomspace(1.4, 1e13, 200), 0.1, 200), "")) == 1
    assert said(noisy(np.geomspace(0.7, 90.0, 600), 0.3, 600), "") == []
    assert [one.cleared for one in said(-np.geomspace(1.0, 1e9, 400), "")] == [False]


def test_a_blow_up_in_the_first_steps_that_left_nothing() -> None:
    """Adam with a rate of 1: a thousand within five steps, and guessing ever since."""
    losses = noisy(1.03 * CHANCE, 0.01, 300)
    losses[1:14] = np.linspace(500, 20, 13)
    [found] = said(losses)
    assert (found.step, found.evidence["peak"]) == (2, 500.0)
    assert "blew up" in found.evidence["what"]
    regression = noisy(1.5, 0.05, 300)
    regression[1:20] = 1e4
    assert len(said(regression, "values")) == 1


def test_a_blow_up_that_recovers_is_a_large_learning_rate_that_works() -> None:
    """The catapult of a large rate: up a hundredfold, then below where it began."""
    losses = noisy(np.linspace(CHANCE, 0.2, 300), 0.02, 300)
    losses[1:30] = 80.0
    assert said(losses) == []
    assert said(losses, "") == []


@pytest.mark.parametrize("before", [203, 212, 224, 226])
def test_the_step_is_that_of_the_loss_itself(before: int) -> None:
    """Not that of the block of losses in which it was noticed."""
    high = noisy(np.geomspace(50, 1e6, 150), 0.05, 150)
    [away] = said(np.concatenate([noisy(0.5, 0.05, before), high]))
    [gone] = said(np.concatenate([noisy(0.3 * CHANCE, 0.05, before), noisy(1.01 * CHANCE, 0.01, 200)]))
    assert (away.step, gone.step) == (before + 1, before + 1)


def test_a_bad_beginning_is_no_measure_of_what_comes_after() -> None:
    """It begins at a hundred, learns, and climbs to ten times guessing: that is far away."""
    losses = np.concatenate([noisy(100, 0.05, 5), noisy(0.4 * CHANCE, 0.05, 245), noisy(10 * CHANCE, 0.05, 100)])
    [found] = said(losses)
    assert (found.step, "runs away" in found.evidence["what"]) == (251, True)
    assert found.evidence["limit"] == pytest.approx(3 * CHANCE, rel=0.01)


def test_what_was_learnt_and_is_lost_is_named() -> None:
    """Down to a third of guessing, then guessing for 75 steps; while a rate restarts it is waited for."""
    losses = np.concatenate([noisy(0.3 * CHANCE, 0.05, 300), noisy(1.01 * CHANCE, 0.01, 200)])
    [found] = said(losses)
    assert found.step == 301
    assert "back at that of guessing" in found.evidence["what"]
    rates = np.where(np.arange(500) < 295, 1e-3, 1e-1)
    assert said(losses, lr=rates) == []


def test_it_clears_when_the_loss_is_back() -> None:
    """Below guessing again."""
    parts = [noisy(0.5, 0.05, 100), noisy(1e5, 0.05, 100), noisy(0.4, 0.05, 100)]
    assert [one.cleared for one in said(np.concatenate(parts))] == [False, True]


@pytest.mark.parametrize("seed", range(10))
def test_noise_and_heavy_tails_do_not_diverge(seed: int) -> None:
    """Batches of one sample; losses that are noise around zero; a falling loss."""
    rng = np.random.default_rng(seed)
    tails = np.exp(rng.normal(-6, 2.5, 2000)) + np.where(rng.random(2000) < 0.1, rng.exponential(3.0, 2000), 0)
    assert said(tails, "") == []
    assert said(rng.normal(size=2000), "") == []
    assert said(np.geomspace(1.3, 0.01, 2000) * np.exp(rng.normal(size=2000)), "classes") == []


@pytest.mark.parametrize("frame", [7, 40, 350])
def test_the_step_does_not_depend_on_how_steps_are_framed(frame: int) -> None:
    """The same onset."""
    losses = np.concatenate([noisy(0.5, 0.05, 200), noisy(1e5, 0.05, 150)])
    assert [one.step for one in said(losses, frame=frame)] == [201]


def test_it_is_dated_where_it_began_and_lasts_until_it_was_seen() -> None:
    """So that a cause which was named in between is found to be the root."""
    losses = np.concatenate([noisy(0.5, 0.05, 200), noisy(1e5, 0.05, 150)])
    assert [one.step for one in of(Course().tell(losses), RULE)] == [201, 250]


def of_sign(sign: float, kind: str, *, alike: bool = False, penalty: float | None = None) -> list[Any]:
    """Six recorded steps of a loss that nobody declared, the error of the outputs times ``sign``."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest({})
    rng = np.random.default_rng(4)
    for step in range(1, 7):
        if kind == "classes":
            labels, rows = np.zeros(24) if alike else np.arange(24.0) % 3, rng.normal(size=(24, 3))
            target, error = labels, categorical_entropy(True, rows, labels)
        else:
            rows, target = rng.normal(size=(24, 1)), np.zeros((24, 1)) if alike else rng.normal(size=(24, 1))
            error = float(((rows - target) ** 2).mean())
        scalars = {"loss": sign * error} | ({} if penalty is None else {"loss/penalty": penalty})
        found += sender.record(Recording(step, [array("output", "output0", rows), array("target", "target0", target)],
                                         scalars, {}))  # fmt: skip
    return [one for one in found if one.rule == RULE]


@pytest.mark.parametrize("kind", ["classes", "values"])
@pytest.mark.parametrize("penalty", [None, float("nan")])
def test_a_loss_of_the_wrong_sign_is_said_at_the_third_recording(kind: str, penalty: float | None) -> None:
    """The negative of a cross entropy or of squared errors, whether penalties are told apart or not."""
    [found] = of_sign(-1.0, kind, penalty=penalty)
    assert found.step == 3
    assert found.evidence["limit"] == -found.evidence["loss"] > 0


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_a_loss_of_the_right_sign_and_a_generators_reward(kind: str) -> None:
    """The error itself; and the negative of one whose targets are all alike, as of samples called false."""
    assert of_sign(1.0, kind) == of_sign(-1.0, kind, alike=True) == of_sign(-0.3, kind) == []


@pytest.mark.parametrize(
    ("fall", "kind"),
    [
        (np.linspace(0.5, -40.0, 200), ""),  # a linear model and a mean of signed errors
        (-((np.arange(400) / 40.0) ** 2), ""),  # two layers that grow together
        (1.0 - np.expm1(np.arange(150) / 25.0), ""),
        # Far from zero at first, an error that is subtracted doubling behind what is still being learnt.
        (12.0 * np.exp(-np.arange(400) / 30.0) - 0.5 * np.expm1(np.arange(400) / 80.0), ""),
    ],
)
def test_a_loss_without_a_lower_bound_is_named(fall: Any, kind: str) -> None:
    """It falls below zero, at the pace of the steps or faster."""
    found = said(fall + 0.001 * np.random.default_rng(0).normal(size=len(fall)), kind)
    assert ["no lower bound" in one.evidence["what"] for one in found] == [True]


@pytest.mark.parametrize(
    "losses",
    [
        60.0 * (np.exp(-np.arange(600) / 120.0) - 1) + 1,  # a density in many dimensions: ever more slowly
        1.0 - 12 * np.log1p(np.arange(600) / 10.0),  # a likelihood whose variance shrinks
        -np.abs(np.linspace(0, 40, 600) * np.random.default_rng(2).normal(1, 0.4, 600)),  # a return: ups and downs
        np.linspace(0.5, -4.0, 600),  # not far
        np.linspace(1.0, -8.0, 600),  # a pixel's likelihood at the pace of the steps, under a warm-up or not
        -8.0 * np.minimum(np.arange(600) / 600.0, (np.arange(600) / 600.0) ** 2 * 2),
        -9.0 * (np.arange(600) / 600.0) ** 2,  # a rate that rises from zero all the way
    ],
)
def test_losses_below_zero_that_have_a_bound_or_no_trend_are_left_alone(losses: Any) -> None:
    """Log-likelihoods of densities, negative returns."""
    assert said(losses, "") == []


def test_optimizers_that_play_against_each_other_have_no_bound() -> None:
    """A critic's loss falls as long as its opponent does not follow."""
    course = Course("", optimizer={"class": "Adam"})
    course.sender.manifest({"optimizers": [{"class": "Adam"}, {"class": "Adam"}]})
    assert of(course.tell(np.linspace(0.5, -40.0, 200)), RULE) == []


@pytest.mark.parametrize(("sign", "said"), [(1.0, True), (-1.0, False)], ids=["of one sign", "around zero"])
def test_a_first_loss_that_is_no_unit(sign: float, *, said: bool) -> None:
    """Of a policy's loss, an advantage times a likelihood, the first values are small of either sign."""
    small = 0.01 * np.abs(np.random.default_rng(2).normal(size=30)) * np.where(np.arange(30) % 3 == 1, sign, 1.0)
    losses = np.concatenate([[0.012], small, noisy(0.6, 0.05, 269)])
    assert bool(of(Course("").tell(losses), "loss_diverging")) is said


@pytest.mark.parametrize(
    ("sign", "between", "said"),
    [(-1.0, (), True), (1.0, ("Neg",), False), (-1.0, ("Mul",), False)],
    ids=["no minus", "as it should be", "times an advantage"],
)
def test_log_probabilities_that_are_picked_and_rewarded(sign: float, between: tuple[str, ...], *, said: bool) -> None:
    """Their mean is the likelihood: minimised, it has no lower bound (PyTorch's graph shows what was done)."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="torch")
    graph = [{"op": op} for op in (*between, "Mean", "Gather", "LogSoftmax", "Addmm")]
    loss = {"operation": "arithmetic", "chain": ["Mean", "Gather", "LogSoftmax"], "graph": graph}
    facts, found = {"phase": "train", "loss": loss}, []
    for step in range(1, 6):
        rows = np.random.default_rng(step).normal(size=(24, 3))
        found += sender.record(Recording(step, [array("output", "output0", rows)], {"loss": sign * 1.1}, facts))
    assert [one.step for one in found if one.rule == RULE] == [3] * said
