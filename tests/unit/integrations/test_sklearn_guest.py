"""What auditing a fit does not do: to the estimator, to other estimators, to scikit-learn."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import warnings
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
from auditor_agent.integrations.sklearn import audit as integration
from auditor_agent.run import Run, open_run
from auditor_agent.sklearn import audit
from support.mlp_cases import CLASSES, PER_EPOCH, SMALL, X, Y, fitted, offline
from support.spooled import spooled

__all__ = ["offline"]  # a fixture that every test here uses by itself

# Few epochs are enough to look at; scikit-learn warns that they are few.
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs failed:UserWarning")


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
    assert [event["type"] for event in run.incidents] == ["stopped"]


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
