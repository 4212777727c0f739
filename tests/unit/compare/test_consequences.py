"""What follows from a cause is told under it; the two part at the earliest cause that matters."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from auditor.compare import causes
from support.tiny import Tiny, glorot, inputs, sgd, targets

X = inputs()
Y = targets(X)


def run(**more: Any) -> Any:
    """A run by plain SGD."""
    return Tiny(stepper=sgd, **more).profile()


def larger(seed: int) -> Any:
    """Weights five times as wide as Keras draws them."""
    return lambda: [w * 5 for w in glorot(seed)]


def test_gradients_after_another_initialiser_are_told_under_it() -> None:
    """No second cause: outputs and gradients are larger because the weights are."""
    found = causes.diagnose(run(), run(weights=larger(3)))
    assert [cause.id for cause in found.causes][:1] == ["INIT-01"]
    root = found.roots[0]
    assert root.id == "INIT-01"
    stages = [one["stage"] for one in found.follows[root.id, root.parameter]]
    assert "backward" in stages
    told = causes.as_json(root, ("torch", "torch"), found.follows[root.id, root.parameter])["consequences"]
    assert all("times as large in b" in one["says"] for one in told)


def test_two_alike_have_no_consequences() -> None:
    """Other weights of the same kind, other batches: chance is told as nothing."""
    found = causes.diagnose(run(), run(weights=lambda: glorot(5)))
    assert not found.roots
    assert not found.follows


def test_the_earliest_cause_is_where_they_part() -> None:
    """Inputs eight times as large and wider weights: initial weights come before the first batch."""
    found = causes.diagnose(run(), run(x=np.asarray(X * 8), y=Y, weights=larger(4)))
    assert {cause.id for cause in found.roots} >= {"INIT-01", "DATA-00"}
    assert found.earliest is not None
    assert found.earliest.id == "INIT-01"


def uniform(widths: tuple[int, ...] = (6, 200, 1)) -> Any:
    """Weights as PyTorch draws those of ``Linear``, but biases of zero."""
    rng = np.random.default_rng(9)
    return [w for a, b in pairwise(widths) for w in (rng.uniform(-(a**-0.5), a**-0.5, (a, b)), np.zeros(b))]


def test_two_that_part_by_their_frameworks_defaults_alone_part_there() -> None:
    """Nobody set anything: the default that is told first is where they part."""
    found = causes.diagnose(run(weights=uniform), run(framework="keras", weights=lambda: glorot(2, (6, 200, 1))))
    assert [cause.id for cause in found.causes][:1] == ["INIT-01"]
    assert found.earliest is found.causes[0]
