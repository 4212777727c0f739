"""An update rule that no search found, known by the other side's: two programs that are compared differ in little.

A rule that a program writes out, of which no setting is told, may clip, decay and correct at once; a search that takes
few settings at a time does not get there. What the other side does does, or does with one setting otherwise. It has to
explain the recorded steps to rounding, as any rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import free_rates, rules, search, update
from auditor.compare.identify.aside import set_aside
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Facts
from auditor.compare.identify.hypothesis import Hypothesis, Sample, at_rates, judge, rates_of, sample
from auditor.compare.identify.update import ELEMENTS, UpdateRule
from auditor.compare.profile import Profile

_KERNEL: Final = 2
#: Relative error from which on a rule is nowhere near, whatever is clipped.
_FAR: Final = 1.0


def sides(a: Profile, b: Profile) -> tuple[Profile, Profile]:
    """The two, the one whose rule is hidden with the rule that was found for it, if one was."""
    for side, other in ((a, b), (b, a)):
        if not side.rule_hidden or other.update is None or not other.update.fit.explains:
            continue
        found = rule(side.evidence, other.update.fit.hypothesis)
        if found is not None:
            known = _with(side, found)
            return (known, b) if side is a else (a, known)
    return a, b


def _with(side: Profile, found: UpdateRule) -> Profile:
    """A profile of which the rule is known."""
    facts = Facts({name: fact for name, fact in side.facts.measured.items() if name != "update.rule"},
                  dict(side.facts.declared))  # fmt: skip
    for fact in update.facts(found):
        facts.measured[fact.parameter] = fact
    return replace(side, update=found, facts=facts)


def rule(evidence: Evidence, other: Hypothesis) -> UpdateRule | None:
    """What explains the recorded steps of all that is next to a rule; None where nothing does."""
    given = sample(evidence, ELEMENTS)
    if given is None or other.rule not in rules.RULES:
        return None
    ways = (free_rates.ONE, free_rates.EACH) if given.free else ("",)
    if given.free and not free_rates.telling(given.moved, given.noise):
        return None
    kernels = frozenset(track.name for track in evidence.tracks if len(track.shape) >= _KERNEL)
    for hypothesis in _ways(replace(other, decayed=None, scales={}), kernels):
        for free in ways:
            found = _explained(hypothesis, replace(given, free=free))
            if found is not None:
                return found
    return None


def _ways(other: Hypothesis, kernels: frozenset[str]) -> Iterator[Hypothesis]:
    """The other side's rule, and with one setting otherwise; its decay of every tensor, and of the kernels alone."""
    plain = {name: value for name, value in other.settings.items() if name not in search.CLIPS}
    start = replace(other, settings=plain)
    flags = {"nesterov": other.rule == "sgd" and bool(plain.get("momentum")), "bias_correction": other.rule == "adam"}
    changes: list[dict[str, Any]] = [{}, {"weight_decay": 0.0}] if plain.get("weight_decay") else [{}]
    changes += [one for some in update.alternatives(start).values() for one in some]
    changes += [{name: not plain.get(name, name == "bias_correction")} for name, known in flags.items() if known]
    for change in changes:
        one = start.with_(**change)
        yield one
        if one.settings.get("weight_decay"):
            yield replace(one, decayed=kernels)


def _explained(hypothesis: Hypothesis, given: Sample) -> UpdateRule | None:
    """The rule where it explains the numbers, but for few steps, of which nothing is said: nobody looked for them."""
    fit = judge(hypothesis, given)
    if not fit.explains and fit.residual < _FAR:
        fit = search.clipped(fit, given)
    fit, kept, aside = set_aside([fit], given)
    if not fit.explains or aside.tensors:
        return None
    fit = search.rounded(fit, kept)
    if not given.free:
        return UpdateRule(fit, None, frozenset(), kept)
    rates = rates_of(fit.hypothesis, kept)
    known = at_rates(kept, rates)
    good = bool(np.isfinite(rates).all() and (rates > 0).any())
    return UpdateRule(judge(fit.hypothesis, known), None, frozenset(), known, free=given.free) if good else None
