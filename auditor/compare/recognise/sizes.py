"""How much a difference between two networks changes what they give, as far as it can be replayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np
import scipy

from auditor.compare.identify.evidence import F64, data
from auditor.compare.identify.functions import FUNCTIONS
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import percent
from auditor.compare.structure import Difference, Operation
from auditor.compare.structure.operations import WEIGHTED
from auditor.ingest.records import StepRecording

#: The two are different functions of which one cannot be replayed on the other's inputs: as far apart as two of the
#: activations below are, replayed on normally distributed inputs (median of all pairs: test_sizes.py).
ANOTHER: Final = 0.6
#: A bias against what the rest of its layer gives for inputs of unit variance, as PyTorch draws both (uniform with one
#: bound): one number against n, that is 1 / sqrt(n) of it; for n of 24, the middle of the layers that people try.
_BIAS: Final = 0.2
#: Settings that differ are told even where replaying them shows next to nothing.
_LEAST: Final = 1.5e-3


def of(difference: Difference, a: Profile, b: Profile) -> tuple[float, str]:
    """The size of a difference, as a part of what the layer gives, and a sentence."""
    left, right = difference.a, difference.b
    if left is None or right is None:
        return _alone(left or right)
    sized = _SIZED.get(difference.setting)
    if sized is None or (difference.setting == "padding" and left.kind != "embedding"):
        return ANOTHER, SAID.get(difference.setting, f"{left.kind}: another {difference.setting}")
    return sized(difference, (left, a), (right, b))


SAID: Final[Mapping[str, str]] = {
    "pads": "the windows stand elsewhere over the input",
    "first": "the layer takes the samples first on one side, and time first on the other",
    "border": "averages at the border count the padding on one side",
    "state": "a recurrent layer goes on from the state of the batch before on one side, and begins anew on the other",
    "order": "the same operations come in another order",
    "kind": "another kind of layer stands in the same place",
    "merge": "what the two directions give is put together otherwise: side by side, or added",
    "causal": "attention looks at later positions on one side, and on the other only back",
    "padded": "attention leaves out positions, as a mask of padding does, on one side only",
    "along_time": "the layer runs along the samples of a batch on one side, as if they were steps of one sequence",
    "reset_after": "the reset gate acts before the product on one side",
}


def _alone(one: Operation | None) -> tuple[float, str]:
    kind = one.kind if one is not None else ""
    if one is not None and kind == "dropout":
        rate = float(one.settings.get("rate", 0.0))
        return min(1.0, max(_LEAST, noise(rate))), f"{rate:g} of the units are dropped on one side, none on the other"
    if one is not None and kind == "activation":
        size, _ = apart(one, Operation("activation", "", {"function": "linear"}))
        return size, f"{one.word} is applied on one side only"
    word = one.word if one is not None else "a layer"
    return ANOTHER if kind in WEIGHTED else ANOTHER / 2, f"{word} is there on one side only"


def noise(rate: float) -> float:
    """Standard deviation of what inverted dropout multiplies by: sqrt(p / (1 - p)) (Srivastava et al., 2014)."""
    return math.sqrt(rate / max(1e-3, 1 - rate))


_Side = tuple[Operation, Profile]


def _rate(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    left, right = (float(side[0].settings["rate"]) for side in (a, b))
    size = abs(noise(left) - noise(right))
    return min(1.0, max(_LEAST, size)), f"{left:g} of the units are dropped against {right:g}"


def _inverted(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    """All that is kept is smaller by the rate, in training alone."""
    rate = max(float(side[0].settings.get("rate", 0.0)) for side in (a, b))
    said = (
        f"what a dropout keeps is multiplied by {1 / max(1e-3, 1 - rate):.3g} on one side, left as it is on the other"
    )
    return max(_LEAST, rate), said


def _units(difference: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    few, many = sorted(float(side[0].settings[difference.setting]) for side in (a, b))
    each = "each head of attention" if difference.setting == "head_units" else f"the {a[0].kind} layer"
    said = f"{each} has {many / max(few, 1):.3g} times the units on one side"
    return max(0.1, 1 - few / many), said


def _bias(difference: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    del a, b
    if difference.after == "batchnorm":
        return 0.0, "a bias before a normalisation, which takes it out again"
    return _BIAS, "the layer has a bias on one side only"


# -- activations ------------------------------------------------------------------------------


@cache
def _normal() -> F64:
    """Normally distributed inputs of an activation: quantiles in equal steps."""
    return np.asarray(scipy.special.ndtri((np.arange(2000) + 0.5) / 2000), np.float64)


def _activation(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    return apart(a[0], b[0])


def apart(a: Operation, b: Operation) -> tuple[float, str]:
    """The distance of two activations over normally distributed inputs, relative to the larger."""
    names = [str(one.settings.get("function")) for one in (a, b)]
    said = f"{names[0]} against {names[1]}" if names[0] != names[1] else f"{names[0]} with other settings"
    if any(name not in FUNCTIONS for name in names):
        return ANOTHER, said
    left, right = (FUNCTIONS[name](_normal(), one.settings) for name, one in zip(names, (a, b), strict=True))
    scale = max(float(np.linalg.norm(left)), float(np.linalg.norm(right)))
    size = float(np.linalg.norm(left - right)) / scale if scale > 0 else 0.0
    return max(_LEAST, min(1.0, size)), f"{said}: outputs of normally distributed inputs differ by {percent(size)}"


# -- normalisation ----------------------------------------------------------------------------


def _epsilon(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    """What an epsilon takes off the normalised values, read off their own spread."""
    (one, mine), (other, theirs) = sorted((a, b), key=lambda side: -float(side[0].settings["epsilon"]))
    large, small = float(one.settings["epsilon"]), float(other.settings["epsilon"])
    variance = _variance(one, mine)
    variance = _variance(other, theirs) if variance is None else variance
    if variance is None:
        return max(_LEAST, min(0.1, 10 * (large - small))), "epsilon differs; what it is added to was not recorded"
    size = abs(math.sqrt(variance / (variance + large)) - math.sqrt(variance / (variance + small)))
    said = f"epsilon is added to a variance of {variance:.3g}: normalised values differ by {percent(size)}"
    return max(_LEAST, min(1.0, size)), said


def _variance(norm: Operation, profile: Profile) -> float | None:
    """The variance that a normalisation saw: v / (v + epsilon) is the variance of what it gives before its scale."""
    epsilon = float(norm.settings["epsilon"])
    for one in profile.evidence.steps:
        given = _given(norm, one)
        if given is None:
            continue
        kept = min(1 - 1e-9, float(np.mean(given * given)))
        return epsilon * kept / (1 - kept)
    return None


def _given(norm: Operation, one: StepRecording) -> F64 | None:
    """Standard deviations of normalised values: of units over the batch, or of rows; scale taken out."""
    names = [name for role, name in one.arrays if role == "units" and _is(name, norm.name)]
    if not names:
        return None
    scale, shift = _own(norm, one, _SCALES), _own(norm, one, _SHIFTS)
    if norm.kind == "batchnorm":
        units = data(one, "units", names[0])
        if units is None or (scale is not None and scale.shape != units[1].shape):
            return None
        found: F64 = units[1] / np.maximum(1e-12, np.abs(scale) if scale is not None else 1.0)
        return found
    rows = data(one, "activation", names[0])
    if (
        norm.kind != "layernorm"
        or rows is None
        or rows.ndim != 2
        or not all(part is None or part.shape[-1] == rows.shape[1] for part in (scale, shift))
    ):
        return None
    plain = (rows - (0.0 if shift is None else shift)) / (1.0 if scale is None else scale)
    spread: F64 = plain.std(axis=1)
    return spread


_SCALES: Final = ("weight", "gamma", "scale")
_SHIFTS: Final = ("bias", "beta")


def _own(norm: Operation, one: StepRecording, ends: tuple[str, ...]) -> F64 | None:
    """A weight of a layer, by how its name ends."""
    for name, array in one.of("weight").items():
        layer = name.rpartition("/")[0] or name.rpartition(".")[0]
        if _is(layer, norm.name) and name.endswith(ends) and not array.sampled and array.values is not None:
            return np.asarray(array.whole(), np.float64)
    return None


def _is(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith((f"/{wanted}", f".{wanted}"))


# -- embeddings -------------------------------------------------------------------------------


def _padding(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    """The part of the words that are padding."""
    shares = [share for side in (a, b) if (share := _padded(side[1])) is not None]
    size = max(shares, default=0.01)
    return size, f"{percent(size)} of the words are padding, which one side leaves out"


def _padded(side: Profile) -> float | None:
    for one in side.evidence.steps:
        batch = data(one, "batch")
        if batch is not None and batch.size and bool((batch == np.round(batch)).all()):
            return float((batch == 0).mean())
    return None


def _scale(_: Difference, a: _Side, b: _Side) -> tuple[float, str]:
    """A factor of a table's rows: what is added to them, positions say, counts for as much less."""
    left, right = (abs(float(side[0].settings["scale"])) for side in (a, b))
    ratio = max(left, right) / max(1e-30, min(left, right))
    return min(ANOTHER, math.log(ratio)), f"the rows of a table are multiplied by {left:.4g} against {right:.4g}"


_SIZED: Final[Mapping[str, Callable[[Difference, _Side, _Side], tuple[float, str]]]] = {
    **dict.fromkeys(("function", "slope", "alpha", "approximate"), _activation),
    "epsilon": _epsilon,
    "rate": _rate,
    "inverted": _inverted,
    "units": _units,
    "head_units": _units,
    "bias": _bias,
    "padding": _padding,
    "scale": _scale,
}
