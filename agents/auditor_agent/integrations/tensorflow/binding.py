"""What the code of a step is tied to: its variables, the stores that its rows go to, the count of its updates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from auditor_agent.capture.arrays import Words
from auditor_agent.integrations.keras import on_tensorflow as on
from auditor_agent.integrations.keras.native import NativeStore
from auditor_agent.integrations.keras.rows import Store
from auditor_agent.integrations.keras.watch import EARLY, WEIGHTS_EVERY
from auditor_agent.integrations.tensorflow.record import in_xla
from auditor_agent.integrations.tensorflow.seen import Seen


@dataclass(slots=True)
class Binding:
    """The variables of a step, and where it writes."""

    variables: list[Any]
    missing: frozenset[int]
    scaled: bool
    optimizer: Any
    """Counts its updates; None: nobody but we."""
    every: int
    """Updates to a step."""
    gradients: Store
    weights: Store
    told: bool = True
    """Whether the step knows its loss: gradients that were summed up elsewhere come without one."""
    micro: list[float] = field(default_factory=list)
    """Losses of the updates that make no step yet."""
    held: dict[int, Words] = field(default_factory=dict)
    """Weights by update, until the update's own row comes."""
    layouts: dict[bool, int] = field(default_factory=dict)

    @property
    def present(self) -> list[Any]:
        """The variables that have a gradient."""
        return [v for place, v in enumerate(self.variables) if place not in self.missing]


def _values(binding: Binding) -> list[Any]:
    return [tf.convert_to_tensor(variable) for variable in binding.variables]


def put_weights(binding: Binding, head: Sequence[Any]) -> list[Any]:
    """Have the weights recorded, at the steps at which they are due; what does it, in code that is traced."""
    if isinstance(binding.weights, NativeStore) and in_xla():
        return [binding.weights.put(head, _values(binding))]  # the store itself leaves the other steps out
    return _when_due(head[0] + 1, binding.every, lambda: binding.weights.put(head, _values(binding)))


def _when_due(update: Any, every: int, action: Callable[[], Any]) -> list[Any]:
    """Have ``action`` done at the steps, of so many updates, at which weights are read; what does it, if traced."""
    if tf.executing_eagerly():
        number, part = divmod(int(update), every)
        if not part and (number in EARLY or number % WEIGHTS_EVERY == 0):
            action()
        return []

    def act() -> Any:
        with tf.control_dependencies([action()]):
            return tf.constant(0)

    update = tf.cast(update, tf.int64)
    early = tf.reduce_any(tf.equal(update, every * tf.constant(EARLY, tf.int64)))
    return [tf.cond(tf.logical_or(early, tf.equal(update % (WEIGHTS_EVERY * every), 0)), act, lambda: tf.constant(0))]


def inner_of(optimizer: Any) -> Any:
    """The optimizer that a LossScaleOptimizer acts through; any other itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def tick_of(seen: Seen, tick: Any) -> Any:
    """What counts the updates: the optimizer's own variable, or ours."""
    return tick if seen.optimizer is None else inner_of(seen.optimizer)._iterations  # noqa: SLF001 -- no public name


def unscale_of(optimizer: Any) -> Any:
    """What gradients given to ``optimizer`` must be multiplied by to undo loss scaling."""
    if optimizer is None:
        return on.scalar(1.0)
    if inner_of(optimizer) is optimizer:
        scale = optimizer.loss_scale_factor
    else:
        scale = optimizer.dynamic_scale if optimizer.built else optimizer.initial_scale
    return on.scalar(1.0) if scale is None else on.reciprocal(scale)
