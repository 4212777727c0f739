"""``train_on_batch`` that is given the same batch for ever, and a critic that is evaluated before it is ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras")

PROGRAM = """
import numpy as np
import keras
rng = np.random.default_rng(0)
x = rng.normal(size=(640, 6)).astype("float32")
y = x[:, :1] - x[:, 1:2] ** 2
norm, wide = keras.layers.SpectralNormalization, keras.initializers.RandomNormal(stddev=1.5)
net = keras.Sequential([
    keras.Input((6,)), norm(keras.layers.Dense(30, "relu", kernel_initializer=wide)), keras.layers.Dense(1)])
net.compile("adam", "mse")
if {early}:
    net.test_on_batch(x[:64], y[:64])
batch = x[:32], y[:32]
at = 0
for step in range(80):
    net.train_on_batch(*({batch}))
    at += {move}
"""


def rules(tmp_path: Path, **choices: Any) -> set[str]:
    """The rules that alert on the program, under ``auditor run``."""
    script, result = tmp_path / "program.py", tmp_path / "result.json"
    script.write_text(PROGRAM.format(**choices))
    path = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "agents"), *sys.path])
    told = {"AUDITOR_HOME": str(tmp_path / "home"), "PYTHONPATH": path, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", "auditor", "run", "--json", str(result), "--", sys.executable, str(script)]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return {one["rule"] for one in json.loads(result.read_text())["alerts"]}


CUT = "x[at * 32 : at * 32 + 32], y[at * 32 : at * 32 + 32]"


def test_an_index_that_stands_still_and_an_evaluation_that_came_too_early(tmp_path: Path) -> None:
    """Both are named."""
    assert {"repeated_batches", "train_eval_gap_at_start"} <= rules(tmp_path, early=True, batch=CUT, move=0)


@pytest.mark.parametrize(("batch", "move"), [(CUT, "1 - 20 * (at == 19)"), ("batch", 0)], ids=["moves", "one batch"])
def test_a_loop_that_moves_on_and_one_batch_on_purpose(batch: str, move: Any, tmp_path: Path) -> None:
    """Neither is named, nor is a critic that is not evaluated before it is trained."""
    assert not {"repeated_batches", "train_eval_gap_at_start"} & rules(tmp_path, early=False, batch=batch, move=move)
