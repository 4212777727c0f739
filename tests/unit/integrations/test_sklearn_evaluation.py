"""What is seen of an estimator's evaluations, and of the data that its ``partial_fit`` calls are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_squared_error, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

from auditor_agent.integrations.sklearn import given as given_module
from auditor_agent.integrations.sklearn.given import MOST, Given
from auditor_agent.sklearn import audit
from support.mlp_cases import CLASSES, RNG, SMALL, X, Y, offline
from support.spooled import spooled, spooled_recordings

__all__ = ["offline"]  # a fixture that every test here uses by itself

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning")
X_NEW = RNG.standard_normal((90, 6))
NEW = RNG.integers(0, 3, 90)
Y_NEW = RNG.standard_normal(90)


def half_mse(mlp: Any) -> float:
    """scikit-learn's loss of the new data."""
    return float(((mlp.predict(X_NEW) - Y_NEW) ** 2).mean() / 2)


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda mlp: mlp.score(X_NEW, Y_NEW),
        lambda mlp: mean_squared_error(Y_NEW, mlp.predict(X_NEW)),
        lambda mlp: r2_score(y_pred=mlp.predict(X_NEW), y_true=Y_NEW),
    ],
    ids=["score", "mean_squared_error", "r2_score by name"],
)
def test_predictions_that_are_compared_with_targets_are_an_evaluation(auditor_home: Path, evaluate: Any) -> None:
    """By whichever function: the loss is that of training, at the last step."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        mlp.fit(X, Y)
        evaluate(mlp)
    (run,) = spooled(auditor_home)
    assert run.scalars["val_loss"] == {12: pytest.approx(half_mse(mlp))}
    assert [event for event in run.events if event["type"] == "evaluation"] == [
        {"type": "evaluation", "step": 12, "batches": 1, "samples": 90, "losses": 1}
    ]


@pytest.mark.parametrize("y", [CLASSES, (CLASSES > 0).astype(int), np.array(["no", "yes", "so"])[CLASSES]])
def test_a_classifier_is_told_with_its_accuracy_once(auditor_home: Path, y: Any) -> None:
    """Also of words; a second metric of the same predictions is no second evaluation."""
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        mlp.fit(X, y)
        found, wanted = mlp.predict(X_NEW), y[:90]
        score = accuracy_score(wanted, found)
        f1_score(wanted, found, average="macro")
    (run,) = spooled(auditor_home)
    chances = mlp.predict_proba(X_NEW)[np.arange(90), np.searchsorted(mlp.classes_, wanted)]
    assert run.scalars["val_loss"] == {12: pytest.approx(-np.log(chances).mean())}
    assert run.scalars["val_accuracy"] == {12: score}
    assert sum(event["type"] == "evaluation" for event in run.events) == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (np.zeros(90, int), {"named": 1, "missed": 0}),
        (np.arange(90) // 30, {"named": 1, "missed": 60}),
        (np.arange(90) // 30 + 1, {"named": 1, "missed": 90, "unknown": 30, "classes": 3}),
        (np.arange(90) // 30 + 9, {"named": 1, "missed": 90, "unknown": 90, "classes": 3}),
    ],
    ids=["as asked", "of others", "one of them unknown", "all unknown"],
)
def test_what_classes_the_answers_name_and_the_targets_hold(auditor_home: Path, wanted: Any, told: Any) -> None:
    """One class for all; targets that were never trained on cost nothing and are counted, not in the loss."""
    y = np.where(np.arange(len(X)) < 2, [1, 2] * (len(X) // 2), 0)
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        mlp.fit(X, y)
        mlp.intercepts_[-1][:] = [20.0, 0.0, 0.0]
        mlp.score(X_NEW, wanted)
    (run,) = spooled(auditor_home)
    (event,) = (event for event in run.events if event["type"] == "evaluation")
    assert {name: event[name] for name in told} == told
    assert event.keys() == told.keys() | {"type", "step", "batches", "samples", "losses"}
    known = wanted[wanted < 3]
    assert ("val_loss" in run.scalars) is bool(len(known))
    if len(known):
        chances = mlp.predict_proba(X_NEW)[np.flatnonzero(wanted < 3), known]
        assert list(run.scalars["val_loss"].values()) == [pytest.approx(-np.log(chances).mean())]


@pytest.mark.parametrize(
    "evaluate",
    [
        lambda mlp: mlp.score(X, Y),
        lambda mlp: mlp.score(X[20:80].copy(), Y[20:80]),
        lambda mlp: mean_squared_error(Y_NEW, np.round(mlp.predict(X_NEW), 1)),
        lambda mlp: mlp.predict(X_NEW),
    ],
    ids=["trained on", "part of what was trained on", "something made of it", "never compared"],
)
def test_what_is_not_held_out_or_not_compared_is_no_evaluation(
    auditor_home: Path, evaluate: Callable[[Any], Any]
) -> None:
    """The loss of training data would hide that a model learnt them by heart."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        mlp.fit(X, Y)
        evaluate(mlp)
    (run,) = spooled(auditor_home)
    assert "val_loss" not in run.scalars
    assert not any(event["type"] == "evaluation" for event in run.events)


