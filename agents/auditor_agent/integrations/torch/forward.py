"""Forward passes: what their batches are, whether they train, and what the layers gave.

One hook before the model's own forward pass stays while the run lives: it counts the batch's samples,
takes its digest and tells training from evaluation. Hooks behind the layers are put on by it for the
one pass that is looked at: a sampled step's, or one that the flight recorder records. All of it only
after step 1: by then it shows whether anything is compiled in this process, where hooks stay away, as
they change what a compiled frame is guarded by.

Per layer and sampled step: the statistics of its output (``zeros`` beside ``count`` is the share of
values that are exactly zero), of ReLU also the share of *dead units* (zero for the whole batch), of
Tanh and Sigmoid the share of saturated values, whether they are modules or were called as functions
on a layer's output. The first forward pass of the step counts, on the main thread, in training.
"""

from __future__ import annotations

import contextlib
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.capture import kernels
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch import fed
from auditor_agent.integrations.torch import operations as torch_operations
from auditor_agent.integrations.torch.batch import Batches
from auditor_agent.integrations.torch.epochs import Epochs
from auditor_agent.integrations.torch.evaluation import Evaluation
from auditor_agent.integrations.torch.loops import Loops, lies_in
from auditor_agent.integrations.torch.names import Several, clean, entrances, unwrap
from auditor_agent.integrations.torch.record import Tape
from auditor_agent.integrations.torch.taken import contents, predictions, unreadable
from auditor_agent.integrations.torch.units import (
    activation_of,
    again,
    behind,
    by_unit,
    output_activation,
    shares,
    summary,
)
from auditor_agent.recorder import GIVEN

#: Modules that are listened to; of larger models evenly spread ones.
_MODULES: Final = 256
_compiling: Final = torch.compiler.is_compiling
_gradients: Final = torch.is_grad_enabled


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


@dataclass(slots=True)
class _Pass:
    """One forward pass that is looked at."""

    sampled: bool
    recorded: bool
    evaluates: bool = False
    handles: list[Any] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    modules: dict[str, nn.Module] = field(default_factory=dict)
    nodes: dict[Any, str] = field(default_factory=dict)
    """The layers' names by the autograd node of their output."""
    within: dict[Any, list[Any] | None] = field(default_factory=dict)
    """The nodes of what each layer was given, by the node of its output."""
    stopped: set[str] = field(default_factory=set)
    """Layers that were given what another gave, without its gradient."""
    loops: Loops = field(default_factory=Loops)
    plain: fed.Plain = field(default_factory=fed.Plain)
    held: dict[str, Tensor] = field(default_factory=dict)
    """Outputs of layers, until the pass is over and shows what became of them."""
    given: tuple[Any, Any] = ((), {})
    """What the first of several modules was given, and in ``gave`` what the last one called gave."""
    gave: Any = None


