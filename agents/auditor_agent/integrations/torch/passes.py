"""What the backward passes of a step find: gradients of the step before, or of the pass before thrown away.

Also what a model computes with and nobody owns: parameters that its output depends on and that
neither the model nor any optimizer knows of (layers kept in a plain list). And what a loss passes
by: an optimizer that is given no gradient at all, for it holds the parameters of a model that was
built anew since.
"""

from __future__ import annotations

import heapq
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import kernels, portable
from auditor_agent.integrations.torch.altered import Altered
from auditor_agent.integrations.torch.names import owned
from auditor_agent.integrations.torch.taken import to_host, unreadable
from auditor_agent.integrations.torch.unstepped import behind, held

#: Parameters whose gradients are looked at: the smallest ones.
_LOOKED: Final = 4
#: Elements of a parameter beyond which its gradient is not read.
_MOST: Final = 4096
#: What is found before a pass where nothing is left of the one before.
_EMPTY: Final = frozenset({"none", "zero"})
#: Passes of a step that are counted.
_COUNTED: Final = 16
#: Parameters without an owner that are described.
_TOLD: Final = 16


@dataclass(slots=True)
class Passes:
    """Backward passes since the last step that reach the optimizer's parameters.

    ``empty``: after the first, those that found the gradients zeroed. ``before``: what they found. ``altered``: whether
    the program wrote to the gradients after the last.
    """

    count: int = 0
    empty: int = 0
    before: set[str] = field(default_factory=set)
    altered: bool | None = None
    optimizer: weakref.ref[Optimizer] | None = None
    gradients: Altered = field(default_factory=Altered)

    def begin(self, root: Tensor, optimizer: Optimizer) -> None:
        """A backward pass begins at ``root``."""
        found, self.optimizer = _before(optimizer), weakref.ref(optimizer)
        if self.count and found in _EMPTY:
            if self.count >= _COUNTED or not _reaches(root, optimizer):
                return
            self.empty += 1
        self.before.add(found)
        self.count += 1

    def over(self) -> None:
        """A backward pass is over."""
        optimizer = None if self.optimizer is None else self.optimizer()
        if optimizer is not None:
            self.gradients.passed(optimizer)

    def ends(self, optimizer: Optimizer) -> None:
        """``optimizer`` is about to step; of another one nothing is told."""
        if self.optimizer is not None and self.optimizer() is optimizer:
            self.altered = self.gradients.found(optimizer)

    def facts(self) -> dict[str, Any]:
        """``backwards``, ``discarded`` (passes whose gradients were zeroed before the next), ``gradients_before``.

        And ``altered``, where that is known.
        """
        empty = sorted(self.before & _EMPTY)
        told = empty[0] if empty else "kept" if self.before == {"kept"} else ""
        known: dict[str, Any] = {"gradients_before": told} if told else {}
        known |= {} if self.altered is None else {"altered": self.altered}
        return {"backwards": self.count, "discarded": self.empty, **known}


def _reaches(root: Tensor, optimizer: Optimizer) -> bool:
    owned = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    return any(id(leaf) in owned for leaf in behind([root]))