def test_early_stopping_tells_the_loss_beside_its_score(auditor_home: Path) -> None:
    """Of the part that ``fit`` held out itself, at each epoch."""
    mlp = MLPRegressor(**SMALL, early_stopping=True)
    with audit(mlp):
        mlp.fit(X, Y)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["val_loss"]) == list(run.scalars["val_score"]) == [3, 6, 9]
    losses, scores = (np.array(list(run.scalars[name].values())) for name in ("val_loss", "val_score"))
    gains, falls = np.diff(scores), np.diff(losses)
    assert gains == pytest.approx(falls * gains[0] / falls[0])  # R² is linear in the squared error


def test_the_first_samples_of_an_evaluation_are_recorded(auditor_home: Path) -> None:
    """After a recorded step, once; as the training step's target is: one column per class."""
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        mlp.fit(X, CLASSES)
        for _ in range(2):
            mlp.score(X_NEW, NEW)
    (found,) = spooled_recordings(auditor_home, "eval")
    assert (found.step, found.facts["training"]) == (12, "false")
    assert found.of("batch")["input0"].whole() == pytest.approx(X_NEW)
    assert (found.of("target")["target0"].whole().argmax(axis=1) == NEW).all()
    assert found.of("output")["output0"].whole() == pytest.approx(mlp.predict_proba(X_NEW))


@pytest.mark.parametrize("cut", [lambda: (X[:20], Y[:20]), lambda: (X[np.arange(20)], Y[:20])], ids=["view", "copy"])
def test_one_chunk_for_ever_is_told(auditor_home: Path, cut: Callable[[], Any]) -> None:
    """Cut out anew for each of fifty calls; a view tells how much there is."""
    mlp = MLPRegressor(**SMALL | {"batch_size": "auto"})
    with audit(mlp):
        for _ in range(60):
            mlp.partial_fit(*cut())
    (run,) = spooled(auditor_home)
    (told,) = [event for event in run.events if event["type"] == "batch_repeated"]
    whole = {"of": len(X)} if cut()[0].base is X else {}
    assert told == {"type": "batch_repeated", "step": 49, "steps": 50, "samples": 20, **whole}


def test_a_small_set_given_again_and_again_is_epochs(auditor_home: Path) -> None:
    """All of it, one object: each call is a pass, and nothing is amiss."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        for _ in range(60):
            mlp.partial_fit(X, Y)
    (run,) = spooled(auditor_home)
    assert list(run.scalars["epoch_loss"].values()) == pytest.approx(mlp.loss_curve_)
    assert run.incidents == []


def test_calls_with_other_chunks_make_up_a_pass(auditor_home: Path) -> None:
    """Whose loss is the mean over its samples, chunks of unequal size among them."""
    mlp = MLPRegressor(**SMALL)
    with audit(mlp):
        for _ in range(3):
            for part in (slice(0, 40), slice(40, 80), slice(80, 130)):
                mlp.partial_fit(X[part], Y[part])
    (run,) = spooled(auditor_home)
    curve = np.array(mlp.loss_curve_).reshape(3, 3)
    assert list(run.scalars["epoch_loss"].values()) == pytest.approx(curve @ [40, 40, 50] / 130)
    assert [event["steps"] for event in run.events if event["type"] == "epoch"] == [4, 4, 4]


def test_what_was_trained_on_is_known_of_very_many_samples() -> None:
    """Of more than are kept; single precision leaves the low bits of a key 0."""
    given, rows = Given(), np.random.default_rng(1).standard_normal((4 * MOST, 3)).astype(np.float32)
    for part in np.split(rows[: 3 * MOST], 12):
        given.chunk(part)
    assert given.trained(rows[MOST : 2 * MOST]) is True
    assert given.trained(rows[3 * MOST :]) is False
    assert Given().trained(rows) is None


def test_data_that_is_given_again_as_it_was_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a fit for each epoch (``warm_start``); other data of the same shape is looked at."""
    looked: list[int] = []
    keys = given_module.row_keys
    monkeypatch.setattr(given_module, "row_keys", lambda rows: looked.append(len(rows)) or keys(rows))
    given = Given()
    for data in (X, X, X.copy(), X + 1):
        given.fit(data)
    assert looked == [len(X), len(X)]
    assert given.trained(X) is False


@pytest.mark.parametrize("y", [CLASSES, (CLASSES > 0).astype(int)], ids=["three classes", "two"])
def test_probabilities_that_a_log_loss_is_made_of_are_an_evaluation(auditor_home: Path, y: Any) -> None:
    """Without an accuracy: nobody asked which class it is."""
    mlp = MLPClassifier(**SMALL)
    with audit(mlp):
        mlp.fit(X, y)
        value = log_loss(y[:90], mlp.predict_proba(X_NEW))
        mlp.predict_proba(X_NEW).argmax(axis=1)
    (run,) = spooled(auditor_home)
    assert run.scalars["val_loss"] == {12: pytest.approx(value)}
    assert "val_accuracy" not in run.scalars
    assert sum(event["type"] == "evaluation" for event in run.events) == 1
