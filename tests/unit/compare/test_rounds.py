"""Samples of an epoch where nobody tells of epochs: of batches that come again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from support.tiny import Tiny

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
