"""One run in which a second model is trained, beside a run of the first alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare import continued
from auditor.compare.side import Side
from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array


def side(steps: int, changed: int | None = None, *, another: bool = True) -> Side:
    """A run of so many steps, with another model after ``changed``."""
    at = np.arange(1, steps + 1)
    told: dict[str, Any] = {"model": "student", "another_model": another}
    events = [] if changed is None else [Event("a", 1, 0, 0, 0, changed, "optimizer_changed", told)]
    curves = {"loss": Curve(at, 1.0 / at), "epoch": Curve(at[9::10], np.arange(1.0, steps // 10 + 1))}
    return Side("a", "keras", "finished", curves, {}, last_step=steps, events=events)


@pytest.mark.parametrize("other", [100, 101])
def test_what_comes_after_is_left_out_and_said(other: int) -> None:
    """The other ends with the first model, within two steps of a hundred."""
    found = continued.first_training(side(240, 100), side(other))
    assert found.last_step == 100
    assert len(found.curves["loss"].steps) == 100
    assert len(found.curves["epoch"].steps) == 10
    assert continued.note(found) == "a: compared up to step 100: it trained another model in 140 steps after"


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (side(240, 100), side(240, 100)),
        (side(240, 100), side(240)),
        (side(240, 100, another=False), side(100)),
        (side(240), side(100)),
        (side(100, 100), side(100)),
    ],
    ids=["both", "as long", "another optimizer alone", "no change", "nothing after"],
)
def test_other_runs_stay_whole(mine: Side, other: Side) -> None:
    """Where both go on, or nobody does, or the other is as long as the whole."""
    found = continued.first_training(mine, other)
    assert found is mine
    assert continued.note(found) is None


@pytest.mark.parametrize(
    ("shape", "changed", "known"), [([4, 2], 100, False), ([24, 6], 100, True), ([4, 2], None, True)]
)
def test_a_manifest_of_the_later_model_describes_none_of_the_first_steps(
    shape: list[int], changed: int | None, *, known: bool
) -> None:
    """Told by shapes under the same names, where another model was trained at all; what was seen is kept."""
    recorded = assembled([Recording(1, [array("weight", "0.weight", np.zeros((24, 6), np.float32))])])
    manifest = {"model": {"tensors": {"0.weight": {"shape": shape}}}, "loss": {}, "canonical": {"update": []}}
    given = replace(side(240, changed), manifest=manifest, recordings=recorded)
    found = continued.described(given)
    assert (found is given) is known
    assert set(found.manifest or {}) == ({"model", "loss", "canonical"} if known else {"canonical"})
