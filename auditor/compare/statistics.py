"""The few runs that people have: is a difference beyond what seeds make, is it small, how many more would tell?

Values are logarithms of an end metric, so that a difference is a ratio. With n_a and n_b runs a side

    t = (mean_b - mean_a) / sqrt(v_a / n_a + v_b / n_b),    v = (d_0 s_0² + d s²) / (d_0 + d),    d = n - 1

Each side's variance is moderated (Smyth, Statistical Applications in Genetics and Molecular Biology 3, 2004)
by s_0², what history says of seeds (:func:`borrowed`), else by a weak belief (:data:`WEAK`): two runs of a
metric with two modes are often close to each other by chance, and plain Welch then errs in 12 %. The degrees
of freedom are d_0 and those of Welch's test (Biometrika 34, 1947). `benchmarks/outcomes.py` measures the
rates of error.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy

from auditor.compare import student

#: Part of pairs of equal law that are said to differ, over all metrics of a comparison together.
ALPHA: Final = 0.01
#: Part of pairs whose means are a margin apart that are said to be equivalent.
ALPHA_EQUIVALENT: Final = 0.05
#: Two ends are equivalent if their ratio is within 1 / (1 + MARGIN) and 1 + MARGIN.
MARGIN: Final = 0.1
#: Chance to see an effect that is there, for the smallest effect and the number of seeds.
POWER: Final = 0.8
#: Degrees of freedom that history may claim, however many runs there are.
_MOST_FREEDOM: Final = 30.0
#: Confidence of the upper bound on history's variance: an unlucky history shows too little of it.
_BOUND: Final = 0.9
#: Seeds a side beyond which nobody is advised to go.
MOST_SEEDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the variance between seeds: ``variance`` with ``freedom`` degrees of freedom.

    ``runs``: how many runs of history it is made of, 0 for a belief.
    """

    variance: float
    freedom: float
    runs: int = 0


#: Standard deviation 0.35 of a logarithm (seeds differ by a factor of 1.4), for want of history. Ours: three
#: times what MISMATCHES.md measured on a small regression.
WEAK: Final = Prior(0.35**2, 1.0)


@dataclass(frozen=True, slots=True)
class Ends:
    """Two groups of one end metric, tested. ``difference``: mean of b minus mean of a, in logarithms.

    ``p`` two-sided, ``p_equivalent`` of two one-sided tests against the margin (Schuirmann, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 1987); ``within``: the smallest margin, as a part, within which
    equivalence is shown at ``ALPHA_EQUIVALENT``. ``counts`` runs a side.
    """

    counts: tuple[int, int]
    difference: float
    error: float
    freedom: float
    p: float
    p_equivalent: float
    within: float
    prior: Prior

    @property
    def ratio(self) -> float:
        """The ratio of b to a."""
        return _factor(self.difference)

    @property
    def equivalent(self) -> bool:
        """Whether the two ends are shown to be within the margin of each other."""
        return self.p_equivalent <= ALPHA_EQUIVALENT

    def smallest(self) -> float:
        """The smallest factor that runs like these show with probability ``POWER``."""
        return _factor(self.error * _needed(self.freedom, ALPHA / 2))

    def more_seeds(self) -> int | None:
        """How many more seeds a side would settle it with probability ``POWER``; None beyond ``MOST_SEEDS``.

        What is to be shown is the difference as it was seen if that is above the margin, else equivalence.
        """
        spread = self.error * math.sqrt(self.counts[0] * self.counts[1] / sum(self.counts))
        margin, seen = math.log1p(MARGIN), abs(self.difference)
        goal, alpha = (seen, ALPHA / 2) if seen > margin else (margin - seen / 2, ALPHA_EQUIVALENT)
        here = max(self.counts)

        def enough(seeds: int) -> bool:
            freedom = 2 * (seeds - 1) + self.prior.freedom
            return spread * math.sqrt(2 / seeds) * _needed(freedom, alpha) <= goal

        tried = range(here + 1, MOST_SEEDS + 1)
        found = bisect_left(tried, True, key=enough)  # both factors fall with every seed
        return tried[found] - min(self.counts) if found < len(tried) else None


def _factor(difference: float) -> float:
    return math.exp(min(difference, 700.0))


def _needed(freedom: float, alpha: float) -> float:
    """Standard errors from zero of an effect that is seen with probability ``POWER``; one side ``alpha``."""
    return student.quantile(freedom, 1 - alpha) + student.quantile(freedom, POWER)


def ends(a: Sequence[float], b: Sequence[float], prior: Prior | None = None) -> Ends:
    """Tests two groups of logarithms, one value a run.

    Args:
        a: of one side, 1 or more.
        b: of the other.
        prior: of history; one that the runs at hand contradict (an F test at 1 %) is put aside.
    """
    own = [(len(side) - 1, float(np.var(side, ddof=1)) if len(side) > 1 else 0.0) for side in (a, b)]
    known = prior if prior is not None and _fits(prior, own) else WEAK
    parts = [
        (known.freedom * known.variance + freedom * variance) / (known.freedom + freedom) / len(side)
        for (freedom, variance), side in zip(own, (a, b), strict=True)
    ]
    square = sum(parts)
    apart = sum(part**2 / freedom for (freedom, _), part in zip(own, parts, strict=True) if freedom)
    freedom = known.freedom + (square**2 / apart if apart else 0.0)
    error, difference = math.sqrt(square), float(np.mean(b) - np.mean(a))
    margin = math.log1p(MARGIN)
    beyond = (abs(difference) - margin) / error
    widest = abs(difference) + error * student.quantile(freedom, 1 - ALPHA_EQUIVALENT)
    return Ends(
        counts=(len(a), len(b)),
        difference=difference,
        error=error,
        freedom=freedom,
        p=2 * student.below(freedom, -abs(difference) / error),
        p_equivalent=student.below(freedom, beyond),
        within=_factor(widest) - 1,
        prior=known,
    )


def _fits(prior: Prior, own: Sequence[tuple[int, float]]) -> bool:
    freedom = sum(d for d, _ in own)
    if not freedom:
        return True
    pooled = sum(d * variance for d, variance in own) / freedom
    return bool(scipy.special.fdtrc(freedom, prior.freedom, pooled / prior.variance) >= ALPHA)


def borrowed(groups: Sequence[Sequence[float]]) -> Prior | None:
    """What groups of earlier runs, each of one configuration and different seeds, say of the variance.

    The pooled variance, raised to the upper end of its one-sided 90 % interval (chi-squared). None where
    they leave fewer than two degrees of freedom.
    """
    usable = [np.asarray(group, np.float64) for group in groups if len(group) > 1]
    freedom = float(sum(len(group) - 1 for group in usable))
    squares = float(sum(((group - group.mean()) ** 2).sum() for group in usable))
    if freedom < 2 or squares <= 0:
        return None
    bound = squares / float(scipy.special.chdtri(freedom, _BOUND))
    return Prior(bound, min(freedom, _MOST_FREEDOM), sum(len(group) for group in usable))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P values adjusted for their number (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    adjusted: dict[str, float] = {}
    running = 0.0
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    for place, (name, p) in enumerate(ordered):
        running = max(running, min(1.0, (len(ordered) - place) * p))
        adjusted[name] = running
    return adjusted
