"""The flight recorder in Keras: what it records explains what the optimizer did."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from auditor_agent.capture.native import tensorflow as native  # noqa: E402 -- after the framework it is for
from auditor_agent.keras import Audit  # noqa: E402 -- after the framework it is for
from auditor_agent.stream.recording import Recording  # noqa: E402
from support.recordings import assembled  # noqa: E402

EPSILON = 1e-6
JIT = pytest.mark.parametrize("jit", [False, True])


class Kept:
    """A run that keeps recordings and lets the rest pass."""

    def __init__(self) -> None:
        self.id, self.should_stop, self.finished, self.verdict = f"kept{id(self)}", False, False, "unknown"
        self.recordings: list[Recording] = []
        self.steps: list[int] = []
        self.observed: dict[str, Any] = {}

    def recording(self, recording: Recording) -> None:
        """As ``Run.recording``."""
        self.recordings.append(recording)

    def record(self, step: int, *_: Any, **__: Any) -> None:
        """As ``Run.record``."""
        self.steps.append(step)

    def observe(self, **sections: Any) -> None:
        """As ``Run.observe``."""
        self.observed |= sections

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: 0


@pytest.fixture(autouse=True)
def clean_keras(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Names and policies start anew; the smallest gradient has a call of its own under XLA, as large ones have."""
    monkeypatch.setattr(native, "APART", 1)
    keras.utils.clear_session()
    yield
    keras.config.set_dtype_policy("float32")


def trained(
    callbacks: list[Any],
    *,
    optimizer: Any = None,
    wide: int = 8,
    epochs: int = 3,
    regularizer: Any = None,
    y_rank: int = 2,
    **compiled: Any,
) -> tuple[list[float], list[Any]]:
    """Fit a small regression: 13 steps an epoch, the last batch of 8; losses of the epochs and weights."""
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)).astype("float32")
    y = (x[:, :1] - x[:, 1:2] ** 2).astype("float32")
    model = keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(wide, "tanh", name="a", kernel_regularizer=regularizer),
            keras.layers.Dense(1, name="b", dtype="float32"),
        ]
    )
    adam = keras.optimizers.Adam(0.01, beta_2=0.99, epsilon=EPSILON)
    model.compile(optimizer or adam, "mse", **{"jit_compile": False, **compiled})
    history = model.fit(x, y if y_rank == 2 else y[:, 0], batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks)
    return history.history["loss"], model.get_weights()


@JIT
def test_recomputing_adam_in_float64_gives_the_recorded_weights(jit: bool) -> None:
    """Keras's placement of epsilon, from recorded weights and gradients alone; the moments as well."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit)
    steps = assembled(run.recordings)
    assert [step.step for step in steps] == list(range(1, 21))
    worst = 0.0
    moments: dict[str, tuple[Any, Any]] = {}
    for t, step in enumerate(steps, 1):
        assert step.left_out == {}
        assert len(step.of("weight")) == 4
        for name, weight in step.of("weight").items():
            w, g = (np.asarray(x.values, np.float64) for x in (weight, step.of("gradient")[name]))
            m, v = moments.get(name, (np.zeros_like(w), np.zeros_like(w)))
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            moments[name] = m, v
            rate = step.scalars["lr"] * np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
            updated = step.of("updated")[name].values
            assert updated is not None
            worst = max(worst, float(np.abs(w - rate * m / (np.sqrt(v) + EPSILON) - updated).max()))
            np.testing.assert_allclose(step.of("state.momentums")[name].values, m, rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(step.of("state.velocities")[name].values, v, rtol=1e-5, atol=1e-9)
    assert worst < 1e-6


@JIT
def test_the_recorded_loss_is_that_of_the_recorded_output_and_target(jit: bool) -> None:
    """Data loss and penalty apart; the gradient of the last bias as well; the partial batch too."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit, regularizer=keras.regularizers.L2(0.1))
    steps = assembled(run.recordings)
    for step in steps:
        output, target = step.of("output")["output0"].whole(), step.of("target")["target0"].whole()
        squares = np.mean((output.astype(np.float64) - target) ** 2)
        kernel = next(a for name, a in step.of("weight").items() if name.endswith("a/kernel")).whole()
        penalty = 0.1 * np.sum(kernel.astype(np.float64) ** 2)
        assert step.scalars["loss/penalty"] == pytest.approx(penalty, rel=1e-5)
        assert step.scalars["loss"] == pytest.approx(squares + penalty, rel=1e-5)
        bias = next(a for name, a in step.of("gradient").items() if name.endswith("b/bias")).whole()
        assert 2 * np.mean(output - target) == pytest.approx(bias[0], rel=1e-4)
    assert steps[0].of("batch")["input0"].shape == (16, 6)
    assert steps[12].of("batch")["input0"].shape == (8, 6)


