"""Evaluations that are given data of another scale than training, on one side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare.identify import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import evaluated
from auditor.ingest.records import Recorded, StepRecording
from support.tiny import Tiny, inputs

HELD_OUT = inputs(128)[96:].astype(np.float64)
CENTRE, SPREAD = HELD_OUT.mean(axis=0) + 0.3, HELD_OUT.std(axis=0) * 1.1


def looked(values: np.ndarray | None, step: int = 6) -> Profile:
    """A run that was evaluated on these inputs after a step."""
    run = Tiny().profile()
    if values is None:
        return run
    kept = np.asarray(values, np.float32)
    batch = Recorded("batch", "input0", "float32", kept.shape, kept.size, kept.reshape(-1))
    return replace(run, evaluation=StepRecording(0, 0, step, {("batch", "input0"): batch}))


CASES: dict[str, tuple[np.ndarray | None, np.ndarray | None, list[str]]] = {
    "alike": (HELD_OUT, HELD_OUT, []),
    "other rows": (HELD_OUT, HELD_OUT[::-1], []),
    "as many rows as a batch has": (HELD_OUT, HELD_OUT[:20], []),
    "bytes": (HELD_OUT, HELD_OUT * 255, ["data.evaluation.scale"]),
    "its own statistics": (HELD_OUT, (HELD_OUT - CENTRE) / SPREAD, ["data.evaluation.units"]),
    "both otherwise than training": (HELD_OUT * 255, HELD_OUT * 255, []),
    "a shape that is tried out": (HELD_OUT, HELD_OUT[:2] * 9, []),
    "rounded": (HELD_OUT, np.round(HELD_OUT * 256) / 256, []),
    "nothing known": (HELD_OUT, None, []),
}


@pytest.mark.parametrize("case", CASES)
def test_inputs_of_evaluation_in_other_units_are_told(case: str) -> None:
    """Either way round, under the step before the evaluation; other rows are no other units."""
    a, b, wanted = CASES[case]
    for left, right in ((a, b), (b, a)):
        found = list(evaluated.causes(looked(left), looked(right)))
        assert [one.parameter for one in found] == wanted
        assert all((one.id, one.step) == ("DATA-00", 6) for one in found)


@pytest.mark.parametrize(
    ("sizes", "told"), [((5.0, 1.0), True), ((0.1, 1.2), True), ((5.0, 5.0), False), ((1.3, 0.8), False)]
)
def test_targets_of_evaluation_in_other_units_are_told(sizes: tuple[float, float], *, told: bool) -> None:
    """Prices against scaled prices, on one side; a held-out part that is larger on both is the data's doing."""
    sides = []
    for size in sizes:
        run = Tiny().profile()
        values = (size * float(run.value("data.target.rms")) * np.sign(HELD_OUT[:, 0]) + 0.001).astype(np.float32)
        kept = Recorded("target", "target0", "float32", values.shape, values.size, values)
        seen = replace(looked(HELD_OUT).evaluation or StepRecording(0, 0, 6, {}), step=6)
        sides.append(replace(run, evaluation=seen, judged=StepRecording(0, 0, 6, {("target", "target0"): kept})))
    for a, b in (sides, sides[::-1]):
        found = [cause.parameter for cause in evaluated.causes(a, b)]
        assert found == (["data.evaluation.target"] if told else [])


def test_targets_of_another_part_of_the_loss_are_of_their_own_units() -> None:
    """In distillation: class numbers in the one recorded, shares in the other."""
    run = Tiny().profile()
    sides = []
    for columns in (1, 6):
        values = np.full((32, columns), 0.01, np.float32)
        kept = Recorded("target", "target0", "float32", values.shape, values.size, values.reshape(-1))
        seen = looked(HELD_OUT).evaluation
        sides.append(replace(run, evaluation=seen, judged=StepRecording(0, 0, 6, {("target", "target0"): kept})))
    alike = np.full(32, float(run.value("data.target.rms")) + 0.001, np.float32)
    kept = Recorded("target", "target0", "float32", (32,), 32, alike)
    usual = replace(sides[0], judged=StepRecording(0, 0, 6, {("target", "target0"): kept}))
    assert [[cause.parameter for cause in evaluated.causes(side, usual)] for side in sides] == [
        ["data.evaluation.target"],
        [],
    ]


def test_classes_of_an_evaluation_have_no_units() -> None:
    """Held-out rows may be of larger class numbers."""
    run = Tiny(y=np.arange(96)[:, None].astype(np.float32) % 3).profile()
    sides = []
    for number in (0, 40):
        values = np.full(32, number, np.float32)
        kept = Recorded("target", "target0", "float32", values.shape, values.size, values)
        seen = looked(HELD_OUT).evaluation
        sides.append(replace(run, evaluation=seen, judged=StepRecording(0, 0, 6, {("target", "target0"): kept})))
    assert list(evaluated.causes(*sides)) == []


@pytest.mark.parametrize(("scale", "told"), [(1.0, False), (0.1, True)])
def test_words_have_no_size(scale: float, *, told: bool) -> None:
    """Numbers of words are small where much is padded; halves of units are amounts."""
    words = np.arange(96 * 6).reshape(96, 6) % 50
    run = Tiny(x=(words * scale).astype(np.float32)).profile()
    sides = []
    for part in (1, 12):
        kept = (words[:32] // part * scale).astype(np.float32)
        batch = Recorded("batch", "input0", "float32", kept.shape, kept.size, kept.reshape(-1))
        sides.append(replace(run, evaluation=StepRecording(0, 0, 6, {("batch", "input0"): batch})))
    assert bool(list(evaluated.causes(*sides))) is told


@pytest.mark.parametrize(
    ("share", "others", "last", "told"),
    [(1.0, 0.0, 60, True), (1.0, 1.0, 60, False), (0.0, 0.0, 60, False), (0.1, 0.0, 60, False), (1.0, 0.0, 6, False)],
    ids=["training rows", "both", "neither", "a few", "after training"],
)
def test_an_evaluation_on_the_rows_of_training_is_told(share: float, others: float, last: int, *, told: bool) -> None:
    """A loader built on the wrong part. Some rows twice in a data set are no such thing, nor is a look at the end."""
    sides = []
    for part in (share, others):
        known = [one.of("batch") for one in Tiny().profile().evidence.steps]
        trained = np.concatenate([next(iter(one.values())).whole() for one in known if one])
        rows = np.concatenate([trained[: round(32 * part)], HELD_OUT[: 32 - round(32 * part)] + 0.01])
        side = replace(looked(rows), last_step=last)
        side.facts.add(Fact("data.samples_per_epoch", len(np.unique(trained, axis=0))))
        sides.append(side)
    for pair in (sides, sides[::-1]):
        assert [one.parameter for one in evaluated.causes(*pair)] == ["data.evaluation.rows"] * told