def _before(optimizer: Optimizer) -> str:
    """``none``, ``zero`` or ``kept``: what the gradients hold before a backward pass; "" where that is not known.

    Of parameters in host memory: elsewhere a look would wait for the device.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if all(parameter.grad is None for parameter in parameters):
        return "none"
    # Of a DTensor the answer would take a collective.
    plain = [p.grad for p in parameters if type(p.grad) is Tensor and p.grad.is_cpu and p.grad.numel() <= _MOST]
    looked = sorted((g for g in plain if not g.is_sparse), key=Tensor.numel)[-_LOOKED:]
    if not looked:
        return ""
    alive = [bool(gradient.detach().any()) for gradient in looked]
    if all(alive):
        return "kept"
    return "" if any(alive) else "zero"


def _without_gradients(optimizer: Optimizer) -> bool:
    """Whether it holds no gradient, or none but zeros as far as one looks: the first that is not zero ends the look."""
    found = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    plain = [g for g in found if type(g) is Tensor and g.is_cpu and g.numel() <= _MOST and not g.is_sparse]
    looked = heapq.nlargest(_LOOKED, plain, key=Tensor.numel)
    return not found or (bool(looked) and not any(bool(gradient.detach().any()) for gradient in looked))


def left_over(parameters: Sequence[Tensor], optimizer: Optimizer | None) -> Tensor | None:
    """The largest element of the last gradients as a step's first backward pass begins; None: there are none.

    Of what ``optimizer`` holds: nobody zeroes the gradients of the rest, and no step is made of them. Looked at are the
    last one and the last of a matrix: a bias that a difference of two outputs takes out has none in any step.
    """
    mine = set() if optimizer is None else owned(optimizer)
    held = [one for one in reversed(parameters) if id(one) in mine and one.grad is not None]
    held = [one for one in held if one.grad is not None and one.grad.layout is torch.strided]
    looked = {id(one): one.grad for one in (*held[:1], *[one for one in held if one.dim() > 1][:1])}
    found = [part for gradient in looked.values() if (part := _part(gradient)) is not None]
    sizes = [part.abs().amax().double() for part in found if part.device == found[0].device]
    return to_host(torch.stack(sizes).amax()) if sizes else None


def _part(gradient: Tensor | None) -> Tensor | None:
    """A few elements of a gradient, where they lie; None where it cannot be read."""
    left = None if gradient is None else portable.plain(gradient)
    if left is None or unreadable(left) or not left.numel():
        return None
    while left.numel() > _MOST:
        left = left[: left.shape[0] * _MOST // left.numel()] if left.numel() < _MOST * left.shape[0] else left[0]
    return left


def unowned(model: nn.Module, outputs: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Shape, mean, spread and largest value of the parameters behind ``outputs`` that nobody owns, in host memory."""
    parameters = list(model.parameters())
    if any(type(parameter) not in kernels.PLAIN for parameter in parameters):
        return []  # sharded: a pass computes with gathered copies, whose memory is given back behind it
    known = {id(parameter) for parameter in parameters}
    strays = [
        leaf
        for leaf in behind(outputs)
        if isinstance(leaf, nn.Parameter) and id(leaf) not in known and kernels.in_memory(leaf)
    ]
    if not strays:
        return []
    owned = held()
    return [_described(leaf) for leaf in strays if id(leaf) not in owned][:_TOLD]


@dataclass(slots=True)
class Bypassed:
    """Whether the losses pass the optimizer by, once they have reached it. Found once.

    ``heard``: a loss since the last look. ``empty``: the optimizer stepped on it without a single gradient:
    the graph of the next loss is walked then. ``found``: what that reached instead, to be told.
    ``vain``: looks that had nothing to tell: they found another optimizer's parameters, as in a game of two, or none
    at all, as of a loss that was cut off. Such a look may go through all objects of the process: each lets twice as
    many steps pass as the one before. ``rest``: those to come.
    """

    heard: bool = False
    empty: bool = False
    over: bool = False
    found: list[dict[str, Any]] = field(default_factory=list)
    vain: int = 0
    rest: int = 0

    def begin(self, root: Tensor) -> None:
        """A backward pass begins at ``root``."""
        self.heard = True
        if not self.empty:
            return
        self.empty = False
        leaves = behind([root])
        readable = [leaf for leaf in leaves if isinstance(leaf, nn.Parameter) and kernels.in_memory(leaf)]
        if not readable or not held().isdisjoint(map(id, leaves)):
            self.vain += 1
            self.rest = 2**self.vain
            return
        with torch.no_grad():
            self.found = [_described(leaf) for leaf in readable[:_TOLD]]
        self.over = True

    def step(self, run: Any, number: int, optimizer: Optimizer) -> None:
        """``optimizer`` is about to take step ``number`` of ``run``, which is told what was found."""
        self.empty = False
        self.beside(run, number, optimizer)
        self.rest -= self.heard and self.rest > 0
        self.heard = False

    def beside(self, run: Any, number: int, optimizer: Optimizer) -> None:
        """``optimizer``, of no model that is alive, is about to step; the run's own may have before, or will."""
        if self.found:
            run.event(number, "bypassed", parameters=self.found)
            self.found = []
        waits = self.heard and not self.empty and not self.over and not self.rest
        self.empty = self.empty or (waits and _without_gradients(optimizer))


def _described(parameter: Tensor) -> dict[str, Any]:
    values = parameter.detach().float()
    spread = float(values.std(correction=0)) if values.numel() else 0.0
    largest = float(values.abs().max()) if values.numel() else 0.0
    return {"shape": list(values.shape), "mean": float(values.mean()), "std": spread, "absmax": largest}
