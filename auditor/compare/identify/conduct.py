"""What the scalars of every step tell of the optimizer: batches to a step, clipping, gradients carried over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify import passes
from auditor.compare.identify.clipping import coarse, plateau
from auditor.compare.identify.evidence import F64, Evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.trajectories import Curve
from auditor.ingest.records import Recorded, StepRecording

#: Relative error of a norm that was cut to a limit: float32 sums, and torch's 1e-6 beside the norm it divides by.
_CUT: Final = 2e-5
#: How far beyond a limit a norm is that was not cut to it, and the relative error of one norm summed in two ways.
_BEYOND: Final = 1e-2
_SAME_NORM: Final = 1e-4
#: Part of the largest rate at which weights of float32 do not move.
_STILL: Final = 2.0**-24
#: Steps that it takes to say how often something comes in them.
_FEWEST: Final = 6
#: Words of weights that are no parameters: running statistics, the state of random numbers.
_STATISTICS: Final = ("moving_", "running_", "seed_generator", "num_batches_tracked")


def facts(
    evidence: Evidence, curves: Mapping[str, Curve], manifest: Mapping[str, Any] | None, events: Sequence[Any] = ()
) -> list[Fact]:
    """``update.*`` of batches to a step, limits, what moves weights beside the rule or alters gradients before it.

    And ``backward.carried``.

    Args:
        evidence: of one run.
        curves: its scalars.
        manifest: says which weights there are, where it is known.
        events: of the run, of which some tell of epochs.
    """
    found = [*passes.facts(evidence, curves, manifest or {}, events), *_clipping(evidence, curves), *_carried(evidence)]
    found += [*_between(evidence), *_frozen(evidence, manifest or {}), *_repeated(evidence)]
    return [*found, *_still_standing(evidence), *_altered(evidence, curves, manifest or {})]


def _clipping(evidence: Evidence, curves: Mapping[str, Curve]) -> Iterator[Fact]:
    """The limit that gradients were cut to before the optimizer saw them, and by how much on average."""
    if {"clip_threshold", "grad_norm_before_clip", "grad_norm"} <= curves.keys():
        yield from _told(evidence, curves)
    elif not coarse(evidence) and not _kept(evidence) and (limit := plateau(_lengths(evidence, curves))) is not None:
        yield Fact("update.clip_norm", limit, confidence=0.95)


def _told(evidence: Evidence, curves: Mapping[str, Curve]) -> Iterator[Fact]:
    before, after = _finite(curves["grad_norm_before_clip"]), _finite(curves["grad_norm"])
    limit = float(curves["clip_threshold"].values[-1])
    if _too_late(before, after, limit):
        return
    _, at, bt = np.intersect1d(before.steps, after.steps, assume_unique=True, return_indices=True)
    if not len(at):
        return
    long, short = before.values[at], after.values[bt]
    cut = short < long * (1 - _CUT)
    if not cut.any():
        return
    values = [np.abs(track.gradient).max(initial=0.0) for track in evidence.tracks]
    norms = [track.norms.max(initial=0.0) for track in evidence.tracks]
    length = float(np.median(short[cut]))
    one = bool(np.allclose(short[cut], length, rtol=1e-3)) and int(cut.sum()) >= _FEWEST
    each = bool(values) and max(values) <= limit * (1 + _CUT) and not np.allclose(short[cut], limit, rtol=1e-3)
    if one and length < limit * (1 - _BEYOND):  # cut while a scale was on them: that is taken off the limit as well
        limit, each = float(f"{length:.6g}"), False
    kind = "clip_value" if each else "clip_norm"
    if each and max(norms) <= limit * (1 + _CUT) and len(norms) > 1:  # called for each tensor alone
        kind = "clip_norm_per_variable"
    yield Fact(f"update.{kind}", limit)
    yield Fact("update.clip_share", float(np.mean(1 - short / np.maximum(long, 1e-300))))


def _too_late(before: Curve, after: Curve, limit: float) -> bool:
    """Whether what was cut are the gradients that the step before had already been taken with: clipped after it.

    Then the norm that each clipping found is the one that the optimizer was given a step earlier, beyond the limit.
    """
    _, at, bt = np.intersect1d(before.steps - 1, after.steps, assume_unique=True, return_indices=True)
    used, found = after.values[bt], before.values[at]
    beyond = used > limit * (1 + _BEYOND)
    return bool(beyond.sum() >= _FEWEST and np.allclose(found[beyond], used[beyond], rtol=_SAME_NORM))


def _lengths(evidence: Evidence, curves: Mapping[str, Curve]) -> F64:
    """The norm of all gradients together, step by step: as told, else as recorded.

    Not at a rate of nothing: what does not move has the same gradients, epoch after epoch.
    """
    if "grad_norm" in curves:
        return _while_moving(curves["grad_norm"], curves.get("lr"))
    shortest = min((len(track.norms) for track in evidence.tracks), default=0)
    found: F64 = np.sqrt(np.sum([track.norms[:shortest] ** 2 for track in evidence.tracks], axis=0))
    return found


def _while_moving(curve: Curve, rates: Curve | None) -> F64:
    """Its values at steps whose rate is more than a rounding of the largest; all where no rate is known."""
    if rates is None or not len(rates.values):
        return curve.values
    still = rates.steps[~(np.abs(rates.values) > _STILL * np.nanmax(np.abs(rates.values)))]
    return curve.values[~np.isin(curve.steps, still)]


def _finite(curve: Curve) -> Curve:
    good = np.isfinite(curve.values)
    return Curve(curve.steps[good], curve.values[good])


def _carried(evidence: Evidence) -> Iterator[Fact]:
    """Whether a step's first backward pass found the gradient of the step before: nobody zeroed it."""
    seen = [one.scalars["carried"] for one in evidence.steps[1:] if "carried" in one.scalars]
    if seen:
        yield Fact("backward.carried", bool(np.mean([value != 0 for value in seen]) > 1 / 2))


