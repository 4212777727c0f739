"""The other process of a lockstep: runs one program and answers on its standard output.

``python -m auditor_agent.parity.worker``; started by ``auditor_agent.parity.elsewhere``. A message asks
for a call, ``(name, arguments)``; an answer is ``("done", value)``, or ``("failed", sort, text)``. What
the program prints goes to standard error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from auditor_agent.parity import pipe
from auditor_agent.parity.canonical import CanonicalSide
from auditor_agent.parity.cells import Cell
from auditor_agent.parity.given import NotComparableError
from auditor_agent.parity.programs import Batch, Here, load
from auditor_agent.parity.seen import Point, array


class Worker:
    """What a program is asked for, by name."""

    def __init__(self) -> None:
        self._program: Here | None = None
        self._sides: dict[str, CanonicalSide] = {}

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The answer to one message."""
        asked: Callable[..., Any] = getattr(self, f"do_{name}")
        return asked(**arguments)

    def do_open(self, target: str) -> dict[str, Any]:
        """Runs the file and its function."""
        self._program = Here(load(target))
        return {"layout": self._program.layout}

    def do_batches(self, steps: int) -> list[Batch]:
        """Its batches as arrays."""
        return [(_arrays(x), _arrays(y)) for x, y in self._opened.batches(steps)]

    def do_twin(self, batch: Batch) -> dict[str, Any]:
        """Starts it and its oracle; what both are made of."""
        twin = self._opened.twin(batch)
        self._sides = {"plain": CanonicalSide(twin.side)}
        if twin.oracle is not None:
            self._sides["exact"] = CanonicalSide(twin.oracle)
        sides = {which: _description(side) for which, side in self._sides.items()}
        return {"dropouts": twin.dropouts, "lacking": twin.lacking, "sides": sides}

    def do_side(self, which: str, method: str, arguments: Mapping[str, Any]) -> Any:
        """A method of one of the two."""
        found = getattr(self._sides[which], method)(**arguments)
        if method == "forward":
            return found[0], [_point(one) for one in found[1]]
        if method == "step":
            found.points = [_point(one) for one in found.points]
        return found

    @property
    def _opened(self) -> Here:
        if self._program is None:
            raise RuntimeError("no program was opened")
        return self._program


def _arrays(value: Any) -> Any:
    return tuple(map(_arrays, value)) if isinstance(value, (tuple, list)) else array(value)


def _description(side: CanonicalSide) -> dict[str, Any]:
    cells = [_cell(cell) for cell in side.cells]
    return {"framework": side.framework, "rule": side.rule, "cells": cells}


def _cell(cell: Cell) -> dict[str, Any]:
    slots = {tensor: (slot.key, slot.added) for tensor, slot in cell.slots.items()}
    settings = _sendable(cell.settings)
    return {"name": cell.name, "kind": cell.kind, "slots": slots, "shapes": cell.shapes, "settings": settings}


def _point(point: Point) -> dict[str, Any]:
    names = ("where", "kind", "value", "cell", "dtype")
    return {name: getattr(point, name) for name in names} | {"settings": _sendable(point.settings)}


def _sendable(value: Any) -> Any:
    """Settings of a layer: what is no plain value, an activation's function say, as its text."""
    if isinstance(value, Mapping):
        return {str(name): _sendable(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        found = [_sendable(item) for item in value]
        return found if isinstance(value, list) else tuple(found)
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Answers until the other end is gone."""
    worker = Worker()
    while True:
        try:
            name, arguments = pipe.receive(source)
        except pipe.ClosedError:
            return
        try:
            pipe.send(target, ("done", worker.call(name, arguments)))
        except pipe.ClosedError:
            return
        except NotComparableError as error:
            pipe.send(target, ("failed", "NotComparableError", str(error)))
        except Exception as error:  # the program's own: told to the other process, which says so to its user
            pipe.send(target, ("failed", type(error).__name__, str(error)))


def main() -> None:
    """Keeps standard input and output to itself: what the program prints must not come between messages."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    serve(source, target)


if __name__ == "__main__":
    main()
