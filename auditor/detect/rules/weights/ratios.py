"""Updates by the size of the weights: far too large, or rounded away."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.course import Course, first, middle
from auditor.detect.evidence.moves import moves, rates
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject

_NARROW: Final = frozenset({"float16", "bfloat16"})
#: Parts of the names of state that keeps what rounding takes away.
_COMPENSATION: Final = ("comp", "kahan", "master", "shift", "residual", "error", "fp32")


@dataclass(frozen=True, slots=True)
class RatioParameters:
    """Thresholds.

    ``large``: update over weight, 0.1 (RULES.md; healthy is about 1e-3: CP); ``small``: 1e-8 (likewise).
    ``warm``: recorded steps at the start that do not count, 5, and ``held``: those that must show it, 10.
    ``kept``: and the loss is still above this part of its start, 0.9 (ours: a step that large which
    learns is nobody's alert).
    """

    large: float = 1e-1
    small: float = 1e-8
    warm: int = 5
    held: int = 10
    kept: float = 0.9


@dataclass(slots=True)
class RatioMemory:
    """Ratios by weight matrix over the recorded steps, with gradient and learning rate other than zero."""

    course: Course = field(default_factory=Course)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    steps: int = 0


class UpdateRatio(Rule):
    """Each step moves the weights by far too much, or by nothing that counts."""

    id = "update_ratio"
    severity = Severity.WARNING
    phase = "update"
    meaning = "updates far too large or too small for the weights they move"
    needs = "recordings of weights before and after the step; losses"
    trigger = (
        "update over weight (root mean squares) above 0.1, or below 1e-8, in 10 recorded steps after the first 5, in "
        "half of the weight matrices, while the loss is still above 0.9 of its start"
    )
    source = "SMD, Cockpit (NeurIPS'21), TheDeepChecker; RULES.md"
    summary = (
        "Each step moves {name} by {ratio:.2g} times its size, and {count} of {matrices} weight matrices likewise; the "
        "loss is {loss:.4g}, it began at {initial_loss:.4g} (step {step}{where})."
    )
    likely_causes = (
        "a learning rate far too large, or far too small",
        "weights initialised far too small, or too large",
    )
    advice = "Change lr= in the optimizer's constructor so that an update is about a thousandth of the weight."
    consequence_of = (
        *("learning_rate", "poor_init", "input_scale", "update_swallowed", "clip_saturated", "scaler_stuck"),
        *("unchanged_parameters", "optimizer_step_missing", "gradient_accumulated"),
    )
    Parameters = RatioParameters
    State = RatioMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Takes in the ratios."""
        memory, rate = self.memory, rates(view)
        taken = [move for move in moves(view) if move.matrix and move.gradient > 0 and move.weight > 0]
        taken = [move for move in taken if move.update > 0]  # what does not move at all is others' business
        if not taken:
            return []
        memory.steps += 1
        for move in taken if memory.steps > self.parameters.warm else ():
            if rate.get(move.name, rate[""]) != 0:
                known = memory.ratios.get(move.name, [])
                memory.ratios[move.name] = [*known, move.ratio][-2 * self.parameters.held :]
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at fixed numbers of steps; once per run."""
        for _, at, losses in self.memory.course.take(view):
            evidence = None if self.active else self._judge(losses)
            if evidence is not None:
                return [self.finding(view, at, Subject("weight", evidence.pop("tensor"), view.rank), evidence)]
        return []

    def unjudged(self) -> str | None:
        """Too few recordings."""
        enough = any(len(ratios) >= self.parameters.held for ratios in self.memory.ratios.values())
        return None if enough else "too few steps were recorded with weights before and after"

    def _judge(self, losses: Any) -> dict[str, Any] | None:
        memory, parameters = self.memory, self.parameters
        start, now = first(losses), middle(losses[-30:])
        held = {name: ratios[-parameters.held :] for name, ratios in memory.ratios.items()}
        held = {name: ratios for name, ratios in held.items() if len(ratios) >= parameters.held}
        if not held or not now > parameters.kept * start:
            return None
        large = [name for name, ratios in held.items() if min(ratios) > parameters.large]
        small = [name for name, ratios in held.items() if max(ratios) < parameters.small]
        off = large if len(large) >= len(small) else small
        if len(off) < 0.5 * len(held):
            return None
        worst = max(off, key=lambda name: abs(math.log(max(float(np.median(held[name])), 1e-30))))
        ratio = float(np.median(held[worst]))
        return {
            "tensor": worst, "ratio": ratio, "count": len(off), "matrices": len(held),
            "loss": now, "initial_loss": start,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SwallowedParameters:
    """``share``: elements with a gradient that a step leaves as they were, 0.5; ``steps``: recorded steps, 10 (ours).

    float32 rounds away next to nothing (at most 2 % in healthy runs of the zoo); bfloat16 with a step of
    less than half of its spacing, 2⁻⁹ of the weight, rounds most away.
    """

    share: float = 0.5
    steps: int = 10


@dataclass(slots=True)
class SwallowedMemory:
    """Shares by recorded step, weighted by elements; the rate that belonged to them."""

    shares: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    narrow: bool = False


class UpdateSwallowed(Rule):
    """Low precision rounds the updates away."""

    id = "update_swallowed"
    severity = Severity.WARNING
    phase = "update"
    meaning = "weights of low precision round the updates away"
    needs = "recordings of weights before and after the step"
    trigger = (
        "weights of float16 or bfloat16, and in 10 recorded steps in a row half of their elements that have a gradient "
        "stay bit by bit as they were; not while a warm-up is raising the rate, nor where the optimizer keeps what "
        "rounding takes away"
    )
    source = "OPS (logbooks of large runs: master weights); the share is ours"
    summary = (
        "{share:.0%} of the elements of {dtype} weights do not move: the updates are smaller than half of the spacing "
        "of their numbers (step {step}{where}); worst is {name}."
    )
    likely_causes = (
        "the whole model was cast to bfloat16 or float16 (model.bfloat16(), model.half()) without master weights",
        "a learning rate that is right in float32 and too small for the spacing of bfloat16",
    )
    advice = (
        "Keep the weights in float32 and compute in low precision: torch.autocast(dtype=torch.bfloat16) around the "
        "forward pass instead of model.bfloat16(); Keras: keras.mixed_precision.set_global_policy('mixed_bfloat16')."
    )
    consequence_of = ("learning_rate",)
    Parameters = SwallowedParameters
    State = SwallowedMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Said at the tenth recorded step in a row; cleared by one that moves."""
        memory, rate = self.memory, rates(view)
        taken = [m for m in moves(view) if m.dtype in _NARROW and m.weight > 0 and math.isfinite(m.still)]
        taken = [m for m in taken if rate.get(m.name, rate[""]) != 0]
        if not taken or _compensated(view):
            return []
        memory.narrow = True
        share = float(np.average([m.still for m in taken], weights=[m.elements for m in taken]))
        steps, worst = self.parameters.steps, max(taken, key=lambda m: m.elements * m.still)
        memory.shares, memory.rate = [*memory.shares, share][-steps:], [*memory.rate, rate[""]][-steps:]
        subject = Subject("weight", worst.name, view.rank)
        if self.active and share < self.parameters.share / 2:
            return [self.cleared(view, 0, subject)]
        rising = memory.rate[-1] > memory.rate[0]
        if self.active or len(memory.shares) < steps or min(memory.shares) < self.parameters.share or rising:
            return []
        evidence = {"share": share, "dtype": worst.dtype, "ratio": worst.ratio, "lr": rate[""], "weights": len(taken)}
        return [self.finding(view, 0, subject, evidence)]

    def unjudged(self) -> str | None:
        """All weights are wide, as far as was recorded."""
        return None if self.memory.narrow else "no weights of float16 or bfloat16 were recorded before and after a step"


def _compensated(view: RecordView) -> bool:
    roles = {role for role, _ in view.recording.arrays if role.startswith("state.")}
    return any(word in role.lower() for role in roles for word in _COMPENSATION)
