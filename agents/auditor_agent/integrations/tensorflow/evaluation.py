"""Evaluations in a loop of one's own: calls of a model without a tape, its losses and metrics, until the next step.

The loss is that of ``keras.losses`` called on what such a call gave. In a ``tf.function`` it is added
up by one operation, put there while the function is traced; a function without a loss (one that is
exported, say) is left as it is. Metrics are those of ``keras.metrics`` that are updated in evaluations
only, as the loop reads their ``result``. A loop that calls its model between nearly all of its steps
(a policy that acts, a teacher) has no evaluations.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow.wraps import below, wrap

#: Evaluations with fewer steps between them that are taken for what they are not, in a row.
_CLOSE: Final = 2
_MANY: Final = 8
_PREFIX: Final = re.compile(r"^(val|valid|validation|test|eval)_")
_NUMBER: Final = re.compile(r"_\d+$")


class _Scene(threading.local):
    """What this thread saw last."""

    outputs: tuple[Any, ...] = ()
    """What a model called without a tape gave."""
    samples: Any = 0
    call: Any = None
    """That call."""
    layers: dict[int, Any] | None = None
    """Those of its layers, where it may be recorded."""
    evaluating = False


_scene: Final = _Scene()
_phases: Final[weakref.WeakKeyDictionary[Any, set[bool]]] = weakref.WeakKeyDictionary()


class Evaluation:
    """The evaluations of one run.

    Args:
        tell: takes the fields of an event ``evaluation`` and scalars.
        step: gives the number of the last step.
        recorded: gives who records its first batch (``evaluated.Evaluated``); None: nobody does.
    """

    def __init__(
        self,
        tell: Callable[[dict[str, int], dict[str, float]], None],
        step: Callable[[], int],
        recorded: Callable[[], Any],
    ) -> None:
        self._tell, self._last_step, self._recorded = tell, step, recorded
        self._batches = self._samples = self._losses = self._often = 0
        self._total: Any = 0.0
        self._traced: Any = None
        self._metrics: dict[str, float] = {}
        self._last = -_CLOSE

    def heard(self, samples: Any, loss: Any) -> None:
        """A batch's loss was computed, or is being traced."""
        if tf.executing_eagerly():
            self._losses += 1
            self._total = self._total + (float(loss) if "CPU" in loss.device else tf.cast(loss, tf.float64))
            return
        if self._traced is None:
            with tf.init_scope():
                self._traced = tf.Variable(tf.zeros([3], tf.float64), trainable=False)
        one = tf.constant(1.0, tf.float64)
        self._traced.assign_add(tf.stack([one, tf.cast(samples, tf.float64), tf.cast(loss, tf.float64)]))

    @guarded(None)
    def batch_of(self, call: Any, layers: dict[int, Any], loss: Any, compared: tuple[Any, Any, Any]) -> None:
        """A loss compared target and output, and gave the third."""
        from auditor_agent.integrations.tensorflow.evaluated import Batch
        from auditor_agent.integrations.tensorflow.forward import loss_facts

        recorded = self._recorded()
        if recorded is not None:
            target, output, result = compared
            recorded.compared(Batch(call, target, output, result, loss_facts(loss, target, output), layers))

    def batch(self, samples: int) -> None:
        """A model was called without a tape."""
        self._batches += 1
        self._samples += samples

    def metric(self, name: str, value: float) -> None:
        """The loop has read a metric."""
        self._metrics[name] = value

    @guarded(None)
    def end(self) -> None:
        """A step is about to be taken, or the run ends. Idempotent."""
        if self._traced is not None:
            batches, samples, total = self._traced.numpy().tolist()
            if batches:
                self._traced.assign(tf.zeros([3], tf.float64))
                self._batches, self._samples = self._batches + int(batches), self._samples + int(samples)
                self._losses, self._total = self._losses + int(batches), self._total + total
        if not self._batches and not self._metrics:
            return
        step = self._last_step()
        self._often = self._often + 1 if step - self._last < _CLOSE else 0
        self._last = step
        if step and self._often < _MANY:
            found = {"val_loss": float(self._total) / self._losses} if self._losses else {}
            fields = {"batches": self._batches, "samples": self._samples, "losses": self._losses}
            self._tell(fields if self._batches else {}, {**found, **self._metrics})
        self._batches = self._samples = self._losses = 0
        self._total, self._metrics = 0.0, {}


