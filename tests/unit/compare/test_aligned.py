"""Causes in the forward pass weigh what the outputs of one batch under equal weights show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare import aligned, causes
from auditor.compare.aligned import FirstStep
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import profile
from auditor.compare.recognise.cause import Cause
from auditor.compare.structure import Operation, Structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, sgd, torch_stepper

GELU = Cause("FWD-08", "gelu.approximate", ("none", "tanh"), 0.02, "gelu with other settings", how="declared")


@pytest.mark.parametrize(("apart", "claims"), [(1.5e-4, False), (4e-4, False), (3e-3, True), (0.2, True)])
def test_a_difference_that_outputs_hardly_show_is_named_and_is_no_mismatch(apart: float, claims: bool) -> None:
    """GELU by tanh or by erf: outputs part by 1e-6 to 4e-4; a wrong slope shows by far more."""
    [told] = aligned.weigh([GELU], FirstStep(apart))
    assert (told.how, told.weight) == ("measured", max(apart, 0.005))
    assert causes._claims(told, usual=False) is claims
    assert f"{apart:.3g}"[:1] in told.effect


def test_outputs_that_differ_for_no_known_cause_are_a_finding() -> None:
    """Whatever else differs later in the step."""
    later = replace(GELU, id="OPT-01", parameter="update.learning_rate")
    assert [cause.id for cause in aligned.weigh([later], FirstStep(0.3))] == ["OPT-01", "FWD-00"]


@pytest.mark.parametrize(("apart", "found"), [(0.01, ["PREC-01"]), (0.3, ["PREC-01", "FWD-00"])])
def test_outputs_that_part_by_rounding_alone_are_the_precisions(apart: float, found: list[str]) -> None:
    """Halves put numbers a few of their roundoffs apart; what is beyond is another forward pass."""
    halves = replace(GELU, id="PREC-01", parameter="precision.compute", weight=2.0**-5)
    assert [cause.id for cause in aligned.weigh([halves], FirstStep(apart))] == found


@pytest.mark.parametrize(
    ("entry", "begins", "kept"),
    [("MODE-01", 29, True), ("MODE-01", 1, False), ("FWD-21", 1, True), ("FWD-09", 1, False)],
)
def test_outputs_that_agree_at_first_say_nothing_of_what_they_do_not_show(entry: str, begins: int, kept: bool) -> None:
    """A model in evaluation mode after its first validation, and the row of a table that gets no gradient."""
    cause = replace(GELU, id=entry, parameter="any", weight=0.8, step=begins)
    [told] = aligned.weigh([cause], FirstStep(1e-8))
    assert told.weight == (cause.weight if kept else 1e-8)


@pytest.mark.parametrize(
    ("losses", "beside", "told"),
    [
        ((0.7, 0.35), (), True),
        ((0.7, 0.7 + 1e-5), (), False),
        (None, (), False),
        ((0.7, 0.35), ("LOSS-07",), False),
        ((0.7, 0.35), ("OPT-07",), False),
        ((0.7, 0.35), ("OPT-01",), True),
    ],
)
def test_equal_outputs_with_another_loss_are_a_finding(
    losses: tuple[float, float] | None, beside: tuple[str, ...], told: bool
) -> None:
    """Of whatever loss, where nothing is known that makes it another number: a penalty, other classes' weights."""
    others = [replace(GELU, id=entry, parameter="any") for entry in beside]
    found = aligned.weigh(others, FirstStep(1e-8, losses=losses))
    assert ("loss.value" in [cause.parameter for cause in found]) is told


@pytest.mark.parametrize(("factor", "target", "known"), [(2.0, 0.0, True), (1.0, 0.0, True), (2.0, 1.0, False)])
def test_losses_are_held_against_each_other_where_all_else_is_equal(factor: float, target: float, known: bool) -> None:
    """A contrastive loss, of the distance between two outputs: no table has it. Not of other targets."""
    ones, twos = np.ones((4, 3), np.float32), np.full((4, 3), 2.0, np.float32)
    given = [array("batch", "input0", ones), array("weight", "w", np.arange(6.0, dtype=np.float32))]
    answers = [array("output", "output0", ones * np.arange(4)[:, None]), array("output", "output1", twos)]
    sides = []
    for scale, moved in ((1.0, 0.0), (factor, target)):
        arrays = [*given, *answers, array("target", "target0", np.arange(4, dtype=np.float32) + moved)]
        sides.append(profile("a", "keras", assembled([Recording(1, arrays, scalars={"loss": 0.3 * scale})])))
    step = aligned.first_step(*sides)
    assert (step is not None and step.losses == (0.3, pytest.approx(0.3 * factor))) is known


