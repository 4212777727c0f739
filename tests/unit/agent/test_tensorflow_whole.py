"""What a loop around a tape leaves out: of its data, and of its model."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import forward as tensorflow_forward  # noqa: E402
from auditor_agent.integrations.tensorflow import record as tensorflow_record  # noqa: E402
from auditor_agent.integrations.tensorflow import whole as tensorflow_whole  # noqa: E402
from auditor_agent.integrations.tensorflow.seen import Seen  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.tensorflow_loops import listening  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.standard_normal((130, 6)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] ** 2).astype("float32")
WRAPS = [pytest.param(lambda f: f, id="eager"), pytest.param(tf.function, id="function")]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    monkeypatch.setattr(tensorflow_whole, "_reached", {})
    monkeypatch.setattr(tensorflow_whole, "_looked", [0])
    monkeypatch.setattr(tensorflow_whole, "_known", set())
    monkeypatch.setattr(tensorflow_whole, "_beside", {})
    monkeypatch.setattr(tensorflow_whole, "_together", {})
    monkeypatch.setattr(tensorflow_whole, "_asked", {})
    with listening(monkeypatch) as told:
        yield told


def training(net: Any, wrap: Any, variables: Any = None) -> Any:
    """One step of a loop as people write it."""
    optimizer = keras.optimizers.Adam(0.01)

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(x, training=True) - y) ** 2)
        wanted = net.trainable_variables if variables is None else variables()
        optimizer.apply_gradients(zip(tape.gradient(loss, wanted), wanted, strict=True))
        return loss

    return wrap(step)


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_data_set_begun_anew_at_each_step_is_told_once(run: MemoryRun, wrap: Any) -> None:
    """next(iter(data)) gives the first batch for ever; a data set of one batch has no other."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    step = training(net, wrap)
    for size in (130, 40):
        data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(size)
        for _ in range(12):
            step(*next(iter(data)))
    run.finish()
    [told] = [event for event in run.events if event["type"] == "loader_restarted"]
    assert (told["steps"], told["batches"]) == (8, 4)


@pytest.mark.parametrize(("shuffled", "wrap"), [(False, WRAPS[0]), (True, WRAPS[1])])
def test_a_data_set_that_repeats_for_ever_has_the_batches_of_one_pass(
    run: MemoryRun, shuffled: bool, wrap: Any
) -> None:
    """Begun anew at each step it is told likewise; whether its batches were the same is seen by their digests."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    step = training(net, wrap.values[0])
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    data = (data.shuffle(130) if shuffled else data).batch(50).repeat().prefetch(1)
    for _ in range(12):
        step(*next(iter(data)))
    run.finish()
    [told] = [event for event in run.events if event["type"] == "loader_restarted"]
    assert told["batches"] == 3


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("cut", [True, False])
def test_gradients_that_are_asked_for_in_vain_are_told(run: MemoryRun, wrap: Any, cut: bool) -> None:
    """One of two heads is cut off from the loss; one that is cut off now and then learns."""
    body, heads = keras.layers.Dense(8, "tanh"), [keras.layers.Dense(9), keras.layers.Dense(1)]
    inner = body(given := keras.Input((6,)))
    net = keras.Model(given, [head(inner) for head in heads])
    optimizer = keras.optimizers.Adam(0.01)

    def step(x: Any, y: Any, stop: Any) -> None:
        with tf.GradientTape() as tape:
            first, second = net(x, training=True)
            first = tf.stop_gradient(first) if stop else first
            loss = tf.reduce_mean((second - y) ** 2) + tf.reduce_mean(first**2)
        pairs = zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True)
        optimizer.apply_gradients([pair for pair in pairs if pair[0] is not None])

    steps = [wrap(lambda x, y, stop=stop: step(x, y, stop)) for stop in (True, False)]
    for number in range(30):
        steps[0 if cut or number % 2 else 1](tf.constant(X), tf.constant(Y))
    run.finish()
    told = [event for event in run.events if event["type"] == "unapplied"]
    assert [one["shape"] for event in told for one in event["variables"] if one["asked"]] == (
        [[8, 9], [9]] if cut else []
    )


def test_a_generator_is_not_evaluated(run: MemoryRun) -> None:
    """Its outputs are judged by another model: calling it in training mode is looking at what it makes."""
    drop = keras.layers.Dropout(0.5)
    maker = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), drop, keras.layers.Dense(6)])
    judge = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    loss, optimizer = keras.losses.BinaryCrossentropy(from_logits=True), keras.optimizers.Adam()
    for _ in range(3):
        with tf.GradientTape() as tape:
            told = loss(tf.ones((130, 1)), judge(maker(X, training=True)))
        wanted = maker.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(told, wanted), wanted, strict=True))
    for one in (maker, judge):
        one(X, training=True)
    run.finish()
    modes = [event for event in run.events if event["type"] == "mode" and event["phase"] == "eval"]
    assert [event.get("unscored", False) for event in modes] == [True, False]


@pytest.mark.parametrize("wrap", WRAPS)
def test_variables_that_nothing_moves_are_told(run: MemoryRun, wrap: Any) -> None:
    """Gradients are asked of the head alone; a body that is not trainable is nobody's fault."""
    nets = []  # what is gone is not told of
    for trainable in (True, False):
        body, head = keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)
        net = keras.Sequential([keras.Input((6,)), body, head])
        nets.append(net)
        body.trainable = trainable
        step = training(net, wrap, lambda head=head: head.trainable_variables)
        for _ in range(30):
            step(tf.constant(X), tf.constant(Y))
        if trainable:
            kernel = body.kernel.numpy()
    run.finish()
    [told] = [event for event in run.events if event["type"] == "unapplied"]
    first, bias = told["variables"]
    assert (first["shape"], bias["shape"]) == ([6, 8], [8])
    assert first["absmax"] == pytest.approx(float(np.abs(kernel).max()))
    assert told["moved"] >= 2


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("cut", [True, False])
def test_a_network_that_only_gives_targets_is_not_told(run: MemoryRun, wrap: Any, cut: bool) -> None:
    """Random network distillation: the random network has a way of its own to the loss, cut off or not."""
    nets = [
        keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(4)])
        for _ in range(2)
    ]
    optimizer = keras.optimizers.Adam(0.01)

    def step(x: Any) -> None:
        with tf.GradientTape() as tape:
            wanted = tf.stop_gradient(nets[0](x)) if cut else nets[0](x)
            loss = tf.reduce_mean((wanted - nets[1](x)) ** 2)
        variables = nets[1].trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    taken = wrap(step)
    for _ in range(tensorflow_whole.FEWEST + 1):
        taken(X[:32])
    run.finish()
    assert not [event for event in run.events if event["type"] == "unapplied"]


