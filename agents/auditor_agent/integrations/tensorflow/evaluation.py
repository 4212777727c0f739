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
from collections.abc import Callable
from typing import Any, Final

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
    model: weakref.ref[Any] | None = None
    """The one that was called."""
    evaluating = False


_scene: Final = _Scene()
_phases: Final[weakref.WeakKeyDictionary[Any, set[bool]]] = weakref.WeakKeyDictionary()


class Evaluation:
    """The evaluations of one run.

    Args:
        tell: takes the fields of an event ``evaluation`` and scalars.
        step: gives the number of the last step.
    """

    def __init__(self, tell: Callable[[dict[str, int], dict[str, float]], None], step: Callable[[], int]) -> None:
        self._tell, self._last_step = tell, step
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
    _scene.outputs, _scene.evaluating = (), False
    for evaluation in _told:
        evaluation.end()


def training() -> None:
    """A tape begins."""
    _scene.outputs, _scene.evaluating = (), False


def elsewhere() -> None:
    """What the model gave is Keras' own business: ``evaluate`` or ``fit`` calls it."""
    _scene.outputs = ()


def called(model: Any, inputs: list[Any], outputs: list[Any]) -> None:
    """A model was called without a tape."""
    _scene.outputs, _scene.evaluating, _scene.samples = tuple(outputs), True, 0
    _scene.model = weakref.ref(model)
    if inputs and len(inputs[0].shape):
        _scene.samples = len(inputs[0]) if tf.executing_eagerly() else tf.shape(inputs[0])[0]
    if tf.executing_eagerly():
        for evaluation in _told:
            evaluation.batch(int(_scene.samples))


def compared(output: Any, result: Any) -> None:
    """A loss object of Keras was called without a tape."""
    if any(output is one for one in _scene.outputs) and tf.is_tensor(result) and result.shape.rank == 0:
        _scene.outputs = ()
        _early(_scene.model, output.shape[0])
        for evaluation in _told:
            evaluation.heard(_scene.samples, result)


@guarded(None)
def _early(reference: weakref.ref[Any] | None, samples: int | None) -> None:
    """Look whether the model that is evaluated is ready for it."""
    from auditor_agent.integrations.keras import unready

    model = None if reference is None else reference()
    if model is not None:
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