def _kept(evidence: Evidence) -> bool:
    """Whether gradients are those of the steps before, mostly: where they only add up, long ones are all alike."""
    return any(fact.value for fact in _carried(evidence))


def _altered(evidence: Evidence, curves: Mapping[str, Curve], manifest: Mapping[str, Any]) -> Iterator[Fact]:
    """Whether the program writes to its gradients before the optimizer sees them, but for what is told of it.

    Clipping by the library writes to them, and so does a GradScaler.
    """
    precision = manifest.get("precision")
    scales = isinstance(precision, Mapping) and bool(precision.get("grad_scaler"))
    if not scales and "clip_threshold" not in curves and any(one.facts.get("altered") for one in evidence.steps):
        yield Fact("update.altered", True)


def _still_standing(evidence: Evidence) -> Iterator[Fact]:
    """Whether no recorded step moved any of the optimizer's weights, though it stepped, and what it was given.

    A rate of nothing (the first steps of a warm-up) moves none by right.
    """
    steps = [one for one in evidence.steps if one.of("updated") and float(one.scalars.get("lr", 1.0)) > 0]
    if len(steps) < _FEWEST:
        return
    pairs = [(one.of("weight").get(name), after) for one in steps for name, after in one.of("updated").items()]
    moved = not all(_same(before, after) for before, after in pairs)
    given = [array.values for one in steps for array in one.of("gradient").values() if array.values is not None]
    told = {"moved": moved, "gradients": any(np.any(values) for values in given), "backwards": _passes(steps)}
    yield Fact("update.stands", told)


def _passes(steps: Sequence[StepRecording]) -> bool:
    """Whether backward passes reached what the optimizer holds."""
    return any(float(one.facts.get("backwards") or 0) > 0 for one in steps)


def _same(before: Recorded | None, after: Recorded) -> bool:
    """Whether a weight is the same after a step, as far as the same elements of it were recorded."""
    if before is None or before.values is None or after.values is None or before.elements != after.elements:
        return False
    return bool(np.array_equal(before.values, after.values))


def _repeated(evidence: Evidence) -> Iterator[Fact]:
    """The part of the steps that were taken with the very gradient of the step before, though weights had moved.

    Of those with a gradient: where a loss is clipped there may be none at many steps, alike for that alone.
    """
    steps = [len(track.gradient) for track in evidence.tracks]
    if not steps or min(steps) < _FEWEST:
        return
    with_one = [at for at in range(1, min(steps)) if any(track.gradient[at].any() for track in evidence.tracks)]
    same = [np.all([np.array_equal(track.gradient[at], track.gradient[at - 1]) for track in evidence.tracks])
            for at in with_one]  # fmt: skip
    if same and any(track.moved.any() for track in evidence.tracks):
        yield Fact("update.repeated", float(np.mean(same)))


def _between(evidence: Evidence) -> Iterator[Fact]:
    """Steps before which something other than the optimizer moved the weights, and how far against a step."""
    jumps = [track.weight[1:] - track.updated[:-1] for track in evidence.tracks]
    steps = [len(jump) for jump in jumps]
    if not steps or min(steps) < 1:
        return
    at = [place + 2 for place in range(min(steps)) if any(jump[place].any() for jump in jumps)]
    apart = sum(float((jump**2).sum()) for jump in jumps)
    moved = sum(float((track.moved**2).sum()) for track in evidence.tracks)
    size = float(np.sqrt(apart / max(moved, 1e-300)))
    yield Fact("update.between", {"steps": at, "size": size})


def _frozen(evidence: Evidence, manifest: Mapping[str, Any]) -> Iterator[Fact]:
    """Weights that are not trained, the part of all elements that lies in them, and how many elements are trained."""
    first = evidence.first
    if first is None or not first.of("gradient"):
        return
    sizes = {name: array.size for name, array in first.of("weight").items()}
    declared = declared_sizes(manifest)
    if sizes.keys() <= declared.keys():  # else the two name them differently
        sizes = declared
    still = _still(evidence)
    unseen = evidence.others - first.of("weight").keys()  # another optimizer moves them, which is not recorded
    left = sorted(name for name in sizes if name not in {*first.of("gradient"), *unseen} or name in still)
    whole, frozen = sum(sizes.values()), sum(sizes[name] for name in left)
    told = {"tensors": left, "share": frozen / max(1, whole), "trained": whole - frozen, "passed_by": sorted(still)}
    yield Fact("update.frozen", told)


def _still(evidence: Evidence) -> set[str]:
    """Weights with a gradient at every step that no step moves, while others move: the optimizer passes them by."""
    moved = {track.name: bool(track.moved.any()) for track in evidence.tracks}
    given = {track.name for track in evidence.tracks if len(track.norms) > 1 and (track.norms > 0).all()}
    return {name for name in given if not moved[name]} if any(moved.values()) else set()


def declared_sizes(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Elements of the weights that a manifest names, without the statistics that no gradient reaches."""
    model = manifest.get("model")
    model = model if isinstance(model, Mapping) else {}
    told = [{"name": name, **each} for name, each in (model.get("tensors") or {}).items() if isinstance(each, Mapping)]
    for layer in model.get("layers") or []:
        told += [dict(each) for each in (layer.get("weights") or []) if isinstance(each, Mapping)]
    kept = [each for each in told if not any(word in str(each.get("name")) for word in _STATISTICS)]
    return {str(each["name"]): int(np.prod(each.get("shape") or [1])) for each in kept if "name" in each}
