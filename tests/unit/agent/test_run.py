from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from auditor.ingest.decode import step_batch
from auditor_agent.run import open_run
from support.fake_daemon import FakeDaemon


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    """A daemon that AUDITOR_URL points to."""
    with FakeDaemon() as daemon:
        monkeypatch.setenv("AUDITOR_URL", daemon.url)
        yield daemon


def test_steps_arrive_with_every_number_in_its_place(daemon: FakeDaemon) -> None:
    """What is recorded is what the daemon decodes: words, scalars, NaN, order."""
    run = open_run("torch", name="n", project="p")
    layout = run.layout([run.tensor("gradient", "a", (2, 3), "float32"), run.tensor("gradient", "b", (4,), "float32")])
    words = struct.pack("<8I16f", *range(8), *[float(n) for n in range(16)])
    for step in range(100):
        run.record(step, {"loss": math.nan if step == 50 else float(step)}, layout, words, time=1e9 + step)
    run.finish()
    starts = daemon.headers("start")
    assert [header["project"] for header in starts] == ["p"]
    batches = [step_batch(frame) for frame in daemon.frames.values() if frame.header["type"] == "steps"]
    steps = np.concatenate([batch.steps for batch in batches])
    assert steps.tolist() == list(range(100))
    losses = np.concatenate([batch.scalars["loss"][1] for batch in batches])
    assert np.flatnonzero(np.isnan(losses)).tolist() == [50]
    assert batches[0].blocks[0].stat("nan")[0].tolist() == [2, 3]
    assert run.counts() == {"produced": 100, "sent": 100, "pending": 0, "dropped": {}}
    assert run.verdict == "healthy"
    assert daemon.headers("finish")[0]["status"] == "finished"
