"""The flight recorder in scikit-learn: what it records explains what the estimator did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.neural_network import MLPClassifier, MLPRegressor

from auditor.ingest.records import StepRecording
from auditor_agent.sklearn import audit
from support.mlp_cases import CLASSES, PER_EPOCH, SMALL, X, Y, fitted, offline
from support.spooled import spooled, spooled_recordings

__all__ = ["offline"]  # a fixture that every test here uses by itself

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs failed:UserWarning")


def recorded(home: Path, mlp: Any, y: Any = Y) -> list[StepRecording]:
    """What was recorded of ``mlp`` fitted in an audit."""
    fitted(home, mlp, y=y)
    return spooled_recordings(home)


def test_adam_in_float64_gives_the_recorded_weights(auditor_home: Path) -> None:
    """Epsilon before the bias correction, the moments as well, to the last digits."""
    steps = recorded(auditor_home, MLPRegressor(**{**SMALL, "max_iter": 6}, epsilon=1e-4, alpha=0.2))
    assert [step.step for step in steps] == list(range(1, 21))
    moments: dict[str, tuple[Any, Any]] = {}
    for t, step in enumerate(steps, start=1):
        assert step.left_out == {}
        for name, weight in step.of("weight").items():
            g = step.of("gradient")[name].whole()
            m, v = moments.get(name, (0.0, 0.0))
            m, v = moments[name] = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            rate = step.scalars["lr"] * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            updated = step.of("updated")[name].whole()
            np.testing.assert_allclose(weight.whole() - rate * m / (np.sqrt(v) + 1e-4), updated, rtol=1e-12, atol=1e-15)
            if t <= 3:  # the state is whole in the first steps
                np.testing.assert_allclose(step.of("state.ms")[name].whole(), m, rtol=1e-12, atol=1e-18)
                np.testing.assert_allclose(step.of("state.vs")[name].whole(), v, rtol=1e-12, atol=1e-18)


def test_the_recorded_gradient_is_that_of_half_the_squares_and_of_alpha_over_the_batch(auditor_home: Path) -> None:
    """LOSS-01 and OPT-08, from output, target, activation and weight alone; the short batch of 10 as well."""
    steps = recorded(auditor_home, MLPRegressor(**SMALL, alpha=0.7))
    assert [step.of("batch")["input0"].shape[0] for step in steps[:PER_EPOCH]] == [40, 40, 40, 10]
    for step in steps:
        output, target = step.of("output")["output0"].whole(), step.of("target")["target0"].whole()
        samples, weight = len(output), step.of("weight")["coefs_[1]"].whole()
        squares = sum(float(np.sum(step.of("weight")[f"coefs_[{at}]"].whole() ** 2)) for at in range(3))
        assert step.scalars["loss/data"] == pytest.approx(0.5 * np.mean((output - target) ** 2), rel=1e-12)
        assert step.scalars["loss/penalty"] == pytest.approx(0.7 / 2 / samples * squares, rel=1e-9)
        parts = step.scalars["loss/data"] + step.scalars["loss/penalty"]
        assert step.scalars["loss"] == pytest.approx(parts, rel=1e-12)
        delta = (output - target) / samples
        hidden, below = step.of("activation")["hidden[1]"].whole(), step.of("activation")["hidden[0]"].whole()
        gradient = below.T @ (delta @ step.of("weight")["coefs_[2]"].whole().T * (hidden > 0)) + 0.7 / samples * weight
        np.testing.assert_allclose(step.of("gradient")["coefs_[1]"].whole(), gradient, rtol=1e-9, atol=1e-14)
        assert step.facts["loss"]["output_shape"] == step.facts["loss"]["target_shape"] == [samples, 1]
        assert [layer["activation"] for layer in step.facts["layers"]] == ["relu", "relu", "linear"]


def test_sgd_shows_its_velocities(auditor_home: Path) -> None:
    """The rate is inside the buffer: weight + momentum * new velocity - rate * gradient, with nesterov."""
    mlp = MLPRegressor(**{**SMALL, "solver": "sgd"}, learning_rate_init=0.05, momentum=0.8)
    for step in recorded(auditor_home, mlp):
        for name, weight in step.of("weight").items():
            velocity, g = step.of("state.velocities")[name].whole(), step.of("gradient")[name].whole()
            updated = step.of("updated")[name].whole()
            np.testing.assert_allclose(weight.whole() + 0.8 * velocity - 0.05 * g, updated, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("make", "y", "words"),
    [
        (MLPClassifier, CLASSES, ("categorical_crossentropy", "softmax")),
        (MLPClassifier, (CLASSES > 0).astype(int), ("binary_crossentropy", "sigmoid")),
        (MLPRegressor, Y, ("squared_error", "linear")),
    ],
)
def test_the_facts_name_loss_and_output(auditor_home: Path, make: Any, y: Any, words: tuple[str, str]) -> None:
    """In the words of the other frameworks; the units are those of the whole batch."""
    first = recorded(auditor_home, make(**SMALL, activation="logistic"), y)[0]
    assert (first.facts["loss"]["operation"], first.facts["output_activation"]) == words
    units, output = first.of("units")["output"].whole(), first.of("output")["output0"].whole()
    assert units.shape == (4, output.shape[1])
    expected = [output.mean(0), output.std(0), output.min(0), output.max(0)]
    np.testing.assert_allclose(units, expected, rtol=1e-6, atol=1e-12)


def test_lbfgs_records_points_without_an_update(auditor_home: Path) -> None:
    """Weights and gradients of the points accepted; what the line search did between is not an update rule."""
    steps = recorded(auditor_home, MLPRegressor(**{**SMALL, "solver": "lbfgs", "max_iter": 4}))
    assert [step.step for step in steps] == [1, 2, 3, 4, 5]
    assert all(step.of("updated") == {} for step in steps)
    compared = [(step.of("output")["output0"].whole(), step.of("target")["target0"].whole()) for step in steps]
    losses = [0.5 * np.mean((output - target) ** 2) for output, target in compared]
    assert [step.scalars["loss/data"] for step in steps] == pytest.approx(losses, rel=1e-12)


def test_the_manifest_says_what_was_seen(auditor_home: Path) -> None:
    """The distribution of every weight, biases too, the order of the batches, the rule in canonical units."""
    (run,) = [fitted(auditor_home, MLPRegressor(**{**SMALL, "hidden_layer_sizes": (300,)}, alpha=0.3))]
    observed, declared = run.manifests[-1]["observed"], run.manifests[-1]["canonical"]
    for name in ("coefs_[0]", "intercepts_[0]", "coefs_[1]"):
        assert "glorot_uniform" in observed["weights"][name]["formulas"], name
    assert observed["weights"]["intercepts_[0]"]["fan_in"] == 6
    assert observed["data"]["batch_size"] == 40
    assert declared["update"][0]["epsilon_placement"] == "added to the root before bias correction"
    assert declared["penalties"]["output.kernel"]["gradient_factor"] == pytest.approx(0.3 / 40)


def test_digests_tell_order_and_content_of_epochs(auditor_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shuffling every epoch repeats the first; with it none does; `samples` counts the tail."""
    monkeypatch.setenv("AUDITOR_RUN", "one")  # its attempts are in their order
    for shuffle in (False, True):
        with audit(MLPRegressor(**SMALL, shuffle=shuffle)) as mlp:
            mlp.fit(X, Y)
    same, mixed = ([e for e in run.events if e["type"] == "epoch"] for run in spooled(auditor_home))
    assert [(e["epoch"], e["steps"], e["samples"]) for e in same] == [(1, 4, 130), (2, 4, 130), (3, 4, 130)]
    assert len({e["order"] for e in same}) == len({e["content"] for e in same}) == 1
    assert len({e["order"] for e in mixed}) == 3


