"""A side whose tensors come and go in the canonical layout: what can be sent to another process.

A ``Slot`` turns a parameter by functions, and functions cannot be sent. Here the turning is done where
the framework is; outside, each slot is a tensor of its own that needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from auditor_agent.parity.cells import F64, Cell, Slot
from auditor_agent.parity.seen import Point, Seen, Side
from auditor_agent.parity.told import Told


class CanonicalSide:
    """A ``seen.Side`` around another. Tensors that no cell holds keep their keys and their layout."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.framework, self.rule = side.framework, side.rule
        self._parts: dict[str, Slot] = {}
        self.cells = [replace(cell, slots=self._outside(at, cell), layer=None) for at, cell in enumerate(side.cells)]
        self._covered = {slot.key for slot in self._parts.values()}

    def _outside(self, at: int, cell: Cell) -> dict[str, Slot]:
        """The cell's slots as they look from outside; notes how each is made of the parameter."""
        found = {}
        for tensor, slot in cell.slots.items():
            added = None
            if slot.added is not None:
                added = self._named(f"{at}.{tensor}.added", replace(slot, key=slot.added, added=None))
            found[tensor] = Slot(self._named(f"{at}.{tensor}", replace(slot, added=None)), added=added)
        return found

    def _named(self, place: str, slot: Slot) -> str:
        """The parameter's own name where that is free and the slot is all of it."""
        own = slot.rows is None and slot.key not in self._parts
        name = slot.key if own else f"{slot.key}@{place}"
        self._parts[name] = slot
        return name

    def _out(self, arrays: Mapping[str, F64]) -> dict[str, F64]:
        found = {name: value for name, value in arrays.items() if name not in self._covered}
        for name, slot in self._parts.items():
            value = slot.take(arrays)
            if value is not None:
                found[name] = value
        return found

    def _in(self, given: Mapping[str, F64], arrays: Mapping[str, F64]) -> dict[str, F64]:
        """Arrays by parameter with what is given. Of tied tensors, the one that was changed counts."""
        found = dict(arrays)
        for name, value in given.items():
            slot = self._parts.get(name)
            if slot is None:
                found[name] = value
                continue
            before = slot.take(arrays)
            if before is not None and not np.array_equal(before, value, equal_nan=True):
                slot.put(found, value)
        return found

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:
        """See ``seen.Side``."""
        return self._side.forward(inputs, training=training)

    def step(self, inputs: Any, target: Any) -> Seen:
        """See ``seen.Side``."""
        seen = self._side.step(inputs, target)
        return replace(
            seen,
            gradients=self._out(seen.gradients),
            regularized=self._out(seen.regularized),
            updates=self._out(seen.updates),
            state={name: self._out(arrays) for name, arrays in seen.state.items()},
        )

    def weights(self) -> dict[str, F64]:
        """See ``seen.Side``."""
        return self._out(self._side.weights())

    def load(self, arrays: Mapping[str, F64]) -> None:
        """See ``seen.Side``."""
        self._side.load(self._in(arrays, self._side.weights()))

    def slots(self) -> dict[str, dict[str, F64]]:
        """See ``seen.Side``."""
        return {name: self._out(arrays) for name, arrays in self._side.slots().items()}

    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """See ``seen.Side``."""
        own = self._side.slots()
        self._side.load_slots({name: self._in(slots[name], own[name]) for name in slots if name in own})

    def dropouts(self) -> list[tuple[str, float]]:
        """See ``seen.Side``."""
        return self._side.dropouts()

    def silence(self) -> None:
        """See ``seen.Side``."""
        self._side.silence()

    def told(self) -> Told:
        """See ``seen.Side``. Strengths are told by the names that the slots have outside."""
        told = self._side.told()
        return replace(told, l2=dict(self._strengths(told.l2)))

    def _strengths(self, given: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        for name, slot in self._parts.items():
            if slot.key in given:
                yield name, given[slot.key]
