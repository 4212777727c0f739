"""Custom TensorFlow loops: what ``run.step`` and the observed tape record, against the loop itself."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

import auditor_agent  # noqa: E402 -- after the framework it is for
from auditor_agent.capture.arrays import words  # noqa: E402
from auditor_agent.integrations.tensorflow import tape  # noqa: E402
from auditor_agent.integrations.tensorflow.audit import Loop, _Unasked  # noqa: E402
from auditor_agent.integrations.tensorflow.seen import Known, Seen  # noqa: E402
from auditor_agent.keras import Audit  # noqa: E402
from auditor_agent.statistics import STATISTICS  # noqa: E402
from support.locks import returns_while_held  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402

Array = npt.NDArray[Any]
STEPS = 60
MODES = {"eager": {}, "graph": {}, "jit": {"jit_compile": True}}


class Observed(_Unasked):
    """What the observed tape reports goes to the loop that is set here."""

    loop: Loop | None = None

    def see(self, seen: Seen, known: Known) -> None:
        """As ``install`` does it, of every optimizer."""
        self._loop, self._acting = self.loop, True
        if self.loop is not None:
            self.loop.see(seen, known)


OBSERVED = Observed()


@pytest.fixture
def observed() -> Iterator[Observed]:
    """Tape, optimizers and assignments observed while the test runs; what was wrapped stays wrapped."""
    tape.observe(OBSERVED)
    yield OBSERVED
    OBSERVED.loop = OBSERVED._loop = None


@pytest.fixture
def run() -> Iterator[MemoryRun]:
    """A run that keeps what it is told; ends with its test, and the thread that read for it."""
    keras.utils.clear_session()
    memory = MemoryRun(f"loop {np.random.default_rng().integers(2**60)}")
    yield memory
    memory.finished = True
    for thread in [thread for thread in threading.enumerate() if thread.name == "auditor-tensorflow"]:
        thread.join(5)


class Training:
    """A small regression with a tape."""

    def __init__(self, mode: str, *, after: Callable[..., None] | None = None, optimizer: Any = None) -> None:
        keras.utils.set_random_seed(3)
        layers = [keras.layers.Dense(40, activation="relu", name="first"), keras.layers.Dropout(0.2)]
        self.model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1, name="last")])
        self.optimizer = optimizer or keras.optimizers.Adam(0.01)
        self.criterion = keras.losses.MeanSquaredError()
        self.losses: list[float] = []
        self.gradients: list[list[Array]] = []
        self._after = after
        step = self._step
        self.step = step if mode == "eager" else tf.function(step, **MODES[mode])
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((STEPS * 16, 6)).astype("float32")

    def _step(self, x: Any, y: Any) -> Any:
        variables = self.model.trainable_variables
        with tf.GradientTape() as recorded:
            loss = self.criterion(y, self.model(x, training=True))
        gradients = recorded.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        if self._after is not None:
            self._after(loss, gradients, variables)
        return loss, gradients

    def train(self, steps: int = STEPS, *, broken: int = -1) -> list[Array]:
        """Train; the weights in the end. The target of step ``broken``, from 1, has a NaN."""
        for k in range(steps):
            batch = self.x[16 * k : 16 * k + 16]
            y = batch[:, :1] * 2
            if k == broken - 1:
                y[3] = np.nan  # in the input, TensorFlow's ReLU would swallow it
            loss, gradients = self.step(batch, y)
            self.losses.append(float(loss))
            self.gradients.append([gradient.numpy() for gradient in gradients])
        return [np.array(value) for value in self.model.get_weights()]


def assert_recorded(run: MemoryRun, training: Training, first: int = 1) -> None:
    """Every step is there once, with its loss and the statistics of the gradients that the loop used."""
    assert run.steps == list(range(first, first + len(training.losses)))
    assert run.scalar("loss") == pytest.approx(training.losses, rel=1e-5)
    for record, gradients in zip(run.records, training.gradients, strict=True):
        rows = [row for (kind, _), row in record["table"].items() if kind == "gradient"]
        assert len(rows) == len(gradients)
        expected = words([gradient.astype(np.float64) for gradient in gradients])
        for at, row in enumerate(rows):
            assert [row[name] for name in STATISTICS[:4]] == expected[:4, at].tolist()
            moments = dict(zip(STATISTICS[4:], expected[4:, at].view(np.float32).tolist(), strict=True))
            scale = moments["absmax"]
            for name in ("mean", "std", "min", "max", "l2"):
                assert abs(row[name] - moments[name]) <= 2e-5 * max(scale, abs(moments[name])), name


def test_a_later_training_declares_its_own_loss_and_batch(run: MemoryRun, observed: Observed) -> None:
    """Not those of the first loss that this process has called: a warm-up, another model."""
    model, criterion = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]), keras.losses.Huber()
    for _ in range(2):
        with tf.GradientTape() as recorded:
            loss = criterion(tf.zeros((8, 2)), model(tf.ones((8, 3))))
        gradients = recorded.gradient(loss, model.trainable_variables)
        keras.optimizers.SGD().apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    observed.loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    Training("graph").train(3)
    observed.loop.close()
    body = run.manifests[-1]
    assert body["loss"]["class"] == "MeanSquaredError"
    assert (body["data"]["batch_size"], body["data"]["output"]) == (16, [16, 1])


@pytest.mark.parametrize("mode", MODES)
def test_step_records_every_step_of_a_loop(mode: str, run: MemoryRun) -> None:
    """Sixty steps, eager, as a graph and compiled: nothing is missing, weights are sampled."""
    loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    training = Training(mode, after=loop.step)
    training.train()
    loop.close()
    assert_recorded(run, training)
    sampled = [record["step"] for record in run.records if any(kind == "weight" for kind, _ in record["table"])]
    assert sampled == [1, 2, 3, 5, 10, 20, 50]


@pytest.mark.parametrize("mode", MODES)
def test_an_unchanged_loop_is_recorded_from_tape_and_optimizer(mode: str, run: MemoryRun, observed: Observed) -> None:
    """The loss is the target of the tape, the step number the optimizer's; the loss object is in the manifest."""
    observed.loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    training = Training(mode)
    training.train()
    observed.loop.close()
    assert_recorded(run, training)
    assert run.scalar("lr") == pytest.approx([0.01] * STEPS)
    body = run.manifests[-1]
    assert body["framework"] == "tensorflow"
    assert (body["optimizer"]["class"], body["optimizer"]["hyperparameters"]["epsilon"]) == ("Adam", 1e-7)
    assert (body["loss"]["class"], body["loss"]["reduction"]) == ("MeanSquaredError", "sum_over_batch_size")
    assert (body["data"]["batch_size"], body["data"]["output"]) == (16, [16, 1])
    assert [layer["name"] for layer in body["model"]["layers"]] == ["first", training.model.layers[1].name, "last"]
    assert list(body["init"]["weights"]) == [v.path for v in training.model.trainable_variables]


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("way", ["step", "observed"])
def test_g5_training_is_bit_identical(mode: str, way: str, run: MemoryRun, observed: Observed) -> None:
    """Weights and losses with dropout: bitwise those of the loop alone, and the generator's next numbers."""
    plain = Training(mode)
    expected, state = plain.train(), tf.random.uniform([4]).numpy()
    loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    observed.loop = loop if way == "observed" else None
    audited = Training(mode, after=loop.step if way == "step" else None)
    weights = audited.train()
    assert np.array_equal(state, tf.random.uniform([4]).numpy())
    loop.close()
    assert audited.losses == plain.losses
    assert all(np.array_equal(a, b) for a, b in zip(weights, expected, strict=True))
    assert len(run.records) == STEPS


