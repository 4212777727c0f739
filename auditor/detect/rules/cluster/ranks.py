"""Ranks that leave the others: slower step after step, or with a loss or gradients of their own."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.job import JobRule, RanksView
from auditor.detect.view import F64, Bool
from auditor.model import Finding, Severity, Subject

#: Ranks from which on they have a spread: half of them may be odd, and the others still tell what is usual.
_FEW: Final = 4


def _nothing() -> F64:
    return np.zeros((0, 0))


@dataclass(slots=True)
class WindowMemory:
    """Rows (steps, ranks) of the window under way, and for how many windows' worth each rank has been off.

    ``start``: level of each number in the first window.
    """

    rows: F64 = field(default_factory=_nothing)
    held: dict[str, float] = field(default_factory=dict)
    windows: int = 0
    start: dict[str, float] = field(default_factory=dict)


class WindowRule(JobRule):
    """Looks at windows of steps, and speaks of a rank that is off in several of them in a row."""

    phase = "run"
    State = WindowMemory
    least_ranks = 2

    @abstractmethod
    def numbers(self, view: RanksView) -> list[tuple[str, F64]]:
        """What is compared across ranks: name and (N, R)."""

    @abstractmethod
    def off(self, values: F64, start: float) -> dict[int, dict[str, float]]:
        """The columns of a window (steps, ranks) that are off, each with its evidence; ``start``: the first's level."""

    def weight(self, evidence: dict[str, float]) -> float:  # noqa: ARG002 - for rules that weigh
        """How many windows one counts for."""
        return 1.0

    def observe_ranks(self, view: RanksView) -> list[Finding]:
        """Judged whenever a window is full."""
        if len(view.ranks) < self.least_ranks:
            return []
        told = self.numbers(view)
        block = np.concatenate([values for _, values in told], axis=1)
        memory, found = self.memory, []
        if memory.rows.shape[1:] != block.shape[1:]:
            memory.rows, memory.held = np.zeros((0, block.shape[1])), {}
        for at in range(len(view)):
            memory.rows = np.concatenate([memory.rows, block[at : at + 1]])
            if len(memory.rows) >= self.parameters.window:
                found += self._window(view, at, [name for name, _ in told])
                memory.rows = np.zeros((0, block.shape[1]))
        return found

    def unjudged(self) -> str | None:
        """Too few ranks, or no whole window."""
        if self.memory.windows:
            return None
        return f"needs {self.parameters.window} steps of at least {self.least_ranks} ranks"

    def _window(self, view: RanksView, at: int, names: list[str]) -> list[Finding]:
        memory, width = self.memory, len(view.ranks)
        memory.windows += 1
        found: list[Finding] = []
        for place, name in enumerate(names):
            values = memory.rows[:, place * width : (place + 1) * width]
            known = values[np.isfinite(values)]
            start = memory.start.setdefault(name, float(np.median(known)) if len(known) else float("nan"))
            bad = self.off(values, start)
            for column, rank in enumerate(view.ranks.tolist()):
                key, subject = f"{name}/{rank}", Subject("run", name, rank)
                before = memory.held.get(key, 0.0)
                memory.held[key] = before + self.weight(bad[column]) if column in bad else 0.0
                if column in bad and memory.held[key] >= self.parameters.windows:
                    evidence: dict[str, Any] = {"what": name, "rank": rank, **bad[column], "ranks_compared": width}
                    evidence |= {"host": view.facts[rank].host} if rank in view.facts else {}
                    found.append(self.finding(view, at, subject, evidence))
                elif before >= self.parameters.windows and column not in bad:
                    found.append(self.cleared(view, at, subject))
                    self.active = any(held >= self.parameters.windows for held in memory.held.values())
        return found


@dataclass(frozen=True, slots=True)
class StragglerParameters:
    """Thresholds.

    ``window``: steps, 64; ``windows``: in a row, 3 (ours: about two hundred steps, so that a checkpoint
    or an evaluation on one rank is not it). ``ratio``: median step time against the median of the other
    ranks, 1.3 (MegaScale: stragglers cost 10 % and more). ``share``: part of the steps in which it is the
    slowest, 0.8 (ours).
    """

    window: int = 64
    windows: int = 3
    ratio: float = 1.3
    share: float = 0.8


class Straggler(WindowRule):
    """One rank is slower than the rest, step after step."""

    id = "straggler"
    severity = Severity.WARNING
    meaning = "one rank is slower than the rest, step after step"
    needs = "step times of at least two ranks (where no collective makes all of them wait for the slowest)"
    trigger = (
        "median step time 1.3 times that of the others, slowest in 80 % of the steps, three windows of 64 in a row"
    )
    source = "MegaScale (NSDI'24)"
    summary = (
        "Rank {rank} takes {ratio:.2f} times as long for a step as the other ranks ({seconds:.3g} s against "
        "{others:.3g} s), step after step, at step {step}."
    )
    likely_causes = (
        "its host or device is slower: throttling, a neighbour, a failing fan or link",
        "its share of the data is larger or harder to load",
    )
    advice = (
        "Look at rank {rank}'s host ({host}): nvidia-smi -q -d PERFORMANCE, its load and its disk; swap the node and "
        "see whether the slowness moves with it; balance the sampler (DistributedSampler) if it moves with the rank."
    )
    Parameters = StragglerParameters

    def numbers(self, view: RanksView) -> list[tuple[str, F64]]:
        """Seconds per step."""
        return [("step time", view.seconds)]

    def off(self, values: F64, start: float) -> dict[int, dict[str, float]]:  # noqa: ARG002 - pace has no start
        """The one column that is slowest nearly always, and by enough."""
        known = values[np.isfinite(values).all(axis=1)]
        if len(known) < len(values) // 2:
            return {}
        slowest = int(np.bincount(known.argmax(axis=1), minlength=known.shape[1]).argmax())
        share = float((known.argmax(axis=1) == slowest).mean())
        own = float(np.median(known[:, slowest]))
        others = float(np.median(np.delete(known, slowest, axis=1)))
        if share < self.parameters.share or own < self.parameters.ratio * others or others <= 0:
            return {}
        return {slowest: {"ratio": own / others, "seconds": own, "others": others, "share": share}}


