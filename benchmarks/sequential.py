"""Measures the false-alarm rate of the sequential tests on healthy runs made by hand.

Each trial draws the baseline's runs and one more from the same law, cuts all of them into bins as the
auditor does, and looks after every bin. The laws: noise that remembers (AR(1), 0.99), a scale that
drifts by a factor of ten, heavy tails (Student's t, 3 degrees of freedom), and all at once; in each a run
has its own level and slope. Printed is the share of runs that were alarmed at any time, with the upper
end of its 95 % Clopper-Pearson interval, beside the rate that is stated.

    python -m benchmarks.sequential [--trials 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import signal, stats

from auditor.detect.envelope import Envelope, bins
from auditor.detect.view import F64

LAWS: Final = ("autocorrelated", "drifting scale", "heavy-tailed", "all at once")
STEPS: Final = 2000
SERIES: Final = 6


def draw(rng: np.random.Generator, law: str, runs: int) -> F64:
    """Logarithms of healthy series, (runs, STEPS, SERIES)."""
    shape = (runs, STEPS, SERIES)
    heavy = law in {"heavy-tailed", "all at once"}
    noise = rng.standard_t(3, shape) if heavy else rng.standard_normal(shape)
    if law in {"autocorrelated", "all at once"}:
        noise = signal.lfilter([np.sqrt(1 - 0.99**2)], [1, -0.99], noise, axis=1)
    if law in {"drifting scale", "all at once"}:
        noise *= np.geomspace(1.0, 10.0, STEPS)[:, None] / 3
    t = np.linspace(0, 1, STEPS)[:, None]
    level = rng.normal(0, 0.05, (runs, 1, SERIES))
    slope = rng.normal(-2, 0.1, (runs, 1, SERIES))
    return np.asarray(level + slope * t + 0.2 * noise, dtype=np.float64)


def cut(logs: F64) -> F64:
    """The series by bins, (runs, bins, SERIES): the mean of the logarithm, as ``Binner`` has it."""
    of = bins(np.arange(logs.shape[1], dtype=np.float64))
    out = np.full((len(logs), of[-1] + 1, logs.shape[2]), np.nan)
    for number in np.unique(of):
        out[:, number] = logs[:, of == number].mean(axis=1)
    return out


def alarmed(values: F64, alpha: float) -> bool:
    """Whether the last run is said to leave the envelope of the others, looking after every bin."""
    known = Envelope("b", tuple(map(str, range(values.shape[2]))), values[:-1])
    mean, spread = known.centre()
    running = np.fmax.accumulate(np.nanmax(np.abs((values[-1] - mean) / spread), axis=1, initial=0.0))
    return bool((running > known.bound(alpha)).any())


def rate(law: str, runs: int, alpha: float, trials: int, seed: int) -> int:
    """How many of ``trials`` healthy runs are alarmed against a baseline of ``runs``."""
    rng = np.random.default_rng([seed, runs, LAWS.index(law)])
    return sum(alarmed(cut(draw(rng, law, runs + 1)), alpha) for _ in range(trials))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a rate is above the stated one beyond chance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    failed = False
    print(f"{'law':<16}{'runs':>5}{'stated':>8}{'measured':>10}{'95% up to':>11}")
    for law in LAWS:
        for runs in (3, 5, 10, 20):
            for alpha in (0.05, 0.01):
                hits = rate(law, runs, alpha, options.trials, options.seed)
                upper = float(stats.beta.ppf(0.95, hits + 1, options.trials - hits))
                failed |= bool(stats.binomtest(hits, options.trials, alpha, alternative="greater").pvalue < 0.01)
                print(f"{law:<16}{runs:>5}{alpha:>8}{hits / options.trials:>10.4f}{upper:>11.4f}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
