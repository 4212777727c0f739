"""How much a difference matters: replayed on what was recorded, not guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify.evidence import F64
from auditor.compare.identify.hypothesis import Hypothesis, Sample, movement
from auditor.compare.profile import Profile

#: Steps that a replay goes on for.
_LONG: Final = 400


def swapped(profile: Profile, settings: Mapping[str, Any], rule: str | None = None) -> float | None:
    """Relative change of a run's own steps if its rule had other settings; None if its rule is unknown.

    The larger of two: over the recorded steps, and over as many more as the run had, up to ``_LONG``.
    """
    if profile.update is None or not profile.update.fit.explains:
        return None
    here = profile.update.fit.hypothesis
    there = replace(here.with_(**settings), rule=rule or here.rule)
    if rule is not None and rule != here.rule:
        there = Hypothesis(rule, dict(settings))
    samples = (profile.update.sample, _longer(profile))
    return max(_apart(here, there, sample, sample) for sample in samples if sample is not None)


def scaled(profile: Profile, factor: float) -> float | None:
    """Relative change of a run's own steps if its gradients were ``factor`` times as large."""
    if profile.update is None or not profile.update.fit.explains:
        return None
    sample = profile.update.sample
    other = replace(sample, gradient=sample.gradient * factor, norms=sample.norms * factor, total=sample.total * factor)
    return _apart(profile.update.fit.hypothesis, profile.update.fit.hypothesis, sample, other)


def left_over(profile: Profile) -> tuple[float, float] | None:
    """What an optimizer's memory of steps that were left out changes: parts of the recorded steps, of all steps.

    None where it remembers none, no rule is known, or the steps were left out for nobody saw them yet.
    """
    if profile.by_hand:
        return None
    if profile.update is None or profile.update.sample.before is None or not profile.update.fit.explains:
        return None
    here, sample = profile.update.fit.hypothesis, profile.update.sample
    longer = _longer(profile) or sample
    first, whole = (_apart(here, here, one, replace(one, before=None)) for one in (sample, longer))
    return first, whole


def unexplained(profile: Profile, names: Collection[str] = (), steps: Collection[int] = ()) -> float | None:
    """What moves tensors ``names``, or all of them at ``steps`` (from 1), beside the rule: a part of a run's own steps.

    To first order in the loss, as ``_apart``; None if no rule is known.
    """
    if profile.update is None or not profile.update.fit.explains:
        return None
    sample = profile.update.sample
    mine, slope = movement(profile.update.fit.hypothesis, sample), np.abs(sample.gradient)
    acts = sample.spread(np.array([float(name in names) for name in sample.names]))
    acts = np.maximum(acts, np.isin(np.arange(1, len(mine) + 1), list(steps))[:, None])
    seen = float(np.sum(slope * np.abs(mine)))
    change = float(np.sum(slope * np.nan_to_num(np.abs(mine - sample.moved)) * acts))
    return min(1e2, change / seen) if seen > 0 else 0.0


def _apart(here: Hypothesis, there: Hypothesis, sample: Sample, other: Sample) -> float:
    """What the difference of two movements does to the loss against what one does, to first order, signs aside.

    So weights that the loss does not see (a bias before a normalisation, a unit that is never active)
    do not count, whatever an epsilon makes of their rounding errors.
    """
    mine, theirs = movement(here, sample), movement(there, other)
    slope = np.abs(sample.gradient)
    seen = float(np.sum(slope * np.abs(mine)))
    change = np.sum(slope * np.minimum(np.nan_to_num(np.abs(mine - theirs), nan=1e100, posinf=1e100), 1e100))
    return min(1e2, float(change) / seen) if seen > 0 else 0.0


def _longer(profile: Profile) -> Sample | None:
    """The recorded steps, and after them as many as the run went on for, made of the recorded gradients.

    In an order drawn at random, each as long as the gradient of that step was, at the rate that it had: memory of
    many steps (second moments, the largest of them, an accumulator, momentum past a drop of the rate) does not show
    in twenty.
    """
    if profile.update is None:
        return None
    sample = profile.update.sample
    have, length = len(sample.gradient), min(profile.last_step or 0, _LONG)
    if length <= have:
        return None
    rows = np.concatenate([np.arange(have), np.random.default_rng(0).integers(0, have, length - have)])
    factor = _against(profile, "grad_norm", rows)[:, None]
    columns = {name: getattr(sample, name)[rows] for name in ("weight", "moved", "noise")}
    columns["rates"] = sample.rates[rows] * _against(profile, "lr", rows)
    longer = {name: getattr(sample, name)[rows] * factor for name in ("gradient", "norms")}
    return replace(sample, **columns, **longer, total=sample.total[rows] * factor[:, 0])


def _against(profile: Profile, name: str, rows: npt.NDArray[np.int64]) -> F64:
    """A curve at each step against where it is at the recorded one that stands for it; one where nobody knows."""
    curve = profile.curves.get(name)
    if curve is None or len(curve.values) < len(rows) or curve.steps[0] != 1:
        return np.ones(len(rows))
    values = curve.values[: len(rows)]
    with np.errstate(all="ignore"):
        found = values / values[rows]
    return np.where(np.isfinite(found) & (found > 0), found, 1.0)


def travelled(profile: Profile) -> float:
    """Sum of the learning rates of all steps of a run."""
    rates: F64 | None = profile.curves["lr"].values if "lr" in profile.curves else None
    if rates is None or not len(rates):
        rate = profile.value("update.learning_rate")
        return float(rate) * float(profile.last_step or 0) if isinstance(rate, (int, float)) else 0.0
    if profile.update is not None and profile.update.free:  # of the first steps alone
        return float(np.nanmean(rates)) * float(profile.last_step or len(rates))
    return float(np.nansum(rates))


def shrinks(profile: Profile, decay: float) -> float:
    """The part of a weight that decay takes off over the whole run."""
    return float(1 - np.exp(-abs(decay) * travelled(profile)))


def pull(profile: Profile, coefficient: float) -> float | None:
    """Size of ``coefficient`` times the weights against that of the gradients; per tensor, root mean square."""
    if profile.update is None:
        return None
    sample = profile.update.sample
    weights, gradients = sample.mean(sample.weight**2), sample.mean(sample.gradient**2)
    ratio = np.minimum(coefficient * coefficient * weights / np.maximum(gradients, 1e-300), 1e4)
    return float(np.sqrt(ratio.mean()))


def of_scale(a: Profile, b: Profile, scale: float) -> float:
    """What a factor of the loss changes of the steps."""
    found = [scaled(a, scale), scaled(b, 1 / scale)]
    sizes = [size for size in found if size is not None]
    return min(2.0, max(sizes, default=abs(1 - scale)))
