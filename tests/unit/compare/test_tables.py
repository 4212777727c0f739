"""The row of padding in a table of words: what its gradients show counts, whatever the tables declare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward, tables
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

WORDS = np.array([[3, 1, 0, 0], [2, 5, 4, 0]])


@dataclass(frozen=True)
class Table:
    """A run of a table of eight words; ``rows``: those that have a gradient."""

    rows: tuple[int, ...] = (1, 2, 3, 4, 5)
    words: Any = field(default_factory=WORDS.copy)
    count: int = 1

    def profile(self, framework: str = "torch", **settings: Any) -> Profile:
        """As it was recorded, with what the layer declares."""
        gradient = np.zeros((8, 3), np.float32)
        gradient[list(self.rows)] = 0.1
        layers = [{"name": f"words{at}", "class": "Embedding", "config": settings, **settings}
                  for at in range(self.count)]  # fmt: skip
        told = array("gradient", "words0.weight", gradient)
        step = Recording(1, [array("batch", "input0", np.asarray(self.words, np.int64)), told])
        return profile("run", framework, assembled([step]), Beside({"model": {"layers": layers}}))


def bare(rows: tuple[int, ...], *more: tuple[int, ...]) -> Profile:
    """The same in a program without layers, whose labels are told as if the model was given them."""
    gradients = [np.zeros((8, 3), np.float32) for _ in range(1 + len(more))]
    for gradient, moved in zip(gradients, (rows, *more), strict=True):
        gradient[list(moved)] = 0.1
    told = [array("gradient", f"Variable#{at}", one) for at, one in enumerate(gradients)]
    told += [array("gradient", "W", np.ones((9, 2), np.float32))]
    given = [array("batch", "input1", WORDS.astype(np.int64)), array("batch", "input0", np.array([1, 0]))]
    return profile("run", "tensorflow", assembled([Recording(1, [*given, *told])]), Beside({"model": {"layers": []}}))


TRAINED = Table(rows=(0, 1, 2, 3, 4, 5)).profile("keras", mask_zero=True)


def test_a_row_that_only_one_side_trains_is_told() -> None:
    """By the part of the words that are padding: three of eight."""
    resting = Table().profile(padding_idx=0)
    (found,) = tables.causes(TRAINED, resting)
    assert (found.id, found.parameter, found.weight) == ("FWD-21", "embedding.padding", 3 / 8)
    assert found.values == ("the row of padding is trained", "the row of padding rests")
    assert [one.parameter for one in forward.causes(TRAINED, resting)] == ["embedding.padding"]


def test_a_table_of_a_program_without_layers_is_known_by_its_rows() -> None:
    """Those of the words that occur have a gradient, and no others; of two such tables nobody knows which."""
    resting = Table().profile(padding_idx=0)
    assert [one.id for one in tables.causes(bare((0, 1, 2, 3, 4, 5)), resting)] == ["FWD-21"]
    assert [one.id for one in tables.causes(bare((1, 2, 3, 4, 5)), resting)] == []
    assert [one.id for one in tables.causes(bare((0, 1, 2, 3, 4, 5), (1, 2, 3)), resting)] == []
    assert [one.id for one in tables.causes(bare((0, 1, 2, 7)), resting)] == []


OTHERS = {
    "trained too": Table(rows=(0, 1, 2, 3, 4, 5)),
    "no padding": Table(words=WORDS + 1),
    "a penalty on all rows": Table(rows=(1, 2, 3, 4, 5, 6, 7)),
    "nothing moves": Table(rows=()),
    "two tables": Table(count=2),
    "no sequences": Table(words=WORDS[:, 0]),
    "flags": Table(words=WORDS > 0),
    "another table's": Table(words=WORDS + 8 * (WORDS > 0)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_nothing_is_told_where_it_is_so_on_both_sides_or_does_not_show(case: str) -> None:
    """A row that rests for a reason of its own shows nothing."""
    assert not list(tables.causes(TRAINED, OTHERS[case].profile(padding_idx=0)))


def test_what_tables_declare_does_not_count_where_gradients_show_it() -> None:
    """A mean that masks by hand beside one that obeys ``mask_zero``: both rows rest."""
    kept, masked = Table().profile("torch"), Table().profile("keras", mask_zero=True)
    assert not list(forward.causes(kept, masked))
