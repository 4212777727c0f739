"""How the learning rate moves: OPT-23, SCH-*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent

_FEWEST: Final = 3
#: Relative difference of two rates that is no rounding.
_SAME: Final = 1e-4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """The two rates in parts of their first values, step by step."""
    if "lr" not in a.curves or "lr" not in b.curves:
        return
    left, right = a.curves["lr"], b.curves["lr"]
    steps, at, bt = np.intersect1d(left.steps, right.steps, assume_unique=True, return_indices=True)
    mine, theirs = left.values[at], right.values[bt]
    good = np.isfinite(mine) & np.isfinite(theirs)
    if good.sum() < _FEWEST or mine[good][0] <= 0 or theirs[good][0] <= 0:
        return
    mine, theirs, steps = mine[good] / mine[good][0], theirs[good] / theirs[good][0], steps[good]
    off = np.abs(mine - theirs) / np.maximum(np.maximum(mine, theirs), 1e-300)
    if not (off > _SAME).any():
        return
    first = int(steps[np.argmax(off > _SAME)])
    weight = min(2.0, float(off.mean()))
    effect = f"learning rates part at step {first}: {percent(float(off.mean()))} on average"
    values = (f"{_words(mine)}", f"{_words(theirs)}")
    yield Cause(
        _entry(a, b),
        "update.schedule",
        (values[0], values[1]),
        weight=weight,
        effect=effect,
        step=first,
        confidence=0.95,
    )


def _words(rates: F64) -> str:
    return "constant" if np.ptp(rates) <= _SAME else f"falls to {rates[-1]:.3g} of the first"


def _entry(a: Profile, b: Profile) -> str:
    """SCH-01 unless the declared schedule is one with an entry of its own."""
    for side in (a, b):
        told = side.value("update.schedule")
        name = str(told.get("class", "")).lower() if isinstance(told, dict) else ""
        if name == "invscaling":
            return "OPT-23"
        if "cosine" in name:
            return "SCH-05"
        if "plateau" in name or name == "adaptive":
            return "SCH-02"
    return "SCH-01"
