"""Which variables a step trains, as the operations of its code read them: any other network's are data to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor_agent.integrations.tensorflow.flow import READS, Made


class Trained:
    """The variables of a step."""

    def __init__(self, variables: Iterable[Any]) -> None:
        handles = (getattr(getattr(one, "_value", one), "handle", None) for one in variables)
        self._handles = {id(handle): handle for handle in handles if handle is not None}
        self._within: dict[int, set[int]] = {}

    def reads(self, op: str, inputs: Sequence[Any]) -> bool:
        """Whether an operation takes the value of one of them."""
        return op in READS and any(id(one) in self._known(one) for one in inputs)

    def _known(self, tensor: Any) -> set[int]:
        """Identities of their handles where ``tensor`` is: in a function each is known by a stand-in."""
        graph = getattr(tensor, "graph", None)
        if id(graph) not in self._within:
            captures = getattr(graph, "captures", None) or ()
            inner = {id(inside) for outer, inside in captures if id(outer) in self._handles}
            self._within[id(graph)] = inner | self._handles.keys()
        return self._within[id(graph)]

    def only(self, made: Made) -> Made:
        """``made`` for which the value of any other variable is a tensor that was there."""
        if not self._handles:
            return made

        def of_these(tensor: Any) -> tuple[str, Sequence[Any]] | None:
            node = made(tensor)
            return None if node is not None and node[0] in READS and not self.reads(*node) else node

        return of_these
