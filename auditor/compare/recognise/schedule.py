"""How the learning rate moves: OPT-23, SCH-*."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import MATTERS, Cause, percent
from auditor.compare.recognise.conduct import batches, untold
from auditor.compare.trajectories import I64, common

_FEWEST: Final = 3
#: Relative difference of two rates that is no rounding.
_SAME: Final = 1e-4
#: And part of the largest rate that float32 rounds off on the way down to nothing.
_ROUNDED: Final = 1e-6
#: Part of what a rate moves over a run that two of one schedule may be apart: it is recorded in float32.
_OF_RANGE: Final = 0.01
#: Part of the steps by which the lengths of two runs differ.
_OTHER_LENGTH: Final = 0.1
#: What an early end counts for, whose size is the other run's choice: just less than a difference of a step that
#: makes two runs part by itself (``MATTERS``), for it comes after all of them.
_STOPPED: Final = 0.75 * MATTERS
#: Epochs that are as many as the other run's steps by no coincidence, and steps that an epoch then has at least.
_COINCIDES: Final = 10
_STEPS: Final = 2
#: Epochs of ``fit`` where the program names none.
_UNSAID: Final = {"sklearn": 200.0, "keras": 1.0}
#: Words of callbacks and schedules that wait for a metric, whose noise is the seed's.
_WAITS: Final = ("plateau", "adaptive")
_STOPS: Final = "earlystopping"
#: How often a rate changes that never does.
CONSTANT: Final = "constant"


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How rates move, and who stops before the end."""
    yield from _rates(a, b)
    stopped = list(_stopped(a, b))
    yield from stopped or _lengths(a, b)


def _stopped(a: Profile, b: Profile) -> Iterator[Cause]:
    """A run that ended before the epochs that it was given, where the other did not.

    When a run stops is partly chance: no mismatch by itself, unless nothing could have stopped the other.
    """
    planned = [_planned(side) for side in (a, b)]
    ran = [_counted(side) for side in (a, b)]
    early = [bool(plan and end and end < plan) for plan, end in zip(planned, ran, strict=True)]
    steps = [side.last_step or 0 for side in (a, b)]
    if early[0] == early[1] or abs(steps[0] - steps[1]) < _OTHER_LENGTH * max(steps):
        return
    values = tuple(
        f"{end:g} of {plan:g} epochs" if end and plan else None for end, plan in zip(ran, planned, strict=True)
    )
    effect = f"one side stopped early: {steps[0]} against {steps[1]} steps"
    stops = [_stops(side) for side in (a, b)]
    chance = not (stops[early.index(True)] and stops[early.index(False)] is False)
    yield Cause(
        "SCH-03", "update.stopped_early", (values[0], values[1]), _STOPPED, effect, confidence=0.8, chance=chance
    )


def _lengths(a: Profile, b: Profile) -> Iterator[Cause]:
    """Runs of more epochs than the other, which nobody saw to stop.

    A loop of the program's own may have been left when it had enough, which is partly chance: it claims something
    only where both were asked for as many epochs as they ran, and nothing could have stopped them.
    """
    epochs = [told for side in (a, b) if (told := _epochs(side))]
    if len(epochs) < len("ab"):
        taken = list(_taken_for_steps(a, b))
        yield from taken
        epochs = [] if taken else _of_one_length(a, b)
    if not epochs:
        return
    if abs(epochs[0] - epochs[1]) < max(1.0, _OTHER_LENGTH * max(epochs)):
        return
    effect = f"one side trains for {_many(epochs[0])}, the other for {_many(epochs[1])}"
    chance = any(_stops(side) is not False for side in (a, b)) or [*map(_planned, (a, b))] != epochs
    yield Cause(
        _length_id(a, b, epochs), "update.epochs", (_plain(epochs[0]), _plain(epochs[1])), _STOPPED, effect,
        confidence=0.8, chance=chance,
    )  # fmt: skip


def _of_one_length(a: Profile, b: Profile) -> list[float]:
    """Epochs where one side alone knows how long its own are, and the other took whole ones of as large batches."""
    lengths, sizes = [steps_of_epoch(side) for side in (a, b)], [side.value("data.batch_size") for side in (a, b)]
    each = lengths[0] or lengths[1]
    if not each or all(lengths) or sizes[0] is None or sizes[0] != sizes[1]:
        return []
    taken = [side.last_step or 0 for side in (a, b)]
    return [one / each for one in taken] if all(one and one % each == 0 for one in taken) else []


def _taken_for_steps(a: Profile, b: Profile) -> Iterator[Cause]:
    """As many steps as scikit-learn was given and took epochs, of batches as large; nobody knows the other's epochs."""
    for side, other in ((a, b), (b, a)):
        epochs, batch = _epochs(side), side.value("data.batch_size")
        if side.framework != "sklearn" or other.framework == "sklearn" or epochs is None or _planned(side) != epochs:
            continue
        if epochs < _COINCIDES or epochs != other.last_step or batch is None or batch != other.value("data.batch_size"):
            continue
        apart = (side.last_step or 0) / epochs
        if apart < _STEPS:
            continue
        told = (f"{epochs:g} epochs", f"{epochs:g} steps")
        values = told if side is a else told[::-1]
        effect = f"max_iter counts epochs, of which each has {apart:.4g} steps here; the other side took as many steps"
        yield Cause("DATA-07", "update.epochs", (values[0], values[1]), _STOPPED, effect, confidence=0.8, chance=True)


