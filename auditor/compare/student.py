"""Student's t distribution, of any positive degrees of freedom.

``scipy.special`` has both functions, and importing it takes longer than two runs of 100,000 steps do to compare: these
are all that an everyday comparison needs of it. A test holds them against it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

#: Part of a value beyond which nothing is refined.
_PRECISE: Final = 1e-15
#: Part of a value that the last step of Newton's method may be.
_NEAR: Final = 1e-9
#: Terms of the continued fraction, and steps of Newton's method, at most: some tens are needed.
_MOST: Final = 1000
_TINY: Final = 1e-300


def below(freedom: float, t: float) -> float:
    """The probability of a value up to ``t``.

    Half the regularised incomplete beta function of freedom / (freedom + t²), 1/2 (DLMF 8.17; Abramowitz and
    Stegun 26.7.1) below zero.
    """
    square = t * t
    if math.isinf(square):
        return float(t > 0)
    tail = 0.5 * _beta_share(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=1024)
def quantile(freedom: float, p: float) -> float:
    """The value up to which the probability is ``p``, of 0 to 1, both excluded.

    By Newton's method from the normal distribution's, widened (Abramowitz and Stegun 26.7.5, first term). Below zero
    the probability is convex: from the second step on it comes nearer from one side.
    """
    if p > 0.5:
        return -quantile(freedom, 1 - p)
    normal = NormalDist().inv_cdf(p)
    found = normal + (normal**3 + normal) / (4 * freedom)
    for _ in range(_MOST):
        step = (below(freedom, found) - p) / _density(freedom, found)
        found, last = min(0.0, found - step), found
        if abs(found - last) <= _NEAR * abs(found):  # the next step would be about its square
            break
    return found


def _density(freedom: float, t: float) -> float:
    grow = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    return math.exp(grow - (freedom + 1) / 2 * math.log1p(t * t / freedom)) + _TINY


def _beta_share(a: float, b: float, x: float, rest: float) -> float:
    """The regularised incomplete beta function; ``rest``: 1 - x, which may be too small to be had from x."""
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly: the other end
        return 1 - _beta_share(b, a, rest, x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    return math.exp(front) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of DLMF 8.17.22, by Lentz's method (Applied Optics 15, 1976)."""
    value, above, under = 1.0, 1.0, 0.0
    for term in range(1, _MOST):
        m = term // 2
        if term % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        under = 1 / ((1 + d * under) or _TINY)
        above = (1 + d / above) or _TINY
        value *= above * under
        if abs(above * under - 1) < _PRECISE:
            break
    return value
