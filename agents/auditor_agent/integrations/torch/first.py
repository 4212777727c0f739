"""The batch and the output of the first step, whose model nobody knows yet.

Which model is trained shows when an optimizer first steps: its forward pass is over by then. Until that step
a hook of ``torch.nn`` hears all modules and keeps what the last few were given and gave: outputs without their
graph, so that nothing lives longer than the next calls but a few tensors. As a backward pass begins, the last
one called that has parameters is taken for the model, and what it was given and gave is copied as that of any
recorded pass; once the optimizer is known, what another module gave is put aside again.

The hook comes off at the first step, when ``torch.compile`` is called (a compiled module warns of hooks on all
modules, and is guarded by them) and after :data:`_MOST_CALLS` calls without a step. Where anything was compiled
before, it never goes on.
"""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.guard import guarded
from auditor_agent.integrations.torch.names import unwrap
from auditor_agent.integrations.torch.operations import reachable
from auditor_agent.integrations.torch.taken import predictions, tensors
from auditor_agent.integrations.torch.wraps import Wraps, tell

#: Calls that are kept: of the model's last layer, of the model, of a loss that is a module of modules.
_KEPT: Final = 3
#: Calls of modules that are heard before a step: evaluations of an untrained model may be many.
_MOST_CALLS: Final = 100_000
_compiling: Final = torch.compiler.is_compiling
_gradients: Final = torch.is_grad_enabled


@dataclass(slots=True)
class Called:
    """What a module was given and gave."""

    module: weakref.ref[nn.Module]
    given: list[Tensor]
    gave: list[Tensor]
    """Without their graph."""
    made: list[tuple[int, str]]
    """Of each output the node that made it, as :func:`_node` has it; (-1, "") for one without."""
    versions: list[int]
    """Of all tensors, as they were: what was written into since is not what the module saw."""

    def unchanged(self) -> bool:
        """Whether no tensor was written into since."""
        return self.versions == [_version(one) for one in itertools.chain(self.given, self.gave)]


class FirstPass:
    """Hears all modules until an optimizer steps."""

    def __init__(self) -> None:
        self._calls: deque[Called] = deque(maxlen=_KEPT)
        self._times: dict[int, int] = {}
        self._left = _MOST_CALLS
        self._guess: weakref.ref[nn.Module] | None = None
        self._handle: Any = None

    def attach(self) -> None:
        """Begin to hear, unless something was compiled. Idempotent."""
        if self._handle is None and not _ever_compiled():
            self._handle = nn.modules.module.register_module_forward_hook(self._hook, with_kwargs=True)
            _listening.append(self)
            if not _wraps:
                _wraps.put(torch, "compile", _compile)

    def detach(self) -> None:
        """Hear nothing more and forget what was heard. Idempotent."""
        handle, self._handle = self._handle, None
        self._calls.clear()
        self._times.clear()
        if handle is not None:
            handle.remove()
            # torch 2.13 leaves this behind, and with it every later call on the slow path.
            getattr(nn.modules.module, "_global_forward_hooks_with_kwargs", {}).pop(handle.id, None)
            _listening.remove(self)
            if not _listening:
                _wraps.off()

    def _hook(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if not _compiling() and _gradients() and (module._parameters or module._modules):  # noqa: SLF001 -- no walk
            self._hear(module, args, kwargs, output)

    @guarded(None)
    def _hear(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._left -= 1
        if self._left < 0:
            self.detach()
            return
        given, gave = list(tensors((args, kwargs))), predictions(tensors(output))
        if not any(one.grad_fn is not None for one in gave):
            return
        with torch.no_grad():
            plain = [one.detach() if one.requires_grad else one for one in given]
            made = [_node(one.grad_fn) for one in gave]
            bare = [one.detach() for one in gave]
            versions = [_version(one) for one in itertools.chain(plain, bare)]
        self._times[id(module)] = self._times.get(id(module), 0) + 1
        self._calls.append(Called(weakref.ref(module), plain, bare, made, versions))

    def begins(self, root: Tensor) -> tuple[Called, dict[Any, str]] | None:
        """A backward pass begins at ``root``: the call of the model behind it, if there was one and no other.

        With the names of its outputs by the nodes that made them.
        """
        calls, times = list(self._calls), dict(self._times)
        self._calls.clear()
        self._times.clear()
        for called in reversed(calls):
            module = called.module()
            if module is None or next(module.parameters(), None) is None:
                continue
            nodes = {_node(node): node for node in reachable([root.grad_fn])}
            names = {nodes[key]: f"output{at}" for at, key in enumerate(called.made) if key in nodes}
            if names and times[id(module)] == 1 and called.unchanged():
                self._guess = called.module
                return called, names
            return None
        return None

    def settle(self, model: weakref.ref[nn.Module] | None) -> bool:
        """A step is taken, ``model`` is known: whether it is the one that was heard, if one was. Ends the hearing."""
        self.detach()
        guess, self._guess = self._guess, None
        module = None if guess is None else guess()
        known = None if model is None else model()
        return guess is None or (module is not None and unwrap(module) is known)


def _node(node: Any) -> tuple[int, str]:
    """A node of autograd's graph by its number, which no other of this thread has, and its name."""
    return (-1, "") if node is None else (int(node._sequence_nr()), node.name())  # noqa: SLF001 -- the only place


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version  # noqa: SLF001 -- tells of writes without a look


def _ever_compiled() -> bool:
    """Whether ``torch.compile`` was called in this process, whatever came of it."""
    frames = sys.modules.get("torch._dynamo.eval_frame")
    return any(backend is not None for backend in getattr(frames, "cached_backends", {}).values())


_listening: list[FirstPass] = []
_wraps: Final = Wraps()


def _compile(original: Callable[..., Any]) -> Callable[..., Any]:
    def compile_(*args: Any, **kwargs: Any) -> Any:
        tell(list(_listening), FirstPass.detach)
        return original(*args, **kwargs)

    return compile_
