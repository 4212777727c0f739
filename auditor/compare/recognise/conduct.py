"""How the optimizer is used: its rate for each weight, batches to a step, gradients that nobody zeroed, other hands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np

from auditor.compare import effects
from auditor.compare.identify import bounds, passes
from auditor.compare.profile import Profile
from auditor.compare.recognise import stepping
from auditor.compare.recognise.cause import Cause, between, close, how, percent, sure
from auditor.compare.trajectories import common

_ACCUMULATION: Final = "update.gradient_accumulation_steps"
#: Relative difference of two learning rates that is no rounding.
_SAME: Final = 1e-4
#: Part of the steps at which two rates that begin apart must be one for a warm-up to be all that differs.
_MET: Final = 0.25
#: A change of weights between steps that is as large as this part of a step is none of rounding.
_MOVED: Final = 1e-3
#: A part of all steps that rounding makes, of weights that are far larger than what is added to them.
_ROUNDED: Final = 1e-5
#: Part of the steps from which on a gradient that comes twice is no chance.
_OFTEN: Final = 0.3
#: Part of the way from one to a count, by logarithms, up to which a ratio is one.
_HALF_WAY: Final = 0.5
#: Steps by which it is told: one batch alone may have twice the gradient of another.
_FIRST: Final = 8
#: Steps and weights that are named, at most.
_NAMED: Final = 4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How the two use their optimizers differently."""
    yield from _rate(a, b)
    yield from _accumulation(a, b)
    yield from _carried(a, b)
    yield from _repeated(a, b)
    yield from _frozen(a, b)
    yield from stepping.causes(a, b)
    yield from _other_hands(a, b)
    yield from _constrained(a, b)


def _rate(a: Profile, b: Profile) -> Iterator[Cause]:
    """One rate, or one for each weight, held against each other weight by weight."""
    both = between(a, b, "update.learning_rate")
    if both is None or _only_scheduled(a, b):
        return
    pair = _where_both(a, b)
    sides = [_rates(side) for side in (a, b)] if pair is None else [[], []]
    if sides[0] and sides[1] and [shape for shape, _ in sides[0]] == [shape for shape, _ in sides[1]]:
        pairs = [(left, right) for (_, left), (_, right) in zip(*sides, strict=True)]
    else:
        pair = pair or (both[0].value, both[1].value)
        both, pairs = (replace(both[0], value=pair[0]), replace(both[1], value=pair[1])), [pair]
    if not all(rate > 0 for one in pairs for rate in one):
        return  # nothing was moved at it: no rate is known
    off = [abs(1 - right / left) for left, right in pairs] + [abs(1 - left / right) for left, right in pairs]
    if max(off, default=0.0) <= _SAME:
        return
    values = (_said(a, both[0].value), _said(b, both[1].value))
    longest = max(max(right / left, left / right) for left, right in pairs)
    some = "" if all(abs(1 - right / left) > _SAME for left, right in pairs) else " of some weights"
    effect = f"every step{some} is {longest:.4g} times as long on one side"
    facts = [fact for side in (a, b) for fact in [side.facts.get("update.rates")] if fact is not None]
    entry = "OPT-21" if _summed(a, b, longest) else "OPT-01"
    yield Cause(entry, "update.learning_rate", values, min(5.0, max(off)), effect, how(*(facts or both)), sure(*both))


def _summed(a: Profile, b: Profile, times: float) -> bool:
    """Whether a script that adds up the gradients of several batches itself may have left their sum undivided."""
    counts = {batches(side) for side in (a, b)}
    return len(counts) == 1 and max(counts) > 1 and (a.by_hand or b.by_hand) and close(times, float(max(counts)), _SAME)


def _where_both(a: Profile, b: Profile) -> tuple[float, float] | None:
    """Both rates at the first step at which both are known, where one was found from some step on; else None.

    Or where one begins at zero, as a warm-up does whose first factor is 0 / n.
    """
    rules = [side.update for side in (a, b) if side.update is not None]
    if not any(one.free or not one.sample.rates[0] > 0 for one in rules):
        return None
    if any(side.value("update.rates") for side in (a, b)) or "lr" not in a.curves or "lr" not in b.curves:
        return None
    _, mine, theirs = common(a.curves["lr"], b.curves["lr"])
    good = np.flatnonzero(np.isfinite(mine) & np.isfinite(theirs) & (mine > 0) & (theirs > 0))
    return (float(mine[good[0]]), float(theirs[good[0]])) if len(good) else None


