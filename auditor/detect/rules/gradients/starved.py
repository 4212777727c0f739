"""Parameters that no gradient reaches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.course import Course, first, middle
from auditor.detect.evidence.embeddings import embeddings
from auditor.detect.evidence.fresh import fresh
from auditor.detect.evidence.owned import held, trainable
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView, layer_of
from auditor.model import Finding, Severity, Subject

#: Marks at which it is judged: steps with a loss.
_MARKS: Final = (50, 100, 200, 400)
#: What an event tells of a variable's values.
_SPREAD: Final = ("mean", "std", "absmax")
#: Of the last steps with gradients, how many are looked at, and in how many of them nothing had one (ours).
_LAST: Final = 50
_DRY: Final = 45
#: Part of the first losses above which a loss whose gradients are gone has not ended (ours).
_OPEN: Final = 0.1
#: Elements of a weight below which zeros may be chance: one dead unit's bias.
_FEWEST: Final = 8


@dataclass(slots=True)
class StarvedMemory:
    """``zero``: tensors whose gradient was all zeros; ``fed``: those that had one; ``ran``: layers that ran."""

    course: Course = field(default_factory=Course)
    zero: dict[str, int] = field(default_factory=dict)
    fed: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    dry: list[int] = field(default_factory=list)
    """Of the last 50 steps with gradients: 1 where those of all tensors were zeros."""


class ZeroGradient(Rule):
    """Parameters that the optimizer holds never get a gradient."""

    id = "zero_gradient"
    severity = Severity.WARNING
    phase = "gradient"
    meaning = "parameters that require a gradient never get one: none at all, or nothing but zeros"
    needs = "gradient statistics; for those without any, what the optimizer holds"
    trigger = (
        "after 50 steps with a loss other than 0: weights (8 elements or more) whose gradients were zeros in every "
        "step; or parameters that the optimizer holds, that ask for a gradient and never had one, if none has, or if "
        "their layer ran in the forward pass, or if they are the first ones of the model, or all that one of several "
        "optimizers holds; embeddings are left out; or (TensorFlow loops) variables that look new, were at work under "
        "the tapes that were asked for their gradients, never had one and were never assigned; or in 45 of the "
        "last 50 steps no parameter at all had a gradient other than zero, and the loss is above a tenth of the first"
    )
    source = "DeepDiagnosis (ICSE'22), TrainCheck (OSDI'25); RULES.md"
    summary = "{count} of {parameters} parameters had no gradient in {steps} steps, {name} first: {why}{where}."
    likely_causes = (
        "the graph is cut: .detach(), .data, .numpy(), torch.no_grad() or tf.stop_gradient on the way to the loss",
        "units that are dead from the start, or weights of zeros behind them",
        "gradients that underflow in float16 without loss scaling",
    )
    advice = (
        "Follow the forward pass from {name} to the loss and remove what cuts it (compute the loss with functions of "
        "the framework); freeze what is not to learn: requires_grad_(False), and leave it out of the optimizer."
    )
    consequence_of = (
        *("dead_units", "symmetric_units", "poor_init", "saturated_units", "scaler_stuck", "input_scale"),
        "constant_output",
    )
    State = StarvedMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Takes the gradients in; judged at fixed numbers of steps, once per run."""
        memory, before = self.memory, 0
        if self.active:
            return []
        for at, event in view.events("unapplied"):
            if found := self._in_vain(view, at, event):
                return found
        for mark, at, losses in memory.course.take(view):
            self._count(view, before, at + 1)
            before = at + 1
            finite = losses[np.isfinite(losses)]
            if mark in _MARKS and len(finite) and bool((finite != 0).any()):
                found = self._judge(view, at, mark) or self._dried(view, at, finite)
                if found:
                    return found
        self._count(view, before, len(view))
        return []

    def unjudged(self) -> str | None:
        """Too few steps."""
        return None if self.memory.course.steps >= _MARKS[0] else f"needs {_MARKS[0]} steps with a loss"

    def _count(self, view: StepView, since: int, until: int) -> None:
        memory, fed = self.memory, set(self.memory.fed)
        for block, columns in view.blocks("gradient"):
            low, high = block.rows(since, until)
            if low >= high:
                continue
            chosen = block.words[low:high]
            dead = np.all(chosen[:, 3][:, columns] >= chosen[:, 0][:, columns], axis=1)
            memory.dry = [*memory.dry, *dead.astype(int).tolist()][-_LAST:]
            # Anything but zeros: numbers, or what is none.
            live = np.any(chosen[:, 3][:, columns] < chosen[:, 0][:, columns], axis=0).tolist()
            for column, alive in zip(columns, live, strict=True):
                name = view.table[int(block.tensors[column])].name
                if alive and name not in fed:
                    memory.fed.append(name)
                    memory.zero.pop(name, None)
                elif not alive and name not in memory.fed:
                    memory.zero[name] = memory.zero.get(name, 0) + high - low
        for block, columns in view.blocks("activation"):
            low, high = block.rows(since, until)
            if low >= high:
                continue
            names = [view.table[int(block.tensors[column])].name for column in columns]
            memory.ran += [name for name in names if name not in memory.ran]

    def _judge(self, view: StepView, at: int, mark: int) -> list[Finding]:
        memory = self.memory
        sizes = {tensor.name: int(np.prod(tensor.shape)) for tensor in view.table if tensor.kind == "gradient"}
        skip = embeddings(view)
        fed = set(memory.fed)
        zero = [n for n in memory.zero if sizes.get(n, 0) >= _FEWEST and layer_of(n) not in skip and n not in fed]
        zero = [name for name in zero if not self._cancels(view, name, fed)]
        wanted = [name for name in _wanted(view) if layer_of(name) not in skip]
        # What was never looked at came under another name, or is of a later part of the run: nothing is known of it.
        looked = {tensor.name for tensor in view.table if tensor.kind == "weight"}
        absent = [n for n in wanted if n not in fed and n not in memory.zero and (n in looked or not looked)]
        if absent and fed and not zero:
            opening = wanted[: next((i for i, name in enumerate(wanted) if name in fed), 0)]
            alone = {name for owned in _owned(view) if not fed.intersection(owned) for name in owned}
            absent = [name for name in absent if layer_of(name) in memory.ran or name in opening or name in alone]
        starved = zero or absent
        if not starved:
            return []
        why = "their gradients are zeros throughout" if zero else "none ever reached them"
        evidence: dict[str, Any] = {"count": len(starved), "parameters": len(fed) + len(memory.zero) + len(absent)}
        evidence |= {"steps": mark, "why": why, "names": starved[:16]}
        return [self.finding(view, at, Subject("gradient", starved[0], view.rank), evidence)]

    def _dried(self, view: StepView, at: int, losses: F64) -> list[Finding]:
        """Gradients that all became zeros, of a loss that has not: too small for their type, or nothing lets them pass.

        Where they end because everything is learnt the loss has ended too.
        """
        memory, start, now = self.memory, first(losses, _LAST), middle(losses[-_LAST:])
        if len(memory.dry) < _LAST or sum(memory.dry) < _DRY or not now > _OPEN * start > 0:
            return []
        names = list(memory.fed)
        why = f"in {sum(memory.dry)} of the last {_LAST} steps every gradient was zero, and the loss is {now:.4g}"
        evidence = {"count": len(names), "parameters": len(names) + len(memory.zero), "steps": _LAST, "why": why}
        subject = Subject("gradient", names[0] if names else next(iter(memory.zero)), view.rank)
        return [self.finding(view, at, subject, evidence | {"names": names[:16]})]

    def _in_vain(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        """Variables that a tape was asked about in vain: nothing leads from them to the loss."""
        told = [one for one in event.get("variables") or () if isinstance(one, Mapping)]
        asked = [one for one in told if one.get("asked") is True]
        new = [one for one in asked if fresh(one.get("shape") or (), {name: float(one[name]) for name in _SPREAD})]
        if not new:
            return []
        names, moved = [str(one["name"]) for one in asked], event.get("moved")
        total = len(told) + (moved if isinstance(moved, int) else 0)
        why = "the tape was asked for them and gave None, for nothing leads from them to the loss"
        evidence = {"count": len(names), "parameters": total, "steps": int(view.steps[at]), "why": why}
        return [
            self.finding(
                view, at, Subject("gradient", str(new[0]["name"]), view.rank), evidence | {"names": names[:16]}
            )
        ]

    def _cancels(self, view: StepView, name: str, fed: set[str]) -> bool:
        """Whether ``name`` is a bias beside weights that do learn: differences of outputs, or what follows, undo it."""
        matrices = {t.name for t in view.table if t.kind == "gradient" and sum(n > 1 for n in t.shape) >= 2}
        return name not in matrices and any(layer_of(other) == layer_of(name) for other in fed & matrices)


def _frozen(view: StepView, name: str) -> bool:
    """Whether a parameter declared at the first step that it asks for no gradient: left out on purpose."""
    declared = view.run.tensors.get(name)
    return isinstance(declared, Mapping) and declared.get("trainable") is False


def _owned(view: StepView) -> list[list[str]]:
    """The parameters of each declared optimizer, of several."""
    several = view.run.section().get("optimizers")
    told = [one.get("groups") or () for one in several if isinstance(one, Mapping)] if isinstance(several, list) else []
    return [
        [str(n) for group in own if isinstance(group, Mapping) for n in group.get("parameters") or ()] for own in told
    ]


def _wanted(view: StepView) -> list[str]:
    """Parameters that were to get a gradient: what torch's optimizers hold, what Keras declares trainable."""
    known = held(view.run)
    if known is not None:
        # A second optimizer's parameters need not be the model's: they are in the table all the same.
        tensors = [*view.run.tensors, *(tensor.name for tensor in view.table if tensor.kind == "weight")]
        return [name for name in dict.fromkeys(tensors) if name in known and not _frozen(view, name)]
    # What a TensorFlow loop does not apply may have gradients all the same: unchanged_parameters tells.
    return [] if view.run.framework == "tensorflow" else trainable(view.run)