@dataclass(frozen=True, slots=True)
class OutlierParameters:
    """Thresholds.

    ``window``: steps, 64; ``windows``: in a row, 3 (ours). ``sigmas``: from the median of the other ranks, in
    robust standard deviations of the window's means across ranks, 8 (ours: with four ranks a median
    absolute deviation is rough). ``factor``: and at least this factor, 1.5 (ours: what is smaller is
    data that differ); a window whose logarithm is further off counts for as much more, up to ``most``, 1.5
    windows: two in a row do then. ``closer``: of three ranks, whose spread nobody can tell, so many times
    closer the two others must be to each other than the third is to them, 4 (ours); of two, the factor at which
    the higher one is taken for the odd one, ``pair``, 2 (ours); the standard deviation is that of a window's
    mean there. ``small``: part of the first window's level below which differences are those of the last hard
    samples, 0.1 (ours).
    """

    window: int = 64
    windows: int = 3
    sigmas: float = 8.0
    factor: float = 1.5
    most: float = 1.5
    closer: float = 4.0
    pair: float = 2.0
    small: float = 0.1


class RankOutlier(WindowRule):
    """One rank's loss or gradient norm is not that of the others."""

    id = "rank_outlier"
    severity = Severity.WARNING
    meaning = "one rank's loss or gradient norm leaves those of the other ranks"
    needs = "loss or gradient norm of at least two ranks"
    trigger = (
        "a window's mean 8 robust standard deviations and a factor of 1.5 off the median of the other ranks, three in "
        "a row, or two of a factor of 1.84, while it is more than a tenth of what it was at first; of three ranks only "
        "where the other two are four times closer to each other, of two only a factor of 2"
    )
    source = "OPS"
    summary = (
        "Rank {rank}'s {what} is {ratio:.3g} times that of the other ranks, {sigmas:.0f} standard deviations off, for "
        "windows in a row (step {step})."
    )
    likely_causes = (
        "its shard of the data is unlike the others: sorted files, another preprocessing, damaged records",
        "its weights or its random state differ from the other ranks'",
        "its device computes wrongly",
    )
    advice = (
        "Look at what rank {rank} reads (shuffle before sharding: DistributedSampler(shuffle=True), "
        "ds.shuffle().shard()), compare its weights with rank 0's, and run it on another host ({host})."
    )
    consequence_of = ("replica_divergence",)
    least_ranks = 2
    Parameters = OutlierParameters

    def numbers(self, view: RanksView) -> list[tuple[str, F64]]:
        """Logarithms of what should be alike."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return [("loss", np.log(np.abs(view.loss))), ("gradient norm", np.log(view.gradient_norm))]

    def weight(self, evidence: dict[str, float]) -> float:
        """As its distance, in multiples of the factor."""
        return float(min(abs(np.log(evidence["ratio"])) / np.log(self.parameters.factor), self.parameters.most))

    def off(self, values: F64, start: float) -> dict[int, dict[str, float]]:
        """Columns whose mean is far from the median of the other columns' means."""
        known = values[np.isfinite(values).all(axis=1)]
        if len(known) < len(values) // 2:
            return {}
        means = known.mean(axis=0)
        apart = np.array([mean - np.median(np.delete(means, at)) for at, mean in enumerate(means)])
        sigmas = np.abs(apart) / self._spread(known, means)
        bad = (sigmas > self.parameters.sigmas) & (np.abs(apart) > np.log(self.parameters.factor))
        bad &= means.max() > start + np.log(self.parameters.small)
        if len(means) < _FEW:
            bad &= self._alone(means, apart)
        return {
            int(column): {"ratio": float(np.exp(apart[column])), "sigmas": float(sigmas[column])}
            for column in np.flatnonzero(bad)
        }

    def _spread(self, known: F64, means: F64) -> float:
        """Robust standard deviation of the means: of a few ranks that of a mean within its window."""
        noise = float(np.median(known.std(axis=0))) / np.sqrt(len(known))
        deviation = 1.4826 * float(np.median(np.abs(means - np.median(means))))
        # Of equal columns the deviation is 0, and that of three is the distance of the two that are closest.
        return float(max(0.0 if len(means) < _FEW else deviation, noise, 1e-6))

    def _alone(self, means: F64, apart: F64) -> Bool:
        """Of three the one that the others are far from; of two the higher one, if it is far above the other."""
        far = np.abs(apart)
        near = float(np.median(np.abs(means - np.median(means))))
        third: Bool = (far == far.max()) & (far >= self.parameters.closer * near)
        higher: Bool = apart > np.log(self.parameters.pair)
        return higher if len(means) == 2 else third
