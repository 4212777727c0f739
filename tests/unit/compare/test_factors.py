"""Losses that a program writes itself, whose target stands among what they are multiplied with."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.integrations.torch.factors import MOST
from auditor_agent.integrations.torch.graph import read
from auditor_agent.stream.recording import Recording
from support.by_hand import CLASSES, COUNTS, LABELS, ROWS, STEPS, VECTORS, Loss, run
from support.recordings import assembled
from support.tiny import array


def binary(p: Tensor, y: Tensor) -> Tensor:
    """Binary cross entropy of each probability, as tutorials write it."""
    return -(y * torch.log(p + 1e-7) + (1 - y) * torch.log(1 - p + 1e-7))


def weighed(p: Tensor, y: Tensor) -> Tensor:
    """What is positive three times."""
    return -(3.0 * y * torch.log(p) + (1 - y) * torch.log(1 - p))


SIGMOID = nn.Sigmoid()
BINARY: dict[str, tuple[Loss, str, dict[str, Any]]] = {
    "mean": (lambda p, y: binary(p, y).mean(), "binary cross entropy", {"reduction": "mean", "positive_weight": 1.0}),
    "sum": (lambda p, y: binary(p, y).sum(), "binary cross entropy", {"reduction": "sum"}),
    "every pair": (lambda p, y: binary(p[:, None], y).mean(), "binary cross entropy", {"broadcast": True}),
    "weighed": (lambda p, y: weighed(p, y).mean(), "binary cross entropy", {"positive_weight": 3.0}),
    "positives": (lambda p, y: -(y * torch.log(p)).mean(), "positives of binary cross entropy", {}),
    "their sign": (lambda p, y: (-y * torch.log(p)).mean(), "positives of binary cross entropy", {}),
    "focal": (lambda p, y: ((1 - torch.exp(-binary(p, y))) ** 2 * binary(p, y)).mean(),
              "focal(2) binary cross entropy", {}),
}  # fmt: skip


@pytest.mark.parametrize("case", BINARY)
def test_a_binary_cross_entropy_written_by_hand_is_known_by_its_numbers(case: str) -> None:
    """Its slips too: no operation of it says which number is the target."""
    loss, function, settings = BINARY[case]
    found = run(loss, LABELS, head=SIGMOID)
    assert found.value("loss.function") == function
    assert {name: found.value(f"loss.{name}") for name in settings} == settings
    assert found.value("data.target.mean") == pytest.approx(LABELS.mean(), abs=1e-6)


def test_each_slip_is_told_against_the_frameworks_own_loss() -> None:
    """By its entry; the honest spelling is no difference."""
    own = run(functional.binary_cross_entropy, LABELS, seed=5, head=SIGMOID)
    entries = {"sum": "LOSS-03", "every pair": "LOSS-02", "weighed": "LOSS-08", "positives": "LOSS-00"}
    for case, entry in entries.items():
        assert diagnose(own, run(BINARY[case][0], LABELS, head=SIGMOID)).causes[0].id == entry, case
    assert not diagnose(own, run(BINARY["mean"][0], LABELS, head=SIGMOID)).matters


def picked(scores: Tensor, y: Tensor) -> Tensor:
    """The right class of each row."""
    return scores[torch.arange(len(y)), y]


NLL: dict[str, tuple[Loss, str, str]] = {
    "picked": (lambda o, y: -picked(torch.log_softmax(o, 1), y).mean(), "logits", "mean"),
    "gathered": (lambda o, y: -torch.softmax(o, 1).log().gather(1, y[:, None]).mean(), "logits", "mean"),
    "summed": (lambda o, y: -picked(torch.log_softmax(o, 1), y).sum(), "logits", "sum"),
    "softmax twice": (lambda o, y: -picked(torch.log_softmax(torch.softmax(o, 1), 1), y).mean(),
                      "softmax of a softmax of logits", "mean"),
}  # fmt: skip


@pytest.mark.parametrize("case", NLL)
def test_a_likelihood_that_picks_the_right_class_is_known(case: str) -> None:
    """By an index, or by gathering."""
    loss, takes, reduction = NLL[case]
    found = run(loss, CLASSES, 4)
    assert (found.value("loss.function"), found.value("loss.takes")) == ("cross entropy", takes)
    assert found.value("loss.reduction") == reduction


def test_a_mean_over_the_classes_as_well_is_a_cross_entropy_of_another_size() -> None:
    """Not a divergence, though of one class that is the same; PyTorch's own divergence stays one."""

    def every(o: Tensor, y: Tensor) -> Tensor:
        return -(functional.one_hot(y, 4) * torch.log_softmax(o, 1)).mean()

    found = run(every, CLASSES, 4)
    assert (found.value("loss.function"), found.value("loss.factor")) == ("cross entropy", 0.25)


