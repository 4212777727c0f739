"""The twelve statistics of arrays in host memory: the C kernel where it was built, else NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.capture import arrays, native
from auditor_agent.statistics import ROW_BYTES

#: Element types that both ways read, by NumPy's letter (its names are slow to ask for); anything
#: else (bool, integers) is taken as float64.
_READ: Final = {"e": "float16", "f": "float32", "d": "float64"}
#: Lists of sizes whose plans are kept: full and last batch, with and without samples, and some.
_PLANS: Final = 16


class HostStatistics:
    """Reduces lists of arrays; remembers the shapes that come again. Not thread-safe."""

    def __init__(self) -> None:
        self._plans: dict[tuple[Any, ...], native.Plan] = {}

    def words(self, given: Sequence[npt.NDArray[Any]]) -> bytes | memoryview:
        """The 12 x R words of ``given``, row after row; valid until the next call."""
        dense = [_dense(array) for array in given]
        if not native.available():
            return np.ascontiguousarray(arrays.words(dense), "<u4").tobytes()
        key = tuple([(array.size, array.dtype.char) for array in dense])
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[key] = native.Plan([size for size, _ in key], [_READ[char] for _, char in key])
        return plan.run([array.__array_interface__["data"][0] for array in dense])


def nonfinite(words: bytes | memoryview) -> bool:
    """Whether any element was NaN or infinite: their counts are the second and third row."""
    row = len(words) // ROW_BYTES * 4
    return bytes(words[row : 3 * row]) != bytes(2 * row)


def _dense(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.char not in _READ or not array.dtype.isnative:
        array = array.astype(np.float64)
    return array if array.flags.forc else np.ascontiguousarray(array)
