"""Under XLA large tensors have custom calls of their own: what these tell is what the step's one call would."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from auditor_agent.capture.native import tensorflow as native
from auditor_agent.capture.native.tensorflow_taps import AHEAD, COPY, Block, Operand, Tap
from auditor_agent.integrations.keras import watch
from auditor_agent.integrations.keras.layers import Step
from auditor_agent.integrations.keras.native import NativeStore
from auditor_agent.integrations.keras.rows import Row
from auditor_agent.integrations.keras.taps import Label, Taps
from auditor_agent.keras import Audit
from support.keras_models import MemoryRun, assert_same_statistics, by_tape, data, keras, mlp, poisoned, tf

pytestmark = pytest.mark.skipif(native.custom_call() is None, reason="the C library was not built")
NEVER = 1 << 60


def tensors(content: str) -> list[Any]:
    """A large tensor of some content between two small ones."""
    rng = np.random.default_rng(5)
    array = rng.standard_normal((90, 70)).astype("float32")
    if content == "broken":
        array[3, :5], array[4, :7], array[5] = np.nan, -np.inf, 0
    elif content == "denormal":
        array[7, :30] = 1e-41  # the threads of XLA take these for zeros
    dtype = {"half": tf.float16, "bfloat16": tf.bfloat16, "double": tf.float64}.get(content, tf.float32)
    return [tf.constant([1.0, 2.0]), tf.cast(tf.constant(array), dtype), tf.zeros([0])]


def rows(values: Sequence[Any], steps: int = 3) -> list[Row]:
    """The rows that a compiled step leaves of these tensors."""
    store = NativeStore(8, len(values), jit=True)

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step(count: Any, *given: Any) -> None:
        half = tf.constant(0.5, tf.float64)
        store.put([count, half, half, half, tf.constant(1.0, tf.float64)], given)

    for number in range(steps):
        step(tf.constant(number, tf.int64), *values)
    return store.drain()


@pytest.mark.parametrize("content", ["normal", "broken", "denormal", "half", "bfloat16", "double"])
def test_the_words_of_a_tensor_reduced_apart_are_the_same_bits(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in it and whatever its type."""
    values = tensors(content)
    monkeypatch.setattr(native, "APART", NEVER)
    together = rows(values)
    monkeypatch.setattr(native, "APART", 100)
    apart = rows(values)
    assert [row.iterations for row in apart] == [0, 1, 2]
    assert np.array_equal([row.words for row in apart], [row.words for row in together])
    assert [row.nonfinite for row in apart] == [12 if content == "broken" else 0] * 3
    assert all(row.suspicious for row in apart) == (content == "broken")


