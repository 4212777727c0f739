"""Which update rule moved these weights: family, numbers, epsilon's placement, decay and its coupling."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import clipping, free_rates, rules, search
from auditor.compare.identify.aside import NOTHING, Aside, gathered, set_aside
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.hypothesis import (
    Fit,
    Hypothesis,
    Sample,
    at_rates,
    judge,
    movement,
    rates_of,
    sample,
)

#: Elements and steps that the competition looks at; the finalists see more.
_HEAT: Final = (240, 8)
ELEMENTS: Final = 900
#: Frameworks whose embeddings have sparse gradients, of which a rule may square the parts (OPT-29).
_SPARSE: Final = frozenset({"keras", "tensorflow"})
#: Families that go to the final.
_FINALISTS: Final = 3
#: Settings whose absence means this.
_MEANING: Final[dict[str, Any]] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "amsgrad": False,
    "bias_correction": True,
    "centered": False,
    "weight_decay": 0.0,
    "momentum_decay": 1.0,
    "initial_accumulator": 0.0,
}
_OF_RULE: Final[dict[str, tuple[str, ...]]] = {
    "sgd": ("momentum", "dampening", "nesterov"),
    "adam": ("beta_1", "beta_2", "amsgrad", "bias_correction"),
    "nadam": ("beta_1", "beta_2", "momentum_decay"),
    "radam": ("beta_1", "beta_2"),
    "adamax": ("beta_1", "beta_2"),
    "rmsprop": ("decay", "momentum", "centered"),
    "adagrad": ("initial_accumulator",),
    "adadelta": ("decay",),
    "lion": ("beta_1", "beta_2"),
}


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """The outcome: the best fit, its best rival of another family, and what the numbers leave open.

    ``open``: settings of which several values explain the numbers equally well, such as an epsilon far
    below every gradient. ``aside``: what the rule does not explain although it explains the rest.
    """

    fit: Fit
    rival: Fit | None
    open: frozenset[str]
    sample: Sample
    aside: Aside = NOTHING
    free: str = ""
    """How the learning rates were found where none were recorded (``free_rates``)."""

    @property
    def margin(self) -> float | None:
        """How many times larger the rival's residual is."""
        return None if self.rival is None else self.rival.residual / max(self.fit.residual, 1e-12)


def identify(
    evidence: Evidence, declared: Hypothesis | None = None, constrained: Collection[str] = ()
) -> UpdateRule | None:
    """The rule that explains the recorded steps best; None if nothing moved or nothing was recorded.

    Args:
        evidence: of one run.
        declared: what the program says; one hypothesis more, and the reading of what the numbers leave open.
        constrained: tensors that something else moves after the rule, as the program says.
    """
    final = sample(evidence, ELEMENTS)
    if final is None:
        return None
    sparse = gathered(final) if evidence.framework in _SPARSE else []
    cut = [any(one == name or one.endswith(f"/{name}") for one in constrained) for name in final.names]
    if any(cut) and not final.free and (rest := _of_all(final, declared, cut)).fit.explains:
        return rest
    if final.free:
        found = _at_free_rates(final, declared, sparse)
        if found is not None:
            return found
        final = replace(final, free="")  # each tensor at a rate of its own, the same at all steps
    return _of_all(final, declared, sparse)


def _at_free_rates(final: Sample, declared: Hypothesis | None, sparse: Sequence[bool]) -> UpdateRule | None:
    """The rule where no rates were recorded, with those that were found; None where it cannot be known.

    What explains nothing at a rate of its own for each step explains nothing at one rate. What does is held against
    one rate of all steps, where no rule can hide behind it.
    """
    if not free_rates.telling(final.moved, final.noise):
        return None
    found = _of_all(replace(final, free=free_rates.EACH), declared, sparse)
    if not found.fit.explains or found.aside.steps:
        return None
    steady = _of_all(replace(final, free=free_rates.ONE), declared, sparse)
    if steady.fit.explains and not steady.aside.steps:
        found = steady
    elif _rivalled(found):
        return None
    rates = rates_of(found.fit.hypothesis, found.sample)
    if not (rates > 0).any():
        return None
    known = at_rates(found.sample, rates)
    return replace(found, fit=judge(found.fit.hypothesis, known), sample=known, free=found.sample.free)


