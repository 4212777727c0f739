"""What good runs looked like, and how far another run may be from them.

Runs are cut into bins, a quarter of an octave wide and twelve steps at least, of the steps taken or the
samples seen; in each bin a series (the loss, the gradient norm, each gradient's norm) is one number, the
mean of its logarithm.

**The bound.** In bin b of series s a run x deviates from the n runs of the baseline by

    d(b, s) = (x - m) / (sd sqrt(1 + 1/n))

with their mean and standard deviation, the variance averaged over the bins nearby and, of fewer than seven
runs, moderated by what is typical (`auditor/detect/spread.py`): the standardised residual of a prediction
interval for one future observation (Hahn and Meeker, Statistical Intervals, 1991, section 4.7), Student's t
with f degrees of freedom for runs that differ like Gaussians: n - 1, what is borrowed, and no more than 6,
as a reserve for tails that are heavier. With B bins and series to look at, the bound on the largest |d| is

    c = max( t(1 - alpha / (2 B), f),  M_1, ..., M_n )

Bonferroni's, and never below what each run of the baseline itself reaches against the others (the order
statistic that a further exchangeable run exceeds with probability 1/(n + 1); Vovk et al., Algorithmic
Learning in a Random World, 2005), which answers for what is not Gaussian.

Bonferroni's inequality holds whatever depends on what, and for all bins together: the rate of false
alarms is alpha *over the whole run*, however often one looks, and whatever the series' autocorrelation,
drift and number. `benchmarks/sequential.py` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import scipy

from auditor.detect.spread import centre
from auditor.detect.view import F64, I64, StepView
from auditor_agent.statistics import KINDS

#: Bins per doubling of the axis.
PER_OCTAVE: Final = 4
#: Steps up to which bins are about equally wide, a dozen steps: a mean of fewer has heavy tails.
LINEAR: Final = 64
#: Runs without which there is no bound.
MIN_RUNS: Final = 3
#: Gradients that are followed, at most.
MAX_TENSORS: Final = 512
#: Logarithm that stands for zero.
_LOWEST: Final = -70.0

LOSS: Final = "loss"
NORM: Final = "gradient_norm"
GRADIENT: Final = "gradient "


@dataclass(frozen=True)
class Envelope:
    """A baseline as rules use it.

    ``values`` (runs, bins, series), NaN where a run has none; ``axis``: ``steps`` or ``samples``;
    ``samples_per_step``: the baseline's, for a run that does not tell its own.
    """

    name: str
    names: tuple[str, ...]
    values: F64
    axis: str = "steps"
    samples_per_step: float = 1.0

    def __post_init__(self) -> None:
        if self.values.shape[0] < MIN_RUNS:
            raise ValueError(f"a baseline needs {MIN_RUNS} runs, {self.values.shape[0]} given")

    @property
    def unit(self) -> float:
        """What a step takes of the axis, by which its bins are laid out."""
        return self.samples_per_step if self.axis == "samples" else 1.0

    def bound(self, alpha: float) -> float:
        """What a run's largest deviation exceeds with probability ``alpha`` at most."""
        mean, _, freedom = centre(self.values)
        cells = max(int(np.isfinite(mean).sum()), 1)
        return max(float(scipy.special.stdtrit(freedom, 1 - alpha / (2 * cells))), float(self.peaks().max()))

    def peaks(self) -> F64:
        """The largest deviation of each of the baseline's runs from the others, (runs,)."""
        runs = len(self.values)
        out = np.empty(runs)
        for run in range(runs):
            mean, spread, _ = centre(np.delete(self.values, run, axis=0))
            out[run] = np.nanmax(np.abs((self.values[run] - mean) / spread), initial=0.0)
        return out

    def centre(self) -> tuple[F64, F64]:
        """What is expected and by how much a run may be off, each (bins, series)."""
        return centre(self.values)[:2]

    def as_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "names": list(self.names),
            "values": [[[None if math.isnan(x) else x for x in row] for row in run] for run in self.values.tolist()],
            "axis": self.axis,
            "samples_per_step": self.samples_per_step,
        }

    @classmethod
    def from_json(cls, name: str, body: Mapping[str, Any]) -> Envelope:
        """What :meth:`as_json` told."""
        values = np.array([[[np.nan if x is None else x for x in row] for row in run] for run in body["values"]])
        return cls(name, tuple(body["names"]), values, str(body["axis"]), float(body["samples_per_step"]))


