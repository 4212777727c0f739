"""Student's t distribution against scipy's."""

from __future__ import annotations

import itertools

import pytest
import scipy

from auditor.compare import student

FREEDOMS = (0.3, 0.5, 1.0, 1.0001, 2.0, 3.7, 10.0, 33.3, 1000.0, 12345.6)
VALUES = (-1e150, -1e6, -300.0, -50.0, -4.0, -2.2, -1.0, -1e-3, 0.0, 0.1, 1.0, 3.0, 100.0)
PARTS = (1e-12, 1e-6, 1e-3, 0.005, 0.05, 0.2, 0.4999, 0.6, 0.8, 0.95, 0.975, 0.995, 1 - 1e-6)


@pytest.mark.parametrize(("freedom", "t"), [*itertools.product(FREEDOMS, VALUES)])
def test_probabilities_are_scipys(freedom: float, t: float) -> None:
    """Small ones to their own digits."""
    assert student.below(freedom, t) == pytest.approx(float(scipy.special.stdtr(freedom, t)), rel=1e-11, abs=0)


@pytest.mark.parametrize(("freedom", "p"), [*itertools.product(FREEDOMS, PARTS)])
def test_quantiles_are_scipys(freedom: float, p: float) -> None:
    """Of a tail as far out as anybody asks."""
    assert student.quantile(freedom, p) == pytest.approx(float(scipy.special.stdtrit(freedom, p)), rel=1e-9, abs=0)


def test_where_scipy_itself_is_coarse() -> None:
    """Of one degree of freedom the distribution is Cauchy's, whose density at zero is one part in pi."""
    assert student.below(1.0, -1e-9) - 0.5 == pytest.approx(-1e-9 / 3.141592653589793, rel=1e-6)
    assert student.quantile(7.0, 0.5) == pytest.approx(0.0, abs=1e-15)
    assert student.below(2.0, float("inf")) == 1.0
    assert student.below(2.0, float("-inf")) == 0.0
