"""The Keras callback against Keras itself, on the TensorFlow backend."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gc
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from auditor_agent import guard
from auditor_agent.integrations.keras import native as keras_native
from auditor_agent.integrations.keras import ring as keras_ring
from auditor_agent.keras import Audit
from support.keras_models import Array, MemoryRun, assert_same_statistics, by_tape, data, keras, mlp, poisoned, tf


@pytest.fixture(autouse=True)
def clean_keras() -> Iterator[None]:
    """Names and policies start anew; what a test left is collected before the next one counts."""
    keras.utils.clear_session()
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")
    gc.collect()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("steps_per_execution", [1, 8])
@pytest.mark.parametrize("jit", [False, True])
def test_every_step_has_its_loss_and_the_statistics_that_a_tape_gives(
    steps_per_execution: int, jit: bool, native: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two epochs with a ragged last batch: no step is missing, none twice, all as recomputed."""
    if not native:
        without_native(monkeypatch)
    x, y = data(200)
    twin = mlp(regularizer="l2")
    twin.compile(keras.optimizers.SGD(0.05, clipnorm=0.1), "mse")
    expected = by_tape(twin, x, y, 32, 2)
    model, run = mlp(regularizer="l2"), MemoryRun()
    model.compile(
        keras.optimizers.SGD(0.05, clipnorm=0.1), "mse", jit_compile=jit, steps_per_execution=steps_per_execution
    )
    model.fit(x, y, batch_size=32, epochs=2, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 15))
    names = [(a.path, b.path) for a, b in zip(model.trainable_variables, twin.trainable_variables, strict=True)]
    for record, (loss, gradients) in zip(run.records, expected, strict=True):
        assert record["scalars"]["loss"] == pytest.approx(loss, rel=1e-5)
        parts = record["scalars"]["loss/data"] + record["scalars"]["loss/penalty"]
        assert parts == pytest.approx(loss, rel=1e-5)
        for mine, theirs in names:
            # The weights drift apart by rounding: what is compared is the reduction, not the training.
            assert_same_statistics(record["table"]["gradient", mine], gradients[theirs], 2e-5)
    first, (_, gradients) = run.records[0], expected[0]
    for mine, theirs in names:
        assert_same_statistics(first["table"]["gradient", mine], gradients[theirs], 1e-6)
    assert all(record["scalars"]["grad_norm_clipped"] <= 0.1 * 6**0.5 + 1e-6 for record in run.records)


def trained(model: Any, compile_arguments: dict[str, Any], callbacks: list[Any]) -> tuple[list[float], list[Array]]:
    """Losses of 200 steps as a user sees them, and the weights in the end."""
    losses: list[float] = []

    class Losses(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 -- Keras's signature
            losses.append(logs["loss"])

    optimizer = keras.optimizers.Adam(0.01, weight_decay=0.004, global_clipnorm=1.0)
    model.compile(optimizer, "mse", **compile_arguments)
    x, y = data(160)
    model.fit(x, y, batch_size=16, epochs=20, verbose=0, callbacks=[Losses(), *callbacks])
    return losses, [np.array(value) for value in model.get_weights()]


def generators() -> tuple[Any, ...]:
    """What the process's random generators give next."""
    draws = np.random.random(4).tolist()  # noqa: NPY002 -- the global generator is what is asked about
    return random.getstate(), draws, tf.random.uniform([4]).numpy().tolist()


@pytest.mark.parametrize("built", [True, False])
def test_g5_training_is_bit_identical_and_random_state_untouched(built: bool) -> None:
    """200 steps with shuffling, dropout, clipping, decay: losses, weights and generators bitwise."""
    plain = trained(mlp(dropout=0.3, regularizer="l2", built=built), {}, [])
    states = generators()
    run = MemoryRun()
    audited = trained(mlp(dropout=0.3, regularizer="l2", built=built), {}, [Audit(run=run)])
    after = generators()
    assert audited[0] == plain[0]
    assert all(np.array_equal(a, b) for a, b in zip(audited[1], plain[1], strict=True))
    assert states == after
    assert run.steps == list(range(1, 201))


def test_g5_under_xla_training_agrees_to_rounding() -> None:
    """XLA fuses differently with the statistics in the program: losses agree to 1e-4 after 200 steps."""
    plain = trained(mlp(), {"jit_compile": True}, [])
    audited = trained(mlp(), {"jit_compile": True}, [Audit(run=MemoryRun())])
    np.testing.assert_allclose(audited[0][:10], plain[0][:10], rtol=1e-6)
    np.testing.assert_allclose(audited[0], plain[0], rtol=1e-4)


@pytest.mark.parametrize(("steps_per_execution", "jit"), [(1, False), (8, False), (8, True)])
def test_v1_a_nan_is_recorded_at_its_step_and_in_its_tensor(steps_per_execution: int, jit: bool) -> None:
    """The gradient of one kernel is NaN at step 13: there and nowhere before, and the run is woken."""
    x, y = data(320)
    model, run = poisoned(13), MemoryRun()
    model.compile("sgd", "mse", jit_compile=jit, steps_per_execution=steps_per_execution)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 21))
    sick = [
        (r["step"], name)
        for r in run.records[:13]
        for name, row in r["table"].items()
        if name[0] == "gradient" and row["nan"]
    ]
    assert [step for step, _ in sick] == [13]
    assert sick[0][1][1].endswith("b/kernel")
    assert run.records[12]["table"][sick[0][1]]["nan"] == 64
    assert [r["urgent"] for r in run.records] == [False] * 12 + [True] * 8
    losses = run.scalar("loss")
    assert np.isfinite(losses[:13]).all()
    assert np.isnan(losses[13:]).all()


