from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from auditor.model import Alert, AlertState, Severity, Subject
from auditor.store import Store
from auditor.store.records import (
    Chunk,
    ChunkKey,
    Counts,
    Event,
    Exit,
    Finish,
    Manifest,
    Progress,
    ScalarRows,
    TableRecord,
    WriteBatch,
)
from support.chunks import SESSION, TABLE, scalar_rows, start_batch, steps_batch, steps_chunk, tensors, words

OTHER = "f" * 16


def finish_batch(run: str, status: str, *, attempt: int = 0, rank: int = 0, reason: str | None = None) -> WriteBatch:
    """A batch of one ``finish`` frame."""
    chunk = Chunk(run, attempt, rank, 9, "finish", SESSION, "{}")
    return WriteBatch(chunks=[chunk], finishes=[Finish(run, attempt, rank, 9, SESSION, status, reason=reason, step=20)])


def an_alert(**fields: object) -> Alert:
    """An alert with everything that one may have."""
    alert = Alert(
        id="a1",
        run="r",
        attempt=0,
        rule="nonfinite_gradient",
        severity=Severity.CRITICAL,
        state=AlertState.FIRING,
        subject=Subject("gradient", "fc1.weight", 2),
        first_step=37,
        last_step=40,
        started_at=10.0,
        updated_at=11.0,
        evidence={"nan": 4096},
        members=(Subject("gradient", "fc2.weight"), Subject("gradient", "fc1.weight", 1)),
        summary="NaN in fc1.weight",
        likely_causes=("learning rate",),
        advice="lower it",
    )
    return replace(alert, **fields)  # type: ignore[arg-type]


def test_d1_a_batch_written_twice_is_stored_once(store: Store) -> None:
    """The second time every frame is a duplicate and nothing changes but the time."""
    batch = steps_batch("r", 0, range(1, 11))
    first, second = store.write(batch), store.write(batch)
    assert (first.new, first.duplicates) == ((ChunkKey("r", 0, 0, 0),), ())
    assert (second.new, second.duplicates) == ((), (ChunkKey("r", 0, 0, 0),))
    assert len(list(store.chunks("r"))) == 1


def test_d1_a_frame_twice_in_one_transaction_is_stored_once(store: Store) -> None:
    """Also between two batches of one group commit, where the first one wins."""
    batch = steps_batch("r", 0, range(3))
    doubled = replace(batch, chunks=[*batch.chunks, *batch.chunks])
    first, second = store.write_all([doubled, batch])
    key = ChunkKey("r", 0, 0, 0)
    assert (first.new, first.duplicates, second.duplicates) == ((key,), (key,), (key,))
    assert store.frontier("r") == {(0, 0): [(0, 0)]}


def test_d1_another_session_is_refused_and_leaves_no_trace(store: Store) -> None:
    """Two processes that claim one attempt: the first one holds it, of the second nothing is stored."""
    store.write(steps_batch("r", 0, range(1, 4)))
    before = store.scalars("r"), store.tables("r"), list(store.chunks("r")), store.streams("r")[0].step
    intruder = steps_batch("r", 1, range(4, 9), session=OTHER)  # type: ignore[arg-type]
    chunk = intruder.chunks[0]
    intruder = replace(
        intruder,
        tables=[TableRecord("r", "another", tensors(9))],
        manifests=[Manifest("r", 0, 0, 1, {"of": "another"})],
        events=[Event("r", 0, 0, 1, 0, 5, "epoch")],
        finishes=[Finish("r", 0, 0, 1, OTHER, "failed")],
        progress=[Progress("r", 0, 0, 99.0, step=99, session=OTHER)],
    )
    committed = store.write(intruder)
    assert committed.refused == (chunk.key,)
    assert not committed.new
    assert [str(part) for part in before] == [
        str(part)
        for part in (store.scalars("r"), store.tables("r"), list(store.chunks("r")), store.streams("r")[0].step)
    ]
    run = store.run("r")
    assert run is not None
    assert (store.manifests("r"), store.events("r"), run.status, run.last_step) == ([], [], "running", 3)


