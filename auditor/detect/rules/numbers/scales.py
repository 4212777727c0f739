"""Numbers that leave their scale: weights that explode, values near overflow, steps that are always clipped."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.course import Course, first
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.ingest.decode import Tensor
from auditor.model import Finding, Severity, Subject

#: Largest finite number of the types that run out of range in practice.
_LARGEST: Final = {"float16": 65504.0, "bfloat16": 3.3895e38}


@dataclass(frozen=True, slots=True)
class WeightParameters:
    """Thresholds.

    ``growth``: root mean square by that of the first step, 100 (RULES.md: norm x 10²). ``size``: and
    above 1 (ours: a layer initialised with zeros or nearly so grows by any factor and is healthy).
    ``runaway``: growth that needs no harm as proof, 10⁴ (ours).
    """

    growth: float = 1e2
    size: float = 1.0
    runaway: float = 1e4


@dataclass(slots=True)
class WeightMemory:
    """``initial``: root mean square by name at the first sampled step; the losses at the start."""

    course: Course = field(default_factory=Course)
    initial: dict[str, float] = field(default_factory=dict)


class WeightExplosion(Rule):
    """Weights leave their scale, and it does harm."""

    id = "weight_explosion"
    severity = Severity.CRITICAL
    phase = "weight"
    meaning = "weights grow out of their scale"
    needs = "weight statistics (sampled), loss"
    trigger = (
        "root mean square of a weight matrix above 1 and 100 times that of the first step, while the loss is above its "
        "start, below zero or not finite; or 10⁴ times whatever the loss does"
    )
    source = "DeepDiagnosis (ICSE'22), TheDeepChecker; the proof is ours"
    summary = (
        "The weight {name} has grown {growth:.3g} times since the first step, to a root mean square of {size:.4g} "
        "(step {step}{where}); the loss is {loss}."
    )
    likely_causes = (
        "a learning rate too large: every update overshoots",
        "a penalty with the wrong sign, or a loss without a lower bound",
    )
    advice = (
        "Lower the learning rate tenfold (lr= in the optimizer's constructor); check the sign of every term that is "
        "added to the loss; add weight_decay= where nothing else bounds the weights."
    )
    consequence_of = ("exploding_gradient", "learning_rate", "loss_diverging", "input_scale", "nonfinite_gradient")
    Parameters = WeightParameters
    State = WeightMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at each sampled step; once per run."""
        memory, found = self.memory, []
        for _ in memory.course.take(view):
            pass
        for block, columns in view.blocks("weight"):
            chosen = columns[view.index.matrix[block.tensors[columns]]]
            if not len(chosen):
                continue
            names = [view.table[int(i)].name for i in block.tensors[chosen]]
            counts = np.maximum(block.stat("count")[:, chosen].astype(np.float64), 1)
            sizes = np.sqrt(block.stat("sumsq")[:, chosen].astype(np.float64) / counts)
            for name, size in zip(names, sizes[0], strict=True):
                memory.initial.setdefault(name, float(size))
            initial = np.array([memory.initial[name] for name in names])
            for row in range(len(sizes)) if not self.active else ():
                found += self._judged(view, block.first + row, names, sizes[row], initial)
        return found

    def unjudged(self) -> str | None:
        """No weight was seen."""
        return None if self.memory.initial else "no weight statistics were captured"

    def _judged(self, view: StepView, at: int, names: list[str], sizes: F64, initial: F64) -> list[Finding]:
        parameters = self.parameters
        growth = np.divide(sizes, initial, out=np.zeros_like(sizes), where=initial > 0)
        worst = int(np.argmax(np.where(sizes > parameters.size, growth, 0.0)))
        if self.active or sizes[worst] <= parameters.size or growth[worst] <= parameters.growth:
            return []
        start, loss = first(self.memory.course.losses), float(view.loss[at])
        harm = bool(view.has_loss[at]) and not 0 <= loss <= abs(start)
        if not harm and growth[worst] <= parameters.runaway:
            return []
        evidence: dict[str, Any] = {
            "growth": float(growth[worst]),
            "size": float(sizes[worst]),
            "initial_size": float(initial[worst]),
            "loss": loss,
            "initial_loss": start,
        }
        return [self.finding(view, at, Subject("weight", names[worst], view.rank), evidence)]


@dataclass(frozen=True, slots=True)
class OverflowParameters:
    """``factor``: within this factor of the type's largest number, 8 (DebugUnderflowOverflow of Hugging Face).

    ``rising``: and so many times what it was when it was first seen, 2 (ours).
    """

    factor: float = 8.0
    rising: float = 2.0


@dataclass(slots=True)
class OverflowMemory:
    """``first``: largest value by kind and name when it was first seen; ``seen``: tensors of low precision."""

    first: dict[str, float] = field(default_factory=dict)
    seen: int = 0


