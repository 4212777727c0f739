"""Values that stand for missing ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.marked import Marked, marked
from auditor.detect.rule import dump, load
from auditor.detect.rules.data.inputs import InputScale
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(21)
PLAIN = RNG.normal(size=(200, 5))


def holed(values: Any, value: float, share: float = 0.05, column: int = 2) -> Any:
    """``values`` with ``value`` in that share of a column."""
    out = np.array(values, dtype=float)
    out[: round(share * len(out)), column] = value
    return out


@pytest.mark.parametrize(
    ("rows", "value"),
    [
        (holed(PLAIN, -999.0), -999.0),
        (holed(15 + 8 * PLAIN, 999.0, 0.3), 999.0),
        (holed(RNG.integers(0, 9, (200, 3)), -1e4), -1e4),
        (holed(PLAIN, 1e6, 0.015), 1e6),
    ],
    ids=["-999", "a third of them", "counts", "three rows"],
)
def test_one_exact_value_far_outside_of_all_others_is_found(rows: Any, value: float) -> None:
    """In its column, with the range of the others."""
    told = marked(rows)
    assert told is not None
    assert (told["value"], told["column"]) == (value, 2)
    assert told["low"] == np.delete(rows, np.flatnonzero(rows[:, 2] == value), axis=0)[:, 2].min()


ONE_HOT = np.eye(6)[RNG.integers(0, 6, 200)]
FLAGS = 255.0 * (RNG.random((200, 3)) < 0.1)
TAILED = np.minimum(np.exp(3 * RNG.normal(size=(200, 4))), 500.0)
STANDARDISED = holed(PLAIN, -999.0, 0.1)


@pytest.mark.parametrize(
    "rows",
    [
        PLAIN,
        ONE_HOT,
        FLAGS,
        RNG.poisson(0.05, (200, 3)) * 40.0,
        TAILED,
        1e4 * RNG.standard_cauchy((200, 4)),
        (STANDARDISED - STANDARDISED.mean(axis=0)) / STANDARDISED.std(axis=0),
        holed(PLAIN, -999.0, 0.01),
        holed(PLAIN, -999.0, 0.6),
        holed(PLAIN, -9.0),
        holed(1000 * PLAIN, -9999.0),
        holed(np.where(RNG.random((200, 5)) < 0.8, 0.0, 5 * RNG.random((200, 5))), 999.0),
    ],
    ids=[
        *("plain", "one-hot", "flags of 255", "rare counts", "cut off", "heavy tails", "standardised with them"),
        *("two rows", "most rows", "small", "within ten ranges", "mostly zeros"),
    ],
)
def test_columns_that_are_as_they_should_be_are_left_alone(rows: Any) -> None:
    """Few different values, tails, bounds, and values too few, too many or too near."""
    assert marked(rows) is None


def test_a_row_that_comes_again_counts_once() -> None:
    """The same data as one batch in every step: its single outlier is one. It survives as JSON, rows and all."""
    rows, seen = holed(PLAIN, -999.0, 0.005), Marked()
    for _ in range(5):
        seen.observe(rows)
    assert (seen.told, len(seen.rows)) == ({}, rows.size)
    again = load(Marked, dump(seen))
    again.observe(holed(RNG.normal(size=(50, 5)), -999.0))
    assert (again.told["value"], len(again.rows)) == (-999.0, 0)


def test_what_is_kept_is_bounded() -> None:
    """Many columns, many batches."""
    seen = Marked()
    for _ in range(40):
        seen.observe(RNG.normal(size=(32, 300)))
    assert seen.full
    assert len(seen.rows) == 0
    wide = Marked()
    wide.observe(np.zeros((8, 5000)))
    assert len(wide.rows) == 0


def said(value: float, late: float) -> list[Finding]:
    """What is said of two classes under a binary cross entropy, with losses of 30 at first and ``late`` then."""
    rng, tensors, found = np.random.default_rng(4), table(), []
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"name": "binary_crossentropy", "from_logits": False}})
    levels = np.concatenate([np.geomspace(30.0, late, 40), np.full(160, late)])
    for step in range(1, 11):
        inputs, target = holed(rng.normal(size=(40, 6)), value), rng.integers(0, 2, (40, 1)).astype(float)
        output = np.exp(-levels[step - 1]) * target + (1 - np.exp(-levels[step - 1])) * (1 - target)
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", output),
            array("target", "target0", target),
        ]
        found += sender.record(Recording(step, arrays, {"loss": float(levels[step - 1])}, {"phase": "train"}))
    for first in range(0, 200, 50):
        found += sender.steps(batch(0, tensors, first=first + 1, steps=50, loss=levels[first : first + 50]), tensors)
    return [one for one in found if one.rule == InputScale.id]


@pytest.mark.parametrize(("value", "late", "expected"), [(-999.0, 2.0, 1), (-999.0, 0.3, 0), (0.5, 2.0, 0)])
def test_it_is_said_where_the_loss_stays_above_guessing(value: float, late: float, expected: int) -> None:
    """Not of a model that masks such values, and learns; nor where there are none."""
    found = said(value, late)
    assert [one.evidence.get("missing") for one in found] == [-999.0] * expected
