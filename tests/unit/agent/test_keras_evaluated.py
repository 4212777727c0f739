"""Evaluations in Keras: the first batch of one that follows a recorded step is recorded as it was."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from auditor.ingest.records import StepRecording  # noqa: E402 -- after the framework it is for
from auditor_agent.keras import Audit  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.standard_normal((64, 6)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] ** 2).astype("float32")
#: Data for evaluations: 40 samples elsewhere, in batches of 16 the last of which is smaller.
OTHER_X, OTHER_Y = X[:40] + 3, Y[:40]
WAYS = [
    pytest.param({"jit_compile": False}, id="graph"),
    pytest.param({"jit_compile": True}, id="jit"),
    pytest.param({"run_eagerly": True}, id="eager"),
    pytest.param({"jit_compile": False, "steps_per_execution": 2}, id="together"),
    pytest.param({"jit_compile": True, "steps_per_execution": 2}, id="jit together"),
]


def model(**compiled: Any) -> Any:
    """A network whose layers work otherwise in evaluation."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    layers = [keras.layers.Dense(8, "tanh"), keras.layers.BatchNormalization(momentum=0.5), keras.layers.Dropout(0.5)]
    net = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1)])
    net.compile(keras.optimizers.Adam(0.01), "mse", **compiled)
    return net


def fitted(net: Any, callbacks: list[Any], epochs: int = 6, **more: Any) -> dict[str, list[float]]:
    """Four steps an epoch, each with an evaluation; the history."""
    told = net.fit(
        X, Y, batch_size=16, epochs=epochs, validation_data=(OTHER_X, OTHER_Y), validation_batch_size=16,
        shuffle=False, verbose=0, callbacks=callbacks, **more,
    )  # fmt: skip
    return dict(told.history)


def evaluations_of(run: MemoryRun) -> list[StepRecording]:
    """What was recorded of evaluations."""
    return assembled(run.recordings, "eval")


@pytest.mark.parametrize("compiled", WAYS)
def test_the_first_batch_of_an_evaluation_is_what_the_model_was_given_and_gave(compiled: dict[str, Any]) -> None:
    """Inputs, target, output, loss and layers; dropout does nothing, the normalisation uses its running statistics."""
    run, net = MemoryRun("told"), model(**compiled)
    fitted(net, [Audit(run=run)], epochs=1)
    (found,) = evaluations_of(run)
    assert (found.step, found.facts["phase"], found.facts["training"]) == (4, "eval", "false")
    np.testing.assert_array_equal(found.of("batch")["input0"].whole(), OTHER_X[:16])
    np.testing.assert_array_equal(found.of("target")["target0"].whole(), OTHER_Y[:16])
    output = found.of("output")["output0"].whole()
    np.testing.assert_allclose(output, net.predict(OTHER_X[:16], verbose=0), rtol=1e-5)
    assert found.scalars["loss"] == pytest.approx(np.mean((output - OTHER_Y[:16]) ** 2), rel=1e-5)
    assert found.facts["loss"]["output_shape"] == found.facts["loss"]["target_shape"] == [16, 1]
    normalised = found.of("activation")[net.layers[1].path].whole()
    np.testing.assert_allclose(output, net.layers[-1](normalised), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.of("units")[net.layers[1].path].whole()[0], normalised.mean(0), atol=1e-5)
    assert [layer["kind"] for layer in found.facts["layers"]] == ["Dense", "BatchNormalization"]


@pytest.mark.parametrize("compiled", WAYS)
def test_evaluations_are_recorded_once_after_each_recorded_step(
    compiled: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 15 epochs of four steps: after steps 4 and 8, the last that are recorded first, and after probe step 50."""
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", "8")
    run, net = MemoryRun("told"), model(**compiled)
    fitted(net, [Audit(run=run)], epochs=15)
    assert [found.step for found in evaluations_of(run)] == [4, 8, 52]
    assert [found.step for found in assembled(run.recordings)] == [*range(1, 9), 50]


@pytest.mark.parametrize("compiled", WAYS)
def test_g5_evaluations_are_bit_identical(compiled: dict[str, Any]) -> None:
    """Losses of training and of evaluation, weights after six epochs; under XLA to rounding."""
    results = []
    for callbacks in ([Audit(run=MemoryRun("told"))], []):
        net = model(**compiled)
        results.append((fitted(net, callbacks), net.get_weights()))
    (history, weights), (plain, untouched) = results
    if compiled.get("jit_compile"):
        np.testing.assert_allclose(history["val_loss"], plain["val_loss"], rtol=1e-4)
    else:
        assert history == plain
        assert all(np.array_equal(a, b) for a, b in zip(weights, untouched, strict=True))


def test_evaluate_by_itself_is_recorded_where_the_callback_is_given() -> None:
    """``evaluate`` after ``fit``; the test function that was made before is made anew."""
    run, net = MemoryRun("told"), model(jit_compile=False)
    net.evaluate(OTHER_X, OTHER_Y, verbose=0)
    audit = Audit(run=run)
    net.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[audit])
    net.evaluate(OTHER_X, OTHER_Y, batch_size=10, verbose=0, callbacks=[audit])
    net.evaluate(OTHER_X, OTHER_Y, batch_size=10, verbose=0, callbacks=[audit])
    (found,) = evaluations_of(run)
    assert found.step == 8
    np.testing.assert_array_equal(found.of("batch")["input0"].whole(), OTHER_X[:10])


def test_evaluate_by_itself_is_recorded_unasked_under_auditor_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the model that ``fit`` trained, and no other; what it returns and the program's own callbacks stay."""
    from auditor_agent.integrations.keras import audit, evaluations

    monkeypatch.setattr(keras.Model, "evaluate", keras.Model.evaluate)
    run, net, counted = MemoryRun("told"), model(jit_compile=False), keras.callbacks.LambdaCallback()
    plain = net.evaluate(OTHER_X, OTHER_Y, verbose=0)
    evaluations.observe(audit._following)
    evaluations.observe(audit._following)
    assert net.evaluate(OTHER_X, OTHER_Y, verbose=0) == plain
    net.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    model().evaluate(OTHER_X, OTHER_Y, verbose=0)
    for given in ({}, {"callbacks": [counted]}, {"callbacks": counted}):
        net.evaluate(OTHER_X, OTHER_Y, 10, 0, **given)
    (found,) = evaluations_of(run)
    assert found.step == 8
    np.testing.assert_array_equal(found.of("batch")["input0"].whole(), OTHER_X[:10])
    run.finished = True
    assert audit._following(net) is None


def test_g1_a_fault_while_an_evaluation_is_recorded_does_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the test step that is traced nor in one that runs op by op."""
    from auditor_agent.integrations.keras import evaluated

    def broken(*_: object) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setenv("AUDITOR_RAISE", "0")
    monkeypatch.setattr(evaluated, "data", broken)
    for compiled in ({"jit_compile": False}, {"run_eagerly": True}):
        run = MemoryRun("told")
        history = fitted(model(**compiled), [Audit(run=run)])
        assert len(history["val_loss"]) == 6
        assert run.steps == list(range(1, 25))
        assert evaluations_of(run) == []
