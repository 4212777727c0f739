from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.neural_network import _multilayer_perceptron as perceptron
from sklearn.neural_network._stochastic_optimizers import BaseOptimizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import auditor_agent
from auditor_agent import guard
from auditor_agent.capture.host import HostStatistics
from auditor_agent.integrations import sklearn as integration
from auditor_agent.run import Run, live_run, open_run
from auditor_agent.sklearn import audit
from support.mlp_reference import replay
from support.spooled import Row, SpooledRun, spooled

# Few epochs are enough to look at; scikit-learn warns that they are few.
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs failed:UserWarning")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((130, 6))
Y = np.tanh(X @ RNG.standard_normal(6)) + 0.1 * RNG.standard_normal(130)
CLASSES = (Y > -0.3).astype(int) + (Y > 0.3)
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8, 5), "random_state": 3, "max_iter": 3, "batch_size": 40}
PER_EPOCH = 4  # 130 samples in batches of 40, the last of 10


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs go to the spool alone, and none outlives its test."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    guard.TALLY.reset()
    yield
    left = live_run()
    if left is not None:
        left.finish(timeout=0.0)


def fitted(home: Path, mlp: Any, x: Any = X, y: Any = Y, **more: Any) -> SpooledRun:
    """``mlp`` fitted in an audit; what the run holds."""
    with audit(mlp):
        mlp.fit(x, y, **more)
    (run,) = spooled(home)
    return run


def moments(array: Any) -> Row:
    """The statistics of an array by their definitions, in float64."""
    x = np.asarray(array, np.float64)
    low, high = float(x.min()), float(x.max())
    row = {"count": x.size, "nan": 0, "inf": 0, "zeros": int((x == 0).sum())}
    row |= {"mean": x.mean(), "std": x.std(), "min": low, "max": high, "absmax": max(-low, high)}
    return row | {"l2": float(np.sqrt((x * x).sum())), "sum": x.sum(), "sumsq": (x * x).sum()}


def assert_row(row: Row, array: Any, context: object) -> None:
    """``row`` describes ``array`` to 1e-6 of its largest magnitude."""
    expected = moments(array)
    for name, value in expected.items():
        scale = abs(value) + expected["absmax"] * (1 if name in {"mean", "std"} else np.sqrt(expected["count"]))
        assert abs(row[name] - value) <= 1e-6 * max(scale, 1e-30), (context, name, row[name], value)


def columns(y: Any) -> Any:
    """Targets as the loss sees them: one column per output."""
    if y.dtype.kind == "f" or y.max() == 1:
        return y.reshape(len(y), -1).astype(float)
    return np.eye(y.max() + 1)[y]


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
        assert got["data_loss"] == pytest.approx(step.data, rel=1e-9)
        assert got["regularization_loss"] == pytest.approx(step.penalty, rel=1e-7)
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
        assert run.scalars["regularization_loss"][number] == pytest.approx(step.penalty, rel=1e-4)
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
    """Each call is one pass; steps, epochs and optimizer state go on; one manifest, one run."""
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        for start in (0, 65):
            mlp.partial_fit(X[start : start + 65], CLASSES[start : start + 65], classes=[0, 1, 2])
        mlp.partial_fit(X, CLASSES)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["loss"]) == list(range(1, 2 + 2 + 4 + 1))
    assert sorted(run.scalars["epoch_loss"]) == [2, 4, 8]
    assert len(run.manifests) == 1
    assert run.manifests[0]["data"]["call"] == "partial_fit"
    assert run.events == []


def test_another_fit_of_the_same_estimator_is_an_event(auditor_home: Path) -> None:
    """Its steps go on in the series; the event says that the weights are new and what was changed."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        mlp.fit(X, Y)
        mlp.set_params(alpha=0.5, warm_start=True).fit(X, Y)
        mlp.set_params(warm_start=False).fit(X, Y)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["loss"]) == list(range(1, 9 * PER_EPOCH + 1))
    events = [(e["step"], e["number"], e["reinitialised"], e["changed"]) for e in run.events]
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
    assert [(event["type"], event["iterations"]) for event in run.events] == [("lbfgs_ended", mlp.n_iter_)]
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


def test_the_estimator_may_be_cloned_copied_and_pickled_meanwhile() -> None:
    """In the block and after it the estimator has what it always had, and nothing of ours."""
    mlp, plain = MLPRegressor(**SMALL), MLPRegressor(**SMALL).fit(X, Y)
    with audit(mlp):
        mlp.fit(X, Y)
        inside = [clone(mlp), copy.deepcopy(mlp), pickle.loads(pickle.dumps(mlp))]
    assert vars(mlp).keys() == vars(plain).keys()
    assert type(mlp) is MLPRegressor
    assert pickle.dumps(mlp) == pickle.dumps(plain)
    assert inside[0].get_params() == mlp.get_params()
    assert all((made.predict(X) == mlp.predict(X)).all() for made in inside[1:])


def covered() -> list[Any]:
    """The functions that an audit covers."""
    network = perceptron.BaseMultilayerPerceptron
    losses = list(perceptron.LOSS_FUNCTIONS.values())
    return [network._fit, network._backprop, BaseOptimizer.update_params, scipy.optimize.minimize, *losses]


def test_g10_nothing_stays_covered_after_the_block() -> None:
    """scikit-learn's functions are its own again, however the block ended; blocks may overlap."""
    before = covered()
    with audit(MLPRegressor()), audit(MLPClassifier()):
        assert not any(now is then for now, then in zip(covered(), before, strict=True))
    with pytest.raises(ValueError, match="inconsistent"), audit(MLPRegressor()) as mlp:
        mlp.fit(X, Y[:3])
    assert all(now is then for now, then in zip(covered(), before, strict=True))


