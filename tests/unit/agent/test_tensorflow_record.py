"""The flight recorder in loops around a tape: what it records explains what the loop did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor.ingest.records import StepRecording  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow import tape as tensorflow_tape  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import ALL, PER_EPOCH, SIZE, WRAPS, X, Y, epochs, listening, loop, model  # noqa: E402


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


def ended(run: MemoryRun) -> list[StepRecording]:
    """What was recorded, once the run has ended."""
    run.finish()
    return assembled(run.recordings)


@pytest.mark.parametrize("wrap", ALL)
def test_recomputing_adam_in_float64_gives_the_recorded_weights(run: MemoryRun, wrap: Any) -> None:
    """Weights, gradients, moments, weights after; batch, target and output of each step."""
    net, mse = model(), keras.losses.MeanSquaredError()
    adam = keras.optimizers.Adam(0.01, beta_2=0.99, epsilon=1e-5)
    epochs(loop(net, adam, lambda _, y, p: mse(y, p), wrap), Y[:, None])
    steps = ended(run)
    assert [step.step for step in steps] == list(range(1, 21))
    moments: dict[str, tuple[Any, Any]] = {}
    for t, step in enumerate(steps, 1):
        assert set(step.of("weight")) == set(step.of("gradient")) == set(step.of("updated"))
        for name, weight in step.of("weight").items():
            w, g = (a.whole().astype(np.float64) for a in (weight, step.of("gradient")[name]))
            m, v = moments.get(name, (0.0, 0.0))
            m, v = moments[name] = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            rate = step.scalars["lr"] * np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
            np.testing.assert_allclose(w - rate * m / (np.sqrt(v) + 1e-5), step.of("updated")[name].whole(), atol=1e-6)
            np.testing.assert_allclose(step.of("state.momentums")[name].whole(), m, rtol=1e-4, atol=1e-7)
        output, target = step.of("output")["output0"].whole(), step.of("target")["target0"].whole()
        assert np.mean((output - target) ** 2) == pytest.approx(step.scalars["loss"], rel=1e-5)
        at = (t - 1) % PER_EPOCH * SIZE
        np.testing.assert_array_equal(step.of("batch")["input0"].whole(), X[at : at + SIZE])
        assert step.facts["loss"]["output_shape"] == step.facts["loss"]["target_shape"] == [SIZE, 1]
        assert (step.facts["phase"], step.facts["training"]) == ("train", "true")


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("broadcast", [False, True])
def test_a_loss_by_hand_is_read_off_its_operations(run: MemoryRun, wrap: Any, broadcast: bool) -> None:
    """LOSS-02: output (B, 1) and target (B,) as they met, whatever the model is behind them."""

    def criterion(net: Any, y: Any, prediction: Any) -> Any:
        return tf.reduce_mean((prediction - y) ** 2) + 0.01 * tf.add_n([tf.nn.l2_loss(w) for w in net.weights[:1]])

    target = Y if broadcast else Y[:, None]
    epochs(loop(model(), keras.optimizers.SGD(0.01), criterion, wrap), target, 1)
    steps = ended(run)
    assert len(steps) == PER_EPOCH
    for step in steps:
        told = step.facts["loss"]
        assert (told["reduction"], told["broadcast"], told["output_shape"]) == ("mean", broadcast, [SIZE, 1])
        assert told["shape"] == [SIZE, SIZE if broadcast else 1]
        output, given = step.of("output")["output0"].whole(), step.of("target")["target0"].whole()
        assert given.shape == ((SIZE,) if broadcast else (SIZE, 1))
        kernel = next(a for name, a in step.of("weight").items() if name.endswith("dense/kernel")).whole()
        expected = np.mean((output - given) ** 2) + 0.01 * np.sum(kernel**2) / 2
        assert step.scalars["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("added", [False, True])
def test_a_penalty_that_is_declared_is_seen_to_enter_the_loss_or_not(run: MemoryRun, wrap: Any, added: bool) -> None:
    """LOSS-16: `model.losses` forgotten shows as a penalty of nothing; their sum as what it is."""
    mse = keras.losses.MeanSquaredError()

    def criterion(net: Any, y: Any, prediction: Any) -> Any:
        return mse(y, prediction) + tf.add_n(net.losses) if added else mse(y, prediction)

    epochs(loop(model(regularizer="l2"), keras.optimizers.SGD(0.01), criterion, wrap), Y[:, None], 1)
    for step in ended(run):
        kernel = next(a for name, a in step.of("weight").items() if name.endswith("dense/kernel")).whole()
        expected = 0.01 * np.sum(kernel.astype(np.float64) ** 2) if added else 0.0
        assert step.scalars["loss/penalty"] == pytest.approx(expected, rel=1e-4)
        assert step.scalars["loss/data"] + step.scalars["loss/penalty"] == pytest.approx(step.scalars["loss"], rel=1e-6)
    assert run.scalar("loss/penalty")[0] == pytest.approx(run.recordings[0].scalars["loss/penalty"])


@pytest.mark.parametrize("wrap", ALL)
def test_variables_without_keras_are_recorded(run: MemoryRun, wrap: Any) -> None:
    """Updates by hand: the step is done with the last assignment."""
    w, b = tf.Variable(tf.ones([6, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")

    def step(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.abs(x @ w + b - y))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.001 * dw)
        b.assign_sub(0.001 * db)

    epochs(wrap(step), Y[:, None], 1)
    steps = ended(run)
    assert [recorded.step for recorded in steps] == [1, 2, 3, 4, 5]
    for at, recorded in enumerate(steps):
        for name in ("w", "b"):
            moved = recorded.of("weight")[name].whole() - 0.001 * recorded.of("gradient")[name].whole()
            np.testing.assert_allclose(recorded.of("updated")[name].whole(), moved, rtol=1e-6)
        np.testing.assert_array_equal(recorded.of("batch")["input0"].whole(), X[at * SIZE : (at + 1) * SIZE])
        assert recorded.facts["loss"]["reduction"] == "sum"


@pytest.mark.parametrize("wrap", ALL)
def test_the_modes_of_training_and_evaluation_are_told(run: MemoryRun, wrap: Any) -> None:
    """MODE-01: no `training=True` names the layers that would behave otherwise; told once."""
    net, mse = model(), keras.losses.MeanSquaredError()
    step = loop(net, keras.optimizers.Adam(), lambda _, y, p: mse(y, p), wrap, training=None)
    for _ in range(2):
        epochs(step, Y[:, None], 1)
        net(X, training=True)
    run.finish()
    told = [event for event in run.events if event["type"] == "mode"]
    assert [(event["phase"], event["training"], event["kinds"]) for event in told] == [
        ("train", "false", ["BatchNormalization"]),
        ("eval", "true", ["BatchNormalization"]),
    ]


@pytest.mark.parametrize("wrap", WRAPS)
def test_g5_training_is_bit_identical(run: MemoryRun, monkeypatch: pytest.MonkeyPatch, wrap: Any) -> None:
    """Weights after 25 steps, recorded ones and others, with the callback for operations and without."""
    results = []
    for watched in (True, False):
        if not watched:
            monkeypatch.setattr(tensorflow_tape, "_sinks", [])
        keras.utils.set_random_seed(5)
        net = model(regularizer="l2")

        def criterion(n: Any, y: Any, prediction: Any) -> Any:
            return tf.reduce_mean((prediction - y) ** 2) + sum(n.losses)

        step = loop(net, keras.optimizers.Adam(0.01), criterion, wrap)
        epochs(step, Y[:, None])
        results.append([weight.tobytes() for weight in net.get_weights()])
    run.finish()
    assert len(run.steps) == 25
    assert results[0] == results[1]


class Raw(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """Two layers without Keras, the first of which is dead by half."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.random.stateless_normal([6, 8], [1, 2]), name="w")
        self.b = tf.Variable([0.0] * 4 + [-100.0] * 4, name="b")
        self.v = tf.Variable(tf.ones([8, 1]), name="v")

    def __call__(self, x: Any, training: bool = True) -> Any:
        """The output; no mode makes a difference."""
        del training
        return tf.nn.relu(x @ self.w + self.b) @ self.v


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("make", [model, Raw])
def test_units_of_layers_are_looked_at(run: MemoryRun, wrap: Any, make: Any) -> None:
    """Activations of Keras' layers and of functions: rows, figures of each unit, dead and saturated ones."""
    net = make()
    step = loop(net, keras.optimizers.SGD(0.01), lambda _, y, p: tf.reduce_mean((p - y) ** 2), wrap)
    epochs(step, Y[:, None], 11)
    steps = ended(run)
    assert [recorded.step for recorded in steps] == [*range(1, 21), 50]
    name = "relu" if make is Raw else next(layer.path for layer in net.layers)
    for recorded in steps:
        kernel = "w" if make is Raw else f"{name}/kernel"
        weight = recorded.of("weight")[kernel].whole() if recorded.step <= 3 else None
        rows, figures = recorded.of("activation")[name].whole(), recorded.of("units")[name].whole()
        assert (rows.shape, figures.shape) == ((SIZE, 8), (4, 8))
        np.testing.assert_allclose(figures[0], rows.mean(0), atol=1e-5)
        np.testing.assert_allclose(figures[3], rows.max(0), atol=1e-6)
        if weight is not None and make is model:
            bias = recorded.of("weight")[f"{name}/bias"].whole()
            np.testing.assert_allclose(rows, np.tanh(recorded.of("batch")["input0"].whole() @ weight + bias), atol=1e-5)
        assert recorded.facts["layers"][0]["activation"] == ("relu" if make is Raw else "tanh")
        assert recorded.facts["output_activation"] == "linear"
    signal = "dead_units/relu" if make is Raw else f"saturated/{name}"
    told = {record["step"]: record["scalars"][signal] for record in run.records if signal in record["scalars"]}
    assert {1, 2, 3, 4, 5, 50} <= set(told)
    if make is Raw:
        assert set(told.values()) == {0.5}


