"""Data that comes in the same order in every epoch: not shuffled, or class by class."""

from __future__ import annotations

import dataclasses
import itertools
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.ingest.records import Recorded
from auditor.model import Finding, Severity, Subject

#: Epochs in a row that have one order.
_EPOCHS: Final = 3
#: Recorded batches, and classes, that are remembered.
_BATCHES: Final = 64
#: Variance of batch means over what chance gives, from which data counts as sorted; and batches that it takes.
_SORTED: Final = 3.0
_SORTED_BATCHES: Final = 8
#: Share of one class in a batch that is mostly of one; in all the data it must be 1.5 times less (ours).
_PURE: Final = 0.75
#: Recorded batches that are each of one class, and samples in each: at random not even two classes would do that.
_ALONE: Final = 16
_ALONE_SAMPLES: Final = 8


@dataclass(slots=True)
class OrderMemory:
    """Digest of the last epoch's order, how many epochs in a row had it, and each recorded batch's targets.

    ``means``, ``spreads``, ``counts``: mean, variance and number of the targets (of classes, where they
    are some) of a batch. ``pure``: share of its commonest class; ``classes``: samples of each class in
    all. ``told``: a loader tells the epochs. ``head``, ``crc``, ``length``: first digest of the pass
    that is under way, digest of its order, its steps so far.
    """

    last: str = ""
    same: int = 0
    epochs: int = 0
    means: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    pure: list[float] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    alone: list[float] = field(default_factory=list)
    """The class that three quarters of each recorded batch are of; NaN where there is none, or few samples."""
    told: bool = False
    head: int = -1
    crc: int = 0
    length: int = 0

    def take(self, digest: int) -> str:
        """The batch of a step; the order of the pass that it ends, "" where it ends none of several steps."""
        order = f"{self.length}/{self.crc:08x}" if digest == self.head and self.length > 1 else ""
        if digest == self.head or self.head < 0:
            self.head, self.crc, self.length = digest, 0, 0
        self.crc, self.length = zlib.crc32(str(digest).encode(), self.crc), self.length + 1
        return order

    @property
    def by_class(self) -> bool:
        """Whether batches are mostly of one class, of several, and far more so than by chance."""
        total = sum(self.classes.values())
        if not total or len(self.pure) < _SORTED_BATCHES:
            return False
        pure, common = float(np.median(self.pure)), max(self.classes.values()) / total
        return pure >= max(_PURE, 1.5 * common) and self.sorted > _SORTED

    @property
    def one_each(self) -> bool:
        """Whether every recorded batch is of one class, of several, and the classes come in an order.

        Those of a class stand together, or each class is followed by always the same one of three or more. Two by
        turns are real and generated ones; classes in a random order are made so, of one person's samples each.
        """
        only = np.array(self.alone)
        if len(only) < _ALONE or len(self.pure) < len(only) or min(self.pure) < 1 or np.isnan(only).any():
            return False
        after = [(first, then) for first, then in itertools.pairwise(only.tolist()) if first != then]
        several = len(np.unique(only))
        together, in_turn = 2 * len(after) < len(only), several > 2 and len(set(after)) <= several
        return several > 1 and (together or in_turn)

    @property
    def one_after_another(self) -> bool:
        """Whether most recorded batches are mostly of one class, and of three or more each comes, and is gone for good.

        So sorted data looks behind a buffer that is too small to shuffle it: between two classes are mixed batches.
        """
        only = np.array(self.alone)
        known = only[~np.isnan(only)]
        if len(only) < _ALONE or len(known) < _PURE * len(only):
            return False
        several = len(np.unique(known))
        return several > 2 and int((np.diff(known) != 0).sum()) == several - 1

    @property
    def sorted(self) -> float:
        """Variance between the batches' means over what random batches of this size would have; NaN if few."""
        if len(self.means) < _SORTED_BATCHES or not any(self.counts):
            return float("nan")
        between = float(np.var(self.means))
        chance = (float(np.mean(self.spreads)) + between) / float(np.mean(self.counts))
        return between / chance if chance > 0 else float("nan")