def _rivalled(found: UpdateRule) -> bool:
    """Whether another rule explains the numbers as well, at rates that run as straight."""
    if found.rival is None:
        return False
    rival, given = judge(found.rival.hypothesis, found.sample), found.sample
    rough, own = (free_rates.roughness(rates_of(one.hypothesis, given)) for one in (rival, found.fit))
    return rival.explains and search.as_good(rival, found.fit) and not free_rates.rougher(rough, own)


def _of_all(final: Sample, declared: Hypothesis | None, sparse: Sequence[bool]) -> UpdateRule:
    """The rule of the weights; of tables of which each batch takes other rows only where it moves the others.

    So of tensors with a constraint, which the rule does not explain on its own.
    """
    if not any(sparse) or all(sparse) or _plain(final, declared):
        return _of(final, declared)
    rest = _of(final.only([not one for one in sparse]), declared)
    apart = [one and not judge(rest.fit.hypothesis, _alone(final, name)).explains
             for name, one in zip(final.names, sparse, strict=True)]  # fmt: skip
    if not rest.fit.explains or not any(apart):
        return _of(final, declared)
    others = final.without(np.zeros(len(final.weight), np.bool_), np.array(apart))
    names = tuple(name for name, one in zip(final.names, apart, strict=True) if one)
    aside = replace(rest.aside, tensors=(*rest.aside.tensors, *names))
    return replace(rest, fit=judge(rest.fit.hypothesis, others), sample=others, aside=aside)


def _plain(final: Sample, declared: Hypothesis | None) -> bool:
    """Whether what the program declares moves every tensor: units that rest at some steps look like rows of a table.

    What is left without them may be a single bias, which any decay of its own explains as well.
    """
    return declared is not None and declared.rule in rules.RULES and judge(declared, final).explains


def _alone(given: Sample, name: str) -> Sample:
    return given.only([one == name for one in given.names])


def _of(final: Sample, declared: Hypothesis | None) -> UpdateRule:
    """The rule of one sample."""
    heat = final.thin(*_HEAT)
    groups = search.families(free=bool(final.free))
    if declared is not None and declared.rule in rules.RULES:
        groups.setdefault(declared.rule, []).insert(0, declared)
    fits = sorted((search.best(group, heat) for group in groups.values()), key=lambda fit: fit.score)
    finalists = _finalists(fits[:_FINALISTS], heat)
    if not any(fit.explains for fit in finalists):
        finalists += [_tuned(judge(one, heat), heat) for one in _usual()]
    ranked = sorted((judge(fit.hypothesis, final) for fit in finalists), key=lambda fit: fit.score)
    won = _simplest(ranked, list(groups), final)
    if not won.explains and not (final.free and not any(fit.explains for fit in finalists)):
        starts = [won, *(judge(one, final) for one in _usual())]
        won = min((_tuned(start, final) for start in starts), key=lambda fit: fit.score)
    won, final, aside = set_aside([*ranked, won], final)
    if aside.tensors or aside.steps:  # without what hid it a plainer rule may explain the rest as well
        plain = [*([declared] if declared is not None and declared.rule in rules.RULES else []), *_usual()]
        again = [judge(one, final) for one in (*plain, *(fit.hypothesis for fit in ranked))]
        won = _simplest(sorted([won, *again], key=lambda fit: fit.score), list(groups), final)
    won = search.rounded(_plainer(won, final), final)
    others = (fit for fit in (*ranked, *fits) if fit.hypothesis.rule != won.hypothesis.rule)
    rival = min(others, key=lambda fit: fit.residual, default=None)
    won, unknown = _unknown(won, final, declared)
    return UpdateRule(won, rival, unknown, final, aside)


def _finalists(fits: Sequence[Fit], heat: Sample) -> list[Fit]:
    """The best families, each searched in turn until one of them explains the numbers."""
    found = list(fits)
    for place, fit in enumerate(fits):
        if any(one.explains for one in found):
            break
        found[place] = _tuned(fit, heat)
    return found


def _usual() -> list[Hypothesis]:
    """Where the search begins again if the first impression led nowhere: clipping may hide any rule."""
    adam = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "epsilon_placement": rules.AFTER}
    return [
        *(Hypothesis("adam", adam), Hypothesis("sgd", {"momentum": 0.0}), Hypothesis("sgd", {"momentum": 0.9})),
        Hypothesis("rmsprop", {"decay": 0.9}),
    ]


