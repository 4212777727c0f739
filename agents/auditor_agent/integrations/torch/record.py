"""The flight recorder's tap in a PyTorch loop.

A *tape* listens from before the first step: the graph behind ``backward()`` tells loss and target
(``torch_graph``), the optimizer's own step hooks tell weights and gradients before it acts, weights
and its state after. Batch and output of the first step come by a hook on all modules (``first.py``),
from the second on by the forward hook that the samples share (``forward.py``), with the layers, and
neither where anything is compiled. What is kept is copied
at once, samples of it where it is large, on an accelerator without waiting for it. After the last
recorded step nothing of this remains but a hook that returns at once.

Of several optimizers each brings its own weights, gradients and state into the step that they make up
together (``facts.optimizers`` says whose are whose); batch, layers and ``facts.loss`` are the first one's.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import portable
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch import drawn, fed
from auditor_agent.integrations.torch import facts as torch_facts
from auditor_agent.integrations.torch import graph as torch_graph
from auditor_agent.integrations.torch.first import Called
from auditor_agent.integrations.torch.mode import mode, together
from auditor_agent.integrations.torch.names import unwrap
from auditor_agent.integrations.torch.part import Part, plain_gradients, plain_parameters, plain_state
from auditor_agent.integrations.torch.passes import Passes, left_over, unowned
from auditor_agent.integrations.torch.taken import (
    Making,
    Taken,
    done,
    mark,
    named,
    predictions,
    rates,
    scaled,
    take,
    take_all,
    tensors,
    to_host,
    unreadable,
    word,
)
from auditor_agent.integrations.torch.units import columns, samples_of, some
from auditor_agent.recorder import Recorder, configured_steps, data_elements, state_role

#: Forward passes and losses of one step that are kept: micro-batches.
_MOST_MICRO: Final = 4


class Tape:
    """Listens to one model's training until the recorder has enough. Made before the run is known."""

    def __init__(self) -> None:
        self._on = configured_steps() > 0
        self._layers: dict[str, tuple[dict[str, Any], list[Taken]]] = {}
        self._whole = False  # the layers of one pass are there
        self._last: Sequence[str | None] = ()
        self._evaluation: Making | None = None
        # The last recorded step; the last after which an evaluation was; the last taken before the one under way.
        self._recorded = self._looked = self._after = 0
        self._drawn: drawn.Mark | None = None  # where random numbers stood as the evaluation began
        self._forwards: list[list[Taken]] = []
        self._modes: list[dict[str, Any]] = []
        self._carried: Tensor | None = None
        self._losses: list[tuple[torch_graph.LossGraph, list[Taken], Tensor | None]] = []
        self.passes = Passes()
        self._unowned: list[dict[str, Any]] | None = None
        # Names of the outputs by node of the last forward pass, until the backward pass begins.
        self._outputs: dict[Any, str] = {}
        self._names: dict[int, str] = {}
        self.operations: list[dict[str, Any]] | None = None  # of one training pass; told once
        self.begins: Callable[[], None] = lambda: None  # then a forward pass of several modules is over
        self.enters: Callable[[], None] = lambda: None  # the model is about to be called
        #: The first step is taken, with this model: whether it is the one that was heard before.
        self.guessed: Callable[[weakref.ref[nn.Module] | None], bool] = lambda _: True
        self._model: weakref.ref[nn.Module] | None = None
        self._recorder: Recorder | None = None
        self._first: Part | None = None
        self._sizes: dict[int, list[tuple[int, int]]] = {}
        self._step: Making | None = None
        self._begun = 0
        self._waiting: deque[tuple[Making, Any]] = deque()

    @property
    def listening(self) -> bool:
        """Whether the coming step is recorded, as far as is known."""
        return self._on

    @property
    def busy(self) -> bool:
        """Whether it must be told of the steps: it listens, or something is still on its way to the host."""
        return self._on or bool(self._waiting) or self._step is not None

    def wants(self, number: int) -> bool:
        """Whether step ``number`` is recorded."""
        return self._on if self._recorder is None else self._recorder.wants(number)

    def next(self, number: int) -> int | None:
        """The first step after ``number`` that is recorded; None: none."""
        return None if self._recorder is None else self._recorder.next(number)

    def evaluates(self, step: int) -> bool:
        """Whether the first batch of an evaluation after ``step`` is recorded: the first since a recorded step."""
        last = self._recorded if self._step is None else self._step.number
        if self._recorder is None or last <= self._looked or self._forwards or self._losses:
            return False
        self._looked, self._after, self._drawn = last, max(step, last), drawn.mark()
        return True

    # -- life ---------------------------------------------------------------------------------

    @guarded(None)
    def start(self, run: Any, model: nn.Module | None, part: Part) -> None:
        """Record into ``run`` what :meth:`before` and :meth:`after` are told; ``part``: the first optimizer's."""
        optimizer = part.optimizer
        if self._recorder is not None or not self.listening or not hasattr(run, "recording") or optimizer is None:
            return
        self._recorder = Recorder(run, layout="torch")
        run.observe(canonical=torch_facts.canonical(model, optimizer))
        self._first, self._model = part, None if model is None else weakref.ref(unwrap(model))
        self._know(part)

    def _know(self, part: Part) -> None:
        """Names and sizes of the part's parameters, as they are now."""
        if self._recorder is not None:
            sizes = [(p.numel(), p.element_size()) for _, p in plain_parameters(part)]
            if self._sizes.get(part.number) != sizes:
                self._sizes[part.number] = sizes
                self._recorder.size([size for each in self._sizes.values() for size in each])
            self._names |= {id(parameter): name for name, parameter in zip(part.names, part.parameters, strict=True)}

    @guarded(None)
    def close(self) -> None:
        """Hand over what is under way and let go of everything. Idempotent."""
        self._complete()
        self._on = False
        self.evaluated()
        while self._waiting:
            self._deliver(*self._waiting.popleft())
        if self._recorder is not None:
            self._recorder.close()
        self._forget()
        self._names = {}

    def _forget(self) -> None:
        self._forwards, self._losses, self._modes, self._outputs = [], [], [], {}
        self.passes = Passes()
        self._layers, self._whole, self._last = {}, False, ()

    # -- what passes by -----------------------------------------------------------------------

    @guarded(None)
    @torch.no_grad()
    def layer(self, fact: dict[str, Any], folded: Tensor, moments: Tensor, layers: int) -> None:
        """A layer gave ``folded`` (``torch_units``); told again where what stands behind it is known as well.

        Args:
            fact: its ``name``, ``kind`` and ``activation``, for ``facts.layers``.
            folded: its output.
            moments: of each unit (``torch_units.summary``).
            layers: how many there are.
        """
        recorder, name = self._recorder, fact["name"]
        if recorder is None or self._whole:
            return
        rows, units = recorder.layer(samples_of(folded), folded.shape[1], folded.element_size(), layers)
        taken = [Taken("units", name, "float32", (4, units), 4 * units, columns(moments, units))]
        if rows:
            values = some(folded, rows, units)
            taken.append(Taken("activation", name, word(folded.dtype), (rows, units), rows * units, values))
        self._layers[name] = fact, taken

    @guarded(None)
    @torch.no_grad()
    def forward(self, module: nn.Module, args: Any, kwargs: Any, output: Any, last: Sequence[str | None]) -> None:
        """The model was called: with these arguments, to this output, each of which ``last`` made."""
        outputs = predictions(tensors(output))
        if not any(tensor.requires_grad for tensor in outputs):
            return  # no training: the frozen half of a GAN
        self._whole, self._last = True, last
        if len(self._forwards) >= _MOST_MICRO:
            self._forwards.pop(0)
            self._modes.pop(0)
        self._forwards.append(self._passed(tensors((args, kwargs)), outputs))
        self._modes.append(mode(module, training=True))
        self._outputs = {t.grad_fn: f"output{at}" for at, t in enumerate(outputs) if t.grad_fn is not None and t.dim()}
        if self._unowned is None:
            self._unowned = unowned(module, outputs)

    @guarded(None)
    @torch.no_grad()
    def first(self, heard: tuple[Called, dict[Any, str]] | None) -> None:
        """The model was called before anybody knew it; ``heard``: with the names of its outputs by their nodes."""
        if heard is None or len(self._forwards) >= _MOST_MICRO:
            return
        called, self._outputs = heard
        module = called.module()
        self._forwards.append(self._passed(called.given, called.gave))
        self._modes.append({"training": "false"} if module is None else mode(module, training=True))

    @guarded(None)
    @torch.no_grad()
    def evaluation(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """The model was called without gradients, to begin an evaluation that :meth:`evaluates` announced."""
        self._complete()
        step = self._evaluation = Making(self._after, phase="eval")
        step.taken = self._passed(tensors((args, kwargs)), predictions(tensors(output)))
        step.taken += [one for _, passed in self._layers.values() for one in passed]
        step.facts |= {"training": mode(module, training=False)["training"], "draws": drawn.since(self._drawn)}
        step.facts["layers"] = fed.layers(self._layers)
        self._forget()

    @guarded(None)
    @torch.no_grad()
    def evaluated(self, loss: Tensor | None = None, operation: str = "", target: Any = None) -> None:
        """The loss of that batch was computed, or the evaluation ended without one."""
        step, self._evaluation = self._evaluation, None
        if step is None or self._recorder is None:
            return
        if loss is not None and not unreadable(loss):
            step.scalars["loss"] = to_host(loss.detach().reshape(()).clone())
            step.facts["loss"] = {"operation": operation}
            if isinstance(target, Tensor):
                step.facts["loss"]["target_shape"] = list(target.shape)
                step.taken += [one for one in [self._data("target", "loss.target", target)] if one is not None]
        step.taken = [one for one in step.taken if self._recorder.admit(one.nbytes)]
        self._hand_over(step)

    @guarded(None)
    @torch.no_grad()
    def root(self, root: Tensor) -> None:
        """A backward pass begins at ``root``."""
        if not self._on or root.grad_fn is None:
            return
        self.begins()
        optimizer = None if self._first is None else self._first.optimizer
        if not self._losses:
            self._carried = left_over(() if self._first is None else self._first.parameters, optimizer)
        if optimizer is not None:
            self.passes.begin(root, optimizer)
        outputs, self._outputs = self._outputs, {}
        graph = torch_graph.read(root, outputs, self._names)
        taken = [self._data(role, name, tensor) for (role, name), tensor in graph.tensors.items()]
        graph.tensors = {}
        if len(self._losses) >= _MOST_MICRO:
            self._losses.pop(0)
        value = None if unreadable(root) else to_host(root.detach().reshape(()).clone())
        self._losses.append((graph, [one for one in taken if one is not None], value))

    @guarded(None)
    def skipped(self) -> None:
        """A GradScaler left out the step: what was heard belongs to none."""
        self._forget()

    # -- the step -----------------------------------------------------------------------------

    @guarded(None)
    @torch.no_grad()
    def before(self, number: int, part: Part, optimizer: Optimizer, *, closure: bool) -> None:
        """``optimizer`` is about to do its part of step ``number``; it has gradients, unless it is given a closure."""
        recorder, step = self._recorder, self._step
        if step is not None and (step.number != number or part.number in step.parts):
            self._complete()
        while self._waiting and done(self._waiting[0][1]):
            self._deliver(*self._waiting.popleft())
        if recorder is None:
            return
        if not self.guessed(self._model):
            self._forwards, self._modes = [], []
        step = self._step or self._begin(recorder, number)
        if step is None:
            return
        self._know(part)
        step.parts.append(part.number)
        if part.number:
            step.facts.setdefault("optimizers", {})[str(part.number)] = list(part.names)
        self._each(step, "weight", plain_parameters(part))
        if not closure:
            self.passes.ends(optimizer)
            self._each(step, "gradient", plain_gradients(part))
            step.scalars |= scaled(optimizer)
        step.scalars |= rates(optimizer, part.place)

    def _begin(self, recorder: Recorder, number: int) -> Making | None:
        if number == self._begun or not recorder.begin(number):  # handed over already, or not to be recorded
            self._on = recorder.wants(number + 1)
            self._forget()
            return None
        self._begun = number
        self._step = Making(number)
        return self._step

    @guarded(None)
    @torch.no_grad()
    def after(self, part: Part, optimizer: Optimizer, *, closure: bool, parts: int) -> None:
        """``optimizer`` has done its part; with so many ``parts`` the step is complete."""
        step = self._step
        if step is None or part.number not in step.parts:
            return
        if closure:
            self._each(step, "gradient", plain_gradients(part))
        elif part.number == 0 and self.passes.count:
            step.facts |= self.passes.facts()
        self._each(step, "updated", plain_parameters(part))
        for key, values in plain_state(part, optimizer).items():
            self._each(step, state_role(key), values)
        if part.number:
            self._told(step, f"loss/{part.number}")
            self._forget()
        else:
            self._heard(step)
        if len(step.parts) == parts:
            self._complete()

    def _complete(self) -> None:
        """Hand over the step under way, if there is one: no optimizer has a part in it any more."""
        step, self._step = self._step, None
        if step is not None:
            self._recorded = step.number
            self._on = self.wants(step.number + 1)
            self._hand_over(step)

    def _hand_over(self, step: Making) -> None:
        self._waiting.append((step, mark(step.taken)))
        while self._waiting and done(self._waiting[0][1]):
            self._deliver(*self._waiting.popleft())

    def _heard(self, step: Making) -> None:
        """What forward and backward passes since the last step brought, as part of this one."""
        recorder = self._recorder
        heard = [one for passed in (self._forwards, [taken for _, taken, _ in self._losses]) for one in named(passed)]
        heard += [one for _, taken in self._layers.values() for one in taken]
        for one in heard:
            if recorder is not None and recorder.admit(one.nbytes):
                step.taken.append(one)
        if self._losses:
            step.scalars["carried"] = 0.0 if self._carried is None else self._carried
        self._told(step, "loss")
        if self._forwards:
            heads = torch_graph.heads([graph for graph, _, _ in self._losses])
            step.facts |= {"phase": "train", **together(self._modes)}
            step.facts |= {"forwards": len(self._forwards), **torch_facts.heads(heads, self._last)}
            if self._whole:
                step.facts["layers"] = fed.layers(self._layers)
            if self._unowned:
                step.facts["unowned"], self._unowned = self._unowned, []
            if self.operations:
                step.facts["operations"], self.operations = self.operations, []
        self._forget()

    def _told(self, step: Making, name: str) -> None:
        """The losses that were backpropagated for one optimizer."""
        for at, (_, _, value) in enumerate(self._losses):
            if value is not None:
                step.scalars[f"{name}@{at}" if at else name] = value
        for graph, _, _ in self._losses[-1:]:
            step.facts[name] = {**graph.facts, "graph": graph.nodes}

    def _deliver(self, step: Making, mark: Any) -> None:
        if mark is not None:
            mark.synchronize()
        if self._recorder is not None:
            scalars = {name: float(value) for name, value in step.scalars.items()}
            self._recorder.send(step.number, [one.array() for one in step.taken], scalars, step.facts, phase=step.phase)

    # -- elements -----------------------------------------------------------------------------

    def _each(self, step: Making, role: str, tensors: Sequence[tuple[str, Tensor]]) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        wanted = [
            (name, tensor, recorder.take(role, tensor.numel(), tensor.element_size()))
            for name, tensor in tensors
            if not unreadable(tensor)
        ]
        step.taken += take_all(role, [one for one in wanted if one[2] or not one[1].numel()])

    def _passed(self, given: Iterable[Tensor], gave: Iterable[Tensor]) -> list[Taken]:
        """What a model was given and gave, as far as it can be read."""
        taken = [self._data("batch", f"input{at}", tensor) for at, tensor in enumerate(given)]
        taken += [self._data("output", f"output{at}", tensor) for at, tensor in enumerate(gave)]
        return [one for one in taken if one is not None]

    def _data(self, role: str, name: str, tensor: Tensor) -> Taken | None:
        """As much of a batch, target or output as a step may record; None where it cannot be read."""
        tensor = portable.plain(tensor)
        if unreadable(tensor):
            return None
        early = self._recorder is None or self._recorder.early
        return take(role, name, tensor, data_elements(tensor.numel(), tensor.element_size(), early=early))