def _plain(epochs: float) -> float:
    return int(epochs) if epochs.is_integer() else round(epochs, 3)


def _many(epochs: float) -> str:
    return f"{epochs:.4g} epoch{'' if epochs == 1 else 's'}"


def _length_id(a: Profile, b: Profile, epochs: Sequence[float]) -> str:
    """DATA-07 where nobody said how many, or scikit-learn's epochs are as many as the other's steps; else SCH-03."""
    for side, mine, other in ((a, epochs[0], b), (b, epochs[1], a)):
        if _UNSAID.get(side.framework) == mine == _planned(side) != _planned(other):
            return "DATA-07"
        if side.framework == "sklearn" and other.framework != "sklearn" and mine == other.last_step:
            return "DATA-07"
    return "SCH-03"


def _epochs(side: Profile) -> float | None:
    """Epochs that a run took, by its own account or as many as its steps come to; None where nobody knows."""
    counted = _counted(side)
    if counted:
        return counted
    each = steps_of_epoch(side)
    return float(round(side.last_step / each, 3)) if each and side.last_step else None


def steps_of_epoch(side: Profile) -> int | None:
    """Steps to an epoch as it tells them itself, else by its samples and its batches; None where nobody knows.

    The first steps of the first one may not have been heard.
    """
    told = [dict(event.fields) for event in side.events if event.type == "epoch"]
    steps = [int(one["steps"]) for one in told if "order" in one and one.get("steps")]
    if steps:
        return max(set(steps), key=steps.count)
    batch, samples = side.value("data.batch_size"), side.value("data.samples_per_epoch")
    samples = samples or side.value("data.declared.samples")
    known = batch and samples and not untold(side)
    return math.ceil(math.ceil(samples / batch) / batches(side)) if known else None


def _counted(side: Profile) -> float | None:
    """Epochs that a run says it has ended: those of all calls, each of which numbers its own from 1."""
    told = side.curves["epoch"].values if "epoch" in side.curves else np.zeros(0)
    told = told[np.isfinite(told)]
    if not len(told):
        return None
    return float(told[-1] if (np.diff(told) > 0).all() else len(told))


def _stops(profile: Profile) -> bool | None:
    """Whether a program can end before its last epoch: scikit-learn always, Keras by a callback; None if unknown."""
    if profile.framework == "sklearn":
        return True
    told = (profile.manifest or {}).get("data")
    if not isinstance(told, dict) or told.get("epochs") is None:
        return None
    return any(_STOPS in word for word in _callbacks(profile))


def _callbacks(profile: Profile) -> list[str]:
    """Classes of the callbacks that a manifest names, in small letters."""
    told = (profile.manifest or {}).get("data")
    held = told.get("callbacks") if isinstance(told, dict) else None
    return [str(one.get("class", "")).lower() for one in held or () if isinstance(one, dict)]


def _planned(profile: Profile) -> float | None:
    """Epochs that a program asked for."""
    told = (profile.manifest or {}).get("data")
    epochs = told.get("epochs") if isinstance(told, dict) else None
    return float(epochs) if isinstance(epochs, (int, float)) else None


def _rates(a: Profile, b: Profile) -> Iterator[Cause]:
    """The two rates in parts of their largest, step by step: what a rate is otherwise is OPT-01."""
    if "lr" not in a.curves or "lr" not in b.curves:
        return
    steps, mine, theirs = common(a.curves["lr"], b.curves["lr"])
    good = np.isfinite(mine) & np.isfinite(theirs)
    if good.sum() < _FEWEST or mine[good].max() <= 0 or theirs[good].max() <= 0:
        return
    mine, theirs, steps = mine[good] / mine[good].max(), theirs[good] / theirs[good].max(), steps[good]
    apart = np.where(np.abs(mine - theirs) > _ROUNDED, np.abs(mine - theirs), 0.0)
    off = apart / np.maximum(np.maximum(mine, theirs), 1e-300)
    if not (off > _SAME).any():
        return
    first = int(steps[np.argmax(off > _SAME)])
    weight = min(2.0, float(off.mean()))
    effect = f"learning rates part at step {first}: {percent(float(off.mean()))} on average"
    waits = all(_waits(side) for side in (a, b))
    if waits and _settings(a) == _settings(b):
        return  # both wait for a metric to stand still: when it does is the seed's doing
    values = (f"{_words(mine)}", f"{_words(theirs)}")
    each = [steps_of_epoch(side) for side in (a, b)]
    beats = (_beat(mine, steps, each[0] or each[1]), _beat(theirs, steps, each[1] or each[0]))
    ignored = _ignored(a, mine, theirs, steps) or _ignored(b, theirs, mine, steps)
    slower = any(_by_epochs(*pair, steps, each[0] or each[1]) for pair in ((mine, theirs), (theirs, mine)))
    yield Cause(
        "OPT-27" if ignored else "SCH-01" if slower else _entry(a, b),
        "update.schedule",
        (values[0], values[1]),
        weight=weight,
        effect=effect,
        step=first,
        confidence=0.95,
        chance=waits or _stairs(mine, theirs),
        hints=beats,
    )


