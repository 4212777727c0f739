"""The norms of the first gradients, whole: recordings of large tensors hold some elements only."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from auditor.store.read import steps_of

#: Among these are the twenty that are recorded one by one (docs/flight-recorder.md): from the first on, or from where
#: an update by hand was understood. Frames that they may lie in.
_STEPS: Final = 40
_FRAMES: Final = 64


def first_norms(store: Any, run: str) -> dict[str, dict[int, float]]:
    """The L2 norm of each gradient by name and step, of the last attempt's lowest rank; empty where none was read."""
    tables, streams = store.tables(run), {(one.attempt, -one.rank) for one in store.manifests(run)}
    if not tables or not streams:
        return {}
    attempt, rank = max(streams)
    found: dict[str, dict[int, float]] = {}
    for number, chunk in enumerate(store.chunks(run, attempt=attempt, rank=-rank, type="steps")):
        names = {at: one.name for at, one in enumerate(tables.get(chunk.table or "", ())) if one.kind == "gradient"}
        for name, step, value in _norms(chunk, names):
            found.setdefault(name, {})[step] = value
        if number + 1 >= _FRAMES or (chunk.last_step or 0) >= _STEPS:
            break
    return found


def _norms(chunk: Any, names: dict[int, str]) -> list[tuple[str, int, float]]:
    batch = steps_of(chunk)
    found = []
    for block in batch.blocks:
        lengths, rows = block.stat("l2"), range(len(block.words))
        places = [(at, names[int(tensor)]) for at, tensor in enumerate(block.tensors) if int(tensor) in names]
        steps = [(row, int(step)) for row in rows if (step := batch.steps[block.first + row]) <= _STEPS]
        found += [(name, step, float(lengths[row, at])) for row, step in steps for at, name in places]
    return [one for one in found if np.isfinite(one[2])]
