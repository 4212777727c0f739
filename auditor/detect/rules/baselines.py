"""A run that leaves the envelope of good runs, and how a run finds the baseline that it is held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.envelope import GRADIENT, Binner, Envelope
from auditor.detect.facts import RunFacts
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Series named in the evidence.
_LISTED: Final = 8


def fingerprint(facts: RunFacts) -> str:
    """What runs of one kind have in common: the framework, and the names and shapes of their parameters.

    Not the optimizer, the loss or the data: where they differ, the baseline is there to show it. Empty
    while the manifest says nothing of the model.
    """
    model = facts.section("model")
    known: Any = facts.tensors or {name: model[name] for name in ("layers", "parameters") if name in model}
    if not known:
        return ""
    text = json.dumps([facts.framework, known], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class DeviationParameters:
    """Thresholds.

    ``alpha``: part of healthy runs that are alarmed at any time of their life, 0.01 (ours; the bound and
    its source are in auditor/detect/envelope.py, the measured rates in benchmarks/sequential.py).
    """

    alpha: float = 0.01


@dataclass(slots=True)
class DeviationMemory:
    """The bin under way, and what was judged so far. ``peak``: the largest deviation."""

    binner: Binner = field(default_factory=Binner)
    baseline: str = ""
    judged: int = 0
    peak: float = 0.0
    scale: float = 0.0
    rewound: bool = False


class BaselineDeviation(Rule):
    """The run is further from its baseline than a good run would be."""

    id = "baseline_deviation"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "the run leaves the envelope of its baseline"
    needs = "a baseline (auditor baseline create) of the same project and model, or one named by --baseline"
    trigger = (
        "the largest deviation of loss, gradient norm or any gradient from the baseline's runs, in quarter octaves of "
        "steps (samples where all tell them), exceeds what one of a hundred good runs would reach in its whole life"
    )
    source = "Hahn and Meeker 1991; Bonferroni; Vovk et al. 2005 (see auditor/detect/envelope.py)"
    summary = (
        "The run left its baseline {baseline} at step {step}: {name} is {ratio:.3g} times what the baseline's runs "
        "had there, {deviation:.1f} standard deviations where {bound:.1f} is the most that good runs reach."
    )
    likely_causes = (
        "a change of code, data or hyperparameters since the baseline's runs",
        "another initialisation or another order of the data than the baseline has seen",
        "hardware or library versions whose numerics differ",
    )
    advice = (
        "Compare with a run of the baseline: auditor compare RUN_OF_BASELINE THIS_RUN names the first difference in "
        "configuration and in numbers; the series that left first are in the evidence. If the change was meant, make "
        "a new baseline: auditor baseline create."
    )
    consequence_of = (
        *("nonfinite_loss", "nonfinite_gradient", "nonfinite_weight", "exploding_gradient", "vanishing_gradient"),
        *("loss_diverging", "loss_not_decreasing", "loss_constant", "zero_gradient", "poor_init", "learning_rate"),
        *("loss_shape_broadcast", "gradient_accumulated", "unchanged_parameters", "optimizer_step_missing"),
    )
    Parameters = DeviationParameters
    State = DeviationMemory

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        super().__init__(overrides)
        self._known: tuple[Envelope, F64, F64, float] | None = None

    def observe(self, view: StepView) -> list[Finding]:
        """Judged whenever a bin is complete; said once for each time that the run goes further out."""
        envelope = view.run.baseline
        if envelope is None or view.rank or self.memory.rewound or not len(view):
            return []
        if self._known is None or self._known[0] is not envelope:
            self._known = (envelope, *envelope.centre(), envelope.bound(self.parameters.alpha))
        memory = self.memory
        memory.baseline = envelope.name
        memory.scale = memory.scale or _scale(view, envelope)
        found: list[Finding] = []
        for number, first, values in memory.binner.take(view, envelope.names, memory.scale, envelope.unit):
            found += self._judge(view, number, first, values)
        return found

    def rewind(self) -> None:
        """A second fit has no place on the baseline's axis: what was said stays, no more is."""
        self.memory.rewound = True

    def unjudged(self) -> str | None:
        """No baseline, or not far enough for one."""
        if not self.memory.baseline:
            return "no baseline of this project and model: auditor baseline create NAME RUN RUN RUN makes one"
        return None if self.memory.judged else f"nothing yet to hold against baseline {self.memory.baseline}"

    def _judge(self, view: StepView, number: int, first: int, values: F64) -> list[Finding]:
        assert self._known is not None  # noqa: S101 - set by observe
        envelope, mean, spread, bound = self._known
        if number >= len(mean):
            return []
        off = (values - mean[number]) / spread[number]
        if not np.isfinite(off).any():
            return []
        self.memory.judged += 1
        size = np.nan_to_num(np.abs(off), nan=0.0)
        peak = float(size.max())
        if peak <= max(bound, self.memory.peak):
            return []
        self.memory.peak = peak
        worst = np.argsort(-size, kind="stable")
        left = [int(i) for i in worst if size[i] > bound][:_LISTED]
        evidence = {
            "baseline": envelope.name,
            "deviation": float(off[left[0]]),
            "bound": bound,
            "alpha": self.parameters.alpha,
            "ratio": float(np.exp(np.clip(values[left[0]] - mean[number, left[0]], -700, 700))),
            "axis": envelope.axis,
            "bin": number,
            "expected": float(np.exp(mean[number, left[0]])),
            "left": [{"series": envelope.names[i], "deviation": float(off[i])} for i in left],
            "runs": len(envelope.values),
        }
        return [self._at(view, first, _subject(envelope.names[left[0]], view.rank), evidence)]

    def _at(self, view: StepView, step: int, subject: Subject, evidence: Mapping[str, Any]) -> Finding:
        """A finding of a bin that began before this view, perhaps."""
        import dataclasses

        at = max(int(np.searchsorted(view.steps, step, side="right")) - 1, 0)
        return dataclasses.replace(self.finding(view, at, subject, evidence), step=step)


def _subject(series: str, rank: int) -> Subject:
    if series.startswith(GRADIENT):
        return Subject("gradient", series.removeprefix(GRADIENT), rank)
    return Subject("loss" if series == "loss" else "run", series, rank)


def _scale(view: StepView, envelope: Envelope) -> float:
    """Position on the axis per step: samples where the envelope is by samples, as the run tells them."""
    return samples_per_step(view) or envelope.samples_per_step if envelope.axis == "samples" else 1.0


def samples_per_step(view: StepView) -> float:
    """Samples in the first step of ``view`` that tells them: an epoch's last batch is the small one; 0 if none does."""
    _, told = view.scalar("samples")
    told = told[np.isfinite(told) & (told > 0)]
    return float(told[0]) if len(told) else 0.0
