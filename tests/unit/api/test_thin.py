"""Thinning keeps what the eye must see."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from auditor.api.thin import thin


@given(
    values=st.lists(st.floats(width=32), max_size=300).map(lambda v: np.array(v, np.float64)),
    points=st.integers(0, 60),
)
def test_extremes_ends_and_everything_non_finite_survive(values: np.ndarray, points: int) -> None:
    """In order, without repetition, within the budget plus the non-finite."""
    keep = thin(values, points)
    assert (np.diff(keep) > 0).all()
    broken = np.flatnonzero(~np.isfinite(values))
    assert set(broken) <= set(keep)
    finite = values[np.isfinite(values)]
    if len(finite):
        kept = values[keep][np.isfinite(values[keep])]
        assert (kept.min(), kept.max()) == (finite.min(), finite.max())
        assert (kept[0], kept[-1]) == (finite[0], finite[-1])
    if points:
        assert len(keep) - len(broken) <= max(points, 2) + 2


def test_a_spike_in_a_million_points_stays_where_it_is() -> None:
    """One step of a million that jumps is among the 500 that are drawn."""
    values = np.sin(np.arange(1_000_000) / 1e4)
    values[123_456], values[654_321] = 50.0, np.nan
    keep = thin(values, 500)
    assert {123_456, 654_321} <= set(keep.tolist())
    assert len(keep) <= 503


def test_few_points_are_left_alone() -> None:
    """Nothing to thin, or nobody asked."""
    assert thin(np.arange(5.0), 10).tolist() == [0, 1, 2, 3, 4]
    assert len(thin(np.arange(5000.0), None)) == 5000
