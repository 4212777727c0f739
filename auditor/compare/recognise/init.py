"""Initial weights: INIT-*."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from auditor.compare.identify import initial
from auditor.compare.profile import Profile
from auditor.compare.recognise import init_each, network
from auditor.compare.recognise.cause import Cause, between

#: As ``init.weights`` has them.
Weights = Sequence[Mapping[str, Any]]

_IDS: Final[Mapping[str, str]] = {
    "dense.kernel": "INIT-01",
    "dense.bias": "INIT-02",
    "conv.kernel": "INIT-03",
    "conv.bias": "INIT-03",
    "depthwise.kernel": "INIT-04",
    "conv_transpose.kernel": "INIT-05",
    "embedding.kernel": "INIT-06",
    "lstm.kernel": "INIT-07",
    "lstm.recurrent": "INIT-07",
    "lstm.bias": "INIT-08",
    "gru.kernel": "INIT-09",
    "gru.recurrent": "INIT-09",
    "gru.bias": "INIT-09",
    "norm.kernel": "INIT-10",
    "norm.bias": "INIT-10",
    "attention.kernel": "INIT-11",
    "attention.bias": "INIT-11",
    "prelu.kernel": "INIT-12",
}
#: Biases of which a part begins off zero on purpose: the forget gate's.
_OFFSET: Final = frozenset({"lstm.bias", "gru.bias"})
#: The scale of a normalisation: at zero what comes after it, a branch of a block, begins switched off.
_GAMMA: Final = "norm.kernel"
#: Parameters of biases that begin at zero or as little noise around it: whichever, it is washed out alike.
CENTRED: Final = frozenset(f"init.{kind}" for kind in _IDS if kind.endswith("bias") and kind not in _OFFSET)
_CONSTANT: Final = frozenset({"zeros", "ones", "constant"})
_BOUNDED: Final = frozenset({"normal", "truncated_normal"})
#: Formulas that know no widths.
_NUMBERS: Final = ("normal(", "uniform(0", "uniform(1)")
_UNTOLD: Final = "normal(0.05)"
#: Of a factor e in the weights' scale: it is gone after some steps, unlike what acts at every one.
_KERNEL: Final = 0.03
_BIAS: Final = 0.02
#: Constants this close are one.
_ALIKE: Final = 1e-6
#: Standard errors of a standard deviation beyond which two differ.
_ERRORS: Final = 5.0
#: The same as the logarithm of its chance, for what is not normal.
_LEVEL: Final = 14.4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Every kind of weight that the two draw differently; weights off centre; clones. Nothing of copied numbers."""
    if _copied(a, b):
        return
    weights = _in_both(a.value(initial.WEIGHTS, ()), b.value(initial.WEIGHTS, ()))
    sides = [initial.by_kind(mine, theirs) for mine, theirs in (weights, weights[::-1])] if all(weights) else [{}, {}]
    told: list[Cause] = []
    alike = init_each.as_many(*weights) and not any(init_each.apart(*weights, _spread))
    for kind in (kind for kind in sides[0] if kind in sides[1]):
        left, right = (side[kind] for side in sides)
        told += _off_centre(f"init.{kind}", left, right)
        told += [] if alike and _of_two_sizes(kind, left, right) else _drawn(kind, left, right)
    yield from told
    if not told:
        yield from _one_by_one(*weights)
    yield from _clones(a, b)


