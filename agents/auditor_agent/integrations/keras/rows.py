"""What a train step leaves behind: rows, and the stores that take them inside the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from auditor_agent.capture.arrays import Words

F64 = npt.NDArray[np.float64]

#: The scalars of a row: optimizer iterations before the step, total loss, the share of it that is
#: regularization (NaN where the framework does not tell), learning rate, and the factor that undoes
#: loss scaling: what is recorded are the gradients times this.
HEAD: Final = ("iterations", "loss", "penalty", "rate", "unscale")


@dataclass(frozen=True, slots=True)
class Row:
    """What one train step left: its head and the (12, tensors) words of its gradients."""

    iterations: int
    loss: float
    penalty: float
    rate: float
    unscale: float
    words: Words
    nonfinite: int
    """NaN and Inf elements over all gradients."""
    histograms: Words | None = None
    """The gradients' (tensors, 64) counters, where they were counted."""
    when: float = math.nan
    """Unix time at which it was written; NaN where the store does not know."""

    @property
    def suspicious(self) -> bool:
        """Whether anything in the row is not finite; a loss that was never told (its penalty neither) is not."""
        told = not (np.isnan(self.loss) and np.isnan(self.penalty))
        return self.nonfinite > 0 or (told and not np.isfinite(self.loss))


class Store(Protocol):
    """Takes rows inside the train step, gives them back outside."""

    @property
    def lost(self) -> int:
        """Rows overwritten before they were read."""

    @property
    def anywhere(self) -> bool:
        """Whether any thread may drain it while steps run; its rows then know when they were written."""

    @property
    def rows(self) -> int:
        """Steps that may pass between two reads."""

    @property
    def crowded(self) -> bool:
        """Whether it is time to read."""

    @property
    def urgent(self) -> bool:
        """Whether something non-finite is known to wait."""

    def put(self, head: Sequence[Any], gradients: Sequence[Any], after: Sequence[Any] = ()) -> Any:
        """Take one step's row: the scalars of ``HEAD`` and the gradients as they are.

        Called while TensorFlow traces, or runs eagerly. ``after``: what of the traced step must have
        been done when the row is there, for whoever finds a row looks for the rest of its step.

        Returns:
            What to name in an ``after``; None where rows come in the order of the calls.
        """

    def count(self, least: int, updates: int = 1) -> None:
        """Make histograms as AUDITOR_HISTOGRAMS says, if it can; before the first row.

        Args:
            least: rows that there must be room for.
            updates: of the optimizer, to a step.
        """

    def drain(self) -> list[Row]:
        """The rows since the last call, oldest first."""

    def statistics(self, variables: Sequence[Any]) -> Words:
        """Statistics of variables as they are now."""


def row_of(head: F64, words: Words) -> Row:
    """The row of a head and the words of the gradients as they are to be recorded."""
    iterations, loss, penalty, rate, unscale = head[: len(HEAD)].tolist()
    return Row(int(iterations), loss, penalty, rate, unscale, words, int(words[1:3].sum(dtype=np.int64)))
