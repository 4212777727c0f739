"""Running statistics of batch normalisation: how fast they follow the batches, and which variance is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.identify.fact import How
from auditor.compare.profile import Profile
from auditor.compare.recognise import conduct
from auditor.compare.recognise.cause import LISTED, Cause, between, close, percent

#: What wrong answers in evaluation count for at most where training is the same: as evaluation in the wrong mode does.
_MOST: Final = 0.4
#: Rows of the recorded ``units``: mean and standard deviation of each unit over the batch.
_MEAN: Final = 0
_SPREAD: Final = 1
#: Values in a batch where nobody counted them.
_BATCH: Final = 32


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """FWD-02 and FWD-03, of layers that both sides have."""
    sides = [_declared(side) for side in (a, b)]
    if not all(sides) or len(sides[0]) != len(sides[1]):
        return
    pairs = [(left, right) for left, right in zip(*sides, strict=True) if "decay" in left and "decay" in right]
    pace = next((pair for pair in pairs if not close(pair[0]["decay"], pair[1]["decay"])), None)
    if pace is not None:
        yield _pace(a, b, (float(pace[0]["decay"]), float(pace[1]["decay"])))
    kept = [tuple(one.get("running_variance") for one in pair) for pair in pairs]
    other = next((pair for pair in kept if pair[0] != pair[1]), None)
    if other is not None:
        size = min(_rows(side) for side in (a, b)) * max(map(_places, (a, b)))
        effect = "the running variance is that of the batch on one side, the unbiased estimate on the other"
        values = (other[0], other[1])
        yield Cause("FWD-03", "batchnorm.variance", values, 0.1 / max(1.0, size - 1), effect, "declared", 0.8)


@dataclass(frozen=True, slots=True)
class Lag:
    """What running statistics are off by at a run's end: still ``begun`` of what they began with; from ``batches``."""

    begun: float
    batches: float
    off: float
    noise: float


def _rows(side: Profile) -> float:
    return float(side.value("data.batch_size", _BATCH))


def _places(side: Profile) -> int:
    """Places of an image over which the layers that normalise by batches take a variance, at least; 1 if unknown.

    Where shapes are told (Keras): of n values the two variances are n / (n - 1) apart, and each place counts.
    """
    shapes = [one.get("input_shape") for one in side.layers if "BatchNorm" in str(one.get("class"))]
    inner = [shape[1:-1] for shape in shapes if isinstance(shape, list) and len(shape) > 1]
    known = [[extent for extent in extents if isinstance(extent, int)] for extents in inner]
    return min((math.prod(extents) for extents in known), default=1)


def _pace(a: Profile, b: Profile, decays: tuple[float, float]) -> Cause:
    """Statistics r = d r + (1 - d) batch, from mean 0 and variance 1: after n batches d^n of these is still there.

    And what is left is the mean of as many batches as have the sum of squared weights (1 - d) / (1 + d).
    """
    inputs = next((found for side in (a, b) if (found := _normalised(side)) is not None), None)
    places = max(map(_places, (a, b)))
    left, right = (_lag(side, decay, inputs, places) for side, decay in zip((a, b), decays, strict=True))
    weight = min(_MOST, abs(left.off - right.off) + abs(left.noise - right.noise))
    if abs(left.begun - right.begun) >= abs(left.noise - right.noise):
        told = " against ".join(percent(lag.begun) if lag.begun >= LISTED else "nothing" for lag in (left, right))
        effect = f"{told} of the statistics that evaluation normalises by is still what they began with at the end"
    else:
        effect = (
            f"evaluation normalises by the statistics of the last {left.batches:.3g} batches, against"
            f" {right.batches:.3g}"
        )
    how = _how(a, b)
    return Cause("FWD-02", "batchnorm.decay", decays, weight, effect, how, 0.9 if how == "measured" else 0.8)


def _lag(side: Profile, decay: float, inputs: F64 | None, places: int = 1) -> Lag:
    """``off``: root mean square over units of how far what is normalised by them is off, in standard deviations."""
    begun = decay ** ((side.last_step or 0) * conduct.batches(side)) if 0 <= decay <= 1 else 0.0
    share = (1 - decay) / (1 + decay)
    off = begun
    if inputs is not None:
        mean, variance = inputs[_MEAN], inputs[_SPREAD] ** 2
        kept = np.sqrt(begun + (1 - begun) * variance)
        off = math.sqrt(float(np.mean((begun * mean / kept) ** 2 + (inputs[_SPREAD] / kept - 1) ** 2)))
    return Lag(begun, 1 / share if share > 0 else math.inf, off, share / (_rows(side) * places))


def _normalised(side: Profile) -> F64 | None:
    """Mean and standard deviation of each unit that the first normalisation is given, in the last recorded step."""
    names = [str(one.get("name")) for one in side.layers]
    at = next((place for place, one in enumerate(side.layers) if "BatchNorm" in str(one.get("class"))), 0)
    for one in reversed(side.evidence.steps) if at else ():
        found = one.of("units").get(names[at - 1])
        if found is not None and found.values is not None and not found.sampled and len(found.shape) > 1:
            units: F64 = np.asarray(found.whole(), np.float64)
            if np.isfinite(units).all() and bool((units[_SPREAD] > 0).any()):
                return units[:, units[_SPREAD] > 0]
    return None


def _how(a: Profile, b: Profile) -> How:
    """``measured`` where both were seen to train in training mode and to evaluate in the other.

    Then the statistics act: the steps are counted, and the weight of the old is the one that the layers hold.
    """
    trained, looked = between(a, b, "mode.train"), between(a, b, "mode.eval")
    if trained is None or looked is None or not all(side.last_step for side in (a, b)):
        return "declared"
    acts = all(fact.value["training"] == "true" for fact in trained)
    return "measured" if acts and all(fact.value["training"] == "false" for fact in looked) else "declared"


def _declared(side: Profile) -> Sequence[Mapping[str, Any]]:
    """Each normalisation by batches that the program declares; in a loop, as its layers do."""
    canonical = (side.manifest or {}).get("canonical")
    told = canonical.get("normalization") if isinstance(canonical, Mapping) else None
    if isinstance(told, Mapping) and told:
        return [entry for entry in told.values() if isinstance(entry, Mapping)]
    configs = [one.get("config") for one in side.layers if one.get("class") == "BatchNormalization"]
    return [
        {"decay": float(config["momentum"]), "running_variance": "biased"}
        for config in configs
        if isinstance(config, Mapping) and isinstance(config.get("momentum"), (int, float))
    ]
