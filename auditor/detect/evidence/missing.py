"""Targets that are missing and were coded as a number, which the loss takes for an amount like any other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.marked import apart
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import Task, spread
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Samples kept, columns of a target up to which they are looked at, and of an input that tell samples apart.
_KEPT: Final = 2048
_COLUMNS: Final = 16
_WIDTH: Final = 256
#: Recorded batches whose loss is set against the formula's.
_BATCHES: Final = 64
#: Numbers by which a value is known for a code: 99, -999, 9999.0; or a size that rewards and penalties do not have.
_CODE: Final = re.compile(r"-?9{2,}(\.0)?")
_LARGE: Final = 999.0
#: Samples that came again, each with the target that it had, which show that targets stand still (ours).
_AGAIN: Final = 10


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Missing:
    """Distinct recorded samples of a regression with their targets, and whether the loss was of all of these.

    ``rows``: (N x ``width``) numbers, a key of the inputs and then the targets. ``batches``: of each recorded batch the
    smallest and the largest target, and whether the loss is what the formula gives of all. ``again``: samples that came
    again with the same targets; ``moved``: with others, as in reinforcement learning.
    """

    rows: F64 = field(default_factory=_empty)
    width: int = 0
    batches: list[list[float]] = field(default_factory=list)
    again: int = 0
    moved: int = 0

    def observe(self, view: RecordView, seen: Scored, task: Task) -> None:
        """Take in a recorded step of training that ``task`` has taken in; samples of no weight are none."""
        targets, keys = seen.targets, _keys(view)
        if seen.family != "regression" or targets is None or keys is None or targets.size % len(keys):
            return
        told = np.column_stack([keys, targets.reshape(len(keys), -1)])
        weights = spread(seen.weights, len(keys))
        if not 1 < told.shape[1] <= _COLUMNS + 1 or not np.isfinite(told).all() or not (weights > 0).all():
            return
        if self.width not in {0, told.shape[1]}:
            self.rows, self.batches = _empty(), []
        self.width = told.shape[1]
        counted = len(task.scales) > 1  # the loss is the same multiple of the formula's as in the batch before
        if len(self.batches) < _BATCHES:
            self.batches.append([float(told[:, 1:].min()), float(told[:, 1:].max()), float(counted)])
        known = self.rows.reshape(-1, self.width)
        fresh = ~np.isin(told[:, 0], known[:, 0])
        if not fresh.all() and len(known):
            order = np.argsort(known[:, 0])
            before = known[order[np.searchsorted(known[order, 0], told[~fresh, 0])]]
            same = int((before == told[~fresh]).all(axis=1).sum())
            self.again, self.moved = self.again + same, self.moved + int((~fresh).sum()) - same
        _, firsts = np.unique(told[fresh, 0], return_index=True)
        self.rows = np.concatenate([known, told[fresh][firsts]])[:_KEPT].ravel()

    def found(self) -> dict[str, Any] | None:
        """The value that stands for a missing target in most samples; None if there is none, or the loss leaves it out.

        Targets that lie so far apart from all others and are exactly alike may also be rewards of an end: of these none
        is written with nines, or as large, and what an agent is to foresee moves as it learns.
        """
        rows = self.rows.reshape(-1, self.width) if self.width else np.zeros((0, 2))
        if not len(rows):
            return None
        still = self.again >= _AGAIN and self.moved == 0
        told = [one for column in range(1, self.width) for one in apart(rows, column)]
        told = [one for one in told if still or _code(one["value"])]
        for one in sorted(told, key=lambda one: -one["holding"]):
            counted = [each[2] for each in self.batches if one["value"] in each[:2]]
            if counted and 2 * sum(counted) > len(counted):
                return {name: one[name] for name in ("value", "holding", "rows", "low", "high")}
        return None


def _code(value: float) -> bool:
    return abs(value) >= _LARGE or _CODE.fullmatch(f"{value:g}") is not None


def _keys(view: RecordView) -> F64 | None:
    """A number for each sample of the batch, made of its inputs: equal for equal ones; None if they are not whole."""
    batch = view.array("batch", "input0")
    if batch is None or batch.sampled or batch.values is None or len(batch.shape) < 2 or not batch.size:
        return None
    rows = batch.whole().reshape(batch.shape[0], -1).astype(np.float64)
    rows = rows[:, :: -(-rows.shape[1] // _WIDTH)]
    if not np.isfinite(rows).all():
        return None
    return np.asarray(rows @ np.cos(np.arange(1, rows.shape[1] + 1)))
