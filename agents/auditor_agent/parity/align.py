"""Which layer of one model is which of the other: by structure and shape, proven by probes.

The cells of both sides are matched within their signature (kind and shapes). Where several have the
same, the partner of a cell is the one that receives the same input once all cells before it carry the
same weights; where that is still open (branches side by side), what they give decides. A probe is one
forward pass of the second model, with dropout silent.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor_agent.parity.cells import F64, Cell
from auditor_agent.parity.given import NotComparableError
from auditor_agent.parity.likeness import best_layout
from auditor_agent.parity.seen import Point, Side

#: Relative distance up to which two activations of float32 models are the same.
SAME: Final = 1e-4
_MOST_PROBES: Final = 200


@dataclass(slots=True)
class Alignment:
    """Pairs of cells in the order in which the first model runs them.

    ``error``: relative distance of the outputs after the transplant; ``probes``: forward passes it took;
    ``lacking``: canonical tensors that one partner does not have, as (layer, tensor, side that lacks it).
    """

    pairs: list[tuple[Cell, Cell]]
    error: float = float("inf")
    probes: int = 0
    lacking: list[tuple[str, str, str]] = field(default_factory=list)


def transplant(target: Side, pairs: Sequence[tuple[Cell, Cell]], weights: Mapping[str, F64]) -> None:
    """Gives a side the weights and statistics of the other."""
    arrays = target.weights()
    for a, b in pairs:
        for name, slot in b.slots.items():
            given = a.slots[name].take(weights, summed=True) if name in a.slots else None
            own = slot.take(arrays)
            if given is not None and own is not None and given.shape == own.shape:
                slot.put(arrays, given)
            elif given is None and own is not None and name in {"bias", "beta", "recurrent_bias"}:
                slot.put(arrays, np.zeros_like(own))
    target.load(arrays)


def canonicalize(side: Side) -> None:
    """Folds a second bias into the first, so that the layer computes the same with one."""
    arrays = side.weights()
    for cell in side.cells:
        for slot in cell.slots.values():
            if slot.added is not None and (value := slot.take(arrays, summed=True)) is not None:
                slot.put(arrays, value)
    side.load(arrays)


def align(a: Side, b: Side, inputs_a: Any, inputs_b: Any) -> Alignment:
    """Pairs the cells of two sides and leaves the second with the first one's weights.

    Args:
        a: the side that is taken as it is.
        b: the side whose weights are overwritten.
        inputs_a: a batch for the first.
        inputs_b: the same in the second one's layout.

    Raises:
        NotComparableError: if one side has more layers of some kind than the other.
    """
    return _Search(a, b, inputs_a, inputs_b).run()


class _Search:
    def __init__(self, a: Side, b: Side, inputs_a: Any, inputs_b: Any) -> None:
        self._a, self._b, self._inputs = a, b, inputs_b
        canonicalize(a)
        self._weights = a.weights()
        self._output, self._seen = a.forward(inputs_a, training=False)
        self._cells = in_order(a.cells, self._seen)
        self._others = in_order(b.cells, b.forward(inputs_b, training=False)[1])
        self._probes = 1
        self._stock = {cell.signature for cell in self._cells}
        self._best: Alignment | None = None
        self._score = -1.0

    def run(self) -> Alignment:
        _same_stock(self._cells, self._others, self._a.framework, self._b.framework)
        first = self._probe([])
        for _ in self._complete([], first):
            break
        if self._best is None:
            raise NotComparableError("the layers of the two models cannot be paired")
        transplant(self._b, self._best.pairs, self._weights)
        self._best.probes = self._probes
        self._best.lacking = list(_lacking(self._best.pairs))
        return self._best

    def _probe(self, pairs: Sequence[tuple[Cell, Cell]]) -> tuple[F64, list[Point]]:
        transplant(self._b, pairs, self._weights)
        self._probes += 1
        return self._b.forward(self._inputs, training=False)

    def _complete(self, pairs: list[tuple[Cell, Cell]], ran: tuple[F64, list[Point]]) -> Iterator[None]:
        """Extends the pairs by the next cell; yields once an assignment agrees to the output."""
        if len(pairs) == len(self._cells):
            error = _apart(self._output, ran[0])
            score = sum(self._agrees(one, ran[1]) for one in pairs) + (error <= SAME)
            if score > self._score:
                self._score, self._best = score, Alignment(list(pairs), error)
            if error <= SAME or self._probes >= _MOST_PROBES:
                yield
            return
        cell = self._cells[len(pairs)]
        for other in self._candidates(cell, pairs, ran[1]):
            tried = [*pairs, (cell, other)]
            yield from self._complete(tried, self._probe(tried))
            if self._probes >= _MOST_PROBES:
                break

    def _candidates(self, cell: Cell, pairs: Sequence[tuple[Cell, Cell]], ran: Sequence[Point]) -> list[Cell]:
        taken = {b.name for _, b in pairs}
        free = [b for b in self._others if b.name not in taken and b.kind == cell.kind]
        exact = [b for b in free if b.signature == cell.signature]
        # A layer of another shape is a partner only to one that has no better: the shape is what differs.
        free = exact or [b for b in free if b.signature not in self._stock]
        fitting = [self._fitted(cell, b, ran) for b in free]
        alike = [b for b, fits in fitting if fits]
        # Without a partner that receives the same, the models differ before this cell: order decides.
        return alike or [b for b, _ in fitting][:1]

    def _fitted(self, cell: Cell, other: Cell, ran: Sequence[Point]) -> tuple[Cell, bool]:
        """The candidate, its rows in the order that makes its input the same; and whether it is."""
        mine, theirs = point_of(cell, self._seen), point_of(other, ran)
        if mine is None or theirs is None:
            return other, False
        if _apart(mine.value, theirs.value) <= SAME:
            return other, True
        if cell.kind != "dense" or mine.value.ndim != 2 or mine.value.shape != theirs.value.shape:
            return other, False
        for order in self._flattened(mine.value, ran):
            if _apart(mine.value[:, order], theirs.value) <= SAME:
                return other.permuted(order), True
        default = next(iter(self._flattened(mine.value, ran)), None)
        return (other if default is None else other.permuted(default)), False

    def _flattened(self, rows: F64, ran: Sequence[Point]) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
        """Orders that a flatten of the other layout would give."""
        features = rows.shape[1]
        theirs = {p.value.shape[1:] for p in ran if p.value.ndim >= 3}
        tried = set()
        for point in reversed(self._seen):
            shape = point.value.shape[1:]
            if len(shape) < 2 or int(np.prod(shape)) != features or shape in tried:
                continue
            tried.add(shape)
            last = (*shape[1:], shape[0])
            first = (shape[-1], *shape[:-1])
            places = np.arange(features).reshape(shape)
            if last in theirs and np.allclose(point.value.reshape(len(rows), -1), rows):
                yield np.moveaxis(places, 0, -1).ravel()
            elif first in theirs and np.allclose(point.value.reshape(len(rows), -1), rows):
                yield np.moveaxis(places, -1, 0).ravel()

    def _agrees(self, pair: tuple[Cell, Cell], ran: Sequence[Point]) -> bool:
        mine, theirs = (point_of(cell, seen) for cell, seen in zip(pair, (self._seen, ran), strict=True))
        return mine is not None and theirs is not None and _apart(mine.value, theirs.value) <= SAME


def _apart(a: F64, b: F64) -> float:
    found = best_layout(a, b)
    return float("inf") if found is None else found[0]


def point_of(cell: Cell, seen: Sequence[Point], what: str = "input") -> Point | None:
    """What a cell received (or gave) in its first call."""
    name = cell.settings.get("module", cell.name)
    return next((p for p in seen if p.where == (name, 0, what)), None)


def in_order(cells: Sequence[Cell], seen: Sequence[Point]) -> list[Cell]:
    """Cells in the order in which they ran; those that did not show come last."""
    places: dict[str, int] = {}
    for at, point in enumerate(seen):
        places.setdefault(point.where[0], at)
    ordered = enumerate(cells)
    return [cell for _, cell in sorted(ordered, key=lambda one: (
        places.get(one[1].settings.get("module", one[1].name), len(seen)), one[0]))]  # fmt: skip


def _same_stock(a: Sequence[Cell], b: Sequence[Cell], *frameworks: str) -> None:
    kinds = [Counter(cell.kind for cell in cells) for cells in (a, b)]
    if kinds[0] == kinds[1]:
        return
    odd = (kinds[0] - kinds[1]) + (kinds[1] - kinds[0])
    names = [f"{cell.name} ({cell.kind}: {_shapes(cell)})" for cell in itertools.chain(a, b) if cell.kind in odd]
    raise NotComparableError(f"layers without a counterpart between {' and '.join(frameworks)}: {'; '.join(names[:8])}")


def _shapes(cell: Cell) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in cell.shapes.items())


def _lacking(pairs: Sequence[tuple[Cell, Cell]]) -> Iterator[tuple[str, str, str]]:
    for a, b in pairs:
        yield from ((b.name, name, "b") for name in a.slots.keys() - b.slots.keys())
        yield from ((a.name, name, "a") for name in b.slots.keys() - a.slots.keys())
