"""What a step is a part of: models whose outputs others judge, variables that the loss reaches and nothing moves."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import forward
from auditor_agent.statistics import STATISTICS

#: Gradients asked of tapes at which is looked for what they watched: the first of a process.
_LOOKS: Final = 32
#: Steps of a short run after which it is said what was never moved.
FEWEST: Final = 20
#: Variables that are told of.
_MOST: Final = 32
_scored: Final[weakref.WeakKeyDictionary[Any, bool]] = weakref.WeakKeyDictionary()
"""Whether a loss was given what the model made, where losses were given what some model made."""
_called: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
"""Models that were called in steps."""
_reached: Final[dict[int, weakref.ref[Any]]] = {}
_moved: Final[dict[int, weakref.ref[Any]]] = {}
_looked: Final[list[int]] = [0]


@guarded(None)
def score(heard: forward.Heard) -> None:
    """Learn which of the models' outputs the losses are given: of a generator they are given another model's word."""
    _called.update(call.model for call in heard.calls)
    given = {id(one.output) for one in heard.compared}
    taken = [any(id(output) in given for output in call.outputs) for call in heard.calls]
    if any(taken):
        for call, own in zip(heard.calls, taken, strict=True):
            _scored[call.model] = own or _scored.get(call.model, False)


def unscored(model: Any) -> dict[str, Any]:
    """The field ``unscored`` of an event ``mode``, for a model whose outputs only other models judge."""
    return {"unscored": True} if _scored.get(model) is False else {}


@guarded(None)
def reached(tape: Any) -> None:
    """Keep in mind what ``tape``, just asked for gradients, saw the loss to be made of."""
    if _looked[0] < _LOOKS:
        _looked[0] += 1
        _reached.update((id(variable), weakref.ref(variable)) for variable in tape.watched_variables())


def moved(variable: Any) -> None:
    """``variable`` is assigned: by an optimizer, by hand, or as a whole."""
    if not _is_moved(variable):
        _moved[id(variable)] = weakref.ref(variable)


def _is_moved(variable: Any) -> bool:
    """By identity: the number may have been that of a variable that is gone."""
    known = _moved.get(id(variable))
    return known is not None and known() is variable


def unapplied() -> list[Any]:
    """Variables that losses were made of and nothing has assigned since they were made, but those frozen in Keras."""
    frozen = {id(getattr(one, "value", one)) for model in _called for one in model.non_trainable_variables}
    alive = [(key, variable) for key, ref in _reached.items() if (variable := ref()) is not None]
    return [variable for key, variable in alive if key not in frozen and not _is_moved(variable)]


def tell(run: Any, step: int, statistics: Callable[[Sequence[Any]], Any], until: int | None = None) -> None:
    """The event ``unapplied`` of ``run``, unless everything moved, or nothing at all did.

    Args:
        run: gets the event.
        step: the last one there was.
        statistics: the words of variables, one column each, or None.
        until: the step at which it was told; a run that ends before, and is not too short, tells it at its end.
    """
    if until is not None and not FEWEST <= step < until:
        return
    if told := fields(statistics):
        run.event(step, "unapplied", **told)


def fields(statistics: Callable[[Sequence[Any]], Any]) -> dict[str, Any]:
    """Its fields, empty where there is nothing to say."""
    left = [variable for variable in unapplied() if variable.dtype.is_floating][:_MOST]
    words = statistics(left) if left and _moved else None
    if words is None:
        return {}
    told = []
    for at, variable in enumerate(left):
        values = dict(zip(STATISTICS, [*words[:4, at].tolist(), *words[4:, at].view(np.float32).tolist()], strict=True))
        shape, name = [int(extent) for extent in variable.shape], str(variable.name).split(":")[0]
        told.append({"name": name, "shape": shape, **{one: values[one] for one in ("mean", "std", "absmax")}})
    return {"variables": told, "moved": len(_moved)}
