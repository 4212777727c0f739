"""Layers that a forward pass calls again and again: what they begin with, and whether they are given their own answers.

A decoder that is trained with the right answers as its inputs (teacher forcing) and one that is fed what it said last
are made of the same layers and weights. What tells them apart is which call's output goes into which call: in
autograd's graph, and where that was cut (``detach``, the word of the highest score) by the tensors themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from auditor_agent.capture.kernels import in_memory
from auditor_agent.integrations.torch.operations import reachable

#: Calls of one pass that are followed, and elements of what is compared with an answer.
_MOST: Final = 1024
_TOKENS: Final = 1 << 16
_ROWS: Final = 2


class Loops:
    """What the layers of one pass were given of each other."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.told: dict[str, dict[str, Any]] = {}
        """The facts of each layer, to which what is found here is added."""
        self.besides: dict[str, dict[str, Any]] = {}
        """By recurrent layer, its ``input_shape`` (along which axis it runs shows there) and ``state``: what it begins
        with, ``zero``, or ``carried`` where it is given another."""
        self._latest: dict[str, Tensor] = {}
        self._last = ""
        self._links: set[tuple[str, str]] = set()

    def called(self, name: str, module: nn.Module, given: Sequence[Any], output: list[Tensor]) -> None:
        """A layer was called with these tensors, and gave these."""
        self.calls[name] += 1
        if self.calls[name] == 1 and isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
            self.besides[name] = _began(module, given)
        if self.calls.total() > _MOST:
            return
        if self.calls[name] > 1:
            self._links |= {(name, source) for source in self._sources(given)}
        for tensor in output[:1]:
            self._latest[name], self._last = tensor.detach(), name

    def _sources(self, given: Iterable[Any]) -> Iterable[str]:
        """The layers whose answers are among what has no gradient: as they are, or as the places of the highest."""
        for tensor in given:
            if not isinstance(tensor, Tensor) or tensor.requires_grad or not in_memory(tensor) or not tensor.numel():
                continue
            if tensor.is_floating_point():
                yield from (name for name, value in self._latest.items() if lies_in(tensor, {name: value}))
            elif self._last and _highest(self._latest[self._last], tensor):
                yield self._last

    def tell(self, nodes: Mapping[Any, str], within: Mapping[Any, Any], outputs: Iterable[Tensor]) -> None:
        """Adds to the facts of layers that were called again how often, and which layer's answer they are fed."""
        again = [name for name, count in self.calls.items() if count > 1]
        if not again or self.calls.total() > _MOST:
            return
        for name in again:
            self.told.get(name, {})["calls"] = self.calls[name]
        ends = _reached([output.grad_fn for output in outputs], nodes)
        edges: dict[str, set[str]] = {}
        for node, name in nodes.items():
            given = [one for one in within.get(node) or () if one is not None]
            edges.setdefault(name, set()).update(_reached(given, nodes))
        for name, source in self._links:
            edges.setdefault(name, set()).add(source)
        for name in again:
            fed = sorted(end for end in edges.get(name, set()) & ends if end != name and _leads(edges, end, name))
            if fed and name in self.told:
                self.told[name]["fed_by"] = fed[0]


def _leads(edges: Mapping[str, set[str]], start: str, wanted: str) -> bool:
    """Whether what ``start`` gives was made of what ``wanted`` gave."""
    waiting, seen = [start], {start}
    while waiting:
        for name in edges.get(waiting.pop(), set()) - seen:
            if name == wanted:
                return True
            seen.add(name)
            waiting.append(name)
    return False


def _reached(roots: Iterable[Any], nodes: Mapping[Any, str]) -> set[str]:
    """The layers whose outputs are met first on the way down from ``roots``."""
    stops = frozenset(node for node in nodes)
    roots = [root for root in roots if root is not None]
    found = {nodes[root] for root in roots if root in stops}
    inner = reachable([root for root in roots if root not in stops], stops)
    for node in inner:
        found |= {nodes[child] for child, _ in node.next_functions if child in stops}
    return found


def _began(module: nn.Module, given: Sequence[Any]) -> dict[str, Any]:
    """The shape of what a recurrent layer was given, or that it was packed, and what its state began with."""
    state, first = _state(given[1:]), next(iter(given), None)
    told = {} if state is None else {"state": state}
    if isinstance(first, PackedSequence):
        return {"packed": True, **told}
    whole = isinstance(module, nn.RNNBase) and isinstance(first, Tensor)
    return {"input_shape": list(first.shape), **told} if whole and isinstance(first, Tensor) else told


def _state(given: Iterable[Any]) -> str | None:
    """What a recurrent layer begins with; None where it was made by other layers, or cannot be read."""
    parts = [one for part in given if part is not None for one in (part if isinstance(part, tuple) else (part,))]
    tensors = [one for one in parts if isinstance(one, Tensor)]
    if any(one.requires_grad or not in_memory(one) for one in tensors):
        return None
    return "carried" if any(bool(one.detach().any()) for one in tensors) else "zero"


def _highest(scores: Tensor, words: Tensor) -> bool:
    """Whether ``words`` are the places of the highest scores, one in each row."""
    if scores.dim() < _ROWS or scores.numel() > _TOKENS or not in_memory(scores) or not scores.is_floating_point():
        return False
    best = scores.argmax(-1).reshape(-1)
    return best.numel() == words.numel() > 1 and bool((best == words.reshape(-1)).all())


def lies_in(tensor: Tensor, held: Mapping[str, Tensor]) -> bool:
    """Whether it is a view of what some layer gave, of which the graph knows nothing."""
    if hasattr(tensor, "_local_tensor") or tensor.is_meta:
        return False
    place = tensor.untyped_storage().data_ptr()
    return bool(place) and any(
        not hasattr(one, "_local_tensor") and one.untyped_storage().data_ptr() == place for one in held.values()
    )
