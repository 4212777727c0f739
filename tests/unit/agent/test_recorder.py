"""The flight recorder's judgement: what is taken, what is left out, and that both are told."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from auditor.ingest.records import arrays, indices
from auditor_agent.recorder import Budget, Recorder
from auditor_agent.run import Run
from auditor_agent.stream.recording import PART_BYTES, Array, Recording, positions
from support.fake_daemon import FakeDaemon


class Kept:
    """A run that keeps the recordings it is given."""

    def __init__(self) -> None:
        self.recordings: list[Recording] = []

    def recording(self, recording: Recording) -> None:
        """As ``Run.recording``."""
        self.recordings.append(recording)


def test_positions_are_evenly_spread_distinct_and_include_both_ends() -> None:
    """For every size and count, and the daemon's formula is the agent's."""
    for size in (0, 1, 2, 3, 7, 100, 4099):
        for count in (0, 1, 2, 3, 50, 512, 5000):
            chosen = positions(size, count)
            assert len(chosen) == len(set(chosen)) == min(size, count)
            assert chosen == sorted(chosen)
            assert chosen == indices(size, min(size, count)).tolist()
            if len(chosen) > 1:
                assert (chosen[0], chosen[-1]) == (0, size - 1)
                assert np.ptp(np.diff(chosen)) <= 1


def test_positions_of_a_huge_tensor_do_not_overflow() -> None:
    """The product of index and size is beyond 64 bits; both sides still agree."""
    size, count = 2**53, 2**12
    chosen = indices(size, count)
    assert chosen[-1] == size - 1
    assert chosen.tolist() == positions(size, count)


def test_a_small_model_is_whole_for_three_steps_then_sampled() -> None:
    """The rule of DESIGN section 4."""
    recorder = Recorder(Kept(), Budget())
    recorder.size([(10_000, 4), (10, 4)])
    taken = [recorder.take("weight", 10_000, 4) for step in range(1, 30) if recorder.begin(step)]
    assert taken == [10_000] * 3 + [512] * 17


def test_a_long_run_is_seen_at_every_age() -> None:
    """The first steps, then 50, 100, 200 and so on; a step that was missed is made up for at once."""
    recorder = Recorder(Kept(), Budget())
    assert [step for step in range(1, 1000) if recorder.begin(step)] == [*range(1, 21), 50, 100, 200, 400, 800]
    assert recorder.next(1000) == 1600
    assert not recorder.wants(1599)
    assert recorder.begin(1605)
    assert [step for step in range(1606, 6500) if recorder.begin(step)] == [3200, 6400]
    resumed = Recorder(Kept(), Budget())
    assert [step for step in range(1001, 1200) if resumed.begin(step)] == [*range(1001, 1021), 1050, 1100]
    short = Recorder(Kept(), Budget(steps=3, probe=0))
    assert [step for step in range(1, 200) if short.begin(step)] == [1, 2, 3]
    assert not short.active


def test_the_first_steps_leave_room_for_the_late_ones() -> None:
    """A part of the total that only probe steps may take."""
    recorder = Recorder(Kept(), Budget(total=40_000, late=8_000, whole_bytes=1 << 30))
    recorder.size([(1000, 4)])
    for step in range(1, 21):
        recorder.begin(step)
        while recorder.take("batch", 1000, 4):
            pass
    assert recorder.bytes == 32_000
    assert recorder.begin(50)
    assert recorder.take("weight", 1000, 4) == 512


def test_a_large_model_is_sampled_from_the_first_step() -> None:
    """More than 4 MiB of parameters; many tensors share what a step may take."""
    recorder = Recorder(Kept(), Budget())
    recorder.size([(1 << 20, 4)] * 2)
    assert recorder.begin(5)
    assert recorder.take("weight", 1 << 20, 4) == 512
    many = Recorder(Kept(), Budget())
    many.size([(1 << 20, 4)] * 1000)
    assert many.begin(0)
    assert many.take("gradient", 1 << 20, 4) == 52


def test_the_caps_hold_and_what_they_cost_is_told() -> None:
    """No step beyond its cap, not all beyond theirs; each array left out is counted with its step."""
    run, budget = Kept(), Budget(step=10_000, total=25_000, late=0, whole_bytes=1 << 30)
    recorder = Recorder(run, budget)
    recorder.size([(1000, 4)])
    for step in range(1, 21):
        assert recorder.begin(step)
        found = [recorder.take(role, 1000, 4) for role in ("weight", "gradient", "updated", "state.m")]
        sent = [Array(f"{i}", "a", "float32", (1000,), n, bytes(4 * n)) for i, n in enumerate(found) if n]
        recorder.send(step, sent)
        assert 4 * sum(found) <= budget.step
    assert recorder.bytes <= budget.total
    assert sum(r.nbytes for r in run.recordings) == recorder.bytes
    told = sum(sum(r.left_out.values()) for r in run.recordings)
    assert told == 80 - sum(len(r.arrays) for r in run.recordings) > 0
    assert run.recordings[0].left_out == {"step_full": 2}
    assert set(run.recordings[-1].left_out) == {"total_full"}


def test_a_weight_that_did_not_change_between_steps_is_named_not_repeated() -> None:
    """It carries no bytes; one that did change, or was sampled otherwise, does."""
    run = Kept()
    recorder = Recorder(run, Budget())
    recorder.size([(2, 4)])
    old, new = struct.pack("<2f", 1, 2), struct.pack("<2f", 3, 4)
    for step, before, after in ((1, old, new), (2, new, new), (3, old, new)):
        assert recorder.begin(step)
        weight = Array("weight", "a", "float32", (2,), 2, before)
        recorder.send(step, [weight, Array("updated", "a", "float32", (2,), 2, after)])
    assert [r.arrays[0].data for r in run.recordings] == [old, b"", old]


def test_zero_steps_turn_the_recorder_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment, for those whose batches must not leave the process."""
    assert Recorder(Kept()).begin(1)
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", "0")
    recorder = Recorder(Kept())
    assert not recorder.active
    assert not recorder.begin(1)


