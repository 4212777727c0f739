"""The flight recorder's part in a loop around ``tf.GradientTape``, eager or traced.

Weights and gradients as the loop has them just before its optimizer acts, or before it assigns the
first variable by hand; the weights after, and the optimizer's state. Batch, output and target as
the model's call and the loss were seen to have them. Within a function that XLA compiles gradients,
batch, output and target leave through its tap (``keras_compiled``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import tensorflow as tf

from auditor_agent.capture.manifest import update_rule
from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras import looks as keras_looks
from auditor_agent.integrations.keras import on_tensorflow as on
from auditor_agent.integrations.keras import operations as keras_operations
from auditor_agent.integrations.keras.compiled import CompiledTape
from auditor_agent.integrations.keras.listener import Taps
from auditor_agent.integrations.keras.on_tensorflow import reachable
from auditor_agent.integrations.keras.tape import Tape, shape_of
from auditor_agent.integrations.tensorflow import flow, layers, parts
from auditor_agent.integrations.tensorflow import forward as tensorflow_forward
from auditor_agent.integrations.tensorflow.beside import Others, PartsTape
from auditor_agent.integrations.tensorflow.given import drawn
from auditor_agent.integrations.tensorflow.given import inputs as inputs_of
from auditor_agent.integrations.tensorflow.seen import Seen
from auditor_agent.integrations.tensorflow.trained import Trained
from auditor_agent.stream.recording import Array


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is recorded, in the words of a Keras probe."""

    model: Any
    inner: Any
    scaled: bool
    counter: Any
    taps: Taps | None
    jit: bool
    every: int
    seen: bool = False

    @property
    def updates(self) -> int:
        """Updates so far."""
        with tf.init_scope():
            return int(self.counter) // self.every

    def outside(self) -> Any:
        """Out of the trace."""
        return on.outside()

    def host(self, variable: Any) -> Any:
        """The values of a variable as NumPy's array."""
        return on.host(variable)


