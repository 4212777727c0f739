"""The flight recorder's tap in a PyTorch loop.

A *tape* listens from before the first step: the graph behind ``backward()`` tells loss and target
(``torch_graph``), the optimizer's own step hooks tell weights and gradients before it acts, weights
and its state after. Batch and output come from the second step on, by the forward hook that the
samples share (``torch_forward``), and not at all where anything is compiled. What is kept is copied
at once, samples of it where it is large, on an accelerator without waiting for it. After the last
recorded step nothing of this remains but a hook that returns at once.

Recorded are the steps of one optimizer: the first that the run watches.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import portable
from auditor_agent.guard import guarded
from auditor_agent.integrations import torch_facts, torch_graph
from auditor_agent.integrations.torch_names import named_parameters
from auditor_agent.recorder import Recorder, configured_steps, data_elements, state_role
from auditor_agent.stream.recording import Array

#: Forward passes and losses of one step that are kept: micro-batches.
_MOST_MICRO: Final = 4
_MOST_TENSORS: Final = 8


@dataclass(slots=True)
class _Taken:
    """One tensor's elements on their way to the host."""

    role: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    values: Tensor

    def array(self) -> Array:
        """With the elements as bytes; they must have arrived."""
        data = portable.to_bytes(self.values)
        return Array(self.role, self.name, self.dtype, self.shape, self.values.numel(), data)