def test_a_recording_splits_into_frames_of_bounded_size() -> None:
    """Every array arrives once, whole, at an aligned place."""
    sent = [
        Array(
            "gradient",
            f"t{i}",
            "uint8",
            (PART_BYTES // 3 + i,),
            PART_BYTES // 3 + i,
            bytes([i]) * (PART_BYTES // 3 + i),
        )
        for i in range(7)
    ]
    parts = list(Recording(3, sent, {"loss": 1.0}).parts())
    assert len(parts) > 2
    assert [header["part"] for header, _ in parts] == list(range(len(parts)))
    assert all(len(block) <= PART_BYTES + 8 * len(header["arrays"]) for header, block in parts)
    assert all(entry[5] % 8 == 0 for header, _ in parts for entry in header["arrays"])
    found = [array for header, block in parts for array in arrays(header, block)]
    assert [(a.name, a.values.tobytes()) for a in found if a.values is not None] == [(a.name, a.data) for a in sent]


def test_recordings_reach_the_daemon_before_the_steps_they_explain(
    fake_daemon: FakeDaemon, new_run: Callable[..., Run]
) -> None:
    """As frames of their own; the books of the steps are not touched by them."""
    run = new_run()
    run.recording(Recording(1, [Array("weight", "a", "float32", (2,), 2, struct.pack("<2f", 1, 2))], {"loss": 0.5}))
    run.record(1, {"loss": 0.5})
    run.finish()
    kinds = [header["type"] for header in fake_daemon.headers()]
    assert kinds.index("record") < kinds.index("steps")
    assert kinds.count("record") == 1
    assert run.counts() == {"produced": 1, "sent": 1, "pending": 0, "dropped": {}}


def test_recordings_that_nobody_takes_are_bounded_in_memory(no_daemon: str, new_run: Callable[..., Run]) -> None:
    """Beyond the cap they are left out, steps are not."""
    run = new_run()
    run._sender._gather_recordings = lambda: None  # type: ignore[method-assign] - a sender that does not get to it
    block = bytes(8 << 20)
    for step in range(20):
        run.recording(Recording(step, [Array("weight", "a", "uint8", (len(block),), len(block), block)]))
    assert len(run._sender._recordings) == 4
    run._sender._recordings.clear()
