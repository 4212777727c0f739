"""Normalisation that goes on with the batch's statistics on one side, where the other froze it after a first stage."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import mode
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import event

LAST = 400
Norms = dict[int, list[int] | None]


def run(norms: Norms, training: str = "true") -> Profile:
    """Of which the statistics of its normalisations are told at these steps."""
    facts: dict[int, dict[str, Any]] = {at: {"norms": one, "training": training} for at, one in norms.items()}
    steps = [Recording(at, [], {}, told) for at, told in facts.items()]
    return profile("a", "torch", assembled(steps), Beside(last_step=LAST))


GOES_ON = run({1: [2, 0], 100: [2, 0], 200: [2, 0]})


@pytest.mark.parametrize(
    "norms", [{1: [2, 0], 100: [0, 2], 200: [0, 2]}, {1: None, 2: [2, 0], 100: [0, 0], 200: [0, 0]}]
)
def test_a_second_stage_in_which_one_side_goes_on_is_told(norms: Norms) -> None:
    """Whether the frozen part is evaluated, or asked apart from what is trained; by what is left of the run."""
    for sides, mend in (((GOES_ON, run(norms)), "a"), ((run(norms), GOES_ON), "b")):
        (found,) = mode.causes(*sides)
        assert (found.id, found.parameter, found.step, found.mend) == ("MODE-02", "mode.norms", 100, mend)
        assert found.weight == pytest.approx(0.6 * (1 - 100 / LAST))


OTHERS: dict[str, tuple[Norms, Norms]] = {
    "frozen on both": ({1: [2, 0], 200: [0, 2]}, {1: [2, 0], 200: [0, 0]}),
    "on neither": ({1: [2, 0], 200: [2, 0]}, {1: [2, 0], 200: [2, 0]}),
    "another network": ({1: [2, 0], 200: [2, 0]}, {1: [3, 0], 200: [0, 3]}),
    "one of two": ({1: [2, 0], 200: [2, 0]}, {1: [2, 0], 200: [1, 1]}),
    "seen to another step": ({1: [2, 0], 200: [2, 0]}, {1: [2, 0], 100: [0, 2]}),
    "without any": ({1: [0, 0], 200: [0, 0]}, {1: [0, 0], 200: [0, 0]}),
    "not told": ({1: None, 200: None}, {1: [2, 0], 200: [2, 0]}),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_says_nothing_of_it_is_silent(case: str) -> None:
    """Either way round."""
    a, b = (run(norms) for norms in OTHERS[case])
    assert [*mode.causes(a, b), *mode.causes(b, a)] == []


def test_of_steps_in_another_mode_nothing_is_known() -> None:
    """A model that is evaluated with its gradients kept."""
    assert not [*mode.causes(GOES_ON, run({1: [2, 0], 100: [0, 2], 200: [0, 2]}, training="mixed"))]


@pytest.mark.parametrize(
    ("last", "kinds", "told"),
    [
        (([0, 2], [0, 2]), ["BatchNormalization"], []),
        (([2, 0], [0, 2]), ["BatchNormalization"], ["mode.train.later"]),
        (([0, 2], [0, 2]), ["BatchNormalization", "Dropout"], ["mode.train.later"]),
        (([0, 0], [0, 0]), ["BatchNormalization"], ["mode.train.later"]),
    ],
    ids=["kept on both", "one goes on", "dropout too", "without any"],
)
def test_a_mode_of_evaluation_is_no_other_than_normalisation_that_is_frozen(
    last: tuple[list[int], list[int]], kinds: list[str], told: list[str]
) -> None:
    """A base that is called with ``training=False`` in a loop, and is not trainable in a ``fit``."""
    events = [event(1, "mode", phase="train", training="true")]
    later = [*events, event(101, "mode", phase="train", training="false", modules=kinds, kinds=kinds)]
    sides = []
    for norms, seen in zip(last, (events, later), strict=True):
        steps = [Recording(at, [], {}, {"norms": one}) for at, one in ((1, [2, 0]), (200, norms))]
        sides.append(profile("a", "tensorflow", assembled(steps), Beside(last_step=LAST, events=seen)))
    assert [one.parameter for one in mode.causes(*sides) if one.id == "MODE-01"] == told
