"""The search for the update rule: hypotheses of every family compete, the best are refined, the winner is rounded."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import rules
from auditor.compare.identify.hypothesis import Fit, Hypothesis, Sample, errors, fit_of, judge, scores

_BETA_1: Final = (0.9, 0.0, 0.5, 0.8, 0.95, 0.99)
_BETA_2: Final = (0.999, 0.99, 0.95, 0.9, 0.98, 0.9999)
_RHO: Final = (0.9, 0.99, 0.95, 0.999, 0.5)
_MOMENTUM: Final = (0.0, 0.9, 0.5, 0.8, 0.95, 0.99)
_EPSILON: Final = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
#: Settings that make a rule another one in most steps.
_VARIANTS: Final = frozenset({"amsgrad", "centered", "momentum"})
_COARSE: Final = (1e-8, 1e-7, 1e-5, 1e-3)
_DECAY: Final = tuple(float(x) for x in np.logspace(-6, 0, 13))
CLIPS: Final = ("clip_norm_per_variable", "clip_norm", "clip_value")
#: Where epsilon may stand, by rule.
PLACEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "adam": (rules.AFTER, rules.BEFORE),
    "nadam": (rules.AFTER,),
    "adamax": (rules.WITHIN, rules.BESIDE),
    "radam": (rules.OUTSIDE,),
    "rmsprop": (rules.OUTSIDE, rules.UNDER),
    "adagrad": (rules.OUTSIDE, rules.UNDER),
    "adadelta": (rules.UNDER,),
}
#: Settings that are searched between 0 and 1 by what they lack to one.
_RATIOS: Final = frozenset({"beta_1", "beta_2", "decay", "momentum", "dampening"})
#: A residual at the best of free rates from which no number of a rule, however unusual, leads to what was recorded.
_FAR: Final = 0.3
#: A rival this close is as good.
TIE: Final = 1.1


def families(*, free: bool = False) -> dict[str, list[Hypothesis]]:
    """Hypotheses to begin with, by family: common settings of every rule, epsilon too small to see.

    ``free``: no rates were recorded, as of what a program writes out itself, which may leave out a part.
    """
    found = {
        "sgd": [
            *_each("sgd", momentum=_MOMENTUM, nesterov=(False, True), momentum_buffer=("rate outside", "rate inside")),
            *_each("sgd", momentum=(0.9,), dampening=(0.9, 0.5, 0.1), momentum_buffer=("rate outside",)),
        ],
        "adam": list(_each("adam", beta_1=_BETA_1, beta_2=_BETA_2, epsilon=(1e-12,), epsilon_placement=(rules.AFTER,))),
        "nadam": list(_each("nadam", beta_1=_BETA_1[:1], beta_2=_BETA_2[:2], momentum_decay=(1.0, 0.004))),
        "adamax": list(_each("adamax", beta_1=_BETA_1[:1], beta_2=_BETA_2[:2], epsilon_placement=(rules.WITHIN,))),
        "radam": list(_each("radam", beta_1=_BETA_1[:1], beta_2=_BETA_2[:2])),
        "rmsprop": [
            *_each("rmsprop", decay=_RHO, epsilon_placement=(rules.OUTSIDE,)),
            *_each("rmsprop", decay=_RHO[:2], momentum=(0.9, 0.5), momentum_buffer=("rate outside", "rate inside")),
            *_each("rmsprop", decay=_RHO[:2], centered=(True,), momentum=(0.0, 0.9)),
        ],
        "adagrad": list(_each("adagrad", initial_accumulator=(0.0, 0.1, 1.0), epsilon=(1e-12,))),
        "adadelta": list(_each("adadelta", decay=_RHO[:3], epsilon=(1e-6, 1e-7, 1e-8))),
        "lion": list(_each("lion", beta_1=(0.9, 0.95), beta_2=(0.99, 0.98))),
    }
    found["adam"] += [one.with_(amsgrad=True) for one in found["adam"][:6]]
    for rule, group in found.items():
        for usual in [group[0], *(one for one in group if one.settings.keys() & _VARIANTS)]:
            group += [
                usual.with_(epsilon=eps, epsilon_placement=p) for p in PLACEMENTS.get(rule, ()) for eps in _COARSE
            ]
    for rule in ("sgd", "adam", "rmsprop"):
        usual = found[rule][0]
        group = [usual.with_(weight_decay=d, decay_coupling="coupled") for d in (1e-4, 1e-3, 1e-2, 1e-1)]
        found[rule] += group
    if free:
        for rule, plain in (("adam", found["adam"][: len(_BETA_2)]), ("rmsprop", found["rmsprop"][: len(_RHO)])):
            found[rule] += [one.with_(epsilon=eps, epsilon_placement=p)
                            for one in plain for p in PLACEMENTS[rule] for eps in _COARSE]  # fmt: skip
        found["adam"] += [uncorrected(one) for one in found["adam"] if one.settings["beta_1"]]
    return found


def uncorrected(adam: Hypothesis) -> Hypothesis:
    """Adam with its bias corrected where it was not, and the other way round."""
    return adam.with_(bias_correction=not adam.settings.get("bias_correction", True))


def _each(rule: str, **choices: Sequence[Any]) -> Iterator[Hypothesis]:
    for values in itertools.product(*choices.values()):
        settings = {k: v for k, v in zip(choices, values, strict=True) if v is not None and v is not False}
        if not settings.get("momentum") and (settings.get("nesterov") or "rate inside" in values):
            continue
        yield Hypothesis(rule, settings)


def best(hypotheses: Sequence[Hypothesis], given: Sample) -> Fit:
    """The hypothesis that fits best; of equals the first."""
    return judge(hypotheses[int(scores(hypotheses, given).argmin())], given)


def tune(fit: Fit, given: Sample) -> Fit:
    """The fit with epsilon, decay, clipping and the rule's numbers searched, few of them at a time.

    Each path begins anew: what one setting takes over from another must not stay.
    """
    found = fit
    for path in _PATHS if not given.free else (*_PATHS, *_BY_HAND):
        if found.explains:
            break
        if given.free and betas in path and found.residual > _FAR:
            continue
        trial = fit
        for refine in path:
            trial = refine(trial, given)
        if trial.score < found.score / TIE:
            found = trial
    return found


def epsilon(fit: Fit, given: Sample) -> Fit:
    """Epsilon's value for each of its placements."""
    rule = fit.hypothesis.rule
    for placement in PLACEMENTS.get(rule, ()):
        for accumulator in (0.0, 0.1) if rule == "adagrad" else (None,):
            start = fit.hypothesis.with_(epsilon_placement=placement)
            start = start if accumulator is None else start.with_(initial_accumulator=accumulator)
            fit = min(fit, line(start, "epsilon", _EPSILON, given), key=lambda one: one.score)
    return fit


