"""Embeddings of which hardly anything is looked up."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from auditor.detect.evidence.embeddings import embeddings, largest
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import I64, StepView, layer_of
from auditor.ingest.records import Recorded
from auditor.model import Finding, Severity, Subject


@dataclass(frozen=True, slots=True)
class EmbeddingParameters:
    """``rows``: rows that were looked up in a step at most, 2 of at least ``least``, 16; ``steps``: 50 (ours).

    Of recorded sequences of indices, at least ``length``, 4, long: ``batches``, 16; ``share``: how often the
    commonest index stands before another one, and how often behind it, 0.8 (the commonest word of a language has
    5 to 10 % of a text, the blank among characters a fifth; padding stands on one side of a text alone, and once);
    ``distinct``: part of the rows that occur at all, 0.1 (ours: events that are rare among a blank occur all the
    same).
    """

    rows: int = 2
    least: int = 16
    steps: int = 50
    length: int = 4
    batches: int = 16
    share: float = 0.8
    distinct: float = 0.1


@dataclass(slots=True)
class EmbeddingMemory:
    """By embedding: steps with a gradient, and the most rows that had one in a step.

    ``counts``: how often each index occurred in the recorded sequences, ``batches`` of them; ``beside``: of the
    indices that are not the commonest, how many have one before them, before how many that is the commonest, and
    the same behind them.
    """

    steps: dict[str, int] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    beside: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    batches: int = 0
    rows: int = 0


class EmbeddingUnused(Rule):
    """Of a whole embedding only a row or two are ever looked up."""

    id = "embedding_unused"
    severity = Severity.INFO
    phase = "batch"
    meaning = "of an embedding hardly any rows are ever looked up"
    needs = "gradient statistics or recorded batches of indices; an embedding among the declared layers"
    trigger = (
        "in each of 50 steps at most 2 rows of an embedding of 16 rows or more have a gradient other than zero; or, a "
        "warning, in 16 recorded batches of sequences the commonest index stands before and behind four in five of the "
        "others, and no more than a tenth of the embedding's rows occurs at all"
    )
    source = "TrainCheck (OSDI'25); the bounds are ours"
    summary = "Of the {rows} rows of {name} hardly any are looked up: {what}{where}."
    likely_causes = (
        "every token maps to the unknown index: the vocabulary and the tokens do not fit (case, white space, type)",
        "indices that are clipped, or divided, before the lookup",
    )
    advice = "Print the indices of one batch and their shares of unknown and padding; rebuild the vocabulary."
    Parameters = EmbeddingParameters
    State = EmbeddingMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Counts rows by what is not zero; once per run."""
        chosen = embeddings(view)
        for block, columns in view.blocks("gradient") if chosen and not self.active else ():
            for column in columns:
                tensor = view.table[int(block.tensors[column])]
                if layer_of(tensor.name) in chosen and len(tensor.shape) == 2 and tensor.shape[1]:
                    found = self._count(view, block, int(column), tensor)
                    if found:
                        return found
        return []

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Counts what is looked up; judged once."""
        memory, parameters = self.memory, self.parameters
        if self.active or memory.batches >= parameters.batches or view.phase != "train":
            return []
        name, rows = largest(view.run)
        if rows < parameters.least:
            return []
        batches = [
            ids for one in view.of("batch").values() if (ids := _sequences(one, rows, parameters.length)) is not None
        ]
        if not batches:
            return []
        memory.batches, memory.rows = memory.batches + 1, rows
        for ids in batches:
            self._tally(ids)
        return self._judge(view, name) if memory.batches == parameters.batches else []

    def unjudged(self) -> str | None:
        """There is no embedding."""
        known = self.memory.steps or self.memory.batches
        return None if known else "no embedding with gradients was seen"

    def _tally(self, ids: I64) -> None:
        """Add these; once too many rows occur it does not matter which."""
        memory, counts = self.memory, self.memory.counts
        if len(counts) > self.parameters.distinct * memory.rows:
            return
        values, often = np.unique(ids, return_counts=True)
        for key, times in zip(values, often, strict=True):
            counts[str(key)] = counts.get(str(key), 0) + int(times)
        common = ids == values[often.argmax()]
        other = ~common
        seen = [other[:, 1:].sum(), (other[:, 1:] & common[:, :-1]).sum()]
        seen += [other[:, :-1].sum(), (other[:, :-1] & common[:, 1:]).sum()]
        memory.beside = [before + int(now) for before, now in zip(memory.beside, seen, strict=True)]

    def _judge(self, view: RecordView, name: str) -> list[Finding]:
        memory = self.memory
        rows, total = memory.rows, sum(memory.counts.values())
        key, times = max(memory.counts.items(), key=lambda one: one[1])
        before, hits_before, behind, hits_behind = memory.beside
        share = min(hits_before / max(before, 1), hits_behind / max(behind, 1)) if times < total else 1.0
        if len(memory.counts) > max(self.parameters.distinct * rows, 1) or share < self.parameters.share:
            return []
        what = f"{times / total:.0%} of the indices in {memory.batches} batches are {key}"
        evidence = {"what": what, "rows": rows, "distinct": len(memory.counts), "share": times / total}
        evidence |= {"beside": share, "index": int(key)}
        found = self.finding(view, 0, Subject("weight", name, view.rank), evidence)
        return [dataclasses.replace(found, severity=Severity.WARNING) if self.grade is Severity.INFO else found]

    def _count(self, view: StepView, block: Any, column: int, tensor: Any) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        rows, width = tensor.shape
        used = (block.words[:, 0, column].astype(np.int64) - block.words[:, 3, column]) / width
        before = memory.steps.get(tensor.name, 0)
        room = max(parameters.steps - before, 0)
        memory.steps[tensor.name] = before + len(used)
        if not room or rows < parameters.least:
            return []
        most = max(memory.most.get(tensor.name, 0.0), float(used[:room].max(initial=0.0)))
        memory.most[tensor.name] = most
        if len(used) < room or not 0 < most <= parameters.rows:
            return []
        what = f"{most:g} at most in each of {parameters.steps} steps"
        evidence = {"what": what, "most": most, "rows": rows, "steps": parameters.steps}
        return [self.finding(view, block.first + room - 1, Subject("weight", tensor.name, view.rank), evidence)]


def _sequences(one: Recorded, rows: int, length: int) -> I64 | None:
    """Sequences of indices into so many rows, shape (N, L): whole numbers; None if it is none, or not all there."""
    if one.values is None or one.sampled or len(one.shape) != 2 or one.shape[1] < length or not one.size:
        return None
    values = one.whole()
    if values.dtype.kind not in "iuf" or not (np.isfinite(values) & (values == np.floor(values))).all():
        return None
    ids = values.astype(np.int64)
    return ids if ids.min() >= 0 and ids.max() < rows else None
