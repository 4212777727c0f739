"""G10: what ``Audit()`` replaces in Keras, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from support.agent import child_env
from support.checkout import ROOT

FITTED = """
import json, sys, types
import numpy as np, keras
import auditor_agent.keras
from tests.support.inventory import functions
def methods():
    owners = {"model": [model], "optimizer": [model.optimizer], "layer": model.layers}
    return {f"{kind}.{key}": id(value) for kind, found in owners.items() for n, owner in enumerate(found)
            for key, value in vars(owner).items() if callable(value) and hasattr(type(owner), key)}
def changed():
    now = functions()
    return sorted(name for name in before if name in now and now[name] != before[name])
def replaced():
    now = methods()
    return sorted(name for name in now if now[name] != untouched.get(name))
class Look(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            said["classes"], said["instances"] = changed(), replaced()
class Own(keras.Sequential):
    def train_step(self, data):
        return super().train_step(data)
def build():
    layers, make = keras.layers, Own if sys.argv[1] == "own" else keras.Sequential
    model = make([layers.Input((3,)), layers.Dense(4, "relu"), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("adam", "mse", run_eagerly=sys.argv[1] == "eager", jit_compile=sys.argv[1] == "xla")
    return model
x, y = np.ones((64, 3), "float32"), np.ones((64, 1), "float32")
data = dict(batch_size=8, validation_data=(x, y), verbose=0)
build().fit(x, y, callbacks=[keras.callbacks.Callback()], **data)
model, said = build(), {}
model.optimizer.build(model.trainable_variables)
before, untouched = functions(), methods()
model.fit(x, y, callbacks=[auditor_agent.keras.Audit(), Look()], **data)
said["after"] = changed()
print(json.dumps(said))
"""


def documented() -> set[str]:
    """The methods that docs/promises.md lists under what ``Audit()`` replaces."""
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    section = page.partition("## What Keras' `Audit()` replaces")[2].partition("\n## ")[0]
    return set(re.findall(r"^- `([\w.]+)`", section, re.MULTILINE))


def test_g10_keras_fit_replaces_what_the_page_lists(repo_env: dict[str, str]) -> None:
    """Every callable of every loaded module and class, and every method of the model's objects, in mid-fit."""
    seen = set()
    for mode in ("graph", "xla", "eager", "own"):
        command = [sys.executable, "-c", FITTED, mode]
        env = child_env(repo_env, AUDITOR_MODE="offline")
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["classes"] == said["after"], mode
        assert mode == "own" or said["classes"] == [], mode
        seen |= {*said["instances"], *(name.rpartition("backprop.")[2] for name in said["classes"])}
    assert seen == documented()
