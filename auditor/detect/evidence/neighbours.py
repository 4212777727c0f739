"""Do recorded inputs say anything about their targets? A test by nearest neighbours, without the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Numbers kept of all inputs together, 4 bytes each.
_KEPT: Final = 1 << 16
#: Columns of an input looked at; wider ones are thinned evenly.
_WIDTH: Final = 256
#: Columns up to which the products of every two are looked at, 300 of them.
_PAIRED: Final = 24


def _no_rows() -> np.ndarray:
    return np.zeros((0, 0), np.float32)


def _no_labels() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Pairs:
    """Distinct recorded inputs (n, width) with their targets (n,).

    ``contradicted``: samples that came again with another class, ``confirmed``: with the same one.
    Amounts may rightly differ (noise, the moving targets of reinforcement learning).
    ``labels``: the targets are classes, not amounts.
    """

    rows: np.ndarray = field(default_factory=_no_rows)
    targets: F64 = field(default_factory=_no_labels)
    labels: bool = True
    contradicted: int = 0
    confirmed: int = 0

    def add(self, view: RecordView, targets: F64, *, labels: bool) -> None:
        """Take in the batch of ``view``; only tables of numbers and images, whole ones."""
        batch = view.array("batch", "input0")
        if batch is None or batch.sampled or batch.values is None or len(batch.shape) not in {2, 4}:
            return
        if not batch.dtype.startswith(("float", "bfloat")) or batch.shape[0] != len(targets):
            return
        rows = batch.whole().reshape(len(targets), -1).astype(np.float32)
        rows = rows[:, :: -(-rows.shape[1] // _WIDTH)]
        if (len(self.rows) and self.rows.shape[1] != rows.shape[1]) or not np.isfinite(rows).all():
            return
        self.labels = labels
        known = {row.tobytes(): place for place, row in enumerate(self.rows)}
        fresh, now = [], set[bytes]()
        for place, row in enumerate(rows):
            before = known.get(row.tobytes())
            if before is None and row.tobytes() not in now:
                fresh.append(place)
                now.add(row.tobytes())
            elif before is None:
                continue  # twice in this batch: it is kept once
            elif before < len(self.targets) and labels and _continuous(row):
                same = self.targets[before] == targets[place]
                self.confirmed, self.contradicted = self.confirmed + int(same), self.contradicted + int(not same)
        room = max(_KEPT // max(rows.shape[1], 1) - len(self.rows), 0)
        if fresh[:room]:
            joined = [self.rows, rows[fresh[:room]]] if len(self.rows) else [rows[fresh[:room]]]
            self.rows = np.concatenate(joined)
            self.targets = np.concatenate([self.targets, targets[fresh[:room]]])

    def dependence(self, enough: float) -> float | None:
        """How surely inputs say something of their targets; below 2 is what chance brings. None if there are few.

        The larger of two: a standard normal z of how often nearest neighbours agree (see
        :func:`_neighbours`), for whatever shape the dependence has; and how far the largest of all
        correlations of a column with a target exceeds what the largest of so many independent ones
        would be, sqrt(2 ln 2m) (extreme values of normal variables, Leadbetter et al. 1983), for weak
        dependence on few columns under much noise. The excess is scaled so that 2 is exceeded by
        chance once in about thirty times.

        Neither sees two columns that only together say something under noise (whether both have one sign,
        how far a point lies from the centre): of tables that are not wide the products of every two
        columns are asked like columns, where the others come to less than ``enough``. That no relation was
        found is the proof of a fault: a test that would not find one proves nothing.
        """
        count = len(self.targets)
        if count < _FEWEST or np.ptp(self.targets) == 0 or (self.labels and self._minority < _FEWEST // 2):
            return None
        scale = self.rows.std(axis=0)
        rows = ((self.rows - self.rows.mean(axis=0))[:, scale > 0] / scale[scale > 0]).astype(np.float64)
        if not rows.shape[1]:
            return None
        found = max(self._neighbours(rows), self._columns(rows))
        if found >= enough or rows.shape[1] > _PAIRED:
            return found
        first, second = np.triu_indices(rows.shape[1])
        return max(found, self._columns(rows[:, first] * rows[:, second]))

    @property
    def _minority(self) -> int:
        """Samples that are not of the commonest class."""
        return len(self.targets) - int(np.unique(self.targets, return_counts=True)[1].max())

    def _neighbours(self, rows: F64) -> float:
        """Nearest neighbours' agreement, as a z.

        Classes: the share of samples whose nearest neighbour has their own class, against what the
        class frequencies give by chance. Amounts: the correlation with the nearest neighbour's.
        Sources: Cover and Hart (1967) for the neighbour rule, Henze (1988) for counts of coincident
        neighbours as a test. A pair of mutual neighbours counts twice, which at most doubles the
        variance.
        """
        count = len(self.targets)
        squares = (rows**2).sum(axis=1)
        apart = squares[:, None] + squares[None, :] - 2 * rows @ rows.T
        np.fill_diagonal(apart, np.inf)
        nearest = self.targets[apart.argmin(axis=1)]
        if not self.labels:
            return float(np.corrcoef(nearest, self.targets)[0, 1] * np.sqrt(count / 2)) if np.ptp(nearest) > 0 else 0.0
        shares = np.unique(self.targets, return_counts=True)[1] / count
        chance = float((shares**2).sum())
        agree = float((nearest == self.targets).mean())
        return (agree - chance) / float(np.sqrt(2 * chance * (1 - chance) / count))

    def _columns(self, rows: F64) -> float:
        """The excess of the largest rank correlation between a column and a target, or a class's indicator.

        Of ranks, for a few large values would correlate by luck; columns that are nine times out of
        ten one value say too little.
        """
        ranks = np.stack([_ranks(column) for column in rows.T])
        varied = np.array([np.unique(column, return_counts=True)[1].max() <= 0.9 * len(column) for column in ranks])
        if not varied.any():
            return 0.0
        rows = ranks[varied].T
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        wanted = self.targets[:, None] if self.labels else _ranks(self.targets)[:, None]
        if self.labels:
            wanted = (wanted == np.unique(self.targets)[None, :]).astype(np.float64)
        wanted = (wanted - wanted.mean(axis=0)) / wanted.std(axis=0)
        largest = float(np.abs(rows.T @ wanted).max() / np.sqrt(len(rows)))
        expected = float(np.sqrt(2 * np.log(2 * rows.shape[1] * wanted.shape[1])))
        return 2 * (largest - expected + 0.5)


def _ranks(values: F64) -> F64:
    """Places in order, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse], dtype=np.float64)


def _continuous(row: np.ndarray) -> bool:
    """Whether equal rows are the same sample: values out of few, like 0 and 1, coincide by themselves."""
    return int((row != np.floor(row)).sum()) >= _FRACTIONS


#: Values with a fraction that make two equal rows one sample.
_FRACTIONS: Final = 4
#: Distinct samples below which nothing is said, and half of it that must be of other classes than the commonest, as
#: of two equal ones: half the classes' neighbours would agree by luck.
_FEWEST: Final = 200