def bins(positions: F64, unit: float = 1.0) -> I64:
    """The bin of each position on the axis, of which a step takes ``unit``."""
    found: I64 = np.floor(PER_OCTAVE * np.log2(np.maximum(positions, 0.0) / (unit * LINEAR) + 1.0)).astype(np.int64)
    return found


@dataclass(slots=True)
class Binner:
    """Cuts the views of one process into bins. ``sums`` and ``counts`` (series,) are of the bin under way."""

    bin: int = -1
    first_step: int = 0
    sums: F64 = field(default_factory=lambda: np.zeros(0))
    counts: F64 = field(default_factory=lambda: np.zeros(0))

    def take(self, view: StepView, names: Sequence[str], scale: float, unit: float = 1.0) -> list[tuple[int, int, F64]]:
        """The bins that ``view`` completes: number, first step, values (series,), NaN where nothing came.

        Args:
            view: the next steps.
            names: the series, as in :class:`Envelope`.
            scale: position on the axis per step.
            unit: that of the baseline: all runs have the same bins.
        """
        if not len(self.sums):
            self.sums, self.counts = np.zeros(len(names)), np.zeros(len(names))
        steps = view.steps.astype(np.float64)
        of = np.maximum.accumulate(bins(steps * scale, unit))
        with np.errstate(divide="ignore"):
            told = np.maximum(np.log(_numbers(view, names)), _LOWEST)
        done: list[tuple[int, int, F64]] = []
        for part in np.split(np.arange(len(of)), np.flatnonzero(np.diff(of)) + 1):
            number = int(of[part[0]])
            if number > self.bin:
                if self.bin >= 0:
                    done.append(self.close())
                self.bin, self.first_step = number, int(view.steps[part[0]])
            block = told[part]
            known = np.isfinite(block)
            self.sums += np.where(known, block, 0.0).sum(axis=0)
            self.counts += known.sum(axis=0)
        return done

    def close(self) -> tuple[int, int, F64]:
        """The bin under way as it is; the next one begins."""
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self.sums / self.counts
        told = (self.bin, self.first_step, np.where(self.counts > 0, values, np.nan))
        self.sums, self.counts = np.zeros(len(self.sums)), np.zeros(len(self.counts))
        return told


def _numbers(view: StepView, names: Sequence[str]) -> F64:
    """The series of a view, (steps, series); magnitudes, since a loss may be negative."""
    out = np.full((len(view), len(names)), np.nan)
    place = {name: i for i, name in enumerate(names)}
    for name, values in ((LOSS, view.loss), (NORM, view.gradient_norm)):
        if name in place:
            out[:, place[name]] = np.abs(values)
    gradient = KINDS.index("gradient")
    for block in view.batch.blocks:
        ids = block.tensors
        known = [place.get(GRADIENT + view.table[i].name, -1) if view.index.kinds[i] == gradient else -1 for i in ids]
        series = np.array(known, dtype=np.int64)
        columns = np.flatnonzero(series >= 0)
        if len(columns):
            norms = block.stat("l2")[:, columns].astype(np.float64)
            out[block.first : block.first + len(norms), series[columns]] = norms
    return out


def envelope(name: str, names: Sequence[str], runs: Sequence[Sequence[tuple[int, int, F64]]], **axis: Any) -> Envelope:
    """The envelope of runs as :class:`Binner` cut them."""
    size = 1 + max((number for run in runs for number, _, _ in run), default=-1)
    values = np.full((len(runs), size, len(names)), np.nan)
    for i, run in enumerate(runs):
        for number, _, told in run:
            values[i, number] = told
    return Envelope(name, tuple(names), values, **axis)
