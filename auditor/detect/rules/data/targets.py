"""Targets that the loss has no meaning for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.amounts import Amounts
from auditor.detect.evidence.ending import squashes
from auditor.detect.evidence.heads import Head
from auditor.detect.evidence.missing import Missing
from auditor.detect.evidence.scored import Scored, output_gradient, scored
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment
from auditor.detect.rules.data.outputs import OutputMemory, OutputRule
from auditor.detect.view import F64, StepView, due, stretches
from auditor.model import Finding, Severity, Subject

#: How far beyond 0 and 1 a binary target may be drawn and still mean one of them.
_NOISE: Final = 0.5
#: Samples that all are of one class, and the step until which they must be: sorted data begins so too.
_ALIKE: Final = 200
_LONG: Final = 100
#: Samples by class after which one that never came is missing: by chance alone at e^-10.
_SEEN: Final = 10
#: Relative difference up to which a recorded gradient is the one worked out of outputs and targets (float32 sums).
_PLAIN: Final = 1e-3
#: Recorded steps at which missing targets are looked for: the first ones show most samples, later ones if these stay.
_LOOKS: Final = frozenset({100, 200, 400})
#: Steps from one look at the course of a regression to the next.
_EVERY: Final = 50
#: Samples of an evaluation, and the part of them of unknown classes that is no rare one left out by chance (ours).
_HELD_OUT: Final = 50
_STRANGE: Final = 0.2
#: Share of the rows with several ones that shows labels which do not exclude each other (ours).
_SEVERAL: Final = 0.1


@dataclass(slots=True)
class RangeMemory(OutputMemory):
    """``samples``: labels so far that were all of class ``only``, -1 once there were others.

    ``classes``: of rows with a single 1 at most, how many had it in each place; ``empty``: how many had none.
    ``from_one``: that they are numbered from one on has been said. ``amounts``: those of a regression;
    ``missing``: those of them that are a code.
    """

    samples: int = 0
    only: float = np.nan
    classes: list[float] = field(default_factory=list)
    empty: int = 0
    from_one: bool = False
    amounts: Amounts = field(default_factory=Amounts)
    missing: Missing = field(default_factory=Missing)


class LabelRange(OutputRule):
    """Targets that the loss has no meaning for, or that answers cannot come to."""

    id = "label_range"
    severity = Severity.CRITICAL
    phase = "batch"
    meaning = (
        "targets outside what the loss can mean, classes beyond C - 1 or no 0 and 1 for a binary cross entropy; or "
        "amounts that lie too far from where a network begins"
    )
    needs = "recordings with targets and the model's output"
    trigger = (
        "in 3 recorded steps in a row, class labels below 0 (but -100, torch's mark for ignored) or at least C, or "
        "binary targets half a class or more outside 0..1, or rows with several ones under a softmax cross entropy "
        "(PyTorch); or, of one-hot rows, 10 for each class and more, some with no 1 at all, and none of the first "
        "class; or, of three classes or more with a unit each, or of two that one unit tells apart (PyTorch, a "
        "single optimizer), the same one for all of 200 recorded samples or more, up to step 100 or later; or, a "
        "warning, just so of amounts that one unit with a bias answers under a plain error of its own; or, a "
        "warning, amounts with a root mean square above 100, and either a loss that is no number within 20 steps, of "
        "which the first moved the weights by 0.3 of their size or more, but less for amounts of size 1; or, after "
        "400 steps, or 100 once the run has ended, answers not a fifth as large, and a loss that began at the cost of "
        "guessing or above, is above 0.85 of it and will not come there in four times the steps; or, a warning, one "
        "exact amount in 3 different samples and up to half, 10 times the range of all others away from them, which "
        "the loss counts: of nines (-999) or 999 and more in size, or any where 10 samples came again with the same "
        "targets; or, a warning, a fifth of 50 or more samples held out are of classes never trained on (scikit-learn)"
    )
    source = "UMLAUT (CHI'21); of amounts ours"
    summary = "Targets run from {low:g} to {high:g}; the model knows {known} (step {step}{where})."
    likely_causes = (
        "labels are numbered from 1, or the model has too few output units",
        "labels are -1 and 1 where the loss takes 0 and 1",
        "labels, or amounts of 0..1, were scaled with the inputs, or cut off to whole numbers: all became 0",
        "missing targets coded as a number (-999), left among the amounts",
        "a regression whose targets were left in their units (prices, counts): no step is large enough, or all are",
    )
    advice = (
        "Number the classes 0 … C - 1 (y - y.min(), or sklearn.preprocessing.LabelEncoder) or widen the last layer. "
        "Standardise amounts, (y - y.mean()) / y.std() with numbers of the training set, and undo it in the answers."
    )

    State = RangeMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Classes at once; amounts are only measured."""
        self.memory.amounts.observe_record(view)
        seen = scored(view)
        if seen is not None and not self.active:
            self.memory.missing.observe(view, seen, self.memory.amounts.progress.task)
        coded = self._coded(view) if view.step in _LOOKS else []
        return [*coded, *super().observe_record(view)]

    def observe(self, view: StepView) -> list[Finding]:
        """What became of a regression: at every 50th step, or when its loss is no number any more."""
        amounts, found = self.memory.amounts, []
        amounts.progress.cost.observe(view)
        for at, event in view.events("evaluation"):
            found += self._unknown(view, at, event)
        for first, after in stretches(view, _EVERY):
            amounts.observe(view, first, after)
            found += self._thrown(view)
            found += self._reached(view, after - 1, ended=False) if due(view, after - 1, _EVERY) else []
        return found

    def finish(self, last: Moment) -> list[Finding]:
        """Once more for runs that are short."""
        return self._coded(last) or self._reached(last, 0, ended=True)

    def _unknown(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        """Classes of data held out that training has no sample of: amounts, or names, that were taken for classes."""
        told = [event.get(name) for name in ("samples", "unknown", "classes")]
        samples, unknown, classes = (one if isinstance(one, int) else 0 for one in told)
        if self.active or samples < _HELD_OUT or unknown < _STRANGE * samples:
            return []
        known = (
            f"{classes} classes, and {unknown} of {samples} samples held out are of none of these: are they amounts?"
        )
        evidence = {"low": 0.0, "high": float(classes), "known": known, "classes": classes, "unknown": unknown}
        found = self.finding(view, at, Subject("output", "output0", view.rank), evidence)
        return [self._mildly(found, mild=True)]

    def _coded(self, view: RecordView | Moment) -> list[Finding]:
        """Missing targets that the loss takes for amounts."""
        told = None if self.active else self.memory.missing.found()
        if told is None:
            return []
        known = f"amounts; {told['value']:g} in {told['holding']:.0f} of {told['rows']:.0f} samples stands for a "
        known += f"missing one (all others: {told['low']:.4g} to {told['high']:.4g}), and the loss counts it"
        low, high = min(told["low"], told["value"]), max(told["high"], told["value"])
        evidence = {**told, "low": low, "high": high, "known": known}
        found = self.finding(view, 0, Subject("output", "output0", view.rank), evidence)
        return [self._mildly(found, mild=True)]

    def _reached(self, view: StepView | Moment, at: int, *, ended: bool) -> list[Finding]:
        known = None if self.active else self.memory.amounts.out_of_reach(ended=ended)
        return [self._amounts(view, at, known)] if known is not None else []

    def _thrown(self, view: StepView) -> list[Finding]:
        known = None if self.active else self.memory.amounts.thrown()
        if known is None:
            return []
        step, time = self.memory.amounts.broken
        return [self._amounts(Moment(view.attempt, view.rank, int(step), time), 0, known)]

    def _amounts(self, view: StepView | Moment, at: int, known: dict[str, Any]) -> Finding:
        amounts = self.memory.amounts
        evidence = {"low": amounts.low, "high": amounts.high, **known}
        return self._mildly(self.finding(view, at, Subject("output", "output0", view.rank), evidence), mild=True)

    def _mildly(self, found: Finding, *, mild: bool) -> Finding:
        """No more than a warning of what is no error for certain."""
        milder = mild and self.grade is Severity.CRITICAL
        return dataclasses.replace(found, severity=Severity.WARNING) if milder else found

    def judge(self, view: RecordView) -> list[Finding]:
        """Labels beyond the classes, or numbered from one on, or all of one class."""
        seen, memory = scored(view), self.memory
        main = seen is not None and not isinstance(view, Head)
        if main and seen is not None and not memory.from_one and not self.active:
            evidence = self._from_one(seen)
            memory.from_one = evidence is not None
            if evidence is not None:
                return [self.finding(view, 0, Subject("output", "output0", view.rank), evidence)]
        # That a single step looks right then clears nothing.
        return [] if main and memory.from_one else self._judge(view, seen)

    def _judge(self, view: RecordView, seen: Scored | None) -> list[Finding]:
        memory = self.memory
        if seen is None or memory.samples < 0 or isinstance(view, Head):
            return super().judge(view)
        amounts = _answerable(view, seen)
        if not (amounts or _unit_each(view, seen) or _alone(view, seen)):
            return super().judge(view)
        labels = seen.labels() if seen.family == "categorical" else _flat(seen.targets)
        if labels is None or not labels.size:
            return super().judge(view)
        one = not memory.samples or memory.only == labels[0]
        memory.samples = memory.samples + len(labels) if one and np.ptp(labels) == 0 else -1
        memory.only = float(labels[0])
        if memory.samples < _ALIKE or view.step < _LONG:
            return super().judge(view)
        if self.active:
            return []
        memory.held["output0"] = self.parameters.hold  # until a batch shows otherwise
        known = f"{max(seen.classes, 2)} classes, and of {memory.samples} recorded samples none is of another"
        known = f"amounts, and all {memory.samples} recorded samples have this one" if amounts else known
        evidence = {"low": memory.only, "high": memory.only, "known": known, "classes": seen.classes}
        return [self._mildly(self.finding(view, 0, Subject("output", "output0", view.rank), evidence), mild=amounts)]

    def _from_one(self, seen: Scored) -> dict[str, Any] | None:
        """Rows of zeros where the last class should be, and none of the first: one-hot rows of labels from 1 on."""
        memory, targets = self.memory, seen.targets
        if targets is None or targets.ndim != 2 or targets.shape != seen.outputs.shape or seen.classes < 3:
            return None
        sums = targets.sum(axis=1)
        if not bool(((targets == 0) | (targets == 1)).all()) or sums.max() > 1:
            return None
        if len(memory.classes) != seen.classes:
            memory.classes, memory.empty = [0.0] * seen.classes, 0
        memory.classes = (np.array(memory.classes) + targets.sum(axis=0)).tolist()
        memory.empty += int((sums == 0).sum())
        total = sum(memory.classes) + memory.empty
        if not memory.empty or memory.classes[0] or min(memory.classes[1:]) <= 0:
            return None
        if total < _SEEN * seen.classes:
            return None
        known = f"{seen.classes} classes from 0 on; {memory.empty} of {total:g} rows have none, and none has class 0"
        return {"low": 1.0, "high": float(seen.classes), "known": known, "classes": seen.classes}

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Labels beyond the classes."""
        targets = seen.targets
        if targets is None or not targets.size:
            return None
        if _soft(view) and targets.shape == seen.outputs.shape:
            return _many_hot(targets)
        if seen.family == "binary":
            low, high, known = float(targets.min()), float(targets.max()), "0 to 1"
            # Labels with noise on purpose (a discriminator's) still lie nearest to 0 or 1.
            wrong = low <= -_NOISE or high >= 1 + _NOISE
        else:
            labels = seen.labels() if seen.family == "categorical" and targets.size == len(seen.outputs) else None
            labels = labels[labels != -100] if labels is not None else None
            if labels is None or not labels.size or seen.classes < 2:
                return None
            low, high, known = float(labels.min()), float(labels.max()), f"classes 0 to {seen.classes - 1}"
            wrong = low < 0 or high >= seen.classes
        return {"low": low, "high": high, "known": known, "classes": seen.classes} if wrong else None


def _unit_each(view: RecordView, seen: Scored) -> bool:
    """Whether a weight has a unit for each of three classes or more: similarities have not."""
    units = any(seen.classes in gradient.shape for gradient in view.of("gradient").values())
    return seen.family == "categorical" and seen.classes > 2 and units


def _answerable(view: RecordView, seen: Scored) -> bool:
    """Whether one unit's bias alone could answer amounts: targets that are all one then need no input at all.

    Its gradient is that of a plain error of the outputs. Not so of a residual that is to vanish, or of distances from a
    centre, which networks without such a bias are trained for; of one term among several; or of a generator, whose
    opponent's weights get no gradient here.
    """
    if seen.family != "regression" or seen.classes != 1 or _several(view):
        return False
    wanted = output_gradient(seen, "")
    told = [one for one in view.of("gradient").values() if one.shape == (1,) and one.values is not None]
    return wanted is not None and any(np.isclose(one.whole(), wanted, rtol=_PLAIN, atol=0).all() for one in told)


def _several(view: RecordView) -> bool:
    several = view.run.section().get("optimizers")
    return isinstance(several, list) and len(several) > 1


def _alone(view: RecordView, seen: Scored) -> bool:
    """PyTorch: whether one optimizer trains one unit for one of two classes.

    A generator's targets are all 1 as well, and it has an opponent with an optimizer of its own.
    """
    single = seen.family == "binary" and seen.classes == 1 and not _several(view)
    return single and view.run.framework == "torch"


def _flat(targets: F64 | None) -> F64 | None:
    return None if targets is None else targets.reshape(-1)


def _soft(view: RecordView) -> bool:
    """Whether torch's graph shows a cross entropy of the model's output with a row of probabilities per sample."""
    fact = view.facts.get("loss")
    return isinstance(fact, dict) and "soft_target" in fact and squashes(view)


def _many_hot(targets: F64) -> dict[str, Any] | None:
    """Rows of zeros and ones with several ones: independent labels, where the loss takes one distribution."""
    ones = targets.reshape(-1, targets.shape[-1]).sum(axis=1)
    if not bool(((targets == 0) | (targets == 1)).all()) or float((ones > 1).mean()) <= _SEVERAL:
        return None
    known = "rows that sum to 1 (softmax makes the classes exclusive: take BCEWithLogitsLoss for independent labels)"
    return {"low": float(ones.min()), "high": float(ones.max()), "known": known, "classes": int(targets.shape[-1])}