def test_an_optimizer_of_another_model_moves_nothing_of_this_one(run: MemoryRun) -> None:
    """Its variables were collected before the model was cloned: all that the loss is made of stays."""
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    theirs, net = net.trainable_variables, keras.models.clone_model(net)
    optimizer = keras.optimizers.Adam(0.01)
    for _ in range(30):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((net(X) - Y) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), theirs, strict=True))
    run.finish()
    [told] = [event for event in run.events if event["type"] == "unapplied"]
    assert len(told["variables"]) == 4


@pytest.mark.parametrize("wrap", WRAPS)
def test_what_one_model_makes_for_another_is_no_data(run: MemoryRun, wrap: Any) -> None:
    """A decoder's input is the encoder's, with noise; a second model that is given data has it recorded."""
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(6)])
    optimizer = keras.optimizers.Adam(0.01)
    variables = encoder.trainable_variables + decoder.trainable_variables

    def step(x: Any, other: Any) -> None:
        with tf.GradientTape() as tape:
            mean, spread = tf.split(encoder(x), 2, axis=1)
            made = decoder(mean + tf.exp(0.5 * spread) * tf.random.normal(tf.shape(mean)))
            loss = tf.reduce_mean((made - x) ** 2) + tf.reduce_mean(decoder(other) ** 2)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    taken = wrap(step)
    for _ in range(3):
        taken(tf.constant(X), tf.constant(X[:, :2]))
    run.finish()
    shapes = {(array.name, array.shape) for one in run.recordings for array in one.arrays if array.role == "batch"}
    assert shapes == {("input0", (130, 6)), ("input0@2", (130, 2))}


def test_what_is_worked_out_of_the_outputs_is_told() -> None:
    """One output per row, chosen by an action, is none of the model's; one of another shape may be."""
    for compared, derived in (((32,), True), ((32, 3), False), ((96,), False)):
        heard = tensorflow_forward.Heard(calls=[tensorflow_forward.Call(None, [], [tf.zeros((32, 3))], training=True)])
        heard.loss(tf.zeros(compared), tf.zeros(compared), tf.zeros(()), {"operation": "mse"})
        seen = Seen(tf.zeros(()), [], [], heard=heard)
        assert tensorflow_record._derived(seen.heard) is derived
