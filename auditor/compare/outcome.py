"""Whether the outcomes of two groups of runs differ, and how sure that is.

Settled without statistics: every number is the same (equivalent); one side became non-finite where the
other went on (differs). Everything else is a question of seeds (``statistics``): over the end metrics
(``endings``), with what the project's earlier runs say of the noise (``history``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.compare import endings, statistics
from auditor.compare.curves import last_finite
from auditor.compare.side import Side
from auditor.compare.statistics import ALPHA, ALPHA_EQUIVALENT, MARGIN, Ends, Prior
from auditor.compare.trajectories import Pair, pair
from auditor.model import AlertState

#: Rules that say a tensor was not finite -> the stage of a step in which it was seen.
_STAGES = {
    "nonfinite_input": "data",
    "nonfinite_loss": "loss",
    "nonfinite_gradient": "backward",
    "nonfinite_weight": "optimizer",
}
#: The order of the stages within a step.
_ORDER = ("data", "loss", "backward", "optimizer")
#: Curves that must agree at every step for two runs to be one.
_WHOLE: Final = ("loss", "grad_norm")
#: Relative distance of two sums of the same squares in another order: roundoffs of float32, some thousand tensors.
_SUMMED: Final = 1e-6
_METRICS_AT_MOST = 40
#: Seeds that tell how far seeds are apart, where one run a side says nothing of it; and that anybody would run.
_FEW_SEEDS: Final = 2
_MANY_SEEDS: Final = 20
#: Scalars whose size means nothing.
_NO_QUANTITIES: Final = frozenset({"batch_digest"})


@dataclass(slots=True)
class Outcome:
    """``word``: equivalent, differs or inconclusive; ``reasons`` in sentences.

    ``identical``: bit for bit; ``broke``: stage, step and run of the one that became non-finite alone;
    ``tests``: what was tested, by end metric.
    """

    word: str = "inconclusive"
    reasons: list[str] = field(default_factory=list)
    said: int = 0
    """Where in ``reasons`` the sentences of the tests begin."""
    identical: bool = False
    broke: dict[str, Any] | None = None
    tests: dict[str, Ends] = field(default_factory=dict)
    adjusted: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the runs.

    ``loss``: whether the training losses are of one definition; ``same``: whether nothing is known to
    differ in what they compute; ``priors``: the noise between seeds by end metric.
    """

    loss: bool = True
    same: bool = False
    priors: Mapping[str, Prior] = field(default_factory=dict)


def outcome(a: Sequence[Side], b: Sequence[Side], known: Known) -> Outcome:
    """The outcome of group ``b`` against group ``a``, one run or more each."""
    found = Outcome()
    if len(a) == len(b) == 1 and identical(a[0], b[0]):
        found.reasons.append(
            "the loss is the same number at every step of both runs, and so is the gradient norm to rounding"
        )
        found.word, found.identical = "equivalent", True
        return found
    if not _finite(a, b, found):
        return found
    _test(a, b, known, found)
    if found.word == "inconclusive" and not known.same and known.loss:
        _stuck(a, b, found)
    return found


def _finite(a: Sequence[Side], b: Sequence[Side], found: Outcome) -> bool:
    """Whether all runs stayed finite; says what follows if not."""
    broken = [[(side, at) for side in group if (at := _broke(side))] for group in (a, b)]
    if not broken[0] and not broken[1]:
        return True
    if broken[0] and broken[1]:
        said = ", ".join(_says(*group[0]) for group in broken)
        found.reasons.append(f"both became non-finite: {said}")
        return False
    mine, (group, others) = (broken[0], (a, b)) if broken[0] else (broken[1], (b, a))
    side, at = mine[0]
    if len(mine) < len(group):
        found.reasons.append(f"{_says(side, at)}, but not every run of its side did")
        return False
    shortest = min(others, key=lambda one: one.last_step or 0)
    if (shortest.last_step or 0) < at[0]:
        found.reasons.append(f"{_says(side, at)}; {shortest.run} ended before that step")
        return False
    found.reasons.append(f"{_says(side, at)}; {shortest.run} stayed finite to step {shortest.last_step}")
    found.word, found.broke = "differs", {"stage": at[1], "step": at[0], "run": side.run}
    return False


