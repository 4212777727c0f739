"""What a Keras train step tells: the flight recorder, and whoever looks at its layers and its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from auditor_agent.integrations.keras.layers import Step
from auditor_agent.stream.recording import Array


class Tape(Protocol):
    """What the flight recorder is told of a step."""

    @property
    def steps(self) -> frozenset[int]:
        """Steps that are recorded."""

    @property
    def offered(self) -> Sequence[Any]:
        """What :meth:`Taps.put` is to take of the step that is being traced; empty where it takes it itself."""

    @property
    def listening(self) -> bool:
        """Whether the next step may be one of them."""

    def start(self, run: Any, offset: int) -> None:
        """Record into ``run``, whose step ``offset`` + 1 is the optimizer's first."""

    def compared(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """``compute_loss`` was called with these arguments."""

    def made_of(self, loss: Any) -> None:
        """The loss that it gave."""

    def before(self, head: Sequence[Any], variables: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """The optimizer is about to act: ``gradients`` are (variable, dense gradient)."""

    def after(self) -> None:
        """The optimizer has acted."""

    def execution_begins(self, count: int) -> None:
        """``count`` train steps are about to run."""

    def execution_ended(self, count: int) -> None:
        """They have run."""

    def reached(self, iterations: int) -> None:
        """So many iterations the optimizer has made, as far as rows tell."""


class Taps(Protocol):
    """What looks at layers' outputs and the batch within the step."""

    @property
    def done(self) -> Sequence[Any]:
        """What of the traced step must have been done when the tap has taken its operands; empty where it has."""

    @property
    def waiting(self) -> bool:
        """Whether something was taken and not read."""

    def begin(self, offset: int, steps: Sequence[int]) -> None:
        """Steps count from ``offset`` + 1; those ``steps`` are recorded."""

    def put(self, head: Sequence[Any], step: Step, told: Sequence[Any], inputs: Sequence[Any]) -> None:
        """Look at the step that is being traced, or that runs."""

    def read(self) -> None:
        """Take in what was taken."""

    def left_out(self) -> int:
        """Steps of which something was not taken, since the last call."""

    def signals(self, step: int) -> dict[str, float]:
        """What the layers showed in a step."""

    def arrays(self, step: int) -> list[Array]:
        """What of them is recorded of a step."""

    def batch(self, step: int) -> tuple[int, int] | None:
        """Digest and samples of a step's batch."""

    def facts(self) -> list[dict[str, Any]]:
        """Names and kinds of the layers, in the order in which they ran."""
