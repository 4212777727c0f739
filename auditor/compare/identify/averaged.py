"""A script that adds up gradients of several batches and moves its weights itself: told as if of their mean.

Where it divides nobody sees: before its rule, in its rate, or in the loss. Of a sum at a rate, of the mean at so many
times that rate, and of either behind a rule that takes the scale of gradients out, the weights are the same. A library
says which it is (``gradient_accumulation_steps`` of Keras takes the mean, ``backward()`` the sum); a script is told in
one way, so that two of them, or one and a library, can be held against each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from auditor.compare.identify.fact import Facts
from auditor.compare.identify.rules import SCALE_FREE, UNDER
from auditor.compare.trajectories import Curve

#: Relative difference of a factor and a count that is none: what float32 leaves of a sum over a batch.
_SAME: Final = 1e-2
#: What gradients are cut to, and the curves of how long they are.
_LIMITS: Final = ("update.clip_norm", "update.clip_norm_per_variable", "update.clip_value")
_LENGTHS: Final = frozenset({"grad_norm", "grad_norm_before_clip"})


def told(facts: Facts, curves: Mapping[str, Curve]) -> tuple[Facts, Mapping[str, Curve]]:
    """Facts and curves of such a script, for the mean of a step's batches; the same where it is none of a sum.

    Rates are of the gradient: of the mean it takes so many times the rate of the sum to get as far. So are epsilon, a
    decay that is added to the gradient, what gradients are cut to, and their lengths.
    """
    count, factor = facts.value("update.batches_per_step"), facts.value("backward.factor")
    if not count or count <= 1 or not factor or not _is(factor, count):
        return facts, curves
    if _is(float(facts.value("loss.factor") or 0.0), 1 / count):
        return facts, curves  # divided in the loss
    curves = {
        name: replace(one, values=one.values / count) if name in _LENGTHS else one for name, one in curves.items()
    }
    for name in _LIMITS:
        facts = _times(facts, name, 1 / count)
    free = facts.value("update.rule") in SCALE_FREE
    facts = _times(facts, "backward.factor", 1 / count)
    if not (free and facts.value("update.decay_coupling") == "decoupled"):
        facts = _times(facts, "update.weight_decay", 1 / count)
    if free:
        under = facts.value("update.epsilon_placement") == UNDER
        for name in ("update.epsilon", "update.epsilon_at_most"):
            facts = _times(facts, name, 1 / count**2 if under else 1 / count)
        return facts, curves
    facts = _times(_times(facts, "update.learning_rate", count), "update.rates", count)
    rates = curves.get("lr")
    return facts, curves if rates is None else {**curves, "lr": replace(rates, values=rates.values * count)}


def _is(value: float, wanted: float) -> bool:
    return math.isclose(value, wanted, rel_tol=_SAME)


def _times(facts: Facts, name: str, factor: float) -> Facts:
    fact = facts.measured.get(name)
    if fact is None:
        return facts
    value: Any = fact.value
    value = {key: one * factor for key, one in value.items()} if isinstance(value, Mapping) else value * factor
    return replace(facts, measured={**facts.measured, name: replace(fact, value=value)})
