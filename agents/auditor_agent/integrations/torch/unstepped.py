"""Backward passes that no optimizer follows up: a loop that forgot ``optimizer.step()``.

Told is what can only be that: an optimizer exists and has never stepped, the losses reach its
parameters, their gradients were zeroed before nearly every pass (so nothing is being accumulated), and
the parameters have not changed by other means (a step that is compiled, an update by hand). Judged
for parameters in host memory: elsewhere a look at them would wait for the device.
"""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.guard import guarded
from auditor_agent.run import Run

#: Backward passes after which an optimizer is looked for, and those after which it is told.
_FIRST: Final = 20
_LAST: Final = 100
#: Part of the passes between before which the gradients had been zeroed.
_ZEROED: Final = 0.9
#: Nodes of a loss's graph that are visited, and parameters that are named.
_MOST_NODES: Final = 20_000
_NAMED: Final = 8


class Unstepped:
    """Counts backward passes until an optimizer steps.

    Args:
        opened: gives the run to tell; called only if there is something to tell.
    """

    def __init__(self, opened: Callable[[], Run]) -> None:
        self._opened = opened
        self._passes = self._zeroed = 0
        self._optimizer: weakref.ref[Optimizer] | None = None
        self._reached: list[Tensor] = []
        self._watched: Tensor | None = None
        self._before: Tensor | None = None

    def hear(self, tensors: Any) -> bool:
        """A backward pass begins; whether there is anything left to listen for."""
        self._passes += 1
        if self._passes < _FIRST:
            return True
        going = self._listen(tensors)
        if not going:
            self._reached, self._watched, self._before = [], None, None
        return going

    @guarded(False)
    def _listen(self, tensors: Any) -> bool:
        root = tensors if isinstance(tensors, Tensor) else next(iter(tensors), None)
        if self._passes == _FIRST:
            return self._begin(root)
        if self._watched is None:
            return False
        self._zeroed += _zero(self._watched)
        if self._passes < _LAST:
            return True
        self._tell(root)
        return False

    def _begin(self, root: Tensor | None) -> bool:
        """Find the optimizer whose parameters the loss reaches; False if there is none in host memory."""
        reached = {} if root is None else leaves(root)
        best: list[Tensor] = []
        for optimizer in _optimizers():
            held = [p for group in optimizer.param_groups for p in group["params"] if id(p) in reached]
            if len(held) > len(best):
                best, self._optimizer = held, weakref.ref(optimizer)
        if not best or not all(parameter.is_cpu for parameter in best):
            return False
        self._reached = best
        self._watched = min(best, key=Tensor.numel)
        self._before = self._watched.detach().clone()
        return True

    def _tell(self, root: Tensor | None) -> None:
        optimizer = None if self._optimizer is None else self._optimizer()
        watched, before = self._watched, self._before
        if optimizer is None or watched is None or before is None or not bool((watched.detach() == before).all()):
            return
        if self._zeroed < _ZEROED * (_LAST - _FIRST):
            return
        run = self._opened()
        shapes = [f"{tuple(parameter.shape)}" for parameter in self._reached[:_NAMED]]
        run.event(self._passes, "step_missing", backwards=self._passes, optimizer=type(optimizer).__name__,
                  parameters=shapes)  # fmt: skip
        loss = {} if root is None or root.numel() != 1 else {"loss": float(root.detach())}
        run.record(self._passes, loss, run.layout(()), b"", time=time.time(), urgent=True)


def leaves(root: Tensor) -> dict[int, Tensor]:
    """The leaf tensors whose gradients a backward pass from ``root`` would add to, by identity."""
    return {id(leaf): leaf for leaf in behind([root])}


def behind(roots: Sequence[Tensor]) -> list[Tensor]:
    """The leaf tensors that ``roots`` depend on and that take a gradient."""
    found: dict[int, Tensor] = {}
    waiting = [root.grad_fn for root in roots]
    seen = set(waiting)
    while waiting and len(seen) < _MOST_NODES:
        node = waiting.pop()
        if node is None:
            continue
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor):
            found[id(leaf)] = leaf
        for after, _ in node.next_functions:
            if after is not None and after not in seen:
                seen.add(after)
                waiting.append(after)
    return list(found.values())


def held() -> set[int]:
    """The parameters that any optimizer of this process holds, by identity."""
    return {id(p) for optimizer in _optimizers() for group in optimizer.param_groups for p in group["params"]}


def _zero(parameter: Tensor) -> bool:
    gradient = parameter.grad
    return gradient is None or not bool(gradient.detach().any())


def _optimizers() -> list[Optimizer]:
    # By type(), not isinstance(): the latter asks the object for its __class__, which runs the code of proxies.
    return [
        thing for thing in gc.get_objects() if issubclass(type(thing), Optimizer) and hasattr(thing, "param_groups")
    ]
