"""Which penalty on weights entered the loss: from its value beyond the data's, and its sum of squares."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify import loss_parts
from auditor.compare.identify.evidence import Evidence, roundoff
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss import LossFit
from auditor.compare.identify.loss_fits import choices
from auditor.compare.identify.penalty_graph import elastic, spelt
from auditor.ingest.records import StepRecording

#: Spread of the coefficient, l2, l1, which tensors.
_Choice = tuple[float, float, float, str | list[str]]
#: Frameworks whose losses are a program's own lines.
_LOOPS: Final = frozenset({"torch", "tensorflow"})
#: How near to a short number is one: float32.
_EXACT: Final = 1e-6
_SQUARED: Final = 2
#: There is a penalty in the loss, and nobody knows what it is.
UNEXPLAINED: Final = "penalty.unexplained"
#: How a loss is known to have none whose values no loss explains.
OF_GRAPH: Final = "no term of weights in the graph of the loss"
#: What has the samples of a batch for its first axis.
_BATCHED: Final = ("batch", "output", "target")
#: Relative spread of the coefficient over steps up to which a penalty explains what is left of the loss: rounding of
#: a told penalty, or that of the loss from which it was taken, by units of roundoff. Weights move little in a few
#: steps, so a penalty of other tensors is off by parts of a thousand only.
_STEADY: Final = 2e-5
_UNITS: Final = 64.0
#: Units of roundoff up to which several choices of tensors explain a penalty equally well: in a few steps the weights
#: hardly move, and kernels of all layers may seem as steady as those of some.
_NOISE: Final = 8.0
#: What is left of the loss must be so many times larger than rounding leaves.
_SEEN: Final = 20.0


def facts(evidence: Evidence, fits: Sequence[LossFit], kinds: Mapping[str, str]) -> list[Fact]:
    """``penalty.l2`` (coefficient of the sum of squares), ``penalty.l1``, ``penalty.tensors``.

    Of steps whose batches are as large as most are: scikit-learn's alpha is divided by the samples of each. Or
    ``penalty.unexplained``: there is one, and no choice of tensors explains it.

    Args:
        evidence: of one run.
        fits: what explains the data's loss (``loss.identify``).
        kinds: what each weight is, by name (``initial.kind_of``).
    """
    steps = _of_one_size([one for one in evidence.steps if _whole(one)])
    parts = [(value, one) for one in steps if (value := _part(one, fits)) is not None]
    if not parts:
        return _of_graph(evidence)
    values = np.array([value for value, _ in parts])
    totals = np.array([abs(float(one.scalars["loss"])) for _, one in parts])
    unit = max(roundoff(parts[0][1], "weight"), 2.0**-53)
    if np.abs(values).max() <= _SEEN * unit * totals.max():
        return [Fact("penalty.l2", 0.0), Fact("penalty.l1", 0.0)]
    found = sorted(_hypotheses(values, [one for _, one in parts], kinds), key=lambda one: one[0])
    taken = unit * float(np.max(totals / np.maximum(np.abs(values), 1e-300)))  # rounding of what it was taken from
    told_apart = any(_told(one) is not None for one in steps) and not _taken_off(values, totals, unit)
    said = _said(values, [one for _, one in parts], kinds, max(_STEADY, _UNITS * taken))
    spread, l2, l1, tensors = said or _shortest(found, _NOISE * (unit if told_apart else taken))
    if spread > max(_STEADY, _UNITS * taken):
        return [Fact(UNEXPLAINED, value=True)]
    told = {"penalty.l2": l2, "penalty.l1": l1, "penalty.tensors": tensors}
    return [Fact(name, value, residual=spread) for name, value in told.items()]


def _of_graph(evidence: Evidence) -> list[Fact]:
    """No penalty where a loop's loss was told whole, down to the model's outputs, and no term of it is of weights.

    Whatever its values are: no loss needs to explain them. Of Keras's ``fit`` the penalty is no part of the graph.
    """
    told = evidence.first.facts.get("loss") if evidence.first is not None else None
    graph = told.get("graph") if isinstance(told, Mapping) else None
    nodes = [node for node in graph or () if isinstance(node, Mapping)]
    named = [one for node in nodes for one in node.get("inputs") or () if isinstance(one, str)]
    if evidence.framework not in _LOOPS or not named or not all(one.startswith("output") for one in named):
        return []
    if not loss_parts.facts(evidence):
        return []
    return [Fact(name, 0.0, note=OF_GRAPH) for name in ("penalty.l2", "penalty.l1")]


def _said(values: Any, steps: Sequence[StepRecording], kinds: Mapping[str, str], within: float) -> _Choice | None:
    """What the loss's graph spells out, where the penalty's values follow from it."""
    both = elastic(steps)
    for way in [(one,) for one in spelt(steps)] if both is None else [both]:
        wholes = (one.strength * np.array([sum(_sum(step, name, one.power) for name in one.tensors) for step in steps])
                  for one in way)  # fmt: skip
        off = float(np.max(np.abs(sum(wholes) - values) / np.maximum(np.abs(values), 1e-300)))
        if off <= within:
            l2, l1 = (sum(one.strength for one in way if one.power == power) for power in (_SQUARED, 1))
            return off, l2, l1, _called(way[0].tensors, list(steps[0].of("weight")), kinds)
    return None


def _called(tensors: Sequence[str], names: Sequence[str], kinds: Mapping[str, str]) -> str | list[str]:
    """These tensors as the other choices are told: ``kernels``, ``every tensor``, or their names."""
    told = (told for told, chosen in _choices(names, kinds) if set(chosen) == set(tensors))
    return next(told, list(tensors))


def _taken_off(values: Any, totals: Any, unit: float) -> bool:
    """Whether a told penalty is what the data's loss leaves of the whole: no finer than the whole's last digit."""
    last = 2 * unit * 2.0 ** np.floor(np.log2(np.maximum(totals, 1e-300)))
    return bool(np.all(np.mod(values, last / 2) == 0))


def _shortest(found: Sequence[_Choice], noise: float) -> _Choice:
    """The choice that spreads least; of those that none can tell from it the one whose strength a program would say.

    One digit, of the sum of squares or of half of it; ``found`` in the order of their spread.
    """
    equal = [one for one in found if one[0] <= max(noise, found[0][0])]
    return next((one for one in equal if _is_short(one[1] or one[2], noise)), found[0])


def _is_short(strength: float, noise: float) -> bool:
    return any(abs(one / float(f"{one:.0e}") - 1) <= max(noise, _EXACT) for one in (strength, 2 * strength) if one > 0)


def _of_one_size(steps: Sequence[StepRecording]) -> list[StepRecording]:
    rows = [_rows(one) for one in steps]
    most = Counter(rows).most_common(1)
    return [one for one, many in zip(steps, rows, strict=True) if many == most[0][0]]


def _rows(one: StepRecording) -> int | None:
    """The samples of a step's batch; None where nothing of it was recorded."""
    extents = (array.shape[0] for role in _BATCHED for array in one.of(role).values() if array.shape)
    return next(extents, None)


