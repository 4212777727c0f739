"""A weak signal beneath noise is less than what the cost of guessing is known to."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.detect.evidence.closer import Closer
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import Task


@pytest.mark.parametrize(
    ("told", "shift", "low", "high"), [(0.4, 0.0, 1.0, 99.0), (0.0, 0.0, -1.0, 1.0), (0.4, 2.0, -99.0, -1.0)]
)
def test_answers_are_held_against_the_mean_on_their_own_samples(
    told: float, shift: float, low: float, high: float
) -> None:
    """A signal of which 40 % are answered; the mean itself; and answers that are off by more than they tell."""
    rng, closer, task = np.random.default_rng(3), Closer(), Task()
    for _ in range(6):
        signal = rng.normal(size=(400, 1))
        targets = 5.0 + signal + 2.0 * rng.standard_t(6, (400, 1))
        seen = Scored("regression", None, 5.0 + told * signal + shift, targets, 1.0)
        task.observe(seen)
        closer.observe(seen, task)
    assert low < closer.surely < high
    assert len(closer.gained) == 2


def test_what_is_no_amount_tells_nothing() -> None:
    """Nor do a few samples, or answers that are no numbers."""
    closer, task = Closer(), Task()
    for family, value in (("categorical", 1.0), ("regression", np.nan), ("regression", 1.0)):
        seen = Scored(family, None, np.full((20, 1), value), np.arange(20.0)[:, None], 1.0)
        task.observe(seen)
        closer.observe(seen, task)
    assert np.isnan(closer.surely)
