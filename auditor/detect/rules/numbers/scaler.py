"""Mixed precision: a gradient scaler that throws step after step away."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject


@dataclass(frozen=True, slots=True)
class ScalerParameters:
    """Thresholds.

    ``window`` and ``skips``: so many skipped steps among so many, 16 and 8 (OPS). ``warm_up``: steps at
    the start that do not count, 32 (ours: a scaler begins at 2^16 and halves its way down, which takes
    16 skips to a scale of 1). ``least_scale``: or a scale below it, 1 (OPS: beyond it small gradients
    are scaled down, not up).
    """

    window: int = 16
    skips: int = 8
    warm_up: int = 32
    least_scale: float = 1.0


@dataclass(slots=True)
class ScalerMemory:
    """Steps seen, and the skipped ones among the last: their numbers in order of the run."""

    steps: int = 0
    skipped: list[int] = field(default_factory=list)
    total: int = 0


class ScalerStuck(Rule):
    """The gradient scaler skips step after step, or its scale has collapsed."""

    id = "scaler_stuck"
    severity = Severity.WARNING
    phase = "gradient"
    meaning = "the gradient scaler skips step after step, or its scale has collapsed"
    needs = "`step_skipped` events"
    trigger = "8 of 16 steps skipped, after the first 32; or a skip at a scale below 1; resolved after 64 taken steps"
    source = "OPS"
    summary = (
        "The gradient scaler skipped {skips} of the last {window} steps, scale {scale}: nothing is learnt in a "
        "skipped step (step {step}{where})."
    )
    likely_causes = (
        "activations or the loss overflow float16 whatever the scale",
        "the loss is non-finite before scaling",
        "unscaled gradients are used twice, or the scaler is updated more than once a step",
    )
    advice = (
        "Use bfloat16 (torch.autocast(dtype=torch.bfloat16), no scaler; Keras: mixed_bfloat16), or find what "
        "overflows: run the step with autocast(enabled=False) around the loss and the layers with large activations."
    )
    consequence_of = ("nonfinite_loss", "nonfinite_weight", "exploding_gradient")
    Parameters = ScalerParameters
    State = ScalerMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at each skipped step; cleared when the scaler has settled."""
        memory, found = self.memory, []
        before, memory.steps = memory.steps, memory.steps + len(view)
        for at, event in view.events("step_skipped"):
            place = before + at
            found += self._settled(view, at - 1, place - 1) if at else []
            memory.total += 1
            memory.skipped = [*(s for s in memory.skipped if s > place - self.parameters.window), place]
            scale = event.get("scale")
            low = isinstance(scale, (int, float)) and scale < self.parameters.least_scale
            often = place >= self.parameters.warm_up and len(memory.skipped) >= self.parameters.skips
            if low or often:
                evidence = {
                    "skips": len(memory.skipped),
                    "window": self.parameters.window,
                    "scale": scale,
                    "skipped_in_all": memory.total,
                }
                found.append(self.finding(view, at, Subject("run", "gradient scaler", view.rank), evidence))
        return found + (self._settled(view, len(view) - 1, memory.steps - 1) if len(view) else [])

    def unjudged(self) -> str | None:
        """Too short; without a scaler nothing is skipped, and that is judged."""
        few = self.memory.steps < self.parameters.warm_up
        return f"needs {self.parameters.warm_up} steps" if few else None

    def _settled(self, view: StepView, at: int, place: int) -> list[Finding]:
        """Cleared at index ``at``, the run's step number ``place``, if none was skipped for four windows."""
        last = self.memory.skipped[-1] if self.memory.skipped else 0
        if not self.active or place - last < 4 * self.parameters.window:
            return []
        return [self.cleared(view, at, Subject("run", "gradient scaler", view.rank))]
