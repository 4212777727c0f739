"""The flight recorder's part in a loop around ``tf.GradientTape``, eager or traced.

Weights and gradients as the loop has them just before its optimizer acts, or before it assigns the
first variable by hand; the weights after, and the optimizer's state. Batch, output and target as
the model's call and the loss were seen to have them. Nothing within a function that XLA compiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from auditor_agent.capture.manifest import update_rule
from auditor_agent.guard import guarded
from auditor_agent.integrations import keras_record, tensorflow_forward
from auditor_agent.integrations import tensorflow_flow as flow
from auditor_agent.integrations.keras_on_tensorflow import reachable
from auditor_agent.integrations.tensorflow_tape import Seen
from auditor_agent.stream.recording import Array


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is recorded, in the words of a Keras probe."""

    model: Any
    inner: Any
    scaled: bool
    counter: Any
    jit: bool = False
    every: int = 1
    taps: None = None

    @property
    def updates(self) -> int:
        """Updates so far."""
        with tf.init_scope():
            return int(self.counter)


class LoopTape(keras_record.GraphTape):
    """Records the steps of one loop.

    Args:
        model: the Keras model that holds the variables, or None.
        optimizer: the Keras optimizer that acts, or None.
        counter: the variable that counts the updates.
        names: the name of a variable.
    """

    def __init__(self, model: Any, optimizer: Any, counter: Any, names: Callable[[Any], str]) -> None:
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        super().__init__(_Subject(model, inner, inner is not optimizer, counter))
        self._called, self._told = names, dict[str, Any]()

    @property
    def started(self) -> bool:
        """Whether the run is known."""
        return self._run is not None

    @property
    def listening(self) -> bool:
        """Whether the next step is recorded."""
        return self._listening and self._recorder is not None and self._recorder.active

    def _next_step(self) -> int:
        self._iterations = self._probe.updates
        return self._offset + self._iterations + 1

    @guarded(None)
    def step(self, seen: Seen, head: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """A step is about to be taken: ``gradients`` are (variable, dense gradient)."""
        if self._recorder is None or seen.heard is None or not self._recorder.active:
            return
        self._told = facts(seen)
        self._data = [((*label, _dtype(tensor)), tensor) for label, tensor in data(seen)]
        self.before(head, list(seen.variables), gradients)

    @guarded(None)
    def close(self) -> None:
        """Record no more; say what was seen."""
        if self._recorder is not None:
            self._recorder.close()

    def declared(self) -> dict[str, Any]:
        """What the loop declares, in canonical units."""
        return self._declared()

    def _table(self) -> dict[int, str]:
        return {}

    def _name(self, variable: Any) -> str:
        return self._called(variable)

    def _declared(self) -> dict[str, Any]:
        if self._probe.model is not None and self._probe.inner is not None:
            return super()._declared()
        inner = self._probe.inner
        settings = {} if inner is None else {**inner.get_config(), "learning_rate": float(inner.learning_rate)}
        rules = [] if inner is None else [update_rule("keras", type(inner).__name__, settings)]
        return {"update": rules, "normalization": {}, "penalties": {}}

    def _state(self, variables: Sequence[Any]) -> list[tuple[tuple[str, str, str], Any]]:
        return [] if self._probe.inner is None else super()._state(variables)

    def _scalars(self, loss: float, penalty: float, rate: float) -> dict[str, float]:
        told = {"loss": loss, "loss/data": loss - penalty, "loss/penalty": penalty, "lr": rate}
        return {name: value for name, value in told.items() if name == "loss" or not np.isnan(value)}

    def _facts(self, arrays: Sequence[Array]) -> dict[str, Any]:
        told = dict(self._told)
        seen = {f"{kind}_shape": self._shape(arrays, kind) for kind in ("output", "target")}
        # Extents that were open when the function was traced are known by now.
        told["loss"] = {
            **told.get("loss", {}),
            **{key: extents for key, extents in seen.items() if extents is not None},
        }
        return told


def data(seen: Seen) -> list[tuple[tuple[str, str], Any]]:
    """(role, name) and tensor of what the step's model and loss had, of numbers."""
    if seen.heard is None:
        return []
    _look(seen, seen.heard)
    given = [(label, _tensor(value)) for label, value in seen.heard.data()]
    return [(label, tensor) for label, tensor in given if tensor is not None and reachable(tensor)]


def _look(seen: Seen, heard: tensorflow_forward.Heard) -> None:
    """Where no loss or model of Keras was called, read both off the operations; once."""
    if not heard.compared and (found := flow.compared(seen.loss, seen.made)) is not None:
        heard.compared.append(found)
        if not heard.calls:
            heard.inputs = flow.inputs(found.output, seen.made, (flow.shape(found.output) or [None])[0])


def facts(seen: Seen) -> dict[str, Any]:
    """What the step's model and loss were seen to be."""
    heard, told = seen.heard, dict[str, Any]()
    if heard is None:
        return told
    _look(seen, heard)
    if heard.compared:
        told["loss"] = heard.compared[-1].facts
        extents = flow.shape(seen.loss)
        if extents:  # a loss for each sample: its gradient is that of the sum
            told["loss"] = {**told["loss"], "loss_shape": extents}
    if heard.calls:
        call = heard.calls[-1]
        told |= tensorflow_forward.mode(call, learning=True)
        told["output_activation"] = tensorflow_forward.activation(call.model)
    return {"phase": "train", **told}


def penalty(seen: Seen) -> Any:
    """What the loss has beyond the losses of the data, as a scalar of the step; None if that cannot be told."""
    parts = [] if seen.heard is None else [one.result for one in seen.heard.compared if "chain" not in one.facts]
    if len(parts) != 1 or seen.loss is None or not tf.is_tensor(parts[0]) or parts[0].shape.rank != 0:
        return None
    if parts[0] is seen.loss:
        return tf.zeros([], tf.float64)
    if not reachable(parts[0]) or not flow.plain_sum(seen.loss, parts[0], seen.made):
        return None
    return tf.cast(seen.loss, tf.float64) - tf.cast(parts[0], tf.float64)


def _tensor(value: Any) -> Any:
    tensor = value if tf.is_tensor(value) else tf.convert_to_tensor(np.asarray(value))
    return None if tensor.dtype in {tf.string, tf.resource, tf.variant} else tensor


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype.name)
