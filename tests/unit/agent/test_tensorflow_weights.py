"""Tapes whose losses are multiplied with a mask, pick a class or are of a function of what the model gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor.ingest.records import StepRecording  # noqa: E402 -- after the framework it is for
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import ALL, SIZE, X, Y, epochs, listening, loop, model  # noqa: E402

Criterion = Callable[[Any, Any, Any], Any]
CLASSES = (np.arange(len(X)) % 3).astype(np.int32)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


def ended(run: MemoryRun, criterion: Criterion, wrap: Any, target: Any, net: Any = None) -> list[StepRecording]:
    """What an epoch of a loop recorded."""
    epochs(loop(net or model(), keras.optimizers.SGD(0.01), criterion, wrap), target, 1)
    run.finish()
    return assembled(run.recordings)


def mask(y: Any) -> Any:
    """Rows that count."""
    return tf.cast(y > 0, tf.float32)


EACH = keras.losses.MeanSquaredError(reduction="none")
MASKED: dict[str, Criterion] = {
    "squares by hand": lambda _, y, p: tf.reduce_mean(tf.square(p - y) * mask(y)),
    "by the number that count": lambda _, y, p: tf.reduce_sum(mask(y) * (p - y) ** 2) / tf.reduce_sum(mask(y)),
    "rows of keras": lambda _, y, p: tf.reduce_mean(EACH(y, p) * mask(y)[:, 0]),
    "given to keras": lambda _, y, p: keras.losses.MeanSquaredError()(y, p, sample_weight=mask(y)),
    "chosen": lambda _, y, p: tf.reduce_mean(tf.where(y > 0, tf.square(p - y), 0.0)),
}


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("case", MASKED)
def test_what_losses_of_rows_are_multiplied_with_is_recorded_and_is_no_target(
    run: MemoryRun, case: str, wrap: Any
) -> None:
    """In every spelling; output and target are those of the loss beneath."""
    for step in ended(run, MASKED[case], wrap, Y[:, None]):
        target, output = step.of("target")["target0"].whole(), step.of("output")["output0"].whole()
        weight = step.of("factor")["weight0"].whole()
        np.testing.assert_array_equal(weight.ravel() != 0, target.ravel() > 0)
        expected = ((output - target) ** 2 * (target > 0)).sum()
        by = (target > 0).sum() if case == "by the number that count" else len(target)
        assert step.scalars["loss"] == pytest.approx(expected / by, rel=1e-4)


@pytest.mark.parametrize("wrap", ALL)
def test_a_loss_without_weights_has_none(run: MemoryRun, wrap: Any) -> None:
    """A factor of the whole loss, or of a penalty, is none of its rows."""

    def criterion(net: Any, y: Any, p: Any) -> Any:
        return 0.5 * tf.reduce_mean(tf.square(p - y)) + 1e-3 * tf.nn.l2_loss(net.weights[0])

    for step in ended(run, criterion, wrap, Y[:, None]):
        assert not step.of("factor")


@pytest.mark.parametrize("given", [[1.0] * SIZE, np.ones(SIZE, np.float32), None])
def test_weights_in_any_form_break_no_recording(run: MemoryRun, given: Any) -> None:
    """A list of numbers is not looked at; an array is recorded as a tensor is."""
    mse = keras.losses.MeanSquaredError()
    steps = ended(run, lambda _, y, p: mse(y, p, given), lambda f: f, Y[:, None])
    assert steps
    for step in steps:
        assert ("weight0" in step.of("factor")) == isinstance(given, np.ndarray)
        assert set(step.of("target")) == {"target0"}


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("squared", [True, False])
def test_what_a_difference_is_divided_by_is_no_target(run: MemoryRun, squared: bool, wrap: Any) -> None:
    """The spread of each output, or a variance that the data come with."""
    spread = tf.constant([[2.0]] * SIZE)

    def criterion(_: Any, y: Any, p: Any) -> Any:
        return tf.reduce_mean(tf.square(p - y) / spread if squared else tf.square((p - y) / spread))

    for at, step in enumerate(ended(run, criterion, wrap, Y[:, None])):
        np.testing.assert_array_equal(step.of("target")["target0"].whole().ravel(), Y[at * SIZE : (at + 1) * SIZE])
        assert step.of("output")["output0"].whole().shape == (SIZE, 1)


def gathered(_: Any, y: Any, p: Any) -> Any:
    """A likelihood that picks each row's class."""
    return -tf.reduce_mean(tf.gather(tf.nn.log_softmax(p), y, axis=1, batch_dims=1))


def by_place(_: Any, y: Any, p: Any) -> Any:
    """The same by rows and classes."""
    places = tf.stack([tf.range(tf.shape(y)[0]), y], axis=1)
    return -tf.reduce_mean(tf.gather_nd(tf.nn.log_softmax(p), places))