class DataOrderFixed(Rule):
    """Every epoch brings the samples in the same order."""

    id = "data_order_fixed"
    severity = Severity.INFO
    phase = "batch"
    meaning = "the order of the data is the same in every epoch: it is not shuffled"
    needs = "epoch events with a digest of the order; recordings with targets"
    trigger = (
        "3 epochs of more than one step (where no loader tells them: passes that begin with the same batch) have the "
        "same order; a warning if the data comes class by class (of at least 8 recorded batches half hold 75 % of one "
        "class, and 1.5 times what it has of all), and also in a first pass where each of 16 recorded batches of 8 "
        "samples or more is of one class alone and the classes come in an order: as the next one is, in half of them, "
        "or of three classes each is followed by always the same (two by turns are real and generated ones), or 75 % "
        "of the batches hold 75 % of a class, and of three or more none comes back once another came; in Keras, "
        "whose seeded fit() repeats a shuffled order by itself, only if the targets come sorted too (their batch means "
        "vary 3 times as much as chance allows)"
    )
    source = "seeds"
    summary = "{what}; step {step}{where})."
    likely_causes = (
        "shuffle=False (PyTorch DataLoader's default), or batches cut by index in a loop",
        "a shuffle buffer far smaller than the data: dataset.shuffle(16) mixes 16 neighbours",
        "a seed that is set again at the start of every epoch",
    )
    advice = (
        "Shuffle every epoch: DataLoader(..., shuffle=True); tf.data: dataset.shuffle(n); by hand: rng.permutation(n)."
    )
    State = OrderMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Counts epochs of equal order."""
        memory = self.memory
        ends = {at: event for at, event in view.events("epoch") if _several(event)}
        at, values = view.scalar("batch_digest")
        digests = dict(zip(at.tolist(), values.tolist(), strict=True))
        found: list[Finding] = []
        for place in sorted({*digests, *ends}):
            order = memory.take(int(digests[place])) if place in digests and not memory.told else ""
            if place in ends:
                memory.told, order = True, str(ends[place].get("order") or "")
            found += self._epoch(view, place, order) if order else []
        return found

    def _epoch(self, view: StepView, at: int, order: str) -> list[Finding]:
        memory = self.memory
        memory.epochs += 1
        memory.same = memory.same + 1 if order == memory.last else 1
        memory.last = order
        if memory.same != _EPOCHS or self.active or not self._counts(view):
            return []
        told = ", class by class" if memory.by_class else ""
        what = f"The data comes in the same order in every epoch{told} ({memory.same} so far"
        evidence = {"what": what, "epochs": memory.same, "order": order, "sorted": told}
        found = self.finding(view, at, Subject("batch", "order", view.rank), evidence)
        worse = bool(told) and self.grade is Severity.INFO
        return [dataclasses.replace(found, severity=Severity.WARNING) if worse else found]

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Collects what shows whether the data is sorted."""
        memory, target = self.memory, next(iter(view.of("target").values()), None)
        if view.phase == "train" and target is not None and target.values is not None and len(memory.means) < _BATCHES:
            values = np.asarray(target.values, np.float64)
            if values.size > 1 and np.isfinite(values).all():
                labels = _labels(target, values)
                if labels is not None:
                    self._classes(labels)
                told = values if labels is None else labels
                memory.means.append(float(told.mean()))
                memory.spreads.append(float(told.var()))
                memory.counts.append(int(told.size))
                memory.alone.append(float("nan") if labels is None else _most(labels))
                return self._one_each(view)
        return []

    def _one_each(self, view: RecordView) -> list[Finding]:
        memory = self.memory
        if self.active or not (memory.one_each or memory.one_after_another):
            return []
        classes, alone = len({one for one in memory.alone if not math.isnan(one)}), min(memory.pure) == 1
        held = "of one class alone" if alone else "mostly of one class, one after another"
        what = f"Each of {len(memory.alone)} recorded batches is {held} ({classes} classes"
        evidence = {"what": what, "batches": len(memory.alone), "classes": classes}
        found = self.finding(view, 0, Subject("batch", "order", view.rank), evidence)
        return [dataclasses.replace(found, severity=Severity.WARNING) if self.grade is Severity.INFO else found]

    def _classes(self, labels: F64) -> None:
        names, counts = np.unique(labels, return_counts=True)
        self.memory.pure.append(float(counts.max() / counts.sum()))
        known = self.memory.classes
        for name, count in zip(names.tolist(), counts.tolist(), strict=True):
            if str(name) in known or len(known) < _BATCHES:
                known[str(name)] = known.get(str(name), 0) + int(count)

    def _counts(self, view: StepView) -> bool:
        return view.run.framework != "keras" or self.memory.sorted > _SORTED

    def unjudged(self) -> str | None:
        """No epochs were told."""
        return None if self.memory.epochs >= _EPOCHS else "fewer than 3 epochs with a digest of their order"


def _most(labels: F64) -> float:
    """The class that three quarters of some labels are of; NaN where none is, or they are few."""
    names, counts = np.unique(labels, return_counts=True)
    enough = len(labels) >= _ALONE_SAMPLES and counts.max() >= _PURE * len(labels)
    return float(names[counts.argmax()]) if enough else float("nan")


def _several(event: Mapping[str, Any]) -> bool:
    steps = event.get("steps")
    return isinstance(steps, int) and steps > 1


def _labels(target: Recorded, values: F64) -> F64 | None:
    """Classes of the samples, from whole numbers or from rows with a single 1; None if they are neither."""
    if len(values) == target.size and target.size == int(target.shape[0]):
        return values if bool((values == np.floor(values)).all()) else None
    if len(values) != target.size or len(target.shape) != 2:
        return None
    rows = values.reshape(target.shape)
    one_hot = bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all())
    return np.asarray(rows.argmax(axis=1), np.float64) if one_hot else None
