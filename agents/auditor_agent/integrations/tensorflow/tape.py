"""Watching a loop in which no line was changed: the tape, Keras' optimizers, assignments to variables.

What a loop does is put together from three sights. ``GradientTape.gradient``: its target is the
loss, its sources the variables. ``Optimizer.apply``: these gradients are about to be used. An
assignment to one of the sources outside of an optimizer: the loop updates by hand, with what the
tape gave. All hold for a loop that runs eagerly and for one that is being traced. ``Loss.__call__``
tells the loss object and the shapes it meets, for the manifest.

The wrappers read; what they call and return is the original's. ``auditor run`` asks for them, and
``audit`` for the length of its block: there the loop reports its steps itself (``run.step``).
"""

from __future__ import annotations

import contextlib
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import evaluation, flow, forward, layers, taped, whole
from auditor_agent.integrations.tensorflow.altered import altered
from auditor_agent.integrations.tensorflow.seen import Known, Seen, Sink
from auditor_agent.integrations.tensorflow.wraps import below, off, wrap

_ASSIGNMENTS: Final = ("assign", "assign_sub", "assign_add")


class _Scene(threading.local):
    """What this thread is about to do."""

    def __init__(self) -> None:
        self.taped = taped.Tapes()
        self.tapes = weakref.WeakSet[Any]()
        """Those that watch. One that nobody ever ends is over when it is gone."""
        self.applying = self.calling = 0
        self.known, self.met = Known(), False  # met: under a tape, for the step to come
        self.heard = forward.Heard()
        self.eager: flow.Eager | None = None
        self.unassigned: set[int] = set()
        """Variables that a step by hand has not assigned yet."""


_scene: Final = _Scene()
_sinks: Final[list[Sink]] = []
_alone: Final[list[Sink]] = []


@contextlib.contextmanager
def reported(sink: Sink) -> Iterator[None]:
    """Within, what is seen is told to ``sink`` alone: the loop reports its steps to it."""
    _alone.append(sink)
    try:
        _observe()
        yield
    finally:
        _alone.remove(sink)
        _forget()
        if not sinks():
            off()


def observe(sink: Sink) -> None:
    """Report the steps of this process to ``sink``. Idempotent; wraps what is loaded by now."""
    if sink not in _sinks:
        _sinks.append(sink)
    _observe()


@guarded(None)
def _observe() -> None:
    wrap(tf.GradientTape, "gradient", _gradient)
    wrap(tf.GradientTape, "__enter__", _enter)
    wrap(tf.GradientTape, "__exit__", _exit)
    from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable  # of every variable; no public name

    for owner in (BaseResourceVariable, *below(BaseResourceVariable)):
        for name in _ASSIGNMENTS:
            if name in vars(owner):  # TensorFlow gives some subclasses copies of their own
                wrap(owner, name, _assign)
    if hasattr(sys.modules.get("keras"), "optimizers"):  # whole: else its own installation calls
        observe_keras()


def observe_keras() -> None:
    """Watch Keras' optimizers and losses too, once Keras is there."""
    import keras

    if sinks() and keras.backend.backend() == "tensorflow":
        wrap(keras.optimizers.Optimizer, "apply", _apply)
        wrap(keras.optimizers.LossScaleOptimizer, "apply", _apply)
        wrap(keras.losses.Loss, "__call__", _loss)
        wrap(keras.Model, "__call__", _model)  # before what it inherits from
        wrap(keras.layers.Layer, "__call__", layers.layer)
        evaluation.observe()


def sinks() -> list[Sink]:
    """Who is told."""
    return _alone[-1:] or list(_sinks)


def reporting(seen: Seen) -> tuple[Seen, Known]:
    """The step that the loop itself reports, with what was seen since the last one; that is then forgotten."""
    told = replace(seen, heard=_scene.heard, made=_scene.eager or flow.in_graph), _scene.known
    _forget()
    return told


def _gradient(original: Callable[..., Any]) -> Callable[..., Any]:
    def gradient(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, target, sources, *args, **kwargs)
        whole.reached(self, target, sources, result, _scene.eager or flow.in_graph)
        _gave(target, sources, result)
        return result

    return gradient


def _enter(original: Callable[..., Any]) -> Callable[..., Any]:
    def enter(self: Any) -> Any:
        result = original(self)
        _begun(self)
        return result

    return enter


def _exit(original: Callable[..., Any]) -> Callable[..., Any]:
    def leave(self: Any, *args: Any) -> Any:
        _ended(self)
        return original(self, *args)

    return leave


