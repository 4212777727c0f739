from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network import _multilayer_perceptron as perceptron

from auditor_agent.run import Run
from auditor_agent.sklearn import audit
from support.mlp_cases import CLASSES, PER_EPOCH, SMALL, X, Y, assert_row, columns, fitted, offline
from support.mlp_reference import replay
from support.spooled import spooled

__all__ = ["offline"]  # a fixture that every test here uses by itself

# Few epochs are enough to look at; scikit-learn warns that they are few.
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs failed:UserWarning")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize(
    ("make", "y", "activation"),
    [
        (MLPRegressor, Y, "tanh"),
        (MLPRegressor, np.stack([Y, -2 * Y, Y**2], axis=1), "relu"),
        (MLPClassifier, CLASSES, "logistic"),
        (MLPClassifier, (CLASSES > 0).astype(int), "relu"),
    ],
    ids=["regressor", "three outputs", "three classes", "two classes"],
)
def test_every_step_is_what_autograd_says(auditor_home: Path, make: Any, y: Any, activation: str, solver: str) -> None:
    """Loss and its parts, every gradient, sampled weights, updates, activations: against a replay in torch."""
    settings = {**SMALL, "solver": solver, "alpha": 0.3, "activation": activation, "learning_rate_init": 0.02}
    mlp = make(**settings, **({"momentum": 0.0} if solver == "sgd" else {}))
    expected = list(replay(mlp, X, columns(y), epochs=3))
    run = fitted(auditor_home, mlp, y=y)
    assert list(run.scalars["loss"]) == list(range(1, 3 * PER_EPOCH + 1))
    for number, step in enumerate(expected, start=1):
        got = {name: values[number] for name, values in run.scalars.items() if number in values}
        assert got["loss/data"] == pytest.approx(step.data, rel=1e-9)
        assert got["loss/penalty"] == pytest.approx(step.penalty, rel=1e-7)
        assert got["loss"] == pytest.approx(step.data + step.penalty, rel=1e-9)
        assert (got["lr"], got["samples"]) == (0.02, step.samples)
        for name, grad in step.grads.items():
            assert_row(run.rows["gradient", name][number], grad, (number, name))
        if number > 5:
            assert run.kinds(number) == {"gradient"}
            continue
        for name, weight in step.weights.items():
            assert_row(run.rows["weight", name][number], weight, (number, name))
            assert_row(run.rows["update", name][number], step.updates[name], (number, name))
        for at, values in enumerate(step.hidden):
            assert_row(run.rows["activation", f"hidden[{at}]"][number], values, (number, at))
        assert_row(run.rows["output", "output"][number], step.output, number)
        assert run.rows["batch", "X"][number]["count"] == 6 * step.samples


