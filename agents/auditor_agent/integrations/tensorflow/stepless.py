"""Gradients that nothing is done with: no optimizer is given them, and no variable is assigned.

Where none is ever used there is no step that could be told. So the gradients that tapes are asked for are
counted, of a function that was traced its calls, until the first of their variables is moved. A program may add up
those of many single samples before its first step: of a run of few it is said at its end.
"""

from __future__ import annotations

import functools
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import tensorflow as tf

from auditor_agent.guard import guarded

#: Backward passes after which there is a run, as with PyTorch's; and after which it is said at once.
AFTER: Final = 100
SURELY: Final = 1000
_NAMED: Final = 32


class _Scene(threading.local):
    """What this thread has asked for in vain."""

    def __init__(self) -> None:
        self.count = 0
        self.traced = False
        """Whether a function that is being traced asks for gradients."""
        self.over = False
        """Whether they were used, or it has been said that they are not."""
        self.sources: list[Any] = []
        self.is_moved: Callable[[Any], bool] = bool


_scene: Final = _Scene()
_functions: Final[weakref.WeakSet[Any]] = weakref.WeakSet()
"""Those that ask for gradients."""


@guarded(None)
def asked(sources: Sequence[Any], is_moved: Callable[[Any], bool]) -> None:
    """A tape was asked for gradients of ``sources``: now, or whenever the function that is being traced is called."""
    if _scene.over or not sources or not all(hasattr(one, "assign") for one in sources):
        return
    _scene.sources, _scene.is_moved = list(sources), is_moved
    if tf.executing_eagerly():
        _passed()
    else:
        _scene.traced = True


@guarded(None)
def called(function: Any) -> None:
    """A function has returned, that was not called from within another."""
    if _scene.over:
        return
    if _scene.traced:
        _scene.traced = False
        _functions.add(function)
    if function in _functions:
        _passed()


def _passed() -> None:
    _scene.count += 1
    if _used(_scene.sources, _scene.is_moved):
        _scene.over, _scene.sources = True, []
    elif _scene.count == AFTER:
        from auditor_agent.run import live_run, open_run

        run = live_run() or open_run("tensorflow")
        run.on_finish(functools.partial(_tell, run, _scene))
    elif _scene.count == SURELY:
        from auditor_agent.run import live_run

        _tell(live_run(), _scene)


def _used(sources: Sequence[Any], is_moved: Callable[[Any], bool]) -> bool:
    return any(is_moved(getattr(one, "_value", one)) for one in sources)


@guarded(None)
def _tell(run: Any, scene: Any) -> None:
    """Tell it, once, if it still holds."""
    sources, scene.sources, over, scene.over = scene.sources, [], scene.over, True
    if run is None or over or not sources or _used(sources, scene.is_moved):
        return
    from auditor_agent.integrations import numbering

    parameters, last = [f"{one.name} {tuple(one.shape)}" for one in sources[:_NAMED]], numbering.last(run)
    run.event(last or scene.count, "step_missing", backwards=scene.count, unused=True, parameters=parameters)
    if not last:  # the event has no step to stand with
        run.record(scene.count, {}, run.layout(()), b"", time=time.time(), urgent=True)