def test_a_hinge_of_zeros_and_ones_is_told_against_one_that_makes_signs_of_them() -> None:
    """Keras does; a port that writes the hinge out learns nothing of the zeros."""

    def raw(o: Tensor, y: Tensor) -> Tensor:
        return torch.clamp(1 - y * o, min=0).mean()

    def signed(o: Tensor, y: Tensor) -> Tensor:
        return raw(o, 2 * y - 1)

    port, honest = run(raw, LABELS), run(signed, LABELS, seed=3)
    assert port.value("loss.takes") == "labels of 0 and 1"
    told = diagnose(honest, port).causes[0]
    assert (told.id, told.parameter, told.mend) == ("LOSS-13", "loss.takes", "b")
    assert diagnose(port, honest).causes[0].mend == "a"
    assert not [one for one in diagnose(honest, run(signed, LABELS)).causes if one.id == "LOSS-13"]


def test_the_sign_of_a_cosine_is_told_and_no_length_of_its_target() -> None:
    """The target was scaled to a length of one on the way: what it was before nobody knows."""

    def near(o: Tensor, y: Tensor) -> Tensor:
        return 1 - functional.cosine_similarity(o, y, dim=1).mean()

    def away(o: Tensor, y: Tensor) -> Tensor:
        return 1 + functional.cosine_similarity(o, y, dim=1).mean()

    mine, theirs = run(near, VECTORS, 4), run(away, VECTORS, 4, seed=2)
    assert [side.value("loss.function") for side in (mine, theirs)] == ["cosine distance", "cosine added to one"]
    assert mine.value("data.target.scale") is None
    assert diagnose(mine, theirs).causes[0].id == "LOSS-13"


class Exponential(nn.Module):
    """What Keras calls so."""

    def forward(self, x: Tensor) -> Tensor:
        """Its exponential."""
        return torch.exp(x)


@pytest.mark.parametrize("told", [True, False])
def test_a_rate_that_is_exponentiated_again_is_told_though_both_models_end_in_one(told: bool) -> None:
    """The loss of a logarithm that is given a rate: its graph has the exponential of an exponential."""
    mine = run(nn.PoissonNLLLoss(), COUNTS, head=Exponential() if told else nn.Identity())

    def rate(o: Tensor, y: Tensor) -> Tensor:
        return (o - y * torch.log(o + 1e-7)).mean()

    theirs = run(rate, COUNTS, seed=4, head=Exponential())
    theirs.evidence.steps[0].facts["output_activation"] = "exponential"
    graph = [{"op": "Exp", "inputs": [1]}, {"op": "Exp" if told else "Add", "inputs": []}]
    mine.evidence.steps[0].facts["loss"] = {"graph": graph}
    assert [one.id for one in diagnose(mine, theirs).causes if one.id == "LOSS-12"] == (["LOSS-12"] if told else [])


@pytest.mark.parametrize(("ends", "told"), [("exponential", []), (None, ["LOSS-12"])])
def test_a_rate_and_the_logarithm_of_one_are_one_loss_where_the_model_has_the_exponential(
    ends: str | None, told: list[str]
) -> None:
    """``PoissonNLLLoss`` of a linear end, Keras's ``poisson`` of ``activation="exponential"``."""
    mine = run(nn.PoissonNLLLoss(), COUNTS)
    assert (mine.value("loss.function"), mine.value("loss.takes")) == ("poisson", "log rate")

    def rate(o: Tensor, y: Tensor) -> Tensor:
        return (o - y * torch.log(o + 1e-7)).mean()

    theirs = run(rate, COUNTS, seed=4, head=Exponential() if ends else nn.Softplus())
    assert theirs.value("loss.takes") == "rate"
    if ends:
        theirs.evidence.steps[0].facts["output_activation"] = ends
    assert [one.id for one in diagnose(mine, theirs).causes if one.id == "LOSS-12"] == told


def test_what_is_no_target_is_none() -> None:
    """A weight of each row beside a loss that nobody knows explains nothing, and nothing is said of targets."""

    def odd(p: Tensor, y: Tensor) -> Tensor:
        return (torch.rand(len(y)) * torch.log(p) + p**3).mean()

    found = run(odd, LABELS, head=SIGMOID)
    assert found.evidence.first is not None
    assert list(found.evidence.first.of("factor")) == ["factor0"]
    assert found.value("loss.function") is None
    assert not found.evidence.first.of("target")
    assert found.value("data.target.mean") is None


