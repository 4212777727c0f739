"""Rows that two runs share and hold otherwise: filled, cut off, coded, transformed, with the target of another hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from auditor.store.records import Event
from support.tiny import Tiny, glorot, inputs, sgd, targets

X = inputs(256)
Y = targets(X)
GAPS = np.random.default_rng(5).random(X.shape) < 0.2
SIZES = np.random.default_rng(6).integers(0, 5, 256)


def run(x: np.ndarray, y: np.ndarray = Y, seed: int = 0, steps: int = 24) -> Profile:
    """A run on these rows, a bit more than one epoch; the other seed sees them in another order."""
    order = np.random.default_rng(seed).permutation(len(x))
    made = Tiny(stepper=sgd, x=x.astype(np.float32), y=y.astype(np.float32), steps=steps,
                order=lambda at: order[np.arange(16 * at, 16 * at + 16) % len(x)],
                weights=lambda: glorot(seed, (x.shape[1], 24, 1)))  # fmt: skip
    return made.profile()


def told(a: Profile, b: Profile) -> list[str]:
    """Parameters of what is told, the same whichever run comes first."""
    there, back = diagnose(a, b).causes, diagnose(b, a).causes
    assert [cause.parameter for cause in there] == [cause.parameter for cause in back]
    return [cause.parameter for cause in there]


def coded(names: tuple[int, ...]) -> np.ndarray:
    """Three numbers and a code of five sizes."""
    return np.column_stack([X[:, :3], np.array(names)[SIZES]])


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        (np.where(GAPS, 0.7, X), np.where(GAPS, -0.7, X), "filled"),
        (np.clip(X, -0.8, 0.8), X, "filled"),
        (coded((0, 1, 2, 3, 4)), coded((3, 4, 2, 1, 0)), "coded"),
        (np.column_stack([np.exp(X[:, :2]), X[:, 2:]]), np.column_stack([np.exp(X[:, :2]) ** 0.2, X[:, 2:]]), ""),
    ],
    ids=["filled", "clipped", "coded", "transformed"],
)
def test_inputs_of_one_row_that_are_others_are_found(one: np.ndarray, other: np.ndarray, word: str) -> None:
    """Whatever they are called, it is the data; where rows are matched the effect says how."""
    found = diagnose(run(one), run(other, seed=5))
    assert found.causes[0].id == "DATA-00"
    assert found.matters
    if found.causes[0].parameter == "data.input.values":
        assert word in found.causes[0].effect


@pytest.mark.parametrize(
    "change", [lambda y: np.roll(y, 3, axis=0), lambda y: np.sign(y) * y**2], ids=["shift", "power"]
)
def test_targets_of_equal_inputs_that_are_others_are_found(change: Callable[[np.ndarray], np.ndarray]) -> None:
    """The next hour's, another power."""
    found = diagnose(run(X), run(X, change(Y) * (Y.std() / change(Y).std()), seed=5))
    assert (found.causes[0].id, found.causes[0].parameter.partition(".")[0]) == ("DATA-00", "data")
    assert found.matters


def test_other_units_and_rounding_are_no_other_numbers() -> None:
    """A scaler that was fitted to another part of the data, float64 on one side, means of other rows in the gaps."""
    assert told(run(X), run(X * 1.03 + 0.02, seed=5)) == []
    assert told(run(X), run(X.astype(np.float64) * (1 + 1e-9), seed=5)) == []
    assert told(run(np.where(GAPS, 0.03, X)), run(np.where(GAPS, -0.02, X), seed=5)) == []


def test_readings_of_few_digits_do_not_make_rows_one() -> None:
    """A value that one recorded row has may be another row's; so no common row is known, and nothing is said."""
    coarse = np.round(inputs(4096), 3)
    y = targets(coarse)
    assert told(run(coarse[:2048], y[:2048]), run(coarse[2048:], y[2048:], seed=5)) == []


def test_numbers_that_are_drawn_anew_are_no_difference() -> None:
    """Inputs of which each pass hides others, on both sides alike."""

    def hidden(seed: int) -> Profile:
        rng = np.random.default_rng(seed)
        every = np.concatenate([np.where(rng.random(X.shape) < 0.3, 0.0, X) for _ in range(2)])
        return run(every, np.concatenate([Y, Y]), seed, steps=30)

    assert told(hidden(1), hidden(2)) == []


@pytest.mark.parametrize(
    ("losses", "steps", "said"), [(0, range(1, 9), False), (4, range(1, 9), True), (0, (5, 10), True)]
)
def test_what_a_network_was_asked_for_is_no_data(losses: int, steps: Iterable[int], said: bool) -> None:
    """The target network of Q-learning gives other numbers with other weights. An evaluation judges what is given."""
    asks = [Event("r", 0, 0, 0, 0, step, "evaluation", {"batches": 1, "losses": losses}) for step in steps]
    moved = Y + 0.4 * np.sin(5 * X[:, :1])
    asked, other = replace(run(X), events=asks), run(X, moved, seed=5)
    assert ("data.target.values" in told(asked, other)) is said


def test_targets_that_a_network_gives_are_its_own() -> None:
    """As the step's own graph tells it: with other first weights they are other numbers."""
    other = np.sign(Y) * Y**2
    a, b, wide = run(X), run(X, other * (Y.std() / other.std()), seed=5), run(X, 3 * Y, seed=5)
    assert "data.target.values" in told(a, b)
    assert "data.target.scale" in told(a, wide)
    first = a.evidence.steps[0]
    taught = replace(first, facts={**first.facts, "loss": {"taught": True}})
    both = replace(a, evidence=replace(a.evidence, steps=(taught, *a.evidence.steps[1:])))
    assert not [one for one in (*told(both, b), *told(both, wide)) if one.startswith("data.target")]


def test_targets_that_are_places_in_the_batch_are_no_data() -> None:
    """Which row of the batch is whose partner: of a batch of both views twice as many as of two batches."""
    places = np.tile(np.arange(16.0, dtype=np.float32)[:, None], (16, 1))
    rows: dict[str, Any] = {"order": lambda at: np.arange(16 * at, 16 * at + 16) % len(X), "steps": 16}
    a, b = (Tiny(stepper=sgd, x=X, y=factor * places, **rows).profile() for factor in (1.0, 2.0))
    assert not [one for one in told(a, b) if one.startswith("data.target")]
    mixed = np.random.default_rng(3).permutation(places)
    a, b = (Tiny(stepper=sgd, x=X, y=factor * mixed, **rows).profile() for factor in (1.0, 2.0))
    assert "data.target.scale" in told(a, b)