def _only_scheduled(a: Profile, b: Profile) -> bool:
    """Whether the rates start apart and have the same peak, or meet: one of them warms up, which is a schedule."""
    if _meet(a, b) >= _MET:
        return True
    peaks = []
    for side in (a, b):
        rates = side.curves["lr"].values if "lr" in side.curves else np.zeros(0)
        good = rates[np.isfinite(rates)]
        if not len(good) or good.max() <= 0:
            return False
        peaks.append(float(good.max()))
    return close(peaks[0], peaks[1], _SAME) and not close(a.curves["lr"].values[0], b.curves["lr"].values[0], _SAME)


def _meet(a: Profile, b: Profile) -> float:
    """The part of the steps at which two rates are one that were apart at the first; 0 where they were not."""
    if "lr" not in a.curves or "lr" not in b.curves:
        return 0.0
    _, mine, theirs = common(a.curves["lr"], b.curves["lr"])
    if not len(mine) or not np.isfinite(mine).all() or not np.isfinite(theirs).all():
        return 0.0
    alike = np.abs(mine - theirs) <= _SAME * np.maximum(mine, theirs)
    return 0.0 if alike[0] else float(alike.mean())


def _rates(profile: Profile) -> list[tuple[tuple[int, ...], float]]:
    """Of each weight that moves, in an order that does not depend on the framework: its shape, its rate."""
    rate = profile.value("update.learning_rate")
    apart: Mapping[str, float] = profile.value("update.rates") or {}
    if profile.update is None or not isinstance(rate, (int, float)) or rate <= 0:
        return []
    moving = [track for track in profile.evidence.tracks if track.name in profile.update.sample.names]
    return sorted((tuple(sorted(track.shape)), float(apart.get(track.name, rate))) for track in moving)


def _said(profile: Profile, rate: float) -> Any:
    apart: Mapping[str, float] = profile.value("update.rates") or {}
    others = sorted({float(f"{one:.4g}") for one in apart.values()} - {float(f"{rate:.4g}")})
    if not others:
        return rate
    names = [name for name, one in apart.items() if not close(one, rate, _SAME)]
    return f"{rate:.4g}; {', '.join(f'{one:g}' for one in others)} for {', '.join(names[:_NAMED])}"


def _accumulation(a: Profile, b: Profile) -> Iterator[Cause]:
    """Several batches to a step, as counted or declared; where only one side says so, the other takes one."""
    counts = [batches(side) for side in (a, b)]
    if counts[0] == counts[1] or any(untold(side) for side in (a, b)):
        return
    counted = any(side.facts.get("update.batches_per_step") is not None for side in (a, b))
    effect = f"{counts[0]} against {counts[1]} batches to a step"
    weight = 1 - min(counts) / max(counts)  # the part of the other side's steps that one does not take
    if as_one_batch(a, b):
        weight, effect = 0.0, f"{effect}, as many samples and the mean of them"
    yield Cause(
        "OPT-21", _ACCUMULATION, (counts[0], counts[1]), weight, effect,
        "measured" if counted else "declared", 0.9,
    )  # fmt: skip


def untold(side: Profile) -> bool:
    """Whether nobody knows of how many batches a step is taken.

    Of passes that may all be of one batch; a loop around a tape may hand over gradients of batches that nobody saw.
    """
    if side.value(passes.UNTOLD):
        return True
    counted = side.value("update.batches_per_step") or side.value(_ACCUMULATION)
    return side.framework == "tensorflow" and counted is None and side.value("data.batch_size") is None


def batches(profile: Profile) -> int:
    """Batches to a step."""
    return int(profile.value("update.batches_per_step") or profile.value(_ACCUMULATION) or 1)


def as_one_batch(a: Profile, b: Profile) -> bool:
    """Whether several batches to a step make what one large batch makes on the other side: its samples, its mean."""
    samples, factors = between(a, b, "data.batch_size"), between(a, b, "loss.factor")
    counts = [batches(side) for side in (a, b)]
    if samples is None or counts[0] == counts[1]:
        return False
    whole = [fact.value * count for fact, count in zip(samples, counts, strict=True)]
    if factors is None:
        return whole[0] == whole[1] and _one_size(a, b, max(counts) / min(counts))
    return whole[0] == whole[1] and close(_whole(a, counts[0]), _whole(b, counts[1]), 1e-3)


