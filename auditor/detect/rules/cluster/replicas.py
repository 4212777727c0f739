"""Data-parallel replicas that no longer hold the same weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from auditor.detect.job import JobRule, RanksView
from auditor.detect.view import Bool
from auditor.model import Finding, Severity, Subject

#: Tensors of which it is remembered that the replicas once agreed on them.
_MAX_TENSORS = 4096
#: Ranks and tensors listed in the evidence.
_LISTED = 16


@dataclass(frozen=True, slots=True)
class ReplicaParameters:
    """Thresholds.

    ``agreeing``: part of the tensors that must be equal before the ranks count as replicas, 0.9 (ours:
    ranks that hold shards of a model agree on normalisation layers and zero biases). ``equal_norms``:
    steps in which all ranks reported one and the same gradient norm, 3, which shows that gradients are
    averaged and the ranks are replicas (ours). ``norm_tolerance``: relative, 1e-5 (the norms are sums of
    float32 statistics).
    """

    agreeing: float = 0.9
    equal_norms: int = 3
    norm_tolerance: float = 1e-5


@dataclass(slots=True)
class ReplicaMemory:
    """``agreed``: tensors on which all ranks once agreed; ``digests``: the last ones of each rank."""

    agreed: list[str] = field(default_factory=list)
    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    whole: dict[str, str] = field(default_factory=dict)
    compared: int = 0
    equal_norms: int = 0
    agreed_step: int = -1


class ReplicaDivergence(JobRule):
    """Replicas that should hold the same weights do not."""

    id = "replica_divergence"
    severity = Severity.CRITICAL
    phase = "weight"
    meaning = "data-parallel replicas hold different weights"
    needs = "`weights` events (digests) of at least two ranks"
    trigger = (
        "digests of a tensor on which the ranks agreed before, or as they began, differ; or they never agreed though "
        "all ranks report the same gradient norms. Ranks that hold shards agree in neither and are not judged"
    )
    source = "TC, OPS"
    summary = (
        "Ranks {deviating} hold another {name} than the rest at step {step}; {tensors} of {compared} tensors differ. "
        "The last step at which the ranks agreed: {agreed_step}."
    )
    likely_causes = (
        "one rank changes its weights outside the synchronised step (a reload, clipping or re-initialisation there)",
        "gradients of some parameters are not averaged (no_sync left on, parameters outside the wrapped module)",
        "ranks began with different weights: another seed, and no broadcast",
        "corrupt hardware, if the difference begins in one tensor of one rank",
    )
    advice = (
        "Broadcast the parameters at the start (DistributedDataParallel does; by hand: torch.distributed.broadcast"
        "(p.data, 0) for each), train every parameter through the wrapped module, and compare the step at which {name} "
        "left with what that rank did there; restart from a checkpoint before step {step}."
    )
    Parameters = ReplicaParameters
    State = ReplicaMemory

    def observe_ranks(self, view: RanksView) -> list[Finding]:
        """Judged at each step at which two ranks or more told their digests."""
        equal = self._equal(view)
        found: list[Finding] = []
        done = 0
        for step, told in _by_step(view):
            after = max(view.index(step) + 1, done)
            self.memory.equal_norms += int(equal[done:after].sum())
            done = after
            found += self._compare(view, step, told)
        self.memory.equal_norms += int(equal[done:].sum())
        return found

    def unjudged(self) -> str | None:
        """Nothing was compared, or what was looks like shards."""
        if not self.memory.compared:
            return "fewer than two ranks told digests of their weights"
        replicas = self.memory.agreed or self.memory.equal_norms >= self.parameters.equal_norms
        return None if replicas else "the ranks never agreed on a weight or a gradient: they may hold shards"

    def _equal(self, view: RanksView) -> Bool:
        """The steps in which all ranks have the same norm, (steps,)."""
        norms = view.gradient_norm
        if norms.shape[1] < 2:
            return np.zeros(len(norms), dtype=np.bool_)
        known = np.isfinite(norms).all(axis=1)
        spread = np.where(known, norms.max(axis=1) - norms.min(axis=1), np.inf)
        near = spread <= self.parameters.norm_tolerance * norms.max(axis=1)
        equal: Bool = known & near & (norms.min(axis=1) > 0)
        return equal

    def _compare(self, view: RanksView, step: int, told: Mapping[int, Mapping[str, Any]]) -> list[Finding]:
        memory = self.memory
        if not memory.compared:
            memory.agreed = self._began_equal(view)
        memory.compared += 1
        digests = {rank: self._digests(rank, event) for rank, event in told.items()}
        names = [name for name in next(iter(digests.values())) if all(name in own for own in digests.values())]
        differ = [name for name in names if len({own[name] for own in digests.values()}) > 1]
        same = [name for name in names if name not in set(differ)]
        bad = [name for name in differ if name in set(memory.agreed)]
        if not bad and not memory.agreed and memory.equal_norms >= self.parameters.equal_norms:
            bad = differ
        if same and len(same) >= self.parameters.agreeing * len(names):
            memory.agreed = list(dict.fromkeys([*memory.agreed, *same]))[:_MAX_TENSORS]
        at = view.index(step)
        if not bad:
            memory.agreed_step = memory.agreed_step if differ else step
            return [self.cleared(view, at, Subject("run", "run", rank)) for rank in told] if self.active else []
        return [
            self.finding(view, at, Subject("weight", bad[0], rank), self._evidence(bad, names, digests))
            for rank in _deviating(bad[0], digests)
        ]

    def _began_equal(self, view: RanksView) -> list[str]:
        """The tensors, if the ranks declared the same initial statistics of nearly all."""
        inits = [facts.section("init") for facts in view.facts.values()]
        if len(inits) < 2 or not all(inits):
            return []
        same = [str(name) for name, one in inits[0].items() if all(other.get(name) == one for other in inits[1:])]
        return same[:_MAX_TENSORS] if len(same) >= self.parameters.agreeing * len(inits[0]) else []

    def _digests(self, rank: int, event: Mapping[str, Any]) -> dict[str, str]:
        """The digests by tensor; those told last where only the digest of all is told, for nothing changed."""
        memory, key, own = self.memory, str(rank), event.get("digests")
        digests: dict[str, str] = memory.digests.get(key, {})
        if isinstance(own, Mapping) and own:
            digests = {str(name): str(value) for name, value in own.items()}
        elif memory.whole.get(key) != event.get("digest"):
            digests = {"(all)": str(event.get("digest"))}
        memory.whole[key], memory.digests[key] = str(event.get("digest")), digests
        return digests

    def _evidence(self, bad: list[str], names: list[str], digests: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
        deviating = _deviating(bad[0], digests)
        return {
            "deviating": deviating[:_LISTED],
            "ranks_compared": len(digests),
            "tensors": len(bad),
            "compared": len(names),
            "first_tensors": bad[:_LISTED],
            "digests": {str(rank): own[bad[0]] for rank, own in list(digests.items())[:_LISTED]},
            "equal_gradient_norms": self.memory.equal_norms,
            "agreed_step": self.memory.agreed_step if self.memory.agreed_step >= 0 else None,
        }


def _by_step(view: RanksView) -> Iterator[tuple[int, dict[int, Mapping[str, Any]]]]:
    """The ``weights`` events of each step, by rank, where at least two ranks told one."""
    steps: dict[int, dict[int, Mapping[str, Any]]] = {}
    for rank, event in view.events:
        if event.get("type") == "weights":
            steps.setdefault(int(event["step"]), {})[rank] = event
    return ((step, told) for step, told in steps.items() if len(told) > 1)


def _deviating(name: str, digests: Mapping[int, Mapping[str, str]]) -> list[int]:
    """The ranks that hold another ``name`` than most; of two equal camps, the one without the lowest rank."""
    counts = Counter(own[name] for own in digests.values())
    lowest = digests[min(digests)][name]
    usual = max(counts, key=lambda value: (counts[value], value == lowest))
    return sorted(rank for rank, own in digests.items() if own[name] != usual)