class NearOverflow(Rule):
    """Values of a narrow type come close to its end."""

    id = "near_overflow"
    severity = Severity.INFO
    phase = "activation"
    meaning = "activations or gradients come within a factor 8 of what their type can hold, and rise"
    needs = "statistics of float16 or bfloat16 tensors"
    trigger = "largest value above an eighth of the type's largest number, and twice what it was when first seen"
    source = "Hugging Face DebugUnderflowOverflow; RULES.md"
    summary = "The {kind} {name} reached {value:.4g} at step {step}{where}: {dtype} ends at {limit:.4g}."
    likely_causes = ("activations that grow with depth or time without normalisation", "a loss scale that is too large")
    advice = (
        "Run this layer in float32 (torch.autocast(enabled=False) around it; Keras: dtype='float32' in its "
        "constructor), or use bfloat16, which has the range of float32."
    )
    consequence_of = ("exploding_gradient", "learning_rate", "input_scale")
    Parameters = OverflowParameters
    State = OverflowMemory

    def observe(self, view: StepView) -> list[Finding]:
        """The first tensor of the first step in which one comes close; once per run."""
        seen: list[tuple[int, Tensor, dict[str, Any]]] = []
        for kind in ("activation", "output", "gradient"):
            for block, columns in view.blocks(kind) if not self.active else ():
                for column in columns:
                    tensor = view.table[int(block.tensors[column])]
                    if tensor.dtype in _LARGEST:
                        near = self._look(tensor, block.stat("absmax")[:, column].astype(np.float64))
                        seen += [(block.first + near[0], tensor, near[1])] if near is not None else []
        if not seen:
            return []
        at, tensor, evidence = min(seen, key=lambda one: one[0])
        return [self.finding(view, at, Subject(tensor.kind, tensor.name, view.rank), evidence)]

    def unjudged(self) -> str | None:
        """All is of a wide type."""
        return None if self.memory.seen else "no float16 or bfloat16 tensor was captured"

    def _look(self, tensor: Tensor, values: F64) -> tuple[int, dict[str, Any]] | None:
        """The row at which ``tensor`` comes close, and its numbers."""
        memory, parameters = self.memory, self.parameters
        memory.seen += 1
        start = memory.first.setdefault(f"{tensor.kind}/{tensor.name}", float(values[0]))
        limit = _LARGEST[tensor.dtype]
        near = (values > limit / parameters.factor) & (values > parameters.rising * start)
        if not near.any():
            return None
        at = int(np.argmax(near))
        evidence = {"kind": tensor.kind, "value": float(values[at]), "first": start, "dtype": tensor.dtype}
        return at, {**evidence, "limit": limit}


@dataclass(frozen=True, slots=True)
class ClipParameters:
    """``ratio``: norm before clipping over the threshold, 10; ``share``: of the steps, 0.9; ``steps``: 100 (OPS)."""

    ratio: float = 10.0
    share: float = 0.9
    steps: int = 100


@dataclass(slots=True)
class ClipMemory:
    """Steps with a known threshold, and how far the last of them were beyond it."""

    steps: int = 0
    ratios: list[float] = field(default_factory=list)


class ClipSaturated(Rule):
    """Every step is clipped by far: the threshold is the step size."""

    id = "clip_saturated"
    severity = Severity.INFO
    phase = "gradient"
    meaning = "nearly every step is clipped by more than a factor 10: the threshold, not the gradient, sets its size"
    needs = "norms before clipping and the threshold (PyTorch), or the declared clipping (Keras)"
    trigger = "in 90 % of the first 100 steps or more, the norm before clipping is more than 10 times the threshold"
    source = "OPS (logbooks of large runs)"
    summary = (
        "{share:.0%} of {steps} steps were clipped more than {bound:g}-fold (median {ratio:.3g}) by step {step}{where}."
    )
    likely_causes = (
        "a threshold copied from another model, or taken for a learning rate",
        "a loss that is summed where it was averaged: gradients are larger by the batch size",
    )
    advice = (
        "Set max_norm= of clip_grad_norm_ (clipnorm= in Keras) to about the 90th percentile of the norms seen before "
        "clipping, here {norm:.3g}, or remove the clipping."
    )
    Parameters = ClipParameters
    State = ClipMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Judged once, at the hundredth step of which both are known."""
        memory, parameters = self.memory, self.parameters
        norms, limits = self._pairs(view)
        for at in np.flatnonzero(np.isfinite(norms) & (limits > 0)):
            memory.steps += 1
            memory.ratios = [*memory.ratios, float(norms[at] / limits[at])][-parameters.steps :]
            if memory.steps != parameters.steps:
                continue
            share = float(np.mean(np.array(memory.ratios) > parameters.ratio))
            if share >= parameters.share:
                ratio = float(np.median(memory.ratios))
                norm = float(np.quantile(memory.ratios, 0.9)) * float(limits[at])
                evidence = {"share": share, "steps": memory.steps, "ratio": ratio, "bound": parameters.ratio}
                evidence |= {"threshold": float(limits[at]), "norm": norm}
                return [self.finding(view, int(at), Subject("gradient", "all", view.rank), evidence)]
        return []

    def unjudged(self) -> str | None:
        """Nothing is clipped, as far as can be seen."""
        return None if self.memory.steps else "no clipping was seen"

    def _pairs(self, view: StepView) -> tuple[F64, F64]:
        norms, limits = np.full(len(view), math.nan), np.zeros(len(view))
        for name, out in (("grad_norm_before_clip", norms), ("clip_threshold", limits)):
            at, values = view.scalar(name)
            out[at] = values
        told = view.run.section("optimizer", "hyperparameters").get("global_clipnorm")
        if isinstance(told, (int, float)) and told > 0:  # Keras: the gradient that is captured is not clipped yet
            return view.gradient_norm, np.full(len(view), float(told))
        return norms, limits