def test_each_block_is_a_run_and_clones_are_not_audited(auditor_home: Path) -> None:
    """Two estimators after each other: two runs, each with its own steps; a clone leaves no trace."""
    for layers in (1, 2):
        mlp = MLPRegressor(**{**SMALL, "hidden_layer_sizes": (4,) * layers})
        with audit(mlp, name=f"deep {layers}", project="p"):
            clone(mlp).fit(X, Y)
            mlp.fit(X, Y)
    runs = spooled(auditor_home)
    assert len({run.run for run in runs}) == 2
    assert {len(run.manifests[0]["model"]["layers"]) for run in runs} == {2, 3}
    assert all(list(run.scalars["loss"]) == list(range(1, 13)) for run in runs)
    assert {(run.status, run.framework) for run in runs} == {("finished", "sklearn")}


def test_a_second_estimator_never_enters_the_series_of_the_first(auditor_home: Path) -> None:
    """Nested blocks, both fitted: the inner one is not recorded, and trains as ever."""
    first, second = MLPRegressor(**SMALL), MLPClassifier(**SMALL)
    with audit(first), audit(second):
        first.fit(X, Y)
        second.fit(X, CLASSES)
        assert any("another estimator" in cause for cause in guard.TALLY.counts())
    (run,) = spooled(auditor_home)
    assert len(run.scalars["loss"]) == 12
    assert run.manifests[0]["estimator"]["class"].endswith("MLPRegressor")
    assert second.n_iter_ == 3


def test_a_fit_in_another_thread_is_not_mixed_in(auditor_home: Path) -> None:
    """Other estimators may train at the same time."""
    mlp, other = MLPRegressor(**{**SMALL, "max_iter": 40}), MLPRegressor(**{**SMALL, "max_iter": 40, "alpha": 9.0})

    def quietly() -> None:
        with warnings.catch_warnings():
            other.fit(X, Y)

    thread = threading.Thread(target=quietly)
    with audit(mlp):
        thread.start()
        mlp.fit(X, Y)
        thread.join()
    (run,) = spooled(auditor_home)
    assert len(run.scalars["loss"]) == 40 * PER_EPOCH
    assert [run.scalars["epoch_loss"][step] for step in sorted(run.scalars["epoch_loss"])] == mlp.loss_curve_


def test_a_run_opened_by_hand_is_joined_and_left_open(auditor_home: Path) -> None:
    """The block records into it; its owner ends it."""
    run = open_run("sklearn", name="mine")
    with audit(MLPRegressor(**SMALL)) as mlp:
        mlp.fit(X, Y)
    assert not run.finished
    run.finish()
    (found,) = spooled(auditor_home)
    assert (found.run, len(found.scalars["loss"])) == (run.id, 12)


def test_a_pipeline_and_sparse_input(auditor_home: Path) -> None:
    """The last step of a Pipeline is audited; of a sparse batch there are no statistics, of the rest there are."""
    pipe = make_pipeline(StandardScaler(with_mean=False), MLPRegressor(**SMALL))
    run = fitted(auditor_home, pipe, scipy.sparse.csr_matrix(np.where(X > 0, X, 0)))
    assert ("batch", "X") not in run.rows
    assert len(run.rows["batch", "y"]) == 5
    assert run.manifests[0]["data"]["x"] == {"shape": [130, 6], "dtype": "float64", "sparse": True}


def test_what_is_no_mlp_passes_through(auditor_home: Path) -> None:
    """A word in the log, and the block as if it were not there."""
    with audit(StandardScaler()) as scaler:
        scaler.fit(X)
    assert any("not audited" in cause for cause in guard.TALLY.counts())
    assert spooled(auditor_home) == []


