"""What is known of one run: facts by canonical parameter, each with how it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

How = Literal["measured", "declared"]

#: Stages in the order in which a step runs; the last two cut across it.
STAGES: Final = (
    *("init", "data", "forward", "loss", "regularization", "backward", "optimizer", "schedule", "eval"),
    *("precision", "reporting"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """One canonical parameter of one run.

    ``residual``: relative distance between what the winning hypothesis predicts and what was
    recorded; ``margin``: how many times larger the best rival's is (of another meaning, not of
    another spelling of the same). Both None where nothing was computed. ``note``: what a person
    should know. ``others``: values that would explain the numbers as well.
    """

    parameter: str
    value: Any
    how: How = "measured"
    confidence: float = 1.0
    residual: float | None = None
    margin: float | None = None
    step: int = 1
    note: str = ""
    others: tuple[Any, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The fact as JSON."""
        found = {"parameter": self.parameter, "value": self.value, "how": self.how, "confidence": self.confidence}
        more = {"residual": self.residual, "margin": self.margin, "step": self.step, "note": self.note or None}
        return found | {key: value for key, value in more.items() if value is not None}


@dataclass(slots=True)
class Facts:
    """The facts of one run. A measured one is kept before a declared one of the same parameter."""

    measured: dict[str, Fact] = field(default_factory=dict)
    declared: dict[str, Fact] = field(default_factory=dict)

    def add(self, fact: Fact) -> None:
        """Take a fact; the first of a kind stays."""
        (self.measured if fact.how == "measured" else self.declared).setdefault(fact.parameter, fact)

    def get(self, parameter: str) -> Fact | None:
        """The strongest fact about a parameter."""
        return self.measured.get(parameter) or self.declared.get(parameter)

    def value(self, parameter: str, default: Any = None) -> Any:
        """Its value, or ``default`` where nothing is known."""
        fact = self.get(parameter)
        return default if fact is None else fact.value

    def __iter__(self) -> Iterator[Fact]:
        yield from self.measured.values()
        yield from (fact for name, fact in self.declared.items() if name not in self.measured)

    def under(self, prefix: str) -> Mapping[str, Fact]:
        """The strongest facts whose parameter begins with ``prefix``."""
        return {fact.parameter: fact for fact in self if fact.parameter.startswith(prefix)}