@pytest.mark.parametrize("wrap", ALL)
def test_late_steps_are_recorded_too(run: MemoryRun, wrap: Any) -> None:
    """Step 50 and 100, also where a function holds several steps; none between."""
    net, adam = model(), keras.optimizers.Adam(0.01)
    once = loop(net, adam, lambda _, y, p: tf.reduce_mean((p - y) ** 2), lambda f: f)

    def five(x: Any, y: Any) -> None:
        for at in range(5):
            once(x[at * SIZE : (at + 1) * SIZE], y[at * SIZE : (at + 1) * SIZE])

    step = wrap(five)
    for _ in range(21):
        step(tf.constant(X), tf.constant(Y[:, None]))
    steps = ended(run)
    assert [recorded.step for recorded in steps] == [*range(1, 21), 50, 100]
    assert len(run.scalar("batch_digest")) == 105
    for recorded in steps:
        at = (recorded.step - 1) % PER_EPOCH * SIZE
        np.testing.assert_array_equal(recorded.of("batch")["input0"].whole(), X[at : at + SIZE])


@pytest.mark.parametrize("wrap", ALL)
def test_a_step_of_several_micro_batches_is_one(run: MemoryRun, wrap: Any) -> None:
    """The optimizer accumulates five: mean of their losses and gradients, all of their samples."""
    net, mse = model(), keras.losses.MeanSquaredError()
    sgd = keras.optimizers.SGD(0.01, gradient_accumulation_steps=PER_EPOCH)
    epochs(loop(net, sgd, lambda _, y, p: mse(y, p), wrap), Y[:, None], 6)
    steps = ended(run)
    assert [record["step"] for record in run.records] == [recorded.step for recorded in steps] == list(range(1, 7))
    assert set(run.scalar("samples")) == {130.0}
    for recorded in steps:
        for name, weight in recorded.of("weight").items():
            moved = weight.whole() - 0.01 * recorded.of("gradient")[name].whole()
            np.testing.assert_allclose(recorded.of("updated")[name].whole(), moved, atol=1e-6)


