"""Steps that give their model rows of several kinds: points on a curve and beside it, real ones and made ones.

Which of them comes first is the program's own: the first batch of one side is another part of the other's.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile

#: Steps that are looked at, and rows that it takes.
_EARLY: Final = 8
_FEWEST: Final = 64
#: Standard errors beyond which two means differ, and the part of a deviation from which on it counts.
_ERRORS: Final = 5.0
_FAR: Final = 0.25
#: How many times one spread may be the other's.
_SPREAD: Final = 1.25


def passes_apart(side: Profile) -> bool:
    """Whether the passes of a step, where it has several, are of rows of different laws."""
    first = side.evidence.first
    names = [] if first is None else [name for name in first.of("batch") if name.partition("@")[0] == "input0"]
    rows = [found for name in names if (found := _rows(side, name)) is not None]
    return any(one.shape[1] != rows[0].shape[1] or _apart(rows[0], one) for one in rows[1:])


def _rows(side: Profile, name: str) -> F64 | None:
    steps = side.evidence.steps[:_EARLY]
    found = [batch for one in steps if (batch := data(one, "batch", name)) is not None and batch.ndim > 1]
    found = [batch.reshape(len(batch), -1) for batch in found if np.isfinite(batch).all()]
    found = [batch for batch in found if batch.shape[1] == found[0].shape[1]]
    rows = np.concatenate(found) if found else np.zeros((0, 1))
    return rows if len(rows) >= _FEWEST else None


def _apart(a: F64, b: F64) -> bool:
    """Whether columns have other means or spreads than chance gives to rows of one law."""
    deviations = [np.maximum(one.std(axis=0), 1e-12) for one in (a, b)]
    typical = np.sqrt((deviations[0] ** 2 + deviations[1] ** 2) / 2)
    off = np.abs(a.mean(axis=0) - b.mean(axis=0)) / typical
    chance = _ERRORS * math.sqrt(1 / len(a) + 1 / len(b))
    ratio = np.abs(np.log(deviations[0] / deviations[1]))
    varied = typical > 1e-9
    return bool((off[varied] > max(_FAR, chance)).any() or (ratio[varied] > math.log(_SPREAD) + chance).any())