@pytest.mark.parametrize("mode", MODES)
def test_v1_a_nan_is_recorded_at_its_step(mode: str, run: MemoryRun) -> None:
    """A NaN in the target of step 13 is in the loss and the gradients of step 13, and wakes the run."""
    loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    training = Training(mode, after=loop.step)
    training.train(20, broken=13)
    loop.close()
    assert run.steps == list(range(1, 21))
    assert [record["urgent"] for record in run.records] == [False] * 12 + [True] * 8
    sick = {name for (kind, name), row in run.records[12]["table"].items() if kind == "gradient" and row["nan"]}
    assert {"sequential/first/kernel", "sequential/last/kernel"} <= sick


def test_a_loop_by_hand_yields_the_tapes_gradients(run: MemoryRun, observed: Observed) -> None:
    """No optimizer, no model: variables that are assigned after the tape gave their gradients."""
    observed.loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    w, b = tf.Variable(tf.ones([3, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")
    x = np.random.default_rng(1).standard_normal((8, 3)).astype("float32")
    losses = []
    for _ in range(12):
        with tf.GradientTape() as recorded:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - 1))
        for variable, gradient in zip((w, b), recorded.gradient(loss, [w, b]), strict=True):
            variable.assign_sub(0.1 * gradient)
        losses.append(float(loss))
    observed.loop.close()
    assert run.steps == list(range(1, 13))
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-6)
    assert {("gradient", "w"), ("gradient", "b"), ("weight", "w"), ("weight", "b")} == set(run.tensors)
    assert run.manifests[-1]["model"]["parameters"] == 4


def test_fit_and_a_loop_in_turn_number_their_steps_together(run: MemoryRun, observed: Observed) -> None:
    """Five steps of a loop, twice four of fit with its optimizer, five more of the loop: each once, in order."""
    observed.loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    training = Training("graph")
    training.train(5)
    observed.loop._watch.read()  # type: ignore[union-attr]  # as its thread does a moment later
    training.model.compile(training.optimizer, "mse")
    x = training.x[:64]
    training.model.fit(x, x[:, :1], batch_size=16, verbose=0, callbacks=[Audit(run=run)])
    training.model.fit(x, x[:, :1], batch_size=16, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 14))
    training.train(5)
    observed.loop.close()
    assert run.steps == list(range(1, 19))