def _simplest(ranked: list[Fit], order: list[str], given: Sample) -> Fit:
    """Of those that explain the numbers equally well, the rule that stands first; at free rates, the straightest."""
    equal = [fit for fit in ranked if fit.explains and search.as_good(fit, ranked[0])]
    if given.free == free_rates.EACH and equal:
        equal += [judge(search.uncorrected(fit.hypothesis), given) for fit in equal if fit.hypothesis.rule == "adam"]
        rough = [free_rates.roughness(rates_of(fit.hypothesis, given)) for fit in equal]
        equal = [fit for fit, one in zip(equal, rough, strict=True)
                 if fit.explains and not free_rates.rougher(one, min(rough))]  # fmt: skip
    return min(equal, key=lambda fit: (order.index(fit.hypothesis.rule), _unusual(fit.hypothesis)), default=ranked[0])


def _plainer(won: Fit, given: Sample) -> Fit:
    """SGD, where a rule that knows a scale has it hidden by its epsilon and moves the weights no otherwise."""
    settings = won.hypothesis.settings
    if not given.free or won.hypothesis.rule not in search.PLACEMENTS:
        return won
    cut: dict[str, Any] = {name: settings[name] for name in search.CLIPS if name in settings}
    momentum = settings.get("beta_1", settings.get("momentum", 0.0))
    trial = judge(Hypothesis("sgd", {"momentum": momentum, **cut}), given)
    return trial if trial.explains and search.as_good(trial, won) else won


def _unusual(hypothesis: Hypothesis) -> bool:
    """Whether a rule leaves out what all who know it have: of two readings as good it is the other."""
    return not hypothesis.settings.get("bias_correction", True)


def _tuned(fit: Fit, given: Sample) -> Fit:
    """The best that a search from here finds: at the recorded learning rate, else at one of its own for each tensor."""
    found = search.tune(fit, given)
    if found.explains or given.free:
        return found
    scaled = _scaled(fit, given)
    return found if scaled is fit else min(found, search.tune(scaled, given), key=lambda one: one.score)


def _scaled(fit: Fit, given: Sample) -> Fit:
    """With each tensor's learning rate as the numbers say, where the recorded one does not explain them."""
    if fit.explains:
        return fit
    guess = np.nan_to_num(movement(fit.hypothesis, given))
    squares = given.mean(guess * guess)
    parts = given.mean(guess * given.moved) / np.maximum(squares, 1e-300)
    scales = {
        name: float(part) for name, part in zip(given.names, parts, strict=True) if np.isfinite(part) and part > 0
    }
    trial = judge(replace(fit.hypothesis, scales=scales), given)
    # A scale that explains little hides what does: decay, clipping.
    return trial if trial.explains or trial.chi < 0.05 * fit.chi else fit


def _unknown(won: Fit, given: Sample, declared: Hypothesis | None) -> tuple[Fit, frozenset[str]]:
    """What could as well be otherwise; of equals the declared reading is taken."""
    unknown = set()
    choices = alternatives(won.hypothesis)
    if given.free:
        choices = _at_other_limits(won.hypothesis, choices)
    for name, others in choices.items():
        trials = [judge(won.hypothesis.with_(**other), given) for other in others]
        if any(search.as_good(trial, won) for trial in trials):
            unknown.add(name)
    if declared is not None and declared.rule == won.hypothesis.rule and unknown:
        said = {name: declared.settings[name] for name in unknown if name in declared.settings}
        trial = judge(won.hypothesis.with_(**said), given)
        if said and search.as_good(trial, won):
            won = trial
    return won, frozenset(unknown)