def _test(a: Sequence[Side], b: Sequence[Side], known: Known, found: Outcome) -> None:
    sides = [*a, *b]
    names = endings.metrics([side.curves for side in sides], loss=known.loss)
    until = endings.common_end([side.last_step for side in sides])
    if until is not None:
        found.reasons.append(f"the runs are of different length: compared at step {until}")
    for name in names:
        values = [[_end(side, name, until) for side in group] for group in (a, b)]
        if tested := _tested(values, known.priors.get(name)):
            found.tests[name] = tested
    found.adjusted = statistics.holm({name: test.p for name, test in found.tests.items()})
    found.said = len(found.reasons)
    if not found.tests:
        found.reasons.append(_NOTHING if known.loss else _OTHER_LOSS)
        return
    apart = min(found.adjusted, key=lambda name: found.adjusted[name])
    if all(test.equivalent for test in found.tests.values()):
        found.word = "equivalent"
    elif found.adjusted[apart] <= ALPHA and not found.tests[apart].equivalent:
        found.word = "differs"
    found.reasons += _told(found, apart)


_NOTHING: Final = "no end metric that both sides have and that is finite: nothing to test"
#: What scikit-learn works out by its own loss, which its manifest tells the factor of.
_HELD_OUT: Final = "val_loss"
_OTHER_LOSS: Final = (
    "the training losses are not of one definition, and no val_ metric is known to both sides: whether the outcomes"
    " differ takes an evaluation on both"
)


def _end(side: Side, name: str, until: int | None) -> float | None:
    """The end of a metric; a validation loss that is told as a part of its mean (scikit-learn halves squares) whole."""
    end = endings.ending(side.curves[name], name, until)
    declared = (side.manifest or {}).get("loss")
    factor = declared.get("factor") if name == _HELD_OUT and isinstance(declared, Mapping) else None
    return end / factor if end is not None and isinstance(factor, float) and factor > 0 else end


def _tested(values: Sequence[Sequence[float | None]], prior: Prior | None) -> Ends | None:
    """The test of one metric; None where an end is missing. Runs of one side that are one number are one run."""
    if any(value is None for group in values for value in group):
        return None
    groups = [list(dict.fromkeys(float(value) for value in group if value is not None)) for group in values]
    scale = endings.Scale.of([*groups[0], *groups[1]])
    logs = [[scale.of_run(value) or 0.0 for value in group] for group in groups]
    return statistics.ends(logs[0], logs[1], prior if scale.unit is None else None)


def _told(found: Outcome, apart: str) -> list[str]:
    """The verdict of the tests in sentences, with what would settle it."""
    test = found.tests[apart]
    counts = f"{test.counts[0]} against {test.counts[1]} runs"
    noise = f", noise between seeds from {test.prior.runs} earlier runs" if test.prior.runs else ""
    if found.word == "equivalent":
        widest = max(found.tests.values(), key=lambda one: one.within)
        return [f"{', '.join(found.tests)}: within {widest.within:.1%} of each other (95 %), {counts}{noise}"]
    seen = f"{apart}: b is {test.ratio:.3g} times a, p = {found.adjusted[apart]:.2g}, {counts}{noise}"
    if found.word == "differs":
        return [seen]
    if not _spread_known(test):
        return [_one_each(apart, test)]
    smallest = f"runs like these show a factor of {test.smallest():.3g} or more in 4 of 5 cases"
    return [seen, f"inconclusive: {smallest}; {_advice(test)}"]


def _one_each(apart: str, test: Ends) -> str:
    """One run a side: how far apart the ends are, and the few seeds that tell what that means."""
    near = abs(test.difference) <= math.log1p(MARGIN)
    ends = f"within {MARGIN:.0%} of each other" if near else f"apart: b is {test.ratio:.3g} times a"
    more = min(_FEW_SEEDS, test.more_seeds() or _FEW_SEEDS)
    tells = "which show how far seeds alone put them apart"
    return f"{apart} ends {ends}, of one run a side: run {_seeds(more)} a side and compare groups (--group), {tells}"


def _advice(test: Ends) -> str:
    """How many seeds would settle it, as far as anybody would run them."""
    more = test.more_seeds()
    if more is not None and more <= _MANY_SEEDS:
        return f"run {_seeds(more)} a side"
    number = f"more than {statistics.MOST_SEEDS}" if more is None else f"about {more}"
    return f"it would take {number} more seeds a side to tell: what the first steps compute says more than the ends can"


def _seeds(number: int) -> str:
    return f"{number} more seed{'s' if number > 1 else ''}"


def _spread_known(test: Ends) -> bool:
    """Whether anything but a belief says how far seeds are apart."""
    return test.prior.runs > 0 or sum(test.counts) > len(test.counts)


