"""Models with several losses, whose targets two programs tell in another order."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.identify.evidence import targets_of
from auditor.compare.profile import Profile, profile
from auditor.compare.recognise import data
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

#: Steps, and samples of each.
STEPS, ROWS = 6, 32


def run(order: list[int], *, seed: int = 0, scale: float = 1.0, names: str = "target{}") -> Profile:
    """A run with three targets in this order: numbers, one of two classes, one of four."""
    random = np.random.default_rng(seed)
    steps = []
    for step in range(1, STEPS + 1):
        inputs = random.normal(size=(ROWS, 5)).astype(np.float32)
        targets = [
            (scale * random.normal(size=(ROWS, 1))).astype(np.float32),
            random.integers(0, 2, ROWS).astype(np.float32),
            random.integers(0, 4, ROWS).astype(np.float32),
        ]
        arrays = [array("target", names.format(at), targets[which]) for at, which in enumerate(order)]
        steps.append(Recording(step, [array("batch", "input0", inputs), *arrays], scalars={"loss": 1.0}))
    return profile("a", "torch", assembled(steps))


@pytest.mark.parametrize("seed", range(4))
def test_targets_in_another_order_are_the_same(seed: int) -> None:
    """Autograd tells losses as they were added, Keras by the names of its outputs; of either order nothing is wrong."""
    for other in (seed, seed + 10):  # the same rows, and others of the same law
        ours, theirs = run([0, 1, 2], seed=seed), run([2, 0, 1], seed=other, names="loss.target/{}")
        assert not [cause for cause in data.causes(ours, theirs) if cause.parameter.startswith("data.target")]


def test_a_target_of_another_scale_is_told_in_any_order() -> None:
    """One of three that is six times as large."""
    told = [cause.parameter for cause in data.causes(run([0, 1, 2]), run([2, 1, 0], seed=1, scale=6.0))]
    assert "data.target.scale" in told


def test_targets_of_accumulated_batches_and_class_weights_are_no_further_targets() -> None:
    """They are recorded under its role."""
    names = ("loss.target", "loss.target@1", "loss.weight", "loss.target/1")
    ones = [array("target", name, np.ones(3, np.float32)) for name in names]
    [step] = assembled([Recording(1, ones)])
    assert len(targets_of(step)) == 2
