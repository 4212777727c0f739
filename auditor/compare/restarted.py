"""A run whose weights were all replaced after its first steps, seen from there on.

Who brings weights from another framework to scikit-learn calls ``partial_fit`` once (or ``fit`` for one epoch) to
have ``coefs_`` made, gives them other values, and then trains. What was recorded before says nothing of that
training: its steps are left out, and the first one after them is the first. What the optimizer remembers of them is
none of the weights': ``identify.left_over`` looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.aligned import same_weights
from auditor.compare.identify.evidence import F64, Evidence, evidence
from auditor.compare.side import Side
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording

#: Cosine of the weights before and after, of all kernels together, from which on the new ones are made of the old
#: (clipped, averaged, decayed) and replace nothing. Of two draws it is near zero.
_MADE_OF: Final = 0.5
#: Recorded steps that must be left to tell of the training: see ``together``.
_FEWEST: Final = 5
#: Events that are told once and hold until the next of them.
_LASTING: Final = frozenset({"mode"})
#: Axes of a kernel; a bias has fewer.
_KERNEL: Final = 2


def begun_anew(side: Side, other: Side) -> Side:
    """The run as it is after its weights were replaced; the run itself where they were not.

    Nor where ``other`` begins with the very weights that were thrown away: then they were what it should train.
    """
    kept = evidence(side.framework, side.recordings)
    place = _replaced(kept)
    if not place or kept.steps[0].step > 1 or len({one.attempt for one in side.recordings}) > 1:
        return side
    begins = evidence(other.framework, other.recordings)
    if begins.first is not None and not _replaced(begins) and same_weights(kept.steps[0], begins.first):
        return side
    return _from(side, kept.steps[place].step - kept.steps[0].step, kept.steps[0].step)


def note(side: Side) -> str | None:
    """A sentence on what was left out; None where nothing was."""
    if not side.before:
        return None
    steps = side.before[-1].step - side.before[0].step + 1
    words = "its first step was" if steps == 1 else f"its first {steps} steps were"
    return f"{side.run}: {words} left out, for all its weights were replaced then: compared, and counted, from there on"


def _replaced(kept: Evidence) -> int:
    """Place of the first recorded step that begins with weights which replace those of the step before; 0: none."""
    kernels = [track for track in kept.tracks if len(track.shape) >= _KERNEL]
    steps = min((len(track.weight) for track in kernels), default=0)
    for at in range(1, steps - _FEWEST + 1):
        pairs = [(track.updated[at - 1], track.weight[at]) for track in kernels]
        if all((old != new).any() for old, new in pairs) and _unlike(*map(np.concatenate, zip(*pairs, strict=True))):
            return at
    return 0


def _unlike(old: F64, new: F64) -> bool:
    return float(old @ new) < _MADE_OF * float(np.linalg.norm(old) * np.linalg.norm(new))


def _from(side: Side, left_out: int, first: int) -> Side:
    """The run without its first steps, the others numbered from ``first``."""
    last = first + left_out - 1
    curves = {name: _curve(side.curves[name], last, left_out) for name in side.curves}
    if "epoch" in curves:
        curves["epoch"] = _counted(side.curves["epoch"], curves["epoch"])
    recordings = _moved(side.recordings, left_out)
    return replace(
        side,
        before=[one for one in recordings if one.step < first],
        recordings=[one for one in recordings if one.step >= first],
        evaluations=[one for one in _moved(side.evaluations, left_out) if one.step >= first],
        curves={name: curve for name, curve in curves.items() if len(curve.steps)},
        norms={name: {step - left_out: norm for step, norm in each.items()} for name, each in side.norms.items()},
        events=[replace(one, step=max(first, one.step - left_out)) for one in side.events
                if _began(one) > last or one.type in _LASTING],
        alerts=[replace(one, first_step=max(first, one.first_step - left_out), last_step=one.last_step - left_out)
                for one in side.alerts if one.last_step > last],
        last_step=None if side.last_step is None else side.last_step - left_out,
    )  # fmt: skip


def _curve(curve: Curve, last: int, left_out: int) -> Curve:
    after = curve.steps > last
    return Curve(curve.steps[after] - left_out, curve.values[after])


def _counted(before: Curve, kept: Curve) -> Curve:
    """Numbers of epochs without those of what was left out; as they are where the program began at 1 again."""
    passed = before.values[: len(before.values) - len(kept.values)].max(initial=0.0)
    return Curve(kept.steps, kept.values - passed) if (kept.values > passed).all() else kept


def _began(event: Any) -> int:
    """Where an event lies; of an epoch its first step: one that has steps that were left out is none of the others'."""
    steps = dict(event.fields).get("steps") if event.type == "epoch" else None
    return int(event.step) - (int(steps) - 1 if isinstance(steps, int) else 0)


def _moved(given: Sequence[StepRecording], left_out: int) -> list[StepRecording]:
    return [replace(one, step=one.step - left_out) for one in given]
