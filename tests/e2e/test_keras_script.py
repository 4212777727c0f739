"""Unmodified Keras scripts, watched from outside: what reaches the spool."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.ingest.decode import StepBatch, step_batch, tensor_table
from auditor_agent import autoload
from auditor_agent.statistics import STATISTICS
from auditor_agent.stream import wire

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

HEAD = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(0)
x = np.random.standard_normal((200, 6)).astype("float32"); y = x[:, :1]
"""
HEALTHY = (
    HEAD
    + """
model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse", steps_per_execution=STEPS)
model.fit(x, y, batch_size=16, epochs=2, verbose=0, validation_split=0.2)
model.fit(x, y, batch_size=16, verbose=0)
print("weights", [w.tobytes().hex() for w in model.get_weights()])
"""
)
POISONED = (
    HEAD
    + """
class Poison(keras.layers.Layer):
    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")
        self.calls = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="calls")
    def call(self, inputs, training=False):
        if training:
            self.calls.assign_add(1)
        calls = tf.convert_to_tensor(self.calls)
        @tf.custom_gradient
        def poison(gain):
            return tf.identity(gain), lambda up: tf.where(calls == 7, np.nan, up)
        return inputs * poison(tf.convert_to_tensor(self.gain))
layers = [keras.layers.Dense(8, name="first"), Poison(name="poison"), keras.layers.Dense(1, name="last")]
model = keras.Sequential(layers)
model.compile("sgd", "mse")
model.fit(x, y, batch_size=20, verbose=0)
raise SystemExit(3)
"""
)


def start(text: str, folder: Path, env: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``text`` as a script, as ``auditor run`` would: nothing but the environment tells."""
    script = folder / "train.py"
    script.write_text(text)
    given = (
        autoload.environment(env) | {"AUDITOR_MODE": "offline", "AUDITOR_RUN": "r", "TF_CPP_MIN_LOG_LEVEL": "3"} | more
    )
    command = [sys.executable, str(script)]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=400, check=False)


def spooled(home: Path) -> tuple[list[dict[str, Any]], list[StepBatch], list[Any]]:
    """Headers, step batches and the last tensor table of everything in the spool."""
    headers: list[dict[str, Any]] = []
    batches: list[StepBatch] = []
    table: list[Any] = []
    for path in sorted((home / "spool").rglob("*.frames")):
        for frame in wire.frames(path.read_bytes()):
            headers.append(frame.header)
            if frame.header["type"] == "steps":
                batches.append(step_batch(frame))
                table = list(tensor_table(frame.header["tensors"])) if "tensors" in frame.header else table
    return headers, batches, table


@pytest.mark.parametrize("steps", [1, 8])
def test_a_script_without_a_changed_line_is_recorded_step_by_step(
    steps: int, tmp_path: Path, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """Three epochs in two fits: 10 + 10 + 13 steps, one run, weights as without the auditor."""
    text = HEALTHY.replace("STEPS", str(steps))
    watched = start(text, tmp_path, repo_env)
    assert watched.returncode == 0, watched.stderr
    plain = start(text, tmp_path, repo_env, AUDITOR_MODE="off")
    assert plain.stdout == watched.stdout
    assert plain.stdout.startswith("weights")
    headers, batches, table = spooled(auditor_home)
    # A step may come once more with what was logged after it was sent: the metrics of an epoch.
    steps = [int(batch.steps[at]) for batch in batches for at in batch.scalars.get("loss", ([],))[0]]
    assert steps == list(range(1, 34))
    losses = np.concatenate([batch.scalars["loss"][1] for batch in batches if "loss" in batch.scalars])
    assert len(losses) == 33
    assert np.isfinite(losses).all()
    assert {header["type"] for header in headers} == {"start", "manifest", "record", "steps", "finish"}
    assert {header["run"] for header in headers} == {"r"}
    manifest = next(header["manifest"] for header in headers if header["type"] == "manifest")
    assert manifest["framework"] == "keras"
    assert len(manifest["init"]["weights"]) == 4
    assert {tensor.kind for tensor in table} == {"gradient", "weight"}
    assert any("val_loss" in batch.scalars for batch in batches)


def test_v1_a_nan_in_one_gradient_is_in_the_spool_at_its_step(
    tmp_path: Path, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """The gain of one layer gets NaN at step 7; the script's own exit code stays."""
    done = start(POISONED, tmp_path, repo_env)
    assert done.returncode == 3, done.stderr
    _, batches, table = spooled(auditor_home)
    row = STATISTICS.index("nan")
    seen: dict[int, list[str]] = {}
    for batch in batches:
        for block in batch.blocks:
            for at, words in enumerate(block.words):
                names = [
                    table[i].name
                    for i, n in zip(block.tensors, words[row], strict=True)
                    if n and table[i].kind == "gradient"
                ]
                seen[int(batch.steps[block.first + at])] = names
    assert list(seen) == list(range(1, 11))
    assert next(step for step, names in seen.items() if names) == 7
    assert [name.split("/")[-2:] for name in seen[7]] == [["poison", "gain"]]
