"""The tap in a Keras train step: sees loss and gradients while the step is traced, or as it runs.

``apply`` of the compiled optimizer's instance is wrapped (of the outer one, where a
LossScaleOptimizer wraps another: its skipped steps are seen too), ``scale_loss`` and the model's
``compute_loss`` likewise for the true loss of the batch (what ``fit`` reports is a running mean).
The wrappers read; what they call and return is the original's. A failure of theirs never reaches
the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

import keras

from auditor_agent.capture.arrays import Words
from auditor_agent.guard import failure, guarded
from auditor_agent.integrations.keras.backends import backend
from auditor_agent.integrations.keras.evaluated import Evaluated
from auditor_agent.integrations.keras.heads import answers
from auditor_agent.integrations.keras.layers import Layers, Step, mode, norms
from auditor_agent.integrations.keras.operations import made_of
from auditor_agent.integrations.keras.rows import Store

#: Steps between two reads of the ring, at most.
RING: Final = 64
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

    @property
    def present(self) -> list[int]:
        """Places of the variables that have a gradient."""
        return [place for place in range(len(self.variables)) if place not in self.missing]


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
        self.alone = _alone(model)
        """Whether the host can look at the weights between any two steps of a graph."""
        self.model = model
        self.bindings: list[Binding] = []
        """Oldest first; more than one if the set of trainable variables changed."""
        self.seen = False
        """Whether a traced step has run: what the weights were before is past."""
        self._ring, self._on = ring, backend()
        self._loss: Any = None
        self.layers = Layers(model)
        self.taps = self._on.taps(self.layers, accumulate=self.every, jit=self.jit)
        self.modes: list[dict[str, Any]] = []
        """Changes of the layers' mode that were not told yet."""
        self._phase: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._given: Any = None
        self.tape = self._on.tape(self)
        """The flight recorder's part."""
        self.evaluated = Evaluated(self)
        """Its part in evaluations."""

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
            and self.alone == _alone(model)
            and all(binding.store.rows >= int(model.steps_per_execution) for binding in self.bindings)
            and getattr(vars(model).get("compute_loss"), _MARK, None) is self
        )

    @property
    def updates(self) -> int:
        """Updates that the optimizer has made so far."""
        return self.iterations // self.every

    @property
    def iterations(self) -> int:
        """Its count: micro-batches where gradients are accumulated."""
        return int(keras.ops.convert_to_tensor(self.inner._iterations))  # noqa: SLF001 -- as in `_see`

    def attach(self) -> None:
        """Wrap, and have the next ``fit`` trace its step anew."""
        optimizer, model = self.optimizer, self.model
        apply, scale = _original(optimizer, "apply"), _original(optimizer, "scale_loss")
        compute, see = _original(model, "compute_loss"), self._on.untraced(self._see)

        def audited_apply(grads: Any, trainable_variables: Any = None) -> Any:
            grads = list(grads)
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            see(grads, trainable_variables)
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
                self._compared(args, kwargs)
                self.tape.made_of(loss)
            else:
                self.evaluated.compared(args, kwargs, loss)
                self._changed("eval", self.layers.take())
            return loss

        self._put(optimizer, "apply", audited_apply)
        self._put(optimizer, "scale_loss", audited_scale_loss)
        self._put(model, "compute_loss", audited_compute_loss)
        if not (self.jit and keras.backend.backend() == "torch"):  # what torch compiles it would stumble over
            self._hand(model)
        model.train_function = model.test_function = None
        self._listen()

    def _hand(self, model: Any) -> None:
        """Keep what a ``train_step`` of one's own is given: which of its calls of the model are of the batch?"""
        if str(type(model).train_step.__module__).startswith("keras."):
            return
        train = _original(model, "train_step")

        def audited_train_step(*args: Any, **kwargs: Any) -> Any:
            self._given = args[0] if args else kwargs.get("data")
            try:
                return train(*args, **kwargs)
            finally:
                self._given = None

        self._put(model, "train_step", audited_train_step)

    @guarded((None, None))
    def _batch(self) -> tuple[Any, Any]:
        """Inputs and targets among what the running ``train_step`` was given; None where that is not known."""
        return (None, None) if self._given is None else keras.utils.unpack_x_y_sample_weight(self._given)[:2]

    @guarded(None)
    def _listen(self) -> None:
        if not self.jit or keras.backend.backend() != "torch":  # what torch compiles it would stumble over
            self.layers.listen()

    @guarded(None)
    def _compared(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        inputs = kwargs.get("x", args[0] if args else None)
        self._inputs = [leaf for leaf in keras.tree.flatten(inputs) if hasattr(leaf, "dtype")]
        self.tape.compared(args, kwargs)
        self._listen()  # a model that is built late has its layers by now, and is traced once more

    @guarded(None)
    def _changed(self, phase: str, step: Step) -> None:
        told = self.layers.mode(step, phase)
        if told is not None:
            self.modes.append(told)
        if phase == "train":
            found = mode(step, phase)
            self._phase = {"phase": phase, "norms": norms(step), **({"training": found["training"]} if found else {})}

    def outside(self) -> AbstractContextManager[Any]:
        """Out of whatever is being traced."""
        return self._on.outside()

    def host(self, variable: Any) -> Any:
        """The values of a variable as NumPy's array; waits for a device."""
        return self._on.host(variable)

    def phase(self) -> dict[str, Any]:
        """The phase and mode of the train step, as facts of a recording."""
        return dict(self._phase)

    def _put(self, owner: Any, name: str, wrapper: Any) -> None:
        wrapper.__wrapped__ = getattr(owner, name)
        setattr(wrapper, _MARK, self)
        setattr(owner, name, wrapper)

    def detach(self) -> None:
        """Give the originals back; the next ``fit`` traces anew."""
        for owner, name in (
            (self.optimizer, "apply"),
            (self.optimizer, "scale_loss"),
            (self.model, "compute_loss"),
            (self.model, "train_step"),
        ):
            if getattr(vars(owner).get(name), _MARK, None) is self:
                delattr(owner, name)
        self.layers.deafen()
        self.model.train_function = self.model.test_function = None

    @guarded(None)
    def _see(self, grads: Sequence[Any], variables: Sequence[Any] | None) -> None:
        """Put this step's row; runs while tracing, before the optimizer acts."""
        unscale = self._unscale()
        # A model that was built late has its variables by now.
        variables = list(self.inner._trainable_variables if variables is None else variables)  # noqa: SLF001 -- no public name
        loss, penalty = self._lost(variables)
        binding = self._bind(list(self.model.trainable_variables) or variables)
        found: list[Any] = [None] * len(binding.variables)
        for gradient, variable in zip(grads, variables, strict=False):
            place = binding.places.get(id(variable))
            if place is not None:
                found[place] = gradient
        binding.missing = {place for place, gradient in enumerate(found) if gradient is None}
        dense = [self._on.dense(gradient) for gradient in found]
        if self.every > 1:
            dense, unscale = self._accumulated(binding, dense, unscale), self._on.scalar(1.0)
        rate = keras.ops.convert_to_tensor(self.inner.learning_rate)
        count = self.inner._iterations  # noqa: SLF001 -- `iterations` counts updates where gradients are accumulated
        head = (keras.ops.convert_to_tensor(count), loss, penalty, rate, unscale)
        told = [(v, g) for v, g, there in zip(binding.variables, dense, found, strict=True) if there is not None]
        step = self.layers.heard
        self._changed("train", step)
        if not self._inputs and (step.inputs is not None or self._heard is not None):
            self._compute(step, variables)
        self.layers.take()
        self.tape.before(head, binding.variables, told)
        self._tap(head, step)
        binding.store.put(head, dense, after=() if self.taps is None else self.taps.done)

    def _compute(self, step: Step, variables: Sequence[Any]) -> None:
        """A step that computes its loss itself, for these variables: of its own model, or of models within."""
        batch, asked = self._batch()
        inputs, met = step.inputs if batch is None else batch, {"y_pred": step.output, "loss": self._heard}
        self._inputs = [leaf for leaf in keras.tree.flatten(inputs) if hasattr(leaf, "dtype")]
        given = [*self._inputs, *(leaf for leaf in keras.tree.flatten(asked) if hasattr(leaf, "dtype"))]
        wanted = {"y": asked} if answers(step.output, asked) else {}
        if self._given is not None and step.inputs is None and made_of(step.entered, self._inputs) is False:
            self._phase["fed"] = False  # noise, say, that the step adds to what `fit` was given
        self.tape.compared((), {"x": inputs, **met, **wanted, "given": given, "trained": variables})

    def _lost(self, variables: Sequence[Any]) -> tuple[Any, Any]:
        """Loss and penalty of this step. Neither told: a loss that nobody heard is not known to be broken."""
        loss: Any
        loss, self._loss = self._loss, None
        self._heard = heard = self._on.target(variables)
        if loss is not None:
            return self._on.scalar(loss), self._penalty()
        if heard is not None:  # the step never calls `compute_loss`: its tape's target, whose parts are not known
            return self._on.scalar(heard), self._on.scalar(0.0)
        return self._on.scalar(None), self._on.scalar(None)

    @guarded(None)
    def _tap(self, head: Sequence[Any], step: Step) -> None:
        inputs, self._inputs = self._inputs, []
        if self.taps is not None:
            self.taps.put(head, step, self.tape.offered, inputs)

    def _bind(self, variables: list[Any]) -> Binding:
        keys = {id(variable): place for place, variable in enumerate(variables)}
        for binding in self.bindings:
            if binding.places == keys:
                self._look(binding)
                return binding
        rows = max(self._ring, 2 * int(self.model.steps_per_execution))
        store = self._on.store(len(variables), rows, jit=self.jit)
        store.count(rows, self.every)
        binding = Binding(variables, store, keys)
        self.bindings.append(binding)
        self._look(binding)
        return binding

    def _look(self, binding: Binding) -> None:
        """Take the weights' statistics before the step that is being traced runs for the first time.

        A model that is built within its first trace is traced twice, and has values only the second
        time: before, its variables read as empty.
        """
        if binding.initial is None and not self.seen:
            with self._on.outside():
                words = _statistics(binding.store, self.model)
            if words is not None and words[0].all():
                binding.initial = words

    def _unscale(self) -> Any:
        """What the gradients must be multiplied by to undo loss scaling."""
        scale = self.optimizer.dynamic_scale if self.scaled and self.optimizer.built else None
        if scale is None:
            scale = self.optimizer.initial_scale if self.scaled else self.inner.loss_scale_factor
        return self._on.scalar(1.0) if scale is None else self._on.reciprocal(scale)

    def _accumulated(self, binding: Binding, dense: Sequence[Any], unscale: Any) -> list[Any]:
        """The mean over the micro-batches so far, as the optimizer will use it."""
        present = [v for place, v in enumerate(binding.variables) if place not in binding.missing]
        told = [gradient for place, gradient in enumerate(dense) if place not in binding.missing]
        means = iter(accumulated(self.inner, binding.variables, present, told, unscale))
        return [gradient if place in binding.missing else next(means) for place, gradient in enumerate(dense)]

    def _penalty(self) -> Any:
        """The sum of what regularizers and ``add_loss`` contributed; NaN if untold, or if they are the whole loss."""
        if getattr(self.model, "_compile_loss", None) is None:
            return self._on.scalar(None)
        try:
            parts = [self._on.scalar(self.model._aggregate_additional_loss(loss)) for loss in self.model.losses]  # noqa: SLF001 -- as compute_loss does
        except Exception as error:
            failure("Probe._penalty", error)
            return self._on.scalar(None)
        return self._on.total(parts)


def _alone(model: Any) -> bool:
    return int(model.steps_per_execution) == 1 and not model.run_eagerly


def accumulated(
    inner: Any, trained: Sequence[Any], variables: Sequence[Any], gradients: Sequence[Any], unscale: Any
) -> list[Any]:
    """The mean over the micro-batches so far, as the optimizer will use it, for ``variables`` of those ``trained``."""
    if not inner.built:  # its first use: as its own apply would, a moment later
        with keras.name_scope(inner.name, caller=inner):
            inner.build(trained)
        inner.built = True
    held = [inner._accumulated_gradients[inner._get_variable_index(v)] for v in variables]  # noqa: SLF001 -- no public name
    every = int(inner.gradient_accumulation_steps)
    return [
        backend().mean(gradient, unscale, keras.ops.convert_to_tensor(old), every)
        for gradient, old in zip(gradients, held, strict=True)
    ]


def tapped(optimizer: Any) -> bool:
    """Whether a probe sits on the optimizer: what it does is recorded already."""
    return isinstance(getattr(vars(optimizer).get("apply"), _MARK, None), Probe)


def floats(model: Any) -> list[Any]:
    """The weights of a model that are numbers: no seeds, no counters."""
    return [variable for variable in model.weights if "float" in str(variable.dtype)]


def _statistics(store: Store, model: Any) -> Words | None:
    try:
        return store.statistics(floats(model))
    except Exception as error:  # a model whose variables have no values yet
        failure("Probe._statistics", error)
        return None


def _original(owner: Any, name: str) -> Callable[..., Any]:
    """The method without a probe's wrapper."""
    method = getattr(owner, name)
    while hasattr(method, _MARK):
        method = method.__wrapped__
    return method  # type: ignore[no-any-return]  # an attribute of an untyped object
