"""Loops of TensorFlow that ask for gradients and do nothing with them, and loops that only take their time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

#: ``{of}``: what is done with the gradients of each pass; ``{decorator}``: whether the pass is traced.
PROGRAM = """
import tensorflow as tf
x = tf.random.stateless_normal((24, 3), [1, 2])
w, held = tf.Variable(tf.ones((3, 1))), tf.Variable(tf.zeros((3, 1)))
optimizer = tf.keras.optimizers.SGD(0.1)

{decorator}
def gradient(rows):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(rows @ w - 1.0))
    return tape.gradient(loss, [w])

for at in range({passes}):
    [g] = gradient(x[at % 24 : at % 24 + 1])
    {of}
"""


def said(tmp_path: Path, passes: int, of: str, decorator: str = "") -> list[int]:
    """The steps at which a run of the program is told that no step was taken."""
    script, result = tmp_path / "program.py", tmp_path / "result.json"
    script.write_text(PROGRAM.format(passes=passes, of=of, decorator=decorator))
    path = os.pathsep.join([str(Path.cwd()), str(Path.cwd() / "agents"), *sys.path])
    told = {"AUDITOR_HOME": str(tmp_path / "home"), "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "auditor", "run", "--json", str(result), "--", sys.executable, str(script)]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    alerts = json.loads(result.read_text())["alerts"]
    return [one["first_step"] for one in alerts if one["rule"] == "optimizer_step_missing"]


@pytest.mark.parametrize("decorator", ["", "@tf.function"])
def test_gradients_that_nothing_is_done_with_are_told_at_the_end(decorator: str, tmp_path: Path) -> None:
    """With the number of the passes, for there were no steps."""
    assert said(tmp_path, 130, "g * 0.1", decorator) == [130]


def test_many_passes_are_not_waited_out(tmp_path: Path) -> None:
    """At the thousandth."""
    assert said(tmp_path, 1050, "g * 0.1", "@tf.function") == [1000]


def test_gradients_that_are_added_up_for_long_are_used_in_the_end(tmp_path: Path) -> None:
    """A step after 120 passes of single samples; and a handful of passes is no training."""
    of = "held.assign_add(g); optimizer.apply_gradients([(held, w)]) if at % 120 == 119 else None"
    assert said(tmp_path, 130, of) == []
    assert said(tmp_path, 60, "g * 0.1") == []
