"""Rules over all ranks of an attempt, and the alignment of the ranks' steps that they need.

Ranks send at their own pace. :class:`Job` holds what each has told until all have come to the same
step, then shows the steps of all ranks side by side: whatever the order of arrival, the rules see
the same. Of a rank that lags, at most :data:`MAX_WAITING` steps of the others are held.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.facts import RunFacts
from auditor.detect.guarding import ask
from auditor.detect.rule import Rule, dump, load
from auditor.detect.view import F64, I64, U64, StepView
from auditor.model import Finding, Subject

#: Steps of a rank that wait for the others; beyond it a laggard is no longer waited for.
MAX_WAITING: Final = 512
#: Events of a rank that wait, and the types that are kept.
MAX_EVENTS: Final = 1024
EVENTS: Final = ("weights", "mode", "step_skipped", "epoch")
#: Ranks that are waited for before they have said anything.
MAX_RANKS: Final = 4096
#: A rewind begins a new generation: positions are generation, then step.
_GENERATION: Final = 1 << 40
#: Columns of a rank's numbers.
_COLUMNS: Final = ("time", "seconds", "loss", "gradient_norm")


class RanksView:
    """The same steps of all ranks that told of them. N steps, R ranks.

    ``steps`` (N,); ``times`` (N,) when the last rank took the step (jobs' clocks); ``ranks`` (R,);
    ``loss``, ``gradient_norm``, ``seconds`` (N, R): of each rank, NaN where it told nothing;
    ``seconds`` is the time since the same rank's step before. ``events``: (rank, event) in order of
    steps. ``facts``: what each rank declared, by rank; ``run``: the lowest rank's.
    """

    def __init__(self, attempt: int, steps: U64, ranks: I64, columns: Mapping[str, F64]) -> None:
        self.attempt, self.steps, self.ranks = attempt, steps, ranks
        self.times: F64 = np.fmax.reduce(columns["time"], axis=1)
        self.seconds, self.loss = columns["seconds"], columns["loss"]
        self.gradient_norm = columns["gradient_norm"]
        self.events: list[tuple[int, Mapping[str, Any]]] = []
        self.facts: dict[int, RunFacts] = {}

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def run(self) -> RunFacts:
        """What the lowest rank declared."""
        return self.facts[min(self.facts)] if self.facts else RunFacts()

    def index(self, step: int) -> int:
        """The index of ``step``, or of the last one before it."""
        return max(int(np.searchsorted(self.steps, step, side="right")) - 1, 0)


class JobRule(Rule):
    """A rule that sees all ranks of an attempt, step by step; only where there are several."""

    @abstractmethod
    def observe_ranks(self, view: RanksView) -> list[Finding]:
        """What the steps of ``view``, all later than those seen before, say."""


@dataclass(slots=True)
class Share:
    """What one rank has told and the job has not yet shown. Positions ascend."""

    positions: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    numbers: F64 = field(default_factory=lambda: np.zeros((0, len(_COLUMNS))))
    events: list[dict[str, Any]] = field(default_factory=list)
    generation: int = 0
    last_step: int = -1
    last_time: float = float("nan")
    reached: int = -1
    """Position of its newest step."""
    ended: bool = False
    absent: bool = False
    """Not waited for until it tells something again."""

    def add(self, view: StepView) -> None:
        """The steps of ``view``; within a frame the last of several records of a step counts."""
        steps = view.steps.astype(np.int64) % _GENERATION
        starts = np.diff(steps, prepend=self.last_step) < 0
        positions = steps + (self.generation + np.cumsum(starts)) * _GENERATION
        seconds = np.diff(view.times, prepend=self.last_time)
        seconds[starts] = np.nan
        numbers = np.stack([view.times, seconds, view.loss, view.gradient_norm], axis=1)
        kept = np.append(np.diff(positions) > 0, True)
        self.positions = np.concatenate([self.positions, positions[kept]])
        self.numbers = np.concatenate([self.numbers, numbers[kept]])
        self.generation += int(starts.sum())
        self.last_step, self.last_time = int(steps[-1]), float(view.times[-1])
        self.reached, self.absent = int(positions[-1]), False
        told = [dict(event) for event in view.batch.events if event.get("type") in EVENTS]
        self.events = [*self.events, *told][-MAX_EVENTS:]


class Job:
    """The ranks of one attempt and the rules over them."""

    def __init__(self, attempt: int, rules: list[JobRule]) -> None:
        self.attempt, self.rules = attempt, rules
        self.broken: dict[str, str] = {}
        self.superseded: int | None = None
        self._shares: dict[int, Share] = {}
        self._facts: dict[int, RunFacts] = {}
        self._shown = -1

    def tell(self, rank: int, facts: RunFacts) -> None:
        """What ``rank`` declared; ranks that its job has are waited for."""
        self._facts[rank] = facts
        for other in (rank, *range(min(facts.world_size, MAX_RANKS))):
            self._shares.setdefault(other, Share())

    def observe(self, view: StepView) -> list[Finding]:
        """Take the next steps of one rank; what all have come to is judged."""
        if not len(view):
            return []
        share = self._shares.setdefault(view.rank, Share())
        share.add(view)
        if len(share.positions) > MAX_WAITING:
            for other in self._shares.values():
                other.absent = other.absent or other.reached < share.reached - MAX_WAITING // 2
        return self._judge()

    def ended(self, rank: int) -> list[Finding]:
        """``rank`` sends no more: the others do not wait for it."""
        self._shares.setdefault(rank, Share()).ended = True
        return self._judge()

    @property
    def waiting(self) -> bool:
        """Whether steps wait for a rank."""
        return any(len(share.positions) for share in self._shares.values())

    def release(self) -> list[Finding]:
        """Wait no longer for those that hold the others up."""
        front = max((share.reached for share in self._shares.values()), default=-1)
        for share in self._shares.values():
            share.absent = share.absent or share.reached < front
        return self._judge()

    def _judge(self) -> list[Finding]:
        awaited = [share.reached for share in self._shares.values() if not (share.ended or share.absent)]
        every = [share.reached for share in self._shares.values()]
        until = min(awaited) if awaited else max(every, default=-1)
        found: list[Finding] = []
        while self._shown < until:
            view = self._next(until)
            if view is None:
                break
            for rule in self.rules:
                found += ask(rule, self.broken, rule.observe_ranks, view)
        return found + self.supersede(self.superseded)

    def _next(self, until: int) -> RanksView | None:
        """The steps up to ``until`` of one generation, taken off the shares; None if there are none."""
        due = {rank: share.positions[share.positions <= until] for rank, share in self._shares.items()}
        positions = np.unique(np.concatenate(list(due.values())))
        positions = positions[positions > self._shown]
        if not len(positions):
            self._drop(until)
            self._shown = until
            return None
        generation = int(positions[0]) // _GENERATION
        if self._shown >= 0 and generation != self._shown // _GENERATION:
            for rule in self.rules:
                rule.rewind()
        positions = positions[positions // _GENERATION == generation]
        view = self._view(positions)
        self._shown = int(positions[-1])
        self._drop(self._shown)
        return view

    def _view(self, positions: I64) -> RanksView:
        ranks = np.array(sorted(rank for rank, share in self._shares.items() if share.reached >= 0), np.int64)
        table = np.full((len(positions), len(ranks), len(_COLUMNS)), np.nan)
        for column, rank in enumerate(ranks.tolist()):
            share = self._shares[rank]
            at = np.searchsorted(positions, share.positions)
            hit = at < len(positions)
            hit[hit] = positions[at[hit]] == share.positions[hit]
            table[at[hit], column] = share.numbers[hit]
        columns = {name: table[:, :, i] for i, name in enumerate(_COLUMNS)}
        view = RanksView(self.attempt, (positions % _GENERATION).astype(np.uint64), ranks, columns)
        view.facts = {rank: self._facts[rank] for rank in ranks.tolist() if rank in self._facts}
        last = int(view.steps[-1])
        told = [
            (rank, event)
            for rank in ranks.tolist()
            for event in self._shares[rank].events
            if int(event.get("step", 0)) <= last
        ]
        view.events = sorted(told, key=lambda item: (int(item[1].get("step", 0)), item[0]))
        for rank in ranks.tolist():
            share = self._shares[rank]
            share.events = [event for event in share.events if int(event.get("step", 0)) > last]
        return view

    def _drop(self, until: int) -> None:
        for share in self._shares.values():
            later = share.positions > until
            if not later.all():
                share.positions, share.numbers = share.positions[later], share.numbers[later]

    def supersede(self, attempt: int | None) -> list[Finding]:
        """A later attempt has begun: what fires here belongs to the past."""
        self.superseded = attempt
        if attempt is None:
            return []
        evidence, found = {"superseded_by_attempt": attempt}, []
        for rule in self.rules:
            if rule.active:
                rule.active = False
                for rank, share in self._shares.items():
                    subject, step = Subject("run", "run", rank), max(share.last_step, 0)
                    found.append(
                        Finding(rule.id, rule.grade, subject, step, evidence, cleared=True, attempt=self.attempt)
                    )
        return found

    def unjudged(self) -> dict[str, str | None]:
        """Why each rule cannot judge, None where it can."""
        return {rule.id: self.broken.get(rule.id) or rule.unjudged() for rule in self.rules}

    def state(self) -> dict[str, Any]:
        """JSON-able; what waits for a rank is part of it."""
        return {
            "attempt": self.attempt,
            "shown": self._shown,
            "superseded": self.superseded,
            "shares": {str(rank): dump(share) for rank, share in self._shares.items()},
            "rules": {rule.id: rule.state() for rule in self.rules},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave; facts are told again by the lanes."""
        self._shown, self.superseded = int(state["shown"]), state["superseded"]
        self._shares = {int(rank): load(Share, share) for rank, share in state["shares"].items()}
        for share in self._shares.values():
            share.numbers = share.numbers.reshape(-1, len(_COLUMNS))
        for rule in self.rules:
            if rule.id in state["rules"]:
                rule.restore(state["rules"][rule.id])
