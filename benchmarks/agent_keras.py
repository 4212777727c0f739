"""What the Keras callback costs: medians of interleaved steps with it, without it, and an A/A control.

Run: ``python benchmarks/agent_keras.py [--rounds 12] [--steps 60] [--json FILE]`` with ``agents`` on the path.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("AUDITOR_MODE", "offline")

import keras
import numpy as np

from auditor_agent.keras import Audit

BATCH = 128


def mlp() -> tuple[Any, tuple[int, ...]]:
    """0.67 M parameters in 6 tensors."""
    hidden = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    return keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)]), (784,)


def cnn() -> tuple[Any, tuple[int, ...]]:
    """28 k parameters in 14 tensors, convolutions and batch normalization."""
    layers: list[Any] = [keras.Input((28, 28, 1))]
    for filters in (16, 32, 64):
        layers += [keras.layers.Conv2D(filters, 3, strides=2, use_bias=False), keras.layers.BatchNormalization()]
        layers += [keras.layers.ReLU()]
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]), (28, 28, 1)


def deep() -> tuple[Any, tuple[int, ...]]:
    """0.53 M parameters in 66 tensors: many small ones."""
    hidden = [keras.layers.Dense(128, activation="relu") for _ in range(32)]
    return keras.Sequential([keras.Input((128,)), *hidden, keras.layers.Dense(10)]), (128,)


class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Times between ends of batches, the other callbacks' work included."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self._last = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Close the previous step: what ran after it counts to it."""
        del logs
        now = time.perf_counter()
        if batch > 5:  # the first batches of a fit warm up
            self.times.append(now - self._last)
        self._last = now


def measure(make: Any, *, jit: bool, rounds: int, steps: int) -> dict[str, float]:
    """Median step of each arm in milliseconds, arms taking turns."""
    rng = np.random.default_rng(0)
    arms: dict[str, tuple[Any, Clock, list[Any]]] = {}
    for arm in ("plain", "control", "audited"):
        keras.utils.set_random_seed(0)
        model, shape = make()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, jit_compile=jit)
        clock = Clock()
        arms[arm] = (model, clock, [clock, Audit()] if arm == "audited" else [clock])
    x = rng.standard_normal((BATCH * steps, *shape)).astype("float32")
    y = rng.integers(0, 10, BATCH * steps)
    ratios: dict[str, list[float]] = {"plain": [], "control": [], "audited": []}
    for turn in range(rounds + 1):
        medians = {}
        for arm in list(arms) if turn % 2 else list(reversed(arms)):
            model, clock, callbacks = arms[arm]
            clock.times.clear()
            model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
            medians[arm] = statistics.median(clock.times)
        if turn:
            ratios["plain"].append(medians["plain"])
            for arm in ("control", "audited"):
                ratios[arm].append(medians[arm] / medians["plain"])
    return {
        "plain_ms": 1e3 * statistics.median(ratios["plain"]),
        "control_percent": 100 * (statistics.median(ratios["control"]) - 1),
        "audited_percent": 100 * (statistics.median(ratios["audited"]) - 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for make in (mlp, cnn, deep):
        for jit in (False, True) if keras.backend.backend() == "tensorflow" else (False,):
            key = f"{make.__name__}{' jit' if jit else ''}"
            results[key] = measure(make, jit=jit, rounds=options.rounds, steps=options.steps)
            print(f"{key:10s}", *(f"{name} {value:8.2f}" for name, value in results[key].items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
