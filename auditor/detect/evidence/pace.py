"""Rules on the loss judge at fixed counts of losses, however the sender has cut its frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import data_loss
from auditor.detect.rule import Moment
from auditor.detect.view import F64, StepView

#: Losses between two judgements.
STRIDE: Final = 25


@dataclass(frozen=True, slots=True)
class Stretch:
    """Losses that are all finite, of one view.

    ``steps`` and ``values`` (N,); ``after``: index of the view behind the last of them; ``end``: a judgement
    is due after it.
    """

    steps: F64
    values: F64
    rates: F64
    moment: Moment
    after: int
    end: bool


def stretches(view: StepView, count: int, *, whole: bool = False) -> Iterator[Stretch]:
    """The finite losses of ``view`` in pieces that end where a multiple of :data:`STRIDE` of them was seen.

    Args:
        view: the steps.
        count: finite losses seen before it.
        whole: with their penalties.
    """
    losses, rates = view.loss if whole else data_loss(view), view.learning_rate
    at = np.flatnonzero(np.isfinite(losses))
    first = 0
    while first < len(at):
        last = min(len(at), first + STRIDE - (count + first) % STRIDE)
        part = at[first:last]
        moment = Moment(view.attempt, view.rank, int(view.steps[part[-1]]), float(view.times[part[-1]]))
        end = (count + last) % STRIDE == 0
        yield Stretch(view.steps[part].astype(np.float64), losses[part], rates[part], moment, int(part[-1]) + 1, end)
        first = last


def rising(rates: F64) -> bool:
    """Whether a learning rate is still being warmed up: half as much again as it was at the window's start."""
    known: Any = rates[np.isfinite(rates)]
    return len(known) > 1 and bool(known[-1] > 1.5 * known[0])
