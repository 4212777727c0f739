"""Losses whose rows count by their class, losses of which only the gradient is known, losses that print otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.identify.fact import Fact
from auditor.compare.recognise import loss_size
from auditor.compare.recognise.loss import causes
from support.tiny import Tiny, glorot, inputs, sgd, targets

X = inputs()
LABELS = np.random.default_rng(3).integers(0, 4, 96).astype(np.int64)
BINARY = (X[:, :1] > 0).astype(np.float32)
WEIGHTS = np.array([0.2, 3.0, 1.0, 0.5], np.float32)


def run(loss: Callable[[Tensor, Tensor], Tensor], y: Any = None, outputs: int = 1, **more: Any) -> Tiny:
    """A run that minimises ``loss`` by plain SGD."""
    return Tiny(stepper=sgd, loss=loss, y=y, **({"weights": lambda: glorot(0, (6, 24, outputs))} | more))


def softmax(o: Tensor) -> Tensor:
    """Over classes."""
    return torch.softmax(o, -1)


def by_class(o: Tensor, y: Tensor) -> Tensor:
    """Rows that the program weighs by their class itself."""
    return (functional.cross_entropy(o, y, reduction="none") * torch.tensor(WEIGHTS)[y]).mean()


def test_weights_of_classes_that_a_program_multiplies_itself_are_solved_for() -> None:
    """The mean over the batch of weighted rows; no such weights are found where there are none."""
    found = run(by_class, LABELS, 4).profile()
    assert found.loss[0].classes == pytest.approx(WEIGHTS, rel=1e-3)
    told = diagnose(run(functional.cross_entropy, LABELS, 4).profile("a"), found).causes[0]
    assert (told.id, told.parameter) == ("LOSS-08", "loss.scale")
    assert run(functional.cross_entropy, LABELS, 4).profile().loss[0].classes == ()
    assert diagnose(found, run(by_class, LABELS, 4, weights=lambda: glorot(3, (6, 24, 4))).profile("b")).causes == ()


def test_binary_targets_that_both_have_a_weight_are_solved_for() -> None:
    """Neither of them one."""

    def weighed(o: Tensor, y: Tensor) -> Tensor:
        return (
            functional.binary_cross_entropy_with_logits(o, y, reduction="none") * torch.where(y > 0, 4.0, 0.3)
        ).mean()

    assert run(weighed, BINARY).profile().loss[0].classes == pytest.approx((0.3, 4.0), rel=1e-3)


def test_rows_that_count_by_more_than_their_class_have_no_such_weights() -> None:
    """By their size: no weights of classes explain that."""

    def sized(o: Tensor, y: Tensor) -> Tensor:
        return (functional.cross_entropy(o, y, reduction="none") * o.detach().norm(dim=1)).mean()

    assert not run(sized, LABELS, 4).profile().loss[0].explains


def test_a_loss_that_nobody_knows_is_held_against_that_of_probabilities_too() -> None:
    """Its logits stand behind the softmax that the other side has in its model."""

    def focused(o: Tensor, y: Tensor) -> Tensor:
        each = functional.cross_entropy(o, y, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    def chances(o: Tensor, y: Tensor) -> Tensor:
        return functional.nll_loss(torch.log(o), y)

    known = run(chances, LABELS, 4, head=softmax).profile("a")
    assert diagnose(known, run(focused, LABELS, 4).profile("b")).causes[0].id == "LOSS-00"
    assert diagnose(known, run(functional.cross_entropy, LABELS, 4).profile("b")).causes == ()


@pytest.mark.parametrize(("inputs_of", "told"), [([None, 1], []), ([1, 1], ["LOSS-00"])])
def test_weights_that_nobody_recorded_make_no_other_loss_of_one_that_has_some(inputs_of: Any, told: list[str]) -> None:
    """Where its graph shows that it is multiplied with something, rows may count by the same numbers."""

    def focused(o: Tensor, y: Tensor) -> Tensor:
        each = functional.cross_entropy(o, y, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    found = run(focused, LABELS, 4).profile("b")
    loss = {"loss": {"graph": [{"op": "Mul", "inputs": inputs_of}, {"op": "CrossEntropy", "inputs": ["output0"]}]}}
    steps = tuple(replace(one, facts={**one.facts, **loss}) for one in found.evidence.steps)
    found = replace(found, evidence=replace(found.evidence, steps=steps))
    known = run(functional.cross_entropy, LABELS, 4).profile("a")
    known.facts.measured["loss.reduction"] = Fact("loss.reduction", "weighted, mean over batch")  # by recorded weights
    assert [one.id for one in causes(known, found)] == told


def test_one_gradient_with_another_printed_loss_is_told_and_no_mismatch() -> None:
    """scikit-learn's of several outputs prints the mean over them of the sum whose gradient it takes."""
    y = targets(X, 3)
    port = run(lambda o, t: 0.5 * ((o - t) ** 2).sum(1).mean(), y, 3).profile("a")
    own = run(lambda o, t: 0.5 * functional.mse_loss(o, t), y, 3, gradients=lambda g: [3 * x for x in g]).profile("b")
    for found in (diagnose(port, own), diagnose(own, port)):
        assert [cause.parameter for cause in found.causes] == ["loss.printed"]
        assert not found.matters
    plain = run(lambda o, t: 0.5 * functional.mse_loss(o, t), y, 3).profile("a")
    assert diagnose(plain, own).matters, "there the gradient is another one"


