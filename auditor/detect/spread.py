"""How far good runs are apart, told from few of them.

Three runs tell a variance with two degrees of freedom: Student's bound of that is 160 standard
deviations over some hundred bins and series, and nothing is ever found. But the many cells (bins of
series) are alike, and what is typical of them is known better. So each variance borrows from the typical
one of its bin (empirical Bayes: Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004):

    s'^2 = (d s^2 + d' s0^2) / (d + d'),    Student's t with d + d' degrees of freedom

with d = n - 1 of n runs. d' is what the prior is worth, and the smallest of four:

- 1 / (1/d0 + 1/dp): d0 tells how alike the cells' variances are (Smyth's moments of log s^2), dp how well
  s0 itself is known. Series of a run are correlated, so dp counts independent directions, not cells:
  (n - 1) tr(V)^2 / tr(V^2) of the cells' covariance V (Box, Annals of Mathematical Statistics 25, 1954),
  with the unbiased estimates of both traces (Bai and Saranadasa, Statistica Sinica 6, 1996);
- d: what others say counts no more than what the runs say;
- 6 - d: what is beyond six degrees of freedom is kept as a reserve for tails heavier than a Gaussian's.

Seven runs or more borrow nothing. `benchmarks/sequential.py` measures what holds of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy

from auditor.detect.view import F64, I64, Bool

#: Bins on either side over which a variance is averaged.
NEAR: Final = 4
#: A standard deviation is no smaller than this (of a natural logarithm: one per cent).
_LEAST: Final = 0.01
#: Degrees of freedom of the bound, at most.
MOST_FREEDOM: Final = 6.0
#: Series without which none tells anything of another.
_FEWEST_SERIES: Final = 4
#: Worth of a prior of which nothing limits the worth.
_CERTAIN: Final = 1e4


def centre(values: F64) -> tuple[F64, F64, float]:
    """What is expected of a further run, and by how much it may be off.

    Args:
        values: (runs, bins, series), NaN where a run has none.

    Returns:
        Mean (bins, series); standard deviation of a further run's distance from it, NaN where fewer
        than two runs are known; degrees of freedom of that.
    """
    known = np.isfinite(values)
    count = known.sum(axis=0)
    enough = count >= 2
    mean = np.where(enough, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    apart = np.where(known & enough, values - mean, 0.0)
    freedom = np.where(enough, count - 1, 0)
    own = np.maximum(_nearby((apart**2).sum(axis=0)) / np.maximum(_nearby(freedom), 1), _LEAST**2)
    runs = len(values) - 1.0
    variance, borrowed = own, 0.0
    if runs < MOST_FREEDOM and values.shape[2] >= _FEWEST_SERIES and enough.any():
        typical, worth = _typical(apart / np.sqrt(own), own, enough)
        borrowed = min(worth, runs, MOST_FREEDOM - runs)
        variance = (runs * own + borrowed * typical) / (runs + borrowed)
    spread = np.sqrt(variance * (1 + 1 / np.maximum(count, 1)))
    return mean, np.where(enough, spread, np.nan), min(runs + borrowed, MOST_FREEDOM)


def _typical(scaled: F64, own: F64, enough: Bool) -> tuple[F64, float]:
    """The typical variance of each bin, (bins, 1), and what it is worth in degrees of freedom.

    Args:
        scaled: distances from the mean by their own standard deviations, (runs, bins, series).
        own: variances, (bins, series).
        enough: where they are known.
    """
    freedom = len(scaled) - 1.0
    windows = np.array_split(scaled, max(scaled.shape[1] // (2 * NEAR + 1), 1), axis=1)
    # A variance is averaged over bins nearby: it has more degrees of freedom where these differ.
    single = [np.einsum("nbs,mbs->snm", part, part) for part in windows]
    within = freedom * min(directions(np.concatenate(single)), 2 * NEAR + 1.0)
    logs = np.where(enough, np.log(own) - scipy.special.digamma(within / 2) + np.log(within / 2), np.nan)
    rows = enough.any(axis=1)
    level = np.full((len(own), 1), np.nan)
    level[rows] = np.nanmean(logs[rows], axis=1, keepdims=True)
    off = (logs - level)[rows]
    left = max(int(np.isfinite(off).sum() - rows.sum()), 1)
    excess = float(np.nansum(off**2)) / left - float(scipy.special.polygamma(1, within / 2))
    alike = 2 * trigamma_inverse(excess) if excess > 1.0 / _CERTAIN else _CERTAIN
    typical = np.exp(level + scipy.special.digamma(alike / 2) - np.log(alike / 2))
    whole = np.array([np.einsum("nbs,mbs->nm", part, part) for part in windows])
    known = freedom * directions(whole)
    return np.where(np.isfinite(typical), typical, own), 1.0 / (1.0 / alike + 1.0 / known)


def directions(grams: F64) -> float:
    """Independent directions among cells, 1 at least: tr(V)^2 / tr(V^2), both without bias.

    Args:
        grams: products of the runs' centred rows, (windows, runs, runs); the windows are averaged.
    """
    freedom = grams.shape[1] - 1.0
    traces = np.trace(grams, axis1=1, axis2=2)
    scaled = grams[traces > 0] / traces[traces > 0][:, None, None]
    if freedom < 2 or not len(scaled):
        return 1.0
    squares = freedom**2 / ((freedom + 2) * (freedom - 1)) * ((scaled**2).sum(axis=(1, 2)) - 1 / freedom)
    one, other = float((1 - 2 * squares / freedom).mean()), float(squares.mean())
    return max(one / other, 1.0) if other > 1.0 / _CERTAIN else _CERTAIN


def trigamma_inverse(value: float) -> float:
    """The x whose trigamma is ``value`` > 0, by Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        now = float(scipy.special.polygamma(1, x))
        change = now * (1 - now / value) / float(scipy.special.polygamma(2, x))
        x += change
        if -change / x < 1e-8:
            break
    return x


def _nearby(values: F64 | I64) -> F64:
    """Sums over the bins nearby."""
    padded = np.pad(np.nan_to_num(values).astype(np.float64), ((NEAR, NEAR), (0, 0)))
    total: F64 = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR + 1, axis=0).sum(axis=-1)
    return total
