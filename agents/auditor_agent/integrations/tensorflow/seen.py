"""What is seen of a loop around ``tf.GradientTape``: one step, its loss, and who is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from auditor_agent.integrations.tensorflow import flow, forward, taped


@dataclass(frozen=True, slots=True)
class Seen:
    """One step as the loop's code has it: eager tensors, or those of a graph that is being traced."""

    loss: Any
    gradients: Sequence[Any]
    variables: Sequence[Any]
    optimizer: Any = None
    """A Keras optimizer, if one is about to act; then its count numbers the steps."""
    rate: Any = None
    """The learning rate, where there is no such optimizer."""
    heard: forward.Heard | None = None
    """What model and loss were seen to do; None in a loop that reports its steps itself."""
    made: flow.Made = flow.in_graph
    """What made a tensor of this step."""
    before: taped.Before = taped.NONE_BEFORE
    """The tapes of which it takes the gradients together."""
    altered: bool | None = None
    """Whether its gradients are others than its tape gave (``altered``)."""


@dataclass(slots=True)
class Known:
    """What was seen of the loss: the first object under a tape since the last step, and the shapes that it met."""

    loss: Any = None
    batch: dict[str, Any] = field(default_factory=dict)


class Sink(Protocol):
    """Who is told of the steps of this process."""

    def see(self, seen: Seen, known: Known) -> None:
        """A step is about to be taken."""

    def done(self) -> None:
        """The step seen last was taken."""

    def mode(self, fields: Mapping[str, Any]) -> None:
        """A model was called in this mode."""

    def listening(self) -> bool:
        """Whether the next steps are recorded element by element."""

    def looking(self) -> bool:
        """Whether outputs of layers are wanted of the next step."""

    def evaluating(self) -> bool:
        """Whether the next evaluation is recorded."""

    def batches(self) -> Any:
        """Takes what is seen of the data (``tensorflow_epochs.Epochs``); None while nobody does."""
