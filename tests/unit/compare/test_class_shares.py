"""Classes in other shares: what is held back of sorted data is no sample of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array, event

ROWS = 500
SORTED = np.repeat(np.arange(5), ROWS // 5)


Labels = np.ndarray[Any, Any]


def step(at: int, labels: Labels, rng: np.random.Generator, *, wide: bool) -> Recording:
    """A batch of inputs that tell nothing."""
    coded = np.eye(5)[labels] if wide else labels
    arrays = [array("batch", "input0", rng.random((len(labels), 3))), array("target", "target0", coded)]
    return Recording(at, arrays, {}, {})


def run(labels: Labels, seed: int, *, wide: bool = False, held: Labels | None = None) -> Profile:
    """Sixteen shuffled batches of 32; ``wide``: targets as one-hot rows; ``held``: labels of the first evaluation."""
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(labels)) for _ in range(1 + 16 * 32 // len(labels))])
    rows = labels[order[: 16 * 32]].reshape(16, 32)
    found = [step(at + 1, batch, rng, wide=wide) for at, batch in enumerate(rows)]
    looked = [] if held is None else [step(16, held[:32], rng, wide=wide)]
    events = [event(16, "epoch", epoch=1, samples=len(labels), steps=16)]
    return profile("a", "keras", assembled(found), Beside(events=events, evaluations=assembled(looked)))


def told(a: Profile, b: Profile) -> list[tuple[str, str]]:
    """What is told of classes."""
    words = ("classes", "shares")
    return [(one.id, one.parameter) for one in diagnose(a, b).causes if one.parameter.endswith(words)]


def random_split(seed: int) -> np.ndarray[Any, Any]:
    """Four fifths of the labels, by chance."""
    return np.random.default_rng(seed).permutation(SORTED)[: 4 * ROWS // 5]


@pytest.mark.parametrize("wide", [False, True])
def test_the_last_rows_of_sorted_data_are_no_sample_of_it(wide: bool) -> None:
    """A random part against the last fifth, which is all of the last class; however targets are coded."""
    last = run(SORTED[: 4 * ROWS // 5], 2, held=SORTED[4 * ROWS // 5 :])
    sampled = run(random_split(1), 1, wide=wide)
    assert told(sampled, last) == [("DATA-03", "data.held_out.classes")]
    for pair, wrong in (((sampled, last), "b"), ((last, sampled), "a")):
        found = next(one for one in diagnose(*pair).causes if one.parameter == "data.held_out.classes")
        assert found.mend == wrong


def test_rows_that_are_drawn_by_their_class_are_told() -> None:
    """As many of a rare class as of the common ones, on one side."""
    rare = np.concatenate([np.zeros(400, int), np.ones(50, int)])
    drawn = np.random.default_rng(0).integers(0, 2, 450)
    assert told(run(rare, 1), run(drawn, 2)) == [("DATA-00", "data.target.shares")]


@pytest.mark.parametrize("seed", range(6))
def test_parts_by_chance_are_samples_of_one_set(seed: int) -> None:
    """Also of few rows that come again and again."""
    assert not told(run(random_split(seed), seed), run(random_split(seed + 50), seed + 50, wide=True))
    few = [np.random.default_rng(seed + at).permutation(SORTED)[:60] for at in (0, 100)]
    assert not told(run(few[0], seed), run(few[1], seed + 9))


def test_other_numbers_of_classes_are_another_matter() -> None:
    """Numbered from one on, say."""
    assert not told(run(SORTED, 1), run(SORTED + 1, 2))
