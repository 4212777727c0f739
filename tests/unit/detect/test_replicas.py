from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import GAP_TICKS, RunAuditor
from auditor.detect.job import MAX_WAITING
from auditor.model import AlertState, Finding
from auditor_agent import jsonfinite
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table()
NAMES = [f"fc{i}.{part}" for i in range(3) for part in ("weight", "bias")]


def weights(step: int, **others: str) -> dict[str, Any]:
    """A ``weights`` event; ``others``: tensors (dots as underscores) that hold something else."""
    digests = {name: others.get(name.replace(".", "_"), f"{name}@{step}") for name in NAMES}
    return {"step": step, "type": "weights", "digest": str(hash(tuple(digests.values()))), "digests": digests}


def frames(rank: int, events: list[dict[str, Any]], steps: int = 60, l2: Any = 1.0) -> list[Any]:
    """The frames of one rank."""
    return [
        batch(
            0,
            TABLE,
            first=first,
            rank=rank,
            loss=1.0,
            l2=l2,
            events=[event for event in events if first <= event["step"] < first + 10],
        )
        for first in range(0, steps, 10)
    ]


def judge(told: dict[int, list[Any]], order: Any = None, **facts: Any) -> tuple[list[Finding], RunAuditor]:
    """What the rule says; ``order``: ranks by frame, each in turn if not given."""
    auditor = RunAuditor(RUN)
    senders = {rank: Sender(auditor, rank) for rank in told}
    found: list[Finding] = []
    for sender in senders.values():
        found += sender.start(world_size=len(told))
        if facts:
            found += sender.manifest(facts)
    left = {rank: iter(own) for rank, own in told.items()}
    turns = order if order is not None else [rank for _ in next(iter(told.values())) for rank in told]
    for rank in turns:
        found += senders[rank].steps(next(left[rank]), TABLE)
    return [f for f in found if f.rule == "replica_divergence"], auditor


LEFT = {rank: frames(rank, [weights(0), weights(20), weights(40)]) for rank in range(3)}
LEFT[2] = frames(2, [weights(0), weights(20, fc1_weight="x", fc1_bias="y"), weights(40, fc0_bias="z")])


def test_the_first_step_the_first_tensor_and_the_rank_are_named() -> None:
    """One of three ranks leaves: it is named, with the tensor in which it began and the last good step."""
    found, _ = judge(LEFT)
    first = found[0]
    assert (first.step, first.subject.name, first.subject.rank) == (20, "fc1.weight", 2)
    assert first.evidence["deviating"] == [2]
    assert (first.evidence["agreed_step"], first.evidence["tensors"]) == (0, 2)
    [alert] = AlertBook(RUN).apply(found, 0.0)
    assert (alert.state, alert.first_step, alert.last_step) == (AlertState.FIRING, 20, 40)


def test_the_order_in_which_ranks_report_does_not_matter() -> None:
    """Ranks that run ahead wait for the others: the findings are the same."""
    expected, _ = judge(LEFT)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation([0] * 6 + [1] * 6 + [2] * 6).tolist()
        assert judge(LEFT, order)[0] == expected
    assert judge(LEFT, [2] * 6 + [1] * 6 + [0] * 6)[0] == expected


def test_replicas_that_agree_again_are_cleared() -> None:
    """A broadcast puts it right."""
    told = {0: frames(0, [weights(0), weights(20), weights(40)])}
    told[1] = frames(1, [weights(0), weights(20, fc0_weight="x"), weights(40)])
    found, _ = judge(told)
    assert [(f.step, f.cleared) for f in found] == [(20, False), (40, True), (40, True)]


def test_shards_are_no_replicas() -> None:
    """Ranks whose tensors never agreed, with norms of their own, are not judged; nor zero biases alone."""
    told = {
        rank: frames(
            rank,
            [weights(0, **{f"fc{i}_weight": f"{rank}{i}" for i in range(3)}), weights(20, fc0_bias="x" * rank)],
            l2=1.0 + rank,
        )
        for rank in range(2)
    }
    found, auditor = judge(told)
    assert found == []
    assert auditor.unjudged()["replica_divergence"].startswith("the ranks never agreed")


