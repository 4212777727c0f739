"""D1, D2, G12: the spool against a model, and against damage."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor_agent.stream import wire
from auditor_agent.stream.courier import Reply
from auditor_agent.stream.deliver import deliver
from auditor_agent.stream.recovery import recover, segments
from auditor_agent.stream.spool import Spool
from support.fake_daemon import FakeDaemon


def frame(seq: int, size: int = 0, floor: int = 0) -> bytes:
    """A steps frame of one step."""
    header = {"type": "steps", "run": "r", "attempt": 0, "rank": 0, "session": "s", "seq": seq, "floor": floor}
    return wire.encode({**header, "steps": 1}, bytes(size))


class Line:
    """Posts straight into a fake daemon, without a socket."""

    def __init__(self, daemon: FakeDaemon) -> None:
        self._daemon = daemon

    def __call__(self, path: str, body: bytes, content_type: str, timeout: float) -> Reply:  # noqa: ARG002 -- the protocol's
        """Hand the body over."""
        import json

        answer = self._daemon.take(path, body)
        return Reply(400 if "error" in answer else 200, json.dumps(answer).encode())

    def close(self) -> None:
        """Nothing to close."""


FRAMES = [frame(seq, size=seq % 5 * 40) for seq in range(12)]
STARTS = [sum(map(len, FRAMES[:place])) for place in range(len(FRAMES) + 1)]
damage = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, STARTS[-1] * 8 - 1)),
    st.tuples(st.just("cut"), st.integers(0, STARTS[-1] - 1)),
    st.tuples(st.just("append"), st.binary(min_size=1, max_size=100).map(lambda junk: b"\0" + junk)),
)


def damaged(data: bytes, what: tuple[str, int | bytes]) -> tuple[bytes, int]:
    """The damaged bytes, and how many frames at the front are untouched."""
    kind, value = what
    if isinstance(value, bytes):
        return data + value, len(FRAMES)
    at = value // 8 if kind == "flip" else value
    intact = max(place for place, start in enumerate(STARTS) if start <= at)
    if kind == "cut":
        return data[:at], intact
    changed = bytearray(data)
    changed[at] ^= 1 << value % 8
    return bytes(changed), intact


@settings(max_examples=1000, deadline=None)
@given(damage)
def test_d2_the_intact_prefix_of_a_damaged_segment_is_recovered(what: tuple[str, int | bytes]) -> None:
    """Any bit flipped, any cut, any junk behind: exactly the frames before it come back, and nothing raises."""
    data, intact = damaged(b"".join(FRAMES), what)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "000000000000.frames"
        path.write_bytes(data)
        found, rest = recover(path)
    assert [item.data for item in found] == FRAMES[:intact]
    assert rest == len(data) - STARTS[intact]


@settings(max_examples=100, deadline=None)
@given(damage)
def test_d2_delivery_after_damage_closes_the_gap(what: tuple[str, int | bytes]) -> None:
    """What is intact is delivered, the next segment tells that what is missing will not come."""
    data, intact = damaged(b"".join(FRAMES), what)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "000000000000.frames").write_bytes(data)
        (Path(folder) / "000000000012.frames").write_bytes(frame(12) + frame(13))
        daemon = FakeDaemon()
        daemon._server.server_close()
        result = deliver(Path(folder), lambda _: Line(daemon), patience=1.0)
        kept = {path.name for path in Path(folder).iterdir()} - {"acked"}
    delivered = {header["seq"]: header["floor"] for header in daemon.received}
    assert list(delivered) == [*range(intact), 12, 13]
    assert delivered[12] == (12 if intact < len(FRAMES) else 0)
    assert (result.frames, result.steps, result.remaining) == (intact + 2, intact + 2, 0)
    assert kept == ({"000000000000.damaged"} if result.damaged else set())


operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 40_000)),
        st.tuples(st.just("settle"), st.integers(0, 60)),
        st.tuples(st.just("read"), st.integers(1, 100_000)),
        st.tuples(st.just("disk"), st.booleans()),
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(operations, st.sampled_from([150_000, 1 << 28]))
def test_g12_d2_the_spool_is_a_bounded_queue_whatever_happens(steps: list[tuple[str, int]], cap: int) -> None:
    """Against a dictionary as the model, with a disk that comes and goes: same frames, same books, in order."""
    model: dict[int, bytes] = {}
    lost: list[int] = []
    settled = produced = now = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "run" / "0-0"
        home.mkdir(parents=True)
        spool = Spool(home, cap, lambda _, count: lost.append(count), clock=lambda: float(now))
        for what, value in steps:
            now += 100
            if what == "append":
                data = frame(produced, value)
                spool.append(produced, data, 1)
                model[produced] = data
                produced += 1
            elif what == "settle" and model:
                seq = min(model) + value
                taken = spool.settle(seq)
                assert taken in (None, 1)
                settled += taken or 0
                if taken:
                    del model[seq]
            elif what == "read":
                batch = spool.read(value, 10)
                known = b"".join(model[seq] for seq in batch.seqs if seq in model)
                assert batch.seqs == tuple(sorted(batch.seqs))
                if all(seq in model for seq in batch.seqs):
                    assert batch.data == known
            elif what == "disk":
                home.chmod(0o700)
                spool._directory = home if value else Path(folder) / "away"
            gone = [seq for seq in model if seq < spool.floor]
            for seq in gone:
                del model[seq]
            assert spool.steps() == produced - settled - sum(lost)
            assert spool.floor == min(model, default=produced)
        assert spool.steps() == len(model)
        if not any(segment.path is None for segment in spool._segments):
            spool.close()
            on_disk = [item.seq for path in segments(home) for item in recover(path)[0]]
            assert set(model) <= set(on_disk)
            assert on_disk == sorted(set(on_disk))
        spool.close()
