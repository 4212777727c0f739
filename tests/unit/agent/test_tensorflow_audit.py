"""``audit`` and ``run.step``: a loop that reports its steps itself is seen as one under ``auditor run`` is."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from tensorflow.python.eager import context, execute  # noqa: E402 -- after the check that it is there
from tensorflow.python.eager.polymorphic_function.polymorphic_function import Function  # noqa: E402
from tensorflow.python.eager.tape import pop_tape  # noqa: E402
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable  # noqa: E402

import auditor_agent  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow import audit as integration  # noqa: E402
from auditor_agent.integrations.tensorflow import tape  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402

Array = npt.NDArray[Any]
STEPS = 8
MODES = ["eager", "graph", "jit"]
ORDERS = ["before", "after"]
DESCRIPTORS = (property, classmethod, staticmethod)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """A run that keeps what it is told, in place of the one that ``audit`` opens."""
    keras.utils.clear_session()
    memory = MemoryRun(f"audit {np.random.default_rng().integers(2**60)}")
    monkeypatch.setattr(integration, "open_run", lambda *_args, **_settings: memory)
    yield memory
    memory.finished = True
    for thread in [thread for thread in threading.enumerate() if thread.name == "auditor-tensorflow"]:
        thread.join(5)


class Training:
    """A small classifier with Adam, whose loop may report its steps."""

    def __init__(self, mode: str, order: str, run: Any = None) -> None:
        keras.utils.set_random_seed(5)
        hidden = [keras.layers.Dense(12, activation="relu", name="hidden"), keras.layers.Dropout(0.1)]
        self.model = keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(2, name="last")])
        self.optimizer = keras.optimizers.Adam(0.01)
        self.criterion = keras.losses.MeanSquaredError()
        self._order, self._run = order, run
        self.step = self._step if mode == "eager" else tf.function(self._step, jit_compile=mode == "jit")

    def _step(self, x: Any, y: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as recorded:
            loss = self.criterion(y, self.model(x, training=True))
        gradients = recorded.gradient(loss, variables)
        if self._run is not None and self._order == "before":
            self._run.step(loss, gradients, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if self._run is not None and self._order == "after":
            self._run.step(loss, gradients, variables)
        return loss

    def train(self) -> tuple[list[Array], list[float]]:
        """Weights and losses."""
        rng = np.random.default_rng(2)
        losses = []
        for _ in range(STEPS):
            x, y = rng.standard_normal((16, 4)).astype("float32"), rng.standard_normal((16, 2)).astype("float32")
            losses.append(float(self.step(tf.constant(x), tf.constant(y))))
        self.model(x, training=False)
        return self.model.get_weights(), losses


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mode", MODES)
def test_a_loop_that_reports_its_steps_is_recorded_element_by_element(mode: str, order: str, run: MemoryRun) -> None:
    """Whether it reports them before the optimizer acts or after: weights before and after, layers, modes."""
    with auditor_agent.tensorflow.audit() as audited:
        training = Training(mode, order, audited)
        weights, losses = training.train()
    assert run.steps == list(range(1, STEPS + 1))
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-5)
    recordings = {one.step: one for one in run.recordings if one.phase == "train"}
    assert list(recordings) == list(range(1, STEPS + 1))
    for step, one in recordings.items():
        roles = {array.role for array in one.arrays}
        assert {"weight", "gradient", "updated", "batch", "target", "output"} <= roles, (step, roles)
        assert {"activation", "units"} <= roles
        assert one.scalars["loss"] == pytest.approx(losses[step - 1], rel=1e-5)
    last = {array.name: array for array in recordings[STEPS].arrays if array.role == "updated"}
    for variable, weight in zip(training.model.trainable_variables, weights, strict=True):
        found = last[variable.path]
        if found.elements == weight.size:
            np.testing.assert_array_equal(np.frombuffer(found.data, np.float32).reshape(weight.shape), weight)
    modes = [(event["phase"], event["training"]) for event in run.events if event["type"] == "mode"]
    assert modes == [("train", "true"), ("eval", "false")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mode", MODES)
def test_g5_a_loop_that_reports_its_steps_trains_bit_identically(mode: str, order: str, run: MemoryRun) -> None:
    """Weights and losses are those of the loop alone."""
    plain = Training(mode, order).train()
    with auditor_agent.tensorflow.audit() as audited:
        watched = Training(mode, order, audited).train()
    assert watched[1] == plain[1]
    assert all(np.array_equal(a, b) for a, b in zip(watched[0], plain[0], strict=True))
    assert len(run.steps) == STEPS


def test_g10_nothing_stays_wrapped_after_the_block(run: MemoryRun) -> None:
    """Tape, optimizers, losses, layers, variables, functions and data sets are as they were before."""
    owners = [
        *(tf.GradientTape, BaseResourceVariable, Function, tf.data.Dataset),
        *(keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer, keras.losses.Loss),
        *(keras.Model, keras.layers.Layer, keras.metrics.Metric, keras.metrics.Mean),
    ]
    before = [callables(owner) for owner in owners]
    with auditor_agent.tensorflow.audit() as audited:
        Training("eager", "before", audited).train()
        assert all(callables(owner) != known for owner, known in zip(owners, before, strict=True))
    assert [callables(owner) for owner in owners] == before
    assert len(run.steps) == STEPS


def callables(owner: type) -> dict[str, int]:
    """What a class itself has to be called, by name: methods, properties, classes. By identity, for some compare oddly.

    Not what Python adds to a class as it is used: caches of ABCs, annotations that somebody has asked for.
    """
    return {name: id(value) for name, value in vars(owner).items() if callable(value) or isinstance(value, DESCRIPTORS)}


@pytest.mark.parametrize("way", ["acts within its tape", "never ends its tape", "raises within its tape"])
def test_g10_no_operation_is_heard_after_the_block(way: str, run: MemoryRun) -> None:
    """However the loop leaves its tapes; TensorFlow has its own function for operations again."""
    own = execute.execute
    variable, optimizer = tf.Variable([1.0, 2.0]), keras.optimizers.SGD(0.1)
    kept, heard = [], []
    with auditor_agent.tensorflow.audit() as audited:
        for _ in range(3):
            kept.append(tf.GradientTape(persistent=True))
            with contextlib.suppress(ZeroDivisionError), contextlib.ExitStack() as stack:
                watching = kept[-1].__enter__()
                heard.append(len(context.context().op_callbacks))
                if way != "never ends its tape":
                    stack.push(watching)
                loss = tf.reduce_sum(variable**2)
                gradients = watching.gradient(loss, [variable])
                audited.step(loss, gradients, [variable])
                optimizer.apply_gradients(zip(gradients, [variable], strict=True))
                if way == "raises within its tape":
                    1 / 0  # noqa: B018 -- the loop's own error
            if way != "never ends its tape":
                assert not context.context().op_callbacks
        assert heard[0] == 1
    assert not context.context().op_callbacks
    assert execute.execute is own
    assert run.steps == [1, 2, 3]
    if way == "never ends its tape":  # TensorFlow would record for it whatever this process still does
        for each in reversed(kept):
            each.__exit__(None, None, None)


def test_a_tape_that_is_gone_watches_nothing(run: MemoryRun) -> None:
    """Nobody ended it: the tape after it is the outer one all the same, and its steps are seen whole."""
    with auditor_agent.tensorflow.audit() as audited:
        forgotten = tf.GradientTape().__enter__()
        assert tape._scene.tapes
        pop_tape(forgotten._tape)  # TensorFlow's own, which would go on for as long as this process
        del forgotten
        gc.collect()
        assert not tape._scene.tapes
        Training("eager", "before", audited).train()
    assert [one.step for one in run.recordings if one.phase == "train"] == list(range(1, STEPS + 1))


def test_two_optimizers_report_in_turn(run: MemoryRun) -> None:
    """Each report is a step of its own, with its own weights before and after."""
    keras.utils.set_random_seed(0)
    models = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)]) for _ in range(2)]
    optimizers = [keras.optimizers.SGD(0.1) for _ in models]
    with auditor_agent.tensorflow.audit() as audited:
        for _ in range(3):
            x = tf.random.normal((8, 3))
            for model, optimizer in zip(models, optimizers, strict=True):
                variables = model.trainable_variables
                with tf.GradientTape() as recorded:
                    loss = tf.reduce_mean(model(x, training=True) ** 2)
                gradients = recorded.gradient(loss, variables)
                optimizer.apply_gradients(zip(gradients, variables, strict=True))
                audited.step(loss, gradients, variables)
    assert run.steps == [1, 2, 3, 4, 5, 6]
    for one in run.recordings:
        names = {array.name for array in one.arrays if array.role == "updated"}
        assert names == {variable.path for variable in models[(one.step - 1) % 2].trainable_variables}