def test_off_means_off(auditor_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUDITOR_MODE=off: trained as ever, nothing written."""
    monkeypatch.setenv("AUDITOR_MODE", "off")
    with audit(MLPRegressor(**SMALL)) as mlp:
        mlp.fit(X, Y)
    assert mlp.n_iter_ == 3
    assert not auditor_home.exists()


@pytest.mark.parametrize("place", ["words", "record", "manifest", "layout", "tensor", "log"])
def test_g1_faults_inside_change_nothing(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of the agent fails, and with whatever: the fit ends as without it."""
    monkeypatch.delenv("AUDITOR_RAISE")
    expected = MLPRegressor(**SMALL, early_stopping=True).fit(X, Y)
    for error in (RuntimeError("x"), MemoryError(), OSError(28, "full")):

        def broken(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HostStatistics if place == "words" else Run, place, broken)
            with audit(MLPRegressor(**SMALL, early_stopping=True)) as mlp:
                mlp.fit(X, Y)
        assert all((a == b).all() for a, b in zip(mlp.coefs_, expected.coefs_, strict=True))


def test_a_run_that_should_stop_ends_the_training_and_keeps_the_weights(
    auditor_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ctrl-C does in scikit-learn: a warning, a usable estimator."""
    monkeypatch.setattr(Run, "should_stop", property(lambda run: run._step >= 7))
    mlp = MLPRegressor(**SMALL)
    with pytest.warns(UserWarning, match="interrupted"), audit(mlp):
        mlp.fit(X, Y)
    assert np.isfinite(mlp.predict(X)).all()
    (run,) = spooled(auditor_home)
    assert (run.status, max(run.scalars["loss"])) == ("stopped", 7)
    assert [event["type"] for event in run.events] == ["stopped"]


def test_the_manifest_says_what_scikit_learn_leaves_unsaid(auditor_home: Path) -> None:
    """Halved squared error, penalty by the batch, biases from the kernel's distribution, epsilon's place."""
    mlp = MLPRegressor(**SMALL, alpha=0.1, activation="logistic")
    said = fitted(auditor_home, mlp).manifests[0]
    assert said["framework"] == "sklearn"
    assert said["loss"] | {"class": "squared_error", "factor": 0.5, "reduction": "mean"} == said["loss"]
    assert said["loss"]["regularizers"]["coefs_[0]"]["coefficient"] == 0.1 / 80
    assert set(said["loss"]["regularizers"]) == {"coefs_[0]", "coefs_[1]", "coefs_[2]"}
    assert (said["loss"]["target_shape"], said["loss"]["output_shape"]) == ([40, 1], [40, 1])
    adam = said["optimizer"]["hyperparameters"]
    assert (adam["epsilon"], adam["epsilon_placement"]) == (1e-8, "before_bias_correction")
    assert [layer["activation"] for layer in said["model"]["layers"]] == ["logistic", "logistic", "identity"]
    assert said["model"]["parameters"] == 6 * 8 + 8 + 8 * 5 + 5 + 5 + 1
    law, seen = said["init"]["distributions"]["intercepts_[0]"], said["init"]["weights"]["intercepts_[0]"]
    assert law["high"] == pytest.approx((2 / 14) ** 0.5)
    assert law["low"] <= seen["min"] < 0 < seen["max"] <= law["high"]
    assert said["init"]["seeds"] == {"random_state": 3}
    data = said["data"]
    assert (data["batch_size"], data["last_partial_batch"], data["steps_per_epoch"], data["shuffle"]) == (
        40,
        10,
        4,
        True,
    )


def test_the_batch_size_is_resolved(auditor_home: Path) -> None:
    """'auto' is min(200, n)."""
    data = fitted(auditor_home, MLPRegressor(**{**SMALL, "batch_size": "auto"})).manifests[0]["data"]
    assert (data["batch_size"], data["batch_size_given"], data["samples"]) == (130, "auto", 130)


def test_sgd_and_its_schedule_are_declared(auditor_home: Path) -> None:
    """Momentum with nesterov by default, the rate within the velocity."""
    said = fitted(auditor_home, MLPClassifier(**SMALL, solver="sgd", learning_rate="adaptive"), y=CLASSES).manifests[0]
    sgd = said["optimizer"]
    assert (sgd["class"], sgd["hyperparameters"]["momentum"], sgd["hyperparameters"]["nesterov"]) == ("SGD", 0.9, True)
    assert (sgd["schedule"]["class"], sgd["schedule"]["factor"]) == ("adaptive", 0.2)
    assert (said["loss"]["class"], said["loss"]["output_activation"]) == ("categorical_crossentropy", "softmax")


def test_the_estimator_is_not_kept_alive() -> None:
    """After the block nothing of ours holds the estimator or a batch."""
    mlp = MLPRegressor(**SMALL)
    before = sys.getrefcount(mlp)
    block = audit(mlp)
    with block:
        mlp.fit(X, Y)
        watch = block.watch()
        assert watch is not None
        assert watch._now is None
    del block, watch
    gc.collect()
    assert sys.getrefcount(mlp) == before
    assert not integration._SCENE._blocks


def test_it_is_loaded_on_first_use() -> None:
    """``auditor_agent.sklearn`` is an attribute like any other."""
    assert auditor_agent.sklearn.audit is audit
