"""Inputs and targets that were shuffled apart, against targets that are coded otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from support.tiny import Tiny, glorot, inputs, sgd

X = inputs()
CLASSES = (np.arange(len(X)) % 3).astype(np.float32)[:, None]
VALUES = np.sin(X[:, :1] * 3).astype(np.float32)
MIXED = np.random.default_rng(8).permutation(len(X))


def run(targets: np.ndarray, x: np.ndarray = X, seed: int = 0) -> Profile:
    """A run on these pairs."""
    return Tiny(stepper=sgd, x=x, y=targets, weights=lambda: glorot(seed)).profile()


def told(a: Profile, b: Profile) -> list[str]:
    """Parameters of what is told, the same whichever run comes first."""
    there, back = diagnose(a, b).causes, diagnose(b, a).causes
    assert [cause.id for cause in there] == [cause.id for cause in back]
    return [cause.parameter for cause in there]


@pytest.mark.parametrize("targets", [CLASSES, VALUES])
def test_targets_in_another_order_than_their_inputs_are_found(targets: np.ndarray) -> None:
    """First of all causes; none where both are shuffled alike."""
    first = diagnose(run(targets), run(targets[MIXED], seed=5)).causes[0]
    assert (first.id, first.parameter) == ("DATA-00", "data.pairing")
    assert told(run(targets), run(targets[MIXED], seed=5))[:1] == ["data.pairing"]
    assert "data.pairing" not in told(run(targets), run(targets[MIXED], x=X[MIXED], seed=5))


@pytest.mark.parametrize(
    "other",
    [lambda y: (y + 1) % 3, lambda y: y * 4 - 1, lambda y: np.where(np.arange(len(y))[:, None] % 20 == 0, 1 - y, y)],
    ids=["numbered otherwise", "scaled", "a few labels apart"],
)
def test_other_targets_are_no_other_order(other: Callable[[np.ndarray], np.ndarray]) -> None:
    """Classes by other numbers, values on another scale, noise in a few labels."""
    assert "data.pairing" not in told(run(CLASSES), run(other(CLASSES).astype(np.float32), seed=5))


def test_classes_by_other_numbers_are_told_as_that() -> None:
    """One class for another throughout; of values on another scale nothing follows."""
    assert told(run(CLASSES), run((CLASSES + 1) % 3, seed=5))[:1] == ["data.target.numbering"]
    assert "data.target.numbering" not in told(run(CLASSES), run(CLASSES * 4 - 1, seed=5))
    assert "data.target.numbering" not in told(run(VALUES), run(-VALUES, seed=5))


def test_labels_of_which_a_part_is_wrong_are_told_as_that() -> None:
    """Too many to be noise that nobody minds, too few for another order."""
    wrong = np.where(np.arange(len(X))[:, None] % 4 == 0, (CLASSES + 1) % 3, CLASSES).astype(np.float32)
    found = diagnose(run(CLASSES), run(wrong, seed=5)).causes[0]
    assert (found.id, found.parameter) == ("DATA-00", "data.target.changed")
    assert found.weight == pytest.approx(0.25, abs=0.02)


def test_inputs_that_repeat_with_several_targets_say_nothing() -> None:
    """Of a handful of features no row can be told from another."""
    coarse = np.round(X[np.arange(len(X)) % 40])
    assert "data.pairing" not in told(run(VALUES, x=coarse), run(VALUES[MIXED], x=coarse, seed=5))


def test_classes_that_are_one_on_the_other_side_are_told_and_other_numbers_are_not() -> None:
    """Two of three merged; one-hot rows and class numbers are one coding."""
    numbers = CLASSES + 4  # far from zero, where merging two is no other scale
    merged = np.where(numbers == 6, 5, numbers).astype(np.float32)
    first = diagnose(run(numbers), run(merged, seed=5)).causes[0]
    assert (first.id, first.parameter, first.values) == ("DATA-00", "data.target.classes", (3, 2))
    assert "data.target.classes" in told(run(merged, seed=5), run(numbers))
    one_hot = np.eye(3, dtype=np.float32)[CLASSES.astype(int).ravel()]
    found = diagnose(run(CLASSES), run(one_hot, seed=5)).causes
    assert not {cause.parameter for cause in found} & {"data.target.classes", "data.target.changed", "data.pairing"}


@pytest.mark.parametrize(("every", "found"), [(11, True), (90, False)])
def test_a_few_wrong_labels_are_told_where_no_input_comes_twice(every: int, found: bool) -> None:
    """One in eleven is somebody's doing; two or three rows may be inputs that the data has twice."""
    wrong = np.where(np.arange(len(X))[:, None] % every == 0, (CLASSES + 1) % 3, CLASSES).astype(np.float32)
    causes = {cause.parameter for cause in diagnose(run(CLASSES), run(wrong, seed=5)).causes}
    assert ("data.target.changed" in causes) is found


def test_classes_of_other_numbers_are_one_cause_with_what_their_sizes_show() -> None:
    """Mean and scale of a class number follow from the numbering: one entry, and they are its evidence."""
    rng = np.random.default_rng(2)
    skewed = np.where(rng.random(CLASSES.shape) < 0.8, 2, CLASSES)
    causes = diagnose(run(skewed), run((skewed + 1) % 3, seed=5)).causes
    (found,) = [cause for cause in causes if cause.id == "DATA-00"]
    assert found.parameter == "data.target.numbering"
    assert "renumbered; " in found.effect
    assert "times as large" in found.effect


def test_targets_that_were_scaled_in_another_format_are_not_wrong() -> None:
    """In float64 here and in float32 there: a few differ in their last digit."""
    y = (VALUES * 37.3 + 11).astype(np.float32)
    fine = ((y.astype(np.float64) - 11.1) / 26.7).astype(np.float32)
    coarse = (y - np.float32(11.1)) / np.float32(26.7)
    assert (fine != coarse).any()
    assert told(run(fine), run(coarse, seed=5)) == []