def test_another_loss_is_no_form_of_one_that_has_an_entry() -> None:
    """Cross entropy of one class is no divergence; a rate's loss against a squared error is another loss."""
    one_hot = np.eye(4, dtype=np.float32)[LABELS]

    def divergence(o: Tensor, y: Tensor) -> Tensor:
        return functional.kl_div(torch.log(o), y, reduction="batchmean")

    def error(o: Tensor, y: Tensor) -> Tensor:
        return functional.mse_loss(o, y)

    crossed = run(divergence, one_hot, 4, head=softmax).profile("a")
    assert crossed.value("loss.function") == "cross entropy"
    told = diagnose(crossed, run(error, one_hot, 4, head=softmax).profile("b")).causes[0]
    assert (told.id, told.parameter) == ("LOSS-00", "loss.function")


@pytest.mark.parametrize(
    ("weights", "rows", "one"),
    [([4.0, 0.0, 0.0, 0.0], 4, True), ([4.0, 0.0, 0.0, 0.0], 8, False), ([4.0, 0.0, 1.0, 0.0], 8, False)],
)
def test_weights_of_one_number_or_none_pick_the_rows_that_the_other_side_picks(
    weights: list[float], rows: int, one: bool
) -> None:
    """As many of them; of several numbers, or other rows, it is another mean."""
    masked = Tiny(batch=16, extra={("batch", "sample_weight0"): np.tile(np.array(weights, np.float32), 4)}).profile()
    picked = Tiny(batch=rows).profile()
    by_weight = Fact("loss.reduction", "weighted, mean over batch", others=("mean by weight",))
    reduction = (by_weight, Fact("loss.reduction", "mean"))
    assert loss_size._left_out(masked, picked, reduction) is one
    assert loss_size._left_out(picked, masked, reduction[::-1]) is one
    assert not loss_size._left_out(masked, picked, (Fact("loss.reduction", "weighted, mean"), reduction[1]))


def test_weights_of_classes_that_stand_in_the_targets_are_weights() -> None:
    """``one_hot(y) * weights``, as a loop in TensorFlow spells it; smoothed targets have none."""

    def picked(o: Tensor, y: Tensor) -> Tensor:
        return -(y * functional.log_softmax(o, -1)).sum(-1).mean()

    rows = np.eye(4, dtype=np.float32)[LABELS]
    for given, told in ((rows * WEIGHTS, "weighted, mean over batch"), (rows, "mean"), (rows * 0.9 + 0.025, "mean")):
        assert run(picked, given, 4).profile().value("loss.reduction") == told
    spelt = run(picked, rows * WEIGHTS, 4).profile()
    assert not [one for one in diagnose(spelt, run(by_class, LABELS, 4).profile("b")).claims if one.stage == "loss"]
