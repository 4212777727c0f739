from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table()
Law = Callable[[int, np.ndarray, np.random.Generator], Any]


def judge(
    rule: str, ranks: int = 4, steps: int = 640, *, loss: Law | None = None, pace: Law | None = None
) -> list[Finding]:
    """What ``rule`` says of ranks with these losses and seconds per step."""
    auditor, rng = RunAuditor(RUN), np.random.default_rng(5)
    senders = [Sender(auditor, rank) for rank in range(ranks)]
    found = [f for sender in senders for f in sender.start(world_size=ranks, host=f"node{sender.rank}")]
    clock = np.zeros(ranks)
    for first in range(0, steps, 20):
        numbers = np.arange(first, first + 20)
        for rank, sender in enumerate(senders):
            values = rng.lognormal(0, 0.1, 20) * (loss(rank, numbers, rng) if loss else 1.0)
            seconds = 0.1 * rng.lognormal(0, 0.1, 20) * (pace(rank, numbers, rng) if pace else 1.0)
            times = 1000.0 + clock[rank] + np.cumsum(seconds)
            clock[rank] += seconds.sum()
            norms = rng.lognormal(0, 0.1, (20, 6))
            frame = replace(batch(0, TABLE, first=first, steps=20, loss=values, l2=norms), times=times)
            found += sender.steps(frame, TABLE)
    return [f for f in found if f.rule == rule]


def test_ranks_that_are_alike_are_left_alone() -> None:
    """Noise of their own, a slow checkpoint on rank 0, one window of odd data."""
    slow: Law = lambda rank, steps, _: 1.0 + 5.0 * ((rank == 0) & (steps % 100 == 0))  # noqa: E731
    odd: Law = lambda rank, steps, _: 1.0 + 4.0 * ((rank == 2) & (steps >= 128) & (steps < 192))  # noqa: E731
    assert judge("straggler", pace=slow) == []
    assert judge("rank_outlier", loss=odd) == []


def test_a_rank_that_is_slow_step_after_step_is_named_with_its_host() -> None:
    """From the third window on; it is over when it has caught up."""
    found = judge("straggler", pace=lambda rank, steps, _: 1.0 + 0.6 * ((rank == 3) & (steps < 400)))
    assert {f.subject.rank for f in found} == {3}
    assert (found[0].step, found[0].evidence["host"]) == (191, "node3")
    assert found[0].evidence["ratio"] == pytest.approx(1.6, abs=0.1)
    assert [f.cleared for f in found][-1]


def test_a_rank_whose_loss_is_not_that_of_the_others_is_named() -> None:
    """Its shard is unlike the others: after three windows, or two that are far off."""
    for ratio, step in ((1.65, 191), (3.0, 127)):
        law: Law = lambda rank, _steps, _rng, ratio=ratio: ratio if rank == 1 else 1.0  # type: ignore[misc] # noqa: E731
        found = judge("rank_outlier", loss=law)
        assert (found[0].subject.rank, found[0].step, found[0].evidence["what"]) == (1, step, "loss")
        assert found[0].evidence["ratio"] == pytest.approx(ratio, rel=0.1)


@pytest.mark.parametrize(("ratio", "odd"), [(3.0, {1}), (1.7, set()), (0.3, {0})])
def test_of_two_ranks_the_higher_one_is_named(ratio: float, odd: set[int]) -> None:
    """If it is twice as high: which of them is odd their losses alone do not say."""
    law: Law = lambda rank, _steps, _rng: ratio if rank == 1 else 1.0  # noqa: E731
    assert {f.subject.rank for f in judge("rank_outlier", ranks=2, loss=law)} == odd


def test_what_is_left_of_the_loss_may_differ() -> None:
    """At a thousandth of the first loss a few hard samples of one shard make a large factor."""
    law: Law = lambda rank, steps, _: np.maximum(np.exp(-steps / 40), 1e-3 * (1 + 4 * (rank == 2)))  # noqa: E731
    assert judge("rank_outlier", loss=law) == []


def test_of_three_ranks_two_must_agree() -> None:
    """The third is named if the others are close; where all three differ, their data may."""
    odd: Law = lambda rank, _steps, _rng: 1.7 if rank == 0 else 1.0  # noqa: E731
    found = judge("rank_outlier", ranks=3, loss=odd)
    assert {(f.subject.rank, f.evidence["what"]) for f in found} == {(0, "loss")}
    assert found[0].step == 191
    spread: Law = lambda rank, _steps, _rng: 1.0 + 0.7 * rank  # noqa: E731
    assert judge("rank_outlier", ranks=3, loss=spread) == []
    assert judge("rank_outlier", ranks=3) == []
