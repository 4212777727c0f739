"""Activations, the batch and the output, at steps that ask for them.

Forward hooks are there only during the forward pass of a sampled step, so that all other steps run
as if nobody watched; the model's own also at the steps of the flight recorder, which hears batch and
output through it. The first is put on after step 1: by then it shows whether anything is compiled in
this process, where they stay away, as a hook changes what a compiled frame is guarded by.

Per module and step: the statistics of its output (``zeros`` beside ``count`` is the share of values
that are exactly zero), of ReLU-like modules also the share of *dead units* (zero for the whole batch;
units are dimension 1 of images and the last one of all else), of Tanh and Sigmoid the share of
saturated values. The first forward pass of the step counts, on the main thread, in training.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.capture import kernels
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch_names import clean, unwrap

#: Modules that are listened to; of larger models evenly spread ones.
_MODULES: Final = 256
_RECTIFIERS: Final = (nn.ReLU, nn.ReLU6, nn.Threshold, nn.Hardswish, nn.Hardsigmoid)
#: Where an output counts as saturated: |tanh| above, sigmoid outside.
_TANH: Final = 0.99
_SIGMOID: Final = (0.01, 0.99)


@dataclass(slots=True)
class Seen:
    """What one tensor of a forward pass showed."""

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    words: Tensor


@dataclass(slots=True)
class Forward:
    """What one forward pass showed; ``seconds`` is what looking at it took."""

    tensors: list[Seen] = field(default_factory=list)
    scalars: dict[str, float | Tensor] = field(default_factory=dict)
    seconds: float = 0.0


class ForwardProbe:
    """Listens to the next forward pass when told to.

    Args:
        model: the model to be listened to.
        tape: the flight recorder's ear (``torch_record.Tape``), told every forward pass meanwhile.
    """

    def __init__(self, model: nn.Module, tape: Any = None) -> None:
        self._tape = tape
        self._handles: list[Any] = []
        self._seen: Forward | None = None
        self._done: set[str] = set()
        root = unwrap(model)
        self._usable = not any(isinstance(module, torch.jit.ScriptModule) for module in root.modules())

    @property
    def armed(self) -> bool:
        """Whether a forward pass is being listened to."""
        return bool(self._handles)

    def arm(self, model: nn.Module, *, sampled: bool = True) -> None:
        """Hear the next forward pass of ``model``, unless something was compiled.

        ``sampled``: for its statistics as well, not for the flight recorder alone.
        """
        if self._handles or not self._usable or _compiling():
            return
        start = time.perf_counter()
        root = unwrap(model)
        self._handles = [root.register_forward_hook(self._model, with_kwargs=True)]
        if sampled:
            self._seen, self._done = Forward(), set()
            self._handles += [module.register_forward_hook(self._module(name)) for name, module in _chosen(root)]
            self._seen.seconds = time.perf_counter() - start

    def disarm(self) -> Forward | None:
        """Take the hooks off; what was heard since :meth:`arm`."""
        start = time.perf_counter()
        for handle in self._handles:
            handle.remove()
        self._handles = []
        seen, self._seen = self._seen, None
        if seen is not None:
            seen.seconds += time.perf_counter() - start
        return seen

    def _module(self, name: str) -> Any:
        def hook(module: nn.Module, _args: Any, output: Any) -> None:
            if not torch.compiler.is_compiling():
                self._hear(name, module, output)

        return hook

    @guarded(None)
    def _hear(self, name: str, module: nn.Module, output: Any) -> None:
        if name in self._done or not module.training or not torch.is_grad_enabled():
            return
        start = time.perf_counter()
        self._done.add(name)
        for tensor in _tensors(output):
            self._add("activation", name, tensor)
            if self._seen is not None:
                self._seen.scalars.update(_units(name, module, tensor.detach()))
            break
        if self._seen is not None:
            self._seen.seconds += time.perf_counter() - start

    def _model(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if torch.compiler.is_compiling():
            return
        if self._tape is not None:
            self._tape.forward(module, args, kwargs, output)
        if self._seen is not None:
            self._hear_model(module, args, kwargs, output)

    @guarded(None)
    def _hear_model(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if "" in self._done or not module.training or not torch.is_grad_enabled():
            return
        start = time.perf_counter()
        self._done.add("")
        for at, tensor in enumerate(_tensors((args, kwargs))):
            self._add("batch", f"input{at}", tensor)
        for at, tensor in enumerate(_tensors(output)):
            self._add("output", f"output{at}", tensor)
        if self._seen is not None:
            self._seen.seconds += time.perf_counter() - start

    def _add(self, kind: str, name: str, tensor: Tensor) -> None:
        if self._seen is not None and not (tensor.is_cuda and torch.cuda.is_current_stream_capturing()):
            words = kernels.words([tensor.detach()])
            self._seen.tensors.append(Seen(kind, name, tuple(tensor.shape), tensor.dtype, words))


def _compiling() -> bool:
    """Whether any frame was compiled in this process."""
    utils = sys.modules.get("torch._dynamo.utils")
    return bool(utils is not None and utils.counters["stats"])


def _chosen(root: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules at the leaves, by name."""
    leaves = [(clean(name), module) for name, module in root.named_modules() if name and not any(module.children())]
    return leaves[:: -(-len(leaves) // _MODULES)] if leaves else []


def _tensors(value: Any) -> Iterator[Tensor]:
    """The real floating tensors in ``value``, at most eight, in order."""
    stack, given = [value], 0
    while stack and given < 8:
        item = stack.pop()
        if isinstance(item, Tensor):
            if item.is_floating_point() and item.numel():
                given += 1
                yield item
        elif isinstance(item, (tuple, list)):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))


def _units(name: str, module: nn.Module, output: Tensor) -> dict[str, float | Tensor]:
    """``dead_units/NAME`` or ``saturated/NAME``, as parts of 1."""
    if isinstance(module, _RECTIFIERS) and output.dim() > 1:
        unit = 1 if output.dim() > 3 else output.dim() - 1
        dead = ~(output != 0).transpose(0, unit).flatten(1).any(1)
        return {f"dead_units/{name}": _share(dead)}
    if isinstance(module, nn.Tanh):
        return {f"saturated/{name}": _share(output.abs() > _TANH)}
    if isinstance(module, nn.Sigmoid):
        return {f"saturated/{name}": _share((output < _SIGMOID[0]) | (output > _SIGMOID[1]))}
    return {}


def _share(chosen: Tensor) -> float | Tensor:
    share = chosen.float().mean()
    return share.item() if share.is_cpu else share
