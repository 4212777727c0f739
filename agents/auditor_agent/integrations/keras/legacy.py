"""Arguments of Keras 2 that Keras 3 takes and does nothing with: ``decay`` of an optimizer, said in one warning."""

from __future__ import annotations

import functools
import weakref
from typing import Any, Final, cast

import keras

from auditor_agent.guard import guarded

_MARK: Final = "auditor_legacy"
#: What each optimizer was given and does not use.
_IGNORED: Final[weakref.WeakKeyDictionary[Any, dict[str, float]]] = weakref.WeakKeyDictionary()


def observe() -> None:
    """Note what optimizers are given that are made from now on. Idempotent."""
    original = keras.optimizers.Optimizer.__init__
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def noting(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if "decay" in kwargs:
            _note(self, kwargs["decay"])

    setattr(noting, _MARK, True)
    keras.optimizers.Optimizer.__init__ = noting


@guarded(None)
def _note(optimizer: Any, decay: Any) -> None:
    if decay is not None and float(decay):
        _IGNORED[optimizer] = {"decay": float(decay)}


@guarded(cast("dict[str, Any]", {}))
def ignored(optimizer: Any) -> dict[str, Any]:
    """For a manifest: ``{"ignored": {"decay": 0.01}}``; nothing where all that an optimizer was given counts."""
    told = _IGNORED.get(optimizer)
    return {"ignored": told} if told else {}
