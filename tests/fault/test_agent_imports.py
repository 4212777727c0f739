"""G11: the agent's threads import nothing: a job may fork at any moment, and inherit the lock of an unfinished import.

What the child then imports, or whatever needs it (a host's name is encoded with ``encodings.idna``, a warning
is logged), waits for ever for a thread that does not exist there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor_agent import autoload
from support.agent import child_env
from support.fake_daemon import FakeDaemon

#: Tells of every module that a thread of the agent's is the first to ask for.
TELL = """
import sys, threading
class Tell:
    def find_spec(self, name, path=None, target=None):
        thread = threading.current_thread().name
        if thread.startswith("auditor-"):
            print("import", thread, name, flush=True)
sys.meta_path.insert(0, Tell())
"""
PLAIN = """
import struct
from auditor_agent.run import open_run
run = open_run("torch")
layout = run.layout([run.tensor("gradient", "a", (2, 3), "float32")])
for step in range(50):
    run.record(step, {"loss": 1.0}, layout, bytes(48))
"""
SKLEARN = """
import numpy as np
from sklearn.neural_network import MLPRegressor
x = np.random.RandomState(0).standard_normal((120, 4))
MLPRegressor(max_iter=20, early_stopping=True).fit(x, x[:, 0])
"""
TORCH = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(120):
    loss = model(torch.ones(2, 4)).square().mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
"""
KERAS = """
import keras, numpy as np
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((60, 4)), np.ones((60, 1)), batch_size=2, epochs=4, verbose=0)
"""
TAPE = """
import keras, tensorflow as tf
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.1)
@tf.function
def step(x):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(x)))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
for _ in range(120):
    step(tf.ones((2, 4)))
"""
JOBS = {"plain": PLAIN, "sklearn": SKLEARN, "torch": TORCH, "keras": KERAS, "tape": TAPE}


def ran(script: Path, env: dict[str, str], url: str) -> str:
    """What a job prints that ``auditor run`` would have started so."""
    given = autoload.environment(env) | {"AUDITOR_URL": url, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, str(script)], env=child_env(given), capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("job", JOBS)
def test_g11_the_threads_of_the_agent_import_nothing(
    job: str, fake_daemon: FakeDaemon, repo_env: dict[str, str], tmp_path: Path
) -> None:
    """Neither while a daemon takes all that comes nor where none answers."""
    script = tmp_path / "train.py"
    script.write_text(TELL + JOBS[job])
    assert ran(script, repo_env, fake_daemon.url) == ""
    assert fake_daemon.steps() > 0


def test_g11_the_threads_import_nothing_where_no_daemon_answers(
    no_daemon: str, repo_env: dict[str, str], tmp_path: Path
) -> None:
    """What they say of it is logged, the first need of ``logging``; an encrypted address needs no more."""
    script = tmp_path / "train.py"
    script.write_text(TELL + PLAIN)
    assert ran(script, repo_env, no_daemon) == ""
    assert ran(script, repo_env, no_daemon.replace("http:", "https:")) == ""
