"""The Keras callback on the PyTorch backend, in a process of its own: Keras has one backend per process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras")
pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).parent / "programs" / "keras_on_torch.py"


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the program printed."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    env |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents"), str(ROOT / "tests")]), "AUDITOR_RAISE": "1"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], env=env, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("JSON"))
    return dict(json.loads(line[4:]))


def test_every_step_has_the_statistics_of_the_gradients_that_reached_the_optimizer(told: dict[str, Any]) -> None:
    """Two epochs with a ragged last batch: no step is missing; mean, std and norm as NumPy has them."""
    assert told["steps"] == list(range(1, 15))
    assert len(told["seen"]) == 14
    for found, seen in zip(told["found"], told["seen"], strict=True):
        assert len(found) == 4
        for mine, theirs in zip(found, seen, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-8)


def test_g5_training_is_bit_identical_and_random_state_untouched(told: dict[str, Any]) -> None:
    """With dropout, decay and clipping: weights bitwise, the generator's next numbers too."""
    assert told["same"] is True


def test_the_loss_is_told_apart_and_weights_are_sampled(told: dict[str, Any]) -> None:
    """Learning rate, the loss with its penalty, the norm after clipping; weights early."""
    scalars = told["scalars"]
    assert scalars["lr"] == pytest.approx(0.01)
    assert scalars["loss/data"] + scalars["loss/penalty"] == pytest.approx(scalars["loss"])
    assert scalars["loss/penalty"] > 0
    assert 0 < scalars["grad_norm_clipped"] <= 4**0.5 * 0.5 + 1e-6
    assert {1, 2, 3, 5, 10} <= set(told["weights_at"])
    assert told["manifest"]["versions"]["backend"] == "torch"
    assert len(told["manifest"]["init"]["weights"]) == 4


def test_accumulated_batches_are_one_step(told: dict[str, Any]) -> None:
    """Twelve micro-batches in threes are four steps."""
    assert told["accumulated"] == [1, 2, 3, 4]


def test_v1_a_nan_is_recorded_at_its_step(told: dict[str, Any]) -> None:
    """Sample 100 is broken: the sixth batch of twenty."""
    assert told["nan_step"] == 6
    assert told["urgent"] == [False] * 5 + [True] * 5


def test_the_first_steps_are_recorded_element_by_element(told: dict[str, Any]) -> None:
    """Weight plus momentum is the weight after; the hidden layer is the batch times its weights."""
    assert told["recorded"][:20] == list(range(1, 21))
    assert told["moved"] < 1e-6
    assert told["hidden"] < 1e-5
    assert told["facts"]["output_activation"] == "linear"
    assert told["facts"]["loss"]["operation"] == "mean_squared_error"


def test_the_first_batch_of_evaluations_is_recorded(told: dict[str, Any]) -> None:
    """After steps 7 and 14 of seven an epoch, after step 20 and after probe step 50; its loss has the penalty in it."""
    assert told["evaluated"] == [7, 14, 21, 56]
    found = told["evaluation"]
    assert (found["given"], found["training"], found["layers"]) == (True, "false", ["hidden"])
    assert found["loss"] == pytest.approx(found["expected"], rel=1e-5)


def test_signals_are_told_as_on_tensorflow(told: dict[str, Any]) -> None:
    """Dead units at sampled steps, the digest of every batch, modes of training and validation."""
    assert {1, 2, 3, 4, 5, 50} <= set(told["dead"])
    assert told["digests"] is True
    assert told["modes"] == [["train", "true", []], ["eval", "false", []]]
