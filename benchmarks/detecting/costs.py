"""What the rules cost on a whole recorded run, rule by rule."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.detect import guarding, job, lane
from auditor.detect.engine import RunAuditor
from auditor.detect.rule import Rule
from auditor.ingest.decode import Tensor
from auditor.model import Finding
from benchmarks.detecting.judge import frames


@dataclass(slots=True)
class Costs:
    """``seconds`` of the processor in all; ``by_rule``: wall-clock seconds by rule and method."""

    steps: int = 0
    views: int = 0
    records: int = 0
    updates: int = 0
    seconds: float = 0.0
    by_rule: Counter[tuple[str, str]] = field(default_factory=Counter)

    def of(self, method: str) -> list[tuple[str, float]]:
        """Seconds by rule spent in ``method``, the largest first."""
        return [(rule, seconds) for (rule, asked), seconds in self.by_rule.most_common() if asked == method]


def costs(recording: Path) -> Costs:
    """Shows a recording to a fresh auditor, twice: once to time it, once with a clock at every rule."""
    out = Costs()
    began = time.process_time()
    _show(recording, out)
    out.seconds = time.process_time() - began
    plain = guarding.ask

    def asked(rule: Rule, broken: dict[str, str], question: Callable[[Any], list[Finding]], view: Any) -> list[Finding]:
        began = time.perf_counter()
        answer = plain(rule, broken, question, view)
        out.by_rule[rule.id, question.__name__] += time.perf_counter() - began
        return answer

    lane.ask = job.ask = asked  # type: ignore[attr-defined]  # both import it by name
    try:
        _show(recording, Costs())
    finally:
        lane.ask = job.ask = plain  # type: ignore[attr-defined]  # likewise
    return out


def _show(recording: Path, out: Costs) -> None:
    auditor: RunAuditor | None = None
    tables: dict[str, tuple[Tensor, ...]] = {}
    for arrival in frames(recording):
        auditor = auditor or RunAuditor(arrival.run)
        if arrival.batch is None:
            out.records += arrival.type == "record" and not arrival.header.get("part")
            place = arrival.attempt, arrival.rank, arrival.seq, arrival.floor
            auditor.advance(*place, arrival.type, arrival.header, arrival.block)
            continue
        batch = arrival.batch
        if arrival.tensors is not None:
            tables[batch.table] = arrival.tensors
        auditor.observe(batch, tables.get(batch.table, ()), arrival.floor)
        out.steps += len(batch.steps)
        out.views += 1
        out.updates += batch.rows + sum(len(at) for at, _ in batch.scalars.values())