def unseen(fit: Fit, given: Sample) -> Fit:
    """With an epsilon too small to see: a larger one may stand for a decay that is not known of yet."""
    return judge(fit.hypothesis.with_(epsilon=_EPSILON[0]), given) if fit.hypothesis.settings.get("epsilon") else fit


def decay(fit: Fit, given: Sample) -> Fit:
    """Weight decay's coupling and factor, and the tensors that it acts on.

    At free rates the tensors lean on each other: one that decays seems not to as long as the rates are not right.
    """
    for coupling in ("decoupled", "coupled"):
        start = fit.hypothesis.with_(decay_coupling=coupling)
        trial = replace(start, decayed=None)
        found = _golden(trial, "weight_decay", _DECAY, given, selective=True)
        if given.free and found.hypothesis.decayed is not None and not found.explains:
            found = min(found, line(trial, "weight_decay", _DECAY, given), key=lambda one: one.score)
        if found.score < fit.score / TIE:
            fit = found
    return fit


def clipped(fit: Fit, given: Sample) -> Fit:
    """Clipping between where the gradient was recorded and the rule."""
    norms = {"clip_norm": given.total, "clip_norm_per_variable": given.norms, "clip_value": np.abs(given.gradient)}
    for kind in CLIPS:
        plain = {key: value for key, value in fit.hypothesis.settings.items() if key not in CLIPS}
        start = replace(fit.hypothesis, settings=plain)
        top = float(norms[kind].max(initial=0.0))
        if top > 0:
            grid = [top * part for part in (0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 1e-3)]
            found = line(start, kind, grid, given)
            if found.score < fit.score / TIE:
                fit = found
    return fit


def betas(fit: Fit, given: Sample) -> Fit:
    """Every number of the rule at once, from where the fit stands: for settings that nobody uses."""
    hypothesis = fit.hypothesis
    names: list[str] = [
        name for name in ("beta_1", "beta_2", "decay", "momentum", "dampening") if name in hypothesis.settings
    ]
    names += [name for name in ("epsilon", "weight_decay") if hypothesis.settings.get(name)]
    if not names:
        return fit
    start = [_inward(name, float(hypothesis.settings[name])) for name in names]

    def loss(x: Any) -> float:
        settings = {name: _outward(name, value) for name, value in zip(names, x, strict=True)}
        return judge(hypothesis.with_(**settings), given).score

    from scipy.optimize import minimize  # a tenth of a second: few runs need it

    options = {"maxfev": 120 * len(names), "xatol": 1e-7, "fatol": 1e-5}
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    settings = {name: _outward(name, value) for name, value in zip(names, found.x, strict=True)}
    return min(fit, judge(hypothesis.with_(**settings), given), key=lambda one: one.score)


