"""The tap in a Keras train step on TensorFlow: sees loss and gradients while the step is traced.

``apply`` of the compiled optimizer's instance is wrapped (of the outer one, where a
LossScaleOptimizer wraps another: its skipped steps are seen too), ``scale_loss`` and the model's
``compute_loss`` likewise for the true loss of the batch (what ``fit`` reports is a running mean).
The wrappers read; what they call and return is the original's. A failure of theirs never reaches
the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import keras
import tensorflow as tf

from auditor_agent.capture.arrays import Words
from auditor_agent.guard import failure, guarded
from auditor_agent.integrations.keras_record import Tape
from auditor_agent.integrations.keras_ring import HostStore, RingStore, Store

#: Steps between two reads of the ring, at most.
RING: Final = 64
#: Steps kept on the host, where nobody reads them: a loop around the train function that is not ``fit``.
_HOST_ROWS: Final = 1024
_MARK: Final = "auditor_probe"


@dataclass(slots=True)
class Binding:
    """The variables that a traced step updates, and the store that it writes to."""

    variables: list[Any]
    store: Store
    places: dict[int, int]
    """Place of each variable in ``variables``, by ``id``."""
    missing: set[int] = field(default_factory=set)
    """Places of the variables that got no gradient when the step was traced."""
    initial: Words | None = None
    """Statistics of the model's weights when the step was first traced, before it ran."""


