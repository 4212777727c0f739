"""Losses that are multiplied with a mask, or with weights that no framework was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.by_hand import CLASSES, ROWS, STEPS, run
from support.recordings import assembled
from support.tiny import array

MASKS = np.random.default_rng(5).random((STEPS, ROWS)) < 0.6
VALUES = np.random.default_rng(6).normal(size=(STEPS, ROWS)).astype(np.float32)


def masks() -> Callable[[], Tensor]:
    """The mask of one step after the other."""
    found = iter(MASKS)
    return lambda: torch.tensor(next(found))


def by_hand(of: str, by: str) -> Profile:
    """A loss whose rows are left out in one of the spellings, and divided by all rows or by those that count."""
    mask = masks()

    def loss(o: Tensor, y: Tensor) -> Tensor:
        m = mask()
        each = functional.cross_entropy(o, y, reduction="none") if of == "classes" else (o - y) ** 2
        if by == "index":
            return each[m].mean()
        if by == "select":
            return torch.masked_select(each, m).mean()
        left = {
            "product": each * m,
            "product first": m.float() * each,
            "where": torch.where(m, each, torch.zeros(())),
            "fill": each.masked_fill(~m, 0.0),
            "count": each * m,
        }[by]
        return left.sum() / m.sum() if by == "count" else left.mean()

    return run(loss, CLASSES if of == "classes" else VALUES, 4 if of == "classes" else 1)


@pytest.mark.parametrize("of", ["classes", "values"])
@pytest.mark.parametrize("by", ["product", "product first", "where", "fill"])
def test_rows_left_out_and_divided_by_are_told_from_those_that_are_not(of: str, by: str) -> None:
    """LOSS-09 in any spelling, against any that divides by what counts; of one meaning nothing is said."""
    mine = by_hand(of, by)
    assert mine.value("loss.reduction") == "padding as zeros, mean"
    for other in ("count", "index", "select"):
        theirs = by_hand(of, other)
        assert theirs.value("loss.reduction") == "mean without padding", other
        told = diagnose(mine, theirs).causes[0]
        assert (told.id, told.parameter) == ("LOSS-09", "loss.scale")
        assert told.weight > 0.1
    assert not [one for one in diagnose(mine, by_hand(of, "product")).causes if one.id.startswith("LOSS")]


def _one(of: Tensor, y: Tensor) -> Tensor:
    """Of each row the number of its class."""
    return of.gather(1, y[:, None])[:, 0]


def _ones(of: Tensor, y: Tensor) -> Tensor:
    """The same by a product."""
    return (functional.one_hot(y, 4) * of).sum(-1)


#: Cross entropies of each row, written out.
WRITTEN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "the logarithm of the sum": lambda o, y: torch.logsumexp(o, -1) - _one(o, y),
    "the same, by ones and zeros": lambda o, y: torch.logsumexp(o, -1) - _ones(o, y),
    "of logarithms": lambda o, y: -_one(torch.log_softmax(o, -1), y),
    "of their product": lambda o, y: -_ones(torch.log_softmax(o, -1), y),
    "a logarithm of what is picked": lambda o, y: -torch.log(_one(torch.softmax(o, -1), y)),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_the_mask_of_a_written_out_likelihood_is_known(case: str) -> None:
    """LOSS-09: rows that do not count, divided by all or by those that do; against the library's own, either way."""

    def masked(*, by_all: bool) -> Profile:
        steps = masks()

        def loss(o: Tensor, y: Tensor) -> Tensor:
            m = steps().float()
            each = WRITTEN[case](o, y) * m
            return each.mean() if by_all else each.sum() / m.sum()

        return run(loss, CLASSES, 4)

    def picked(*, counting: bool) -> Profile:
        steps = masks()

        def loss(o: Tensor, y: Tensor) -> Tensor:
            each = WRITTEN[case](o, y)
            return each[steps()].mean() if counting else each.mean()

        return run(loss, CLASSES, 4, seed=4)

    for by_all in (True, False):
        mine, theirs = masked(by_all=by_all), by_hand("classes", "product" if by_all else "count")
        assert mine.value("loss.function") == "cross entropy"
        assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith("LOSS")]
        assert [one.id for one in diagnose(masked(by_all=not by_all), theirs).causes][:1] == ["LOSS-09"]
    assert [one.id for one in diagnose(picked(counting=True), picked(counting=False)).causes][:1] == ["LOSS-09"]
    assert not [one for one in diagnose(picked(counting=True), masked(by_all=False)).causes if one.id[:4] == "LOSS"]


def test_a_mask_in_the_mean_and_outputs_that_were_picked_before_are_one_loss() -> None:
    """``(off ** 2 * m).sum() / m.sum()`` and ``mse(out[m], y[m])``."""
    m = torch.tensor(MASKS[0])
    picked = run(lambda o, y: functional.mse_loss(o[m], y[m]), VALUES, seed=4)
    masked = run(lambda o, y: ((o - y) ** 2 * m).sum() / m.sum(), VALUES)
    assert (picked.value("loss.reduction"), masked.value("loss.reduction")) == ("mean", "mean without padding")
    for pair in ((picked, masked), (masked, picked)):
        assert not [one for one in diagnose(*pair).causes if one.id.startswith("LOSS")]
    plain = run(lambda o, y: ((o - y) ** 2).mean(), VALUES)
    assert [one.id for one in diagnose(plain, masked).causes if one.id.startswith("LOSS")] == ["LOSS-09"]


