"""What a step is a part of: models whose outputs others judge, variables that the loss reaches and nothing moves."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.tensorflow import flow, forward, stepless
from auditor_agent.integrations.tensorflow.links import links
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
_known: Final[set[int]] = set()
"""Variables of which it is known what stands beside them on their way to a loss (``links``)."""
_beside: Final[dict[int, set[int]]] = {}
_together: Final[dict[int, set[int]]] = {}
"""All variables of the losses that one was watched for."""
_asked: Final[dict[int, bool]] = {}
"""Variables that a gradient was asked of while the tape saw them at work, and whether there ever was one."""


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
def reached(tape: Any, target: Any, sources: Any, gradients: Any, made: flow.Made) -> None:
    """Keep in mind what ``tape``, just asked for gradients of ``target``, saw the loss to be made of.

    And of which of ``sources`` it was asked in vain: variables that were at work under it, and None for a gradient.
    """
    stepless.asked(tf.nest.flatten(sources), _is_moved)
    if _looked[0] >= _LOOKS:
        return
    _looked[0] += 1
    watched = list(tape.watched_variables())
    _ask(watched, tf.nest.flatten(sources), tf.nest.flatten(gradients))
    _reached.update((id(variable), weakref.ref(variable)) for variable in watched)
    targets = [one for one in tf.nest.flatten(target) if tf.is_tensor(one)]
    if len(targets) != 1 or _known.issuperset(map(id, watched)):
        return
    table = links(targets[0], made, _handles(targets[0], watched))
    if table is None:
        return
    _known.update(map(id, watched))
    for place, variable in enumerate(watched):
        beside = {id(other) for at, other in enumerate(watched) if table.get(place, 0) >> at & 1}
        _beside.setdefault(id(variable), set()).update(beside)
        _together.setdefault(id(variable), set()).update(map(id, watched))


def _ask(watched: Sequence[Any], sources: Sequence[Any], gradients: Sequence[Any]) -> None:
    at_work = {id(variable) for variable in watched}
    if len(sources) != len(gradients):
        return
    for source, gradient in zip(sources, gradients, strict=True):
        key = id(getattr(source, "_value", source))  # of Keras' variables the one of TensorFlow's within
        if key in at_work:
            _asked[key] = _asked.get(key, False) or gradient is not None


def _handles(target: Any, watched: Sequence[Any]) -> dict[int, int]:
    """Place of each variable by the identity of what stands for it where ``target`` was computed."""
    places = {id(variable.handle): place for place, variable in enumerate(watched)}
    captures = getattr(getattr(target, "graph", None), "captures", None)
    inner = {id(within): places[id(outer)] for outer, within in captures or () if id(outer) in places}
    return {**places, **inner}


def moved(variable: Any) -> None:
    """``variable`` is assigned: by an optimizer, by hand, or as a whole."""
    if not _is_moved(variable):
        _moved[id(variable)] = weakref.ref(variable)


def _is_moved(variable: Any) -> bool:
    """By identity: the number may have been that of a variable that is gone."""
    known = _moved.get(id(variable))
    return known is not None and known() is variable


def unapplied() -> list[Any]:
    """Variables that losses were made of and nothing has assigned since they were made, but those frozen in Keras.

    And but those that have a way to the loss of their own, beside another that learns: they give targets. Not
    so if the loop asks for their gradients.
    """
    frozen = {id(getattr(one, "value", one)) for model in _called for one in model.non_trainable_variables}
    alive = [(key, variable) for key, ref in _reached.items() if (variable := ref()) is not None]
    left = [variable for key, variable in alive if key not in frozen and not _is_moved(variable)]
    return [one for one in left if id(one) not in _known or _moves_beside(one) or in_vain(one)]


def in_vain(variable: Any) -> bool:
    """Whether the loop asked for gradients of ``variable``, which was at work, and never got one."""
    return _asked.get(id(variable)) is False


def _moves_beside(variable: Any) -> bool:
    """Whether something before or behind ``variable``, on its way to a loss, was moved; or nothing of that loss."""
    alive = {key: one for key, ref in _reached.items() if (one := ref()) is not None}
    moving = {key for key, one in alive.items() if _is_moved(one)}
    together = _together.get(id(variable), set())
    return bool(_beside.get(id(variable), set()) & moving) or not together & moving


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
        spread = {one: values[one] for one in ("mean", "std", "absmax")}
        told.append({"name": name, "shape": shape, "asked": in_vain(variable), **spread})
    return {"variables": told, "moved": len(_moved)}
