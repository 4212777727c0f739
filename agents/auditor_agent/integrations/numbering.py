"""Step numbers where a process trains in several ways one after the other: each continues the last."""

from __future__ import annotations

import weakref
from typing import Any, Final

#: The last step recorded, by run.
_LAST: Final[weakref.WeakKeyDictionary[Any, int]] = weakref.WeakKeyDictionary()


def told(run: Any, step: int) -> None:
    """``step`` of ``run`` was recorded."""
    _LAST[run] = max(step, last(run))


def last(run: Any) -> int:
    """The last step of ``run`` that was recorded in this process; 0 before the first."""
    return _LAST.get(run, 0)


def offset(run: Any, updates: int) -> int:
    """What to add to an optimizer's own count, which stands at ``updates``, to go on after the last step.

    Nothing for an optimizer that was there all along: its count has gone on by itself.
    """
    return max(0, last(run) - updates)
