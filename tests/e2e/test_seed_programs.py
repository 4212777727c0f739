"""Plain programs of four frameworks under ``auditor run``: what each yields without a changed line.

The seeds' stories (tests/programs/seeds) and variants of how people write such programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.ingest.records import StepRecording, recordings
from auditor.store import Store

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
ADAM = {"rule": "adam", "decay_coupling": "none"}

#: Program, framework, steps, batch size, what its canonical update rule says, shapes of output and target.
CASES: list[tuple[str, str, int, int, dict[str, Any], tuple[list[int], list[int]]]] = [
    ("seeds/torch_regression", "torch", 60, 50, ADAM | {"epsilon": 1e-8}, ([50, 1], [50])),
    ("seeds/keras_regression", "keras", 60, 50, ADAM | {"epsilon": 1e-7}, ([50, 1], [50])),
    ("seeds/sklearn_alpha", "sklearn", 40, 200, ADAM | {"epsilon": 1e-8}, ([200, 1], [200, 1])),
    ("seeds/keras_l2_port", "keras", 40, 200, ADAM | {"epsilon": 1e-8}, ([200, 1], [200])),
    ("seeds/sklearn_unbounded", "sklearn", 150, 40, {"rule": "sgd", "momentum": 0.0}, ([40, 1], [40, 1])),
    ("seeds/keras_unbounded", "keras", 150, 40, {"rule": "sgd", "momentum": 0.0}, ([40, 1], [40])),
    ("seeds/keras_fit", "keras", 44, 50, ADAM | {"epsilon": 1e-7}, ([50, 1], [50, 1])),
    ("seeds/tape_loop", "tensorflow", 40, 50, ADAM | {"epsilon": 1e-7}, ([50, 1], [50, 1])),
    ("seeds/keras_off_centre", "keras", 40, 60, ADAM | {"epsilon": 1e-7}, ([60, 3], [60])),
    ("seeds/torch_off_centre", "torch", 40, 60, ADAM | {"epsilon": 1e-8}, ([60, 3], [60])),
    ("variants/keras_functional", "keras", 24, 32, {"rule": "rmsprop", "epsilon": 1e-7}, ([32, 3], [32])),
    ("variants/sklearn_partial", "sklearn", 28, 50, {"rule": "sgd", "momentum": 0.9}, ([50, 3], [50, 3])),
    ("variants/tf_eager_broadcast", "tensorflow", 33, 32, {"rule": "sgd", "nesterov": True}, ([32, 1], [32])),
    ("variants/tf_function_logits", "tensorflow", 24, 50, {"rule": "rmsprop", "decay": 0.95}, ([50, 2], [50])),
    (
        "variants/torch_batchnorm",
        "torch",
        20,
        32,
        {"rule": "adam", "weight_decay": 0.05, "decay_coupling": "decoupled"},
        ([32, 2], [32]),
    ),
    ("variants/torch_by_hand", "torch", 33, 20, {"rule": "sgd", "nesterov": True}, ([20], [20])),
]


class Yield:
    """What a program left in the store."""

    def __init__(self, program: str, folder: Path, env: dict[str, str]) -> None:
        told = folder / "told.json"
        command = [sys.executable, "-m", "auditor", "run", "--json", str(told), "--", sys.executable]
        env = env | {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [*command, str(PROGRAMS / f"{program}.py"), "0"],
            env=env,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.summary: dict[str, Any] = json.loads(told.read_text())
        run = self.summary["run"]
        store = Store.open(f"sqlite:///{Path(env['AUDITOR_HOME']) / 'auditor.db'}")
        try:
            self.manifest: Mapping[str, Any] = store.manifests(run)[-1].manifest
            self.recordings: list[StepRecording] = recordings(store, run)
            losses = store.scalars(run, names=["loss"])["loss"]
            self.losses = dict(zip(losses.steps.tolist(), losses.values.tolist(), strict=True))
            tensors = {tensor for table in store.tables(run).values() for tensor in table}
            names = {tensor.name for tensor in tensors if tensor.kind == "gradient"}
            self.gradients = {name: store.series(run, "gradient", name, "l2").steps.tolist() for name in names}
        finally:
            store.close()


@pytest.mark.slow
@pytest.mark.parametrize(("program", "framework", "steps", "size", "rule", "shapes"), CASES, ids=[c[0] for c in CASES])
def test_a_plain_program_yields_what_a_comparison_needs(
    tmp_path: Path,
    repo_env: dict[str, str],
    program: str,
    framework: str,
    steps: int,
    size: int,
    rule: dict[str, Any],
    shapes: tuple[list[int], list[int]],
) -> None:
    """Every loss, every gradient; initialiser, optimizer, loss with its shapes, batch size and order."""
    found = Yield(program, tmp_path, repo_env)
    every = list(range(1, steps + 1))
    assert (found.summary["framework"], found.summary["steps"]) == (framework, steps)
    assert sorted(found.losses) == every
    trained = found.recordings[0].of("gradient")
    assert set(found.gradients) == set(trained)
    assert all(sorted(seen) == every for seen in found.gradients.values())
    assert [recording.step for recording in found.recordings][:20] == every[:20]
    observed = found.manifest["observed"]
    assert set(observed["weights"]) == set(trained)
    assert all(weight["distribution"] != "unknown" for weight in observed["weights"].values())
    (declared,) = found.manifest["canonical"]["update"]
    for key, value in rule.items():
        assert declared[key] == pytest.approx(value), key
    if "epsilon" in declared:
        assert declared["epsilon_placement"]
    assert observed["data"]["batch_size"] == size
    assert observed["data"]["order_digest"]
    loss = found.recordings[1].facts["loss"]
    assert loss["output_shape"] == shapes[0]
    assert loss.get("target_shape", shapes[1]) == shapes[1]  # torch's `p - y` keeps no target: the difference's shape
    assert "target_shape" in loss or "shape" in loss


@pytest.mark.slow
def test_running_statistics_are_told_in_one_unit(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """FWD-02: torch's momentum of 0.2 is a decay of 0.8."""
    (norm,) = Yield("variants/torch_batchnorm", tmp_path, repo_env).manifest["canonical"]["normalization"].values()
    assert (norm["decay"], norm["epsilon"]) == (pytest.approx(0.8), pytest.approx(1e-4))


