"""Evaluations that a program asks for itself, after ``fit``: ``model.evaluate(x, y)`` is given no callback of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import keras

from auditor_agent import guard

_MARK: Final = "auditor_evaluations"
#: Place of ``callbacks`` among the positional arguments of ``evaluate``: x, y, batch_size, verbose, sample_weight,
#: steps, callbacks.
_CALLBACKS_AT: Final = 6


class Heard(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Has the first batch of one evaluation recorded by a watch of its model."""

    def __init__(self, watch: Any) -> None:
        super().__init__()
        self._watch = watch

    @guard.guarded(None)
    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Have the first batch recorded, if its turn has come."""
        del logs
        if not batch:
            self._watch.evaluation_begins()

    @guard.guarded(None)
    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Take what was recorded of it."""
        del batch, logs
        self._watch.evaluated()


def observe(watch_of: Callable[[Any], Any]) -> None:
    """Record evaluations of models that ``watch_of`` has a watch of. Idempotent."""
    evaluate = keras.Model.evaluate
    if hasattr(evaluate, _MARK):
        return

    @functools.wraps(evaluate)
    def audited_evaluate(self: Any, *args: Any, **kwargs: Any) -> Any:
        return evaluate(self, *args, **_with_callback(watch_of, self, args, kwargs))

    setattr(audited_evaluate, _MARK, True)
    keras.Model.evaluate = audited_evaluate


@guard.guarded(cast("list[Any] | None", None))
def _heard(watch_of: Callable[[Any], Any], model: Any, callbacks: Any) -> list[Any] | None:
    """The callbacks with one of ours; None where ``fit`` evaluates, whose own ``Audit`` is among them."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return None
    watch = watch_of(model)
    if watch is None:
        return None
    held = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks is not None else []
    return [*held, Heard(watch)]


def _with_callback(
    watch_of: Callable[[Any], Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    if len(args) > _CALLBACKS_AT:
        return kwargs
    held = _heard(watch_of, model, kwargs.get("callbacks"))
    return kwargs if held is None else {**kwargs, "callbacks": held}
