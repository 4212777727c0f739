"""Batches, epochs and evaluations of loops around a tape, and that no step is read without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras.watch import EARLY  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow import watch as tensorflow_watch  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.tensorflow_loops import ALL, JIT, PER_EPOCH, SIZE, WRAPS, X, Y, epochs, listening, loop, model  # noqa: E402


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


@pytest.mark.parametrize("wrap", ALL)
def test_digests_tell_the_order_and_the_samples_of_an_epoch(run: MemoryRun, wrap: Any) -> None:
    """DATA-01 and DATA-02: slices by hand in the same order every time; a data set that shuffles."""
    mse = keras.losses.MeanSquaredError()
    step = loop(model(), keras.optimizers.Adam(), lambda _, y, p: mse(y, p), wrap)
    epochs(step, Y[:, None], 2)
    for x, y in tf.data.Dataset.from_tensor_slices((X, Y[:, None])).shuffle(130).repeat(2).batch(40):
        step(x, y)
    for _ in range(2):
        for x, y in tf.data.Dataset.from_tensor_slices((X, Y[:, None])).shuffle(130).batch(40):
            step(x, y)
    run.finish()
    told = [event for event in run.events if event["type"] == "epoch"]
    assert [(event["steps"], event["samples"]) for event in told] == [(5, 130), (5, 130), (7, 260), (4, 130), (4, 130)]
    assert told[0]["order"] == told[1]["order"] != told[3]["order"] != told[4]["order"]
    assert len(set(run.scalar("batch_digest")[:10])) == 5


@pytest.mark.parametrize("wrap", [*WRAPS[1:], JIT])
@pytest.mark.parametrize("together", [1, 5])
def test_a_step_is_read_whole_whenever_it_is_read(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch, wrap: Any, together: int
) -> None:
    """A reader that never rests finds no row before the batch, the layers' signals and the weights of its step."""
    monkeypatch.setattr(tensorflow_watch, "READ_EVERY", 0.0)
    net, adam = model(), keras.optimizers.Adam(0.01)
    once = loop(net, adam, lambda _, y, p: tf.reduce_mean((p - y) ** 2), lambda f: f)

    def several(x: Any, y: Any) -> None:
        for at in range(together):
            once(x[at * SIZE : (at + 1) * SIZE], y[at * SIZE : (at + 1) * SIZE])

    step = wrap(several)
    for _ in range(200 // together):
        step(tf.constant(X), tf.constant(Y[:, None]))
    run.finish()
    assert run.steps == list(range(1, 201))
    assert [record["step"] for record in run.records if "batch_digest" not in record["scalars"]] == []
    layer = next(layer.path for layer in net.layers)
    told = [record["step"] for record in run.records if f"saturated/{layer}" in record["scalars"]]
    assert told == [1, 2, 3, 4, 5, *range(6, 21), 50, 100, 150, 200]
    weighed = [record["step"] for record in run.records if any(kind == "weight" for kind, _ in record["table"])]
    assert weighed == [*EARLY, 50, 100, 150, 200]


@pytest.mark.parametrize("wrap", ALL)
def test_evaluations_tell_loss_and_metrics_of_data_not_trained_on(run: MemoryRun, wrap: Any) -> None:
    """The mean over the batches of each evaluation; nothing of the loss in training."""
    net, mse, adam = model(), keras.losses.MeanSquaredError(), keras.optimizers.Adam(0.01)
    step = loop(net, adam, lambda _, y, p: mse(y, p), wrap)
    metric = keras.metrics.MeanAbsoluteError(name="test_mae")

    def evaluate(x: Any, y: Any) -> Any:
        prediction = net(x, training=False)
        metric.update_state(y, prediction)
        return mse(y, prediction)

    test, expected = wrap(evaluate), []
    for _ in range(3):
        epochs(step, Y[:, None], 1)
        losses = [float(test(tf.constant(X[at : at + 65]), tf.constant(Y[at : at + 65, None]))) for at in (0, 65)]
        expected.append((np.mean(losses), float(metric.result())))
        metric.reset_state()
    run.finish()
    told = [event for event in run.events if event["type"] == "evaluation"]
    assert [(e["step"], e["batches"], e["samples"], e["losses"]) for e in told] == [
        (PER_EPOCH * n, 2, 130, 2) for n in (1, 2, 3)
    ]
    logged = [(log["val_loss"], log["val_mae"]) for log in run.logs if "val_loss" in log]
    np.testing.assert_allclose(logged, expected, rtol=1e-5)


@pytest.mark.parametrize("wrap", WRAPS)
def test_epochs_of_arrays_shuffled_by_hand_are_inferred(run: MemoryRun, wrap: Any) -> None:
    """Each pass in an order of its own; samples drawn with replacement have no passes."""
    net, mse = model(), keras.losses.MeanSquaredError()
    step = loop(net, keras.optimizers.SGD(0.01), lambda _, y, p: mse(y, p), wrap)
    rng = np.random.default_rng(4)
    for _ in range(3):
        order = rng.permutation(len(X))
        for at in range(0, len(X), SIZE):
            rows = order[at : at + SIZE]
            step(tf.constant(X[rows]), tf.constant(Y[rows, None]))
    for _ in range(20):
        rows = rng.integers(0, len(X), SIZE)
        step(tf.constant(X[rows]), tf.constant(Y[rows, None]))
    run.finish()
    told = [event for event in run.events if event["type"] == "epoch"]
    assert [(event["steps"], event["samples"]) for event in told][:2] == [(PER_EPOCH, 130)] * 2
    assert len(told) <= 3
    assert told[0]["order"] != told[1]["order"]


@pytest.mark.parametrize("wrap", ALL)
def test_one_batch_for_ever_is_told_where_the_loop_cuts_it_out_anew(run: MemoryRun, wrap: Any) -> None:
    """And has no epochs: what a pass would be cannot be told."""
    mse = keras.losses.MeanSquaredError()
    step = loop(model(), keras.optimizers.Adam(), lambda _, y, p: mse(y, p), wrap)
    for _ in range(60):
        step(X[:SIZE], Y[:SIZE, None])
    run.finish()
    (told,) = [event for event in run.events if event["type"] == "batch_repeated"]
    assert (told["steps"], told["samples"], told["of"]) == (50, SIZE, len(X))
    assert not any(event["type"] == "epoch" for event in run.events)


@pytest.mark.parametrize("wrap", ALL)
def test_one_batch_on_purpose_is_not_told(run: MemoryRun, wrap: Any) -> None:
    """It was cut out once; and batches that take turns in pairs have epochs of all of them."""
    mse = keras.losses.MeanSquaredError()
    step = loop(model(), keras.optimizers.Adam(), lambda _, y, p: mse(y, p), wrap)
    x, y = X[:SIZE], Y[:SIZE, None]
    for _ in range(60):
        step(x, y)
    for _ in range(3):
        for start in (0, 0, SIZE, SIZE):
            step(X[start : start + SIZE], Y[start : start + SIZE, None])
    run.finish()
    assert not any(event["type"] == "batch_repeated" for event in run.events)


@pytest.mark.parametrize("wrap", WRAPS[1:])
def test_an_epoch_ends_with_its_last_step_whenever_that_is_read(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch, wrap: Any
) -> None:
    """Batches that a function takes from an iterator show only with their steps, which may be read much later."""
    net, adam = model(), keras.optimizers.Adam(0.01)
    once = loop(net, adam, lambda _, y, p: tf.reduce_mean((p - y) ** 2), lambda f: f)
    data = tf.data.Dataset.from_tensor_slices((X, Y[:, None])).batch(13)

    @wrap
    def step(iterator: Any) -> None:
        once(*next(iterator))

    monkeypatch.setattr(tensorflow_watch, "READ_EVERY", 30.0)
    for _ in range(4):
        iterator = iter(data)
        for _ in range(10):
            step(iterator)
    run.finish()
    ends = [event["step"] for event in run.events if event["type"] == "epoch"]
    assert ends[:3] == [10, 20, 30]