def _model(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        _scene.calling += 1
        evaluated = _listened() if _scene.calling == 1 else None
        try:
            result = original(self, *args, **kwargs)
        finally:
            _scene.calling -= 1
            if evaluated is not None:
                layers.listen(None)
        if not _scene.calling:
            _called(self, args, kwargs, result, evaluated)
        return result

    return call


def _apply(original: Callable[..., Any]) -> Callable[..., Any]:
    def apply(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
        grads = list(grads)
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        _applied(self, grads, trainable_variables)
        _scene.applying += 1
        try:
            return original(self, grads, trainable_variables)
        finally:
            _scene.applying -= 1
            _acted()

    return apply


def _assign(original: Callable[..., Any]) -> Callable[..., Any]:
    def assign(self: Any, *args: Any, **kwargs: Any) -> Any:
        whole.moved(self)
        if _scene.taped and not _scene.applying and not flow.of_itself(self, (*args, *kwargs.values())[:1]):
            _assigned(self)
        result = original(self, *args, **kwargs)
        if _scene.unassigned and not _scene.applying:
            _was_assigned(self)
        return result

    return assign


def _loss(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        if _scene.known.loss is None or (_scene.tapes and not _scene.met):
            _met(self, y_true, y_pred)
        if type(self).__name__ == "CompileLoss":
            evaluation.elsewhere()
        result = original(self, y_true, y_pred, *args, **kwargs)
        if _scene.tapes and sinks():
            _compared(self, y_true, y_pred, result, (*args, kwargs.get("sample_weight"))[0])
        elif sinks():
            evaluation.compared(self, y_true, y_pred, result)
        return result

    return call


@guarded(None)
def _begun(tape: Any) -> None:
    """A tape begins: what was heard before belongs to no step."""
    nested = bool(_scene.tapes)
    _scene.tapes.add(tape)
    if nested:
        return
    _scene.taped.begun += 1
    evaluation.ending() if tf.executing_eagerly() else evaluation.training()
    _deaf()
    _scene.heard = forward.Heard()
    if sinks() and (not tf.executing_eagerly() or any(sink.looking() for sink in sinks())):
        _scene.heard.layers = {}
    layers.listen(_scene.heard.layers, _scene.heard.order)
    listening = tf.executing_eagerly() and any(sink.listening() for sink in sinks())
    _scene.eager = flow.Eager() if listening else None
    if _scene.eager is not None:
        _scene.eager.begin()


@guarded(None)
def _ended(tape: Any) -> None:
    """A tape ends."""
    _scene.tapes.discard(tape)
    if not _scene.tapes:
        layers.listen(None)
        _deaf()


def _deaf() -> None:
    """No operation is heard any more; what was heard is kept for the step to come."""
    if _scene.eager is not None:
        _scene.eager.end()


def _listened() -> dict[int, Any] | None:
    """Where the layers of a model are noted that is called without a tape; None where nobody wants them."""
    told = [] if _scene.tapes else sinks()
    return layers.noted() if told and evaluation.recording(told) else None


@guarded(None)
def _called(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, evaluated: dict[int, Any] | None
) -> None:
    """A model was called, not from within another's call."""
    if not sinks():
        return
    call = forward.called(model, args, kwargs, result)
    if call is None:
        return
    if _scene.tapes:
        _scene.heard.call(call)
    else:
        evaluation.called(call, evaluated)
        told = forward.mode(call, learning=False) | whole.unscored(call.model)
        for sink in sinks():
            sink.mode(told)


@guarded(None)
def _compared(loss: Any, y_true: Any, y_pred: Any, result: Any, weight: Any) -> None:
    _scene.heard.loss(y_pred, y_true, result, forward.loss_facts(loss, y_true, y_pred), weight)


@guarded(None)
def _gave(target: Any, sources: Any, result: Any) -> None:
    """Keep what a tape gave, if it was asked for gradients of variables."""
    flat, gradients = tf.nest.flatten(sources), tf.nest.flatten(result)
    if not sinks() or len(flat) != len(gradients) or not all(taped.is_variable(source) for source in flat):
        return  # of activations, of inputs: no step of a training
    targets = tf.nest.flatten(target)
    _scene.taped.add(targets[0] if len(targets) == 1 else None, flat, gradients, _scene.heard.given)


@guarded(None)
def _applied(optimizer: Any, gradients: list[Any], variables: list[Any] | None) -> None:
    """An optimizer is about to act; within another one's ``apply``, or under ``fit``, it is no news."""
    from auditor_agent.integrations.keras.probe import tapped

    if _scene.applying or not sinks():
        return
    if tapped(optimizer):
        _scene.taped.clear()
        _forget()
        return
    if variables is None:
        variables = list(getattr(optimizer, "inner_optimizer", optimizer)._trainable_variables)  # noqa: SLF001 -- no public name
    before, changed = _scene.taped.before(variables), altered(_scene.taped.gave(variables), gradients, variables)
    loss = _scene.taped.loss(gradients, variables)
    _report(Seen(loss, gradients, variables, optimizer, before=before, altered=changed))


@guarded(None)
def _assigned(variable: Any) -> None:
    """A variable is assigned by hand: if the tape gave its gradient, this is a step."""
    found = _scene.taped.of(variable)
    if found is not None:
        _report(Seen(found.loss, found.gradients, found.sources))
        _scene.unassigned = {id(source) for source in found.sources}


@guarded(None)
def _was_assigned(variable: Any) -> None:
    """A variable of a step by hand has its new value; with the last one the step is done."""
    _scene.unassigned.discard(id(variable))
    if not _scene.unassigned:
        for sink in sinks():
            sink.done()


@guarded(None)
def _acted() -> None:
    """An optimizer has acted."""
    if not _scene.applying:
        for sink in sinks():
            sink.done()


@guarded(None)
def _met(loss: Any, y_true: Any, y_pred: Any) -> None:
    shapes = {name: _shape(value) for name, value in (("target", y_true), ("output", y_pred))}
    batch = {"batch_size": output[0]} if (output := shapes["output"]) and output[0] else {}
    _scene.known, _scene.met = Known(loss, shapes | batch), bool(_scene.tapes)


def _report(seen: Seen) -> None:
    known, heard, eager = _scene.known, _scene.heard, _scene.eager
    _forget()
    whole.score(heard)
    seen = replace(seen, heard=heard, made=eager or flow.in_graph)
    for sink in sinks():
        for call in heard.calls:
            sink.mode(forward.mode(call, learning=True))
        sink.see(seen, known)


def _forget() -> None:
    _deaf()  # of a step that is taken while its tape still watches
    _scene.heard, _scene.eager, _scene.met = forward.Heard(), None, False
    _scene.unassigned = set()


def _shape(value: Any) -> list[int | None] | None:
    shape = getattr(value, "shape", None)
    return (
        None if shape is None or getattr(shape, "rank", 0) is None else [None if n is None else int(n) for n in shape]
    )