def test_dead_units_and_saturated_outputs_are_counted(auditor_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units that are zero for the whole batch, outputs of tanh at its ends; none of another kind of layer."""
    monkeypatch.setenv("AUDITOR_RUN", "one")  # its attempts are in their order
    mlp = MLPRegressor(**{**SMALL, "hidden_layer_sizes": (8,), "max_iter": 1}, activation="relu", warm_start=True)
    mlp.fit(X, Y)  # to have weights that can be set
    mlp.coefs_[0][:, :3], mlp.intercepts_[0][:3] = 0.0, -1.0
    run = fitted(auditor_home, mlp)
    assert run.scalars["dead_units/hidden[0]"][1] == pytest.approx(3 / 8)
    assert not any(name.startswith("saturated") for name in run.scalars)
    tanh = MLPRegressor(**SMALL, activation="tanh")
    with audit(tanh):
        tanh.fit(100 * X, Y)
    run = spooled(auditor_home)[-1]
    assert run.scalars["saturated/hidden[0]"][1] > 0.8
    assert not any(name.startswith("dead_units") for name in run.scalars)


def test_weights_have_digests_while_they_change(auditor_home: Path) -> None:
    """At step 1 and every 50th; by tensor where something changed."""
    run = fitted(auditor_home, MLPRegressor(**{**SMALL, "max_iter": 30}))
    told = [event for event in run.events if event["type"] == "weights"]
    assert [event["step"] for event in told] == [1, 50, 100]
    assert len({event["digest"] for event in told}) == 3
    assert set(told[1]["digests"]) == {f"{kind}_[{at}]" for kind in ("coefs", "intercepts") for at in range(3)}


@pytest.mark.parametrize(("columns", "written"), [(6, True), (4000, False)])
def test_a_small_sparse_batch_is_written_out(auditor_home: Path, columns: int, written: bool) -> None:
    """The samples as the network saw them; of as many columns as a vocabulary has none."""
    table = sparse.csr_matrix(np.pad(np.where(X[:, :6] > 0, X[:, :6], 0), ((0, 0), (0, columns - 6))))
    fitted(auditor_home, MLPRegressor(**{**SMALL, "shuffle": False}), table)
    [first, *_] = spooled_recordings(auditor_home)
    told = first.of("batch").get("input0")
    assert (told is not None) == written
    if told is not None:
        np.testing.assert_array_equal(told.whole(), table[: len(told.whole())].toarray())