class _Ear:
    """What a watched model calls before each of its passes.

    Copies of the model, and what is saved of it, have a function of the standard library in its place that
    does nothing: a copy is another model, and may be loaded where there is no agent.
    """

    def __init__(self, hears: Callable[[nn.Module, Any, Any], None]) -> None:
        self._hears = hears

    def __call__(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not _compiling():
            self._hears(module, args, kwargs)

    def __deepcopy__(self, memo: Any) -> Any:
        return contextlib.nullcontext().__exit__

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (contextlib.nullcontext(), "__exit__")


class ForwardProbe:
    """Listens to the forward passes of one model.

    Args:
        model: the model to be listened to.
        tape: the flight recorder's ear.
        evaluation: told of passes without gradients.
        epochs: told of the batches of steps.
    """

    def __init__(self, model: nn.Module, tape: Tape, evaluation: Evaluation, epochs: Epochs) -> None:
        self._tape, self._evaluation, self._epochs = tape, evaluation, epochs
        epochs.attach()
        self._ears: list[Any] = []
        self._several: weakref.ref[Several] | None = None
        self._entrance: int | None = None
        self._pass: _Pass | None = None
        self._seen: Forward | None = None
        self._sampled = self._recorded = False
        self._training: bool | None = None
        self.turned = False
        """Whether training passes are in another mode than they were: to be looked at and set back."""
        self._batches = Batches()
        root = unwrap(model)
        if isinstance(root, Several):
            self._several, tape.begins, evaluation.over = weakref.ref(root), self._joined, self._judged
        self._usable = not any(isinstance(module, torch.jit.ScriptModule) for module in root.modules())

    def arm(self, model: nn.Module, *, sampled: bool, recorded: bool) -> None:
        """Hear the next training pass of ``model`` for its statistics, for the flight recorder, or as a batch alone.

        Nothing is heard where something was compiled.
        """
        if not self._usable or (compiled() and not self._ears):
            return
        if not self._ears:
            entered = entrances(unwrap(model))
            self._ears = [one.register_forward_pre_hook(_Ear(self._begin), with_kwargs=True) for one in entered]
        self._sampled, self._recorded = sampled, recorded
        if sampled:
            self._seen = Forward()

    def disarm(self) -> Forward | None:
        """What was heard since :meth:`arm`."""
        self._joined()
        self._quit()
        self._sampled = self._recorded = False
        seen, self._seen = self._seen, None
        return seen

    def close(self) -> None:
        """Hear nothing more. Idempotent."""
        self.disarm()
        self._evaluation.close()
        self._epochs.detach()
        for ear in self._ears:
            ear.remove()
        self._ears = []

    def batch(self) -> tuple[int, int | None]:
        """Samples and digest of the training batches since the last call, of a step that is being taken."""
        found = self._batches.take()
        self._epochs.step(*found)
        return found

    def scalars(self) -> dict[str, float | Tensor]:
        """The same as scalars of a step."""
        samples, digest = self.batch()
        found: dict[str, float | Tensor] = {"samples": float(samples)} if samples else {}
        return found if digest is None else {**found, "batch_digest": float(digest)}

    # -- a pass begins ------------------------------------------------------------------------

    @guarded(None)
    def _begin(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        several = None if self._several is None else self._several()
        if several is not None and not self._enters(module):
            return
        self._tape.enters()
        if not _gradients():
            self._evaluates(several or module, args, kwargs)
            return
        if self._evaluation.going:
            self._evaluation.end()
        if module.training is not self._training:
            if module.training:  # what came before was an evaluation that kept its gradients
                self._batches.take()
            self._training, self.turned = module.training, True
        if len(args) == 1 and type(args[0]) is Tensor:
            self._batches.one(args[0])
        else:
            self._batches.several(list(_tensors((args, kwargs), real=False)))
        # An evaluation that keeps its gradients looks like training in the wrong mode, until a step confirms it.
        if self._pass is None and (self._sampled or self._recorded) and (module.training or not self.turned):
            self._listen(several or module, _Pass(self._sampled, self._recorded, given=(args, kwargs)))

    def _enters(self, module: nn.Module) -> bool:
        """Whether a pass begins with this one of several modules: with the one that was called first."""
        self._entrance = self._entrance or id(module)
        return id(module) == self._entrance

    def _evaluates(self, model: nn.Module, args: Any, kwargs: Any) -> None:
        self._epochs.evaluates()
        if self._evaluation.begin(model, args, kwargs) and self._pass is None:
            self._listen(model, _Pass(sampled=False, recorded=True, evaluates=True, given=(args, kwargs)))

    # -- a pass that is looked at -------------------------------------------------------------

    def _listen(self, root: nn.Module, looked: _Pass) -> None:
        start = time.perf_counter()
        self._pass = looked
        looked.handles = [one.register_forward_hook(self._after, with_kwargs=True) for one in entrances(root)]
        for name, module in _chosen(root):
            looked.modules[name] = module
            looked.handles.append(module.register_forward_hook(self._layer(name), with_kwargs=True))
        self._spend(start)

    def _quit(self) -> None:
        looked, self._pass = self._pass, None
        for handle in looked.handles if looked is not None else ():
            handle.remove()

    def _layer(self, name: str) -> Any:
        def hook(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            if not _compiling():
                self._hear(name, module, (*args, *kwargs.values()), output)

        return hook

    @guarded(None)
    @torch.no_grad()
    def _hear(self, name: str, module: nn.Module, args: Any, output: Any) -> None:
        looked = self._pass
        if looked is None:
            return
        looked.loops.called(name, module, args, list(_tensors(output)))
        looked.plain.called(name, _tensors(looked.given), _tensors(args), _tensors(output))
        if name in looked.done:  # called again: its place among the operations is all that is noted
            self._noted(looked, name, args, output)
            return
        start = time.perf_counter()
        plain = None if looked.done else fed.changed(_tensors(looked.given, real=False), _tensors(args))
        if plain is not None:
            looked.modules[GIVEN] = module
            self._units(looked, GIVEN, None, plain)
        looked.done.add(name)
        self._noted(looked, name, args, output)
        for tensor in _tensors(output):
            plain = tensor.detach()
            if looked.sampled:
                self._add("activation", name, plain)
            self._units(looked, name, activation_of(module), plain)
            looked.held[name] = plain
            break
        self._spend(start)

    @staticmethod
    def _noted(looked: _Pass, name: str, args: Any, output: Any) -> None:
        """The layer's place in the graph: of whichever of its outputs is used."""
        given = torch_operations.given(args)
        learnt = {one: looked.held[one] for one in looked.nodes.values() if one in looked.held} if given == [] else {}
        if learnt and any(lies_in(one, learnt) for one in _tensors(args)):  # the rest never had a gradient to lose
            looked.stopped.add(name)
        for tensor in _tensors(output):
            if tensor.grad_fn is not None:
                looked.nodes[tensor.grad_fn], looked.within[tensor.grad_fn] = name, given

    def _units(self, looked: _Pass, name: str, activation: str | None, output: Tensor) -> None:
        """Dead and saturated units for the statistics, values and units for the flight recorder."""
        if hasattr(output, "_local_tensor"):  # sharded: its statistics would be a collective
            return
        folded = by_unit(looked.modules[name], output)
        recorded = looked.recorded and folded.numel() and not unreadable(output)
        moments = summary(folded) if recorded else None
        if looked.sampled and self._seen is not None:
            self._seen.scalars.update(shares(name, activation, folded, moments))
        if moments is not None:
            kind = type(looked.modules[name]).__name__
            fact = looked.loops.told[name] = {"name": name, "kind": kind, "activation": activation}
            self._tape.layer(fact, folded, moments, len(looked.modules))

    def _after(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if _compiling():
            return
        if self._several is None:
            self._end(module, args, kwargs, output)
        elif self._pass is not None:
            self._pass.gave = output

    def _joined(self) -> None:
        """A backward pass begins: what several modules gave by then is one forward pass."""
        looked, several = self._pass, None if self._several is None else self._several()
        if looked is not None and several is not None and looked.gave is not None:
            self._end(several, *looked.given, looked.gave)

    def _judged(self) -> None:
        """What several modules gave without gradients is judged, or another batch begins: that pass is over."""
        if self._pass is not None and self._pass.evaluates:
            self._joined()

    @guarded(None)
    @torch.no_grad()
    def _end(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        looked = self._pass
        if looked is None:
            return
        start = time.perf_counter()
        outputs = predictions(_tensors(output))
        for name, activation in behind(outputs, looked.nodes).items():
            became = again(activation, looked.held[name])
            if became is not None:
                self._units(looked, name, activation, became)
        if looked.sampled:
            for at, tensor in enumerate(_tensors((args, kwargs))):
                self._add("batch", f"input{at}", tensor)
            for at, tensor in enumerate(outputs):
                self._add("output", f"output{at}", tensor)
        if looked.evaluates:
            self._tape.evaluation(module, args, kwargs, output)
        elif looked.recorded:
            last = [output_activation(one) for one in outputs]
            looked.loops.tell(looked.nodes, looked.within, outputs)
            self._tape.forward(module, args, kwargs, output, last)
            self._operations(looked, outputs)
        self._spend(start)
        self._quit()
        if not looked.evaluates:
            self._sampled = False  # the first pass of the step counts; the recorder hears micro-batches as well

    def _operations(self, looked: _Pass, outputs: list[Tensor]) -> None:
        """What the pass consisted of, once."""
        if self._tape.operations is None and any(one.requires_grad for one in outputs):
            told = torch_operations.operations(
                outputs, looked.nodes, looked.within, looked.loops.besides, looked.stopped
            )
            self._tape.operations = looked.plain.told(told)

    def _add(self, kind: str, name: str, tensor: Tensor) -> None:
        if self._seen is not None and not (tensor.is_cuda and torch.cuda.is_current_stream_capturing()):
            words = kernels.words([tensor.detach()])
            self._seen.tensors.append(Seen(kind, name, tuple(tensor.shape), tensor.dtype, words))

    def _spend(self, start: float) -> None:
        if self._seen is not None:
            self._seen.seconds += time.perf_counter() - start


def compiled() -> bool:
    """Whether any frame was compiled in this process."""
    utils = sys.modules.get("torch._dynamo.utils")
    return bool(utils is not None and utils.counters["stats"])


def _chosen(root: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules at the leaves, by name; attention counts as one."""
    leaves = [
        (clean(name), module)
        for name, module in root.named_modules()
        if name and (isinstance(module, nn.MultiheadAttention) or not any(module.children()))
    ]
    return leaves[:: -(-len(leaves) // _MODULES)] if leaves else []


def _tensors(value: Any, *, real: bool = True) -> Iterator[Tensor]:
    """The tensors in ``value``, at most eight, in order; ``real``: floating ones that have elements."""
    stack, given, looked = [value], 0, 0
    while stack and given < 8 and looked < 1024:
        item = stack.pop()
        looked += 1
        if isinstance(item, Tensor):
            if not real or (item.is_floating_point() and item.numel()):
                given += 1
                yield item
        else:
            stack.extend(reversed(contents(item)))