def test_classes_that_the_loss_leaves_out_are_no_targets() -> None:
    """Whatever the program has there: true ones behind a mask, or -100."""
    counts = CLASSES.copy()
    counts[~MASKS] = 3
    told = []
    for y, mask in ((counts, True), (np.where(MASKS, CLASSES, -100), False)):
        steps = masks()

        def loss(o: Tensor, t: Tensor, by_mask: bool = mask, steps: Callable[[], Tensor] = steps) -> Tensor:
            m = steps().float()
            each = functional.cross_entropy(o, t, reduction="none", ignore_index=-100)
            return (each * m).sum() / m.sum() if by_mask else functional.cross_entropy(o, t)

        told.append(run(loss, y, 4))
    means = [found.value("data.target.mean") for found in told]
    assert means[0] == pytest.approx(means[1])


def test_what_a_condition_chooses_between_is_no_mask() -> None:
    """A huber loss by hand: each row is one of the two."""

    def huber(o: Tensor, y: Tensor) -> Tensor:
        off = o - y
        return torch.where(off.abs() <= 1, off**2, off.abs()).mean()

    found = run(huber, VALUES)
    assert found.evidence.first is not None
    assert not found.evidence.first.of("factor")


def test_weights_of_rows_are_told_from_none() -> None:
    """LOSS-08: of samples, multiplied by hand."""
    weights = torch.rand(ROWS, generator=torch.Generator().manual_seed(0)) + 0.5

    def weighed(o: Tensor, y: Tensor) -> Tensor:
        return (functional.cross_entropy(o, y, reduction="none") * weights).mean()

    mine, theirs = run(weighed, CLASSES, 4), run(functional.cross_entropy, CLASSES, 4)
    assert mine.value("loss.reduction") == "weighted, mean over batch"
    assert theirs.value("loss.reduction") == "mean"
    assert diagnose(mine, theirs).causes[0].id == "LOSS-08"


SHARES = np.random.default_rng(7).dirichlet(np.ones(4), (STEPS, ROWS)).astype(np.float32)


def divergence(o: Tensor, y: Tensor) -> Tensor:
    """Of each element."""
    return y * (torch.log(y) - torch.log_softmax(o, -1))


def taped(*, over_classes: bool) -> Profile:
    """The same in a tape: what is recorded is the target, and the difference of the two logarithms."""
    shape = [ROWS, 4]
    graph = [{"op": "Mean", "inputs": [1]}, {"op": "Mul", "inputs": [None, 2], "input_shapes": [shape, shape]},
             {"op": "Sub", "inputs": [None, 3], "input_shapes": [shape, shape]},
             {"op": "LogSoftmax", "inputs": ["output0"], "input_shapes": [shape]}]  # fmt: skip
    rng, found = np.random.default_rng(9), []
    for at in range(STEPS):
        o, y = rng.normal(size=shape), SHARES[at].astype(np.float64)
        off = np.log(y) - (o - np.log(np.exp(o).sum(1, keepdims=True)))
        value = (y * off).mean() if over_classes else (y * off).sum(1).mean()
        arrays = [array("output", "output0", off), array("target", "target0", SHARES[at])]
        facts = {"loss": {"operation": "arithmetic", "graph": graph}}
        found.append(Recording(at + 1, arrays, {"loss": float(value)}, facts))
    return profile("b", "tensorflow", assembled(found), Beside())


def test_a_divergence_written_by_hand_is_known_and_its_mean_over_classes_too() -> None:
    """LOSS-10, between two frameworks."""
    mine = run(lambda o, y: divergence(o, y).mean(), SHARES, 4)
    assert (mine.value("loss.function"), mine.value("loss.reduction")) == ("divergence", "mean")
    theirs = taped(over_classes=False)
    assert (theirs.value("loss.function"), theirs.value("loss.reduction")) == (
        "divergence",
        "sum over outputs, mean over batch",
    )
    assert not theirs.evidence.steps[0].of("output"), "the difference is no output of the model"
    told = diagnose(theirs, mine).causes[0]
    assert (told.id, told.parameter) == ("LOSS-10", "loss.scale")
    alike = diagnose(taped(over_classes=True), mine).causes
    assert not [one for one in alike if one.id.startswith("LOSS")]


def classes(told: str) -> Profile:
    """Rows of classes with a mask that stands in the graph, is the framework's argument, or was recorded by nobody."""
    steps = masks()

    def loss(o: Tensor, y: Tensor) -> Tensor:
        m = steps().float()
        return (functional.cross_entropy(o, y, reduction="none") * m).sum() / m.sum()

    found = run(loss, CLASSES, 4).evidence.steps
    for one in found if told != "graph" else ():
        weight = one.arrays.pop(("factor", "weight0"))
        if told == "argument":
            one.arrays["batch", "sample_weight0"] = replace(weight, role="batch", name="sample_weight0")
    return profile("a", "keras", list(found), Beside())


def test_targets_behind_a_mask_are_none_whoever_was_given_it() -> None:
    """Where the mask of one side is unknown, and so its loss, its targets are not held against the other's."""
    hand, given, unseen = (classes(told) for told in ("graph", "argument", "nowhere"))
    assert hand.value("data.target.mean") == given.value("data.target.mean")
    assert unseen.value("loss.function") is None
    for pair in ((hand, given), (hand, unseen), (unseen, hand)):
        assert not [one for one in diagnose(*pair).causes if one.id.startswith("DATA")]