def test_loss_scaling_is_undone_and_a_skipped_step_is_an_event() -> None:
    """mixed_float16: gradients unscaled, an overflow at batch 5 is no step and no NaN."""
    keras.config.set_dtype_policy("mixed_float16")
    x, y = (0.01 * part for part in data(160))  # small, so that no other step overflows at a scale of 2**15
    for jit in (False, True):
        model, run = poisoned(5, float("inf")), MemoryRun(f"scaled {jit}")
        model.compile("sgd", "mse", jit_compile=jit)
        with np.errstate(over="ignore"):
            model.fit(x, y, batch_size=16, epochs=1, verbose=0, shuffle=False, callbacks=[Audit(run=run)])
        assert run.steps == list(range(1, 10))
        told = [
            (event["step"], event["type"]) for event in run.events if event["type"] not in {"mode", "epoch", "weights"}
        ]
        assert told == [(5, "step_skipped")], run.events
        assert next(e for e in run.events if e["type"] == "step_skipped")["nonfinite"] == 64
        assert run.scalar("grad_scale") == [2.0**15] * 4 + [2.0**14] * 5
        norms = [max(row["absmax"] for key, row in r["table"].items() if key[0] == "gradient") for r in run.records]
        assert max(norms) < 1  # scaled, they would be hundreds
        assert not any(r["urgent"] for r in run.records)


def test_accumulated_batches_are_one_step() -> None:
    """Four micro-batches: one step, the mean of the losses, the mean of the gradients."""
    x, y = data(160)
    twin = mlp()
    twin.compile(keras.optimizers.SGD(0.05), "mse")
    expected = by_tape(twin, x, y, 64, 1)
    model, run = mlp(), MemoryRun()
    model.compile(keras.optimizers.SGD(0.05, gradient_accumulation_steps=4), "mse")
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, shuffle=False, callbacks=[Audit(run=run)])
    assert run.steps == [1, 2]
    for record, (loss, gradients) in zip(run.records, expected[:2], strict=True):
        assert record["scalars"]["loss"] == pytest.approx(loss, rel=1e-5)
        for mine, gradient in zip(model.trainable_variables, gradients.values(), strict=True):
            assert_same_statistics(record["table"]["gradient", mine.path], gradient, 1e-5)