def _beat(rates: F64, steps: I64, epoch: int | None) -> str:
    """How often a rate changes: ``step``, ``epoch``, so many steps, or ``constant``; nothing where nobody can tell.

    By the largest stretch of which all stretches without a change are multiples: of epochs of a known length one
    will do. The first is left out where there are others: a scheduler may be asked before its first step.
    """
    if (np.diff(steps) != 1).any():
        return ""
    moved = np.flatnonzero(np.abs(np.diff(rates)) > _ROUNDED * rates[:-1]) + 1
    if not len(moved):
        return CONSTANT
    stretches = np.diff(moved) if len(moved) > _FEWEST else np.diff(moved, prepend=0)
    each = int(np.gcd.reduce(stretches))
    if np.median(stretches) == 1:
        return "step"
    if epoch and epoch > 1 and each % epoch == 0:
        return "epoch"
    return f"{each} steps" if each > 1 and len(moved) > 1 else ""


def _by_epochs(slow: F64, fast: F64, steps: I64, epoch: int | None) -> bool:
    """Whether one rate is in the n-th epoch what the other is at the n-th step: one schedule, asked in another unit."""
    if not epoch or epoch <= 1 or steps[0] != 1 or (np.diff(steps) != 1).any() or np.ptp(slow) <= _ROUNDED:
        return False
    asked = fast[np.arange(len(slow)) // epoch]
    near = _OF_RANGE * float(np.ptp(slow))
    return bool((np.abs(slow - asked) <= near).all() and (np.abs(slow - fast) > near).any())


def _waits(profile: Profile) -> bool:
    """Whether the rate falls when a metric stands still."""
    told = profile.value("update.schedule")
    words = [str(told.get("class", "")).lower() if isinstance(told, dict) else "", *_callbacks(profile)]
    return any(wait in word for wait in _WAITS for word in words)


def _settings(profile: Profile) -> Any:
    """What is declared of it; None where nothing is."""
    told = (profile.manifest or {}).get("data")
    held = told.get("callbacks") if isinstance(told, dict) else None
    return profile.value("update.schedule"), [one for one in held or () if _STOPS not in str(one).lower()]


def _stairs(a: F64, b: F64) -> bool:
    """Whether both rates fall in steps of one size at uneven times: PyTorch declares no scheduler of its own.

    A schedule by steps or epochs falls after equal stretches, or at the same steps on both sides.
    """
    falls = [np.flatnonzero((np.abs(np.diff(rates)) > _SAME * rates[:-1]) & (rates[:-1] > 0)) for rates in (a, b)]
    if min(len(at) for at in falls) < 1 or max(len(at) for at in falls) < _FEWEST - 1:
        return False
    sizes = np.concatenate([rates[at + 1] / rates[at] for at, rates in zip(falls, (a, b), strict=True)])
    gaps = [np.diff(at, prepend=0) for at in falls]
    uneven = any(len(gap) > 1 and np.ptp(gap) > 1 for gap in gaps)
    return bool(sizes.max() < 1 and np.ptp(sizes) <= _SAME and uneven)


def _words(rates: F64) -> str:
    if np.ptp(rates) <= _SAME:
        return "constant"
    top = int(np.argmax(rates))
    rise = f"rises from {rates[0]:.3g} of the largest in {top} steps" if top else ""
    fall = f"falls to {rates[-1]:.3g} of the largest" if rates[-1] < 1 - _SAME else ""
    return ", ".join(part for part in (rise, fall) if part)


def _ignored(side: Profile, own: F64, other: F64, steps: I64) -> bool:
    """Whether Keras holds its rate while the other's falls from step to step as 1 / (1 + decay t).

    That is what ``decay`` of an optimizer meant before Keras 3, which takes the argument and does nothing with it.
    Where it was given one the other's rate may fall in any way.
    """
    still = side.framework in {"keras", "tensorflow"} and np.ptp(own) <= _SAME and not side.value("update.schedule")
    told = (side.manifest or {}).get("optimizer")
    if still and isinstance(told, dict) and (told.get("ignored") or {}).get("decay"):
        return True
    if not still or steps[0] != 1 or other.min() <= 0:
        return False
    grown, since = 1 / other - 1, np.asarray(steps - steps[0], np.float64)
    decay = float(grown[-1] / since[-1])
    return decay > 0 and bool(np.all(np.abs(grown - decay * since) <= _SAME * (1 + grown)))


def _entry(a: Profile, b: Profile) -> str:
    """SCH-01 unless the declared schedule is one with an entry of its own."""
    for side in (a, b):
        told = side.value("update.schedule")
        name = str(told.get("class", "")).lower() if isinstance(told, dict) else ""
        if name == "invscaling":
            return "OPT-23"
        if "cosine" in name:
            return "SCH-05"
        if _waits(side):
            return "SCH-02"
    return "SCH-01"