def test_another_session_may_hold_another_rank(store: Store) -> None:
    """Sessions are per (run, attempt, rank)."""
    store.write(steps_batch("r", 0, range(3)))
    for where in ({"rank": 1}, {"attempt": 1}):
        assert store.write(steps_batch("r", 0, range(3), session=OTHER, **where)).new  # type: ignore[arg-type]
    run = store.run("r")
    assert run is not None
    assert (run.attempts, run.ranks) == (2, 2)


def test_a_run_exists_with_its_first_frame_and_is_named_by_its_start(store: Store) -> None:
    """Whichever comes first: the start frame may be the last to arrive."""
    store.write(steps_batch("r", 1, range(5, 8)))
    run = store.run("r")
    assert run is not None
    assert (run.project, run.name, run.steps, run.first_step, run.last_step) == ("default", "", 3, 5, 7)
    store.write(start_batch("r", project="vision", name="try", framework="torch", host="h1"))
    named = store.run("r")
    assert named is not None
    assert (named.project, named.name, named.framework, named.host) == ("vision", "try", "torch", "h1")
    assert named.steps == 3


def test_the_first_process_names_the_run(store: Store) -> None:
    """Rank 1's start comes before rank 0's: rank 0's name stays, in either order."""
    store.write_all([start_batch("a", rank=1, name="one"), start_batch("a", rank=0, name="zero")])
    store.write_all([start_batch("b", rank=0, name="zero"), start_batch("b", rank=1, name="one")])
    assert {run.name for run in store.runs()} == {"zero"}


def test_the_loss_is_the_last_finite_one(store: Store) -> None:
    """A NaN after it does not hide it, an older frame that arrives late does not replace it."""
    for seq, losses in ((2, [0.5, math.nan]), (1, [0.75, 0.7]), (3, [math.inf, math.nan])):
        steps = range(10 * seq, 10 * seq + 2)
        chunk = steps_chunk("r", seq, steps, words(steps, 1))
        store.write(WriteBatch(chunks=[chunk], scalars=scalar_rows(chunk, steps, loss=losses)))
    run = store.run("r")
    assert run is not None
    assert run.loss == 0.5


def test_the_loss_is_of_the_lowest_rank_of_the_last_attempt(store: Store) -> None:
    """In every order of arrival."""
    places = {(0, 0): 4.0, (1, 1): 3.0, (1, 0): 2.0}
    for run, order in (("a", [(0, 0), (1, 1), (1, 0)]), ("b", [(1, 0), (0, 0), (1, 1)])):
        for attempt, rank in order:
            chunk = steps_chunk(run, 7, range(2), words(range(2), 1), attempt=attempt, rank=rank)
            loss = [9.0, places[attempt, rank]]
            store.write(WriteBatch(chunks=[chunk], scalars=scalar_rows(chunk, range(2), loss=loss)))
    assert [run.loss for run in store.runs()] == [2.0, 2.0]


def test_a_later_frame_replaces_a_step_that_the_job_took_again(store: Store) -> None:
    """A rewind within one process: the frame with the larger seq counts, whenever it arrives."""
    for run, order in (("a", (1, 2)), ("b", (2, 1))):
        for seq in order:
            chunk = steps_chunk(run, seq, [5, 6], words([5, 6], 1, seed=seq))
            store.write(WriteBatch(chunks=[chunk], scalars=scalar_rows(chunk, [5, 6], loss=[seq, seq])))
        assert store.scalars(run)["loss"].values.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["finished", "finished"], "finished"),
        (["finished", "failed"], "failed"),
        (["stopped", "finished"], "stopped"),
        (["finished", None], "running"),
    ],
)
def test_a_run_ends_when_all_its_ranks_have(store: Store, statuses: list[str | None], expected: str) -> None:
    """The worst of the ranks says how."""
    for rank, status in enumerate(statuses):
        store.write(start_batch("r", rank=rank))
        if status:
            store.write(finish_batch("r", status, rank=rank, reason=f"rank {rank}"))
    run = store.run("r")
    assert run is not None
    assert run.status == expected
    assert [run.run for run in store.runs(status=expected)] == ["r"]


def test_a_restart_runs_again(store: Store) -> None:
    """The next attempt forgets the end, the exit code and the wish to stop of the one before."""
    store.write_all([start_batch("r"), finish_batch("r", "failed", reason="out of memory")])
    store.write(WriteBatch(exits=[Exit("r", 1)], stops=["r"]))
    ended = store.run("r")
    assert ended is not None
    assert (ended.status, ended.reason, ended.stop) == ("failed", "out of memory", True)
    store.write(start_batch("r", attempt=1))
    again = store.run("r")
    assert again is not None
    assert (again.status, again.reason, again.stop) == ("running", None, False)


