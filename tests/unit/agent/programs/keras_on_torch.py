"""Trains with Keras on PyTorch, with and without the callback; prints what both saw as JSON."""

import json
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

from auditor_agent.capture.batches import batch_digest
from auditor_agent.keras import Audit
from support.record_run import MemoryRun
from support.recordings import assembled

rng = np.random.default_rng(0)
x = rng.standard_normal((200, 6)).astype("float32")
y = (x[:, :1] - x[:, 1:2] ** 2).astype("float32")


def model(**compiled):
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Dense(80, activation="relu", kernel_regularizer="l2", name="hidden"),
        keras.layers.Dropout(0.2),
    ]
    net = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1)])
    net.compile(loss="mse", **compiled)
    return net


def weights(net):
    return [w.tobytes().hex() for w in net.get_weights()]


def spied(net):
    """The gradients that reach the optimizer, taken with NumPy in float64."""
    seen, apply = [], net.optimizer.apply

    def look(grads, variables=None):
        arrays = [np.asarray(g.detach(), np.float64) for g in grads]
        seen.append([[float(a.mean()), float(a.std()), float(np.sqrt((a * a).sum()))] for a in arrays])
        return apply(grads, variables)

    net.optimizer.apply = look
    return seen


out = {}
plain = model(optimizer=keras.optimizers.Adam(0.01, clipnorm=0.5))
plain.fit(x, y, batch_size=32, epochs=2, verbose=0)
state = torch.rand(3).tolist()
run, audited = MemoryRun(), model(optimizer=keras.optimizers.Adam(0.01, clipnorm=0.5))
seen = spied(audited)
audited.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=[Audit(run=run)])
out["same"] = weights(plain) == weights(audited) and state == torch.rand(3).tolist()
out["steps"], out["seen"] = run.steps, seen
out["found"] = [
    [[row["mean"], row["std"], row["l2"]] for (kind, _), row in record["table"].items() if kind == "gradient"]
    for record in run.records
]
out["scalars"] = run.records[-1]["scalars"]
out["weights_at"] = [r["step"] for r in run.records if any(kind == "weight" for kind, _ in r["table"])]
out["manifest"] = run.manifests[-1]

run, net = MemoryRun("accumulated"), model(optimizer=keras.optimizers.SGD(0.01, gradient_accumulation_steps=3))
net.fit(x[:192], y[:192], batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
out["accumulated"] = run.steps


class Recorded(MemoryRun):
    """Keeps recordings too."""

    def __init__(self):
        super().__init__("recorded")
        self.recordings, self.observed = [], {}

    def recording(self, recording):
        self.recordings.append(recording)

    def observe(self, **sections):
        self.observed |= sections


run, net = Recorded(), model(optimizer=keras.optimizers.SGD(0.1, momentum=0.5))
net.fit(x, y, batch_size=32, epochs=8, shuffle=False, verbose=0, validation_data=(x, y), callbacks=[Audit(run=run)])
out["recorded"] = [recording.step for recording in run.recordings if recording.phase == "train"]
evaluations = assembled(run.recordings, "eval")
out["evaluated"] = [found.step for found in evaluations]
found = evaluations[0]
output, target = found.of("output")["output0"].whole(), found.of("target")["target0"].whole()
batch = found.of("batch")["input0"].whole()
after = next(step for step in assembled(run.recordings) if step.step == found.step).of("updated")
kernel = next(array for name, array in after.items() if name.endswith("hidden/kernel")).whole()
out["evaluation"] = {
    "given": np.array_equal(batch, x[:32]) and np.array_equal(target, y[:32]),
    "loss": found.scalars["loss"],
    "expected": float(np.mean((output - target) ** 2) + 0.01 * np.sum(kernel**2)),
    "training": found.facts["training"],
    "layers": [layer["name"].split("/")[1] for layer in found.facts["layers"]],
}
moved, hidden = [], []
for step in assembled(run.recordings):
    velocity = step.of("state.momentums")
    for name, weight in step.of("weight").items():
        moved.append(float(np.abs(weight.whole() + velocity[name].whole() - step.of("updated")[name].whole()).max()))
    kernel, bias = (
        next(a for n, a in step.of("weight").items() if n.endswith(f"hidden/{k}")).whole() for k in ("kernel", "bias")
    )
    expected = np.maximum(step.of("batch")["input0"].whole() @ kernel + bias, 0)
    (found,) = step.of("activation").values()
    hidden.append(float(np.abs(found.whole() - expected).max()))
out["moved"], out["hidden"], out["facts"] = max(moved), max(hidden), run.recordings[0].facts
out["dead"] = [r["step"] for r in run.records if any(name.startswith("dead_units/") for name in r["scalars"])]
digests = [float(batch_digest([x[at : at + 32]])) for at in range(0, 200, 32)]
out["digests"] = [r["scalars"]["batch_digest"] for r in run.records] == digests * 8
out["modes"] = [(e["phase"], e["training"], e["modules"]) for e in run.events if e["type"] == "mode"]

poisoned = x.copy()
poisoned[100, 2] = np.nan
run, net = MemoryRun("poisoned"), model(optimizer="sgd")
net.fit(poisoned, y, batch_size=20, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
out["urgent"] = [record["urgent"] for record in run.records]
out["nan_step"] = next(r["step"] for r in run.records if any(row["nan"] for row in r["table"].values()))
print("JSON" + json.dumps(out))
