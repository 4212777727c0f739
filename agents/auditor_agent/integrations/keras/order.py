"""The order in which the layers of a Keras model run in a step, and what of a traced graph lies behind something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from auditor_agent.guard import guarded

#: Operations told of one pass.
MOST: Final = 512
MOST_NODES: Final = 20_000
#: Layers whose parts are their own matter, by a word of their class.
_CLOSED: Final = ("LSTM", "GRU", "RNN", "Attention", "Bidirectional")


@dataclass(slots=True)
class Order:
    """What ran so far in a step: (path of the layer, first and last place in the graph)."""

    ran: list[tuple[str, int, int]] = field(default_factory=list)
    graph: Any = None
    own: set[str] = field(default_factory=set)
    """Layers of the program's own making: what happens within them is not known by their class."""
    layers: dict[str, Any] = field(default_factory=dict)
    """The layers that ran, by their paths."""

    def begin(self) -> tuple[int, int]:
        """A layer is about to run: how many had, and how many operations there were."""
        return len(self.ran), self._count()

    @guarded(None)
    def end(self, layer: Any, begun: tuple[int, int], path: str) -> None:
        """It has run."""
        before, place = begun
        if _closed(layer):
            del self.ran[before:]
        elif _made_of_layers(layer):
            return
        if len(self.ran) < MOST:
            self.ran.append((path, place, self._count()))
            self.layers.setdefault(path, layer)
            if not _of_keras(layer):
                self.own.add(path)

    def _count(self) -> int:
        graph = tracing()
        if graph is None:
            return 0
        self.graph = graph
        return len(graph.get_operations())


def _closed(layer: Any) -> bool:
    name = type(layer).__name__
    word = next((word for word in _CLOSED if word in name), None)
    return word is not None and (word != "Attention" or "HeadAttention" in name or _of_keras(layer))


def _of_keras(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] in {"keras", "tf_keras"}


def _made_of_layers(layer: Any) -> bool:
    return any(True for _ in layer._flatten_layers(include_self=False))  # noqa: SLF001 -- no public walk


def tracing() -> Any:
    """The graph that is being traced; None in an eager step and on other backends."""
    import sys

    tf = sys.modules.get("tensorflow")
    if tf is None or tf.executing_eagerly():
        return None
    return tf.compat.v1.get_default_graph()


def aside(order: Order, nodes: Sequence[Any], trained: Sequence[Any]) -> set[str]:
    """Paths of layers that a step does not train, and that give nothing to those it does, nor take anything of them.

    A target network, a teacher: what it gives is what the loss compares with.
    """
    moved, ran = {id(one) for one in trained}, dict[str, list[Any]]()
    for path, place, end in order.ran:
        ran.setdefault(path, []).extend(nodes[place:end])
    mine = {path for path, layer in order.layers.items() if any(id(one) in moved for one in layer.weights)}
    if not mine or mine >= ran.keys():
        return set()
    learnt = {node.name for path in mine for node in ran.get(path, ())}
    before = ancestors([node for path in mine for node in ran.get(path, ())])
    return {
        path
        for path, within in ran.items()
        if path not in mine and within
        and before.isdisjoint(node.name for node in within) and learnt.isdisjoint(ancestors(within))
    }  # fmt: skip


def ancestors(last: Sequence[Any]) -> set[str]:
    """Names of the operations that these were made from, themselves among them."""
    waiting, seen = list(last), {one.name for one in last}
    while waiting and len(seen) < MOST_NODES:
        for tensor in waiting.pop().inputs:
            if tensor.op.name not in seen:
                seen.add(tensor.op.name)
                waiting.append(tensor.op)
    return seen
