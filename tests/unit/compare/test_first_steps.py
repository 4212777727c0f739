"""Sizes of two runs by their first steps: one batch alone may have twice the gradient of another."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.profile import Profile
from auditor.compare.recognise.conduct import first_ratio
from auditor.compare.trajectories import Curve
from support.tiny import Tiny


def side(*values: float) -> Profile:
    """A run with these norms."""
    return Tiny().profile(curves={"grad_norm": Curve(np.arange(1, len(values) + 1), np.array(values))})


@pytest.mark.parametrize(("steps", "ratio"), [(1, 2.0), (3, 1.1), (8, 1.1)])
def test_the_middle_of_several_steps_is_taken(steps: int, ratio: float) -> None:
    """The first of one side is an outlier."""
    assert first_ratio(side(1.0, 1.0, 1.0), side(2.0, 1.1, 1.1), "grad_norm", steps) == pytest.approx(ratio)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_of_numbers_that_are_no_sizes_nothing_is_told(value: float) -> None:
    """Nor where one side has none."""
    assert first_ratio(side(1.0, 1.0), side(1.0, value), "grad_norm", 2) is None
    assert first_ratio(side(1.0), side(1.0), "unknown", 2) is None