@JIT
def test_the_shapes_of_output_and_target_are_those_given(jit: bool) -> None:
    """(B, 1) against (B,): Keras aligns them later."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit, y_rank=1)
    step = assembled(run.recordings)[0]
    told = step.facts["loss"]
    assert (told["output_shape"], told["target_shape"]) == ([16, 1], [16])
    assert (told["operation"], told["reduction"]) == ("mean_squared_error", "sum_over_batch_size")


def test_g5_training_is_bit_identical() -> None:
    """While recording and after: losses and weights bitwise."""
    plain, audited = trained([]), trained([Audit(run=Kept())])
    assert plain[0] == audited[0]
    assert all(np.array_equal(a, b) for a, b in zip(plain[1], audited[1], strict=True))


@pytest.mark.parametrize("options", [{"steps_per_execution": 8}, {"run_eagerly": True}])
def test_however_steps_are_executed_the_first_twenty_are_there(options: dict[str, Any]) -> None:
    """Several to a call, or without a graph."""
    run = Kept()
    trained([Audit(run=run)], epochs=2, **options)
    assert [recording.step for recording in run.recordings] == list(range(1, 21))
    assert run.steps == list(range(1, 27))


@JIT
def test_an_accumulated_step_has_the_gradient_that_is_applied(jit: bool) -> None:
    """Four micro-batches are one step; plain SGD makes the gradient visible in the weights."""
    run = Kept()
    trained(
        [Audit(run=run)], jit_compile=jit, optimizer=keras.optimizers.SGD(0.5, gradient_accumulation_steps=4), epochs=2
    )
    steps = assembled(run.recordings)
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    for step in steps:
        for name, weight in step.of("weight").items():
            moved = weight.whole() - 0.5 * step.of("gradient")[name].whole()
            np.testing.assert_allclose(moved, step.of("updated")[name].whole(), atol=1e-6)


@JIT
def test_gradients_of_scaled_losses_are_unscaled(jit: bool) -> None:
    """Under mixed_float16 with plain SGD; steps that the scaler leaves out are not recorded."""
    keras.config.set_dtype_policy("mixed_float16")
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit, optimizer=keras.optimizers.SGD(0.5))
    steps = assembled(run.recordings)
    assert steps
    for step in steps:
        for name, weight in step.of("weight").items():
            moved = weight.whole() - 0.5 * step.of("gradient")[name].whole()
            np.testing.assert_allclose(moved, step.of("updated")[name].whole(), atol=1e-4)


@JIT
def test_a_large_model_is_sampled_in_the_graph(jit: bool) -> None:
    """Five megabytes in one kernel: little is recorded, the rule still holds element by element."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit, optimizer=keras.optimizers.SGD(0.01), wide=200_000, epochs=1)
    assert max(recording.nbytes for recording in run.recordings) < 60_000
    for step in assembled(run.recordings)[:5]:
        assert step.left_out == {}
        for name, weight in step.of("weight").items():
            assert weight.values is not None
            moved = weight.values - np.float32(0.01) * step.of("gradient")[name].values
            np.testing.assert_allclose(moved, step.of("updated")[name].values, atol=1e-6)


def test_under_xla_steps_that_run_together_show_weights_at_their_ends() -> None:
    """Four to a call: gradients and data of each, weights before the first, after the last."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=True, steps_per_execution=4, epochs=1)
    steps = {step.step: step for step in assembled(run.recordings)}
    assert list(steps) == list(range(1, 14))
    for number, step in steps.items():
        assert len(step.of("gradient")) == 4
        assert step.of("batch")["input0"].whole().shape == ((8 if number == 13 else 16), 6)
        assert bool(step.of("weight")) == (number % 4 == 1)
        assert bool(step.of("updated")) == (number % 4 == 0 or number == 13)


@JIT
def test_outputs_of_layers_are_recorded_as_they_were(jit: bool) -> None:
    """Sampled rows and figures of each unit, from the recorded batch and weights."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit)
    for step in assembled(run.recordings):
        weights = {name.split("/")[-2] + name.split("/")[-1]: a.whole() for name, a in step.of("weight").items()}
        hidden = np.tanh(step.of("batch")["input0"].whole() @ weights["akernel"] + weights["abias"])
        (name,) = step.of("activation")
        assert name.endswith("a")
        np.testing.assert_allclose(step.of("activation")[name].whole(), hidden, atol=1e-5)
        figures = np.stack([hidden.mean(0), hidden.std(0), hidden.min(0), hidden.max(0)])
        np.testing.assert_allclose(step.of("units")[name].whole(), figures, atol=1e-5)
        assert step.facts["layers"] == [{"name": name, "kind": "Dense", "activation": "tanh"}]
        assert step.facts["output_activation"] == "linear"
        assert step.facts["phase"] == "train"


@JIT
def test_the_manifest_is_told_what_was_seen(jit: bool) -> None:
    """Initial weights by their rule, batches, loss shapes; decay and epsilon in canonical units."""
    run = Kept()
    trained([Audit(run=run)], jit_compile=jit, wide=64, regularizer=keras.regularizers.L2(0.1))
    weights = run.observed["observed"]["weights"]
    kernel = next(told for name, told in weights.items() if name.endswith("a/kernel"))
    assert "glorot_uniform" in kernel["formulas"]
    assert all(told["distribution"] == "zeros" for name, told in weights.items() if name.endswith("bias"))
    seen = run.observed["observed"]["data"]
    assert (seen["steps"], seen["batch_size"], seen["partial_batches"]) == (20, 16, [8])
    # With a global seed TensorFlow shuffles every epoch alike: the second begins as the first (DATA-01).
    assert seen["repeated_batches"] == 7
    assert seen["batch_digests"][:7] == seen["batch_digests"][13:]
    canonical = run.observed["canonical"]
    assert canonical["update"][0]["epsilon"] == EPSILON
    assert "before" in canonical["update"][0]["epsilon_placement"]
    assert canonical["penalties"]["a.kernel"]["gradient_factor"] == pytest.approx(0.2)