MATRIX: list[tuple[Any, dict[str, Any]]] = [
    (MLPRegressor, {}),
    (MLPRegressor, {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.05}),
    (MLPRegressor, {"solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": False}),
    (MLPRegressor, {"solver": "lbfgs"}),
    (MLPRegressor, {"early_stopping": True, "alpha": 0.0}),
    (MLPRegressor, {"shuffle": False, "batch_size": "auto"}),
    (MLPClassifier, {"early_stopping": True}),
    (MLPClassifier, {"solver": "lbfgs", "activation": "logistic"}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("make", "more"), MATRIX)
def test_g5_training_is_bit_identical(make: Any, more: dict[str, Any], dtype: Any) -> None:
    """Weights, curves, scores, optimizer state and every random state, the global one included."""
    y = CLASSES if make is MLPClassifier else Y
    results = []
    for audited in (False, True):
        source = np.random.RandomState(7)
        mlp = make(**{**SMALL, "max_iter": 8, "random_state": source, **more})
        np.random.seed(11)  # noqa: NPY002 - the legacy state is what scikit-learn may draw from
        if audited:
            with audit(mlp) as given:
                assert given.fit(X.astype(dtype), y) is mlp
        else:
            mlp.fit(X.astype(dtype), y)
        results.append((vars(mlp), source.get_state(), np.random.get_state()))  # noqa: NPY002 - likewise
    plain, watched = (pickle.dumps(result) for result in results)
    assert plain == watched


def test_loss_parts_are_told_apart_in_float32(auditor_home: Path) -> None:
    """A penalty far below float32's resolution of the loss is exact all the same."""
    run = fitted(auditor_home, MLPRegressor(**SMALL, alpha=1e-6), X.astype("float32"), 100 * Y.astype("float32"))
    reference = replay(MLPRegressor(**SMALL, alpha=1e-6), X, 100 * Y[:, None], epochs=1)
    for number, step in enumerate(reference, start=1):
        assert run.scalars["loss/penalty"][number] == pytest.approx(step.penalty, rel=1e-4)
    assert run.manifests[0]["precision"]["parameters"] == ["float32"]


def test_epochs_are_logged_with_scores(auditor_home: Path) -> None:
    """epoch_loss is the sample-weighted mean of its steps; val_score the early stopping score."""
    mlp = MLPRegressor(**{**SMALL, "max_iter": 6}, early_stopping=True, validation_fraction=0.2)
    run = fitted(auditor_home, mlp)
    ends = sorted(run.scalars["epoch_loss"])
    assert ends == [3, 6, 9, 12, 15, 18]
    assert [run.scalars["epoch"][step] for step in ends] == [1, 2, 3, 4, 5, 6]
    assert [run.scalars["epoch_loss"][step] for step in ends] == mlp.loss_curve_
    assert [run.scalars["val_score"][step] for step in ends] == mlp.validation_scores_
    loss, samples = run.scalars["loss"], run.scalars["samples"]
    assert sum(loss[step] * samples[step] for step in (1, 2, 3)) / 104 == pytest.approx(mlp.loss_curve_[0])
    data = run.manifests[0]["data"]
    assert (data["samples"], data["validation_samples"], data["steps_per_epoch"]) == (104, 26, 3)


def test_schedules_show_in_the_rate(auditor_home: Path) -> None:
    """The invscaling schedule lowers the rate at the end of each epoch; Adam's bias correction is no schedule."""
    settings = {**SMALL, "solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1}
    run = fitted(auditor_home, MLPRegressor(**settings))
    rates = run.scalars["lr"]
    assert [rates[step] for step in (1, 4, 5, 9)] == pytest.approx([0.1, 0.1, 0.1 / 131**0.5, 0.1 / 261**0.5])


def test_partial_fit_goes_on_counting(auditor_home: Path) -> None:
    """Steps and optimizer state go on; chunks make up a pass that ends as their samples come again; one run."""
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        for start in (0, 65):
            mlp.partial_fit(X[start : start + 65], CLASSES[start : start + 65], classes=[0, 1, 2])
        mlp.partial_fit(X, CLASSES)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["loss"]) == list(range(1, 2 + 2 + 4 + 1))
    assert sorted(run.scalars["epoch_loss"]) == [4, 8]
    assert {said["data"]["call"] for said in run.manifests} == {"partial_fit"}
    assert run.manifests[0]["data"]["call"] == "partial_fit"
    assert run.incidents == []


def test_another_fit_of_the_same_estimator_is_an_event(auditor_home: Path) -> None:
    """Its steps go on in the series; the event says that the weights are new and what was changed."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        mlp.fit(X, Y)
        mlp.set_params(alpha=0.5, warm_start=True).fit(X, Y)
        mlp.set_params(warm_start=False).fit(X, Y)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["loss"]) == list(range(1, 9 * PER_EPOCH + 1))
    events = [(e["step"], e["number"], e["reinitialised"], e["changed"]) for e in run.incidents]
    assert events == [(12, 2, False, {"alpha": 0.5, "warm_start": True}), (24, 3, True, {"warm_start": False})]
    assert [run.scalars["epoch"][step] for step in (12, 16, 28)] == [3, 4, 1]


def test_lbfgs_records_its_accepted_points(auditor_home: Path) -> None:
    """The start and one step per iteration; the loss never rises; every evaluation is counted."""
    mlp = MLPRegressor(**{**SMALL, "max_iter": 25}, solver="lbfgs", alpha=0.1)
    calls = []
    original = perceptron.BaseMultilayerPerceptron._backprop
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            perceptron.BaseMultilayerPerceptron, "_backprop", lambda *args: calls.append(0) or original(*args)
        )
        clone(mlp).fit(X, Y)
    run = fitted(auditor_home, mlp)
    losses = list(run.scalars["loss"].values())
    assert len(losses) == mlp.n_iter_ + 1
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == mlp.loss_
    assert sum(run.scalars["evaluations"].values()) == len(calls)
    assert "lr" not in run.scalars
    assert run.rows["gradient", "coefs_[0]"][len(losses)]["l2"] < run.rows["gradient", "coefs_[0]"][1]["l2"] / 10
    assert [(event["type"], event["iterations"]) for event in run.incidents] == [("lbfgs_ended", mlp.n_iter_)]
    assert run.manifests[0]["optimizer"]["class"] == "LBFGS"


def exploding() -> tuple[MLPRegressor, Any]:
    """An estimator and targets whose gradients overflow after some steps, the loss long before."""
    settings = {**SMALL, "hidden_layer_sizes": (8,), "max_iter": 60, "activation": "identity"}
    return MLPRegressor(**settings, solver="sgd", learning_rate_init=0.01, momentum=0.0), 300 * Y


def test_v1_an_overflow_is_told_at_its_step_and_tensor(auditor_home: Path) -> None:
    """Huge targets: the gradient is non-finite at the step where a replay says so, and its causes are sampled."""
    mlp, y = exploding()
    seen: list[int] = []
    twin = clone(mlp)
    original = perceptron.BaseMultilayerPerceptron._backprop

    def spy(*args: Any) -> Any:
        result = original(*args)
        seen.append(sum(int((~np.isfinite(grad)).sum()) for grad in result[1] + result[2]))
        return result

    with np.errstate(all="ignore"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(perceptron.BaseMultilayerPerceptron, "_backprop", spy)
            with pytest.raises(ValueError, match="non-finite"):
                twin.fit(X, y)
        with pytest.raises(ValueError, match="non-finite"), audit(mlp):
            mlp.fit(X, y)
    (run,) = spooled(auditor_home)
    first = next(number for number, bad in enumerate(seen, start=1) if bad)
    assert first > 5
    assert next(step for step, kind, _ in run.nonfinite() if kind == "gradient") == first
    infinite = next(step for step, value in run.scalars["loss"].items() if not np.isfinite(value))
    assert 5 < infinite <= first
    assert run.kinds(infinite) == {"gradient", "weight", "update", "batch", "activation", "output"}
    assert (run.status, run.reason is not None and "non-finite" in run.reason) == ("failed", True)
    counts = {
        step: sum(rows[step]["nan"] + rows[step]["inf"] for (kind, _), rows in run.rows.items() if kind == "gradient")
        for step in run.scalars["loss"]
    }
    assert list(counts.values()) == seen


def test_something_non_finite_wakes_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """``urgent`` is set at the first such step, and at no other: the daemon knows then."""
    urgent: list[bool] = []
    record = Run.record
    monkeypatch.setattr(
        Run, "record", lambda *args, **kwargs: urgent.append(kwargs["urgent"]) or record(*args, **kwargs)
    )
    mlp, y = exploding()
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="non-finite"), audit(mlp):
        mlp.fit(X, y)
    assert [step for step, woken in enumerate(urgent, start=1) if woken] == [9]