@pytest.mark.parametrize(
    ("code", "signal", "expected"),
    [
        (0, None, "finished"),
        (1, None, "failed"),
        (-9, "SIGKILL", "failed"),
        (-15, "SIGTERM", "stopped"),
        (130, None, "stopped"),
    ],
)
def test_an_exit_settles_a_run_without_a_finish_frame(
    store: Store, code: int, signal: str | None, expected: str
) -> None:
    """What the parent process saw counts when the job could not speak."""
    store.write(steps_batch("r", 0, range(3)))
    store.write(WriteBatch(exits=[Exit("r", code, signal)]))
    run = store.run("r")
    assert run is not None
    assert (run.status, run.exit_code, run.exit_signal) == (expected, code, signal)


def test_a_finish_frame_outweighs_the_exit(store: Store) -> None:
    """The job knows better than its parent, in either order."""
    for run, batches in (
        ("a", [finish_batch("a", "stopped"), WriteBatch(exits=[Exit("a", 0)])]),
        ("b", [WriteBatch(exits=[Exit("b", 0)]), finish_batch("b", "stopped")]),
    ):
        store.write_all(batches)
        stored = store.run(run)
        assert stored is not None
        assert stored.status == "stopped"


def test_a_failure_that_only_the_parent_saw_counts(store: Store) -> None:
    """A script that ends by sys.exit(7) says that it finished; its exit code says more, in either order."""
    for run, batches in (
        ("a", [finish_batch("a", "finished"), WriteBatch(exits=[Exit("a", 7)])]),
        ("b", [WriteBatch(exits=[Exit("b", 7)]), finish_batch("b", "finished")]),
    ):
        store.write_all(batches)
        stored = store.run(run)
        assert stored is not None
        assert stored.status == "failed"


def test_an_alert_comes_back_as_it_went_in(store: Store) -> None:
    """With its evidence, members and texts; the run's row counts it while it fires."""
    store.write(WriteBatch(alerts=[an_alert()], verdicts={"r": "diverged"}))
    assert store.alerts() == [an_alert()]
    run = store.run("r")
    assert run is not None
    assert (run.verdict, run.alerts) == ("diverged", {"critical": 1, "warning": 0, "info": 0})


def test_an_alert_never_goes_back_in_time(store: Store) -> None:
    """Two owners of a run after a partition: the older view of an alert changes nothing."""
    resolved = an_alert(state=AlertState.RESOLVED, updated_at=20.0, resolved_at=20.0)
    store.write(WriteBatch(alerts=[resolved, an_alert(updated_at=15.0)]))
    store.write(WriteBatch(alerts=[an_alert(updated_at=19.0)]))
    assert store.alerts() == [resolved]
    again = an_alert(updated_at=21.0, last_step=50)
    store.write(WriteBatch(alerts=[again]))
    assert store.alerts() == [again]


def test_alerts_are_found_by_run_state_rule_and_time(store: Store) -> None:
    """The last that changed comes first."""
    other = an_alert(id="a2", run="s", rule="loss_spike", state=AlertState.RESOLVED, updated_at=50.0)
    store.write(WriteBatch(alerts=[an_alert(), other]))
    assert [alert.id for alert in store.alerts()] == ["a2", "a1"]
    for query, found in (
        ({"run": "r"}, ["a1"]),
        ({"state": "resolved"}, ["a2"]),
        ({"rule": "nonfinite_gradient"}, ["a1"]),
        ({"since": 50.0}, ["a2"]),
        ({"limit": 1}, ["a2"]),
    ):
        assert [alert.id for alert in store.alerts(**query)] == found  # type: ignore[arg-type]


def test_older_counts_do_not_replace_newer_ones(store: Store) -> None:
    """Counts are cumulative: those that the agent made last count, whenever they arrive."""
    newer = Progress("r", 0, 0, 20.0, step=9, counts=Counts(10, 7, 1, {"disk": 2}))
    older = Progress("r", 0, 0, 10.0, step=4, counts=Counts(5, 5, 0, {}))
    store.write(WriteBatch(progress=[newer], time=100.0))
    store.write(WriteBatch(progress=[older], time=101.0))
    run, stream = store.run("r"), store.streams("r")[0]
    assert run is not None
    assert (run.pending, run.dropped) == (1, {"disk": 2})
    assert (stream.counts, stream.step, stream.heartbeat_at, stream.progress_at) == (newer.counts, 9, 101.0, 100.0)


