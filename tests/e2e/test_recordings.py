"""Unmodified scripts under ``auditor run``: what was recorded explains what they computed."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from auditor.ingest.records import StepRecording, recordings
from auditor.store import Store

TORCH = textwrap.dedent("""
    import torch
    torch.manual_seed(0)
    x = torch.randn(200, 5)
    y = x[:, 0] * 2 + 1
    net = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    adam = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(3):
        for at in range(0, 200, 20):
            prediction = net(x[at:at + 20])
            loss = ((prediction - y[at:at + 20]) ** 2).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
""")
KERAS = textwrap.dedent("""
    import numpy as np
    import keras
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).standard_normal((200, 5)).astype("float32")
    y = x[:, 0] * 2 + 1
    net = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)])
    net.compile(keras.optimizers.Adam(0.01), "mse")
    net.fit(x, y, batch_size=20, epochs=3, verbose=0)
""")


def audited(source: str, folder: Path, env: dict[str, str]) -> tuple[list[StepRecording], dict[str, object]]:
    """Run a script under the auditor; its recordings, and the manifest of its one process."""
    script, told = folder / "train.py", folder / "told.json"
    script.write_text(source)
    command = [sys.executable, "-m", "auditor", "run", "--json", str(told), "--", sys.executable, str(script)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    run = json.loads(told.read_text())["run"]
    store = Store.open(f"sqlite:///{Path(env['AUDITOR_HOME']) / 'auditor.db'}")
    try:
        (manifest,) = store.manifests(run)
        return recordings(store, run), dict(manifest.manifest)
    finally:
        store.close()


@pytest.mark.slow
def test_the_broadcast_of_the_seeds_story_is_in_the_recording(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """LOSS-02: (B, 1) minus (B,) at the first step of an unmodified script; its update explains itself."""
    steps, manifest = audited(TORCH, tmp_path, repo_env)
    assert [step.step for step in steps] == list(range(1, 21))
    first = steps[0]
    heard = [len(step.of("batch")) for step in steps]
    assert heard == [1] * 20
    assert first.of("batch")["input0"].shape == (20, 5)
    loss = first.facts["loss"]
    assert (loss["broadcast"], loss["output_shape"], loss["shape"]) == (True, [20, 1], [20, 20])
    for name, weight in first.of("weight").items():  # Adam's first step: the sign of the gradient
        g = first.of("gradient")[name].whole().astype(np.float64)
        predicted = weight.whole() - 0.01 * g / (np.abs(g) + 1e-8)
        np.testing.assert_allclose(first.of("updated")[name].whole(), predicted, atol=1e-6)
    observed = manifest["observed"]
    assert isinstance(observed, dict)
    assert observed["data"]["batch_size"] == 20
    assert observed["data"]["repeated_batches"] == 10  # of 20; ten batches an epoch, in the same order: no shuffle
    assert observed["weights"]["0.weight"]["fan_in"] == 5


@pytest.mark.slow
def test_keras_squeezes_what_torch_broadcasts(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """The other side of the same story: the same shapes go in, the loss is that of aligned rows."""
    steps, manifest = audited(KERAS, tmp_path, repo_env)
    assert [step.step for step in steps] == list(range(1, 21))
    first = steps[0]
    loss = first.facts["loss"]
    assert (loss["operation"], loss["output_shape"], loss["target_shape"]) == ("mean_squared_error", [20, 1], [20])
    output, target = first.of("output")["output0"].whole()[:, 0], first.of("target")["target0"].whole()
    assert np.mean((output - target) ** 2) == pytest.approx(first.scalars["loss"], rel=1e-5)
    assert isinstance(manifest["canonical"], dict)
    assert manifest["canonical"]["update"][0]["rule"] == "adam"