def test_the_learning_rate_of_each_step_follows_its_schedule() -> None:
    """What is recorded at step k is the rate that step k was taken with."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9)
    model, run = mlp(), MemoryRun()
    model.compile(keras.optimizers.SGD(schedule), "mse", steps_per_execution=3)
    model.fit(*data(100), batch_size=10, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    assert run.scalar("lr") == pytest.approx([0.1 * 0.9**k for k in range(10)], rel=1e-5)
    assert run.manifests[-1]["optimizer"]["schedule"]["config"]["decay_rate"] == 0.9


def test_a_second_fit_continues_the_run() -> None:
    """Steps go on counting and weights are sampled early and every fifty steps."""
    model, run = mlp(), MemoryRun()
    model.compile("adam", "mse", metrics=["mae"])
    x, y = data(320)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    train_function = model.train_function
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, validation_split=0.5, callbacks=[Audit(run=run)])
    assert model.train_function is train_function  # not traced again
    assert run.steps == list(range(1, 41))
    assert {1, 2, 3, 5, 10, 20} <= {r["step"] for r in run.records if ("weight", model.weights[0].path) in r["table"]}
    assert [log["epoch"] for log in run.logs] == [1.0, 1.0, 2.0]
    assert {"val_loss", "val_mae", "mae", "epoch_loss"} <= set(run.logs[-1])
    model.fit(x, y, batch_size=2, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    assert {50, 100, 150, 200} <= {r["step"] for r in run.records if ("weight", model.weights[0].path) in r["table"]}


def test_a_fit_before_the_first_audit_keeps_its_count() -> None:
    """A model that was trained unwatched is traced anew and counts from its optimizer."""
    model, run = mlp(), MemoryRun()
    model.compile("adam", "mse")
    x, y = data(64)
    model.fit(x, y, batch_size=16, verbose=0)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == [5, 6, 7, 8]


def test_a_custom_train_step_and_sparse_and_missing_gradients() -> None:
    """An embedding's gradient counts every row; a weight without gradient is in no layout."""

    class Model(keras.Model):  # type: ignore[misc]  # Keras has no types
        def __init__(self) -> None:
            super().__init__()
            self.embed = keras.layers.Embedding(50, 4, name="embed")
            self.idle = keras.layers.Dense(3, name="idle")
            self.head = keras.layers.Dense(1, name="head")

        def call(self, x: Any) -> Any:
            embedded = tf.reduce_mean(self.embed(x), axis=1)
            self.idle(embedded)
            return self.head(embedded)

        def train_step(self, batch: Any) -> Any:
            x, y = batch
            with tf.GradientTape() as tape:
                loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            grads = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            return {"loss": loss}

    keras.utils.set_random_seed(0)
    model, run = Model(), MemoryRun()
    model.compile("sgd", "mse")
    x, y = np.full((8, 3), 7), np.ones((8, 1), "float32")
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == [1, 2]
    gradients = {
        name.split("/")[-2]: row for (kind, name), row in run.records[0]["table"].items() if kind == "gradient"
    }
    assert set(gradients) == {"embed", "head"}
    assert gradients["embed"]["count"] == 200
    assert gradients["embed"]["zeros"] == 196  # one row of fifty was looked up
    assert run.scalar("loss")[0] > run.scalar("loss")[1]


class Batches(keras.utils.PyDataset):
    """Twelve batches, in order."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        x, y = data(8)
        return x + index, y


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed, but will be ignored")
@pytest.mark.parametrize(
    ("source", "shuffled"),
    [
        (lambda x, y: {"x": x, "y": y}, True),
        (lambda x, y: {"x": x, "y": y, "shuffle": False}, False),
        (lambda x, y: {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(8)}, None),
        (lambda x, y: {"x": (batch for batch in [(x, y)] * 4), "steps_per_epoch": 4}, None),
        (lambda *_: {"x": Batches(), "shuffle": False}, False),
    ],
    ids=["arrays", "arrays in order", "data set", "generator", "PyDataset in order"],
)
def test_fit_shuffles_what_has_no_order_of_its_own(source: Any, shuffled: bool | None) -> None:
    """``shuffle=True`` is the default of ``fit``, and nothing to a data set or a generator."""
    model, run = mlp(), MemoryRun()
    model.compile("sgd", "mse")
    model.fit(**source(*data(32)), verbose=0, callbacks=[Audit(run=run)])
    assert run.manifests[-1]["data"].get("shuffle") is shuffled


def test_the_manifest_says_what_was_resolved() -> None:
    """A string becomes an optimizer with an epsilon; fit's own defaults are there."""
    model, run = mlp(regularizer="l2", built=False), MemoryRun()
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), steps_per_execution=2)
    x, y = data(100)
    model.fit(x, (y > 0).astype("float32"), verbose=0, callbacks=[Audit(run=run)])
    body = run.manifests[-1]
    assert list(body) == [
        "framework",
        "versions",
        "model",
        "optimizer",
        "loss",
        "data",
        "precision",
        "init",
        "environment",
    ]
    assert body["framework"] == "keras"
    assert body["versions"]["backend"] == "tensorflow"
    assert [layer["name"] for layer in body["model"]["layers"]] == ["first", "middle", "last"]
    assert body["model"]["layers"][0]["config"]["kernel_initializer"]["class"] == "GlorotUniform"
    assert body["model"]["layers"][0]["activation"] == "relu"
    assert body["model"]["parameters"] == 6 * 80 + 80 + 80 * 60 + 60 + 61
    assert body["optimizer"]["class"] == "Adam"
    assert body["optimizer"]["hyperparameters"]["epsilon"] == 1e-7
    assert body["optimizer"]["hyperparameters"]["learning_rate"] == pytest.approx(1e-3)
    assert (body["loss"]["reduction"], body["loss"]["from_logits"]) == ("sum_over_batch_size", True)
    assert body["loss"]["regularizers"]["first"]["kernel_regularizer"]["config"]["l2"] == pytest.approx(0.01)
    assert (body["data"]["batch_size"], body["data"]["steps_per_epoch"], body["data"]["shuffle"]) == (32, 4, True)
    assert body["data"]["last_partial_batch"] == 4
    assert (body["precision"]["steps_per_execution"], body["precision"]["jit_compile"]) == (2, False)
    assert body["init"]["seeds"]["keras"] == 3
    keras.utils.set_random_seed(3)
    kernel = keras.initializers.GlorotUniform()((6, 80))
    del kernel
    first = body["init"]["weights"][model.weights[0].path]
    assert first["count"] == 480
    assert 0.9 * (6 / 86) ** 0.5 < first["absmax"] <= (6 / 86) ** 0.5  # the bound of Glorot's uniform


