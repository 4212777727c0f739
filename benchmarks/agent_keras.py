"""What the Keras callback costs: short segments with it and without it take turns, an A/A control beside them.

Three models of one kind train in turns of about a quarter of a second: one plain, one plain again
(the control, which shows what this machine's noise alone makes of the comparison), one audited. A
turn's figure is the relative difference of two median steps that lie within a second of each other;
reported is the median of these with its 95 % confidence interval, from order statistics, hence
without an assumption about how they are distributed.

Run: ``python benchmarks/agent_keras.py [--rounds 60] [--only mlp] [--json FILE]`` with ``agents`` on the path.
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
    """One model with its callbacks; ``segment`` trains it for a few steps and gives the median step."""

    def __init__(self, make: Make, *, jit: bool, audited: bool) -> None:
        keras.utils.set_random_seed(0)
        self.model, self._shape = make()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile("adam", loss, jit_compile=jit)
        self._clock = Clock()
        self._callbacks = [self._clock, Audit()] if audited else [self._clock]

    def segment(self, steps: int) -> float:
        """Seconds of the median step of ``steps``."""
        count = WARM + 1 + steps
        rng = np.random.default_rng(0)
        x = rng.standard_normal((BATCH * count, *self._shape)).astype("float32")
        y = rng.integers(0, 10, BATCH * count)
        self._clock.times.clear()
        self.model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=self._callbacks)
        return statistics.median(self._clock.times)


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
    audited: Interval
    control: Interval

    def verdict(self, limit: float | None) -> str:
        """Whether the cost is within ``limit`` percent, as far as these turns can tell."""
        if limit is None:
            return ""
        if self.audited.high <= limit:
            return f"within {limit:g} %"
        return f"above {limit:g} %" if self.audited.low > limit else f"undecided about {limit:g} %: more rounds"


def measure(make: Make, *, jit: bool, rounds: int) -> Cost:
    """Segments of the three arms in turn, in an order that changes with each round."""
    arms = {name: Arm(make, jit=jit, audited=name == "audited") for name in ("plain", "control", "audited")}
    for arm in arms.values():  # compiles; what the first steps of a run record is over
        arm.segment(60 if arm is arms["audited"] else FEWEST)
    steps = max(FEWEST, int(SEGMENT / arms["plain"].segment(FEWEST)))
    times: dict[str, list[float]] = {name: [] for name in arms}
    names = list(arms)
    for turn in range(rounds):
        shift = turn % len(names)
        order = names[shift:] + names[:shift]
        for name in order if turn % 2 else reversed(order):
            times[name].append(arms[name].segment(steps))
    relative = {
        name: interval([100 * (a / b - 1) for a, b in zip(times[name], times["plain"], strict=True)]) for name in arms
    }
    return Cost(1e3 * statistics.median(times["plain"]), relative["audited"], relative["control"])


def width_of(milliseconds: float, *, jit: bool) -> int:
    """The width, a multiple of 64, at which the plain MLP's step takes about so long here."""
    width = 512
    for _ in range(3):  # the step grows a little slower than the square of the width
        arm = Arm(lambda width=width: mlp(width), jit=jit, audited=False)  # type: ignore[misc]  # bound now
        arm.segment(FEWEST)
        taken = 1e3 * min(arm.segment(40) for _ in range(3))
        width = min(4096, max(128, 64 * round(width * math.sqrt(milliseconds / taken) / 64)))
    return width


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
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
                cost = measure(make, jit=jit, rounds=options.rounds)
                key = f"{name}{f' {width}' if name == 'mlp' else ''}{' jit' if jit else ''}"
                results[key] = asdict(cost) | {"verdict": cost.verdict(limit)}
                told = f"{key:14s} step {cost.step_ms:7.2f} ms  audited {cost.audited}  control {cost.control}"
                print(told, cost.verdict(limit), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    sys.exit(any(result["verdict"].startswith("above") for result in results.values()))


if __name__ == "__main__":
    main()