def test_a_store_that_compiled_and_eager_steps_share_reads_each_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eager step hands over whole tensors, the compiled one after it words again."""
    monkeypatch.setattr(native, "APART", 100)
    store, values = NativeStore(8, 3, jit=True), tensors("normal")
    head = [tf.constant(part, tf.float64) for part in (0, 0.5, 0.0, 0.1, 1.0)]
    compiled = tf.function(lambda: store.put(head, values), jit_compile=True)
    compiled()
    store.put(head, values)
    compiled()
    words = [row.words for row in store.drain()]
    assert len(words) == 3
    assert np.array_equal(words[0], words[1])
    assert np.array_equal(words[0], words[2])


def test_a_reduction_that_failed_leaves_no_row() -> None:
    """Words without a count, as out of memory leaves them, are no statistics."""
    ring = native.Ring(4, 1)
    call = native.custom_call()
    assert call is not None
    ring.shapes([tf.zeros([12], tf.uint32)])
    step = tf.function(lambda words: call(str(ring.key), [tf.zeros([5], tf.float64), words]), jit_compile=True)
    step(tf.zeros([12], tf.uint32))
    assert ring.read() == []
    step(tf.constant(list(range(1, 13)), tf.uint32))
    assert ring.read()[0][1][:, 0].tolist() == list(range(1, 13))


@pytest.mark.parametrize("steps_per_execution", [1, 8])
def test_every_step_has_the_statistics_that_a_tape_gives(
    steps_per_execution: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With kernels apart and biases together, also of steps that run together."""
    monkeypatch.setattr(native, "APART", 100)
    x, y = data(200)
    twin, model, run = mlp(), mlp(), MemoryRun()
    twin.compile(keras.optimizers.SGD(0.05), "mse")
    expected = by_tape(twin, x, y, 32, 2)
    model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=True, steps_per_execution=steps_per_execution)
    model.fit(x, y, batch_size=32, epochs=2, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps == list(range(1, 15))
    for record, (_, gradients) in zip(run.records, expected, strict=True):
        for mine, theirs in zip(model.trainable_variables, twin.trainable_variables, strict=True):
            assert_same_statistics(record["table"]["gradient", mine.path], gradients[theirs.path], 2e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_v1_what_is_not_finite_is_found_at_its_step(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the kernel whose gradient was reduced apart."""
    monkeypatch.setattr(native, "APART", 1)
    model, run = poisoned(13, value), MemoryRun()
    model.compile("sgd", "mse", jit_compile=True)
    model.fit(*data(208), batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    sick = [
        (record["step"], name, row["nan"] + row["inf"])
        for record in run.records
        for name, row in record["table"].items()
        if name[0] == "gradient" and row["nan"] + row["inf"]
    ]
    assert sick == [(13, ("gradient", model.layers[1].kernel.path), 64)]
    assert [record["urgent"] for record in run.records] == [False] * 12 + [True]


def taken(mode: int, most: int, accumulate: int = 1) -> list[Block]:
    """What a tap takes of a tensor at steps 2 and 4 of six iterations."""
    tap = Tap([Operand(tf.zeros([90, 70]), mode, 0, most), Operand(tf.zeros([3]), COPY, 0, 3)], 0, accumulate)
    tap.schedule(0, [2, 4])

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step(count: Any, large: Any, small: Any) -> Any:
        head = [count, *[tf.constant(0.5, tf.float64)] * 4]
        return tap.call(head, [Operand(large, mode, 0, most), Operand(small, COPY, 0, 3)], jit=True)

    large = np.random.default_rng(1).standard_normal((90, 70)).astype("float32")
    for number in range(6):
        step(tf.constant(number, tf.int64), tf.constant(large + number), tf.constant([1.0, 2.0, 3.0]))
    assert tap.lost == 0
    return tap.read()


@pytest.mark.parametrize("most", [9000, 100])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_what_is_taken_ahead_is_what_the_last_call_would_take(most: int, accumulate: int) -> None:
    """Whole or a sample, at the steps asked for, accumulated or not."""
    ahead, last = taken(AHEAD, most, accumulate), taken(COPY, most, accumulate)
    assert [block.step for block in ahead] == ([2, 4] if accumulate == 1 else [2])
    for one, other in zip(ahead, last, strict=True):
        assert (one.step, one.schedules, one.head) == (other.step, other.schedules, other.head)
        for mine, theirs in zip(one.operands, other.operands, strict=True):
            assert mine is not None
            assert theirs is not None
            assert mine.shape == theirs.shape
            assert np.array_equal(mine.values, theirs.values)


def test_what_a_tap_had_no_room_for_is_counted_once() -> None:
    """At most 64 MiB wait: of five blocks of 24 MiB three are left out."""
    large = tf.zeros([6 << 20], tf.float32)
    taps, label = Taps(None, accumulate=1, jit=False), Label("batch", "input0", "float32")
    taps.begin(0, range(1, 6))

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step(count: Any, x: Any) -> None:
        taps.put([count, *[tf.constant(0.5, tf.float64)] * 4], Step(), [(label, Operand(x, COPY, 0, 6 << 20))], [])

    for number in range(5):
        step(tf.constant(number, tf.int64), large)
    assert (taps.left_out(), taps.left_out()) == (3, 0)
    taps.read()
    step(tf.constant(4, tf.int64), large)
    assert taps.left_out() == 0


def test_recordings_that_found_no_room_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ``fit``, as often as there are new ones."""
    told = iter([0, 3, 0, 2])
    monkeypatch.setattr(Taps, "left_out", lambda _: next(told, 0))
    monkeypatch.setattr(watch, "READ_EVERY", 0.0)  # seconds: a look at each step, however quick they are
    model, run = mlp(), MemoryRun()
    model.compile(keras.optimizers.SGD(0.05), "mse")
    model.fit(*data(200), batch_size=32, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    assert [event["count"] for event in run.events if event["type"] == "recordings_lost"] == [3, 2]
    assert next(told, None) is None
