"""PyTorch: what ``watch(model, optimizer)`` sees of a training loop.

The optimizer's step pre-hook is the one place where a loop of any shape comes by: under gradient
accumulation once per step, under DDP after the reduction, under a GradScaler after unscaling, under
FSDP2 with this rank's shards, and without changing a compiled frame. At each step, just before the
optimizer acts: the statistics of every gradient, the learning rates, the loss (see ``torch_loss``),
the step time; of the weights at the first steps and then every so many.

**Step numbers** count the steps that the watched optimizer took in this process: the first is 1,
also when training resumes from a checkpoint.

**Not seen**: an optimizer step that is itself traced by ``torch.compile``. There the hook leaves no
mark in the graph, rather than break it.
"""

from __future__ import annotations

import atexit
import math
import os
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from auditor_agent.capture import kernels, portable
from auditor_agent.capture.transfer import Arrived, Step, Transfer
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch_loss import LossProbe
from auditor_agent.integrations.torch_manifest import dtype, manifest
from auditor_agent.integrations.torch_names import find_model, named_parameters, owned
from auditor_agent.integrations.torch_record import Tape, expect
from auditor_agent.run import Run, open_run

#: Weights are read at each of the first steps, then every so many.
WEIGHTS_FIRST: Final = 5
WEIGHTS_EVERY: Final = 50
#: Steps after a non-finite gradient at which weights are read as well.
WEIGHTS_AFTER_TROUBLE: Final = 3


def watch(
    model: nn.Module,
    optimizer: Optimizer | None = None,
    *,
    loss_fn: Any = None,
    name: str | None = None,
    project: str | None = None,
) -> Run:
    """Watch a PyTorch training loop; nothing else in it changes.

    Call it once the optimizer is made. The loss is what the loop calls ``backward()`` on: until the
    run is finished ``torch.autograd.backward`` and ``GradScaler.step`` are wrapped by functions that
    only look. Losses, weights and random state stay bit-identical.

    Args:
        model: names the parameters; may be compiled or wrapped by DDP.
        optimizer: whose steps are counted. None: the first one that steps with a parameter of
            ``model``.
        loss_fn: named in the manifest, if given.
        name: the run's name; default ``AUDITOR_NAME``.
        project: default ``AUDITOR_PROJECT``.

    Returns:
        The run. Never raises: what goes wrong inside is counted and logged.
    """
    run = open_run("torch", name=name, project=project)
    _watch(run, model, optimizer, loss_fn)
    return run


@guarded(None)
def _watch(run: Run, model: nn.Module, optimizer: Optimizer | None, loss_fn: Any) -> None:
    if optimizer is not None:
        _scene.begin(Watcher(run, model, optimizer, loss_fn, _scene.fresh_probe()))
        return
    wanted = {id(parameter) for parameter in model.parameters()}

    def first_step(stepping: Optimizer, probe: LossProbe) -> Watcher | None:
        return Watcher(run, model, stepping, loss_fn, probe) if wanted & owned(stepping) else None

    _scene.wait(first_step)


def install() -> None:
    """Watch the first optimizer that steps in this process (``auditor run``). A run opens only then."""

    def first_step(stepping: Optimizer, probe: LossProbe) -> Watcher:
        run = open_run("torch")
        return Watcher(run, find_model(stepping), stepping, None, probe, after=_scene.steps, stops=_may_stop())

    _scene.wait(first_step)
    _scene.expect()


def _may_stop() -> bool:
    """Whether ``AUDITOR_STOP_ON`` allows a script to be ended that cannot ask ``should_stop`` itself."""
    return bool(os.environ.get("AUDITOR_STOP_ON", "").strip())


Candidate = Callable[[Optimizer, LossProbe], "Watcher | None"]


