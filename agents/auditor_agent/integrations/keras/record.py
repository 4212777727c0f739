"""The flight recorder's tap in a Keras train step on TensorFlow.

While the step is traced, two conditional calls to the host are put into it: before the optimizer
acts (weights, gradients, batch, target, output) and after (weights, state). They run while a
variable says so and copy nothing afterwards; the step is not traced anew when it is cleared. Large
tensors are sampled in the graph. Used where the host cannot look between two steps
(``steps_per_execution`` > 1), where there are no taps, and eagerly; else see ``keras_compiled``.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Final

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.listener import Taps
from auditor_agent.integrations.keras.on_tensorflow import reachable
from auditor_agent.integrations.keras.tape import Tape, Values, dtype_of
from auditor_agent.recorder import Budget

_STANDARD: Final = Budget()


class GraphTape(Tape):
    """Two conditional calls to the host, put into the step while it is traced."""

    def __init__(self, probe: Any) -> None:
        super().__init__(probe)
        self._on: Any = None
        self._head: Sequence[Any] = ()
        self._last: Any = None

    def _listen(self, on: bool) -> None:
        if self._on is not None:
            self._on.assign(on)

    @guarded(None)
    def before(self, head: Sequence[Any], variables: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """The optimizer is about to act: ``gradients`` are (variable, dense gradient)."""
        if self._recorder is None:
            return
        self._prepare(variables)
        if self._on is None:
            with tf.init_scope():
                self._on = tf.Variable(self._listening, trainable=False)
        self._variables = list(variables)
        self._head = [tf.identity(part) for part in head[:1]]  # read now: the optimizer counts on
        data, self._data = [(label, t) for label, t in self._data if reachable(t)], []
        weights = [(("weight", self._name(v), dtype_of(v)), v) for v in variables]
        found = [(("gradient", self._name(v), g.dtype.name), g) for v, g in gradients]
        self._conditionally(self.receive_before, weights + found, data, head)

    @guarded(None)
    def after(self) -> None:
        """The optimizer has acted."""
        variables, self._variables = self._variables, []
        if not variables:
            return
        updated = [(("updated", self._name(v), dtype_of(v)), v) for v in variables]
        taps: Taps | None = self._probe.taps
        # What the tap took is recorded with the rest.
        with tf.control_dependencies([] if taps is None else taps.done):
            self._conditionally(self.receive_after, updated + self._state(variables), [], self._head)

    def _conditionally(self, receive: Any, tensors: Any, data: Any, head: Sequence[Any]) -> None:
        """Put a call of ``receive`` into the graph that happens while the recorder listens."""
        labels = [label for label, _ in (*tensors, *data)]
        share = self._recorder.share if self._recorder is not None else _STANDARD.sample
        received = weakref.WeakMethod(receive)  # TensorFlow keeps what it may call for ever: not the model with it

        def call(scalars: Values, *arrays: Values) -> None:
            told = received()
            if told is None:
                return
            flats, shapes = arrays[: len(labels)], arrays[len(labels) :]
            values = [(flat, tuple(int(n) for n in shape)) for flat, shape in zip(flats, shapes, strict=True)]
            told(labels, scalars, values)

        def record() -> Any:
            # Read here, not outside: a variable that nobody listens to is not copied.
            read = [tf.convert_to_tensor(tensor) for _, tensor in tensors]
            values = [_elements(t, share, _STANDARD.whole_bytes) for t in read]
            values += [_elements(t, _STANDARD.sample, _STANDARD.data_whole) for _, t in data]
            shapes = [tf.shape(t, tf.int64) for t in (*read, *(t for _, t in data))]
            scalars = tf.stack([tf.cast(part, tf.float64) for part in head]) if head else tf.zeros([0], tf.float64)
            tf.numpy_function(call, [scalars, *values, *shapes], Tout=[])
            return tf.constant(value=True)

        with tf.control_dependencies(here(self._last)):  # of several steps in one graph one after the other
            self._last = tf.cond(self._due(), record, lambda: tf.constant(value=False))

    def _due(self) -> Any:
        """Whether the step that runs is recorded."""
        return self._on.read_value()


def here(node: Any) -> list[Any]:
    """An operation or tensor that what is traced now may wait for: none of another graph."""
    graph = None if node is None or tf.executing_eagerly() else getattr(node, "graph", None)
    return [node] if graph is not None and graph is tf.compat.v1.get_default_graph() else []


def _elements(tensor: Any, sample: int, whole_bytes: int) -> Any:
    """The elements to hand over, flat: all up to ``whole_bytes``, else ``sample`` evenly spread ones."""
    if tensor.dtype == tf.bfloat16:  # no type of NumPy's own
        tensor = tf.cast(tensor, tf.float32)
    flat = tf.reshape(tensor, [-1])
    most = whole_bytes // tensor.dtype.size
    size = tensor.shape.num_elements()
    if size is not None and size <= most:
        return flat
    length = tf.size(flat, tf.int64)
    count = tf.where(length <= most, length, tf.minimum(length, tf.cast(sample, tf.int64)))
    at = tf.range(count, dtype=tf.int64) * tf.maximum(length - 1, 0) // tf.maximum(count - 1, 1)
    return tf.gather(flat, at)
