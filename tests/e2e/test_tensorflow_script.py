"""Unmodified TensorFlow loops, watched from outside: what reaches the spool."""

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

LOOP = """
import tensorflow as tf
tf.keras.utils.set_random_seed(0)
x = tf.random.normal([640, 6]); y = x[:, :1] * 2
layers = [tf.keras.layers.Dense(8, activation="tanh", name="a"), tf.keras.layers.Dense(1, name="b")]
model = tf.keras.Sequential([tf.keras.Input((6,)), *layers])
optimizer, criterion = tf.keras.optimizers.Adam(0.01), tf.keras.losses.MeanSquaredError()

@tf.function
def train(x, y):
    with tf.GradientTape() as tape:
        loss = criterion(y, model(x, training=True))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss

for k in range(40):
    target = y[16 * k:16 * k + 16] * (float("nan") if k + 1 == BROKEN else 1.0)
    loss = train(x[16 * k:16 * k + 16], target)
print("loss", float(loss).hex(), [w.tobytes().hex() for w in model.get_weights()])
raise SystemExit(3)
"""
RAW = """
import tensorflow as tf
tf.random.set_seed(0)
x = tf.random.normal([64, 3])
w, b = tf.Variable(tf.ones([3, 1]), name="w"), tf.Variable(0.0, name="b")

@tf.function
def train():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(x @ w + b - 1))
    dw, db = tape.gradient(loss, [w, b])
    w.assign_sub(0.1 * dw)
    b.assign_sub(0.1 * db)
    return loss

for k in range(30):
    loss = train()
print("loss", float(loss).hex(), w.numpy().tobytes().hex())
"""


def start(text: str, folder: Path, env: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``text`` as a script, as ``auditor run`` would: nothing but the environment tells."""
    script = folder / "train.py"
    script.write_text(text)
    given = autoload.environment(env) | {"AUDITOR_MODE": "offline", "AUDITOR_RUN": "r", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(script)]
    return subprocess.run(command, env=given | more, capture_output=True, text=True, timeout=400, check=False)


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


def scalar(batches: list[StepBatch], name: str) -> tuple[list[int], list[float]]:
    """Steps and values of a scalar."""
    steps = [int(batch.steps[at]) for batch in batches for at in batch.scalars.get(name, ([], []))[0]]
    values = [float(value) for batch in batches if name in batch.scalars for value in batch.scalars[name][1]]
    return steps, values


def test_v1_a_loop_without_a_changed_line_is_recorded_with_the_nan_at_its_step(
    tmp_path: Path, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """Forty steps of one traced function; the loss breaks at step 23 and so do the gradients; output as without."""
    text = LOOP.replace("BROKEN", "23")
    watched = start(text, tmp_path, repo_env)
    assert watched.returncode == 3, watched.stderr
    assert start(text, tmp_path, repo_env, AUDITOR_MODE="off").stdout == watched.stdout
    headers, batches, table = spooled(auditor_home)
    steps, losses = scalar(batches, "loss")
    assert steps == list(range(1, 41))
    assert np.isfinite(losses[:22]).all()
    assert np.isnan(losses[22:]).all()
    assert scalar(batches, "lr")[1] == pytest.approx([0.01] * 40)
    row = STATISTICS.index("nan")
    sick = [
        (int(batch.steps[block.first + at]), table[tensor].name)
        for batch in batches
        for block in batch.blocks
        for at, words in enumerate(block.words)
        for tensor, count in zip(block.tensors, words[row], strict=True)
        if count and table[tensor].kind == "gradient"
    ]
    assert min(sick)[0] == 23
    assert {name for step, name in sick if step == 23} == {
        f"sequential/{n}/{p}" for n in "ab" for p in ("kernel", "bias")
    }
    manifest = next(header["manifest"] for header in headers if header["type"] == "manifest")
    assert manifest["framework"] == "tensorflow"
    assert manifest["optimizer"]["hyperparameters"]["epsilon"] == 1e-7
    assert manifest["loss"]["class"] == "MeanSquaredError"
    assert len(manifest["init"]["weights"]) == 4


@pytest.mark.parametrize("first", ["", "import keras\n"], ids=["tensorflow first", "keras first"])
def test_a_loop_by_hand_without_a_changed_line_yields_its_gradients(
    first: str, tmp_path: Path, repo_env: dict[str, str], auditor_home: Path
) -> None:
    """Variables, a tape and assign_sub within a tf.function; Keras may be the one that imports TensorFlow."""
    watched = start(first + RAW, tmp_path, repo_env)
    assert watched.returncode == 0, watched.stderr
    assert start(first + RAW, tmp_path, repo_env, AUDITOR_MODE="off").stdout == watched.stdout
    _, batches, table = spooled(auditor_home)
    steps, losses = scalar(batches, "loss")
    assert steps == list(range(1, 31))
    assert losses[-1] == pytest.approx(float.fromhex(watched.stdout.split()[1]), rel=1e-6)
    assert {(tensor.kind, tensor.name) for tensor in table} >= {("gradient", "w"), ("gradient", "b"), ("weight", "w")}
