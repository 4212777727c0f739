"""The same samples at every step, taken anew each time: an index that stands still.

Who trains on one batch on purpose (a check that the model can learn it by heart, a data set that fits in one
batch) makes that batch once and gives it again and again: it is one object. A loop that should move on
cuts the batch out anew at each step: another object every time, of the same contents.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

import numpy as np

from auditor_agent.capture.batches import batch_digest

#: Steps from the first of a run that are all on the same samples; then it is told, once.
AFTER: Final = 50


class Repeated:
    """Watches what a loop gives to its steps, from the first on; lets go at the first that differs."""

    def __init__(self) -> None:
        self._steps = 0
        self._digest: int | None = None
        self._last: weakref.ref[Any] | None = None
        self._off = False

    def take(self, given: Any, array: Any = None) -> dict[str, int] | None:
        """The inputs of a step: samples along the first axis.

        Args:
            given: the object that the program gave.
            array: its elements in host memory, where ``given`` is no array itself.

        Returns:
            At the 50th step of a run on the same samples, cut out anew each time: ``steps``, ``samples`` and,
            where they are a part of a larger array, ``of``: the samples that it holds.
        """
        if self._off:
            return None
        array = given if isinstance(given, np.ndarray) else array
        fresh = self._last is None or self._last() is not given
        if not isinstance(array, np.ndarray) or array.ndim < 2 or not array.size or array.dtype.hasobject or not fresh:
            self._off = True
            return None
        digest = batch_digest([array])
        self._off = self._digest not in {None, digest}
        self._digest, self._last, self._steps = digest, weakref.ref(given), self._steps + 1
        if self._off or self._steps < AFTER:
            return None
        self._off = True
        return {"steps": self._steps, "samples": len(array), **_of(array)}


def _of(array: np.ndarray) -> dict[str, int]:
    """The samples of the memory that this array was cut out of, if it has more: as many as there are strides in it."""
    whole, apart = array, max(map(abs, array.strides))
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    count = whole.nbytes // apart if apart == abs(array.strides[0]) else 0
    return {"of": count} if count > len(array) else {}