def odd(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss that no table has."""
    return torch.log1p((output - target).abs().sum(dim=1) ** 3).mean()


@pytest.mark.parametrize(("penalty", "told"), [(0.0, False), (0.03, True)])
def test_a_penalty_within_a_loss_that_nobody_knows_is_no_other_loss(penalty: float, told: bool) -> None:
    """The same pull on the weights, in the number on one side and past it on the other."""

    def decaying() -> Any:
        return torch_stepper(lambda p: torch.optim.SGD(p, lr=1e-2, weight_decay=2 * penalty))

    decayed = Tiny(loss=odd, stepper=decaying).profile()
    penalised = Tiny(loss=lambda o, y: 2 * odd(o, y), stepper=sgd, l2=penalty, told_apart=False).profile("b")
    assert not decayed.loss or not decayed.loss[0].explains
    step = aligned.first_step(decayed, penalised)
    assert step is not None
    assert (step.losses is None) is told
    assert ("loss.value" in [cause.parameter for cause in causes.diagnose(decayed, penalised).causes]) is not told


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_outputs_of_networks_that_draw_numbers_are_not_held_against_each_other(rate: float) -> None:
    """Equal weights and batches, and other units are dropped: that the outputs differ shows nothing."""
    dropping = Structure((Operation("dropout", "drop", {"rate": rate}),) if rate else (), whole=True)
    one = replace(Tiny().profile(), structure=dropping)
    other = replace(Tiny(activation=torch.relu).profile("b"), structure=dropping)
    assert (aligned.first_step(one, other) is None) is bool(rate)
    assert ("forward.output" in [cause.parameter for cause in causes.diagnose(one, other).causes]) is not bool(rate)
    same = aligned.first_step(one, replace(Tiny().profile("b"), structure=dropping))
    assert same is not None, "outputs that agree agree"


def test_a_constant_that_a_loss_has_beside_another_is_no_other_loss() -> None:
    """Half a logarithm of two pi per number, say: the gradients are the same."""
    one, more = Tiny(loss=odd).profile(), Tiny(loss=lambda o, y: odd(o, y) + 0.9).profile("b")
    step = aligned.first_step(one, more)
    assert step is not None
    assert step.losses is None
    twice = aligned.first_step(one, Tiny(loss=lambda o, y: 2 * odd(o, y)).profile("b"))
    assert twice is not None
    assert twice.losses is not None


@pytest.mark.parametrize(("activation", "told"), [(torch.tanh, True), (torch.relu, False)])
def test_a_loss_that_nobody_knows_is_another_than_a_known_one_of_equal_outputs(activation: Any, told: bool) -> None:
    """What it takes is not known either: equal outputs speak for themselves, other ones may be of another end."""
    one = Tiny(activation=torch.tanh).profile()
    other = Tiny(activation=activation, loss=odd).profile("b")
    assert one.value("loss.takes") != other.value("loss.takes")
    step = aligned.first_step(one, other)
    assert (step is not None) is told
    found = [cause.id for cause in aligned.weigh([], step)]
    assert found == (["LOSS-00"] if told else [])


@pytest.mark.parametrize(("ends", "found"), [("log softmax", []), ("shifted", []), ("other", ["FWD-00"])])
def test_logits_and_their_log_softmax_are_one_output_of_a_cross_entropy(ends: str, found: list[str]) -> None:
    """A model that ends in a log softmax, with the loss that takes it; a number added to a row changes no answer."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(12, 4))
    labels = rng.integers(0, 4, 12)
    shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    other = {"log softmax": shares, "shifted": logits + rng.normal(size=(12, 1)), "other": 2 * logits}[ends]
    value = float(-shares[np.arange(12), labels].mean())
    sides = []
    for output in (logits, other):
        given = [array("batch", "input0", np.arange(12, dtype=np.float32)[:, None]), array("target", "target0", labels)]
        arrays = [*given, array("weight", "w", np.arange(6, dtype=np.float32)), array("output", "output0", output)]
        known = profile("a", "torch", assembled([Recording(1, arrays, scalars={"loss": value})]))
        for name, told in (("loss.function", "cross entropy"), ("loss.takes", "logits")):
            known.facts.add(Fact(name, told))
        sides.append(known)
    step = aligned.first_step(*sides)
    assert step is not None
    assert [cause.id for cause in aligned.weigh([], step) if cause.id == "FWD-00"] == found