def test_replicas_that_began_apart_are_known_by_their_averaged_gradients() -> None:
    """Another seed on each rank: the weights never agree but the gradient norms always do."""
    apart = {f"fc{i}_weight": "own" for i in range(3)}
    told = {0: frames(0, [weights(20), weights(40)]), 1: frames(1, [weights(20, **apart), weights(40, **apart)])}
    found, _ = judge(told)
    assert (found[0].step, found[0].evidence["agreed_step"], found[0].subject.rank) == (20, None, 1)


def test_ranks_that_began_alike_as_declared_and_never_averaged_are_found() -> None:
    """No digest ever agreed, but the manifests show that the ranks began with the same weights."""
    told = {
        rank: frames(rank, [weights(20, **{n.replace(".", "_"): f"{n}{rank}" for n in NAMES})], l2=1.0 + rank)
        for rank in range(2)
    }
    found, _ = judge(told, init={name: {"mean": 0.1, "std": 1.0} for name in NAMES})
    assert [(f.step, f.subject.name) for f in found] == [(20, "fc0.weight")]


def test_a_rank_that_never_comes_is_waited_for_only_so_long() -> None:
    """Two of three ranks report: after some ticks they are compared, and from then on at once."""
    auditor = RunAuditor(RUN)
    pair = [Sender(auditor, rank) for rank in range(2)]
    for sender in pair:
        sender.start(world_size=3)
    found = []
    for sender in pair:
        for frame in frames(sender.rank, [weights(0), weights(20, fc0_bias="x" * sender.rank)]):
            found += sender.steps(frame, TABLE)
    assert found == []
    for now in range(GAP_TICKS + 2):
        found += [f for f in auditor.tick(float(now)) if f.rule == "replica_divergence"]
    assert [(f.step, f.subject.rank) for f in found] == [(20, 1)]


def test_what_waits_for_a_rank_is_bounded() -> None:
    """A rank that stands still while another goes on holds no more than so many steps."""
    auditor = RunAuditor(RUN)
    ahead, behind = Sender(auditor, 0), Sender(auditor, 1)
    ahead.start(world_size=2)
    behind.steps(batch(0, TABLE), TABLE)
    for first in range(0, 3 * MAX_WAITING, 100):
        ahead.steps(batch(0, TABLE, first=first, steps=100), TABLE)
        assert max(len(share.positions) for share in auditor._jobs[0]._shares.values()) <= MAX_WAITING + 100


def test_state_of_a_job_survives_a_trip_through_json() -> None:
    """Restored after each frame, the rule says what it says when it lives on."""
    expected, _ = judge(LEFT)
    auditor = RunAuditor(RUN)
    senders = [Sender(auditor, rank) for rank in LEFT]
    found = [f for sender in senders for f in sender.start(world_size=3)]
    for turn in range(6):
        for sender in senders:
            found += sender.steps(LEFT[sender.rank][turn], TABLE)
            auditor = RunAuditor.from_state(json.loads(jsonfinite.dumps(auditor.to_state())))
            for other in senders:
                other.auditor = auditor
    assert found == expected


def test_a_later_attempt_ends_the_divergence_of_the_one_before() -> None:
    """What fired for an attempt that was restarted belongs to the past."""
    found, auditor = judge(LEFT)
    book = AlertBook(RUN)
    book.apply(found, 0.0)
    book.apply(Sender(auditor, 0, attempt=1).start(world_size=3), 1.0)
    assert [alert.state for alert in book.alerts] == [AlertState.RESOLVED]


@pytest.mark.parametrize("second", [0, 5])
def test_ranks_that_begin_again_are_aligned_anew(second: int) -> None:
    """A second fit whose step numbers begin again is compared step by step like the first."""
    told = {}
    for rank in range(2):
        again = [weights(20, fc2_bias="x" * rank)]
        told[rank] = frames(rank, [weights(0), weights(20)]) + frames(rank, [weights(0), *again])[second // 10 :]
    found, _ = judge(told)
    assert [(f.step, f.subject.name) for f in found] == [(20, "fc2.bias")]
    assert np.isfinite(found[0].time)
