"""Which tensor on the way through one model is which on the way through the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from auditor_agent.parity.cells import Cell, Turn
from auditor_agent.parity.likeness import best_layout
from auditor_agent.parity.seen import Point

#: Relative distance up to which two activations are the same tensor.
_SAME: Final = 1e-5
#: Points compared between one another; beyond that only layers with weights are paired.
_MOST: Final = 400
#: Sorts of layers that move data about: they are no place to part at.
_SHAPING: Final = frozenset({"reshape", "identity", "dropout"})


@dataclass(frozen=True, slots=True)
class PointPair:
    """Two places that show the same tensor, by their place in what was seen; ``turn`` lays the second as the first.

    A place and not a name: the float64 twin of a Keras model has the same layers under other names.
    """

    a: int
    b: int
    turn: Turn

    def of(self, a: Sequence[Point], b: Sequence[Point]) -> tuple[Point | None, Point | None]:
        """The two points in what was seen of a step."""
        return (a[self.a] if self.a < len(a) else None), (b[self.b] if self.b < len(b) else None)


def pair_points(a: Sequence[Point], b: Sequence[Point], cells: Sequence[tuple[Cell, Cell]]) -> list[PointPair]:
    """Pairs of places in the order of the first side's execution.

    Layers with weights are paired as their cells are. Between them the longest run of places that show
    the same numbers, or else are of the same sort, is taken.
    """
    partner = {_name(mine): _name(theirs) for mine, theirs in cells}
    rows = {_name(theirs): theirs.rows for _, theirs in cells if theirs.rows is not None}
    score = np.zeros((min(len(a), _MOST) + 1, min(len(b), _MOST) + 1))
    worth = np.zeros_like(score)
    for i in range(len(score) - 2, -1, -1):
        for j in range(score.shape[1] - 2, -1, -1):
            worth[i, j] = _worth(a[i], b[j], partner)
            score[i, j] = max(
                score[i + 1, j], score[i, j + 1], worth[i, j] + score[i + 1, j + 1] if worth[i, j] else 0.0
            )
    found, i, j = [], 0, 0
    while i < len(score) - 1 and j < score.shape[1] - 1:
        if worth[i, j] and score[i, j] == worth[i, j] + score[i + 1, j + 1]:
            found.append(_pair(a, i, b, j))
            i, j = i + 1, j + 1
        elif score[i, j] == score[i + 1, j]:
            i += 1
        else:
            j += 1
    return [_flattened(pair, b[pair.b], rows) for pair in _with_cells(found, a, b, partner)]


def _flattened(pair: PointPair, point: Point, rows: Mapping[str, npt.NDArray[np.int64]]) -> PointPair:
    """With the inputs of a dense layer after a flatten in the other side's order."""
    order = rows.get(point.where[0])
    if order is None or point.where[2] != "input":
        return pair
    return replace(pair, turn=lambda x: x[:, order])


def _name(cell: Cell) -> str:
    return str(cell.settings.get("module", cell.name))


def _worth(a: Point, b: Point, partner: dict[str, str]) -> float:
    """How much speaks for two places being one."""
    if a.cell or b.cell:
        same = partner.get(a.where[0]) == b.where[0] and a.where[1:] == b.where[1:]
        return 8.0 if same else 0.0
    if a.where[2] != b.where[2] or {a.kind, b.kind} & _SHAPING:
        return 0.0
    found = best_layout(a.value, b.value)
    if found is not None and found[0] <= _SAME:
        return 3.0 if a.kind == b.kind else 2.0
    return 1.0 if a.kind == b.kind else 0.0


def _pair(a: Sequence[Point], i: int, b: Sequence[Point], j: int) -> PointPair:
    found = best_layout(a[i].value, b[j].value)
    return PointPair(i, j, (lambda x: x) if found is None else found[1])


def _with_cells(
    found: list[PointPair], a: Sequence[Point], b: Sequence[Point], partner: dict[str, str]
) -> list[PointPair]:
    """With the layers with weights that ran in another order on the other side."""
    have = {pair.a for pair in found}
    theirs = {point.where: at for at, point in enumerate(b)}
    for at, point in enumerate(a):
        other = theirs.get((partner.get(point.where[0], ""), *point.where[1:]))
        if point.cell and at not in have and other is not None:
            found.append(_pair(a, at, b, other))
    return sorted(found, key=lambda pair: pair.a)
