"""What auditing a TensorFlow loop costs: medians of interleaved stretches with it, without it, and an A/A control.

Run: ``python benchmarks/agent_tensorflow_loop.py [--rounds 12] [--steps 60]`` with ``agents`` on the path.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("AUDITOR_MODE", "offline")

import keras
import tensorflow as tf

from auditor_agent.tensorflow import audit

BATCH = 128


def training(mode: str, tell: Callable[..., None] | None) -> Callable[[], Any]:
    """One step of an MLP of 0.67 M parameters in 6 tensors."""
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((784,)), *hidden, keras.layers.Dense(10)])
    optimizer, criterion = keras.optimizers.Adam(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = tf.random.normal([BATCH, 784]), tf.random.uniform([BATCH], maxval=10, dtype=tf.int32)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = criterion(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        if tell is not None:
            tell(loss, gradients, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step if mode == "eager" else tf.function(step, jit_compile=mode == "jit")  # type: ignore[no-any-return]  # TensorFlow has no types


def stretch(step: Callable[[], Any], steps: int) -> float:
    """The median step in milliseconds."""
    times = []
    for _ in range(steps):
        start = time.perf_counter()
        float(step())
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    with audit() as run:
        for mode in ("graph", "jit", "eager"):
            arms = {"plain": training(mode, None), "control": training(mode, None), "audited": training(mode, run.step)}
            found: dict[str, list[float]] = {arm: [] for arm in arms}
            for turn in range(options.rounds + 1):
                for arm in list(arms) if turn % 2 else list(reversed(arms)):
                    median = stretch(arms[arm], options.steps)
                    if turn:
                        found[arm].append(median)
            ratios = {
                arm: 100 * (statistics.median(a / b for a, b in zip(found[arm], found["plain"], strict=True)) - 1)
                for arm in ("control", "audited")
            }
            plain = statistics.median(found["plain"])
            print(
                f"{mode:6s} plain_ms {plain:6.2f}",
                *(f"{arm}_percent {v:6.2f}" for arm, v in ratios.items()),
                flush=True,
            )


if __name__ == "__main__":
    main()
