"""Evaluations of loops around a tape: the first batch after each recorded step is recorded as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor.ingest.records import StepRecording  # noqa: E402 -- after the framework it is for
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import ALL, PER_EPOCH, X, Y, epochs, listening, loop, model  # noqa: E402

TARGET = Y[:, None]
#: Data for evaluations, elsewhere.
OTHER = X[:40] + 3


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


def evaluations(run: MemoryRun) -> list[StepRecording]:
    """What was recorded of evaluations."""
    run.finish()
    return assembled(run.recordings, "eval")


def evaluator(net: Any, wrap: Any) -> Any:
    """One batch of an evaluation as people write it."""
    mse = keras.losses.MeanSquaredError()
    return wrap(lambda x, y: mse(y, net(x, training=False)))


@pytest.mark.parametrize("wrap", ALL)
def test_the_first_batch_is_what_the_model_was_given_and_gave(run: MemoryRun, wrap: Any) -> None:
    """Inputs, target, output, loss and layers, by the statistics of the moment; the second batch is not."""
    net, mse = model(), keras.losses.MeanSquaredError()
    step = loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), wrap)
    epochs(step, TARGET, 1)
    test = evaluator(net, wrap)
    expected, _ = (float(test(tf.constant(OTHER[at]), tf.constant(TARGET[at]))) for at in (slice(16), slice(16, 40)))
    output = net(OTHER[:16], training=False).numpy()
    epochs(step, TARGET, 1)
    (found,) = evaluations(run)
    assert (found.step, found.facts["phase"], found.facts["training"]) == (PER_EPOCH, "eval", "false")
    np.testing.assert_array_equal(found.of("batch")["input0"].whole(), OTHER[:16])
    np.testing.assert_array_equal(found.of("target")["target0"].whole(), TARGET[:16])
    np.testing.assert_allclose(found.of("output")["output0"].whole(), output, rtol=1e-5, atol=1e-6)
    assert found.scalars["loss"] == pytest.approx(expected, rel=1e-5)
    assert (found.facts["loss"]["output_shape"], found.facts["loss"]["target_shape"]) == ([16, 1], [16, 1])
    kinds = {layer["name"]: layer["kind"] for layer in found.facts["layers"]}
    assert "BatchNormalization" in kinds.values()
    name = next(name for name, kind in kinds.items() if kind == "BatchNormalization")
    normalised = net.layers[1](net.layers[0](OTHER[:16]), training=False).numpy()
    assert found.of("units")[name].whole()[0].shape == normalised.mean(axis=0).shape


@pytest.mark.parametrize("wrap", ALL)
def test_one_is_recorded_after_each_recorded_step(run: MemoryRun, wrap: Any) -> None:
    """Twenty-odd evaluations of two batches each: the first twenty steps are recorded, then the fiftieth."""
    net, mse = model(), keras.losses.MeanSquaredError()
    step = loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), wrap)
    test = evaluator(net, wrap)
    for _ in range(12):
        epochs(step, TARGET, 1)
        for _ in range(2):
            test(tf.constant(OTHER), tf.constant(TARGET[:40]))
    found = evaluations(run)
    assert [one.step for one in found] == [5, 10, 15, 20, 50]
    assert len({one.scalars["loss"] for one in found}) == 5


def test_a_loss_of_the_outputs_numpy_is_an_evaluation_too(run: MemoryRun) -> None:
    """Of what the model gave as NumPy's array, and not of some other array."""
    net, mse = model(), keras.losses.MeanSquaredError()
    epochs(loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), tf.function), TARGET, 1)
    given = net(OTHER, training=False).numpy()
    mse(TARGET[:40], given + 1)
    net(OTHER, training=False)
    loss = float(mse(TARGET[:40], given))
    (found,) = evaluations(run)
    assert found.scalars["loss"] == pytest.approx(loss, rel=1e-6)
    np.testing.assert_array_equal(found.of("output")["output0"].whole(), given)


@pytest.mark.parametrize("wrap", ALL)
def test_what_is_no_evaluation_is_not_recorded(run: MemoryRun, wrap: Any) -> None:
    """A prediction without a loss, and a loss of something else."""
    net, mse = model(), keras.losses.MeanSquaredError()
    step = loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), wrap)
    epochs(step, TARGET, 1)
    predict = wrap(lambda x: net(x, training=False))
    predict(tf.constant(OTHER))
    mse(TARGET[:40], TARGET[:40] + 1)
    assert evaluations(run) == []


def test_nothing_is_changed() -> None:
    """Training and what an evaluation gives are the same to the last bit, recorded or not."""
    mse = keras.losses.MeanSquaredError()

    def trained(steps: str, *, recorded: bool) -> list[float]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUDITOR_RECORD_STEPS", steps)
            with listening(patch) as run:
                net = model()
                step = loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), tf.function)
                test, found = evaluator(net, tf.function), []
                for _ in range(2):
                    epochs(step, TARGET, 1)
                    found += [float(test(tf.constant(OTHER), tf.constant(TARGET[:40])))]
                assert bool(evaluations(run)) == recorded
        return [*found, *(float(tf.reduce_sum(weight)) for weight in net.weights)]

    assert trained("0", recorded=False) == trained("20", recorded=True)


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("begun", [False, True])
def test_spectral_norm_that_had_not_begun_is_told(run: MemoryRun, wrap: Any, *, begun: bool) -> None:
    """Of an evaluation before the first step; not of one that a call in training came before."""
    wide, norm = keras.initializers.RandomNormal(stddev=2.0), keras.layers.SpectralNormalization
    net = keras.Sequential([keras.Input((6,)), norm(keras.layers.Dense(1, kernel_initializer=wide), name="scale")])
    mse = keras.losses.MeanSquaredError()
    if begun:
        net(X, training=True)
    evaluator(net, wrap)(tf.constant(OTHER), tf.constant(TARGET[:40]))
    epochs(loop(net, keras.optimizers.Adam(0.05), lambda _, y, p: mse(y, p), wrap), TARGET, 1)
    run.finish()
    told = [event for event in run.events if event["type"] == "unready"]
    assert [(event["step"], event["layers"]) for event in told] == ([] if begun else [(0, ["scale"])])
    assert all(event["samples"] in {40, 80} for event in told)  # TensorFlow may trace a function twice
