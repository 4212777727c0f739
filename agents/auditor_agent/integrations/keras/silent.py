"""A tape that records nothing, where the flight recorder cannot listen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Silent:
    """A tape that records nothing: for backends that the recorder does not know."""

    steps: frozenset[int] = frozenset()
    listening = False
    offered: Sequence[Any] = ()

    def start(self, run: Any, offset: int) -> None:
        """Nothing."""

    def compared(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Nothing."""

    def made_of(self, loss: Any) -> None:
        """Nothing."""

    def before(self, head: Sequence[Any], variables: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """Nothing."""

    def after(self) -> None:
        """Nothing."""

    def execution_begins(self, count: int) -> None:
        """Nothing."""

    def execution_ended(self, count: int) -> None:
        """Nothing."""

    def reached(self, iterations: int) -> None:
        """Nothing."""
