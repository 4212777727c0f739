"""Models that are trained though none of their weights is trainable: Keras warns once and goes on.

So it is with a discriminator that is frozen for the generator's sake before its own train function
was first traced, and with a model all of whose layers were frozen. No optimizer acts then, and no
step could be told.
"""

from __future__ import annotations

import functools
import time
import weakref
from typing import Any, Final

import keras

from auditor_agent.capture.repeated import Repeated
from auditor_agent.guard import guarded
from auditor_agent.integrations import numbering
from auditor_agent.integrations.keras import unready
from auditor_agent.run import live_run

#: Batches that a model is trained on before it is said; as with PyTorch's backward passes.
AFTER: Final = 100
_NAMED: Final = 32
#: Batches that each model was trained on without a trainable weight; of those that had one at their first, -1.
_COUNTS: Final[weakref.WeakKeyDictionary[Any, int]] = weakref.WeakKeyDictionary()
#: Models whose ``train_on_batch`` runs.
_INSIDE: Final[list[Any]] = []
_REPEATED: Final[weakref.WeakKeyDictionary[Any, Repeated]] = weakref.WeakKeyDictionary()


@guarded(None)
def trained(model: Any, batches: int, run: Any = None) -> None:
    """``model`` was trained on ``batches`` more; the hundredth of one without trainable weights is told.

    ``run``: whom it is told to; default the process's own.
    """
    count = _COUNTS.get(model, 0)
    if count < 0:
        return
    if not count and not _idle(model):  # as its train function was traced
        _COUNTS[model] = -1
        return
    _COUNTS[model] = count = count + batches
    if count < AFTER:
        return
    _COUNTS[model] = -1
    if _idle(model):
        from auditor_agent.run import open_run

        _tell(model, count, open_run("keras") if run is None else run)


@guarded(None)
def _given(model: Any, batch: Any, before: int) -> None:
    """Tell the run of a model whose batch is always the same, and of one that was evaluated too early."""
    run = live_run()
    if run is None or run.finished:
        return
    unready.tell(model, run, before)
    repeated = _REPEATED.get(model)
    if repeated is None:
        repeated = _REPEATED[model] = Repeated()
    told = repeated.take(batch[0] if isinstance(batch, (list, tuple)) and batch else batch)
    if told is not None:
        run.event(max(numbering.last(run), 1), "batch_repeated", **told)


def _idle(model: Any) -> bool:
    """Whether the optimizer has nothing to move; a ``train_step`` of one's own may assign what it likes."""
    plain = str(type(model).train_step.__module__).startswith("keras.")
    return plain and bool(model.weights) and not model.trainable_weights and model.optimizer is not None


def _tell(model: Any, count: int, run: Any) -> None:
    shapes = [f"{weight.path} {tuple(weight.shape)}" for weight in model.weights[:_NAMED]]
    last = numbering.last(run)
    fields = {"backwards": count, "optimizer": type(model.optimizer).__name__, "parameters": shapes}
    run.event(last or count, "step_missing", model=str(model.name), untrainable=True, **fields)
    if not last:  # no optimizer has acted: the event has no step to stand with
        run.record(count, {}, run.layout(()), b"", time=time.time(), urgent=True)


def by_batches() -> bool:
    """Whether a program of Keras is within ``train_on_batch``: its loop is no tape's of its own."""
    return bool(_INSIDE)


def observe() -> None:
    """Count, and look at, the batches that ``train_on_batch`` is given from now on. Idempotent."""
    original = keras.Model.train_on_batch
    if getattr(original, "auditor_installed", False):
        return

    @functools.wraps(original)
    def audited_train_on_batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        run = live_run()
        before = 0 if run is None else numbering.last(run)
        _INSIDE.append(self)
        try:
            result = original(self, *args, **kwargs)
        finally:
            _INSIDE.pop()
        trained(self, 1)
        _given(self, args[0] if args else kwargs.get("x"), before)
        return result

    audited_train_on_batch.auditor_installed = True  # type: ignore[attr-defined]  # the mark that makes this idempotent
    keras.Model.train_on_batch = audited_train_on_batch
