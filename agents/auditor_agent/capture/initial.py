"""Which distribution a weight was drawn from, read off its values.

Families are told apart by the largest distance between the empirical distribution function and
theirs (Kolmogorov-Smirnov, at a level that one in ten thousand right fits misses); their scale is
then matched against the formulas by which frameworks choose it. A tensor too small to tell says so
by naming several.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

#: Elements that a fit looks at, evenly spread.
MOST: Final = 2048
#: Critical value of sqrt(n) times the distance: exceeded by 1 in 10,000 samples of the family itself.
_CRITICAL: Final = 2.23
#: A family under which the values are so many times less likely than under another one is not theirs. (A uniform and
#: a cut normal of one spread differ by 0.14 an element in the logarithm, by 0.03 at most in their distributions.)
_UNLIKELY: Final = math.log(1e4)
#: How far an estimate may be off, in its standard errors.
_ERRORS: Final = 4.5
#: Standard deviation of a standard normal cut at two: what Keras and JAX divide by.
TRUNCATED_STD: Final = 0.87962566103423978
#: Relative standard error of its estimated standard deviation, times the root of the count: sqrt((2.3656 - 1) / 4), of
#: its kurtosis.
_TRUNCATED_SPREAD: Final = 0.585
_LARGEST_ORTHOGONAL: Final = 512
#: Elements below which a mean is not called off centre.
_FEWEST: Final = 8
#: Times the smallest distance that a family's may be to stay in question.
_RIVAL: Final = 2.0
_GRID: Final = np.linspace(-6.0, 6.0, 4801)
_PHI: Final = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in _GRID])

_UNIFORM: Final[dict[str, Callable[[int, int], float]]] = {
    "uniform(1/sqrt(fan_in))": lambda i, _: 1 / math.sqrt(i),
    "glorot_uniform": lambda i, o: math.sqrt(6 / (i + o)),
    "he_uniform": lambda i, _: math.sqrt(6 / i),
    "lecun_uniform": lambda i, _: math.sqrt(3 / i),
    "uniform(sqrt(2/(fan_in+fan_out)))": lambda i, o: math.sqrt(2 / (i + o)),
    "uniform(1/sqrt(fan_out))": lambda _, o: 1 / math.sqrt(o),
}
_UNIFORM_FIXED: Final = {"uniform(0.05)": 0.05, "uniform(1)": 1.0, "uniform(0.1)": 0.1}
_NORMAL: Final[dict[str, Callable[[int, int], float]]] = {
    "he_normal": lambda i, _: math.sqrt(2 / i),
    "glorot_normal": lambda i, o: math.sqrt(2 / (i + o)),
    "lecun_normal": lambda i, _: math.sqrt(1 / i),
}
_NORMAL_FIXED: Final = {"normal(1)": 1.0, "normal(0.05)": 0.05, "normal(0.02)": 0.02, "normal(0.01)": 0.01}


def fans_of(shape: Sequence[int], layout: str) -> tuple[int, int] | None:
    """(fan_in, fan_out) of a weight; None for vectors and scalars, which have none of their own."""
    if len(shape) < 2 or 0 in shape:
        return None
    if layout == "torch":
        field = math.prod(shape[2:])
        return shape[1] * field, shape[0] * field
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def describe(values: Values, shape: Sequence[int] | None, fans: tuple[int, int] | None) -> dict[str, Any]:
    """Statistics of a weight as the run found it, and what it was drawn from.

    Args:
        values: its elements, or evenly spread ones of them.
        shape: its shape if ``values`` are all of it; None else.
        fans: (fan_in, fan_out) of the layer, if it has any.

    Returns:
        ``mean``, ``std``, ``min``, ``max``, ``distribution`` (``zeros``, ``ones``, ``constant``, ``uniform``,
        ``normal``, ``truncated_normal``, ``orthogonal``, ``unknown``), ``scale`` (bound of a uniform,
        standard deviation else), ``formulas``: names of the rules whose scale this is; ``fan_in``,
        ``fan_out``; ``families``: the distributions that it may be of, by chance; ``off_centre`` where the mean is
        beyond chance.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {"distribution": "unknown"}
    found: dict[str, Any] = {
        "mean": float(finite.mean()),
        "std": float(finite.std()),
        "min": float(finite.min()),
        "max": float(finite.max()),
    }
    if fans is not None:
        found |= {"fan_in": fans[0], "fan_out": fans[1]}
    if found["min"] == found["max"]:
        word = {0.0: "zeros", 1.0: "ones"}.get(found["min"], "constant")
        return found | {"distribution": word, "scale": abs(found["min"]), "formulas": []}
    if shape is not None and (gain := _orthogonal(finite, shape)) is not None:
        return found | {"distribution": "orthogonal", "scale": gain, "formulas": ["orthogonal"]}
    return found | _fit(finite[:: -(-len(finite) // MOST)], fans)


def _fit(values: Values, fans: tuple[int, int] | None) -> dict[str, Any]:
    count = len(values)
    mean, std = float(values.mean()), float(values.std(ddof=1))
    # The second factor stands for Student's tails, which a few elements have.
    away = abs(mean) > _ERRORS * (1 + 10 / count) * std / math.sqrt(count) and count >= _FEWEST
    centred = values - mean if away else values
    bound = float(np.abs(centred).max())
    distances = {
        "uniform": _distance(centred, lambda x: np.clip((x / bound + 1) / 2, 0, 1)),
        "normal": _distance(centred, lambda x: _phi(x / std)),
        "truncated_normal": _distance(centred, lambda x: _phi_cut(x * TRUNCATED_STD / std)),
    }
    if bound > 2 * std / TRUNCATED_STD * (1 + _ERRORS * _TRUNCATED_SPREAD / math.sqrt(count)):
        distances["truncated_normal"] = 1.0  # it ends at two of its sigmas
    likely = _log_likelihoods(centred, bound, std)
    distances |= {family: 1.0 for family in likely if likely[family] < max(likely.values()) - _UNLIKELY}
    critical = _CRITICAL / math.sqrt(count)
    told: dict[str, Any] = {"families": sorted(one for one in distances if distances[one] <= critical)}
    if away:
        told["off_centre"] = True
    formulas: list[str] = []
    for family in sorted(distances, key=lambda family: distances[family]):
        if distances[family] <= min(critical, _RIVAL * min(distances.values())):
            formulas += _formulas(family, centred, bound, std, fans)
    best = min(distances, key=lambda family: distances[family])
    if distances[best] > critical:
        return {"distribution": "unknown", "scale": std, "formulas": [], **told}
    named = _family(formulas[0]) if formulas and not away else best
    # A formula that fits exactly says more than a slightly smaller distance: scales do not agree by chance.
    family = named if named in distances and distances[named] <= critical else best
    return {"distribution": family, "scale": bound if family == "uniform" else std, "formulas": formulas, **told}


def _log_likelihoods(values: Values, bound: float, std: float) -> dict[str, float]:
    """How likely the values are under each family around 0 with the scale that fits them best."""
    count, squares = len(values), float(values @ values)
    sigma = max(bound / 2, std / TRUNCATED_STD)  # no value lies beyond two of them
    inside = math.erf(2 / math.sqrt(2))
    return {
        "uniform": -count * math.log(2 * bound),
        "normal": -count * math.log(std * math.sqrt(2 * math.pi)) - squares / (2 * std**2),
        "truncated_normal": -count * math.log(sigma * inside * math.sqrt(2 * math.pi)) - squares / (2 * sigma**2),
    }


def _formulas(family: str, values: Values, bound: float, std: float, fans: tuple[int, int] | None) -> list[str]:
    """The rules whose scale agrees with the sample's, the closest first."""
    count = len(values)
    uniform = family == "uniform"
    rules = {**_UNIFORM_FIXED} if uniform else {**_NORMAL_FIXED}
    if fans is not None:
        rules |= {name: rule(*fans) for name, rule in (_UNIFORM if uniform else _NORMAL).items()}
    spread = math.sqrt((0.8 if uniform else 2.0) / count) / 2  # relative standard error of the standard deviation
    found: list[tuple[float, str]] = []
    for name, scale in rules.items():
        expected = scale / math.sqrt(3) if uniform else scale
        off = abs(std / expected - 1)
        inside = not uniform or (1 - 12 / count) * scale <= bound <= scale * (1 + 1e-6)
        if inside and off <= _ERRORS * spread:
            found.append((off, name if family != "truncated_normal" else f"truncated_{name}"))
    return [name for _, name in sorted(found)]


def _family(formula: str) -> str:
    if formula.startswith("truncated_"):
        return "truncated_normal"
    return "uniform" if "uniform" in formula else "normal"


def _distance(values: Values, distribution: Callable[[Values], Values]) -> float:
    ordered = distribution(np.sort(values))
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))


def _phi(x: Values) -> Values:
    within: Values = np.interp(x, _GRID, _PHI)  # to 2e-7: far below any distance that matters
    return within


def _phi_cut(x: Values) -> Values:
    low = 0.5 * (1 + math.erf(-2 / math.sqrt(2)))
    return np.clip((_phi(np.clip(x, -2, 2)) - low) / (1 - 2 * low), 0, 1)


def _orthogonal(values: Values, shape: Sequence[int]) -> float | None:
    """The gain of a matrix with orthogonal rows or columns; None if they are not."""
    if len(shape) != 2 or min(shape) < 2 or max(shape) > 4 * _LARGEST_ORTHOGONAL or min(shape) > _LARGEST_ORTHOGONAL:
        return None
    if values.size != shape[0] * shape[1]:
        return None
    matrix = values.reshape(shape)
    gram = matrix @ matrix.T if shape[0] <= shape[1] else matrix.T @ matrix
    gain = float(np.mean(np.diag(gram)))
    close = bool(np.abs(gram - gain * np.eye(len(gram))).max() <= 1e-4 * gain)
    return math.sqrt(gain) if close else None
