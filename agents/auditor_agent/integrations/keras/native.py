"""The cheap store: the C kernel within TensorFlow's graph, for train functions on a CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from auditor_agent.capture import arrays, native
from auditor_agent.capture.array_histogram import shifted
from auditor_agent.capture.native.tensorflow import Ring, apart, custom_call, operation, reduced
from auditor_agent.config import Config
from auditor_agent.integrations.keras.ring import stacked
from auditor_agent.integrations.keras.rows import F64, HEAD, Row
from auditor_agent.statistics import COUNTS, MOMENTS

#: That read large gradients: the reading ends sooner, and memory gives no more to a third.
_THREADS: Final = 2
#: How often the factor goes into each moment of tensors that are multiplied by it.
_POWERS: Final = np.array([2.0 if name == "sumsq" else 1.0 for name in MOMENTS])[:, None]


class NativeStore:
    """Statistics by the C kernel, written by an operation of ours to memory of this process.

    Without XLA it runs beside the optimizer's own operations and without Python's lock; under XLA it
    is a custom call in the compiled program.
    """

    anywhere = True

    def __init__(self, rows: int, tensors: int, *, jit: bool) -> None:
        self._threads = min(_THREADS, os.cpu_count() or 1)
        self._ring = Ring(rows, tensors, threads=self._threads)
        self._weights: Ring | None = None
        self._tick: Any = None
        if jit:
            with tf.init_scope():
                self._tick = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def rows(self) -> int:
        """Steps that may pass between two reads."""
        return self._ring.rows

    @property
    def lost(self) -> int:
        """Rows overwritten before they were read."""
        return self._ring.lost

    @property
    def crowded(self) -> bool:
        """Whether half of the rows wait: it is time to read."""
        return 2 * self._ring.waiting > self._ring.rows

    @property
    def urgent(self) -> bool:
        """Whether something non-finite is known to wait."""
        return self._ring.suspicious

    def put(self, head: Sequence[Any], gradients: Sequence[Any], after: Sequence[Any] = ()) -> Any:
        """Have one row written each time the traced step runs, after ``after``. What it returns names this."""
        values = [_readable(gradient) for gradient in gradients]
        if self._tick is None or tf.executing_eagerly():
            with tf.control_dependencies(after):
                return _record(self._ring, head, values)
        call = custom_call()
        assert call is not None  # noqa: S101 -- whoever made this store asked
        if self._ring.whole:
            values = [reduced(value, self._threads) if apart(value) else value for value in values]
        self._ring.shapes(values)
        # An operand more than the row has tensors is not looked at; XLA only keeps the order of what needs each other.
        written = call(str(self._ring.key), [stacked(head), *values, *after])
        self._tick.assign(written)  # somewhere, for what has no use is pruned from the graph
        return written

    def count(self, least: int, updates: int = 1) -> None:
        """Have histograms counted as AUDITOR_HISTOGRAMS says, a step being so many ``updates``. Before the first row.

        Not if memory is too short for ``least`` rows.
        """
        every = Config.from_env().histograms
        if every:
            self._ring.count(every * updates, least)

    def only(self, early: Sequence[int], every: int) -> None:
        """Have only the updates ``early`` and each ``every``th recorded: a branch in XLA would copy the tensors."""
        self._ring.only(early, every)

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""
        rows = [_row(*row) for row in self._ring.read()]
        # Steps unrolled into one graph may write in any order that their data allow.
        return sorted(rows, key=lambda row: row.iterations)

    def statistics(self, variables: Sequence[Any]) -> arrays.Words:
        """Statistics of variables as they are now, read in place."""
        if self._weights is None or self._weights.tensors != len(variables):
            self._weights = Ring(1, len(variables))
        zero = tf.zeros([], tf.float64)
        _record(self._weights, [zero] * len(HEAD), [_readable(tf.convert_to_tensor(v)) for v in variables])
        return self._weights.read()[-1][1]


def _record(ring: Ring, head: Sequence[Any], values: Sequence[Any]) -> Any:
    record = operation()
    if record is None:
        raise RuntimeError("the operation was not built")
    with tf.device("CPU:0"):
        return record([*head, *values], key=ring.key)


def _readable(value: Any) -> Any:
    return value if value.dtype.name in native.DTYPES else tf.cast(value, tf.float32)


def _row(scalars: F64, words: arrays.Words, histograms: arrays.Words | None) -> Row:
    iterations, loss, penalty, rate, unscale, found, when = scalars.tolist()
    if unscale != 1.0:
        moments = words[len(COUNTS) :].view(np.float32).astype(np.float64) * unscale**_POWERS
        words = arrays.pack(words[: len(COUNTS)], moments)
        histograms = None if histograms is None else shifted(histograms, unscale)
    return Row(int(iterations), loss, penalty, rate, unscale, words, int(found), histograms, when)
