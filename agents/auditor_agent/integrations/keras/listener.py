"""What the flight recorder is told of a Keras train step, whatever records it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Tape(Protocol):
    """What the flight recorder is told of a step."""

    @property
    def steps(self) -> frozenset[int]:
        """Steps that are recorded."""

    @property
    def listening(self) -> bool:
        """Whether the next step may be one of them."""

    def start(self, run: Any, offset: int) -> None:
        """Record into ``run``, whose step ``offset`` + 1 is the optimizer's first."""

    def compared(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """``compute_loss`` was called with these arguments."""

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
