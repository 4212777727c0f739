"""Measures the false-alarm rate of the sequential tests on healthy runs made by hand.

Each trial draws the baseline's runs and one more from the same law, cuts all of them into bins as the
auditor does, and looks after every bin. The laws: noise that remembers (AR(1), 0.99), a scale that
drifts by a factor of ten, heavy tails (Student's t, 3 degrees of freedom), all at once, one level that all
series of a run share, and series whose spreads differ by a factor of ten; in each a run has its own level
and slope. The last law is no formula: trainings of a small perceptron that differ in their seed. Printed is
the share of runs that were alarmed at any time, with the upper end of its 95 % Clopper-Pearson interval,
beside the rate that is stated.

Then what is found of trainings that went wrong: the share that was alarmed at any time at 0.01, and after
how many steps, for a loss that is a fifth worse from step 200 on, a tripled learning rate, and one gradient
that is tripled from step 200 on.

    python -m benchmarks.sequential [--trials 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from scipy import signal, stats

from auditor.detect.envelope import Envelope, bins
from auditor.detect.view import F64
from benchmarks.training.perceptron import train

LAWS: Final = (
    *("autocorrelated", "drifting scale", "heavy-tailed", "all at once", "shared level", "unequal scales"),
    "trainings",
)
RUNS: Final = (3, 4, 5, 7, 10, 20)
STEPS: Final = 2000
SERIES: Final = 6
#: Healthy trainings to draw from, and wrong ones; the step at which some go wrong.
POOL: Final = 120
WRONG: Final = 20
ONSET: Final = 200


def draw(rng: np.random.Generator, law: str, runs: int) -> F64:
    """Logarithms of healthy series, (runs, STEPS, SERIES)."""
    if law == "trainings":
        return trainings()[rng.choice(POOL, runs, replace=False)]
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
    if law == "shared level":
        level = level + rng.normal(0, 0.2, (runs, 1, 1))
    scale = np.geomspace(0.3, 3.0, SERIES) if law == "unequal scales" else 1.0
    return np.asarray((level + slope * t + 0.2 * noise) * scale, dtype=np.float64)


@cache
def trainings(rate: float = 0.05, first: int = 0, count: int = 0) -> F64:
    """Logarithms of the series of healthy trainings, (count, steps, series)."""
    return np.log(np.array([train(first + seed, rate=rate) for seed in range(count or POOL)]))


def faulty() -> dict[str, tuple[F64, int]]:
    """Trainings that went wrong, and the step from which on they do."""
    worse, tripled = trainings(first=1000, count=WRONG).copy(), trainings(first=2000, count=WRONG).copy()
    worse[:, ONSET:, 0] += np.log(1.2)
    tripled[:, ONSET:, 3] += np.log(3.0)
    return {
        "loss x 1.2": (worse, ONSET),
        "rate x 3": (trainings(0.15, 3000, WRONG), 0),
        "one gradient x 3": (tripled, ONSET),
    }


def delay(values: F64, run: F64, onset: int, alpha: float) -> float:
    """Steps from ``onset`` until ``run`` is alarmed against the runs of ``values`` (cut); infinite if never."""
    known = Envelope("b", tuple(map(str, range(values.shape[2]))), values)
    mean, spread = known.centre()
    own = cut(run[None])[0]
    beyond = np.flatnonzero(np.nanmax(np.abs((own - mean) / spread), axis=1, initial=0.0) > known.bound(alpha))
    ends = np.searchsorted(bins(np.arange(len(run), dtype=np.float64)), np.arange(len(own)), side="right")
    late = [int(ends[at]) - onset for at in beyond if ends[at] > onset]
    return float(late[0]) if late else float("inf")


def power(runs: int, trials: int, seed: int) -> dict[str, list[float]]:
    """Delays until each fault is said against a baseline of ``runs``."""
    rng = np.random.default_rng([seed, runs, 99])
    found: dict[str, list[float]] = {}
    for trial in range(trials):
        values = cut(trainings()[rng.choice(POOL, runs, replace=False)])
        for name, (wrong, onset) in faulty().items():
            found.setdefault(name, []).append(delay(values, wrong[trial % WRONG], onset, 0.01))
    return found


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
        for runs in RUNS:
            for alpha in (0.05, 0.01):
                hits = rate(law, runs, alpha, options.trials, options.seed)
                upper = float(stats.beta.ppf(0.95, hits + 1, options.trials - hits))
                failed |= bool(stats.binomtest(hits, options.trials, alpha, alternative="greater").pvalue < 0.01)
                print(f"{law:<16}{runs:>5}{alpha:>8}{hits / options.trials:>10.4f}{upper:>11.4f}", flush=True)
    print(f"\n{'fault':<18}{'runs':>5}{'found':>8}{'median delay':>14}")
    for runs in RUNS:
        for name, delays in power(runs, max(options.trials // 5, 20), options.seed).items():
            known = [one for one in delays if np.isfinite(one)]
            middle = f"{np.median(known):.0f} steps" if known else "-"
            print(f"{name:<18}{runs:>5}{len(known) / len(delays):>8.2f}{middle:>14}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
