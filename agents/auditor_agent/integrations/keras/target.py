"""What a tape was asked to differentiate: the loss of a train step that never calls ``compute_loss``."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final

import tensorflow as tf

from auditor_agent.guard import guarded

_MARK: Final = "auditor_target"
_last = threading.local()


def listen() -> None:
    """Hear every ``GradientTape.gradient`` of this process. Idempotent."""
    original = tf.GradientTape.gradient
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def gradient(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        _keep(target, sources)
        return original(self, target, sources, *args, **kwargs)

    wrapper = tf.autograph.experimental.do_not_convert(gradient)
    setattr(wrapper, _MARK, True)
    tf.GradientTape.gradient = wrapper


@guarded(None)
def _keep(target: Any, sources: Any) -> None:
    targets = tf.nest.flatten(target)
    if len(targets) == 1 and tf.is_tensor(targets[0]):
        # A reference would keep the step's whole graph, or its tape, alive.
        _last.heard = weakref.ref(targets[0]), _keys(tf.nest.flatten(sources))


def take(variables: Sequence[Any]) -> Any:
    """The target of this thread's last tape, once, if it was differentiated by one of ``variables``; else None."""
    target, sources = _last.__dict__.pop("heard", (lambda: None, frozenset()))
    return target() if sources & _keys(variables) else None


def _keys(variables: Sequence[Any]) -> frozenset[int]:
    """Variables of Keras and of TensorFlow, each by its own and the other's identity."""
    return frozenset(id(part) for v in variables for part in (v, getattr(v, "value", v)) if not callable(part))
