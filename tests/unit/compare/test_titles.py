"""What is printed of a cause: titles of entries that stand for several, one entry for one difference."""

from __future__ import annotations

import pytest

from auditor.compare import catalogue, titles
from auditor.compare.causes import as_json
from auditor.compare.recognise.cause import Cause, percent
from auditor.compare.recognise.gathered import gathered


def cause(entry: str, parameter: str, weight: float = 0.5, effect: str = "what it does") -> Cause:
    """A cause of these."""
    return Cause(entry, parameter, (1, 2), weight, effect)


@pytest.mark.parametrize(
    ("entry", "parameter", "title"),
    [
        ("DATA-00", "data.input.scale", "Inputs or targets at another scale"),
        ("DATA-00", "data.input.arrangement", "Inputs with their numbers in other places"),
        ("DATA-00", "data.evaluation.scale", "Evaluation on inputs in other units"),
        ("DATA-00", "data.pairing", "Inputs and targets shuffled apart"),
        ("SCH-03", "update.epochs", "Length of the training"),
        ("SCH-03", "update.stopped_early", "Early stopping"),
        ("OPT-00", "update.rule", "Another update rule"),
    ],
)
def test_a_title_says_what_was_found(entry: str, parameter: str, title: str) -> None:
    """And not what the entry is named after."""
    assert as_json(cause(entry, parameter), ("torch", "keras"))["title"] == title


def test_every_title_is_of_an_entry() -> None:
    """None of one that the catalogue has not."""
    assert all(catalogue.entry(entry).title for entry, _ in titles._TITLES)


@pytest.mark.parametrize("subject", ["data.input", "data.target"])
def test_scale_and_mean_of_one_subject_are_one_cause(subject: str) -> None:
    """The larger first, the other behind it; what has nothing to do with it stays."""
    scale, mean = cause("DATA-00", f"{subject}.scale", 2.0, "230 times"), cause("DATA-00", f"{subject}.mean", 1.0, "13")
    other = cause("DATA-02", "data.batch_size")
    found = list(gathered([mean, other, scale]))
    assert [(one.parameter, one.weight) for one in found] == [(f"{subject}.scale", 2.0), ("data.batch_size", 0.5)]
    assert found[0].effect == "230 times; 13"


def test_inputs_and_targets_are_two() -> None:
    """One may be scaled and the other not."""
    both = [cause("DATA-00", f"data.{subject}.scale") for subject in ("input", "target")]
    assert list(gathered(both)) == both


def test_images_that_were_reshaped_are_one_cause() -> None:
    """Their numbers stand in other places and have other neighbours; each alone is told alone."""
    axes = cause("DATA-00", "data.input.axes", 0.4, "neighbours")
    moved = cause("DATA-00", "data.input.arrangement", 0.9, "places")
    (found,) = gathered([moved, axes])
    assert (found.parameter, found.weight, found.effect) == ("data.input.axes", 0.9, "neighbours; places")
    assert list(gathered([moved])) == [moved]
    assert list(gathered([axes])) == [axes]


@pytest.mark.parametrize(("part", "words"), [(1.6e-16, "0 %"), (4e-5, "0.004 %"), (0.5, "50 %"), (12.0, "12 times")])
def test_what_is_below_any_rounding_has_no_digits(part: float, words: str) -> None:
    """1.6e-14 % says nothing to anybody."""
    assert percent(part) == words
