"""What the batches are: numbers at all, new ones each time, in an order that changes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.ingest.records import Recorded
from auditor.model import Finding, Severity, Subject

_DATA: Final = ("batch", "target")


@dataclass(slots=True)
class InputMemory:
    """``seen``: inputs and targets that could be judged."""

    seen: int = 0


class NonfiniteInput(Rule):
    """The data itself holds NaN or Inf."""

    id = "nonfinite_input"
    severity = Severity.CRITICAL
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


@dataclass(frozen=True, slots=True)
class RepeatParameters:
    """``times``: neighbouring recorded steps with the same batch, of ``of`` at most, 4 of 20 (ours)."""

    times: int = 4


@dataclass(slots=True)
class RepeatMemory:
    """Digest of the last batch, how often it came again at once, and how many different ones there were."""

    last: int = -1
    last_step: int = -1
    seen: int = 0
    repeated: int = 0
    distinct: list[int] = field(default_factory=list)


class RepeatedBatches(Rule):
    """The same batch comes twice in a row, again and again."""

    id = "repeated_batches"
    severity = Severity.WARNING
    phase = "batch"
    meaning = "the same samples again and again within a pass over the data, as by workers with equal seeds"
    needs = "digests of the batches, or recordings with batches"
    trigger = (
        "a batch equals the one just before it, element for element, 4 times among at least 3 different ones; a run on "
        "one batch only (full-batch training, overfitting one batch on purpose) is none"
    )
    source = "TrainCheck (OSDI'25); the counts are ours"
    summary = (
        "{repeated} of {seen} batches were the same as the one before, among {distinct} different ones "
        "(step {step}{where})."
    )
    likely_causes = (
        "data loader workers that draw with the same NumPy seed: each makes the same samples",
        "an iterator or a generator that is made anew at every step, or a seed that is set within the loop",
    )
    advice = (
        "Give each worker a seed of its own: DataLoader(..., worker_init_fn=lambda i: np.random.seed("
        "torch.initial_seed() % 2**32)), or draw with torch instead of NumPy; make the iterator once per epoch."
    )
    Parameters = RepeatParameters
    State = RepeatMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Compares each recorded training batch with that of the step before."""
        batches = [one.values for one in view.of("batch").values() if one.values is not None and one.values.size]
        if view.phase != "train" or not any(values.min() < values.max() for values in batches):
            return []
        memory, digest = self.memory, zlib.crc32(b"".join(values.tobytes() for values in batches))
        memory.seen += 1
        follows = view.step == memory.last_step + 1
        if digest not in memory.distinct and len(memory.distinct) < 64:
            memory.distinct.append(digest)
        if follows and digest == memory.last:
            memory.repeated += 1
        memory.last, memory.last_step = digest, view.step
        if self.active or memory.repeated < self.parameters.times or len(memory.distinct) < 3:
            return []
        evidence = {"repeated": memory.repeated, "seen": memory.seen, "distinct": len(memory.distinct)}
        return [self.finding(view, 0, Subject("batch", next(iter(view.of("batch"))), view.rank), evidence)]

    def unjudged(self) -> str | None:
        """Too few batches."""
        return None if self.memory.seen >= self.parameters.times else "too few batches were recorded"


@dataclass(slots=True)
class OrderMemory:
    """Digest of the last epoch's order, and how many epochs in a row had it."""

    last: str = ""
    same: int = 0
    epochs: int = 0


class DataOrderFixed(Rule):
    """Every epoch brings the samples in the same order."""

    id = "data_order_fixed"
    severity = Severity.INFO
    phase = "batch"
    meaning = "the order of the data is the same in every epoch: it is not shuffled"
    needs = "epoch events with a digest of the order"
    trigger = "3 epochs of more than one step have the same order"
    source = "seeds"
    summary = "The data comes in the same order in every epoch ({epochs} so far; step {step}{where})."
    likely_causes = (
        "shuffle=False (PyTorch DataLoader's default), or batches cut by index in a loop",
        "a seed that is set again at the start of every epoch",
    )
    advice = (
        "Shuffle every epoch: DataLoader(..., shuffle=True); tf.data: dataset.shuffle(n); by hand: rng.permutation(n)."
    )
    State = OrderMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Counts epochs of equal order."""
        memory = self.memory
        for at, event in view.events("epoch"):
            order, steps = str(event.get("order") or ""), event.get("steps")
            if not order or not isinstance(steps, int) or steps < 2:
                continue
            memory.epochs += 1
            memory.same = memory.same + 1 if order == memory.last else 1
            memory.last = order
            if memory.same == 3 and not self.active:
                return [
                    self.finding(
                        view, at, Subject("batch", "order", view.rank), {"epochs": memory.same, "order": order}
                    )
                ]
        return []

    def unjudged(self) -> str | None:
        """No epochs were told."""
        return None if self.memory.epochs >= 3 else "fewer than 3 epochs with a digest of their order"
