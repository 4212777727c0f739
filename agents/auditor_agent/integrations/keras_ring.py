"""Where a Keras train function on TensorFlow leaves what it saw: a ring on the device, or the host.

Both stores are written from inside the traced train step, so every step is there, also with
``steps_per_execution`` > 1, and read by the callback. A row is the *head* (see ``HEAD``) and the
statistics of every gradient.

``RingStore`` computes the statistics in the graph and writes row ``tick % rows`` of a variable that
no model tracks; the host reads the whole ring once in a while: one synchronisation for many steps.
It works wherever TensorFlow does, compiled by XLA or not. ``HostStore`` hands the gradients to
NumPy through ``numpy_function``: several times cheaper on a CPU, impossible under XLA.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from auditor_agent.capture import arrays
from auditor_agent.guard import guarded
from auditor_agent.statistics import COUNTS, WORDS

F64 = npt.NDArray[np.float64]

#: The scalars of a row: optimizer iterations before the step, total loss, the share of it that is
#: regularization (NaN where the framework does not tell), learning rate, and the factor by which
#: the gradients were multiplied to undo loss scaling.
HEAD: Final = ("iterations", "loss", "penalty", "rate", "unscale")


@dataclass(frozen=True, slots=True)
class Row:
    """What one train step left: its head and the (12, tensors) words of its gradients."""

    iterations: int
    loss: float
    penalty: float
    rate: float
    unscale: float
    words: arrays.Words

    @property
    def nonfinite(self) -> int:
        """NaN and Inf elements over all gradients."""
        return int(self.words[1:3].sum(dtype=np.int64))

    @property
    def suspicious(self) -> bool:
        """Whether anything in the row is not finite."""
        return not np.isfinite(self.loss) or self.nonfinite > 0


class Store(Protocol):
    """Takes rows inside the train step, gives them back outside."""

    lost: int
    """Rows overwritten before they were read."""

    @property
    def rows(self) -> int:
        """Steps that may pass between two reads."""

    @property
    def urgent(self) -> bool:
        """Whether something non-finite is known to wait."""

    def put(self, head: Any, gradients: Sequence[Any], unscale: Any) -> None:
        """Take one step's row; called while TensorFlow traces (or runs eagerly)."""

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now."""


class HostStore:
    """Statistics by NumPy in the process's own memory, for train functions that run on a CPU."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._waiting: list[Row] = []
        self.lost = 0
        self.urgent = False

    def put(self, head: Any, gradients: Sequence[Any], unscale: Any) -> None:
        """Hand the gradients to the host; ``unscale`` is part of the head."""
        del unscale
        # bfloat16 is no type of NumPy's own.
        inputs = [tf.cast(g, tf.float32) if g.dtype == tf.bfloat16 else g for g in gradients]
        tf.numpy_function(self._receive, [head, *inputs], Tout=[])

    @guarded(None)
    def _receive(self, head: F64, *gradients: npt.NDArray[Any]) -> None:
        factor = float(head[-1])
        if factor != 1.0:
            gradients = tuple(g.astype(np.float64) * factor for g in gradients)
        if len(self._waiting) >= self.rows:  # nobody reads: a custom loop around train_function
            self._waiting.clear()
            self.lost += self.rows
        row = _row(head, arrays.words(gradients))
        self.urgent = self.urgent or row.suspicious
        self._waiting.append(row)

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""
        rows, self._waiting, self.urgent = self._waiting, [], False
        return rows

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now."""
        return arrays.words([_array(variable) for variable in variables])


class RingStore:
    """Statistics in the graph, written to a ring on the device."""

    urgent: Final = False

    def __init__(self, tensors: int, rows: int) -> None:
        with tf.init_scope():
            self._ring = tf.Variable(tf.zeros([rows, len(HEAD) + WORDS * tensors], tf.float64), trainable=False)
            self._tick = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._tensors, self._rows, self._read, self.lost = tensors, rows, 0, 0

    @property
    def rows(self) -> int:
        """Steps that may pass between two reads."""
        return self._rows

    def put(self, head: Any, gradients: Sequence[Any], unscale: Any) -> None:
        """Write one row. Scatter, as an assignment to a slice fails under XLA inside a ``cond``."""
        table = reduce_all(tuple(gradients), tf.cast(unscale, tf.float64))
        row = tf.concat([head, tf.reshape(table, [-1])], 0)
        slot = tf.cast(self._tick.read_value() % self._rows, tf.int32)
        self._ring.scatter_nd_update([[slot]], row[None])
        self._tick.assign_add(1)

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
        return _row(row, arrays.pack(table[: len(COUNTS)], table[len(COUNTS) :]))

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now, reduced on the device."""
        values = tuple(tf.convert_to_tensor(variable) for variable in variables)
        table = reduce_all(values, tf.constant(1.0, tf.float64)).numpy()
        return arrays.pack(table[: len(COUNTS)], table[len(COUNTS) :])


def _row(head: F64, words: arrays.Words) -> Row:
    iterations, loss, penalty, rate, unscale = head[: len(HEAD)].tolist()
    return Row(int(iterations), loss, penalty, rate, unscale, words)


def _array(variable: Any) -> npt.NDArray[Any]:
    value = tf.convert_to_tensor(variable)
    return np.asarray((tf.cast(value, tf.float32) if value.dtype == tf.bfloat16 else value).numpy())


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
    nans, bad, zeros = _count(nan), size - _count(finite), _count(tf.equal(x, 0))
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


def _count(mask: Any) -> Any:
    # Counted in int64: exact to 2**53 once in float64, whatever the reduction's order.
    return tf.cast(tf.reduce_sum(tf.cast(mask, tf.int64)), tf.float64)
