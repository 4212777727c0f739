"""Samples of an epoch where nobody tells of epochs: of batches that come again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from support.tiny import Tiny, inputs, sgd

Told = tuple[object, object]


def told(digests: Sequence[int], sizes: Sequence[int], first: int = 1) -> Told:
    """Order and samples of an epoch as read off these batches, the first of them heard at this step."""
    steps = np.arange(first, first + len(digests))
    curves = {"batch_digest": Curve(steps, np.array(digests, float)), "samples": Curve(steps, np.array(sizes, float))}
    found = Tiny().profile(curves=curves)
    return found.value("data.order"), found.value("data.samples_per_epoch")


SAME = "the same in every epoch"
CASES: dict[str, tuple[Told, Told]] = {
    "three rounds and a half": (told([1, 2, 3, 4] * 3 + [1, 2], [8, 8, 8, 3] * 3 + [8, 8]), (SAME, 27)),
    "heard from the second on": (told([2, 3, 4, 1] * 3, [8, 8, 3, 8] * 3, first=2), (SAME, 27)),
    "one batch again and again": (told([1] * 9, [8] * 9), (SAME, None)),
    "another order later": (told([1, 2, 3, 4, 1, 2, 3, 4, 4, 3, 2, 1], [8, 8, 8, 3] * 3), (SAME, None)),
    "never again": (told(range(12), [8] * 12), (None, None)),
}


@pytest.mark.parametrize("case", CASES)
def test_batches_that_come_again_are_an_epoch(case: str) -> None:
    """All of them, in any rotation; one batch, or rounds that differ, tell no size."""
    found, wanted = CASES[case]
    assert found == wanted


@pytest.mark.parametrize(("calls", "wanted"), [(1, 96), (3, None)])
def test_what_a_judge_is_shown_beside_the_data_is_no_data(calls: int, wanted: int | None) -> None:
    """What a generator made, and that again for the generator's own step: of the loader's batches none are so large."""
    tiny = Tiny()
    samples = np.full(tiny.steps, float(calls * tiny.batch))
    fields = {"epoch": 1, "steps": 6, "batches": 6, "samples": 6 * calls * tiny.batch}
    events = [Event("r", 0, 0, at, 0, 6 * at, "epoch", fields) for at in (1, 2)]
    found = tiny.profile(curves={"samples": Curve(np.arange(1, tiny.steps + 1), samples)}, events=events)
    assert found.value("data.samples_per_epoch") == wanted


@pytest.mark.parametrize(("steps", "noise", "wanted"), [(24, 0.0, ["data.order"]), (20, 0.0, []), (24, 0.1, [])])
def test_batches_none_of_which_comes_again_are_in_another_order(steps: int, noise: float, wanted: list[str]) -> None:
    """In two epochs' worth of them, beside an order that repeats; under noise of one's own nobody knows."""
    x = inputs(192)
    fields = [{"epoch": at, "steps": 12, "samples": 192, "order": "a"} for at in (1, 2)]
    events = [Event("r", 0, 0, at, 0, 12 * at, "epoch", told) for at, told in enumerate(fields, 1)]
    stored = Tiny(stepper=sgd, x=x, y=x[:, :1], steps=12, order=lambda at: np.arange(16 * at, 16 * at + 16))
    draw, noisy = np.random.default_rng(5).permutation(192), x + noise * np.random.default_rng(6).normal(size=x.shape)
    mixed = Tiny(
        stepper=sgd, x=noisy.astype(x.dtype), y=x[:, :1], steps=12, order=lambda at: draw[16 * at : 16 * at + 16]
    )
    curves = {"batch_digest": Curve(np.arange(1, steps + 1), np.arange(float(steps)))}
    causes = diagnose(mixed.profile(curves=curves), stored.profile(events=events)).causes
    assert [cause.parameter for cause in causes if cause.id == "DATA-01"] == wanted
