"""Loops of several tapes: gradients summed or averaged by hand, and optimizers that take turns."""

from __future__ import annotations

import contextlib
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import tape  # noqa: E402
from auditor_agent.integrations.tensorflow.audit import Loop, _Unasked  # noqa: E402
from auditor_agent.integrations.tensorflow.seen import Known, Seen  # noqa: E402
from auditor_agent.integrations.tensorflow.taped import Before  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402

MICRO = 4
WAYS = ("sum", "mean", "last")


class Observed(_Unasked):
    """What the observed tape reports of one optimizer goes to the loop that is set here."""

    loop: Loop | None = None
    optimizer: Any = None

    def see(self, seen: Seen, known: Known) -> None:
        """As ``install`` does it."""
        self._loop, self._acting = self.loop, seen.optimizer is self.optimizer
        if self.loop is not None and self._acting:
            self.loop.see(seen, known)


OBSERVED = Observed()


@pytest.fixture
def run() -> Iterator[MemoryRun]:
    """A run that keeps what it is told; the process is observed meanwhile."""
    keras.utils.clear_session()
    tape.observe(OBSERVED)
    memory = MemoryRun(f"taped {np.random.default_rng().integers(2**60)}")
    OBSERVED.loop = Loop(memory)  # type: ignore[arg-type]  # it has what a run has
    yield memory
    OBSERVED.loop.close()
    OBSERVED.loop = OBSERVED._loop = OBSERVED.optimizer = None
    memory.finished = True
    for thread in [thread for thread in threading.enumerate() if thread.name == "auditor-tensorflow"]:
        thread.join(5)


def parted(gradients: list[Any], way: str) -> Any:
    """What a loop makes of its micro-batches' gradients."""
    if way == "last":
        return gradients[-1]
    return [tf.add_n(list(each)) / (MICRO if way == "mean" else 1) for each in zip(*gradients, strict=True)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", ["eager", "graph", "jit"])
def test_the_loss_is_the_one_whose_gradient_is_applied(mode: str, way: str, run: MemoryRun) -> None:
    """Of several tapes the sum, the mean, or the last: whichever the gradients are of."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)])
    optimizer = OBSERVED.optimizer = keras.optimizers.SGD(0.1)
    criterion = keras.losses.MeanSquaredError()

    def step(x: Any, y: Any) -> Any:
        losses, gradients = [], []
        for at in range(MICRO):
            with tf.GradientTape() as recorded:
                loss = criterion(y[at], model(x[at], training=True))
            losses.append(loss)
            gradients.append(recorded.gradient(loss, model.trainable_variables))
        optimizer.apply_gradients(zip(parted(gradients, way), model.trainable_variables, strict=True))
        return tf.stack(losses)

    act = step if mode == "eager" else tf.function(step, jit_compile=mode == "jit")
    rng, expected = np.random.default_rng(1), []
    for _ in range(6):
        x, y = rng.standard_normal((2, MICRO, 8, 3)).astype("float32")
        losses = np.array(act(tf.constant(x), tf.constant(y[..., :2])))
        expected.append({"sum": losses.sum(), "mean": losses.mean(), "last": losses[-1]}[way])
    assert OBSERVED.loop is not None
    OBSERVED.loop.read()
    assert run.scalar("loss") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("way", ["sum", "mean"])
@pytest.mark.parametrize("apply", ["eager", "graph"])
def test_gradients_from_a_function_of_their_own_come_with_their_loss(apply: str, way: str, run: MemoryRun) -> None:
    """What computes them is traced once; what adds them up and applies them is outside of it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)])
    optimizer = OBSERVED.optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def gradients(x: Any, y: Any) -> Any:
        with tf.GradientTape() as recorded:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        return loss, recorded.gradient(loss, model.trainable_variables)

    def act(given: Any) -> None:
        optimizer.apply_gradients(zip(given, model.trainable_variables, strict=True))

    rng, expected = np.random.default_rng(1), []
    applied = act if apply == "eager" else tf.function(act)
    for _ in range(5):
        x, y = rng.standard_normal((2, MICRO, 8, 3)).astype("float32")
        found = [gradients(x[at], y[at, :, :2]) for at in range(MICRO)]
        losses = np.array([float(loss) for loss, _ in found])
        applied(parted([each for _, each in found], way))
        expected.append(losses.sum() if way == "sum" else losses.mean())
    assert OBSERVED.loop is not None
    OBSERVED.loop.read()
    assert run.scalar("loss") == pytest.approx(expected, rel=1e-5)