STORES = ["auditor_agent.integrations.keras.ring.HostStore"]
if keras_native.operation() is not None:
    STORES.append("auditor_agent.integrations.keras.native.NativeStore")


def without_native(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the package was installed without a compiler."""
    for name in ("operation", "custom_call"):
        monkeypatch.setattr(f"auditor_agent.integrations.keras.on_tensorflow.{name}", lambda: None)


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        *((store, name) for store in STORES for name in ("put", "drain", "statistics")),
        ("auditor_agent.capture.arrays", "words"),
        ("auditor_agent.integrations.keras.probe.Probe", "of"),
        ("auditor_agent.integrations.keras.probe.Probe", "_penalty"),
        ("auditor_agent.integrations.keras.watch.Watch", "read"),
        ("auditor_agent.integrations.keras.manifest", "manifest"),
        ("auditor_agent.integrations.keras.manifest", "describe_layer"),
        ("auditor_agent.integrations.keras.manifest", "fit_arguments"),
    ],
)
@pytest.mark.parametrize("error", [ValueError, MemoryError])
def test_g1_a_fault_of_the_agent_never_reaches_fit(
    owner: str, name: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part fails in turn: training goes on to the same weights."""

    def broken(*_: Any, **__: Any) -> Any:
        raise error("broken on purpose")

    model = mlp()
    model.compile("sgd", "mse")
    model.fit(*data(64), batch_size=32, verbose=0)
    expected = model.get_weights()
    if "NativeStore" not in owner:
        without_native(monkeypatch)
    monkeypatch.setenv("AUDITOR_RAISE", "0")
    guard.TALLY.reset()
    monkeypatch.setattr(f"{owner}.{name}", broken)
    model = mlp()
    model.compile("sgd", "mse")
    model.fit(*data(64), batch_size=32, verbose=0, callbacks=[Audit(run=MemoryRun())])
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), expected, strict=True))
    assert guard.TALLY.counts()


def test_the_run_can_stop_the_training() -> None:
    """A run that should stop ends fit after the batch, and is finished as stopped."""
    model, run = mlp(), MemoryRun()
    run.should_stop, run.verdict = True, "diverged"
    model.compile("sgd", "mse")
    model.fit(*data(320), batch_size=16, epochs=3, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == [1]
    assert run.ended == ("stopped", "verdict diverged")


@pytest.mark.parametrize("native", [True, False])
def test_a_ring_that_was_not_read_in_time_says_what_it_lost(native: bool) -> None:
    """Ten rows into a ring of four: the last four are there, six are counted."""
    if native and keras_native.operation() is None:
        pytest.skip("the operation was not built (no compiler)")
    ring: Any = keras_native.NativeStore(4, 1, jit=False) if native else keras_ring.RingStore(1, 4)
    for step in range(10):
        head = [tf.constant(part, tf.float64) for part in (step, 0.5, 0.0, 0.1, 1.0)]
        ring.put(head, [tf.constant([float(step), float("inf")])])
    rows = ring.drain()
    assert [row.iterations for row in rows] == [6, 7, 8, 9]
    assert ring.lost == 6
    assert [row.nonfinite for row in rows] == [1, 1, 1, 1]
    assert ring.drain() == []