@dataclass(slots=True)
class _Step:
    """One step in the making."""

    number: int
    taken: list[_Taken] = field(default_factory=list)
    scalars: dict[str, float | Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Tape:
    """Listens to one model's training until the recorder has enough. Made before the run is known."""

    def __init__(self) -> None:
        self._left = configured_steps()
        self._forwards: list[list[_Taken]] = []
        self._modes: list[bool] = []
        self._losses: list[tuple[torch_graph.LossGraph, list[_Taken], Tensor | None]] = []
        # Nodes of the last forward pass's graph, until the backward pass begins: the names of its outputs.
        self._outputs: dict[Any, str] = {}
        self._names: dict[int, str] = {}
        self._recorder: Recorder | None = None
        self._optimizer: Any = None
        self._named: list[tuple[str, Tensor]] = []
        self._step: _Step | None = None
        self._waiting: deque[tuple[_Step, Any]] = deque()

    @property
    def listening(self) -> bool:
        """Whether a step may still be recorded."""
        return self._left > 0

    @property
    def busy(self) -> bool:
        """Whether it must be told of the steps: it listens, or something is still on its way to the host."""
        return self._left > 0 or bool(self._waiting)

    # -- life ---------------------------------------------------------------------------------

    @guarded(None)
    def start(self, run: Any, model: nn.Module | None, optimizer: Optimizer) -> None:
        """Record into ``run`` the steps of ``optimizer`` that :meth:`before` and :meth:`after` are told."""
        if self._recorder is not None or not self.listening or not hasattr(run, "recording"):
            return
        self._recorder = Recorder(run, layout="torch")
        run.observe(canonical=torch_facts.canonical(model, optimizer))
        self._named = named_parameters(model, optimizer)
        self._names = {id(parameter): name for name, parameter in self._named}
        self._recorder.size([(p.numel(), p.element_size()) for _, p in self._plain_parameters()])
        self._optimizer = weakref.ref(optimizer, self._release)

    @guarded(None)
    def close(self) -> None:
        """Hand over what is under way and let go of everything. Idempotent."""
        self._left = 0
        while self._waiting:
            self._deliver(*self._waiting.popleft())
        if self._recorder is not None:
            self._recorder.close()
        self._forget()
        self._named, self._names, self._step = [], {}, None

    def _release(self, _: object) -> None:
        self._named, self._names = [], {}

    def _forget(self) -> None:
        self._forwards, self._losses, self._modes, self._outputs = [], [], [], {}

    # -- what passes by -----------------------------------------------------------------------

    @guarded(None)
    @torch.no_grad()
    def forward(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """The model was called: with these arguments, to this output."""
        if self._left <= 0:
            return
        outputs = list(_tensors(output))
        if not any(tensor.requires_grad for tensor in outputs):
            return  # no training: an evaluation, or the frozen half of a GAN
        if len(self._forwards) >= _MOST_MICRO:
            self._forwards.pop(0)
            self._modes.pop(0)
        taken = [self._data("batch", f"input{at}", t) for at, t in enumerate(_tensors((args, kwargs)))]
        taken += [self._data("output", f"output{at}", t) for at, t in enumerate(outputs)]
        self._forwards.append([one for one in taken if one is not None])
        self._modes.append(module.training)
        self._outputs = {t.grad_fn: f"output{at}" for at, t in enumerate(outputs) if t.grad_fn is not None}

    @guarded(None)
    @torch.no_grad()
    def root(self, root: Tensor) -> None:
        """A backward pass begins at ``root``."""
        if self._left <= 0 or root.grad_fn is None:
            return
        outputs, self._outputs = self._outputs, {}
        graph = torch_graph.read(root, outputs, self._names)
        taken = [self._data(role, name, tensor) for (role, name), tensor in graph.tensors.items()]
        graph.tensors = {}
        if len(self._losses) >= _MOST_MICRO:
            self._losses.pop(0)
        value = None if _unreadable(root) else _to_host(root.detach().reshape(()).clone())
        self._losses.append((graph, [one for one in taken if one is not None], value))

    @guarded(None)
    def skipped(self) -> None:
        """A GradScaler left out the step: what was heard belongs to none."""
        self._forget()

    # -- the step -----------------------------------------------------------------------------

    @guarded(None)
    @torch.no_grad()
    def before(self, number: int, optimizer: Optimizer, *, closure: bool) -> None:
        """``optimizer`` is about to do step ``number``; gradients exist already, unless it is given a closure."""
        recorder = self._recorder
        if recorder is None or not self.busy:
            return
        if not recorder.begin(number):
            self.close()
            return
        step = self._step = _Step(number)
        self._each(step, "weight", self._plain_parameters())
        if not closure:
            self._each(step, "gradient", self._gradients())
            self._scaled(step, optimizer)
        step.scalars |= _rates(optimizer)

    @guarded(None)
    @torch.no_grad()
    def after(self, optimizer: Optimizer, *, closure: bool) -> None:
        """``optimizer`` has done its step."""
        step, self._step = self._step, None
        if step is None:
            return
        if closure:
            self._each(step, "gradient", self._gradients())
        self._each(step, "updated", self._plain_parameters())
        for name, parameter in self._named:
            for key, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    self._each(step, state_role(str(key)), [(name, portable.plain(value))])
        self._heard(step)
        self._left -= 1
        self._waiting.append((step, _mark(step)))
        while self._waiting and _done(self._waiting[0][1]):
            self._deliver(*self._waiting.popleft())
        if self._left <= 0 and not self._waiting:
            self.close()

    def _heard(self, step: _Step) -> None:
        """What forward and backward passes since the last step brought, as part of this one."""
        recorder = self._recorder
        heard = [one for passed in (self._forwards, [taken for _, taken, _ in self._losses]) for one in _named(passed)]
        for one in heard:
            if recorder is not None and recorder.admit(one.values.numel() * one.values.element_size()):
                step.taken.append(one)
        if self._losses:
            for at, (_, _, value) in enumerate(self._losses):
                if value is not None:
                    step.scalars[f"loss@{at}" if at else "loss"] = value
            graph = self._losses[-1][0]
            step.facts["loss"] = {**graph.facts, "graph": graph.nodes}
        if self._forwards:
            step.facts |= {"training": all(self._modes), "forwards": len(self._forwards)}
        self._forget()

    def _scaled(self, step: _Step, optimizer: Optimizer) -> None:
        """A fused optimizer is given gradients that still carry the GradScaler's scale."""
        scale = getattr(optimizer, "grad_scale", None)
        if isinstance(scale, Tensor):
            step.scalars["gradient_scale"] = _to_host(scale.detach().reshape(()).clone())

    def _deliver(self, step: _Step, mark: Any) -> None:
        if mark is not None:
            mark.synchronize()
        if self._recorder is not None:
            scalars = {name: float(value) for name, value in step.scalars.items()}
            self._recorder.send(step.number, [one.array() for one in step.taken], scalars, step.facts)

    # -- elements -----------------------------------------------------------------------------

    def _plain_parameters(self) -> list[tuple[str, Tensor]]:
        return [(name, portable.plain(parameter)) for name, parameter in self._named]

    def _gradients(self) -> list[tuple[str, Tensor]]:
        return [
            (
                name,
                portable.plain(parameter.grad if parameter.grad.layout is torch.strided else parameter.grad.to_dense()),
            )
            for name, parameter in self._named
            if parameter.grad is not None
        ]

    def _each(self, step: _Step, role: str, tensors: Sequence[tuple[str, Tensor]]) -> None:
        recorder = self._recorder
        for name, tensor in tensors:
            if recorder is None or _unreadable(tensor):
                continue
            count = recorder.take(role, tensor.numel(), tensor.element_size())
            if count or not tensor.numel():
                step.taken.append(_take(role, name, tensor, count))

    def _data(self, role: str, name: str, tensor: Tensor) -> _Taken | None:
        """As much of a batch, target or output as a step may record; None where it cannot be read."""
        tensor = portable.plain(tensor)
        if _unreadable(tensor):
            return None
        early = self._recorder is None or self._recorder.early
        return _take(role, name, tensor, data_elements(tensor.numel(), tensor.element_size(), early=early))


def _take(role: str, name: str, tensor: Tensor, count: int) -> _Taken:
    """``count`` evenly spread elements of ``tensor``, copied, on their way to the host."""
    flat = tensor.reshape(-1)
    if count < flat.numel():
        # Made where the tensor is: an index from the host would have to be waited for.
        at = torch.arange(count, device=flat.device).mul_(flat.numel() - 1)
        flat = flat[at.div_(max(1, count - 1), rounding_mode="floor")]
    elif flat.data_ptr() == tensor.data_ptr():
        flat = flat.clone()
    return _Taken(role, name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), _to_host(flat))


def _named(passed: Sequence[list[_Taken]]) -> Iterator[_Taken]:
    """Those of the last pass under their names, of earlier ones (micro-batches) as ``name@place``."""
    for place, taken in enumerate(passed):
        for one in taken:
            if place:
                one.name = f"{one.name}@{place}"
            yield one


def _rates(optimizer: Optimizer) -> dict[str, float | Tensor]:
    rates: dict[str, float | Tensor] = {}
    for at, group in enumerate(optimizer.param_groups):
        rate = group.get("lr")
        if rate is not None:
            value = _to_host(rate.detach().reshape(()).clone()) if isinstance(rate, Tensor) else float(rate)
            rates[f"lr/{at}" if at else "lr"] = value
    return rates


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in ``value``, at most eight, in order."""
    stack, given = [value], 0
    while stack and given < _MOST_TENSORS:
        item = stack.pop()
        if isinstance(item, Tensor):
            given += 1
            yield item
        elif isinstance(item, (tuple, list)):
            stack.extend(reversed(item))
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))


def _to_host(tensor: Tensor) -> Tensor:
    if tensor.is_cpu:
        return tensor
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
    return host.copy_(tensor, non_blocking=tensor.is_cuda)


def _mark(step: _Step) -> Any:
    """An event behind the copies of a step; None on a CPU."""
    if not torch.cuda.is_available() or not any(one.values.is_pinned() for one in step.taken):
        return None
    event = torch.Event("cuda")
    event.record()
    return event


def _done(mark: Any) -> bool:
    return mark is None or bool(mark.query())


def _unreadable(tensor: Tensor) -> bool:
    """Whether its elements cannot be copied now: it has none, or a CUDA graph is being captured."""
    return tensor.is_meta or (tensor.is_cuda and torch.cuda.is_current_stream_capturing())