def test_each_of_two_optimizers_has_the_loss_of_its_own_tape(run: MemoryRun) -> None:
    """Both tapes are asked before the first optimizer acts, as in a GAN's tutorial."""
    keras.utils.set_random_seed(0)
    models = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]) for _ in range(2)]
    optimizers = [keras.optimizers.SGD(0.1) for _ in models]
    OBSERVED.optimizer = optimizers[0]
    losses = []
    for _ in range(4):
        x = tf.random.normal((8, 3))
        with tf.GradientTape() as first, tf.GradientTape() as second:
            made = models[1](x)
            one, other = tf.reduce_mean(models[0](made) ** 2), tf.reduce_mean(made**2)
        gradients = first.gradient(one, models[0].trainable_variables)
        others = second.gradient(other, models[1].trainable_variables)
        optimizers[0].apply_gradients(zip(gradients, models[0].trainable_variables, strict=True))
        optimizers[1].apply_gradients(zip(others, models[1].trainable_variables, strict=True))
        losses.append(float(one))
    assert OBSERVED.loop is not None
    OBSERVED.loop.read()
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-5)


def test_g7_tapes_of_which_nothing_comes_are_few() -> None:
    """A loop that asks for gradients and applies none keeps neither them nor ever more tapes."""
    variable, kept = tf.Variable([1.0, 2.0]), tape._scene.taped
    kept.clear()
    tape.observe(OBSERVED)
    for _ in range(200):
        with tf.GradientTape() as recorded:
            loss = tf.reduce_sum(variable**2)
        recorded.gradient(loss, variable)
    assert 0 < len(kept._kept) <= 64
    kept.clear()


def test_g1_a_graph_that_is_traced_while_operations_are_heard_raises_nothing() -> None:
    """TensorFlow calls back by keyword there; what is traced is left out, what runs is kept."""
    from tensorflow.python.framework import op_callbacks

    from auditor_agent.integrations.tensorflow import flow

    heard = flow.Eager()
    op_callbacks.add_op_callback(heard.heard)
    try:
        doubled = tf.function(lambda x: x * 2.0)(tf.constant(3.0))
        shifted = doubled + 1.0
    finally:
        op_callbacks.remove_op_callback(heard.heard)
    made = heard(shifted)
    assert float(shifted) == 7.0
    assert made is not None
    assert made[0] == "AddV2"


class Sightings(_Unasked):
    """Keeps what steps were seen to take together."""

    def __init__(self) -> None:
        super().__init__()
        self.before: list[Before] = []

    def see(self, seen: Seen, known: Known) -> None:
        """As a run is told."""
        del known
        self.before.append(seen.before)

    def done(self) -> None:
        """Nothing is recorded."""


#: How many tapes; whether all are given one batch; whether all are open at once; what is seen eagerly and in a graph.
SEEN: dict[str, tuple[int, bool, bool, Before, Before]] = {
    "one tape": (1, False, False, Before(), Before()),
    "four parts": (4, False, False, Before(4, 24), Before(4, 0)),
    "one batch twice": (2, True, False, Before(2, 0), Before(2, 0)),
    "at once": (3, False, True, Before(1, 0), Before(1, 0)),
    "more than are kept": (65, False, False, Before(), Before()),
}


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("case", SEEN)
def test_the_tapes_of_a_step_are_counted(case: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the samples of all but the last where they can be: in a graph those of the function's arguments are told."""
    many, same, at_once, *wanted = SEEN[case]
    sightings = Sightings()
    monkeypatch.setattr(tape, "_sinks", [])
    monkeypatch.setattr(tape, "_scene", type(tape._scene)())  # what these models gave is nobody else's
    tape.observe(sightings)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)

    def gradients(recorded: Any, given: Any) -> Any:
        with recorded:
            loss = tf.reduce_mean(model(given, training=True) ** 2)
        return recorded.gradient(loss, model.trainable_variables)

    def step(x: Any) -> None:
        with tf.GradientTape() if at_once else contextlib.nullcontext():
            parts = [x if same else x[at * 8 : at * 8 + 8] for at in range(many)]
            found = [gradients(tf.GradientTape(), part) for part in parts]
        optimizer.apply_gradients(zip(parted(found, "sum"), model.trainable_variables, strict=True))

    act = step if mode == "eager" else tf.function(step)
    for _ in range(2):
        act(tf.random.normal([8 if same else 8 * many, 3]))
    assert set(sightings.before) == {wanted[mode == "graph"]}
