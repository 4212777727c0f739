"""Models that are trained though no weight of theirs is trainable: said once, and only where nothing can move."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras")

PREAMBLE = """
import numpy as np
import keras
x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
def made(end="sigmoid"):
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "relu"), keras.layers.Dense(1, end)])
"""

#: A critic that is frozen inside a larger model before its own first batch, or after it.
CRITIC = """
critic = made()
critic.compile("adam", "binary_crossentropy")
if {traced_first}:
    critic.train_on_batch(x, y)
critic.trainable = False
maker = keras.Sequential([keras.Input((6,)), keras.layers.Dense(6), critic])
maker.compile("adam", "binary_crossentropy")
for _ in range({rounds}):
    critic.train_on_batch(x[:16], y[:16])
    maker.train_on_batch(x[16:32], np.ones((16, 1)))
"""

ALL_FROZEN = """
net = made()
for layer in net.layers:
    layer.trainable = False
net.compile("sgd", "mse", steps_per_execution={steps})
net.fit(x, y, batch_size=4, epochs=10, verbose=0)
"""

BY_HAND = """
class Mean(keras.Model):
    def __init__(self):
        super().__init__()
        self.centre = self.add_weight(shape=(6,), initializer="zeros", trainable=False)
    def call(self, x):
        return x - self.centre
    def train_step(self, data):
        self.centre.assign(0.9 * self.centre + 0.1 * keras.ops.mean(data[0], axis=0))
        return {"loss": keras.ops.mean(self(data[0]) ** 2)}
net = Mean()
net.compile("sgd", "mse")
for _ in range(120):
    net.train_on_batch(x, y)
"""


def run(program: str, tmp_path: Path, backend: str = "tensorflow") -> Any:
    """The result of a script under ``auditor run``."""
    script, result = tmp_path / "program.py", tmp_path / "result.json"
    script.write_text(PREAMBLE + program)
    path = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "agents"), *sys.path])
    told = {"AUDITOR_HOME": str(tmp_path / "home"), "PYTHONPATH": path, "KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "auditor", "run", "--json", str(result), "--", sys.executable, str(script)]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(result.read_text())


def said(result: Any) -> list[tuple[str, int]]:
    """Alerts on steps that are missing, with the step at which they were said."""
    return [(one["rule"], one["first_step"]) for one in result["alerts"] if one["rule"] == "optimizer_step_missing"]


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_a_critic_that_was_frozen_before_its_first_batch_never_learns(backend: str, tmp_path: Path) -> None:
    """Said at its hundredth batch, while the model around it goes on."""
    pytest.importorskip(backend)
    result = run(CRITIC.format(traced_first=False, rounds=130), tmp_path, backend)
    assert [rule for rule, _ in said(result)] == ["optimizer_step_missing"]
    assert any("was trainable" in one["summary"] for one in result["alerts"])


def test_a_model_all_of_whose_layers_are_frozen(tmp_path: Path) -> None:
    """No step is ever told of it; the event brings a record of its own."""
    result = run(ALL_FROZEN.format(steps=4), tmp_path)
    assert said(result) == [("optimizer_step_missing", 100)]


def test_what_moves_all_the_same(tmp_path: Path) -> None:
    """A critic whose train function was made before it was frozen, and a train_step that assigns by hand."""
    assert said(run(CRITIC.format(traced_first=True, rounds=130) + BY_HAND, tmp_path)) == []
