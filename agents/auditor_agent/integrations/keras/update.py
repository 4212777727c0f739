"""One step of a Keras model as it is recorded: its scalars, the norm after clipping, when it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor_agent.integrations.keras.probe import Binding, Probe
from auditor_agent.integrations.keras.rows import Row
from auditor_agent.statistics import STATISTICS

_L2: Final = STATISTICS.index("l2")


@dataclass(frozen=True, slots=True)
class Update:
    """One step to record."""

    probe: Probe
    binding: Binding
    row: Row
    step: int
    loss: float
    when: float

    def scalars(self) -> dict[str, float]:
        """Learning rate, loss and its parts, loss scale, norm after clipping: what there is of them."""
        row, loss = self.row, self.loss
        scalars = {"lr": row.rate}
        if not (math.isnan(loss) and math.isnan(row.penalty)):  # both: the step's code never showed a loss
            scalars["loss"] = loss
        if row.penalty and not math.isnan(row.penalty):
            scalars["loss/data"], scalars["loss/penalty"] = loss - row.penalty, row.penalty
        if row.unscale != 1.0:
            scalars["grad_scale"] = 1.0 / row.unscale
        clipped = clipped_norm(self.probe.inner, row.words[_L2].view(np.float32))
        if clipped is not None:
            scalars["grad_norm_clipped"] = clipped
        return scalars


def clipped_norm(optimizer: Any, norms: Any) -> float | None:
    """The global gradient norm after the optimizer's clipping, from the tensors' norms before it.

    None without clipping by norm. ``clipvalue`` is not told: it needs the elements.
    """
    squares = np.asarray(norms, np.float64) ** 2
    if optimizer.clipnorm is not None and optimizer.clipnorm > 0:
        return float(np.sqrt(np.minimum(squares, float(optimizer.clipnorm) ** 2).sum()))
    if optimizer.global_clipnorm is not None and optimizer.global_clipnorm > 0:
        return float(min(np.sqrt(squares.sum()), float(optimizer.global_clipnorm)))
    return None


def times(ends: Sequence[float], rows: int, now: float) -> list[float]:
    """When each of ``rows`` steps ended: ``ends`` where they match, else spread evenly between."""
    if len(ends) == rows:
        return list(ends)
    if not ends or not rows:
        return [now] * rows
    at = np.linspace(0, len(ends) - 1, rows) if rows > 1 else np.array([len(ends) - 1.0])
    return [float(value) for value in np.interp(at, range(len(ends)), ends)]
