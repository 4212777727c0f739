"""Loops of several optimizers: one after the other they make one run, by turns the first one's steps do."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras.taps import Taps  # noqa: E402
from auditor_agent.integrations.tensorflow import audit as integration  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow import tape  # noqa: E402
from auditor_agent.integrations.tensorflow.audit import _Unasked  # noqa: E402
from auditor_agent.integrations.tensorflow.succession import Succession  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402

MODES = pytest.mark.parametrize("mode", ["eager", "graph"])
STEPS = 10


class Observed:
    """The process is observed; what is seen goes to the ear of the test that runs."""

    ear: _Unasked

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ear, name)


OBSERVED = Observed()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """A run that keeps what it is told, as ``auditor run`` would open it."""
    keras.utils.clear_session()
    memory = MemoryRun(f"succession {np.random.default_rng().integers(2**60)}")
    monkeypatch.setattr(integration, "open_run", lambda _: memory)
    OBSERVED.ear = _Unasked()
    tape.observe(OBSERVED)  # type: ignore[arg-type]  # it passes on all that a sink has
    yield memory
    memory.finished = True
    tape._sinks.remove(OBSERVED)  # type: ignore[arg-type]  # as above
    for thread in [thread for thread in threading.enumerate() if thread.name == "auditor-tensorflow"]:
        thread.join(5)


def net() -> Any:
    """A small model."""
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])


def stepper(model: Any, optimizer: Any, mode: str) -> Callable[[], float]:
    """Takes a step of a regression and tells its loss."""
    criterion = keras.losses.MeanSquaredError()
    rng = np.random.default_rng(0)

    def step(x: Any) -> Any:
        with tf.GradientTape() as recorded:
            loss = criterion(x[:, :1], model(x, training=True))
        gradients = recorded.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    act = step if mode == "eager" else tf.function(step)
    return lambda: float(act(tf.constant(rng.standard_normal((8, 3)).astype("float32"))))


def read() -> None:
    """Have what was left recorded."""
    assert OBSERVED.ear._loop is not None
    OBSERVED.ear._loop.read()


def changes(run: MemoryRun) -> list[tuple[int, bool]]:
    """The last step of the optimizer before, and whether another model follows."""
    return [(e["step"], e["another_model"]) for e in run.events if e["type"] == "optimizer_changed"]


@MODES
def test_a_model_made_anew_for_each_fold_is_recorded_step_by_step(mode: str, run: MemoryRun) -> None:
    """Identities are used again once a fold's model is gone: no step is lost, none is kept alive."""
    losses, gone = [], []
    for _ in range(5):
        model, optimizer = net(), keras.optimizers.Adam(0.01)
        step = stepper(model, optimizer, mode)
        losses += [step() for _ in range(STEPS)]
        gone.append(weakref.ref(model))
        del model, optimizer, step
    read()
    assert run.steps == list(range(1, 5 * STEPS + 1))
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-5)
    assert changes(run) == [(STEPS * fold, True) for fold in range(1, 5)]
    assert len(run.manifests) == 1
    gc.collect()
    assert sum(ref() is not None for ref in gone) <= 1  # the last one is watched still


@MODES
def test_another_optimizer_of_the_same_model_goes_on(mode: str, run: MemoryRun) -> None:
    """As in fine-tuning with a lower rate: the weights keep their names, the first optimizer may stay."""
    model, kept = net(), []
    for rate in (0.1, 0.01):
        kept.append(keras.optimizers.SGD(rate))
        step = stepper(model, kept[-1], mode)
        for _ in range(STEPS):
            step()
    read()
    assert run.steps == list(range(1, 2 * STEPS + 1))
    assert run.scalar("lr") == pytest.approx([0.1] * STEPS + [0.01] * STEPS)
    assert changes(run) == [(STEPS, False)]
    assert len([name for kind, name in run.tensors if kind == "gradient"]) == 4


@MODES
@pytest.mark.parametrize("turns", [(1, 1), (5, 1), (1, 5)])
def test_optimizers_by_turns_leave_the_run_to_the_first(mode: str, turns: tuple[int, int], run: MemoryRun) -> None:
    """As in a GAN, whichever of the two takes more steps."""
    first, second = (stepper(net(), keras.optimizers.SGD(0.01), mode) for _ in range(2))
    losses = []
    for _ in range(4):
        losses += [first() for _ in range(turns[0])]
        for _ in range(turns[1]):
            second()
    read()
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-5)
    assert changes(run) == []


def test_optimizers_of_one_function_act_by_turns_from_the_start(run: MemoryRun) -> None:
    """Though the first has trained by itself before."""
    first, second = net(), net()
    ours, theirs = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01)
    alone = stepper(first, ours, "graph")
    for _ in range(STEPS):
        alone()
    both = tf.function(lambda: (stepper_of(first, ours), stepper_of(second, theirs)))
    for _ in range(STEPS):
        both()
    read()
    assert run.steps == list(range(1, 2 * STEPS + 1))
    assert changes(run) == []


def stepper_of(model: Any, optimizer: Any) -> Any:
    """One step on a constant batch."""
    x = tf.ones([4, 3])
    with tf.GradientTape() as recorded:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - 2.0))
    gradients = recorded.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


class Optimizer:
    """Something with an identity."""


def whose(acts: str) -> str:
    """Who has the run after each act, an upper case letter where it has just been taken over."""
    succession, known = Succession(), {letter: Optimizer() for letter in sorted(set(acts) - {"_"})}
    told, owner, steps = "", "", 0
    for letter in acts:
        acting = None if letter == "_" else known[letter]
        if not owner:
            succession.begin(acting)
            owner = letter
        taken = not succession.owns(acting) and succession.follows(acting, steps)
        owner, steps = (letter, 0) if taken else (owner, steps)
        if succession.owns(acting):
            succession.acting()
            steps += 1
        told += owner.upper() if taken else owner
    return told


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ("a" * 8 + "b" * 8 + "c", "a" * 8 + "B" + "b" * 7 + "C"),  # folds
        ("abababab", "aaaaaaaa"),
        ("abbbbbabbbbba", "aaaaaaaaaaaaa"),  # a critic's five
        ("aabbccddeeff", "aaaaaaaaaEFf"),  # folds of two steps: by the eighth it is plain
        ("a" * 5 + "b" + "a" * 5 + "b" + "a" * 5 + "b", "a" * 18),
        ("a" * 9 + "bababab", "a" * 9 + "BAaaaaa"),  # one was trained first, then both by turns
        ("_" * 9 + "bbb", "_" * 9 + "Bbb"),  # by hand, then not
    ],
)
def test_who_has_the_run(acts: str, expected: str) -> None:
    """Nobody takes over from one that acts by turns with it for long."""
    assert whose(acts) == expected


def test_one_that_is_gone_is_followed_at_once() -> None:
    """However few steps it took."""
    succession, first, second = Succession(), Optimizer(), Optimizer()
    succession.begin(first)
    assert not succession.follows(second, 1)
    del first
    assert succession.follows(second, 1)


def test_recordings_that_found_no_room_are_told(run: MemoryRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a loop that is traced, as often as there are new ones."""
    told = iter([0, 3, 0, 2])
    monkeypatch.setattr(Taps, "left_out", lambda _: next(told, 0))
    step = stepper(net(), keras.optimizers.SGD(0.01), "graph")
    step()
    for _ in range(6):
        read()
    assert [event["count"] for event in run.events if event["type"] == "recordings_lost"] == [3, 2]
