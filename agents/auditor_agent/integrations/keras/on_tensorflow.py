"""The probe's hands on TensorFlow: everything here runs while a train step is traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import tensorflow as tf

from auditor_agent.capture.native.tensorflow import custom_call, operation
from auditor_agent.integrations.keras import target as keras_target
from auditor_agent.integrations.keras.layers import Layers
from auditor_agent.integrations.keras.listener import Taps
from auditor_agent.integrations.keras.native import NativeStore
from auditor_agent.integrations.keras.ring import HostStore, RingStore, host
from auditor_agent.integrations.keras.rows import Store
from auditor_agent.integrations.keras.silent import Silent

__all__ = [
    "dense",
    "expanded",
    "host",
    "mean",
    "on_cpu",
    "outside",
    "parts",
    "reachable",
    "reciprocal",
    "scalar",
    "store",
    "tape",
    "taps",
    "target",
    "total",
    "untraced",
]

#: Steps kept on the host, where nobody reads them: a loop around the train function that is not ``fit``.
_HOST_ROWS: Final = 1024
_SCALARS: Final = frozenset({tf.float32, tf.float64})


def store(tensors: int, rows: int, *, jit: bool) -> Store:
    """The cheapest store for where the step will run; ``jit``: compiled by XLA."""
    host_only = on_cpu()
    if host_only and (custom_call() if jit else operation()) is not None:
        return NativeStore(max(rows, _HOST_ROWS), tensors, jit=jit)
    return HostStore(max(rows, _HOST_ROWS)) if host_only and not jit else RingStore(tensors, rows)


def on_cpu() -> bool:
    """Whether there is no other device."""
    return not [device for device in tf.config.list_logical_devices() if device.device_type != "CPU"]


def tape(probe: Any) -> Any:
    """The flight recorder's part in a train step on TensorFlow."""
    if not type(probe.model).train_step.__module__.startswith("keras."):  # the stock one tells its loss itself
        keras_target.listen()
    # Branches in the graph cost each step some microseconds per tensor, also where they are not taken.
    if probe.taps is not None and (probe.jit or probe.alone):
        from auditor_agent.integrations.keras.compiled import CompiledTape

        return CompiledTape(probe)
    if probe.jit:
        return Silent()
    from auditor_agent.integrations.keras.record import GraphTape

    return GraphTape(probe)


def taps(layers: Layers | None, *, accumulate: int, jit: bool) -> Taps | None:
    """The taps of a step on a CPU with the C library; None elsewhere."""
    if not on_cpu() or (custom_call() if jit else operation()) is None:
        return None
    from auditor_agent.integrations.keras import taps as keras_taps

    return keras_taps.Taps(layers, accumulate=accumulate, jit=jit)


def target(variables: Sequence[Any]) -> Any:
    """What the step's tape differentiated by one of these variables; None if nothing was heard of one."""
    return keras_target.take(variables)


def expanded(loss: Any, given: Sequence[Any] = ()) -> Any:
    """Output, target and facts of a hand-written loss where these are certain; None elsewhere.

    Certain where both were expanded against each other; and in a cross entropy, whose operations say what it takes
    (``from_logits``), of a target that was ``given`` to the step (a discriminator's labels are made in it). Of other
    losses only the value is told: what meets what in them is not always output and target.
    """
    from auditor_agent.integrations.tensorflow import flow

    met = None if loss is None else flow.compared(loss, flow.in_graph)
    if met is not None:
        met.weight = flow.weight(loss, met.result, flow.in_graph)
    if met is None or met.facts.get("broadcast") is True:
        return met
    return met if "from_logits" in met.facts and flow.comes_of(met.target, given, flow.in_graph) else None


def parts(loss: Any, output: Any) -> list[dict[str, Any]]:
    """The operations that a hand-written loss is made of, down to what the model gave."""
    from auditor_agent.integrations.tensorflow import flow
    from auditor_agent.integrations.tensorflow import parts as loss_parts

    return loss_parts.graph(loss, flow.in_graph, [one for one in tf.nest.flatten(output) if tf.is_tensor(one)])


def outside() -> AbstractContextManager[Any]:
    """Out of the trace."""
    return tf.init_scope()  # type: ignore[no-any-return]  # TensorFlow has no types


def untraced(function: Callable[..., None]) -> Callable[..., None]:
    """The function itself: tracing it is what puts it into the graph."""
    return function


def dense(gradient: Any) -> Any:
    """A gradient as a dense tensor; an empty one for None."""
    if gradient is None:
        return tf.zeros([0], tf.float32)
    # A sparse gradient names rows more than once: it must be summed before it has a norm.
    return tf.convert_to_tensor(gradient)


def scalar(value: Any) -> Any:
    """``value`` as a floating scalar, if it belongs to the graph that is being traced; else NaN."""
    if value is None or (tf.is_tensor(value) and not reachable(value)):
        return tf.constant(float("nan"), tf.float64)
    value = tf.convert_to_tensor(value)
    if value.shape.rank == 0 and value.dtype in _SCALARS:
        return value
    return tf.reduce_mean(tf.cast(value, tf.float64))


def total(parts: Sequence[Any]) -> Any:
    """The sum of scalars."""
    return tf.add_n([tf.cast(part, tf.float64) for part in parts]) if parts else tf.zeros([], tf.float64)


def reciprocal(value: Any) -> Any:
    """1 / value as a scalar."""
    return 1.0 / tf.cast(tf.convert_to_tensor(value), tf.float64)


def mean(gradient: Any, unscale: Any, held: Any, count: int) -> Any:
    """(gradient * unscale + held) / count, in the gradient's precision."""
    return (gradient * tf.cast(unscale, gradient.dtype) + tf.cast(held, gradient.dtype)) / count


def reachable(tensor: Any) -> bool:
    """Whether ``tensor`` belongs to the graph that is being traced."""
    if isinstance(tensor, tf.__internal__.EagerTensor):
        return bool(tf.executing_eagerly())
    if isinstance(tensor, tf.Variable) or not hasattr(tensor, "graph"):  # Keras' variables count as tensors
        return True
    graph = tf.compat.v1.get_default_graph()
    while graph is not None and graph is not tensor.graph:
        graph = getattr(graph, "outer_graph", None)
    return graph is not None
