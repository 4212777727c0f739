"""Backward passes and tapes of a step: as many batches, or several losses of one; a part of it says little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.identify import passes
from auditor.compare.identify.loss import LossFit
from auditor.compare.profile import Profile
from auditor.compare.recognise import conduct, loss, schedule
from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from support.tiny import Tiny, name, sgd

STEPS, ROWS = 12, 16
#: Of another optimizer, whose weights are recorded as well.
OTHERS = {"optimizers": {"1": [name(2), name(3)]}}
NONE: Mapping[str, Any] = {}


def curve(value: float) -> Curve:
    """One number for each step."""
    return Curve(np.arange(1, STEPS + 1), np.full(STEPS, value))


def epochs(steps: int, batches: int, rows: int = ROWS) -> dict[str, Any]:
    """Two epochs of so many steps, and the loader that gave the batches."""
    fields = {"epoch": 1, "steps": steps, "batches": batches, "order": "0"}
    loader = {"batch_size": rows, "samples": rows * batches, "drop_last": False}
    events = [Event("r", 0, 0, at, 0, at * steps, "epoch", fields) for at in (1, 2)]
    return {"events": events, "manifest": {"canonical": {"loaders": [loader]}}}


def run(
    count: float = 0, samples: float = 0, facts: Mapping[str, Any] = NONE, framework: str = "torch", **beside: Any
) -> Profile:
    """A run of steps with so many backward passes, of so many samples."""
    told = {name: curve(value) for name, value in (("micro_batches", count), ("samples", samples)) if value}
    return Tiny(stepper=sgd, facts=dict(facts), framework=framework).profile(curves=told, **beside)


def found(side: Profile) -> Any:
    """Batches to a step as they were counted; ``None`` where nobody knows."""
    return None if side.value(passes.UNTOLD) else side.value("update.batches_per_step", 1)


COUNTED: dict[str, tuple[dict[str, Any], int | None]] = {
    "four batches": ({"count": 4}, 4),
    "the model called for each": ({"count": 4, "samples": 4 * ROWS}, 4),
    "called twice for each": ({"count": 4, "samples": 8 * ROWS}, 4),
    "two losses of one call": ({"count": 2, "samples": ROWS}, 1),
    "two calls with one batch of the loader": ({"count": 2, "samples": 2 * ROWS, **epochs(6, 6)}, 1),
    "a batch for each from the loader": ({"count": 4, "samples": 4 * ROWS, **epochs(3, 12)}, 4),
    "one batch of the loader in parts": ({"count": 4, "samples": 4 * ROWS, **epochs(6, 6, 4 * ROWS)}, 4),
    "rows that are parts of samples": ({"count": 4, "samples": 4 * ROWS, **epochs(3, 12, ROWS // 8)}, 4),
    "beside another optimizer": ({"count": 2, "samples": 2 * ROWS, "facts": OTHERS}, None),
    "a game for each batch of the loader": ({"count": 2, "samples": 2 * ROWS, "facts": OTHERS, **epochs(6, 6)}, 1),
    "one loss of each network": ({"count": 2, "samples": ROWS, "facts": OTHERS}, 1),
}


@pytest.mark.parametrize("case", COUNTED)
def test_passes_of_one_batch_are_no_accumulation(case: str) -> None:
    """And those of several are."""
    told, wanted = COUNTED[case]
    assert found(run(**told)) == wanted


@pytest.mark.parametrize("case", COUNTED)
def test_what_nobody_knows_of_batches_claims_nothing(case: str) -> None:
    """As many as were counted are told against one."""
    told, wanted = COUNTED[case]
    many = [one.id for one in conduct.causes(run(**told), run()) if one.parameter.endswith("accumulation_steps")]
    assert many == (["OPT-21"] if wanted and wanted > 1 else [])


TAPED: dict[str, tuple[dict[str, Any], int | None]] = {
    "one": ({"samples": ROWS}, 1),
    "four, of a quarter each": ({"samples": 4 * ROWS, "facts": {"tapes": 4}}, 4),
    "two of one batch": ({"samples": ROWS, "facts": {"tapes": 2}}, None),
    "a quarter, of no tapes that were counted": ({"samples": 4 * ROWS}, None),
    "without samples": ({"facts": {"tapes": 4}}, None),
    "of a game": ({"samples": 2 * ROWS, "facts": {"tapes": 2, **OTHERS}}, None),
}


@pytest.mark.parametrize("case", TAPED)
def test_tapes_are_batches_where_each_is_given_a_part(case: str) -> None:
    """Parts alone may be those of several devices."""
    told, wanted = TAPED[case]
    assert found(run(framework="tensorflow", **told)) == wanted


def test_what_a_judge_is_shown_last_is_not_taken_for_the_data() -> None:
    """Of its tapes the last one is recorded: of what a generator made."""
    game = run(framework="tensorflow", samples=2 * ROWS, facts={"tapes": 2, **OTHERS})
    alone = run(framework="tensorflow", samples=2 * ROWS, facts={"tapes": 2})
    assert [side.value("data.features") is None for side in (game, alone)] == [True, False]
    assert [side.value("data.batch_size") is None for side in (game, alone)] == [True, False]


@pytest.mark.parametrize(("samples", "share"), [(ROWS, None), (4 * ROWS, 0.25), (ROWS / 2, None)])
def test_the_part_of_a_step_that_was_recorded(samples: float, share: float | None) -> None:
    """Where it is not all of it."""
    assert run(samples=samples).value(passes.RECORDED) == share


@pytest.mark.parametrize(("samples", "told"), [(ROWS, ["LOSS-00"]), (4 * ROWS, [])])
def test_the_gradient_of_several_batches_is_held_against_no_loss_of_the_last(samples: float, told: list[str]) -> None:
    """Of a known loss it is far off, and its own is none that explains the numbers of that batch."""
    known = Tiny(stepper=sgd).profile()
    cubed = Tiny(stepper=sgd, loss=lambda o, y: ((o - y).abs() ** 3 + torch.sin(5 * o)).mean())
    other = cubed.profile(curves={"samples": curve(samples)})
    unlike = LossFit("cross entropy", "values", "mean", 1.0, broadcast=False, smoothing=0.0, residual=0.6)
    other = replace(other, loss=[unlike])
    assert [one.id for one in loss._unknown(known, other)] == told


@pytest.mark.parametrize(("size", "entries"), [(1.0, []), (4.0, ["OPT-21"])])
def test_batches_that_make_one_batch_are_so_by_their_size_where_no_loss_is_known(
    size: float, entries: Sequence[str]
) -> None:
    """The last of them was recorded: loss and gradient of the first step tell a mean from a sum."""
    four = {"samples": 4 * ROWS, "facts": {"tapes": 4}, "framework": "tensorflow"}
    parts, whole = run(**four), Tiny(stepper=sgd, batch=4 * ROWS).profile()
    parts.facts.measured.pop("loss.factor")
    sides = [
        replace(side, curves={**side.curves, "loss": curve(times), "grad_norm": curve(times)})
        for side, times in ((parts, size), (whole, 1.2))
    ]
    found = [one.id for one in diagnose(*sides).causes if one.id in {"OPT-21", "DATA-02"}]
    assert found[:1] == entries


@pytest.mark.parametrize(("steps", "told"), [(6, []), (3, ["SCH-03"])])
def test_epochs_are_as_long_as_the_loader_says(steps: int, told: list[str]) -> None:
    """Whatever its batches and samples come to."""
    sides = run(**epochs(steps, 6)), run(**epochs(6, 6))
    assert [one.id for one in schedule.causes(*sides) if one.parameter == "update.epochs"] == told
