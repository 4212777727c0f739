"""The same samples at every step: told where they are cut out anew, silent where one batch is meant."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from auditor_agent.capture.repeated import AFTER, Repeated

X = np.random.default_rng(0).standard_normal((80, 5))
ONE = X[:16]


def given(make: Callable[[int], Any], steps: int = 3 * AFTER) -> list[tuple[int, dict[str, int]]]:
    """What is told of a run whose steps are given what ``make`` gives, with the step."""
    repeated = Repeated()
    return [(step, told) for step in range(1, steps + 1) if (told := repeated.take(make(step))) is not None]


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (lambda _: X[:16], 80),
        (lambda _: X[40:][:16], 80),
        (lambda _: X[np.arange(16)], None),
        (lambda _: X.reshape(16, 5, 5)[:4], 16),
        (lambda _: X[:, :3], None),
    ],
    ids=["slice", "slice of a slice", "by index", "reshaped", "other columns"],
)
def test_a_batch_that_is_cut_out_anew_is_told_once(make: Callable[[int], Any], of: int | None) -> None:
    """At the fiftieth step, with the samples of what it is a part of, where that shows."""
    ((step, told),) = given(make)
    assert step == told["steps"] == AFTER
    assert told["samples"] == len(make(0))
    assert told.get("of") == of


@pytest.mark.parametrize(
    "make",
    [
        lambda _: ONE,
        lambda step: X[: 16 + step % 2],
        lambda step: X[16 * (step // 20 % 5) :][:16],
        lambda step: X[:16] + (step == AFTER),
        lambda _: [[1.0, 2.0]],
        lambda _: X[:16, 0],
        lambda _: None,
    ],
    ids=["one object", "another size", "moves on slowly", "another at the last", "a list", "one column", "nothing"],
)
def test_what_moves_or_is_meant_is_not_told(make: Callable[[int], Any]) -> None:
    """One batch that is kept and given again is a check that it can be learnt."""
    assert given(make) == []


def test_arrays_behind_other_objects() -> None:
    """Tensors are told apart as objects, and compared by their elements."""

    class Tensor:
        """Stands for one."""

    kept = Tensor()
    fresh, same = Repeated(), Repeated()
    told: Iterator[Any] = (fresh.take(Tensor(), X[:8]) for _ in range(AFTER))
    assert list(itertools.islice(told, AFTER))[-1] == {"steps": AFTER, "samples": 8, "of": 80}
    assert not any(same.take(kept, X[:8]) for _ in range(AFTER))
