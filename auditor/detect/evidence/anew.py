"""An optimizer that begins anew at every step: what it should remember of the steps before is this step's alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.facts import RunFacts
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Numbers that gradients are compared by, evenly spread.
_KEPT: Final = 4096
#: Steps in a row (ours). Cosines: of a memory with the gradient, from which it holds nothing else (a decay that is
#: added to the gradient is in both but for a thousandth of it), and of two gradients that a memory would mix.
_HELD: Final = 8
_SAME: Final = 0.999
_OTHER: Final = 0.9
#: Declared part of the memory that a step leaves, below which there is next to none (ours); and what it is called.
_LEAST: Final = 0.5
_DECAYS: Final = ("momentum", "beta_1")


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Anew:
    """``before``: the gradient of ``step``; ``held``: steps in a row that began anew."""

    before: F64 = field(default_factory=_empty)
    step: int = -1
    held: int = 0

    def observe_record(self, view: RecordView) -> dict[str, Any] | None:
        """Take in a recorded step; the evidence at the last of eight in a row.

        A moving average with a decay of b is, from zeros, 1 - b times the gradient; one step later it holds b of that
        besides (Polyak 1964, Kingma and Ba 2015). Where two gradients point elsewhere both cannot be.
        """
        if view.phase != "train" or not _remembers(view.run):
            return None
        gradient, memories = _gradients(view)
        follows = view.step == self.step + 1 and len(gradient) == len(self.before)
        apart = follows and abs(_cosine(gradient, self.before)) < _OTHER
        if len(gradient):
            self.before, self.step = gradient, view.step
        if not memories or not apart:
            return None
        self.held = self.held + 1 if any(_cosine(one, gradient) > _SAME for one in memories) else 0
        if self.held != _HELD:
            return None
        what = (
            f"The optimizer began anew at each of {_HELD} steps in a row: what it keeps of the gradients before, it has"
            " of none but the last (it is made within the loop, or its state is thrown away)"
        )
        return {"what": what, "held": self.held}


def _remembers(run: RunFacts) -> bool:
    """Whether the declared optimizer is one whose steps are made of the gradients of many."""
    groups = run.optimizer.get("groups")
    first = groups[0] if isinstance(groups, list) and groups else run.optimizer.get("hyperparameters")
    told = first if isinstance(first, Mapping) else {}
    betas = told.get("betas")
    decays = [told.get(name) for name in _DECAYS] + list(betas[:1] if isinstance(betas, (list, tuple)) else ())
    return any(isinstance(decay, (int, float)) and decay >= _LEAST for decay in decays)


def _gradients(view: RecordView) -> tuple[F64, list[F64]]:
    """The gradient of all weights with a state, and each kind of state that has its shape, at the same places."""
    parts: list[F64] = []
    kept: dict[str, list[F64]] = {}
    roles = sorted({role for role, _ in view.recording.arrays if role.startswith("state.")})
    for name, gradient in view.of("gradient").items():
        states = {role: one for role in roles if (one := view.array(role, name)) is not None}
        states = {role: one for role, one in states.items() if one.shape == gradient.shape and one.values is not None}
        if gradient.values is None or not states:
            continue
        parts.append(gradient.values.astype(np.float64).ravel())
        for role, one in states.items():
            kept.setdefault(role, []).append(np.asarray(one.values, dtype=np.float64).ravel())
    if not parts:
        return _empty(), []
    whole = np.concatenate(parts)
    stride = -(-len(whole) // _KEPT)
    each = [np.concatenate(one) for one in kept.values()]
    return whole[::stride], [one[::stride] for one in each if len(one) == len(whole)]


def _cosine(one: F64, other: F64) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > 0 and np.isfinite(size) else 0.0
