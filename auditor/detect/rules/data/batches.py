"""What the batches are: numbers at all, new ones each time, in an order that changes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.facts import RunFacts
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import SAMPLED, StepView
from auditor.ingest.records import Recorded
from auditor.model import Finding, Severity, Subject

_DATA: Final = ("batch", "target")
#: Different batches that are remembered.
_DISTINCT: Final = 64
#: Values with a fraction from which on a single sample is told apart from all others.
_FRACTIONS: Final = 4
#: Steps of an epoch that may not all be one batch.
_EPOCH: Final = 4


@dataclass(slots=True)
class InputMemory:
    """``seen``: inputs and targets that could be judged."""

    seen: int = 0


class NonfiniteInput(Rule):
    """The data itself holds NaN or Inf."""

    id = "nonfinite_input"
    severity = Severity.CRITICAL
    within = SAMPLED
    phase = "batch"
    meaning = "NaN or Inf in inputs or targets"
    needs = "sampled statistics of batches, or recordings"
    trigger = "at once; an input that holds nothing but 0 and -Inf is left alone, for attention masks are made so"
    source = "TheDeepChecker"
    summary = "The {role} {name} holds {nan} NaN and {inf} Inf of {count} values at step {step}{where}."
    likely_causes = (
        "missing values in the data set, read as NaN",
        "a division by a spread or norm of zero, or a logarithm of zero, in the preprocessing",
    )
    advice = (
        "Find the samples: np.isnan(X).any(axis=1).nonzero(); drop or impute them (sklearn.impute.SimpleImputer), and "
        "add an epsilon to the divisor when you normalise."
    )
    State = InputMemory

    def observe(self, view: StepView) -> list[Finding]:
        """The statistics of sampled batches; once per run."""
        for block, columns in view.blocks("batch"):
            self.memory.seen += 1
            counts, nan, inf, zeros = (block.words[:, row][:, columns] for row in range(4))
            mask = (nan == 0) & (inf + zeros == counts)
            bad = ((nan + inf) > 0) & ~mask
            if bad.any() and not self.active:
                at, j = (int(place[0]) for place in np.nonzero(bad))
                name = view.table[int(block.tensors[columns[j]])].name
                seen = {"nan": int(nan[at, j]), "inf": int(inf[at, j]), "count": int(counts[at, j])}
                return [
                    self._found(view, block.first + at, name, "target" if name.startswith("target") else "input", seen)
                ]
        return []

    def observe_record(self, view: RecordView) -> list[Finding]:
        """The first recorded array of data that is not finite; once per run."""
        for role in _DATA:
            for name, one in view.of(role).items():
                counts = _nonfinite(one)
                self.memory.seen += counts is not None
                if counts is not None and counts["nan"] + counts["inf"] and not self.active:
                    return [self._found(view, 0, name, "target" if role == "target" else "input", counts)]
        return []

    def unjudged(self) -> str | None:
        """No data was seen."""
        return None if self.memory.seen else "no batch was captured"

    def _found(self, view: Any, at: int, name: str, role: str, counts: dict[str, int]) -> Finding:
        kind = "batch" if role == "input" else "target"
        return self.finding(view, at, Subject(kind, name, view.rank), {"role": role, **counts})


def _nonfinite(one: Recorded) -> dict[str, int] | None:
    values = one.values
    if values is None or values.dtype.kind != "f":
        return None
    nan, infinite = int(np.isnan(values).sum()), np.isinf(values)
    mask = not nan and bool(((values == 0) | (infinite & (values < 0))).all())
    return {"nan": nan, "inf": 0 if mask else int(infinite.sum()), "count": int(values.size)}


def _by_itself(run: RunFacts) -> bool:
    """Whether the loop fetches its batches by itself: TensorFlow's own loops, and PyTorch without a loader of workers.

    Of PyTorch only once its loaders were told: the manifest may come late.
    """
    told = run.section("canonical").get("loaders")
    loaders = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else None
    alone = loaders is not None and not any(_several(one.get("workers")) for one in loaders)
    return run.framework == "tensorflow" or (run.framework == "torch" and alone)


def _several(workers: Any) -> bool:
    return isinstance(workers, int) and workers > 1


def _state(one: Recorded) -> bool:
    """Whether a batch is a single sample of whole numbers: a state that a game comes back to, or stays in."""
    values = one.values
    single = values is not None and len(one.shape) > 0 and one.shape[0] == 1
    return single and values is not None and int((values != np.floor(values)).sum()) < _FRACTIONS


@dataclass(frozen=True, slots=True)
class RepeatParameters:
    """``times``: neighbouring steps with the same batch, 4; ``beyond``: times what chance gives, 3 (ours)."""

    times: int = 4
    beyond: float = 3.0


@dataclass(slots=True)
class Repeats:
    """Batches by their digests: the last one, how often one came again at once, and which there were."""

    last: int = -1
    last_step: int = -1
    seen: int = 0
    repeated: int = 0
    distinct: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    """How often each of ``distinct`` came."""

    @property
    def expected(self) -> float:
        """Neighbours that are equal in a random order of these batches: a rare one has few, a frequent one many."""
        return sum(times * (times - 1) for times in self.times) / self.seen if self.seen else 0.0

    def take(self, step: int, digest: int) -> None:
        """The batch of ``step``."""
        self.seen += 1
        if digest in self.distinct:
            self.times[self.distinct.index(digest)] += 1
        elif len(self.distinct) < _DISTINCT:
            self.distinct.append(digest)
            self.times.append(1)
        self.repeated += int(step == self.last_step + 1 and digest == self.last)
        self.last, self.last_step = digest, step


@dataclass(slots=True)
class RepeatMemory:
    """Repeats among recorded batches, among digests of all steps, and among those of this epoch.

    ``restarted``: batches of a loader that is begun anew at every step, 0: none was told of.
    ``single``: each batch is one sample of few possible ones, as the states of a game are.
    ``restarted``: batches of a loader that is begun anew at every step, 0: none was told of. ``again``: what was
    told of a batch that is made anew for every step and always the same; ``scored``: samples of an evaluation.
    """

    recorded: Repeats = field(default_factory=Repeats)
    told: Repeats = field(default_factory=Repeats)
    epoch: Repeats = field(default_factory=Repeats)
    restarted: int = 0
    single: bool = False
    again: dict[str, int] = field(default_factory=dict)
    scored: int = 0


class RepeatedBatches(Rule):
    """The same batch comes twice in a row, again and again."""

    id = "repeated_batches"
    severity = Severity.WARNING
    phase = "batch"
    meaning = "the same samples again and again within a pass over the data, as by workers with equal seeds"
    needs = "digests of the batches, or recordings with batches"
    trigger = (
        "a batch equals the one just before it, 4 times among at least 3 different ones, and 3 times as often as "
        "these batches in a random order (not single samples of whole numbers, the states of a game, nor in TensorFlow "
        "loops, or PyTorch ones without a loader of several workers); or a loader of several "
        "batches is begun anew at every step and always gives the same; or the first 50 steps (scikit-learn: calls of "
        "partial_fit) were given the same samples in an array made anew for each, while the array that they are cut "
        "out of, or an evaluation, has more; or all batches of an epoch of "
        "at least 4 steps are one and the same (a run on one batch whose epochs are single steps is none: full-batch "
        "training, overfitting one batch on purpose)"
    )
    source = "TrainCheck (OSDI'25); the counts are ours"
    summary = "{repeated} of {seen} batches were the same as the one before: {what} (step {step}{where})."
    likely_causes = (
        "data loader workers that draw with the same NumPy seed: each makes the same samples",
        "an iterator or a generator that is made anew, or does not move on, at each step",
        "a seed that is set within the loop",
    )
    advice = (
        "Give each worker a seed of its own: DataLoader(..., worker_init_fn=lambda i: np.random.seed("
        "torch.initial_seed() % 2**32)), or draw with torch instead of NumPy; make the iterator once per epoch, and "
        "let a generator move its index on."
    )
    consequence_of = ("input_scale",)  # inputs that were destroyed are the same in all batches
    Parameters = RepeatParameters
    State = RepeatMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Compares the digests of all steps, and looks at each epoch as it ends."""
        memory, found = self.memory, []
        at, digests = view.scalar("batch_digest")
        ends = {place: event for place, event in view.events("epoch") if isinstance(event.get("steps"), int)}
        told = dict(zip(at.tolist(), digests.tolist(), strict=True))
        for place in sorted({*told, *ends}):
            if place in told:
                step, digest = int(view.steps[place]), int(told[place])
                memory.told.take(step, digest)
                memory.epoch.take(step, digest)
                found += self._repeated(view, place, memory.told, "input0")
            if place in ends:
                found += self._one_batch(view, place, int(ends[place]["steps"]))
                memory.epoch = Repeats()
        for _, event in view.events("loader_restarted"):
            memory.restarted = batches if isinstance(batches := event.get("batches"), int) else 0
        for _, event in view.events("evaluation"):
            samples, heard = event.get("samples"), event.get("losses")
            memory.scored = max(memory.scored, samples) if isinstance(samples, int) and heard else memory.scored
        for _, event in view.events("batch_repeated"):
            memory.again = {name: value for name, value in event.items() if isinstance(value, int)}
        last = max(told, default=0)
        return found + (self._first_only(view, last) or self._stands_still(view, last))

    def _stands_still(self, view: StepView, at: int) -> list[Finding]:
        """All steps on the same samples, made anew for each, while the program holds more of them."""
        told, samples = self.memory.again, self.memory.again.get("samples", 0)
        more = max(told.get("of", 0), self.memory.scored)
        if self.active or not samples or more <= samples:
            return []
        where = "they are cut out of" if told.get("of", 0) >= self.memory.scored else "it is evaluated on"
        evidence = {"repeated": told["steps"] - 1, "seen": told["steps"], "distinct": 1, "samples": samples}
        what = f"each is made anew, of the same {samples} samples, while {where} {more}"
        return [self.finding(view, at, Subject("batch", "input0", view.rank), {"what": what, "more": more, **evidence})]

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Compares each recorded training batch with that of the step before."""
        batches = [one.values for one in view.of("batch").values() if one.values is not None and one.values.size]
        if view.phase != "train" or not any(values.min() < values.max() for values in batches):
            return []
        self.memory.single = all(_state(one) for one in view.of("batch").values())
        # A closure that is evaluated several times is shown the same batch as often: it counts once.
        once = dict.fromkeys(values.tobytes() for values in batches)
        self.memory.recorded.take(view.step, zlib.crc32(b"".join(once)))
        return self._repeated(view, 0, self.memory.recorded, next(iter(view.of("batch"))))

    def unjudged(self) -> str | None:
        """Too few batches."""
        enough = max(self.memory.recorded.seen, self.memory.told.seen) >= self.parameters.times
        return None if enough else "too few batches were recorded"

    def _repeated(self, view: StepView | RecordView, at: int, repeats: Repeats, name: str) -> list[Finding]:
        if self.active or repeats.repeated < self.parameters.times or len(repeats.distinct) < 3:
            return []
        if _by_itself(view.run):
            return []  # a loop without workers takes inner steps on one batch (Reptile, PPO, data echoing)
        if repeats.repeated < self.parameters.beyond * repeats.expected or self.memory.single:
            return []  # as often as batches drawn from so few would
        evidence = {"repeated": repeats.repeated, "seen": repeats.seen, "distinct": len(repeats.distinct)}
        what = f"workers or an iterator that repeat, among {len(repeats.distinct)} different ones"
        return [self.finding(view, at, Subject("batch", name, view.rank), {"what": what, **evidence})]

    def _one_batch(self, view: StepView, at: int, steps: int) -> list[Finding]:
        """An epoch of a ``fit`` that was one batch."""
        epoch = self.memory.epoch
        if view.run.framework == "tensorflow":
            return []  # passes of a loop of one's own are inferred: what began anew may be an evaluation's data
        if self.active or steps < _EPOCH or epoch.seen < steps or len(epoch.distinct) != 1:
            return []
        evidence = {"repeated": epoch.repeated, "seen": epoch.seen, "distinct": 1}
        what = f"one batch made a whole epoch of {steps} steps"
        return [self.finding(view, at, Subject("batch", "input0", view.rank), {"what": what, **evidence})]

    def _first_only(self, view: StepView, at: int) -> list[Finding]:
        """Judged once enough steps are told, which may be after the event: a traced loop is read with a delay."""
        told, batches = self.memory.told, self.memory.restarted
        if self.active or batches < 2 or told.seen < _EPOCH or len(told.distinct) != 1:
            return []
        evidence = {"repeated": told.repeated, "seen": told.seen, "distinct": 1, "batches": batches}
        what = f"the loader is begun anew at every step, and only the first of its {batches} batches is seen"
        return [self.finding(view, at, Subject("batch", "input0", view.rank), {"what": what, **evidence})]