def test_lost_steps_add_up_over_ranks(store: Store) -> None:
    """By reason."""
    store.write(
        WriteBatch(
            progress=[
                Progress("r", 0, rank, 1.0, counts=Counts(9, 2, 3, {"disk": 3, "ring": rank})) for rank in range(2)
            ]
        )
    )
    run = store.run("r")
    assert run is not None
    assert (run.dropped, run.pending) == ({"disk": 6, "ring": 1}, 6)


def test_manifests_tables_and_events_come_back(store: Store) -> None:
    """The last manifest of a process counts; tables are found by digest."""
    batch = steps_batch("r", 1, range(3))
    late = Chunk("r", 0, 0, 5, "manifest", SESSION, "{}")
    early = Chunk("r", 0, 0, 2, "manifest", SESSION, "{}")
    event = Event("r", 0, 0, 1, 0, 2, "scaler_skip", {"scale": 65536.0, "found": "Infinity"})
    store.write(replace(batch, events=[event]))
    store.write(WriteBatch(chunks=[late], manifests=[Manifest("r", 0, 0, 5, {"lr": 0.1, "by": "late"})]))
    store.write(WriteBatch(chunks=[early], manifests=[Manifest("r", 0, 0, 2, {"lr": 0.2})]))
    assert store.manifests("r") == [Manifest("r", 0, 0, 5, {"lr": 0.1, "by": "late"})]
    assert store.events("r") == [event]
    assert store.table("r", TABLE) == tensors(3)
    assert store.table("r", "unknown") is None
    assert store.tables("r") == {TABLE: tensors(3)}


def test_payload_and_header_come_back_byte_for_byte(store: Store) -> None:
    """Whatever the bytes: a frame of an unknown type is stored as it came."""
    payload = bytes(range(256)) * 41
    chunk = Chunk("r", 0, 0, 0, "record", SESSION, '{"x":"\\u0000é"}', memoryview(payload))
    store.write(WriteBatch(chunks=[chunk]))
    (stored,) = store.chunks("r")
    assert (stored.payload, stored.header_json, stored.type) == (payload, chunk.header_json, "record")


def test_s5_hostile_names_are_stored_harmlessly(store: Store) -> None:
    """NUL and lone surrogates, which no database takes, become a replacement character; SQL stays text."""
    name = "a\0b\ud800'; DROP TABLE runs; --"
    store.write(start_batch("r", name=name, project="p\0"))
    chunk = Chunk("r", 0, 0, 1, "steps", SESSION, "{}")
    rows = ScalarRows("r", 0, 0, 1, name, np.array([1]), np.array([2.0]))
    store.write(WriteBatch(chunks=[chunk], scalars=[rows], finishes=[Finish("r", 0, 0, 1, SESSION, "failed", name)]))
    run = store.run("r")
    assert run is not None
    assert (run.name[:3], run.project) == ("a\ufffdb", "p\ufffd")
    (stored,) = store.scalars("r")
    assert stored == run.name == run.reason


def test_an_empty_batch_changes_nothing(store: Store) -> None:
    """And is no error."""
    assert store.write(WriteBatch()).new == ()
    assert store.runs() == []


def test_a_step_twice_in_one_frame_has_its_later_value(store: Store) -> None:
    """The job took it again within the frame."""
    chunk = Chunk("r", 0, 0, 0, "steps", SESSION, "{}")
    rows = ScalarRows("r", 0, 0, 0, "loss", np.array([1, 2, 3, 2, 1]), np.array([1.0, 2.0, 3.0, 4.0, math.nan]))
    nothing = ScalarRows("r", 0, 0, 0, "lr", np.zeros(0, np.int64), np.zeros(0))
    store.write(WriteBatch(chunks=[chunk], scalars=[rows, nothing]))
    assert list(store.scalars("r")) == ["loss"]
    assert str(store.scalars("r")["loss"].values.tolist()) == "[nan, 4.0, 3.0]"
