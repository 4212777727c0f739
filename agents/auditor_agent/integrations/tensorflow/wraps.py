"""Methods of TensorFlow and Keras with a wrapper around them, put there once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, Final

import tensorflow as tf

_MARK: Final = "auditor_observed"
#: Owner, name and method of what was wrapped; None where the owner had it from another class.
_wrapped: Final[list[tuple[Any, str, Any]]] = []


def wrap(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Have ``make(original)`` called in place of a method. Idempotent."""
    original = getattr(owner, name)
    if not hasattr(original, _MARK):
        # Within a tf.function AutoGraph would rewrite the wrapper, as it does the user's own code.
        wrapper = tf.autograph.experimental.do_not_convert(functools.wraps(original)(make(original)))
        setattr(wrapper, _MARK, True)
        _wrapped.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, wrapper)


def off() -> None:
    """Take off what was put on, unless somebody has wrapped it again since. Idempotent."""
    while _wrapped:
        owner, name, original = _wrapped.pop()
        if not hasattr(vars(owner).get(name), _MARK):
            continue
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def below(owner: Any) -> Iterator[Any]:
    """All subclasses that there are by now."""
    for subclass in owner.__subclasses__():
        yield subclass
        yield from below(subclass)
