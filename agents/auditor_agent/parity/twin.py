"""A side of the lockstep and its oracle: the same program in float64, which says how far rounding takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditor_agent.parity.seen import Seen, Side


@dataclass(slots=True)
class Twin:
    """A side and its oracle in float64; ``lacking`` says why there is none."""

    side: Side
    dropouts: list[tuple[str, float]]
    oracle: Side | None = None
    lacking: str = ""

    def run(self, inputs: Any, target: Any) -> Both:
        """One step of both."""
        exact = None if self.oracle is None else self.oracle.step(inputs, target)
        return Both(self.side.step(inputs, target), exact)

    def follow(self) -> None:
        """Gives the oracle the side's weights and state."""
        if self.oracle is not None:
            self.oracle.load(self.side.weights())
            self.oracle.load_slots(self.side.slots())


@dataclass(frozen=True, slots=True)
class Both:
    """A step as it was computed, and in float64."""

    plain: Seen
    exact: Seen | None
