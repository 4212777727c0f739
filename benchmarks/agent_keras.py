"""What the Keras callback costs: short segments with it and without it take turns, an A/A control beside them.

Three models of one kind train in turns of about a quarter of a second: one plain, one plain again
(the control, which shows what this machine's noise alone makes of the comparison), one audited. A
turn's figure is the relative difference of two median steps that lie within a second of each other;
reported is the median of these with its 95 % confidence interval, from order statistics, hence
without an assumption about how they are distributed. Beside it stands the mean over all steps, with
the 95 % reach of the jackknife over turns: what comes only every so many steps (weights, rows) does
not show in a median.

Run: ``python benchmarks/agent_keras.py [--rounds 60] [--seconds 600] [--only mlp] [--json FILE]`` with
``agents`` on the path. A model's rounds end early, but not before 20, when its seconds are spent.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("AUDITOR_MODE", "offline")

import keras
import numpy as np

from auditor_agent.keras import Audit

BATCH: Final = 128
#: Seconds that a segment should take, and the fewest steps that it may have.
SEGMENT: Final = 0.25
FEWEST: Final = 4
#: Steps at a segment's beginning that are not timed: ``fit`` sets out anew in each.
WARM: Final = 3
MLP_MS: Final = 5.0
_NORMAL_95: Final = 1.96
#: Rounds of a model that are made whatever time they take.
LEAST_ROUNDS: Final = 20

Make = Callable[[], tuple[Any, tuple[int, ...]]]


def mlp(width: int) -> tuple[Any, tuple[int, ...]]:
    """Two hidden layers of ``width`` units."""
    hidden = [keras.layers.Dense(width, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)]), (784,)


def cnn() -> tuple[Any, tuple[int, ...]]:
    """Convolutions with batch normalization on 32 x 32 images: at least 50 ms a step on a few cores."""
    layers: list[Any] = [keras.Input((32, 32, 3))]
    for filters, strides in ((32, 1), (32, 1), (64, 2), (64, 1), (128, 2)):
        layers += [keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)]
        layers += [keras.layers.BatchNormalization(), keras.layers.ReLU()]
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]), (32, 32, 3)


def deep() -> tuple[Any, tuple[int, ...]]:
    """0.53 M parameters in 66 tensors: many small ones."""
    hidden = [keras.layers.Dense(128, activation="relu") for _ in range(32)]
    return keras.Sequential([keras.Input((128,)), *hidden, keras.layers.Dense(10)]), (128,)


class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Times between beginnings of batches, the other callbacks' work included."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self._last = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Close the step before: what ran after it counts to it."""
        del logs
        now = time.perf_counter()
        if batch > WARM:
            self.times.append(now - self._last)
        self._last = now


class Arm:
    """One model with its callbacks; ``segment`` trains it for a few steps and gives what they took."""

    def __init__(self, make: Make, *, jit: bool, audited: bool) -> None:
        keras.utils.set_random_seed(0)
        self.model, self._shape = make()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile("adam", loss, jit_compile=jit)
        self._clock = Clock()
        self._callbacks = [self._clock, Audit()] if audited else [self._clock]

    def segment(self, steps: int) -> Taken:
        """What ``steps`` steps took."""
        count = WARM + 1 + steps
        rng = np.random.default_rng(0)
        x = rng.standard_normal((BATCH * count, *self._shape)).astype("float32")
        y = rng.integers(0, 10, BATCH * count)
        self._clock.times.clear()
        self.model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=self._callbacks)
        return Taken(statistics.median(self._clock.times), statistics.fmean(self._clock.times))


@dataclass(frozen=True, slots=True)
class Taken:
    """A segment's steps, in seconds."""

    median: float
    mean: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A median with its 95 % confidence interval, in percent of the plain step."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Like ``+1.2 % [+0.8, +1.7]``."""
        return f"{self.median:+6.2f} % [{self.low:+.2f}, {self.high:+.2f}]"


def interval(values: Sequence[float]) -> Interval:
    """Median and its interval from the order statistics: ranks n/2 -+ 1.96 * sqrt(n)/2."""
    ordered, n = sorted(values), len(values)
    reach = _NORMAL_95 * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - reach)), min(n - 1, math.ceil(n / 2 + reach))
    return Interval(statistics.median(ordered), ordered[low], ordered[high])


