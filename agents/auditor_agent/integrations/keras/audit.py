"""Keras 3: a callback that audits ``fit``, and ``install`` for scripts that do not pass one."""

from __future__ import annotations

import atexit
import functools
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras

from auditor_agent import guard
from auditor_agent.integrations.keras import evaluations, legacy, unready, untrained
from auditor_agent.integrations.keras import manifest as keras_manifest
from auditor_agent.integrations.keras.logs import LogWatch

if TYPE_CHECKING:
    from auditor_agent.integrations.keras.watch import Watch

#: The watch of each live run of this process: a second ``fit`` continues it.
_WATCHES: dict[str, Watch | LogWatch] = {}
#: Ids of the runs of which a ``fit`` is under way.
_FITTING: set[str] = set()


class Audit(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Audits the training that ``fit`` does: ``model.fit(x, y, callbacks=[Audit()])``.

    Records at every step the loss of the batch, the learning rate and twelve statistics of every
    gradient (before clipping, loss scale undone), samples weights, and logs the metrics of each
    epoch. Never raises into ``fit`` and changes neither numbers nor random state. Several ``fit``
    calls in one process are one run.

    Args:
        name: the run's name; default from ``AUDITOR_NAME`` or the script.
        project: default from ``AUDITOR_PROJECT``.
        run: a run to record into instead of the process's own.
    """

    def __init__(self, *, name: str | None = None, project: str | None = None, run: Any = None) -> None:
        super().__init__()
        self.run = run
        self._name, self._project = name, project
        self._watch: Watch | LogWatch | None = None
        self._steps = 1
        self._arguments: dict[str, Any] | None = None
        self._declared = False
        self._idle: bool | None = None

    @guard.guarded(None)
    def set_model(self, model: Any) -> None:
        """Tap the model's train step; ``fit`` calls this before it makes its train function."""
        super().set_model(model)
        if getattr(model, "optimizer", None) is None:
            return
        if self.run is None:
            from auditor_agent.run import open_run

            self.run = open_run("keras", name=self._name, project=self._project)
        if not self.run.finished:  # AUDITOR_MODE=off gives a run that has ended
            self._watch = _watch(self.run, model)

    @guard.guarded(None)
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Say what the run is."""
        del logs
        if self._watch is None:
            return
        _FITTING.add(str(self.run.id))
        self._steps = int(getattr(self.model, "steps_per_execution", 1) or 1)
        self._arguments = keras_manifest.fit_arguments(self.model)
        self._watch.begin(self.model)
        unready.tell(self.model, self.run, self._watch.step)
        self._declared, self._idle = False, None
        self._declare()

    def _declare(self) -> None:
        """Send the manifest once the model is whole; again with its initial weights when they are known."""
        if self._declared or self._watch is None:
            return
        weights = self._watch.initial_weights()
        if weights or self._watch.ready:
            self.run.manifest(keras_manifest.manifest(self.model, self._arguments, weights))
        self._declared = bool(weights)

    @guard.guarded(None)
    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the weights before the step, where the step itself cannot show them."""
        del batch, logs
        if self._watch is not None:
            self._watch.batch_begin(self._steps)

    @guard.guarded(None)
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Read what the train function left, when it is time to."""
        del batch
        if self._watch is None:
            return
        if not self._declared:
            self._declare()
            self._declared = True  # after the first step there is no more to learn
            self._arguments = None
        if self._idle is None:
            self._idle = not self.model.trainable_weights
        if self._idle:
            untrained.trained(self.model, self._steps, self.run)
        self._watch.batch_end(self._steps, logs)
        if self.run.should_stop and not self.model.stop_training:
            self.model.stop_training = True
            self.run.event(self._watch.step, "stopped", reason=f"verdict {self.run.verdict}")

    @guard.guarded(None)
    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Have the first batch of an evaluation recorded, if its turn has come."""
        del logs
        if self._watch is not None and not batch:
            self._watch.evaluation_begins()

    @guard.guarded(None)
    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take what was recorded of it."""
        del batch, logs
        if self._watch is not None:
            self._watch.evaluated()

    @guard.guarded(None)
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the metrics of the epoch, those of validation among them."""
        if self._watch is None:
            return
        self._watch.epoch_end(epoch + 1)
        values = {("epoch_loss" if name == "loss" else name): float(value) for name, value in (logs or {}).items()}
        self.run.log(epoch=float(epoch + 1), **values)

    @guard.guarded(None)
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record what is left. The run goes on: another ``fit`` may follow."""
        del logs
        if self._watch is None:
            return
        _FITTING.discard(str(self.run.id))
        self._watch.read()
        if self.run.should_stop:
            self.run.finish("stopped", f"verdict {self.run.verdict}")


def _watch(run: Any, model: Any) -> Watch | LogWatch:
    """The watch of ``run``, following ``model``."""
    key, old = str(run.id), _WATCHES.get(str(run.id))
    why = _untappable(model)
    if why is not None:
        guard.note(f"gradients are not captured ({why}): loss and metrics only")
        if not isinstance(old, LogWatch) or old.run is not run:
            old = _WATCHES[key] = LogWatch(run, why)
        return old
    from auditor_agent.integrations.keras.watch import Watch

    if not isinstance(old, Watch) or old.run is not run:
        old = _WATCHES[key] = Watch(run)
        # Registered after the run's own, hence called before it: what a crash left unread is read.
        atexit.register(_at_exit, weakref.ref(old))
    old.tap(model)
    return old


def _following(model: Any) -> Watch | LogWatch | None:
    """The watch of a run under way that ``fit`` has left on ``model``; None where there is none."""
    return next((w for w in _WATCHES.values() if not w.run.finished and w.follows(model)), None)


def _untappable(model: Any) -> str | None:
    """Why the train step cannot be tapped; None if it can."""
    backend = keras.backend.backend()
    if backend == "torch":
        return None
    if backend != "tensorflow":
        return f"the {backend} backend of Keras"
    import tensorflow as tf

    replicas = model.distribute_strategy.num_replicas_in_sync
    if tf.distribute.has_strategy() or replicas > 1:
        return f"{type(model.distribute_strategy).__name__} of tf.distribute, {replicas} replicas"
    return None


def fitting(run: Any) -> bool:
    """Whether a ``fit`` of this run is under way, whose epochs are logged."""
    return str(run.id) in _FITTING


def on_torch() -> bool:
    """Whether a ``fit`` of Keras is watched whose backward passes are PyTorch's."""
    return bool(_WATCHES) and str(keras.backend.backend()) == "torch"


@guard.guarded(None)
def _at_exit(reference: Callable[[], Watch | None]) -> None:
    watch = reference()
    if watch is not None and not watch.run.finished:  # in a forked child the lock may be held for ever
        watch.read()


def install() -> None:
    """Have every ``fit`` of this process audited, as ``auditor run`` asks. Idempotent.

    An ``Audit`` is appended to the callbacks where there is none.
    """
    trainer = keras.Model
    untrained.observe()
    unready.observe()
    evaluations.observe(_following)
    legacy.observe()
    if getattr(trainer.fit, "auditor_installed", False):
        return
    fit = trainer.fit

    @functools.wraps(fit)
    def audited_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = _with_audit(self, args, kwargs)
        return fit(self, *args, **kwargs)

    if keras.backend.backend() == "tensorflow":
        from auditor_agent.integrations.tensorflow.tape import observe_keras

        observe_keras()
    audited_fit.auditor_installed = True  # type: ignore[attr-defined]  # the mark that makes this idempotent
    trainer.fit = audited_fit


#: Place of ``callbacks`` among the positional arguments of ``fit``: x, y, batch_size, epochs, verbose, callbacks.
_CALLBACKS_AT = 5


def _audited(model: Any, callbacks: Any) -> Any:
    if isinstance(callbacks, keras.callbacks.CallbackList):
        if not any(isinstance(callback, Audit) for callback in callbacks.callbacks):
            audit = Audit()  # a list that was made before fit is not told its model again
            audit.set_model(model)
            callbacks.append(audit)
        return callbacks
    held = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks is not None else []
    return held if any(isinstance(callback, Audit) for callback in held) else [*held, Audit()]


def _with_audit(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """``fit``'s arguments with an ``Audit`` among the callbacks; as they were if that fails."""
    try:
        if len(args) > _CALLBACKS_AT:
            return (*args[:_CALLBACKS_AT], _audited(model, args[_CALLBACKS_AT]), *args[_CALLBACKS_AT + 1 :]), kwargs
        return args, {**kwargs, "callbacks": _audited(model, kwargs.get("callbacks"))}
    except Exception as error:
        guard.failure("install", error)
        return args, kwargs