def joined(_: Any, y: Any, p: Any) -> Any:
    """The same, put side by side."""
    places = tf.concat([tf.range(tf.shape(y)[0])[:, None], y[:, None]], axis=1)
    return -tf.reduce_mean(tf.gather_nd(tf.nn.log_softmax(p), places))


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("criterion", [gathered, by_place, joined])
def test_the_classes_that_a_likelihood_picks_are_its_target(run: MemoryRun, criterion: Criterion, wrap: Any) -> None:
    """Not the rows of an embedding's table, which are gathered by the same operation; and nothing is broadcast."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Lambda(lambda x: tf.cast(x > 0, tf.int32)),
                            keras.layers.Embedding(2, 4), keras.layers.Flatten(), keras.layers.Dense(3)])  # fmt: skip
    for at, step in enumerate(ended(run, criterion, wrap, CLASSES, net)):
        target = step.of("target")["target0"].whole().ravel()
        np.testing.assert_array_equal(target, CLASSES[at * SIZE : (at + 1) * SIZE])
        logits = step.of("output")["model0"].whole().astype(np.float64)
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        assert step.scalars["loss"] == pytest.approx(-logs[np.arange(len(target)), target].mean(), rel=1e-4)
        assert step.facts["loss"]["broadcast"] is False


def _of_class(of: Any, y: Any) -> Any:
    """Of each row the number of its class."""
    return tf.gather(of, y, axis=1, batch_dims=1)


def _ones(of: Any, y: Any) -> Any:
    """The same by a product."""
    return tf.reduce_sum(tf.one_hot(y, 3) * of, axis=-1)


#: Cross entropies of each row, written out.
WRITTEN: dict[str, Callable[[Any, Any], Any]] = {
    "the logarithm of the sum": lambda y, p: tf.reduce_logsumexp(p, axis=-1) - _of_class(p, y),
    "the same, by ones and zeros": lambda y, p: tf.reduce_logsumexp(p, axis=-1) - _ones(p, y),
    "of logarithms": lambda y, p: -_of_class(tf.nn.log_softmax(p), y),
    "of their product": lambda y, p: -_ones(tf.nn.log_softmax(p), y),
    "of a difference": lambda y, p: -_of_class(p - tf.reduce_logsumexp(p, axis=-1, keepdims=True), y),
    "a logarithm of what is picked": lambda y, p: -tf.math.log(_of_class(tf.nn.softmax(p), y)),
    "with an epsilon": lambda y, p: -tf.math.log(_ones(tf.nn.softmax(p), y) + 1e-8),
}


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("case", WRITTEN)
@pytest.mark.parametrize("masked", [True, False])
def test_the_mask_of_a_written_out_likelihood_is_no_target(
    run: MemoryRun, case: str, wrap: Any, *, masked: bool
) -> None:
    """The classes are, as numbers or as ones and zeros; what the losses of the rows are multiplied with is a weight."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])

    def criterion(_: Any, y: Any, p: Any) -> Any:
        counts = tf.cast(y > 0, tf.float32) + 0.5
        each = WRITTEN[case](y, p)
        return tf.reduce_sum(each * counts) / tf.reduce_sum(counts) if masked else tf.reduce_mean(each)

    for at, step in enumerate(ended(run, criterion, wrap, CLASSES, net)):
        y = CLASSES[at * SIZE : (at + 1) * SIZE]
        target = step.of("target")["target0"].whole()
        np.testing.assert_array_equal(target.argmax(1) if target.size > SIZE else target.ravel(), y)
        assert ("weight0" in step.of("factor")) == masked
        if masked:
            np.testing.assert_array_equal(step.of("factor")["weight0"].whole().ravel() > 1, y > 0)


@pytest.mark.parametrize("wrap", ALL)
def test_probabilities_that_are_smoothed_are_not_picked(run: MemoryRun, wrap: Any) -> None:
    """A product with one number chooses nothing: the target is what the logarithm is multiplied with."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])

    def criterion(_: Any, y: Any, p: Any) -> Any:
        return -tf.reduce_mean(tf.one_hot(y, 3) * tf.math.log(0.9 * tf.nn.softmax(p) + 0.1 / 3))

    for at, step in enumerate(ended(run, criterion, wrap, CLASSES, net)):
        target = step.of("target")["target0"].whole()
        np.testing.assert_array_equal(target.argmax(1), CLASSES[at * SIZE : (at + 1) * SIZE])
        assert not step.of("factor")


@pytest.mark.parametrize("wrap", ALL)
def test_what_is_picked_to_be_held_against_something_else_is_no_class(run: MemoryRun, wrap: Any) -> None:
    """The value of an action against that of another network: this is the target, and the action is no label."""
    other = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])

    def criterion(net: Any, y: Any, p: Any) -> Any:
        del net
        best = tf.stop_gradient(tf.reduce_max(other(tf.ones((SIZE, 6))), axis=1))
        return tf.reduce_mean(tf.square(best - tf.gather(p, y, axis=1, batch_dims=1)))

    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    for step in ended(run, criterion, wrap, CLASSES, net):
        assert not any(np.array_equal(one.whole().ravel(), CLASSES[:SIZE]) for one in step.of("target").values())
        assert step.of("target")["target0"].shape == (SIZE,)
        assert step.facts["loss"]["taught"] is True


@pytest.mark.parametrize("wrap", ALL)
def test_the_models_output_is_recorded_where_a_loss_by_hand_takes_a_function_of_it(run: MemoryRun, wrap: Any) -> None:
    """A focal loss: what meets its target first is a power of it."""

    def criterion(_: Any, y: Any, p: Any) -> Any:
        p = tf.sigmoid(p)
        return -tf.reduce_mean(y * (1 - p) ** 2 * tf.math.log(p) + (1 - y) * p**2 * tf.math.log(1 - p))

    for step in ended(run, criterion, wrap, (Y[:, None] > 0).astype("float32")):
        p, y = (1 / (1 + np.exp(-step.of("output")["model0"].whole()))), step.of("target")["target0"].whole()
        expected = -(y * (1 - p) ** 2 * np.log(p) + (1 - y) * p**2 * np.log(1 - p)).mean()
        assert step.scalars["loss"] == pytest.approx(expected, rel=1e-4)