def alternatives(hypothesis: Hypothesis) -> dict[str, list[dict[str, Any]]]:
    """Other values of its settings, one at a time, that might explain the numbers as well."""
    settings = hypothesis.settings
    found: dict[str, list[dict[str, Any]]] = {}
    if (eps := settings.get("epsilon", 1e-12)) is not None and hypothesis.rule in search.PLACEMENTS:
        found["epsilon"] = [{"epsilon": eps / 10}, {"epsilon": max(eps, 1e-13) * 10}]
        here = settings.get("epsilon_placement")
        found["epsilon_placement"] = [{"epsilon_placement": p} for p in search.PLACEMENTS[hypothesis.rule] if p != here]
    if settings.get("weight_decay"):
        other = {"coupled": "decoupled", "decoupled": "coupled"}[settings["decay_coupling"]]
        found["decay_coupling"] = [{"decay_coupling": other}]
    if settings.get("momentum"):
        outside = settings.get("momentum_buffer") != "rate inside"
        found["momentum_buffer"] = [{"momentum_buffer": "rate inside" if outside else "rate outside"}]
    for name in search.CLIPS:
        if name in settings:
            found[name] = [{name: settings[name] * factor} for factor in (0.5, 2.0)]
    for name in ("beta_1", "beta_2", "decay"):
        if name in settings:
            found[name] = [{name: min(0.9999, 1 - (1 - settings[name]) * 0.7)}, {name: 1 - (1 - settings[name]) * 1.4}]
    return found


def _at_other_limits(
    hypothesis: Hypothesis, choices: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """The choices, and beside them other limits of clipping with the epsilon that goes with each.

    Gradients that are all cut to one length have it in no step of a rule that knows no scale, but for epsilon.
    """
    names = [name for name in search.CLIPS if name in hypothesis.settings]
    both = [at_limit(hypothesis, name, factor * hypothesis.settings[name]).settings
            for name in names for factor in (0.5, 2.0)]  # fmt: skip
    return {name: others + (both if name in {"epsilon", *names} else []) for name, others in choices.items()}


def at_limit(hypothesis: Hypothesis, name: str, limit: float) -> Hypothesis:
    """A rule that clips at another limit, with an epsilon as large against the gradients as before."""
    factor = limit / hypothesis.settings[name]
    epsilon = hypothesis.settings.get("epsilon")
    return hypothesis.with_(**{name: limit}, **({} if epsilon is None else {"epsilon": epsilon * factor}))


def facts(found: UpdateRule) -> list[Fact]:
    """The rule as facts ``update.*``."""
    fit, settings = found.fit, found.fit.hypothesis.settings
    how: dict[str, Any] = {"residual": fit.residual, "margin": found.margin}
    if not fit.explains:
        note = "no rule known here explains the recorded steps; this one comes closest"
        return [Fact("update.rule", fit.hypothesis.rule, confidence=0.3, note=note, **how)]
    told: dict[str, Any] = {"rule": fit.hypothesis.rule}
    told["learning_rate"] = float(found.sample.rates[0])
    if fit.hypothesis.scales:
        told["rates"] = {name: part * told["learning_rate"] for name, part in fit.hypothesis.scales.items()}
    for name in _OF_RULE[fit.hypothesis.rule]:
        told[name] = settings.get(name, _MEANING.get(name))
    for name in ("epsilon", "epsilon_placement", "momentum_buffer"):
        if name in settings:
            told[name] = settings[name]
    decayed = fit.hypothesis.decayed
    # Of tensors alone that the rule does not explain nobody knows that they decay.
    known = decayed is None or not set(decayed) <= set(found.aside.tensors)
    told["weight_decay"] = settings.get("weight_decay", 0.0) if known else 0.0
    if told["weight_decay"]:
        told["decay_coupling"] = settings["decay_coupling"]
        told["decayed"] = "every tensor" if decayed is None else sorted(decayed)
    told |= {name: settings[name] for name in search.CLIPS if name in settings}
    if not any(name in told for name in search.CLIPS):
        told |= clipping.marks(found.sample.gradient, found.sample.norms)
    told |= found.aside.facts()
    kind = next((name for name in search.CLIPS if name in settings and name in found.open), None)
    if found.free and kind is not None:  # cut at every step, at a rate that stands nowhere: the two are one number
        told["clip_step"] = {kind: settings[kind] * told.pop("learning_rate")}
    if "epsilon" in found.open and not found.open.intersection(search.CLIPS):
        told["epsilon_at_most"] = _ceiling(found)
    return [Fact(f"update.{name}", value, **how) for name, value in told.items() if name not in found.open]


def _ceiling(found: UpdateRule) -> float:
    """The largest epsilon, in powers of ten, that explains the numbers as well."""
    tried = (10.0**power for power in range(-1, -13, -1))
    trials = ((value, judge(found.fit.hypothesis.with_(epsilon=value), found.sample)) for value in tried)
    return next((value for value, trial in trials if search.as_good(trial, found.fit)), 1e-12)