def _one_size(a: Profile, b: Profile, times: float) -> bool:
    """Whether loss and gradient begin about as large on both sides, rather than one of them so many times as large.

    Where the last of several batches was recorded and no function could be fitted to it.
    """
    if all(side.value(passes.RECORDED) is None for side in (a, b)):
        return False
    sizes = [first_ratio(a, b, name, _FIRST) for name in ("loss", "grad_norm")]
    return all(one is not None and abs(math.log(one)) < _HALF_WAY * math.log(times) for one in sizes)


def first_ratio(a: Profile, b: Profile, name: str, steps: int = 1) -> float | None:
    """How many times the other's a side's scalar is at the first steps, by their medians.

    None where one is not known or not positive.
    """
    firsts = [curve.values[curve.steps <= steps] for side in (a, b) if (curve := side.curves.get(name)) is not None]
    if len(firsts) < len("ab") or not all(len(one) and np.all(np.isfinite(one)) and np.all(one > 0) for one in firsts):
        return None
    return float(np.median(firsts[1]) / np.median(firsts[0]))


def balanced(a: Profile, b: Profile) -> bool:
    """Whether each divides its loss by the batches to a step, or adds up as many: one mean, of more samples.

    Or of as many, where Keras takes the mean of them by itself and the other side divides.
    """
    factors, counts = between(a, b, "loss.factor"), [batches(side) for side in (a, b)]
    alone = [_ACCUMULATION in side.facts.declared for side in (a, b)]
    if (
        factors is None
        or (counts[0] == counts[1] and alone[0] == alone[1])
        or a.value("loss.reduction") != b.value("loss.reduction")
    ):
        return False
    return close(_whole(a, counts[0]), _whole(b, counts[1]), 1e-3)


def _whole(profile: Profile, count: int) -> float:
    """How much of the mean loss of all its samples a step's gradient is of."""
    mean = _ACCUMULATION in profile.facts.declared  # Keras takes the mean by itself
    half = 0.5 if str(profile.value("loss.function")).startswith("huber") else 1.0
    return float(profile.value("loss.factor")) * half * (1 if mean else count)


def _carried(a: Profile, b: Profile) -> Iterator[Cause]:
    """Gradients of earlier steps that are still there: the mean of some, or the sum of all."""
    seen = [bool(side.value("backward.carried", False)) for side in (a, b)]
    told = between(a, b, "backward.accumulates")
    if told is not None and told[0].value != told[1].value:
        return  # recognise.loss has it
    if seen[0] != seen[1]:
        effect = "gradients of earlier steps are still in it: they are not zeroed"
        yield Cause("OPT-26", "backward.accumulates", (seen[0], seen[1]), 2.0, effect, mend="a" if seen[0] else "b")


def _repeated(a: Profile, b: Profile) -> Iterator[Cause]:
    """Several steps with one gradient: ``step()`` is called more than once after a backward pass."""
    both = between(a, b, "update.repeated")
    if both is None or abs(both[0].value - both[1].value) < _OFTEN or min(fact.value for fact in both) > 0:
        return
    share = max(fact.value for fact in both)
    words = tuple("a gradient for each step" if not fact.value else f"{1 / (1 - share):.2g} steps" for fact in both)
    effect = f"{percent(share)} of the steps of one side are taken with the gradient of the step before"
    mend: Literal["a", "b"] = "a" if both[0].value else "b"
    yield Cause("OPT-00", "update.steps_per_gradient", (words[0], words[1]), 1.0, effect, mend=mend)


def _frozen(a: Profile, b: Profile) -> Iterator[Cause]:
    """Weights that are trained on one side only."""
    both = between(a, b, "update.frozen")
    if both is None:
        return
    if both[0].value["trained"] == both[1].value["trained"]:
        return  # what stands still on one side is not there on the other: the second bias of torch's LSTM
    shares = [float(fact.value["share"]) for fact in both]
    if close(shares[0], shares[1], 1e-2) or (both[0].value["tensors"] and both[1].value["tensors"]):
        return
    names = [", ".join(fact.value["tensors"][:_NAMED]) or "none" for fact in both]
    weight = max(0.1, abs(shares[0] - shares[1]))
    effect = f"{percent(max(shares))} of the weights are not trained on one side"
    mend: Literal["a", "b"] = "a" if shares[0] > shares[1] else "b"
    entry, side, fact = "OPT-00", *((a, both[0]) if mend == "a" else (b, both[1]))
    if _trainable(side, fact.value["tensors"]):
        entry, effect = "BWD-00", f"no gradient reaches {percent(max(shares))} of the weights on one side"
    if set(fact.value["tensors"]) == set(fact.value.get("passed_by", ())):
        entry, effect = "OPT-00", f"{percent(max(shares))} of the weights are given a gradient and never moved"
    yield Cause(entry, "update.frozen", (names[0], names[1]), weight, effect, confidence=0.9, mend=mend)