class LoopTape(Tape):
    """Records the steps of one loop.

    Args:
        subject: what is recorded.
        names: the name of a variable.
    """

    before: Callable[..., None]
    after: Callable[..., None]
    beside: Callable[..., None]
    beside_done: Callable[[], None]
    complete: Callable[[], None]

    def __init__(self, subject: _Subject, names: Callable[[Any], str]) -> None:
        super().__init__(subject)
        self._called, self._facts_told = names, dict[str, Any]()
        self._untold = False
        self.others = Others()

    @property
    def started(self) -> bool:
        """Whether the run is known."""
        return self._run is not None

    @property
    def listening(self) -> bool:
        """Whether the next step is recorded."""
        step = self._offset + self._iterations // self._probe.every + 1
        return self._recorder is not None and self._recorder.active and (self._listening or step in self.steps)

    @property
    def counter(self) -> Any:
        """The variable that counts the updates."""
        return self._probe.counter

    @property
    def every(self) -> int:
        """Updates to a step."""
        return int(self._probe.every)

    def near(self, count: int) -> bool:
        """Whether one of the next ``count`` steps may be recorded."""
        return self._recorder is not None and self._recorder.active and self._near(count)

    def _next_step(self) -> int:
        with on.outside():
            self._iterations = int(self._probe.counter)
        return int(self._offset + self._iterations // self._probe.every + 1)

    def reached(self, iterations: int) -> None:
        """So many iterations there were at least."""
        super().reached(max(iterations, self._iterations))

    @guarded(None)
    def step(self, seen: Seen, head: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """A step is about to be taken: ``gradients`` are (variable, dense gradient)."""
        if self._recorder is None or seen.heard is None or not self._recorder.active:
            return
        seen.heard.learns(seen.variables, seen.made)
        self._facts_told, self._untold = facts(seen), not told_loss(seen)
        self._data = [((*label, _dtype(tensor)), tensor) for label, tensor in data(seen)]
        self.before(head, list(seen.variables), gradients)

    @guarded(None)
    def close(self) -> None:
        """Record no more; say what was seen."""
        self.complete()
        if self._recorder is not None:
            self._recorder.close()

    def declared(self) -> dict[str, Any]:
        """What the loop declares, in canonical units."""
        return self._declared()

    def optimizer(self, acting: Any) -> None:
        """``acting`` is the optimizer that acts, in a loop that did not say so."""
        inner = getattr(acting, "inner_optimizer", acting)
        self._probe = replace(self._probe, inner=inner, scaled=False)

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
        if self._untold:
            return {} if np.isnan(rate) else {"lr": rate}
        told = {"loss": loss, "loss/data": loss - penalty, "loss/penalty": penalty, "lr": rate}
        return {name: value for name, value in told.items() if name == "loss" or not np.isnan(value)}

    def _facts(self, arrays: Sequence[Array]) -> dict[str, Any]:
        told = dict(self._facts_told)
        seen = {f"{kind}_shape": shape_of(arrays, kind) for kind in ("output", "target")}
        # Extents that were open when the function was traced are known by now.
        told["loss"] = {
            **told.get("loss", {}),
            **{key: extents for key, extents in seen.items() if extents is not None},
        }
        for name in ("operations", "operations_whole"):  # once
            self._facts_told.pop(name, None)
        return told | self.others.facts()


class _Traced(LoopTape, PartsTape):
    """Of a loop that runs op by op or is traced."""

    def _due(self) -> Any:
        listening = super()._due()
        if tf.executing_eagerly() or not self.steps:
            return listening
        # A function may take many steps, and nobody asks the host between them.
        step = tf.cast(self._head[0], tf.int64) // self._probe.every + 1 + self._offset
        return tf.logical_and(listening, tf.reduce_any(tf.equal(step, tf.constant(sorted(self.steps), tf.int64))))


class _Compiled(LoopTape, CompiledTape):
    """Of a loop whose step XLA compiles: of further optimizers it tells the names."""

    def beside(self, number: int, pairs: Sequence[tuple[Any, Any]], rate: Any, unscale: Any) -> None:
        """Another optimizer is about to act: the host cannot look within the step."""

    def beside_done(self) -> None:
        """It has acted."""

    def complete(self) -> None:
        """Nothing is held."""


def loop_tape(  # noqa: PLR0913, PLR0917 - what a loop consists of
    model: Any, optimizer: Any, counter: Any, names: Callable[[Any], str], taps: Taps | None, every: int
) -> LoopTape:
    """The tape for the loop whose first step is under way.

    Args:
        model: the Keras model that holds the variables, or None.
        optimizer: the Keras optimizer that acts, or None.
        counter: the variable that counts the updates.
        names: the name of a variable.
        taps: what looks at its layers; None where nothing can, and nothing is recorded under XLA then.
        every: updates to a step.
    """
    inner, jit = getattr(optimizer, "inner_optimizer", optimizer), in_xla()
    subject = _Subject(model, inner, inner is not optimizer, counter, taps, jit, every)
    return (_Compiled if jit and taps is not None else _Traced)(subject, names)


def records(tape: LoopTape) -> bool:
    """Whether the tape can record in the code that runs or is traced now."""
    return isinstance(tape, _Compiled) == in_xla()


def taps_of(optimizer: Any) -> Taps | None:
    """What looks at layers and batches in the code that runs or is traced now; None where nothing can."""
    every = iterations(optimizer)
    if tf.executing_eagerly():
        return keras_looks.Looks(_host, accumulate=every) if on.on_cpu() else None
    return on.taps(None, accumulate=every, jit=in_xla())


def iterations(optimizer: Any) -> int:
    """Calls of the optimizer that make one step of it."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return int(getattr(inner, "gradient_accumulation_steps", None) or 1)


def in_xla() -> bool:
    """Whether the code that is being traced will be compiled by XLA."""
    from tensorflow.python.framework import ops
    from tensorflow.python.ops import control_flow_util  # there is no public way to ask

    return not tf.executing_eagerly() and bool(control_flow_util.GraphOrParentsInXlaContext(ops.get_default_graph()))


def told_loss(seen: Seen) -> bool:
    """Whether the step that runs or is traced knows its loss."""
    return seen.loss is not None and (not tf.is_tensor(seen.loss) or reachable(seen.loss))


def looked_at(seen: Seen) -> keras_layers.Step:
    """The layers that ran in a step, and the activations that were none's."""
    if seen.heard is None or seen.heard.layers is None:
        return keras_layers.Step()
    layers.by_operation(seen.loss, seen.made, seen.heard.layers)
    # Of a function that was traced, and of which only the gradients came out, nothing can be read.
    return keras_layers.Step(calls={key: call for key, call in seen.heard.layers.items() if reachable(call.output)})


def unseen_inputs(seen: Seen) -> list[Any]:
    """What went into the model, where it is made within the function that is traced, and not given to it."""
    if tf.executing_eagerly() or seen.heard is None:
        return []
    graph = tf.compat.v1.get_default_graph()
    given = seen.heard.inputs or [one for call in seen.heard.calls for one in call.inputs]
    there = [one for one in map(_tensor, given) if one is not None and reachable(one)]
    return (
        [] if any(any(True for _ in flow.sources(one, flow.arguments(graph), whole=True)) for one in there) else there
    )


def data(seen: Seen) -> list[tuple[tuple[str, str], Any]]:
    """(role, name) and tensor of what the step's model and loss had, of numbers."""
    if seen.heard is None:
        return []
    _look(seen, seen.heard)
    given = [(label, _tensor(value)) for label, value in seen.heard.data(seen.made)]
    return [(label, tensor) for label, tensor in given if tensor is not None and reachable(tensor)]


def _look(seen: Seen, heard: tensorflow_forward.Heard) -> None:
    """Where no loss or model of Keras was called, read both off the operations; once."""
    own = Trained(seen.variables).only(seen.made)
    if not heard.compared and (found := flow.compared(seen.loss, own, every=seen.made)) is not None:
        heard.compared.append(found)
        if not heard.calls:
            heard.inputs = inputs_of(found.output, seen.made, (flow.shape(found.output) or [None])[0])
    for one in heard.compared:
        if one.weight is None:
            one.weight = flow.weight(seen.loss, one.result, seen.made)


def _noised(seen: Seen, heard: tensorflow_forward.Heard) -> dict[str, Any]:
    """That the weights are fed other numbers than were recorded, where the program gives those noise on the way."""
    noised = not heard.calls and any(drawn(one.output, seen.made) for one in heard.compared)
    return {"fed": False} if noised else {}


def facts(seen: Seen) -> dict[str, Any]:
    """What the step's model and loss were seen to be."""
    heard, told = seen.heard, dict[str, Any]()
    if heard is None:
        return told
    if seen.before.tapes > 1:
        told["tapes"] = seen.before.tapes
    told |= {} if seen.altered is None else {"altered": seen.altered}
    _look(seen, heard)
    told |= _noised(seen, heard)
    if heard.compared:
        told["loss"] = heard.compared[-1].facts
        if _derived(heard):
            told["loss"] = {**told["loss"], "derived": True}
        extents = flow.shape(seen.loss)
        if extents:  # a loss for each sample: its gradient is that of the sum
            told["loss"] = {**told["loss"], "loss_shape": extents}
    outputs = [one for call in heard.calls for one in call.outputs]
    if graph := parts.graph(seen.loss, seen.made, outputs):
        told["loss"] = {**told.get("loss", {}), "graph": graph}
    if heard.calls:
        call = heard.calls[-1]
        told |= tensorflow_forward.mode(call, learning=True) | {"norms": tensorflow_forward.norms(heard.calls)}
        told["output_activation"] = tensorflow_forward.activation(call.model)
    if heard.compared and (found := _ends_in(heard, seen.made)) is not None:
        told["output_activation"] = found
    ends = [end for call in heard.calls[-1:] for end in call.outputs] or [one.output for one in heard.compared[-1:]]
    if ends and (operations := keras_operations.facts(heard.order, ends, seen.variables)) is not None:
        told |= operations
    return {"phase": "train", **told}


def _ends_in(heard: tensorflow_forward.Heard, made: flow.Made) -> str | None:
    """The activation that gave what the loss compares; ``linear`` for logits that are not what a model gave."""
    last = heard.compared[-1]
    found = layers.output_activation(last.output, made)
    given = {id(output) for call in heard.calls for output in call.outputs}
    # Keras takes the logits behind a sigmoid: of these the model's last activation says nothing.
    behind = last.facts.get("from_logits") is True and "chain" in last.facts and id(last.output) not in given
    return "linear" if found is None and behind else found


def _derived(heard: tensorflow_forward.Heard) -> bool:
    """Whether what the loss compares is worked out of the models' outputs: of another size than any of them."""
    shapes = [flow.shape(output) for call in heard.calls for output in call.outputs]
    given = flow.shape(heard.compared[-1].output)
    if not shapes or given is None or None in shapes:
        return False
    sizes = [prod(extent or 1 for extent in extents or ()) for extents in (given, *shapes)]  # an unknown one: the batch
    return sizes[0] not in sizes[1:]


def penalty(seen: Seen) -> Any:
    """What the loss has beyond the losses of the data, as a scalar of the step; None if that cannot be told."""
    results = [] if seen.heard is None else [one.result for one in seen.heard.compared if "chain" not in one.facts]
    if len(results) != 1 or seen.loss is None or not tf.is_tensor(results[0]) or results[0].shape.rank != 0:
        return None
    if results[0] is seen.loss:
        return tf.zeros([], tf.float64)
    if not reachable(results[0]) or not flow.plain_sum(seen.loss, results[0], seen.made):
        return None
    return tf.cast(seen.loss, tf.float64) - tf.cast(results[0], tf.float64)


def _tensor(value: Any) -> Any:
    tensor = value if tf.is_tensor(value) else tf.convert_to_tensor(np.asarray(value))
    return None if tensor.dtype in {tf.string, tf.resource, tf.variant} else tensor


def _host(tensor: Any) -> Any:
    """The elements of an eager tensor on the host; bfloat16 as float32."""
    return np.asarray(tf.cast(tensor, tf.float32) if getattr(tensor, "dtype", None) == tf.bfloat16 else tensor)


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype.name)
