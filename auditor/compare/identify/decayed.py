"""Decay that a program writes out between its optimizer's steps: ``p.mul_(1 - rate * decay)``, before one or after it.

Weights are recorded as the optimizer finds them and leaves them. What makes each a little smaller in between, all of
its elements alike, is a part of the step: so a library's decoupled decay is recorded, and the same by hand is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify.evidence import F64, ROUNDOFF, Evidence, Track
from auditor.ingest.records import StepRecording

#: Steps between which a weight must have become smaller.
_FEWEST: Final = 3
#: What is left of a weight at least: a decay takes little.
_LEAST: Final = 0.5
#: Roundings by which a product may be off.
_ROUNDED: Final = 4.0
#: Part of what a decay takes off by which it may differ from weight to weight, and no decay at all.
_SAME: Final = 0.02
_NONE: Final = 1e-7
#: Digits behind the point that somebody gives a constant.
_DIGITS: Final = 4

Values = npt.NDArray[Any]


def undone(evidence: Evidence) -> Evidence:
    """The evidence with weights as each step began, before the decay by hand; as it was where there is none."""
    kept = {track.name: found for track in evidence.tracks if (found := _kept(track)) is not None}
    taken = [1 - found for found in kept.values()]
    if not taken or any(np.abs(one - taken[0]).max() > _SAME * taken[0].max() for one in taken):
        return evidence
    first = 1 - _scaled(taken[0], evidence.steps) * (1 - next(iter(kept.values()))[0])
    tracks = tuple(_before(track, float(first)) if track.name in kept else track for track in evidence.tracks)
    return replace(evidence, tracks=tracks, steps=(_first(evidence.steps[0], first, kept.keys()), *evidence.steps[1:]))


def _scaled(taken: F64, steps: Sequence[StepRecording]) -> float:
    """What the first step's decay is of the second's: as the rates are, of one that follows the learning rate."""
    told = {one.step: one.scalars.get("lr", 0.0) for one in steps}
    rates = np.array([told.get(steps[0].step + at, 0.0) for at in range(len(taken) + 1)])
    if not (np.isfinite(rates).all() and (rates > 0).all()):
        return 1.0
    ratio = taken / rates[1:]
    return float(rates[0] / rates[1]) if np.ptp(ratio) <= _SAME * ratio.max() else 1.0


def _kept(track: Track) -> F64 | None:
    """What was left of a weight before each step but the first, in parts of what the step before left; else None."""
    before, after = track.updated[:-1], track.weight[1:]
    if len(before) < _FEWEST:
        return None
    with np.errstate(all="ignore"):  # weights that diverged, or are all zeros, were left nothing of by a number
        left: F64 = (before * after).sum(axis=1) / (before**2).sum(axis=1)
        off = np.abs(after - left[:, None] * before)
        exact = (off <= _ROUNDED * ROUNDOFF["float32"] * np.abs(before)).all()
        return left if exact and bool(((left > _LEAST) & (left < 1 - _NONE)).all()) else None


def _before(track: Track, left: float) -> Track:
    return replace(track, weight=np.concatenate([track.weight[:1] / left, track.updated[:-1]]))


def _first(one: StepRecording, left: float, decayed: Collection[str]) -> StepRecording:
    """The first step's weights as they were drawn."""
    return replace(one, arrays={
        key: replace(array, values=_drawn(np.asarray(array.values), left))
        if key[0] == "weight" and key[1] in decayed and array.values is not None else array
        for key, array in one.arrays.items()
    })  # fmt: skip


def _drawn(values: Values, left: float) -> Values:
    """What a decay left so much of; a round number, a one, say, but for rounding, is that number."""
    found = values.astype(np.float64) / left
    plain = np.round(found, _DIGITS)
    near = np.abs(found - plain) <= _ROUNDED * ROUNDOFF["float32"] * np.abs(plain)
    drawn: Values = np.where(near, plain, found).astype(values.dtype)
    return drawn