@pytest.mark.parametrize(
    "loss",
    [
        lambda o, y: functional.cross_entropy(o, y, label_smoothing=0.15),
        lambda o, y: functional.cross_entropy(o, y, label_smoothing=0.1, weight=torch.rand(4)),
        lambda o, y: 0.5 * functional.mse_loss(o, y.float()[:, None].expand(-1, 4)),
        lambda o, y: functional.cross_entropy(o, y) * 3,
        lambda o, y: 0.25 * functional.multi_margin_loss(o, y),
        lambda o, y: functional.smooth_l1_loss(o, y.float()[:, None].expand(-1, 4), reduction="none").sum() * 0.1,
    ],
)
def test_a_loss_times_a_number_has_no_weights(loss: Loss) -> None:
    """The frameworks' own functions multiply by numbers that autograd keeps no second input for."""
    found = run(loss, CLASSES, 4)
    assert found.evidence.first is not None
    assert not [name for name in found.evidence.first.of("factor") if name == "weight0"]
    assert found.evidence.first.facts["loss"]["graph"]


def test_few_factors_are_kept_and_none_of_a_loss_that_has_its_target() -> None:
    """Of an operation that compares the target is known; of many products the first few are enough."""
    out = torch.rand(5, requires_grad=True) * 1.0
    many = torch.stack([(torch.rand(5) * torch.log(out + at)).mean() for at in range(6)]).sum()
    kept = read(many, {out.grad_fn: "output0"}, {}).tensors
    assert sum(role == "factor" for role, _ in kept) == MOST
    plain = functional.mse_loss(out, torch.rand(5))
    assert not [name for role, name in read(plain, {out.grad_fn: "output0"}, {}).tensors if role == "factor"]


