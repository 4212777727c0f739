"""Embeddings of which hardly anything is looked up, by the recorded indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding, Severity
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

Draw = Callable[[np.random.Generator], Any]
ROWS = 500
LAYERS = [
    {"name": "positions", "class": "Embedding", "num_embeddings": 32},
    {"name": "words", "class": "Embedding", "num_embeddings": ROWS},
]


def judged(draw: Draw, *, layers: Any = LAYERS, steps: int = 20, phase: str = "train") -> list[Finding]:
    """What is said of recorded batches that ``draw`` makes."""
    sender, rng = Sender(RunAuditor(RUN)), np.random.default_rng(2)
    sender.manifest({"model": {"layers": layers}})
    found: list[Finding] = []
    for step in range(1, steps + 1):
        facts = {"phase": phase} if phase == "eval" else {}
        found += sender.record(Recording(step, [array("batch", "input0", draw(rng))], {}, facts, phase=phase))
    return [one for one in found if one.rule == "embedding_unused"]


def unknown(rng: np.random.Generator) -> Any:
    """Index 1 in nine of ten places, a few words that are known."""
    words = rng.choice([7, 8, 9, 400], (16, 12))
    return np.where(rng.random((16, 12)) < 0.9, 1, words)


def test_nearly_every_index_is_the_unknown_one() -> None:
    """A warning, of the largest embedding, once sixteen batches show it."""
    [found] = judged(unknown)
    assert (found.step, found.severity, found.subject.name) == (16, Severity.WARNING, "words")
    assert (found.evidence["index"], found.evidence["distinct"], found.evidence["rows"]) == (1, 5, ROWS)
    assert found.evidence["share"] == pytest.approx(0.9, abs=0.02)


def test_indices_that_come_as_numbers_of_another_type() -> None:
    """Keras gives whole numbers as float32, and declares the rows as input_dim."""
    layers = [{"name": "words", "class": "Embedding", "config": {"input_dim": ROWS}}]
    assert len(judged(lambda rng: unknown(rng).astype(np.float32), layers=layers)) == 1
    assert len(judged(lambda rng: unknown(rng).astype(np.int32), layers=layers)) == 1


def test_without_a_single_known_word() -> None:
    """One index throughout."""
    [found] = judged(lambda _: np.zeros((8, 6), np.int64))
    assert found.evidence["share"] == 1


def words(rng: np.random.Generator, shape: tuple[int, int] = (16, 12)) -> Any:
    """A text: Zipf's law."""
    return np.minimum(rng.zipf(1.5, shape), ROWS - 1)


def padded(rng: np.random.Generator) -> Any:
    """Two words, then nothing: nine tenths of the batch are padding."""
    ids = words(rng, (16, 40))
    ids[:, 4:] = 0
    return ids


def padded_in_front(rng: np.random.Generator) -> Any:
    """The same the other way round."""
    return np.flip(padded(rng), axis=1)


def rare_events(rng: np.random.Generator) -> Any:
    """Mostly nothing happens; what happens may be anything."""
    return np.where(rng.random((32, 20)) < 0.95, 0, rng.integers(0, ROWS, (32, 20)))


def few(rng: np.random.Generator) -> Any:
    """Four letters of a large alphabet, evenly."""
    return rng.integers(20, 24, (16, 12))


@pytest.mark.parametrize(
    "draw", [words, padded, padded_in_front, rare_events, few, lambda rng: rng.integers(0, 3, (16, 1))]
)
def test_sequences_as_they_may_be(draw: Draw) -> None:
    """Text, padding on either side, rare events, a small part of a vocabulary, a category for each sample."""
    assert judged(draw) == []


def test_what_is_no_lookup() -> None:
    """Values between whole numbers, numbers beyond the rows, evaluations, models without an embedding, few batches."""
    assert judged(lambda rng: unknown(rng) + 0.5) == []
    assert judged(lambda rng: unknown(rng) * 1000) == []
    assert judged(unknown, phase="eval") == []
    assert judged(unknown, layers=[{"name": "words", "class": "Linear"}]) == []
    assert judged(unknown, steps=15) == []