class _Scene:
    """The one watcher of this process, or what to do when the first optimizer steps."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self._waiting: Candidate | None = None
        self._next: Candidate | None = None
        self._probe: LossProbe | None = None
        self._hooked = False

    def fresh_probe(self) -> LossProbe:
        """A new listener in place of the old one."""
        self.end()
        self._probe = LossProbe()
        self._probe.tape = Tape()
        self._probe.attach()
        return self._probe

    def wait(self, candidate: Candidate) -> None:
        """Ask ``candidate`` at each step of an optimizer until it gives a watcher."""
        self.fresh_probe()
        self._waiting = self._next = candidate
        self._hook()

    def expect(self) -> None:
        """Have the flight recorder hear the first step of the first optimizer that is made."""
        if self._probe is not None:
            expect(self._probe.tape)

    def begin(self, watcher: Watcher) -> None:
        """``watcher`` is the one now."""
        self.watcher, self._waiting = watcher, None
        watcher.attach()
        self._hook()

    def end(self) -> None:
        """Nothing is watched, nothing is wrapped."""
        if self.watcher is not None:
            self.watcher.close()
        if self._probe is not None:
            self._probe.detach()
        self.watcher = self._waiting = self._next = self._probe = None

    @property
    def steps(self) -> int:
        """Steps that the watcher has seen."""
        return 0 if self.watcher is None else self.watcher.steps

    def _hook(self) -> None:
        # Stays for good: a hook that is removed from within a hook breaks the step's iteration.
        if not self._hooked:
            register_optimizer_step_pre_hook(_any_step)
            self._hooked = True

    @guarded(None)
    def stepping(self, optimizer: Optimizer) -> None:
        """Some optimizer is about to step; the watched one has a hook of its own."""
        if self.watcher is not None and self.watcher.gone:
            self._waiting = self._next  # a script that trains one model after another: numbers go on
        if self._probe is None:
            return
        watcher = None if self._waiting is None else self._waiting(optimizer, self._probe)
        if watcher is not None:
            self.begin(watcher)  # its hook runs within this very step: those of the instance come second
        elif self.watcher is None or not self.watcher.watches(optimizer):
            self._probe.other_stepped()


_scene: Final = _Scene()


def _any_step(optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
    if not torch.compiler.is_compiling():
        _scene.stepping(optimizer)


class Watcher:
    """Turns the steps of one optimizer into records of a run."""

    def __init__(  # noqa: PLR0913 - what it brings together
        self,
        run: Run,
        model: nn.Module | None,
        optimizer: Optimizer,
        loss_fn: Any,
        probe: LossProbe,
        *,
        after: int = 0,
        stops: bool = False,
    ) -> None:
        self._stops = stops
        self._run, self._probe, self.steps = run, probe, after
        self._optimizer = weakref.ref(optimizer, self._release)
        self._model = None if model is None else weakref.ref(model)
        self._names, self._parameters = _columns(named_parameters(model, optimizer))
        self._groups = len(optimizer.param_groups)
        self._manifest = manifest(model, list(zip(self._names, self._parameters, strict=True)), optimizer, loss_fn)
        self._ids: dict[str, list[int]] = {}
        self._layouts: dict[tuple[Any, ...], int] = {}
        self._transfer = Transfer(self._arrived)
        self._before: float | None = None
        self._trouble = 0
        self._seen_trouble = False
        self._handles: list[Any] = []

    def attach(self) -> None:
        """Send the manifest and begin."""
        optimizer = self._optimizer()
        if optimizer is None:
            return
        self._run.manifest(self._manifest)
        self._probe.on_skip = self.skipped
        self._handles = [
            optimizer.register_step_pre_hook(self._pre_hook),
            optimizer.register_step_post_hook(self._post_hook),
        ]
        self._probe.tape.start(self._run, None if self._model is None else self._model(), optimizer, self.steps)
        atexit.register(self.close)

    def close(self) -> None:
        """Deliver what is under way and let go of everything. Idempotent."""
        atexit.unregister(self.close)
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._probe.detach()
        self._transfer.drain()

    @property
    def gone(self) -> bool:
        """Whether the optimizer is no more."""
        return self._optimizer() is None

    def _release(self, _: object) -> None:
        # Runs wherever the interpreter drops the optimizer: only lets go of the weights.
        self._names, self._parameters = [], []

    def watches(self, optimizer: Optimizer) -> bool:
        """Whether ``optimizer`` is the one whose steps count."""
        return self._optimizer() is optimizer

    def skipped(self, optimizer: Any, scale: float | Tensor) -> None:
        """A GradScaler left out a step of ``optimizer``."""
        if self.watches(optimizer):
            self._run.event(self.steps + 1, "step_skipped", reason="gradient_scale", scale=float(scale))

    # The arguments of hooks are torch's; both return None, for anything else would replace the step's arguments.
    def _pre_hook(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not torch.compiler.is_compiling() and _closure(args, kwargs) is None:
            self._observe(optimizer, closure=False)

    def _post_hook(self, optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # With a closure (LBFGS) gradients exist only after the step.
        if not torch.compiler.is_compiling() and _closure(args, kwargs) is not None:
            self._observe(optimizer, closure=True)

    @guarded(None)
    @torch.no_grad()
    def _observe(self, optimizer: Optimizer, *, closure: bool) -> None:
        if self._run.finished:
            self._probe.detach()  # the hooks stay: one that is removed from within breaks the step's iteration
            return
        self.steps += 1
        if len(optimizer.param_groups) != self._groups:
            self._regroup(optimizer)
        scalars = self._scalars(optimizer, closure=closure)
        tensors, gradients, layout = self._tensors()
        matrix = kernels.words(tensors)
        scale = getattr(optimizer, "grad_scale", None)
        if isinstance(scale, Tensor):  # a fused optimizer unscales for itself, after us
            matrix = portable.scaled(matrix, scale.double().reciprocal(), gradients)
            scalars[_FOUND_INF] = optimizer.found_inf  # type: ignore[attr-defined]
        self._transfer.put(Step(self.steps, time.time(), scalars, layout, matrix))
        if self._stops and self._run.should_stop:
            self._transfer.drain()
            self._run.finish("stopped", f"verdict {self._run.verdict} at step {self.steps}")
            raise SystemExit(f"training auditor: stopped at step {self.steps}: verdict {self._run.verdict}")

    def _regroup(self, optimizer: Optimizer) -> None:
        """Take in the parameters of a group that was added on the way; tensor ids stay."""
        model = None if self._model is None else self._model()
        self._groups = len(optimizer.param_groups)
        self._names, self._parameters = _columns(named_parameters(model, optimizer))
        self._ids.clear()
        self._layouts.clear()

    def _tensors(self) -> tuple[list[Tensor], int, int]:
        """The tensors to read at this step, how many of them are gradients, and their layout."""
        found = [parameter.grad for parameter in self._parameters]
        weights = self.steps <= WEIGHTS_FIRST or self.steps % WEIGHTS_EVERY == 0 or self._trouble > 0
        self._trouble -= self._trouble > 0
        present = tuple(gradient is not None for gradient in found)
        key = (present, weights)
        if key not in self._layouts:
            ids = [i for i, there in zip(self._tensor_ids("gradient"), present, strict=True) if there]
            self._layouts[key] = self._run.layout(ids + (self._tensor_ids("weight") if weights else []))
        tensors = [gradient for gradient in found if gradient is not None]
        layout, gradients = self._layouts[key], len(tensors)
        return tensors + (self._parameters if weights else []), gradients, layout

    def _tensor_ids(self, kind: str) -> list[int]:
        if kind not in self._ids:
            self._ids[kind] = [
                self._run.tensor(kind, name, tuple(parameter.shape), dtype(parameter))
                for name, parameter in zip(self._names, self._parameters, strict=True)
            ]
        return self._ids[kind]

    def _scalars(self, optimizer: Optimizer, *, closure: bool) -> dict[str, float | Tensor]:
        now = time.perf_counter()
        scalars: dict[str, float | Tensor] = {}
        for at, group in enumerate(optimizer.param_groups):
            rate = group.get("lr")
            if rate is not None:
                scalars["lr" if at == 0 else f"lr/{at}"] = rate if isinstance(rate, Tensor) else float(rate)
        loss = self._probe.take(last=closure)
        if loss is not None:
            scalars["loss"] = loss
        if self._before is not None:
            scalars["step_time"] = now - self._before
        scale = self._probe.scale
        if scale is not None:
            scalars["grad_scale"] = scale.clone()
        self._before = now
        return scalars

    @guarded(None)
    def _arrived(self, step: Arrived) -> None:
        if step.scalars.pop(_FOUND_INF, 0.0):
            self._run.event(step.number, "step_skipped", reason="gradient_scale", scale=step.scalars.get("grad_scale"))
            return
        wrong = step.nonfinite or not math.isfinite(step.scalars.get("loss", 0.0))
        if wrong and not self._seen_trouble:
            self._trouble, self._seen_trouble = WEIGHTS_AFTER_TROUBLE, True
        self._run.record(step.number, step.scalars, step.layout, step.words, time=step.time, urgent=wrong)
        if step.number == 1:
            self._run.manifest(self._completed())

    def _completed(self) -> dict[str, Any]:
        """The manifest with what only the first step shows."""
        loss = {**self._manifest["loss"], "operation": self._probe.graph}
        precision = {**self._manifest["precision"], "grad_scaler": self._probe.scaler is not None}
        return {**self._manifest, "loss": loss, "precision": precision}


#: A fused optimizer's flag that this step will be left out; travels with the step's scalars.
_FOUND_INF: Final = "found_inf"


def _columns(named: Sequence[tuple[str, Tensor]]) -> tuple[list[str], list[Tensor]]:
    return [name for name, _ in named], [parameter for _, parameter in named]


def _closure(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The closure given to ``step``; ``args`` begin with the optimizer itself."""
    return kwargs.get("closure", args[1] if len(args) > 1 else None)
