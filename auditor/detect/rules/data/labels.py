"""Labels that do not belong to their inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import data_loss
from auditor.detect.evidence.neighbours import Pairs
from auditor.detect.evidence.progress import Progress
from auditor.detect.evidence.torn import torn_apart
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView, due, stretches
from auditor.model import Finding, Severity, Subject

#: Steps from one judgement to the next.
_EVERY: Final = 50
#: Part of the cost of guessing below which samples of the first pass were foreseen, whatever the few hundred recorded
#: targets get wrong about that cost: three standard errors of an entropy, and of a variance (sqrt(2 / 200) each).
_SURE: Final = {"binary": 0.99, "categorical": 0.99, "regression": 0.7}


#: Of how often two labels drawn at random differ, what repeated samples must: 4 of 5 (ours: a fifth of noise, drawn
#: anew each time, tells a third of the pairs of two classes apart). Distinct inputs that can contradict themselves.
_DEALT: Final = 0.8
_DISTINCT: Final = 2


@dataclass(frozen=True, slots=True)
class MismatchParameters:
    """Thresholds, all ours.

    ``unrelated``: neighbours agree less surely than this many standard deviations, 2. ``chance``:
    the loss never fell below this part of the cost of guessing, 0.9, after ``steps`` steps, 200; or
    is still above ``slow``, 0.5, of it after ``epochs`` passes, 5, having begun the second pass no
    better than it began the first; or fell below that part of it while ``epochs`` evaluations of data
    held out never did. ``contradicted``: part of repeated inputs that came with another target
    the second time, 0.5, of at least ``repeated``, 32.
    """

    unrelated: float = 2.0
    chance: float = 0.9
    slow: float = 0.5
    steps: int = 200
    epochs: int = 5
    contradicted: float = 0.5
    repeated: int = 32


@dataclass(slots=True)
class MismatchMemory:
    """What was recorded, and the losses since; ``related``: z of the neighbours' agreement.

    ``held_out``: lowest loss of data held out, of so many ``evaluations``. ``foreseen``: what the losses at
    the end of the first pass, of samples that were never seen before, surely lay below.
    """

    pairs: Pairs = field(default_factory=Pairs)
    progress: Progress = field(default_factory=Progress)
    first_epoch: list[float] = field(default_factory=list)
    epochs: int = 0
    related: float | None = None
    judged: bool = False
    held_out: float = math.inf
    evaluations: int = 0
    foreseen: float = math.inf


class LabelMismatch(Rule):
    """Inputs and targets were shuffled apart, or never belonged together."""

    id = "label_mismatch"
    severity = Severity.WARNING
    phase = "batch"
    meaning = "targets do not belong to their inputs (shuffled apart): only memorising can lower the loss"
    needs = "recordings with batches and targets; loss; epochs where the framework tells them"
    trigger = (
        "the same sample comes with another class the second time (half of at least 32, or 0.8 of how often labels "
        "dealt out at random would); or (PyTorch) the outputs are "
        "reshaped on their way to the loss so that two extents change places, which takes a transposition; or among "
        "at least 200 recorded samples (100 of other classes than the commonest) neither nearest neighbours nor any "
        "column, nor product of two (of up to 24), agree with the targets more than chance allows, and training "
        "agrees: after 200 steps the loss is still above 0.9 times the cost of guessing, or after 5 epochs above half "
        "of it with nothing learnt in the first, or it fell and no loss of held-out data, of 5, ever came below 0.9 "
        "times that cost; not where the first pass ended surely below that cost, or data held out came to be, for what "
        "was never seen is not memorised; tables of numbers and images only"
    )
    source = "TheDeepChecker; the neighbour test is ours (Cover and Hart 1967, Henze 1988)"
    summary = "Targets seem to have nothing to do with their inputs: {what} (step {step}{where})."
    likely_causes = (
        "inputs and targets were shuffled with different permutations, or one of them was sorted or filtered alone",
        "two files or columns were joined by position instead of by key",
        "view or reshape was used where axes should change places: out.permute(0, 2, 1) for nn.CrossEntropyLoss",
    )
    advice = (
        "Shuffle both with one permutation (index = rng.permutation(len(X)); X, y = X[index], y[index], or "
        "sklearn.utils.shuffle(X, y)), then look at ten samples with their targets as the model gets them."
    )
    Parameters = MismatchParameters
    State = MismatchMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Collects samples; says at once when repeated inputs contradict themselves, or outputs are torn apart."""
        memory, torn = self.memory, torn_apart(view)
        if torn is not None and not self.active:
            return [self.finding(view, 0, Subject("output", "output0", view.rank), torn)]
        seen = memory.progress.cost.observe_record(view)
        if seen is None or self.active:
            return []
        labels = seen.labels() if seen.family == "categorical" else None
        targets = labels if labels is not None else seen.targets
        if targets is None or targets.size != len(seen.outputs) or memory.judged:
            return []
        exact = seen.family == "binary" and bool((targets == np.floor(targets)).all())  # not smoothed, nor with noise
        memory.pairs.add(view, targets.ravel(), labels=labels is not None or exact)
        again = memory.pairs.contradicted + memory.pairs.confirmed
        share = memory.pairs.contradicted / max(again, 1)
        # Of labels dealt out anew fewer than half contradict where one class is common, or there are two.
        dealt = _DEALT * _apart(memory.pairs.targets)
        # Never by fewer contradictions: targets that are all of one class are dealt alike, and contradict nothing.
        few = memory.pairs.contradicted < self.parameters.contradicted * self.parameters.repeated
        if few or again < self.parameters.repeated or share < min(self.parameters.contradicted, dealt):
            return []
        if len(memory.pairs.rows) < _DISTINCT:
            return []  # one input for all: it is the inputs that are at fault
        what = f"{share:.0%} of the inputs that came twice had another target the second time"
        evidence = {"what": what, "repeated": again, "contradicted": memory.pairs.contradicted}
        return [self.finding(view, 0, Subject("target", "target0", view.rank), evidence)]

    def observe(self, view: StepView) -> list[Finding]:
        """Judged once the neighbours disagree, at every 50th step."""
        memory, found, heard = self.memory, [], data_loss(view)
        memory.progress.cost.observe(view)
        ends, (at, held_out) = view.epochs, view.scalar("val_loss")
        for first, after in stretches(view, _EVERY, ends):
            memory.progress.add(heard[first:after])
            told = held_out[(at >= first) & (at < after)]
            memory.evaluations += len(told)
            memory.held_out = float(np.fmin.reduce(told, initial=memory.held_out))
            if after - 1 in ends:
                memory.epochs = ends[after - 1]
                if not memory.first_epoch:
                    memory.first_epoch = [memory.progress.recent]
                    memory.foreseen = _surely_below(memory.progress.losses.last)
            found += self._judge(view, after - 1) if due(view, after - 1, _EVERY) else []
        return found

    def unjudged(self) -> str | None:
        """No samples, too few, or no cost of guessing."""
        memory = self.memory
        if memory.judged and memory.related is None:
            return "fewer than 200 distinct samples with targets were recorded whole"
        if not memory.judged:
            return f"needs {self.parameters.steps} steps and recordings with batches and targets"
        return None if memory.progress.chance is not None else "the cost of guessing is not known for this loss"

    def _judge(self, view: StepView, at: int) -> list[Finding]:
        memory = self.memory
        if self.active or memory.progress.losses.count < self.parameters.steps:
            return []
        if not memory.judged:
            related = memory.pairs.dependence(self.parameters.unrelated)
            memory.related, memory.judged, memory.pairs = related, True, Pairs()
        evidence = self._stuck() if memory.related is not None and memory.related < self.parameters.unrelated else None
        return [self.finding(view, at, Subject("target", "target0", view.rank), evidence)] if evidence else []

    def _stuck(self) -> dict[str, Any] | None:
        memory, parameters = self.memory, self.parameters
        chance = memory.progress.chance
        if chance is None or chance <= 0 or self._foreseen(chance):
            return None
        recent = memory.progress.recent
        shown = {"chance": chance, "recent_loss": recent, "neighbours_z": memory.related}
        if recent > parameters.chance * chance:
            what = f"neighbours agree no more than by chance, and after {memory.progress.losses.count} steps the loss"
            return {"what": f"{what} ({recent:.4g}) is {recent / chance:.0%} of that of guessing", **shown}
        slow = memory.epochs >= parameters.epochs and recent > parameters.slow * chance
        if slow and memory.first_epoch and memory.first_epoch[0] > parameters.chance * chance:
            what = f"neighbours agree no more than by chance, and {memory.epochs} epochs only memorised"
            return {"what": what, "first_epoch_loss": memory.first_epoch[0], "epochs": memory.epochs, **shown}
        if memory.evaluations >= parameters.epochs and memory.held_out > parameters.chance * chance:
            what = "neighbours agree no more than by chance, and what was learnt helps no held-out data in "
            what += f"{memory.evaluations} evaluations (guessing costs {chance:.4g})"
            return {"what": what, "held_out": memory.held_out, "evaluations": memory.evaluations, **shown}
        return None

    def _foreseen(self, chance: float) -> bool:
        """Whether samples that were not trained on were answered surely better than by guessing: that is related.

        Those of the first pass, or those held out (not told by a weighted loss: these are not weighted).
        """
        memory, task = self.memory, self.memory.progress.task
        sure = _SURE.get(task.family, 0.0)
        if memory.foreseen < sure * chance:
            return True
        plain = not len(task.weights) or float(np.ptp(task.weights)) == 0
        return plain and memory.held_out < (sure - 3 * memory.progress.cost.unsure) * chance


def _apart(targets: F64) -> float:
    """How often two targets drawn at random differ: one less the sum of the classes' squared shares."""
    shares = np.unique(targets, return_counts=True)[1] / max(len(targets), 1)
    return 1.0 - float((shares**2).sum())


def _surely_below(losses: F64) -> float:
    """Upper end of their mean, at three standard errors."""
    return float(losses.mean() + 3 * losses.std() / math.sqrt(len(losses))) if len(losses) else math.inf
