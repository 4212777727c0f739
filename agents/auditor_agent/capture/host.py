"""The twelve statistics of arrays in host memory: the C kernel where it was built, else NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.capture import array_histogram, arrays, native
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
        self.histograms: bytes | memoryview = b""
        """R x 64 counters of the last call, if it was to count; valid until the next one."""

    def words(self, given: Sequence[npt.NDArray[Any]], *, count: bool = False) -> bytes | memoryview:
        """The 12 x R words of ``given``, row after row; valid until the next call. ``count``: histograms as well."""
        dense = [_dense(array) for array in given]
        self.histograms = b""
        if not native.available():
            if count:
                self.histograms = array_histogram.histograms(dense).astype("<u4").tobytes()
            return np.ascontiguousarray(arrays.words(dense), "<u4").tobytes()
        key = (count, *[(array.size, array.dtype.char) for array in dense])
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            sizes, dtypes = [array.size for array in dense], [_READ[array.dtype.char] for array in dense]
            plan = self._plans[key] = native.Plan(sizes, dtypes, histogram=count)
        words = plan.run([array.__array_interface__["data"][0] for array in dense])
        self.histograms = plan.histograms or b""
        return words


def nonfinite(words: bytes | memoryview) -> bool:
    """Whether any element was NaN or infinite: their counts are the second and third row."""
    row = len(words) // ROW_BYTES * 4
    return bytes(words[row : 3 * row]) != bytes(2 * row)


def _dense(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.char not in _READ or not array.dtype.isnative:
        array = array.astype(np.float64)
    return array if array.flags.forc else np.ascontiguousarray(array)
