"""NaN and Inf in the loss, a gradient or a weight: said at once, at the exact step, by name.

Within a step the forward pass comes before the loss, the loss before the gradients, and gradients
are computed from the last layer to the first: of several gradients that turn non-finite in one
step, the last layer's is named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.rule import Rule
from auditor.detect.view import F64, I64, SAMPLED, Bool, StepView
from auditor.ingest.decode import Block
from auditor.model import Finding, Severity, Subject

#: What makes numbers run out of range within a few steps.
_ROOTS: Final = ("learning_rate", "poor_init")
_NONE: Bool = np.zeros((0, 0), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class NonfiniteParameters:
    """Thresholds.

    ``clean_steps``: reported steps without a non-finite value until the fault counts as gone, 200
    (ours: long enough that a fault that comes back every epoch stays one alert).
    """

    clean_steps: int = 200


@dataclass(slots=True)
class TensorMemory:
    """``seen``: which tensor ids were ever non-finite; ``clean``: clean steps since the last one."""

    seen: Bool = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    clean: int = 0
    reported: int = 0


class NonfiniteTensor(Rule):
    """Shared by the rules about tensors: ``kind`` says which."""

    kind: str
    urgent = True
    Parameters = NonfiniteParameters
    State = TensorMemory

    def observe(self, view: StepView) -> list[Finding]:
        """One finding per tensor at its first non-finite step, one per block while it goes on."""
        found: list[Finding] = []
        for block, columns in view.blocks(self.kind):
            self.memory.reported += block.words.shape[0]
            # Rows 1 and 2 of the statistics are the NaN and Inf counts.
            bad = self._nonfinite(view, block, columns) if block.words[:, 1:3, :].any() else _NONE
            if bad.any():
                found += self._sightings(view, block, columns, bad)
                self.memory.clean = len(bad) - 1 - int(np.flatnonzero(bad.any(axis=1))[-1])
            else:
                self.memory.clean += block.words.shape[0]
            if self.active and self.memory.clean >= self.parameters.clean_steps:
                last = block.first + block.words.shape[0] - 1
                found.append(self.cleared(view, last, Subject("run", view.batch.run, view.rank)))
        return found

    def rewind(self) -> None:
        """What was non-finite stays known: a rewind heals only what is then seen to be finite."""

    def unjudged(self) -> str | None:
        """No tensor of the kind was reported."""
        return None if self.memory.reported else f"no {self.kind} statistics were captured"

    def _nonfinite(self, view: StepView, block: Block, columns: I64) -> Bool:
        bad: Bool = (block.words[:, 1, columns] | block.words[:, 2, columns]) != 0
        if self.kind == "gradient" and view.skipped:
            steps = view.steps[block.first : block.first + len(bad)]
            bad = bad & ~np.isin(steps, list(view.skipped))[:, None]
        return bad

    def _sightings(self, view: StepView, block: Block, columns: I64, bad: Bool) -> list[Finding]:
        ids = block.tensors[columns]
        self._grow(len(view.table))
        fresh = bad.any(axis=0) & ~self.memory.seen[ids]
        self.memory.seen[ids[fresh]] = True
        first = np.argmax(bad, axis=0)
        found = [self._sighting(view, block, int(first[j]), columns, int(j)) for j in np.flatnonzero(fresh)]
        # The fault goes on: where it was seen last, the first tensor of that step.
        last = int(np.flatnonzero(bad.any(axis=1))[-1])
        if not any(f.step == int(view.steps[block.first + last]) for f in found):
            order = np.where(bad[last], self._order(view, ids), np.iinfo(np.int64).max)
            found.append(self._sighting(view, block, last, columns, int(np.argmin(order))))
        return sorted(found, key=lambda f: (f.step, f.order))

    def _order(self, view: StepView, ids: I64) -> I64:
        return view.index.backward[ids] if self.kind == "gradient" else ids

    def _sighting(self, view: StepView, block: Block, at: int, columns: I64, j: int) -> Finding:
        column, ids = int(columns[j]), block.tensors[columns]
        tensor = view.table[int(ids[j])]
        count, nan, inf = (int(block.words[at, row, column]) for row in range(3))
        evidence = {
            "count": count,
            "nan": nan,
            "inf": inf,
            "finite_absmax": float(block.stat("absmax")[at, column]),
            "nonfinite_tensors": int((block.words[at, 1:3][:, columns] != 0).any(axis=0).sum()),
            "tensors": len(columns),
            "loss": float(view.loss[block.first + at]) if view.has_loss[block.first + at] else None,
        }
        subject = Subject(self.kind, tensor.name, view.rank)
        return self.finding(view, block.first + at, subject, evidence, int(self._order(view, ids)[j]))

    def _grow(self, size: int) -> None:
        if size > len(self.memory.seen):
            self.memory.seen = np.append(self.memory.seen, np.zeros(size - len(self.memory.seen), dtype=np.bool_))


class NonfiniteGradient(NonfiniteTensor):
    """NaN or Inf in a gradient that the optimizer is about to use."""

    id = "nonfinite_gradient"
    kind = "gradient"
    severity = Severity.CRITICAL
    within = 0
    phase = "gradient"
    meaning = "NaN or Inf in a gradient"
    needs = "gradient statistics"
    trigger = "at once, at the step; not for a step that a GradScaler skips; first in backward order is named"
    source = "all surveyed tools; RULES.md"
    summary = "The gradient of {name} became non-finite at step {step} ({nan} NaN, {inf} Inf of {count} values{where})."
    likely_causes = (
        "a function without a derivative at the value it got (sqrt or norm at 0, log or division at 0)",
        "overflow in low precision (float16 without loss scaling)",
        "gradients or activations that exploded in the steps before",
        "the loss or an input was already non-finite in this step",
    )
    advice = (
        "Look at the backward of the layer that owns {name}: wrap one step in torch.autograd.set_detect_anomaly(True) "
        "(Keras: tf.debugging.enable_check_numerics()), add an epsilon inside sqrt, log, norm and divisions there, and "
        "clip before optimizer.step(): torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) "
        "(Keras: clipnorm=1.0 in the optimizer's constructor)."
    )
    consequence_of = ("nonfinite_input", "nonfinite_loss", "nonfinite_weight", "exploding_gradient", *_ROOTS)


class NonfiniteWeight(NonfiniteTensor):
    """NaN or Inf in a weight."""

    id = "nonfinite_weight"
    kind = "weight"
    severity = Severity.CRITICAL
    within = SAMPLED
    phase = "weight"
    meaning = "NaN or Inf in a weight"
    needs = "weight statistics (sampled)"
    trigger = "at once, at the first sampled step that shows it"
    source = "all surveyed tools; RULES.md"
    summary = "The weight {name} was non-finite at step {step} ({nan} NaN, {inf} Inf of {count} values{where})."
    likely_causes = (
        "a non-finite gradient was applied in a step before",
        "the update overflowed: learning rate too large, or an optimizer that divides by a vanishing second moment",
        "a checkpoint or an initialiser that holds non-finite values",
    )
    advice = (
        "The weights cannot recover by themselves: restore the last checkpoint before step {step}, then lower the "
        "learning rate (lr= in the optimizer's constructor) or clip gradients before optimizer.step()."
    )
    consequence_of = ("nonfinite_input", "nonfinite_gradient", "nonfinite_loss", "exploding_gradient", *_ROOTS)


@dataclass(slots=True)
class LossMemory:
    """``clean``: finite losses since the last non-finite one; ``reported``: losses in all."""

    clean: int = 0
    reported: int = 0


class NonfiniteLoss(Rule):
    """The loss is NaN or Inf."""

    id = "nonfinite_loss"
    severity = Severity.CRITICAL
    urgent = True
    within = 0
    phase = "loss"
    meaning = "the loss is NaN or ±Inf"
    needs = "loss"
    trigger = "at once, at the step"
    source = "all surveyed tools; RULES.md"
    summary = "The loss became {value} at step {step}{where}."
    likely_causes = (
        "log, division, sqrt or exp outside its range in the loss (log(0) of a probability that underflowed)",
        "weights that a non-finite or exploding gradient destroyed in a step before",
        "non-finite values in the inputs or targets",
        "a learning rate too large: the loss overflowed",
    )
    advice = (
        "Change the line that computes the loss to the form that takes logits (torch.nn.CrossEntropyLoss, "
        "BCEWithLogitsLoss; Keras: from_logits=True) or clamp its argument (log(p.clamp_min(1e-8))); check the batch "
        "of step {step} with isfinite; if an earlier alert names a gradient or a weight, begin there."
    )
    consequence_of = ("nonfinite_input", "nonfinite_gradient", "nonfinite_weight", "exploding_gradient", *_ROOTS)
    Parameters = NonfiniteParameters
    State = LossMemory

    def observe(self, view: StepView) -> list[Finding]:
        """A finding at the first and the last non-finite loss of the batch."""
        at, values = view.scalar("loss")
        if not len(at):
            return []
        self.memory.reported += len(at)
        bad = np.flatnonzero(~np.isfinite(values))
        found = []
        if len(bad):
            for i in dict.fromkeys((int(bad[0]), int(bad[-1]))):
                evidence = {"value": _name(float(values[i])), "last_finite": _last_finite(values[:i])}
                found.append(self.finding(view, int(at[i]), Subject("loss", "loss", view.rank), evidence))
            self.memory.clean = len(at) - 1 - int(bad[-1])
        else:
            self.memory.clean += len(at)
        if self.active and self.memory.clean >= self.parameters.clean_steps:
            found.append(self.cleared(view, int(at[-1]), Subject("loss", "loss", view.rank)))
        return found

    def rewind(self) -> None:
        """A rewind heals only what is then seen to be finite."""

    def unjudged(self) -> str | None:
        """No loss was reported."""
        return None if self.memory.reported else "no loss was captured"


def _name(value: float) -> str:
    return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _last_finite(values: F64) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else None