@pytest.mark.slow
def test_the_loop_shows_its_four_faults(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """No shuffle, no tail, no training flag, no penalty: each is in what was recorded."""
    found = Yield("seeds/tape_loop", tmp_path, repo_env)
    data, first = found.manifest["observed"]["data"], found.recordings[0]
    assert data["repeated_batches"] == 10  # of 20 steps, ten an epoch
    assert data["partial_batches"] == []
    assert (first.facts["training"], first.facts["kinds"]) == ("false", ["BatchNormalization", "Dropout"])
    assert first.scalars["loss/penalty"] == 0.0
    assert found.manifest["canonical"]["penalties"]["dense.kernel"]["l2"] == pytest.approx(0.01)
    assert found.manifest["canonical"]["normalization"]["batch_normalization"]["decay"] == pytest.approx(0.99)


@pytest.mark.slow
def test_the_port_diverges_where_the_original_does_not(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """LOSS-01 at the stability limit: twice the step, NaN in one of the two, told at its step."""
    losses = {
        name: Yield(f"seeds/{name}_unbounded", tmp_path, repo_env).losses.values() for name in ("sklearn", "keras")
    }
    assert np.isfinite(list(losses["sklearn"])).all()
    assert not np.isfinite(list(losses["keras"])).all()


@pytest.mark.slow
def test_xla_leaves_losses_gradients_and_declarations(tmp_path: Path, repo_env: dict[str, str]) -> None:
    """A step compiled by XLA: no elements, everything else."""
    found = Yield("variants/tf_jit_classifier", tmp_path, repo_env)
    assert sorted(found.losses) == list(range(1, 33))
    assert len(found.gradients) == 6
    assert all(len(seen) == 32 for seen in found.gradients.values())
    assert found.manifest["loss"]["from_logits"] is True
    assert found.manifest["canonical"]["normalization"]["batch_normalization"]["decay"] == pytest.approx(0.9)