def taped(recorded: Callable[[np.ndarray], np.ndarray], weight: float, function: str = "Log") -> Profile:
    """A tape's loss, ``-(weight y log p + (1 - y) log(1 - p))``: of its products the agent keeps one.

    ``recorded``: what is kept of its data. ``function``: of the output that was recorded with it.
    """
    rng = np.random.default_rng(8)
    joined = {"op": "Mul", "inputs": [None, 2], "input_shapes": [[ROWS], [ROWS]]}
    graph = [{"op": "Mean", "inputs": [1]}, joined, {"op": function, "inputs": [3]},
             {"op": "AddV2", "inputs": ["output0", None], "input_shapes": [[ROWS], []]}]  # fmt: skip
    found = []
    for at in range(STEPS):
        p, y = rng.uniform(0.05, 0.95, ROWS), LABELS[at]
        value = -(weight * y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
        arrays = [array("output", "output0", np.log(p)), array("target", "target0", recorded(y).astype(np.float32))]
        facts = {"loss": {"operation": "arithmetic", "graph": graph}}
        found.append(Recording(at + 1, arrays, {"loss": float(value)}, facts))
    return profile("a", "tensorflow", assembled(found), Beside())


@pytest.mark.parametrize("weight", [1.0, 3.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_tapes_factor_is_the_target_up_to_sign_and_weight(weight: float, sign: int) -> None:
    """As labels of 0 and 1, by which the other side's are compared with them."""
    found = taped(lambda y: sign * weight * y, weight)
    assert (found.value("loss.function"), found.value("loss.positive_weight")) == ("binary cross entropy", weight)
    assert found.value("loss.takes") == "probabilities", "the model's output, not what the loss made of it"
    assert found.value("data.target.mean") == pytest.approx(LABELS.mean(), abs=1e-6)


def test_a_tapes_factor_that_explains_nothing_is_no_target() -> None:
    """Nothing is said of its scale."""
    found = taped(lambda y: y + 0.5, 1.0)
    assert found.value("loss.function") is None
    assert found.value("data.target.mean") is None
    assert found.evidence.first is not None
    assert list(found.evidence.first.of("output")) == ["output0"]
    squares = taped(lambda y: y + 0.5, 1.0, "Square")
    assert squares.evidence.first is not None
    assert not squares.evidence.first.of("output"), "a weight of squares, and no output of the model"


@pytest.mark.parametrize("smoothing", [0.1, 0.0])
def test_the_smoothing_of_a_tapes_own_loss_is_told(smoothing: float) -> None:
    """Of the classes' shares that it multiplied with what it made of the scores, which are not told."""
    rng, classes = np.random.default_rng(2), 4
    joined = {"op": "Mul", "inputs": [None, 2], "input_shapes": [[ROWS, classes], [ROWS, classes]]}
    graph = [{"op": "Mean", "inputs": [1]}, joined, {"op": "LogSoftmax", "inputs": ["output0"]}]
    found = []
    for at in range(STEPS):
        scores = torch.from_numpy(rng.normal(size=(ROWS, classes))).log_softmax(1).numpy()
        target = np.eye(classes)[rng.integers(0, classes, ROWS)] * (1 - smoothing) + smoothing / classes
        arrays = [array(*name, values.astype(np.float32)) for name, values in
                  ((("output", "output0"), scores), (("target", "target0"), target))]  # fmt: skip
        facts = {"loss": {"operation": "arithmetic", "graph": graph}}
        found.append(Recording(at + 1, arrays, {"loss": float(-(target * scores).sum(1).mean())}, facts))
    side = profile("a", "tensorflow", assembled(found), Beside())
    assert side.value("loss.function") == "cross entropy"
    assert side.value("loss.label_smoothing") == pytest.approx(smoothing, abs=1e-5)


def test_weights_that_the_loss_is_divided_by_are_told_from_those_that_it_is_not() -> None:
    """``(w * nll).sum() / w.sum()``, as PyTorch divides; Keras's class weights are divided by the rows."""
    weights = torch.tensor([1.0, 3.0, 6.0, 2.0])

    def by_hand(o: Tensor, y: Tensor) -> Tensor:
        each = weights[y]
        return (each * -picked(torch.log_softmax(o, 1), y)).sum() / each.sum()

    def by_rows(o: Tensor, y: Tensor) -> Tensor:
        return (weights[y] * -picked(torch.log_softmax(o, 1), y)).mean()

    mine, theirs = run(by_hand, CLASSES, 4), run(by_rows, CLASSES, 4, seed=3)
    assert mine.loss[0].classes == pytest.approx((1.0, 3.0, 6.0, 2.0), rel=1e-3)
    reductions = [side.value("loss.reduction") for side in (mine, theirs)]
    assert reductions == ["mean by weight", "weighted, mean over batch"]
    assert diagnose(mine, theirs).causes[0].id == "LOSS-08"
    assert run(functional.cross_entropy, CLASSES, 4).value("loss.reduction") == "mean"


def likelihood(least: float = 1e-3) -> Loss:
    """Of a normal distribution with a mean and a variance for each row."""

    def loss(o: Tensor, y: Tensor) -> Tensor:
        variance = functional.softplus(o[:, 1:2]) + least
        return 0.5 * (torch.log(variance) + (y - o[:, :1]) ** 2 / variance).mean()

    return loss


def test_a_difference_deep_in_a_loss_shows_that_every_row_met_every_row() -> None:
    """Means of (B, 1), targets of (B,): whatever the loss is."""
    values = COUNTS[:, :, None]
    mine, theirs = run(likelihood(), COUNTS, 2), run(likelihood(), values, 2, seed=2)
    assert [side.value("loss.broadcast") for side in (mine, theirs)] == [True, False]
    told = diagnose(theirs, mine).causes[0]
    assert (told.id, told.mend) == ("LOSS-02", "b")
    assert not [one for one in diagnose(theirs, theirs).causes if one.id == "LOSS-02"]


def test_rows_that_count_by_their_class_are_positives_that_do() -> None:
    """Keras's ``class_weight`` of two classes against PyTorch's ``pos_weight``: one loss, if the weights are."""

    def by_row(weight: float) -> Loss:
        return lambda p, y: (
            torch.where(y > 0, weight, 1.0) * functional.binary_cross_entropy(p, y, reduction="none")
        ).mean()

    mine = run(lambda p, y: weighed(p, y).mean(), LABELS, head=SIGMOID)
    same, other = (run(by_row(weight), LABELS, head=SIGMOID, seed=5) for weight in (3.0, 2.0))
    assert same.value("loss.reduction") == "weighted, mean over batch", "as its rows were recorded"
    for found in (diagnose(mine, same), diagnose(same, mine)):
        assert not found.causes
    for found in (diagnose(mine, other), diagnose(other, mine)):
        assert (found.causes[0].id, found.matters) == ("LOSS-08", True)


def test_weights_of_rows_are_found_behind_the_column_that_is_picked() -> None:
    """``(w * ((o - y) ** 2)[:, 0]).mean()``."""
    weights = torch.from_numpy(np.random.default_rng(2).uniform(0.1, 4.0, ROWS).astype(np.float32))

    def by_column(o: Tensor, y: Tensor) -> Tensor:
        return (weights * ((o[:, :1] - y[:, :1]) ** 2)[:, 0]).mean()

    assert "weight0" in run(by_column, VECTORS, 2).evidence.steps[0].of("factor")