def short(fit: Fit, given: Sample) -> Fit:
    """Every number as short as it stands in a program, even if that fits no better yet.

    A search that does not know of another setting ends beside the number, and takes up for what it does not know.
    """
    numbers = {k: v for k, v in fit.hypothesis.settings.items() if isinstance(v, float) and v and k not in CLIPS}
    trials = (judge(fit.hypothesis.with_(**{k: _short(k, v, digits) for k, v in numbers.items()}), given)
              for digits in range(3))  # fmt: skip
    return min(trials, key=lambda one: one.score)


def _inward(name: str, value: float) -> float:
    return float(np.log(max(1 - value, 1e-9))) if name in _RATIOS else float(np.log(max(value, 1e-14)))


def _outward(name: str, value: float) -> float:
    number = float(np.exp(min(value, 50.0)))
    return max(0.0, 1 - number) if name in _RATIOS else number


def line(start: Hypothesis, name: str, grid: Sequence[float], given: Sample) -> Fit:
    """The best value of one setting: a grid, then a golden section around its best."""
    return _golden(start, name, grid, given, selective=False)


def _golden(start: Hypothesis, name: str, grid: Sequence[float], given: Sample, *, selective: bool) -> Fit:
    ordered = sorted(grid)
    look = _selective if selective else judge
    fits = [look(start.with_(**{name: value}), given) for value in ordered]
    at = min(range(len(fits)), key=lambda place: fits[place].score)
    low, high = ordered[max(0, at - 1)], ordered[min(len(ordered) - 1, at + 1)]
    return _section(lambda value: look(start.with_(**{name: value}), given), low, high, fits[at])


def _section(look: Callable[[float], Fit], low: float, high: float, found: Fit) -> Fit:
    """Golden section on the logarithm, until the fit explains the numbers or the interval is a millionth."""
    ratio = (5**0.5 - 1) / 2
    a, b = float(np.log(low)), float(np.log(high))
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    left, right = look(float(np.exp(c))), look(float(np.exp(d)))
    for _ in range(28):
        found = min(found, left, right, key=lambda one: one.score)
        if b - a < 1e-6:
            break
        if left.score < right.score:
            b, d, right = d, c, left
            c = b - ratio * (b - a)
            left = look(float(np.exp(c)))
        else:
            a, c, left = c, d, right
            d = a + ratio * (b - a)
            right = look(float(np.exp(d)))
    return min(found, left, right, key=lambda one: one.score)


def _selective(hypothesis: Hypothesis, given: Sample) -> Fit:
    """The fit where weight decay acts on those tensors that it explains better."""
    acting, bare = errors(hypothesis, given), errors(hypothesis.with_(weight_decay=0.0), given)
    better = acting.score < bare.score
    decayed = frozenset(name for name, acts in zip(given.names, better, strict=True) if acts)
    chosen = replace(hypothesis, decayed=None if better.all() else decayed)
    return fit_of(chosen, acting.where(better, bare))


def rounded(fit: Fit, given: Sample) -> Fit:
    """The fit with each number as short as the recorded ones allow: 0.9, not 0.90000013."""
    numbers = {k: v for k, v in fit.hypothesis.settings.items() if isinstance(v, float) and v}
    for digits in range(3):  # all at once first: one may lean on another
        short = {name: _short(name, value, digits) for name, value in numbers.items()}
        trial = judge(fit.hypothesis.with_(**short), given)
        if as_good(trial, fit):
            return trial
    for name, value in numbers.items():
        trials = (judge(fit.hypothesis.with_(**{name: _short(name, value, digits)}), given) for digits in range(3))
        fit = next((trial for trial in trials if as_good(trial, fit)), fit)
    return fit


def as_good(trial: Fit, fit: Fit) -> bool:
    """Whether a rival explains the numbers no worse, but for what rounding may do."""
    return trial.score <= 1.25 * fit.score + 0.02 and trial.chi <= max(fit.chi * TIE, 1.0)


def _short(name: str, value: float, digits: int) -> float:
    if name in _RATIOS and value > 0.5:
        return round(1 - float(f"{1 - value:.{digits}e}"), 12)
    return float(f"{value:.{digits}e}")


#: What is searched, in which order; the fewest settings first.
_PATHS: Final = (
    (epsilon,),
    (clipped, epsilon),
    (decay, epsilon),
    (epsilon, decay, epsilon),
    (clipped, decay, epsilon),
    (betas, epsilon),
    (epsilon, betas, epsilon),
    (decay, betas, decay, epsilon),
    (clipped, betas, clipped, epsilon),
)
#: And where a program writes all of it out, so that nothing else is told of any setting.
_BY_HAND: Final = (
    (unseen, decay, epsilon),
    (clipped, betas, decay, short, epsilon, decay),
    (betas, decay, short, epsilon, decay),
)
