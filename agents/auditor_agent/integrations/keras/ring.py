"""Where a Keras train function on TensorFlow leaves what it saw: a ring on the device, or the host.

Both stores are written from inside the traced train step, so every step is there, also with
``steps_per_execution`` > 1, and read by the callback. A row is the *head* (see ``HEAD``) and the
statistics of every gradient.

``NativeStore`` (see ``keras_native``) is the cheap one, for CPUs with the C kernel.
``RingStore`` computes the statistics in the graph and writes row ``tick % rows`` of a variable that
no model tracks; the host reads the whole ring once in a while: one synchronisation for many steps.
It works wherever TensorFlow does, compiled by XLA or not. ``HostStore`` hands the gradients to
NumPy through ``numpy_function``: for CPUs without the C kernel, impossible under XLA.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from auditor_agent.capture import arrays
from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.rows import F64, HEAD, Row, row_of
from auditor_agent.statistics import COUNTS, WORDS


class HostStore:
    """Statistics by NumPy in the process's own memory, for train functions that run on a CPU."""

    anywhere = crowded = False

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._waiting: deque[Row] = deque()
        self.lost = 0
        self.urgent = False

    def put(self, head: Sequence[Any], gradients: Sequence[Any], after: Sequence[Any] = ()) -> Any:
        """Hand the gradients to the host, after ``after``."""
        # bfloat16 is no type of NumPy's own.
        inputs = [tf.cast(g, tf.float32) if g.dtype == tf.bfloat16 else g for g in gradients]
        with tf.control_dependencies(after):
            return tf.numpy_function(self._receive, [stacked(head), *inputs], Tout=[])

    @guarded(None)
    def _receive(self, head: F64, *gradients: npt.NDArray[Any]) -> None:
        factor = float(head[-1])
        if factor != 1.0:
            gradients = tuple(g.astype(np.float64) * factor for g in gradients)
        if len(self._waiting) >= self.rows:  # nobody reads: a custom loop around train_function
            self._waiting.clear()
            self.lost += self.rows
        row = row_of(head, arrays.words(gradients))
        self.urgent = self.urgent or row.suspicious
        self._waiting.append(row)

    def count(self, least: int, updates: int = 1) -> None:
        """Makes no histograms."""

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""
        self.urgent = False
        return [self._waiting.popleft() for _ in range(len(self._waiting))]  # a thread may append meanwhile

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now."""
        return arrays.words([host(variable) for variable in variables])


class RingStore:
    """Statistics in the graph, written to a ring on the device."""

    urgent: Final = False
    anywhere = crowded = False

    def __init__(self, tensors: int, rows: int) -> None:
        with tf.init_scope():
            self._ring = tf.Variable(tf.zeros([rows, len(HEAD) + WORDS * tensors], tf.float64), trainable=False)
            self._tick = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._tensors, self._rows, self._read, self.lost = tensors, rows, 0, 0

    @property
    def rows(self) -> int:
        """Steps that may pass between two reads."""
        return self._rows

    def put(self, head: Sequence[Any], gradients: Sequence[Any], after: Sequence[Any] = ()) -> Any:
        """Write one row, after ``after``. Scatter, as an assignment to a slice fails under XLA inside a ``cond``."""
        scalars = stacked(head)
        row = tf.concat([scalars, tf.reshape(reduce_all(tuple(gradients), scalars[-1]), [-1])], 0)
        slot = tf.cast(self._tick.read_value() % self._rows, tf.int32)
        self._ring.scatter_nd_update([[slot]], row[None])
        with tf.control_dependencies(after):
            return self._tick.assign_add(1)

    def count(self, least: int, updates: int = 1) -> None:
        """Makes no histograms."""

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""
        tick = int(self._tick.numpy())
        if tick == self._read:
            return []
        ring = self._ring.numpy()
        first = max(self._read, tick - self._rows)
        self.lost += first - self._read
        self._read = tick
        return [self._parse(ring[i % self._rows]) for i in range(first, tick)]

    def _parse(self, row: F64) -> Row:
        table = row[len(HEAD) :].reshape(WORDS, self._tensors)
        return row_of(row, arrays.pack(table[: len(COUNTS)], table[len(COUNTS) :]))

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now, reduced on the device."""
        values = tuple(tf.convert_to_tensor(variable) for variable in variables)
        table = reduce_all(values, tf.constant(1.0, tf.float64)).numpy()
        return arrays.pack(table[: len(COUNTS)], table[len(COUNTS) :])


def stacked(head: Sequence[Any]) -> Any:
    """The scalars of a head as one float64 vector."""
    return tf.stack([tf.cast(part, tf.float64) for part in head])


def host(variable: Any) -> npt.NDArray[Any]:
    """The values of a variable, where they lie if that is host memory; bfloat16 as float32. Not to be written to.

    They stay as they are: TensorFlow gives a variable other memory before it writes to what somebody holds.
    """
    value = tf.convert_to_tensor(variable)
    value = tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value
    try:
        return np.asarray(memoryview(value))
    except (TypeError, ValueError, BufferError):  # on a device, or of a type that Python's buffers do not know
        return np.asarray(value.numpy())


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow has no types
def reduce_all(tensors: tuple[Any, ...], unscale: Any) -> Any:
    """The statistics of ``tensors`` times ``unscale`` as float64, shape (12, len(tensors)).

    Compiled by XLA whatever the model is: one launch for all tensors, the passes fused where the
    device's compiler can.
    """
    return tf.stack([_reduce(tensor, unscale) for tensor in tensors], 1)


def _reduce(tensor: Any, unscale: Any) -> Any:
    x = tf.reshape(tf.cast(tensor, tf.float64), [-1])
    nan, finite = tf.math.is_nan(x), tf.math.is_finite(x)
    zero, size = tf.zeros([], tf.float64), tf.cast(tf.size(x, tf.int64), tf.float64)
    nans, bad, zeros = _count(nan), size - _count(finite), _count(_zeros(tensor))
    z = tf.where(finite, x, zero) * unscale
    some = tf.maximum(size - bad, 1)
    total, square = tf.reduce_sum(z), tf.reduce_sum(z * z)
    mean = total / some
    off = tf.where(finite, z - mean, zero)
    std = tf.sqrt(tf.reduce_sum(off * off) / some)
    huge = tf.constant(np.inf, tf.float64)
    low, high = tf.reduce_min(tf.where(finite, z, huge)), tf.reduce_max(tf.where(finite, z, -huge))
    empty = bad >= size
    low, high = tf.where(empty, zero, low), tf.where(empty, zero, high)
    counts = [size, nans, bad - nans, zeros]
    return tf.stack([*counts, mean, std, low, high, tf.maximum(-low, high), tf.sqrt(square), total, square])


def _zeros(tensor: Any) -> Any:
    """Where the elements are zero by their bits: TensorFlow and XLA take denormal numbers for zero."""
    bits = tf.bitcast(tensor, {2: tf.int16, 4: tf.int32, 8: tf.int64}[tensor.dtype.size])
    return tf.equal(bits + bits, 0)  # the sign is shifted out


def _count(mask: Any) -> Any:
    # Counted in int64: exact to 2**53 once in float64, whatever the reduction's order.
    return tf.cast(tf.reduce_sum(tf.cast(mask, tf.int64)), tf.float64)