def _whole(one: StepRecording) -> bool:
    weights = one.of("weight").values()
    return bool(weights) and all(not array.sampled and array.values is not None for array in weights)


def _part(one: StepRecording, fits: Sequence[LossFit]) -> float | None:
    """The loss beyond the data's: as the framework tells it, or beyond what the pointwise loss explains."""
    if (told := _told(one)) is not None:
        return told
    total = one.scalars.get("loss")
    if total is None or not fits or not fits[0].explains:
        return None
    # Of later steps, whose loss was not looked at, nothing is known where the others hold a penalty.
    return fits[0].beyond.get(one.step) if fits[0].beyond else 0.0


def _told(one: StepRecording) -> float | None:
    """The penalty as the framework tells it."""
    told = (float(one.scalars.get(name, math.nan)) for name in ("loss/penalty", "regularization_loss"))
    return next((value for value in told if math.isfinite(value)), None)


def _hypotheses(values: Any, steps: Sequence[StepRecording], kinds: Mapping[str, str]) -> list[_Choice]:
    """What each choice of tensors makes of the penalty."""
    found: list[_Choice] = []
    names = list(steps[0].of("weight"))
    squares, lengths = (
        {name: np.array([_sum(one, name, power) for one in steps]) for name in names} for power in (2, 1)
    )
    for told, chosen in _choices(names, kinds):
        square, length = (sum(each[name] for name in chosen) for each in (squares, lengths))
        if np.min(square) > 0:
            found.append((_spread(values / square), float(np.median(values / square)), 0.0, told))
            found.append((1.5 * _spread(values / length), 0.0, float(np.median(values / length)), told))
    return found or [(np.inf, 0.0, 0.0, "")]


def _choices(names: Sequence[str], kinds: Mapping[str, str]) -> Iterator[tuple[str | list[str], Collection[str]]]:
    """Which tensors may be penalised: kernels, all, one, those of one kind, some kernels."""
    row = [name for name in names if not kinds.get(name, "").endswith("bias")]
    yield "kernels", row
    yield "every tensor", names
    for kind in sorted(set(kinds.values())):
        chosen = [name for name in row if kinds.get(name) == kind]
        if chosen and len(chosen) < len(row):
            yield chosen, chosen
    for places in choices(len(row)):
        yield [row[place] for place in places], [row[place] for place in places]
    for name in names:
        yield [name], [name]


def _sum(one: StepRecording, name: str, power: int) -> float:
    array = one.of("weight").get(name)
    return 0.0 if array is None else float(np.sum(np.abs(np.asarray(array.values, np.float64)) ** power))


def _spread(ratios: Any) -> float:
    middle = abs(float(np.median(ratios)))
    return float(np.ptp(ratios) / middle) if middle else np.inf