def _trainable(side: Profile, names: Sequence[str]) -> bool:
    """Whether weights without a gradient are none that were frozen: the program holds them for trainable."""
    model = (side.manifest or {}).get("model")
    model = model if isinstance(model, Mapping) else {}
    tensors = dict(model.get("tensors") or {})
    for layer in side.layers:
        tensors |= {str(one.get("name")): one for one in layer.get("weights") or [] if isinstance(one, Mapping)}
    known = [tensors[name] for name in names if isinstance(tensors.get(name), Mapping)]
    return bool(known) and all(one.get("trainable", True) for one in known)


def _other_hands(a: Profile, b: Profile) -> Iterator[Cause]:
    """Weights that something other than the update rule moves: at some steps, or between steps."""
    if bounds.alike(a.value(bounds.BOUNDS), b.value(bounds.BOUNDS)):
        return  # a constraint of the step's own on one side, and between steps on the other
    steps = [side.value("update.interrupted") or [] for side in (a, b)]
    if bool(steps[0]) != bool(steps[1]):
        told = [f"steps {_listed(one)}" if one else "none" for one in steps]
        side, places = (a, steps[0]) if steps[0] else (b, steps[1])
        size = min(1.0, effects.unexplained(side, steps=places) or 0.0)
        effect = f"at these steps something else moves the weights, by {percent(size)} of all steps"
        if size > _ROUNDED:
            yield Cause("OPT-00", "update.interrupted", (told[0], told[1]), size, effect, step=places[0])
    jumps = between(a, b, "update.between")
    if jumps is None:
        return
    sizes = [float(fact.value["size"]) if fact.value["steps"] else 0.0 for fact in jumps]
    if min(sizes) <= _MOVED < max(sizes):
        at = jumps[int(np.argmax(sizes))].value["steps"]
        told = [f"before steps {_listed(fact.value['steps'])}" if fact.value["steps"] else "none" for fact in jumps]
        effect = f"between steps something else moves the weights, by {percent(max(sizes))} of a step"
        yield Cause("OPT-00", "update.between", (told[0], told[1]), min(1.0, max(sizes)), effect, step=at[0])


def _constrained(a: Profile, b: Profile) -> Iterator[Cause]:
    """Weights that the rule which moves all others does not explain: a constraint, a sparse gradient."""
    names = [side.value("update.unexplained") or [] for side in (a, b)]
    if bool(names[0]) == bool(names[1]) or bounds.alike(a.value(bounds.BOUNDS), b.value(bounds.BOUNDS)):
        return
    side = a if names[0] else b
    told = [", ".join(one[:_NAMED]) or "none" for one in names]
    weight = min(1.0, effects.unexplained(side, names[0] or names[1]) or 0.0)
    entry, effect = "OPT-00", "the rule that moves the other weights does not move these"
    if constrained(side):
        entry, effect = "OPT-25", "a constraint moves these weights after the update rule has"
    elif side.framework in {"keras", "tensorflow"} and all("embed" in name for name in [*names[0], *names[1]]):
        entry = "OPT-29"
        effect = "Keras squares a row's gradient once for each time it comes, and adds up the squares"
    effect = f"{effect}: {percent(weight)} of a step"
    mend: Literal["a", "b"] = "a" if side is a else "b"
    yield Cause(entry, "update.unexplained", (told[0], told[1]), weight, effect, confidence=0.8, mend=mend,
                chance=entry == "OPT-29")  # fmt: skip


def constrained(profile: Profile) -> bool:
    """Whether a layer declares one."""
    told = [layer.get("config") for layer in profile.layers]
    return any(key.endswith("_constraint") and value for each in told if isinstance(each, Mapping)
               for key, value in each.items())  # fmt: skip


def _listed(steps: list[int]) -> str:
    return ", ".join(map(str, steps[:_NAMED])) + (" ..." if len(steps) > _NAMED else "")