def _of_two_sizes(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether kernels that stand for their kind are of two sizes: a cell that a program builds of layers has others."""
    return kind.endswith("kernel") and a.get("size") != b.get("size")


def _one_by_one(a: Weights, b: Weights) -> Iterator[Cause]:
    """The first kernel that is drawn otherwise than any of its size on the other side, of each kind."""
    found: dict[str, Cause] = {}
    for left, right in init_each.apart(a, b, _spread):
        known = [str(one["kind"]) for one in (left, right) if not one["guessed"]]
        kind = known[0] if known else str(left["kind"])
        words = _words(left), _words(right)
        constant = [one["distribution"] in _CONSTANT for one in (left, right)]
        if any(constant):
            ratio, effect = 1.0, f"{words[0]} on one side, {words[1]} on the other"
        else:
            ratio = abs(math.log(right["std"] / left["std"]))
            effect = f"the weights of {left['name']} and {right['name']}: {math.exp(ratio):.3g} times as widely spread"
        entry = "INIT-14" if _fixed(kind, left, right) else _IDS.get(kind, "INIT-00")
        size = _KERNEL * min(ratio, 5.0)
        found.setdefault(kind, Cause(entry, f"init.{kind}", words, size, effect, confidence=0.9))
    yield from found.values()


def _fixed(kind: str, *sides: Mapping[str, Any]) -> bool:
    """Whether both scales are numbers that know no widths of a layer; tables have an entry of their own."""
    told = ([one.startswith(_NUMBERS) for one in side.get("formulas", ())] for side in sides)
    return not kind.startswith("embedding") and all(any(one) for one in told)


def _copied(a: Profile, b: Profile) -> bool:
    """Whether both begin with the same numbers, whichever layers have them: a table of words may be a kernel."""
    left, right = (network.whole(side) for side in (a, b))
    counts = [sum(array.size for array in side) for side in (left, right)]
    every = [len(side.evidence.beginning) for side in (a, b)]
    if not left or counts[0] != counts[1] or every != [len(left), len(right)]:
        return False
    mine, theirs = (np.sort(np.concatenate([array.ravel() for array in side])) for side in (left, right))
    return bool(np.allclose(mine, theirs, rtol=1e-6, atol=0.0))


def _in_both(a: Weights, b: Weights) -> tuple[Weights, Weights]:
    """Without what a second optimizer holds on one side, where the other side has no such weights besides its own.

    A generator that was recorded with its judge, beside a judge alone.
    """
    if any(one["beside"] for one in a) == any(one["beside"] for one in b):
        return a, b
    mine, theirs = (a, b) if any(one["beside"] for one in a) else (b, a)
    first = [one for one in mine if not one["beside"]]
    spare = Counter(map(_extents, theirs)) - Counter(map(_extents, first))
    if not Counter(_extents(one) for one in mine if one["beside"]) - spare:
        return a, b
    return (first, b) if mine is a else (a, first)


def _extents(one: Mapping[str, Any]) -> tuple[int, ...]:
    """Of a weight, in whatever order a framework has them."""
    return tuple(sorted(one["shape"]))


def _off_centre(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Cause]:
    if name.removeprefix("init.") in _OFFSET:
        return
    centres = [abs(side["mean"]) / max(side["std"], 1e-12) if side["off_centre"] else 0.0 for side in (a, b)]
    if max(centres) > 3 * min(centres) and max(centres) > 0.2:
        size = max(centres)
        effect = f"the mean of the weights is {size:.3g} standard deviations off zero on one side"
        yield Cause("INIT-00", f"{name}.mean", (a["mean"], b["mean"]), min(10.0, size), effect, confidence=0.98)


def _drawn(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Cause]:
    difference = _gate(kind, a, b) or _difference(kind, a, b) or _constants(kind, a, b)
    if difference is None:
        return
    entry, weight, effect = difference
    if a["off_centre"] or b["off_centre"]:
        weight = min(weight, 0.01)  # the mean is the cause; the spread comes with it
    confidence = 0.95 if min(a["elements"], b["elements"]) >= 64 else 0.7
    yield Cause(entry, f"init.{kind}", (_words(a), _words(b)), weight, effect, confidence=confidence)


def _difference(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, float, str] | None:
    entry = _IDS.get(kind, "INIT-00")
    size = _KERNEL if not kind.endswith("bias") else _BIAS
    if a["distribution"] in _CONSTANT or b["distribution"] in _CONSTANT:
        apart = max(abs(a["mean"] - b["mean"]), abs(a["std"] - b["std"]))
        same = a["distribution"] == b["distribution"] and apart <= 1e-6
        few = min(a["elements"], b["elements"]) < 2
        if kind.endswith("bias"):
            size = _BIAS * min(5.0, apart)
        return None if same or few else (entry, size, f"{_words(a)} on one side, {_words(b)} on the other")
    ratio, error = _spread(a, b)
    named = bool(set(a["formulas"]) & set(b["formulas"]))
    if abs(ratio) <= error or (named and abs(ratio) <= 2 * error and a["fan_in"] == b["fan_in"] and not a["bound"]):
        return _other_distribution(entry, size, a, b, named=named)
    if named and (a["fan_in"], a["fan_out"]) != (b["fan_in"], b["fan_out"]):
        return None  # the same rule for layers of different widths
    if _fixed(kind, a, b) or _by_default(a, b) or _left_at_default(a, b):
        entry = "INIT-14"
    size *= min(abs(ratio), 5.0)
    return entry, size, f"the weights of one side are {math.exp(abs(ratio)):.3g} times as widely spread"


def _by_default(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether what no layer draws is as widely spread on one side as a function draws that is told no width."""
    return any(side.get("own") and "normal(1)" in side["formulas"] for side in (a, b))


def _left_at_default(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether one side is as widely spread as Keras's ``RandomNormal`` that is told no number, and no layer draws so.

    The other is normal as well, of a spread that is neither a layer's default nor goes by its width.
    """
    return all(side["distribution"] == "normal" for side in (a, b)) and any(
        _UNTOLD in one["formulas"] and not other["formulas"] for one, other in ((a, b), (b, a))
    )


def _other_distribution(
    entry: str, size: float, a: Mapping[str, Any], b: Mapping[str, Any], *, named: bool
) -> tuple[str, float, str] | None:
    """Weights of one spread: what else tells the two draws apart, if it is not chance."""
    families = {a["distribution"], b["distribution"]}
    if len(families) == 1 or set(a.get("families", ())) & set(b.get("families", ())):
        return None  # both may be draws of one distribution: some dozen numbers do not tell which
    if "orthogonal" in families:
        return entry, 0.5 * size, "orthogonal on one side only"
    if families == _BOUNDED:  # of one name, even: Keras's he_normal is cut off
        return "INIT-13", 0.3 * size, "the same spread, cut at two standard deviations on one side"
    if named or "unknown" in families:
        return None
    return entry, 0.3 * size, "the same spread, another distribution"


def _gate(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, float, str] | None:
    """The gate of an LSTM whose biases begin furthest apart, where chance does not explain it."""
    if not a.get("gates") or not b.get("gates"):
        return None
    few = min(a["elements"], b["elements"]) / len(a["gates"])
    apart = [
        (abs(left - right), left, right)
        for (left, noise), (right, other) in zip(a["gates"], b["gates"], strict=True)
        if abs(left - right) > _ERRORS * math.hypot(noise, other) / math.sqrt(few) + _ALIKE
    ]
    if not apart:
        return None
    size, left, right = max(apart)
    return _IDS[kind], _BIAS * min(5.0, size), f"the biases of one gate begin at {left:.2g} and at {right:.2g}"


def _constants(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, float, str] | None:
    """Biases of one layer that begin at another number, where those of the others do not.

    A single one may be drawn: then beyond every law in use, of which He's uniform is the widest.
    """
    left, right = a.get("constants"), b.get("constants")
    if not (kind.endswith("bias") or kind == _GAMMA) or not left or not right:
        return None
    if [one[0] for one in left] != [one[0] for one in right]:
        return None
    apart = [
        (abs(mine - theirs), mine, theirs)
        for (size, mine, fan), (_, theirs, _) in zip(left, right, strict=True)
        if abs(mine - theirs) > (_ALIKE if size > 1 else 2 * math.sqrt(6 / max(1, fan)))
    ]
    if not apart:
        return None
    size, mine, theirs = max(apart)
    if kind == _GAMMA:  # from one to zero as much as the widest kernels differ: by hand, as all sizes of beginnings
        said = f"the scale of one normalisation begins at {mine:.3g} on one side, at {theirs:.3g} on the other"
        return _IDS[kind], _KERNEL * min(5.0, 5 * size), said
    said = f"the biases of one layer begin at {mine:.3g} on one side, at {theirs:.3g} on the other"
    return _IDS.get(kind, "INIT-00"), _BIAS * min(5.0, size), said


def _spread(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[float, float]:
    """Logarithm of how many times b is as widely spread as a, and how far chance may put it.

    The largest of n uniform numbers is within about 1/n of the bound: far sharper than their standard
    deviation.
    """
    if a["bound"] and b["bound"]:
        few = min(a["elements"], b["elements"])
        return math.log(b["bound"] / a["bound"]), 10.0 / few
    error = _ERRORS * math.sqrt(0.5 / a["elements"] + 0.5 / b["elements"])
    error = max(error, _shrunk(min(a["elements"], b["elements"]) - 1))
    return math.log(max(b["std"], 1e-30) / max(a["std"], 1e-30)), error


@cache
def _shrunk(degrees: int) -> float:
    """By how much chance may shrink the logarithm of a standard deviation, once in two million draws.

    Of two numbers the difference is often next to nothing. Chernoff's bound for a chi-squared variable of ``degrees``:
    P(c <= e d) <= (e exp(1 - e)) ** (d / 2).
    """
    if degrees < 1:
        return math.inf
    wanted, low, high = 2 * _LEVEL / degrees, 0.0, _LEVEL + 1.0
    for _ in range(50):
        middle = (low + high) / 2  # e = exp(-2 middle)
        low, high = (middle, high) if 2 * middle - 1 + math.exp(-2 * middle) < wanted else (low, middle)
    return high


def _words(side: Mapping[str, Any]) -> str:
    named = side["formulas"][0] if side["formulas"] else side["distribution"]
    return (
        f"{named} (std {side['std']:.3g})" if side["distribution"] not in _CONSTANT else f"{named} ({side['mean']:.3g})"
    )


def _clones(a: Profile, b: Profile) -> Iterator[Cause]:
    found = between(a, b, "init.clones")
    if found is not None and bool(found[0].value) != bool(found[1].value):
        effect = "layers begin as copies of one another on one side"
        yield Cause("INIT-16", "init.clones", (found[0].value, found[1].value), 0.3, effect)
