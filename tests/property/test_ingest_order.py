"""D6: the order in which frames arrive, and how often, changes neither verdict nor series."""

from __future__ import annotations

import itertools
import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.app import application
from support.frames import Sender


def _frames(faults: list[tuple[int, int, str]]) -> list[bytes]:
    """A run of two ranks and some frames each; ``faults``: (rank, frame, what goes wrong in it)."""
    made = []
    for rank in (0, 1):
        sender = Sender(rank=rank, session=f"{rank:016x}")
        made.append(sender.start(world_size=2))
        for i in range(6):
            numbers = range(3 * i, 3 * i + 3)
            found = {what for where, at, what in faults if (where, at) == (rank, i)}
            loss: list[float] = [2.0 / (1 + n) for n in numbers]
            if "loss" in found:
                loss[1] = math.nan
            made.append(sender.steps(numbers, loss, nan=(0, 4) if "gradient" in found else (), tensors=i == 0))
        made.append(sender.finish(step=17))
    return made


def _outcome(frames: list[bytes], cuts: list[int]) -> dict[str, Any]:
    """What the daemon says of a run whose frames arrive so, in requests that end at ``cuts``."""
    with tempfile.TemporaryDirectory() as folder, application(Path(folder)) as app:
        edges = sorted({0, len(frames), *(cut % (len(frames) + 1) for cut in cuts)})
        for first, last in itertools.pairwise(edges):
            app.frames(*frames[first:last])
        for _ in range(40):  # gaps that a shuffle leaves behind are given up by the clock
            app.tick(1.0)
        app.settle()
        shown = app.get("/v1/runs/r1")
        series = {
            f"{kind}/{name}/{stat}/{rank}": app.get("/v1/runs/r1/series", kind=kind, name=name, stat=stat, rank=rank)
            for kind, name, stat in (("gradient", "fc1.bias", "nan"), ("weight", "fc1.weight", "l2"))
            for rank in (0, 1)
        }
        scalars = {rank: app.get("/v1/runs/r1/scalars", rank=rank)["scalars"] for rank in (0, 1)}
    alerts = [
        {name: alert[name] for name in ("id", "rule", "state", "first_step", "last_step", "subject", "members")}
        for alert in shown["alerts"]
    ]
    head = {name: shown[name] for name in ("verdict", "status", "steps", "first_step", "last_step", "loss", "ranks")}
    return {**head, "alerts": alerts, "series": series, "scalars": scalars}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_d6_any_order_and_any_repetition_gives_the_same_run(data: st.DataObject) -> None:
    """Shuffled over requests and ranks, some frames twice, the table last: the outcome is the same."""
    fault = st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from(["loss", "gradient"]))
    frames = _frames(data.draw(st.lists(fault, max_size=3)))
    again = data.draw(st.lists(st.sampled_from(frames), max_size=5))
    shuffled = data.draw(st.permutations(frames + again))
    cuts = data.draw(st.lists(st.integers(0, 40), max_size=6))
    assert _outcome(list(shuffled), cuts) == _outcome(frames, [])
