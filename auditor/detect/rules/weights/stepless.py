"""Backward passes that no step follows: nothing of the model moves at all."""

from __future__ import annotations

from typing import Final

from auditor.detect.recorded import RecordView
from auditor.detect.rules.weights.unmoved import Unmoved
from auditor.detect.view import StepView
from auditor.model import Finding, Subject

#: Backward passes in a step, all but the last for nothing, and steps in a row that show it.
_PASSES: Final = 8
_DISCARDED: Final = 3
_STILL: Final = "and no weight has moved"


class OptimizerStepMissing(Unmoved):
    """Backward runs, and nothing moves at all."""

    id = "optimizer_step_missing"
    meaning = "backward runs, and no weight moves"
    needs = "weight statistics (sampled) and gradients; PyTorch, TensorFlow: backward passes without a step"
    trigger = (
        "all weights with a gradient are the same, in all eight moments, 45 steps or more later, though the learning "
        "rate would show; or (PyTorch) backward passes that reach parameters an optimizer holds, zeroed each time, and "
        "never a step of it, or in 3 recorded steps in a row one after 8 passes of several samples or "
        "more; or (Keras) a hundred batches that a model was trained on of which no weight was "
        "trainable when its train function was first called; or (TensorFlow loops) tapes that were asked a "
        "thousand times, or a hundred times by the end of the run, for gradients of variables of which none was ever "
        "assigned"
    )
    source = "TrainCheck (OSDI'25); the proof by moments is ours"
    summary = "{steps} backward passes, {what}: {why} (step {step}{where})."
    likely_causes = (
        "optimizer.step() is missing, outside the loop over batches, or in a branch that is never taken",
        "the optimizer holds the parameters of another model, or of a copy",
        "apply_gradients is not called in the custom loop",
        "trainable=False was set before the model's first train_on_batch (a GAN's discriminator, in Keras 3)",
    )
    advice = (
        "Call optimizer.step() after loss.backward() in every step (GradScaler: scaler.step(optimizer) and "
        "scaler.update()); in TensorFlow optimizer.apply_gradients(zip(gradients, model.trainable_variables))."
    )
    consequence_of = ("learning_rate", "scaler_stuck")

    def observe(self, view: StepView) -> list[Finding]:
        """What the agent heard, and what the weights show."""
        for at, event in view.events("step_missing"):
            if not self.active:
                why = f"{event.get('optimizer', 'the optimizer')} holds them and never steps"
                if event.get("untrainable") is True:
                    why = f"none of the weights of {event.get('model', 'the model')} was trainable when it was trained"
                if event.get("unused") is True:
                    why = "nothing is done with their gradients: no optimizer is given them, no variable is assigned"
                evidence = {
                    "steps": event.get("backwards", 0),
                    "what": _STILL,
                    "why": why,
                    "parameters": event.get("parameters", []),
                }
                return [self.finding(view, at, Subject("run", "optimizer", view.rank), evidence)]
        if self.active and self.told and any(True for _ in view.blocks("gradient")):  # it steps after all
            return [self.cleared(view, 0, Subject("run", "optimizer", view.rank))]
        return super().observe(view)

    @property
    def told(self) -> bool:
        """Whether the agent heard it, where no step had been seen."""
        return not self.memory.steps

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Many backward passes in a step, each but the last zeroed again: the step is outside its loop."""
        facts, memory = view.facts, self.memory
        passes, gone = facts.get("backwards"), facts.get("discarded")
        if self.active or not isinstance(passes, int) or not isinstance(gone, int):
            return []
        batch = next(iter(view.of("batch").values()), None)
        # Passes of one sample each are made to clip its gradient by itself; the program sums them (DP-SGD by hand).
        each = batch is not None and bool(batch.shape) and batch.shape[0] == 1
        vain = passes >= _PASSES and gone == passes - 1 and not each
        memory.discarded = memory.discarded + 1 if vain else 0
        if memory.discarded < _DISCARDED:
            return []
        why = "gradients are zeroed before each, and the optimizer steps once after many"
        evidence = {"steps": passes, "what": f"and {gone} of them came to nothing", "why": why, "discarded": gone}
        return [self.finding(view, 0, Subject("run", "optimizer", view.rank), evidence)]

    def judge(self, view: StepView, at: int) -> list[Finding]:
        """All that have gradients are stuck."""
        stuck = self.stuck(view)
        pushed = [name for name, times in self.memory.pushes.items() if times]
        if not stuck or self.memory.moved or len(stuck) < len(pushed):
            return []
        why = "they have gradients, and a learning rate that would show"
        evidence = {"steps": self.memory.steps, "what": _STILL, "why": why, "parameters": stuck[:16]}
        evidence["lr"] = self.memory.rate
        return [self.finding(view, at, Subject("run", "optimizer", view.rank), evidence)]