_told: Final[list[Evaluation]] = []


def tell(evaluation: Evaluation) -> None:
    """From now on this one is told."""
    _told[:] = [evaluation]


def ending() -> None:
    """A step is about to be taken."""
    training()
    for evaluation in _told:
        evaluation.end()


def training() -> None:
    """A tape begins."""
    _forget()
    _scene.evaluating = False


def elsewhere() -> None:
    """What the model gave is Keras' own business: ``evaluate`` or ``fit`` calls it."""
    _forget()


def _forget() -> None:
    _scene.outputs, _scene.call, _scene.layers = (), None, None


@guarded(False)
def recording(sinks: Sequence[Any]) -> bool:
    """Whether the evaluation that begins may be recorded: one that is traced may be whenever it runs."""
    return not tf.executing_eagerly() or any(sink.evaluating() for sink in sinks)


def called(call: Any, layers: dict[int, Any] | None) -> None:
    """A model was called without a tape: ``call`` is a ``forward.Call``; ``layers`` are noted to be recorded."""
    inputs = call.inputs
    _scene.outputs, _scene.evaluating, _scene.samples = tuple(call.outputs), True, 0
    _scene.call, _scene.layers = call, layers
    if inputs and len(inputs[0].shape):
        _scene.samples = len(inputs[0]) if tf.executing_eagerly() else tf.shape(inputs[0])[0]
    if tf.executing_eagerly():
        for evaluation in _told:
            evaluation.batch(int(_scene.samples))


@guarded(None)
def compared(loss: Any, target: Any, output: Any, result: Any) -> None:
    """A loss object of Keras was called without a tape."""
    if any(_is(output, one) for one in _scene.outputs) and tf.is_tensor(result) and result.shape.rank == 0:
        call, noted = _scene.call, _scene.layers
        _forget()
        output = tf.convert_to_tensor(output)
        _early(call.model, output.shape[0])
        for evaluation in _told:
            evaluation.heard(_scene.samples, result)
            if noted is not None:
                evaluation.batch_of(call, noted, loss, (target, output, result))


@guarded(False)
def _is(output: Any, given: Any) -> bool:
    """Whether a loss was computed of a tensor that was given, or of its ``numpy()``, a copy."""
    if (
        output is given
        or not isinstance(output, np.ndarray)
        or not hasattr(given, "numpy")
        or "CPU" not in given.device
    ):
        return output is given
    return np.array_equal(output, given.numpy(), equal_nan=True)


@guarded(None)
def _early(model: Any, samples: int | None) -> None:
    """Look whether the model that is evaluated is ready for it."""
    from auditor_agent.integrations.keras import unready

    with tf.init_scope():
        unready.evaluated(model, samples or 0)


def observe() -> None:
    """Have the metrics of Keras watched, too. Idempotent."""
    import keras

    for owner in (keras.metrics.Metric, *below(keras.metrics.Metric)):
        if "update_state" in vars(owner):
            wrap(owner, "update_state", _update)
        if "result" in vars(owner):
            wrap(owner, "result", _result)


def _update(original: Callable[..., Any]) -> Callable[..., Any]:
    def update_state(self: Any, *args: Any, **kwargs: Any) -> Any:
        _updated(self)
        return original(self, *args, **kwargs)

    return update_state


@guarded(None)
def _updated(metric: Any) -> None:
    _phases.setdefault(metric, set()).add(_scene.evaluating)


def _result(original: Callable[..., Any]) -> Callable[..., Any]:
    def result(self: Any) -> Any:
        value = original(self)
        if _told and tf.executing_eagerly():
            _read(self, value)
        return value

    return result


@guarded(None)
def _read(metric: Any, value: Any) -> None:
    name = _NUMBER.sub("", _PREFIX.sub("", str(metric.name)))
    if _phases.get(metric) == {True} and tf.is_tensor(value) and value.shape.rank == 0 and name != "mean":
        for evaluation in _told:
            evaluation.metric(f"val_{name}", float(value))