@dataclass(frozen=True, slots=True)
class Cost:
    """What one model showed."""

    step_ms: float
    rounds: int
    audited: Interval
    control: Interval
    mean: Interval
    control_mean: Interval

    def verdict(self, limit: float | None) -> str:
        """Whether the cost is within ``limit`` percent, as far as these turns can tell."""
        if limit is None:
            return ""
        if self.audited.high <= limit:
            return f"within {limit:g} %"
        return f"above {limit:g} %" if self.audited.low > limit else f"undecided about {limit:g} %: more rounds"


def mean_interval(values: Sequence[float], plain: Sequence[float]) -> Interval:
    """By how many percent the sum of ``values`` exceeds that of ``plain``, and the jackknife's reach over pairs."""
    n, over, under = len(values), sum(values), sum(plain)
    ratio = 100 * (over / under - 1)
    left = [100 * ((over - a) / (under - b) - 1) for a, b in zip(values, plain, strict=True)]
    middle = statistics.fmean(left)
    reach = _NORMAL_95 * math.sqrt((n - 1) / n * sum((one - middle) ** 2 for one in left))
    return Interval(ratio, ratio - reach, ratio + reach)


def measure(make: Make, *, jit: bool, rounds: int, seconds: float) -> Cost:
    """Segments of the three arms in turn, in an order that changes with each round."""
    arms = {name: Arm(make, jit=jit, audited=name == "audited") for name in ("plain", "control", "audited")}
    for arm in arms.values():  # compiles; what the first steps of a run record is over
        arm.segment(60 if arm is arms["audited"] else FEWEST)
    steps = max(FEWEST, int(SEGMENT / arms["plain"].segment(FEWEST).median))
    times: dict[str, list[Taken]] = {name: [] for name in arms}
    names, begun = list(arms), time.perf_counter()
    for turn in range(rounds):
        if turn >= LEAST_ROUNDS and time.perf_counter() - begun > seconds:
            break
        shift = turn % len(names)
        order = names[shift:] + names[:shift]
        for name in order if turn % 2 else reversed(order):
            times[name].append(arms[name].segment(steps))
    medians = {name: [taken.median for taken in times[name]] for name in arms}
    means = {name: [taken.mean for taken in times[name]] for name in arms}
    relative = {
        name: interval([100 * (a / b - 1) for a, b in zip(medians[name], medians["plain"], strict=True)])
        for name in arms
    }
    whole = {name: mean_interval(means[name], means["plain"]) for name in arms}
    step_ms = 1e3 * statistics.median(medians["plain"])
    return Cost(
        step_ms, len(medians["plain"]), relative["audited"], relative["control"], whole["audited"], whole["control"]
    )


def width_of(milliseconds: float, *, jit: bool) -> int:
    """The width, a multiple of 64, at which the plain MLP's step takes about so long here."""
    width = 512
    for _ in range(3):  # the step grows a little slower than the square of the width
        arm = Arm(lambda width=width: mlp(width), jit=jit, audited=False)  # type: ignore[misc]  # bound now
        arm.segment(FEWEST)
        taken = 1e3 * min(arm.segment(40).median for _ in range(3))
        width = min(4096, max(128, 64 * round(width * math.sqrt(milliseconds / taken) / 64)))
    return width


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=600.0, help="of a model's rounds")
    parser.add_argument("--only", choices=("mlp", "cnn", "deep"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for jit in (False, True) if keras.backend.backend() == "tensorflow" else (False,):
        width = width_of(MLP_MS, jit=jit) if options.only in (None, "mlp") else 0
        models: dict[str, tuple[Make, float | None]] = {
            "mlp": (lambda width=width: mlp(width), 10.0),
            "cnn": (cnn, 3.0),
            "deep": (deep, None),
        }
        for name, (make, limit) in models.items():
            if options.only in (None, name):
                cost = measure(make, jit=jit, rounds=options.rounds, seconds=options.seconds)
                key = f"{name}{f' {width}' if name == 'mlp' else ''}{' jit' if jit else ''}"
                results[key] = asdict(cost) | {"verdict": cost.verdict(limit)}
                print(f"{key:14s} step {cost.step_ms:7.2f} ms, {cost.rounds} rounds", cost.verdict(limit), flush=True)
                print(f"    median: audited {cost.audited}  control {cost.control}")
                print(f"    mean:   audited {cost.mean}  control {cost.control_mean}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    sys.exit(any(result["verdict"].startswith("above") for result in results.values()))


if __name__ == "__main__":
    main()
