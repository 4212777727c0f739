"""How much a difference matters: replayed on what was recorded, not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.compare.identify.hypothesis import Hypothesis, Sample, movement
from auditor.compare.profile import Profile

#: Rules whose step does not depend on the gradient's scale, but for epsilon and decay.
SCALE_FREE: Final = frozenset({"adam", "nadam", "adamax", "radam", "rmsprop", "adagrad", "adadelta", "lion"})

#: Mean square of a tensor's gradient, against the largest, below which it is rounding.
_UNSEEN: Final = 1e-10


def swapped(profile: Profile, settings: Mapping[str, Any], rule: str | None = None) -> float | None:
    """Relative change of a run's own steps if its rule had other settings; None if its rule is unknown."""
    if profile.update is None or not profile.update.fit.explains:
        return None
    here = profile.update.fit.hypothesis
    there = replace(here.with_(**settings), rule=rule or here.rule)
    if rule is not None and rule != here.rule:
        there = Hypothesis(rule, dict(settings))
    return _apart(here, there, profile.update.sample, profile.update.sample)


def scaled(profile: Profile, factor: float) -> float | None:
    """Relative change of a run's own steps if its gradients were ``factor`` times as large."""
    if profile.update is None or not profile.update.fit.explains:
        return None
    sample = profile.update.sample
    other = replace(sample, gradient=sample.gradient * factor, norms=sample.norms * factor, total=sample.total * factor)
    return _apart(profile.update.fit.hypothesis, profile.update.fit.hypothesis, sample, other)


def _apart(here: Hypothesis, there: Hypothesis, sample: Sample, other: Sample) -> float:
    mine, theirs = movement(here, sample), movement(there, other)
    square = np.maximum(sample.mean(mine * mine), 1e-300)
    change = np.nan_to_num(sample.mean((mine - theirs) ** 2), nan=1e300, posinf=1e300)
    # Weights that the loss cannot see (a bias before a normalisation) have rounding for a gradient: any
    # epsilon moves them, and to no effect.
    gradients = sample.mean(sample.gradient**2)
    seen = gradients > _UNSEEN * gradients.max(initial=0.0)
    ratio = np.minimum(change / square, 1e4)
    return float(np.sqrt(ratio[seen].mean())) if seen.any() else 0.0


def travelled(profile: Profile) -> float:
    """Sum of the learning rates of all steps of a run."""
    rates: F64 | None = profile.curves["lr"].values if "lr" in profile.curves else None
    if rates is None or not len(rates):
        rate = profile.value("update.learning_rate")
        return float(rate) * float(profile.last_step or 0) if isinstance(rate, (int, float)) else 0.0
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
