from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.neighbours import Pairs
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

MANIFEST = {"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": False}}
CLASSES, WIDTH = 4, 10


def run(
    losses: Any,
    *,
    mixed: bool,
    seed: int = 0,
    width: int = WIDTH,
    repeat: bool = False,
    shape: Any = None,
    pieces: int = 6,
    held_out: dict[int, float] | None = None,
    passes: int = 0,
) -> list[Finding]:
    """What is said of a run whose targets were shuffled apart (``mixed``), with these losses."""
    rng = np.random.default_rng(seed)
    sender, tensors = Sender(RunAuditor(RUN)), table()
    sender.start(framework="keras")
    sender.manifest(MANIFEST)
    centres, found = rng.normal(size=(CLASSES, width)) * 2, []
    kept = rng.integers(0, CLASSES, 32)
    inputs = centres[kept] + rng.normal(size=(32, width))
    for step in range(1, 21):
        if not repeat:
            kept = rng.integers(0, CLASSES, 32)
            inputs = centres[kept] + rng.normal(size=(32, width))
        targets = rng.permutation(kept) if mixed else kept
        output = np.full((32, CLASSES), 0.25) + rng.uniform(-0.02, 0.02, (32, CLASSES))
        loss = float(-np.log(output[np.arange(32), targets]).mean())
        data = inputs.astype(np.float32) if shape is None else inputs.reshape(shape).astype(np.float32)
        arrays = [
            array("batch", "input0", data),
            array("target", "target0", targets),
            array("output", "output0", output),
        ]
        found += sender.record(Recording(step, arrays, {"loss": loss}, {}))
    for i, part in enumerate(np.split(np.asarray(losses, float), pieces)):
        size = len(part)
        ended = [at for at in range(size * i, size * i + size) if passes and at % passes == passes - 1]
        events = [{"type": "epoch", "step": at + 1, "epoch": at // passes + 1} for at in ended]
        steps = batch(i, tensors, first=size * i + 1, steps=size, loss=part, events=events)
        told = {at - size * i - 1: value for at, value in (held_out or {}).items() if 0 <= at - size * i - 1 < size}
        if told:
            steps.scalars["val_loss"] = (np.array(list(told)), np.array(list(told.values())))
        found += sender.steps(steps, tensors)
    return [one for one in found if one.rule == "label_mismatch"]


FLAT = np.full(300, 1.386)
FALLING = np.linspace(1.386, 0.3, 300)


@pytest.mark.parametrize("seed", range(5))
def test_targets_shuffled_apart_are_found(seed: int) -> None:
    """Neighbours do not agree and the loss is that of guessing."""
    [found] = run(FLAT, mixed=True, seed=seed)
    assert found.evidence["chance"] == pytest.approx(np.log(4), abs=0.05)
    assert found.step >= 199


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_that_agree_or_a_loss_that_falls_are_no_fault(seed: int) -> None:
    """A model that does not learn what its neighbours know has another fault; one that learns has none."""
    assert run(FLAT, mixed=False, seed=seed) == []
    assert run(FALLING, mixed=True, seed=seed) == []
    assert run(FALLING, mixed=False, seed=seed) == []


@pytest.mark.parametrize("pieces", [1, 3, 25, 100])
def test_the_verdict_does_not_depend_on_how_the_frames_were_cut(pieces: int) -> None:
    """Said at the same step whether three hundred steps come in one frame or in a hundred."""
    assert [one.step for one in run(FLAT, mixed=True, pieces=pieces)] == [200]


def test_weak_dependence_under_noise_is_dependence() -> None:
    """One informative column of twenty, half of it noise: columns say what neighbours cannot."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(400, 20))
    targets = (rows[:, 3] + 1.5 * rng.normal(size=400) > 0).astype(float)
    found = [
        Pairs(rows.astype(np.float32), kept, labels=True).dependence(2.0)
        for kept in (targets, rng.permutation(targets))
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] > 4
    assert found[1] < 2


@pytest.mark.parametrize(
    ("told", "labels"),
    [
        (lambda x, noise: np.where(noise < 0.2, 0, x[:, 1] * x[:, 4] > 0), True),
        (lambda x, noise: x[:, 0] ** 2 + x[:, 3] ** 2 + 3 * noise > 3.5, True),
        (lambda x, noise: x[:, 2] * x[:, 3] + 8 * (noise - 0.5), False),
    ],
    ids=["one sign", "distance from the centre", "amounts"],
)
def test_columns_that_only_together_say_something_are_dependence(told: Any, labels: bool) -> None:
    """Under noise neither neighbours nor single columns see it; of targets shuffled apart products see nothing."""
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(500, 9))
    targets = told(rows, rng.random(500)).astype(float)
    shuffled = [Pairs(rows.astype(np.float32), rng.permutation(targets), labels).dependence(2.0) for _ in range(20)]
    related = Pairs(rows.astype(np.float32), targets, labels).dependence(2.0)
    assert related is not None
    assert related > 4
    assert sum(one is None or one >= 2 for one in shuffled) <= 2


def test_few_samples_of_the_rarer_classes_prove_nothing() -> None:
    """Of a class in a hundred neighbours cannot agree; of two in five they can."""
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(600, 4)).astype(np.float32)
    for rare, judged in ((6, False), (240, True)):
        targets = (np.arange(600) < rare).astype(float)
        assert (Pairs(rows, targets, labels=True).dependence(2.0) is not None) == judged


def test_sequences_are_not_judged() -> None:
    """Neighbours of sequences say little: three axes are left alone."""
    assert run(FLAT, mixed=True, shape=(32, 5, 2)) == []


def test_inputs_that_contradict_themselves_are_found_at_once() -> None:
    """The same inputs with other targets each time."""
    found = run(FALLING, mixed=True, repeat=True)
    assert len(found) == 1
    assert found[0].evidence["contradicted"] >= 16


def test_equal_inputs_with_equal_targets_are_confirmed() -> None:
    """A small data set seen many times is none."""
    assert run(FALLING, mixed=False, repeat=True) == []


@pytest.mark.parametrize("pieces", [1, 3, 25])
def test_labels_learnt_by_heart_that_help_no_held_out_data(pieces: int) -> None:
    """The training loss falls, that of data held out never below guessing; where neighbours agree it is overfitting."""
    held_out = dict.fromkeys(range(30, 301, 30), 1.45)
    assert [one.step for one in run(FALLING, mixed=True, held_out=held_out, pieces=pieces)] == [200]
    assert run(FALLING, mixed=False, held_out=held_out, pieces=pieces) == []
    assert run(FALLING, mixed=True, held_out={**held_out, 120: 1.1}, pieces=pieces) == []


@pytest.mark.parametrize(("level", "expected"), [(0.96, []), (1.0, [200])])
def test_what_is_foreseen_in_the_first_pass_is_related(level: float, expected: list[int]) -> None:
    """Noisy labels: a loss surely below guessing before any sample came twice is not learnt by heart."""
    noise = np.random.default_rng(4).normal(0, 0.02, 300)
    losses = 1.386 * np.concatenate([np.full(30, 1.0), np.full(270, level)]) + noise
    assert [one.step for one in run(losses, mixed=True, passes=100)] == expected


@pytest.mark.parametrize(("held_out", "expected"), [(1.25, []), (1.385, [200]), (None, [200])])
def test_held_out_data_answered_better_than_by_guessing_are_related(
    held_out: float | None, expected: list[int]
) -> None:
    """Most labels are noise: the loss stays near that of guessing, of data not trained on surely below it."""
    told = dict.fromkeys(range(40, 301, 40), held_out) if held_out is not None else None
    assert [one.step for one in run(0.98 * FLAT, mixed=True, held_out=told)] == expected


@pytest.mark.parametrize(("noise", "expected"), [(0.0, True), (0.05, False)])
def test_labels_with_noise_have_no_equal_neighbours(noise: float, expected: bool) -> None:
    """A discriminator's labels are smoothed or drawn around 0 and 1: nearest neighbours need not agree exactly."""
    rng = np.random.default_rng(3)
    sender, tensors = Sender(RunAuditor(RUN)), table()
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    found = []
    for step in range(1, 21):
        kind = rng.integers(0, 2, 32)
        inputs = (4.0 * kind[:, None] + rng.normal(size=(32, 3))).astype(np.float32)
        targets = rng.permutation(kind) if expected else kind + noise * rng.uniform(size=32)
        arrays = [array("batch", "input0", inputs), array("target", "target0", targets[:, None].astype(np.float32))]
        arrays.append(array("output", "output0", np.zeros((32, 1), np.float32)))
        found += sender.record(Recording(step, arrays, {"loss": float(np.log(2))}, {}))
    found += sender.steps(batch(0, tensors, first=1, steps=300, loss=np.full(300, np.log(2))), tensors)
    assert [one.rule for one in found if one.rule in {"label_mismatch", "label_range"}] == ["label_mismatch"] * expected


@pytest.mark.parametrize(
    ("op", "before", "after", "said"),
    [
        ("View", [8, 6, 3], [8, 3, 6], True),
        ("UnsafeView", [4, 5, 5, 3], [4, 3, 5, 5], True),
        ("Permute", [8, 6, 3], [8, 3, 6], False),
        ("View", [8, 6, 3], [48, 3], False),
        ("View", [8, 6, 1], [8, 1, 6], False),
    ],
)
def test_outputs_that_are_reshaped_where_axes_should_change_places(
    op: str, before: list[int], after: list[int], said: bool
) -> None:
    """Sequences and images; rows of all positions, and an axis of one, lose nothing."""
    nodes = [{"op": "LogSoftmax", "inputs": [1]}, {"op": op, "inputs": ["output0"], "from": before, "shape": after}]
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="torch")
    facts = {"loss": {"operation": "CrossEntropy", "graph": nodes}}
    found = sender.record(Recording(1, [array("output", "output0", np.zeros(before))], {"loss": 1.0}, facts))
    assert [one.rule for one in found if one.rule == "label_mismatch"] == ["label_mismatch"] * said


@pytest.mark.parametrize(
    ("kept", "said"),
    [(0.0, True), (0.6, False), (1.0, False)],
    ids=["dealt out", "a fifth of noise", "always the same"],
)
def test_two_classes_dealt_out_anew_each_time(kept: float, *, said: bool) -> None:
    """Half of the pairs of two classes agree by chance; of labels with noise far more do."""
    rng, sender, found = np.random.default_rng(9), Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    inputs, own = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    for step in range(1, 7):
        dealt = np.where(rng.random(60) < kept, own, rng.integers(0, 2, 60)).astype(float)[:, None]
        arrays = [array("batch", "input0", inputs), array("output", "output0", rng.normal(size=(60, 1)))]
        found += sender.record(Recording(step, [*arrays, array("target", "target0", dealt)], {"loss": 0.7}, {}))
    assert bool([one for one in found if one.rule == "label_mismatch"]) is said


@pytest.mark.parametrize("ones", [1.0, 0.98], ids=["of one class", "nearly"])
def test_repeated_inputs_under_one_class_contradict_nothing(ones: float) -> None:
    """Real samples are all of class 1 to a discriminator; and where one class is rare a few pairs are no proof."""
    rng, found, sender = np.random.default_rng(5), [], Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    inputs = rng.normal(size=(60, 4))
    for step in range(1, 5):
        targets = (rng.random((60, 1)) < ones).astype(float)
        arrays = [array("batch", "input0", inputs), array("output", "output0", rng.normal(size=(60, 1)))]
        found += sender.record(Recording(step, [*arrays, array("target", "target0", targets)], {"loss": 0.7}, {}))
    assert [one for one in found if one.rule == "label_mismatch"] == []


def test_one_input_for_all_is_the_inputs_fault() -> None:
    """Targets cannot contradict what says nothing."""
    rng, sender, found = np.random.default_rng(9), Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    for step in range(1, 7):
        arrays = [array("batch", "input0", np.full((60, 4), 0.3)), array("output", "output0", np.zeros((60, 1)))]
        arrays += [array("target", "target0", rng.integers(0, 2, (60, 1)).astype(float))]
        found += sender.record(Recording(step, arrays, {"loss": 0.7}, {}))
    assert [one for one in found if one.rule == "label_mismatch"] == []