class Probe:
    """Wrapped around one optimizer and the model it was compiled into.

    Models may come into being only while their first step is traced, so variables are looked at
    then, not before.
    """

    def __init__(self, model: Any, *, ring: int = RING) -> None:
        self.optimizer = model.optimizer
        self.inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        self.scaled = self.inner is not self.optimizer
        self.every = int(self.inner.gradient_accumulation_steps or 1)
        self.jit = bool(model.jit_compile)
        self.model = model
        self.bindings: list[Binding] = []
        """Oldest first; more than one if the set of trainable variables changed."""
        self.seen = False
        """Whether a traced step has run: what the weights were before is past."""
        self._ring, self._loss = ring, None
        self.tape = Tape(self)
        """The flight recorder's part."""

    @classmethod
    def of(cls, model: Any, *, ring: int = RING) -> Probe:
        """The probe of a compiled model: the one that is there if it still fits, else a new one."""
        old = getattr(vars(model.optimizer).get("apply"), _MARK, None)
        if isinstance(old, cls) and old.fits(model):
            return old
        probe = cls(model, ring=ring)
        probe.attach()
        return probe

    def fits(self, model: Any) -> bool:
        """Whether model and optimizer still are what they were when this probe was made."""
        return (
            model is self.model
            and self.every == int(self.inner.gradient_accumulation_steps or 1)
            and self.jit == bool(model.jit_compile)
            and all(binding.store.rows >= int(model.steps_per_execution) for binding in self.bindings)
            and getattr(vars(model).get("compute_loss"), _MARK, None) is self
        )

    def attach(self) -> None:
        """Wrap, and have the next ``fit`` trace its step anew."""
        optimizer, model = self.optimizer, self.model
        apply, scale = _original(optimizer, "apply"), _original(optimizer, "scale_loss")
        compute = _original(model, "compute_loss")

        def audited_apply(grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            self._see(grads, trainable_variables)
            applied = apply(grads, trainable_variables)
            self.tape.after()
            return applied

        def audited_scale_loss(loss: Any) -> Any:
            self._loss = loss
            return scale(loss)

        def audited_compute_loss(*args: Any, **kwargs: Any) -> Any:
            loss = compute(*args, **kwargs)
            if kwargs.get("training", True):
                self._loss = loss
                self.tape.compared(args, kwargs)
            return loss

        self._put(optimizer, "apply", audited_apply)
        self._put(optimizer, "scale_loss", audited_scale_loss)
        self._put(model, "compute_loss", audited_compute_loss)
        model.train_function = None

    def _put(self, owner: Any, name: str, wrapper: Any) -> None:
        wrapper.__wrapped__ = getattr(owner, name)
        setattr(wrapper, _MARK, self)
        setattr(owner, name, wrapper)

    def detach(self) -> None:
        """Give the originals back; the next ``fit`` traces anew."""
        for owner, name in ((self.optimizer, "apply"), (self.optimizer, "scale_loss"), (self.model, "compute_loss")):
            if getattr(vars(owner).get(name), _MARK, None) is self:
                delattr(owner, name)
        self.model.train_function = None

    @guarded(None)
    def _see(self, grads: Sequence[Any], variables: Sequence[Any] | None) -> None:
        """Put this step's row; runs while tracing, before the optimizer acts."""
        loss, self._loss = self._loss, None
        unscale = self._unscale()
        # A model that was built late has its variables by now.
        variables = list(self.inner._trainable_variables if variables is None else variables)  # noqa: SLF001 -- no public name
        binding = self._bind(list(self.model.trainable_variables) or variables)
        found: list[Any] = [None] * len(binding.variables)
        for gradient, variable in zip(grads, variables, strict=False):
            place = binding.places.get(id(variable))
            if place is not None:
                found[place] = gradient
        binding.missing = {place for place, gradient in enumerate(found) if gradient is None}
        dense = [_dense(gradient) for gradient in found]
        if self.every > 1:
            dense, unscale = self._accumulated(binding, dense, unscale), tf.ones([], tf.float64)
        rate = tf.convert_to_tensor(self.inner.learning_rate)
        count = self.inner._iterations  # noqa: SLF001 -- `iterations` counts updates where gradients are accumulated
        parts = (count, _scalar(loss), self._penalty(), rate, unscale)
        told = [(v, g) for v, g, there in zip(binding.variables, dense, found, strict=True) if there is not None]
        self.tape.before(parts, binding.variables, told)
        head = tf.stack([tf.cast(tf.convert_to_tensor(part), tf.float64) for part in parts])
        binding.store.put(head, dense, unscale)

    def _bind(self, variables: list[Any]) -> Binding:
        keys = {id(variable): place for place, variable in enumerate(variables)}
        for binding in self.bindings:
            if binding.places == keys:
                self._look(binding)
                return binding
        rows = max(self._ring, 2 * int(self.model.steps_per_execution))
        binding = Binding(variables, _store(len(variables), rows, jit=self.jit), keys)
        self.bindings.append(binding)
        self._look(binding)
        return binding

    def _look(self, binding: Binding) -> None:
        """Take the weights' statistics before the step that is being traced runs for the first time.

        A model that is built within its first trace is traced twice, and has values only the second
        time: before, its variables read as empty.
        """
        if binding.initial is None and not self.seen:
            with tf.init_scope():  # out of the trace, where values can be read
                words = _statistics(binding.store, self.model)
            if words is not None and words[0].all():
                binding.initial = words

    def _unscale(self) -> Any:
        """What the gradients must be multiplied by to undo loss scaling."""
        scale = self.optimizer.dynamic_scale if self.scaled and self.optimizer.built else None
        if scale is None:
            scale = self.optimizer.initial_scale if self.scaled else self.inner.loss_scale_factor
        if scale is None:
            return tf.ones([], tf.float64)
        return 1.0 / tf.cast(tf.convert_to_tensor(scale), tf.float64)

    def _accumulated(self, binding: Binding, dense: Sequence[Any], unscale: Any) -> list[Any]:
        """The mean over the micro-batches so far, as the optimizer will use it."""
        inner = self.inner
        if not inner.built:  # its first use: as its own apply would, a moment later
            with keras.name_scope(inner.name, caller=inner):
                inner.build(binding.variables)
            inner.built = True
        held = [
            None if place in binding.missing else inner._accumulated_gradients[inner._get_variable_index(v)]  # noqa: SLF001 -- no public name
            for place, v in enumerate(binding.variables)
        ]
        return [
            g
            if old is None
            else (g * tf.cast(unscale, g.dtype) + tf.cast(tf.convert_to_tensor(old), g.dtype)) / self.every
            for g, old in zip(dense, held, strict=True)
        ]

    def _penalty(self) -> Any:
        """The sum of what regularizers and ``add_loss`` contributed to the loss; NaN if untold."""
        try:
            parts = [_scalar(self.model._aggregate_additional_loss(loss)) for loss in self.model.losses]  # noqa: SLF001 -- as compute_loss does
        except Exception as error:
            failure("Probe._penalty", error)
            return _nan()
        return tf.add_n(parts) if parts else tf.zeros([], tf.float64)


def floats(model: Any) -> list[Any]:
    """The weights of a model that are numbers: no seeds, no counters."""
    return [variable for variable in model.weights if "float" in str(variable.dtype)]


def _statistics(store: Store, model: Any) -> Words | None:
    try:
        return store.statistics(floats(model))
    except Exception as error:  # a model whose variables have no values yet
        failure("Probe._statistics", error)
        return None


def _store(tensors: int, rows: int, *, jit: bool) -> Store:
    on_cpu = not [device for device in tf.config.list_logical_devices() if device.device_type != "CPU"]
    return HostStore(max(rows, _HOST_ROWS)) if on_cpu and not jit else RingStore(tensors, rows)


def _original(owner: Any, name: str) -> Callable[..., Any]:
    """The method without a probe's wrapper."""
    method = getattr(owner, name)
    while hasattr(method, _MARK):
        method = method.__wrapped__
    return method  # type: ignore[no-any-return]  # an attribute of an untyped object


def _dense(gradient: Any) -> Any:
    if gradient is None:
        return tf.zeros([0], tf.float32)
    # A sparse gradient names rows more than once: it must be summed before it has a norm.
    return tf.convert_to_tensor(gradient)


def _nan() -> Any:
    return tf.constant(float("nan"), tf.float64)


def _scalar(value: Any) -> Any:
    """``value`` as a float64 scalar, if it belongs to the graph that is being traced; else NaN."""
    if value is None:
        return _nan()
    if tf.is_tensor(value) and not _reachable(value):
        return _nan()
    return tf.reduce_mean(tf.cast(tf.convert_to_tensor(value), tf.float64))


def _reachable(tensor: Any) -> bool:
    if isinstance(tensor, tf.__internal__.EagerTensor):
        return bool(tf.executing_eagerly())
    graph = tf.compat.v1.get_default_graph()
    while graph is not None and graph is not tensor.graph:
        graph = getattr(graph, "outer_graph", None)
    return graph is not None