def _stuck(a: Sequence[Side], b: Sequence[Side], found: Outcome) -> None:
    """One side learnt and the other did not: further apart than seeds of a program that works."""
    if not all("loss" in side.curves for side in (*a, *b)):
        return
    told = {endings.stuck(left.curves["loss"], right.curves["loss"]) for left in a for right in b}
    if len(told) == 1 and (which := told.pop()):
        found.word = "differs"
        found.reasons[found.said :] = []  # what the ends alone left open is settled
        found.reasons.append(f"the loss of {which} stays where it began, that of the other fell below a tenth")


def _says(side: Side, broke: tuple[int, str]) -> str:
    return f"{side.run} became non-finite at step {broke[0]} ({broke[1]})"


def _broke(side: Side) -> tuple[int, str] | None:
    """The first (step, stage) at which the run was seen non-finite, or None if it never was or recovered.

    Of one step the earliest stage counts. A job that logs a ``grad_norm`` of its own may leave non-finite
    elements out: the count of them (``nonfinite``) is asked beside it.
    """
    if not _stayed_broken(side):
        return None
    seen = [(alert.first_step, _STAGES[alert.rule]) for alert in side.alerts if alert.rule in _STAGES]
    for name, stage in (("loss", "loss"), ("grad_norm", "backward")):
        if name in side.curves and (step := side.curves[name].first_nonfinite) is not None:
            seen.append((step, stage))
    if "nonfinite" in side.curves:
        counted = side.curves["nonfinite"]
        seen += [(int(step), "backward") for step in counted.steps[counted.values > 0][:1]]
    return min(seen, key=lambda at: (at[0], _ORDER.index(at[1])), default=None)


def _stayed_broken(side: Side) -> bool:
    """Whether a non-finite alert still fires or the last loss is not finite: one bad batch is no divergence."""
    loss = side.curves.get("loss")
    ended = loss is not None and len(loss.values) > 0 and not np.isfinite(loss.values[-1])
    return ended or any(alert.rule in _STAGES and alert.state is AlertState.FIRING for alert in side.alerts)


def identical(a: Side, b: Side) -> bool:
    """Whether both runs have the same loss, and evaluations where known, at the same steps.

    And the gradient norm, but for the order in which its tensors are added up: a program names them in its own.
    """
    if "loss" not in a.curves or "loss" not in b.curves:
        return False
    evaluated = {name for side in (a, b) for name in side.curves if name.startswith("val_")}
    for name in (*_WHOLE, *sorted(evaluated)):
        if (name in a.curves) != (name in b.curves):
            return False
        if name in a.curves:
            both = pair(a.curves[name], b.curves[name])
            same = both.identical or (name == "grad_norm" and _one_sum(both))
            if not same or len(both.steps) != max(len(a.curves[name].steps), len(b.curves[name].steps)):
                return False
    return True


def _one_sum(both: Pair) -> bool:
    return len(both.steps) > 0 and bool(np.allclose(both.a, both.b, _SUMMED, 0.0, equal_nan=True))


def metrics_json(a: Sequence[Side], b: Sequence[Side], found: Outcome) -> dict[str, Any]:
    """The end of each scalar that all runs have, the tested ones first and with what the tests say.

    ``a`` and ``b`` are last finite values, over several runs a side their means (geometric where tested).
    """
    shared = set.intersection(*(set(side.curves) for side in (*a, *b))) - _NO_QUANTITIES
    out: dict[str, Any] = {}
    for name in [*found.tests, *sorted(shared - set(found.tests))][:_METRICS_AT_MOST]:
        left, right = (_mean([last_finite(side.curves, name) for side in group]) for group in (a, b))
        ratio = right / left if left and right is not None else None
        out[name] = {"a": left, "b": right, "ratio": ratio, "p_value": None, "equivalent_within": None}
        if name in found.tests and _spread_known(found.tests[name]):
            out[name] |= _test_json(found.tests[name], found.adjusted[name])
    return out


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _test_json(test: Ends, adjusted: float) -> dict[str, Any]:
    return {
        "p_value": test.p,
        "p_adjusted": adjusted,
        "equivalent_within": test.within if test.equivalent else None,
        "margin": MARGIN,
        "alpha": ALPHA,
        "alpha_equivalent": ALPHA_EQUIVALENT,
        "runs": list(test.counts),
        "runs_of_history": test.prior.runs,
        "end_ratio": test.ratio,
        "smallest_effect": test.smallest(),
        "more_seeds": test.more_seeds(),
    }
