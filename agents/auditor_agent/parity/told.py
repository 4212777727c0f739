"""What a side declares of itself, in plain values: nothing of a framework, so that it can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from auditor_agent.parity.given import Implementation


@dataclass(frozen=True, slots=True)
class Told:
    """Declarations of one side.

    Attributes:
        canonical: its manifest's canonical section.
        training: whether it is called in training mode.
        accumulate: batches to a step.
        average: whether their gradients are divided by their number.
        by_hand: whether a function of its own stands between backward pass and step.
        penalty: whether a penalty of its own is added to the loss.
        scheduled: whether its learning rate follows a schedule.
        starting_rate: the rate that a schedule of PyTorch's began with.
        alpha: scikit-learn's penalty.
        l2: strength of Keras's L2 of each parameter that has one, by its key.
        places: Keras's layers as code (``model.layers[1]``), by name.
    """

    canonical: Mapping[str, Any]
    training: bool
    accumulate: int = 1
    average: bool = True
    by_hand: bool = False
    penalty: bool = False
    scheduled: bool = False
    starting_rate: float | None = None
    alpha: float | None = None
    l2: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def tell(given: Implementation, canonical: Mapping[str, Any], *, training: bool, **more: Any) -> Told:
    """What can be told of every framework's side, with ``more`` of this one's."""
    by_hand, penalty = given.before_step is not None, given.penalty is not None
    return Told(canonical, training, given.accumulate, average=given.average, by_hand=by_hand, penalty=penalty, **more)
