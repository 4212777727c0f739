"""The data that an estimator is given, call by call: which samples it trains on, where passes over them begin.

Tables of numbers in host memory are looked at (arrays, data frames, nested lists), sparse matrices are
not: of these nothing is said.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.capture.batches import Passes, batch_digest, row_keys

Values = npt.NDArray[Any]

#: Samples of a call that are looked at, evenly spread: a few milliseconds of hashing, a few MiB.
MOST: Final = 1 << 16
#: Of data that is scored so many are looked up.
_LOOKED_UP: Final = 1 << 12
#: Samples that must have a chance to be found again before it says something that they are not.
_FEWEST: Final = 4
#: Bits of a key below which a product with a float32's few digits leaves zeros.
_MIXED: Final = 48


def table(given: Any, most: int) -> Values | None:
    """At most ``most`` evenly spread rows of a table of numbers; None if it is none."""
    if getattr(given, "indptr", None) is not None or not hasattr(given, "__len__"):
        return None
    index = spread(len(given), most)
    rows = given.iloc if hasattr(given, "iloc") else given if hasattr(given, "shape") else np.asarray(given)
    found = np.asarray(rows[index])
    return found if found.ndim > 1 and found.size and found.dtype.kind in "fiub" else None


def spread(count: int, most: int) -> Any:
    """Evenly spread places among ``count``, ``most`` of them; all, as a slice, where there are no more."""
    return slice(None) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)


class Given:
    """What one estimator was trained on so far.

    Of very many samples those are kept whose keys have enough zeros: the same ones whenever they come.
    """

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._mask = self._rows = self._looked = 0
        self._passes, self._last = Passes(), set[int]()
        self._known: tuple[int, int] | None = None

    def fit(self, given: Any) -> None:
        """A ``fit`` begins: the data is all there is. Looked at once, however often it is given as it was."""
        known = (len(given), batch_digest([given])) if isinstance(given, np.ndarray) else None
        if known is not None and known == self._known:
            return
        self._known = known
        self._kept, self._mask, self._rows, self._looked = set(), 0, 0, 0
        self._take(given)

    def chunk(self, given: Any) -> bool:
        """A ``partial_fit`` begins; whether another pass over the data begins with it."""
        self._known = None
        keys = self._take(given)
        again = bool(keys) and keys == self._last
        self._last = keys
        return again or (bool(keys) and self._passes.meets(keys))

    def _take(self, given: Any) -> set[int]:
        rows = table(given, MOST)
        if rows is None:
            return set()
        keys = set(row_keys(rows))
        self._rows, self._looked = self._rows + len(given), self._looked + len(rows)
        self._kept.update(filter(self._keeps, keys))
        while len(self._kept) > MOST:
            self._mask = self._mask << 1 | 1
            self._kept = set(filter(self._keeps, self._kept))
        return keys

    def _keeps(self, key: int) -> bool:
        return not key >> _MIXED & self._mask

    def trained(self, given: Any) -> bool | None:
        """Whether ``given`` was trained on, by half of its samples or more; None where that is not known."""
        rows = table(given, _LOOKED_UP)
        if rows is None or not self._rows:
            return None
        keys = list(filter(self._keeps, row_keys(rows)))
        expected = len(keys) * self._looked / self._rows  # found again, were all of them trained on
        if expected < min(_FEWEST, len(given)):
            return None
        return sum(key in self._kept for key in keys) >= expected / 2