@pytest.mark.parametrize("wrap", ALL)
@pytest.mark.parametrize("many", [1, 2])
def test_a_step_of_several_tapes_tells_how_many_and_all_their_samples(run: MemoryRun, wrap: Any, many: int) -> None:
    """Each of a part of the batch, the gradients added up by hand."""
    net, sgd, mse = model(), keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError()

    def step(x: Any, y: Any) -> None:
        found = []
        for at in range(0, SIZE, SIZE // many):
            with tf.GradientTape() as tape:
                loss = mse(y[at : at + SIZE // many], net(x[at : at + SIZE // many], training=True))
            found.append(tape.gradient(loss, net.trainable_variables))
        total = [tf.add_n(list(each)) for each in zip(*found, strict=True)]
        sgd.apply_gradients(zip(total, net.trainable_variables, strict=True))

    epochs(wrap(step), Y[:, None], 1)
    assert {recorded.facts.get("tapes") for recorded in ended(run)} == {None if many == 1 else many}
    assert set(run.scalar("samples")) == {float(SIZE)}


@pytest.mark.parametrize("wrap", WRAPS)
def test_gradients_summed_up_by_hand_come_without_a_loss(run: MemoryRun, wrap: Any) -> None:
    """One function adds to variables, another applies them: no loss is told, and none that is NaN."""
    net, adam = model(), keras.optimizers.Adam(0.01)
    sums = [tf.Variable(tf.zeros_like(v)) for v in net.trainable_variables]

    def micro(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
        for held, gradient in zip(sums, tape.gradient(loss, net.trainable_variables), strict=True):
            held.assign_add(gradient)

    part, act = wrap(micro), wrap(lambda: adam.apply_gradients(zip(sums, net.trainable_variables, strict=True)))
    for at in range(0, len(X), SIZE):
        part(tf.constant(X[at : at + SIZE]), tf.constant(Y[at : at + SIZE, None]))
        if at % (2 * SIZE):
            act()
    run.finish()
    assert len(run.records) == 2
    for scalars in [*(r["scalars"] for r in run.records), *(r.scalars for r in run.recordings)]:
        assert np.isfinite(scalars.get("loss", 0.0))


def test_nothing_is_kept_alive_between_steps(run: MemoryRun) -> None:
    """Outputs and operations of a step are let go with it."""
    scene = tensorflow_tape._scene
    scene.taped.clear()  # of loops of other tests that took no step
    net, mse = model(), keras.losses.MeanSquaredError()
    epochs(loop(net, keras.optimizers.Adam(), lambda _, y, p: mse(y, p), lambda f: f), Y[:, None], 1)
    assert (scene.heard.calls, scene.heard.compared, scene.eager, bool(scene.taped)) == ([], [], None, False)