def test_only_the_first_optimizer_counts_and_inner_ones_are_no_news(run: MemoryRun, observed: Observed) -> None:
    """A LossScaleOptimizer acts through another: one step each, the gradients unscaled."""
    observed.loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=1024.0)
    w = tf.Variable([1.0, 2.0], name="w")
    for _ in range(3):
        with tf.GradientTape() as recorded:
            loss = tf.reduce_sum(w * w)
            up = scaled.scale_loss(loss)
        expected = float(tf.norm(2 * w))
        scaled.apply(recorded.gradient(up, [w]), [w])
    observed.loop.close()
    assert run.steps == [1, 2, 3]
    assert run.records[-1]["table"]["gradient", "w"]["l2"] == pytest.approx(expected, rel=1e-5)
    assert run.scalar("loss")[0] == pytest.approx(5.0)
    assert run.scalar("grad_scale") == [1024.0] * 3


def test_audit_ends_the_run_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block yields a run with ``step``; an exception passes through and the run has failed."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    with auditor_agent.tensorflow.audit(name="mine") as run:
        training = Training("graph", after=run.step)
        training.train(5)
        assert run.name == "mine"
    assert run.finished
    assert run.counts()["produced"] == 5

    def fail() -> None:
        with auditor_agent.tensorflow.audit(training.model):
            raise KeyError("the loop's own")

    with pytest.raises(KeyError, match="the loop's own"):
        fail()


def test_g11_a_forked_child_ends_without_what_its_parent_holds(run: MemoryRun) -> None:
    """The lock may be held by a thread that the child does not have, and the steps are the parent's."""
    loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    Training("graph", after=loop.step).train(3)
    assert loop._watch is not None
    loop.read()
    told = len(run.steps)
    assert not returns_while_held(loop._watch._lock, loop.read, patience=0.2)
    run.finished = True  # as the child finds it
    assert returns_while_held(loop._watch._lock, loop.read)
    assert returns_while_held(loop._watch._lock, loop.close)
    assert len(run.steps) == told


def test_g1_a_fault_of_the_agent_never_reaches_the_loop(run: MemoryRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores, manifest and reading fail in turn: the loop trains on to the same weights."""
    expected = Training("graph").train(10)
    monkeypatch.setenv("AUDITOR_RAISE", "0")

    def broken(*_: Any, **__: Any) -> Any:
        raise MemoryError("broken on purpose")

    places = ["watch.LoopWatch._bind", "watch.LoopWatch._record", "manifest.manifest"]
    for place in places:
        with monkeypatch.context() as patch:
            patch.setattr(f"auditor_agent.integrations.tensorflow.{place}", broken)
            loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
            weights = Training("graph", after=loop.step).train(10)
            loop.close()
        assert all(np.array_equal(a, b) for a, b in zip(weights, expected, strict=True))


@pytest.mark.parametrize("part", [True, False])
def test_a_part_that_is_trained_is_told_with_the_model_around_it(
    part: bool, run: MemoryRun, observed: Observed
) -> None:
    """A loop that calls a model and is given the variables of its head alone: the rest was not to be trained."""
    table = keras.layers.Embedding(9, 4, name="table")
    head = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1, name="head")])
    given = keras.Input((3,), dtype="int32")
    model = keras.Model(given, head(table(given)))
    trained, optimizer = head if part else model, keras.optimizers.SGD(0.1)
    observed.loop = Loop(run)
    for _ in range(2):
        with tf.GradientTape() as recorded:
            loss = tf.reduce_mean(tf.square(model(np.arange(12).reshape(4, 3) % 9, training=True) - 1.0))
        gradients = recorded.gradient(loss, trained.trainable_variables)
        optimizer.apply_gradients(zip(gradients, trained.trainable_variables, strict=True))
    observed.loop.close()
    layers = {layer["name"]: layer for layer in run.manifests[-1]["model"]["layers"]}
    assert {"table", "head"} <= layers.keys()
    outside = {name for name, layer in layers.items() for weight in layer["weights"] if weight.get("outside")}
    assert outside == ({"table"} if part else set())


def test_layers_that_a_loop_calls_one_by_one_are_told_without_a_model(run: MemoryRun, observed: Observed) -> None:
    """In the order in which they ran, those without weights too."""
    first, drop, last = keras.layers.Dense(4, "relu", name="one"), keras.layers.Dropout(0.2), keras.layers.Dense(1)
    first.build((None, 3))
    last.build((None, 4))
    variables, optimizer = [*first.trainable_variables, *last.trainable_variables], keras.optimizers.SGD(0.1)
    observed.loop = Loop(run)
    for _ in range(2):
        with tf.GradientTape() as recorded:
            loss = tf.reduce_mean(tf.square(last(drop(first(tf.ones((8, 3))), training=True)) - 1.0))
        optimizer.apply_gradients(zip(recorded.gradient(loss, variables), variables, strict=True))
    observed.loop.close()
    told = run.manifests[-1]["model"]
    assert [layer["class"] for layer in told["layers"]] == ["Dense", "Dropout", "Dense"]
    assert (told["class"], told["parameters"], told["layers"][0]["config"]["units"]) == (None, 21, 4)
