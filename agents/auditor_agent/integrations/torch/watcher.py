"""From the steps of optimizers to the records of a run.

A record is *open* from an optimizer's step pre-hook until all that belongs to it is there: at once
in most steps; at the step's end where its update is read; once every watched optimizer has stepped,
or the first of them steps again, where there are several.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent.capture import kernels, portable
from auditor_agent.capture.budget import EVERY, GRADIENT, HISTOGRAM, Budget
from auditor_agent.capture.transfer import Arrived, Step, Transfer
from auditor_agent.guard import guarded
from auditor_agent.integrations.torch.changes import taking_over
from auditor_agent.integrations.torch.epochs import Epochs
from auditor_agent.integrations.torch.evaluation import Evaluation
from auditor_agent.integrations.torch.forward import ForwardProbe
from auditor_agent.integrations.torch.histograms import count, counted, unscale
from auditor_agent.integrations.torch.hooks import hook, unhook
from auditor_agent.integrations.torch.lane import Lane, Pace
from auditor_agent.integrations.torch.loss import LossProbe
from auditor_agent.integrations.torch.manifest import declared, manifest
from auditor_agent.integrations.torch.mode import Modes
from auditor_agent.integrations.torch.names import owned
from auditor_agent.integrations.torch.part import Key, Part, Rows, share
from auditor_agent.integrations.torch.row import Open, filled, side_by_side, tensor, timed
from auditor_agent.integrations.torch.scalars import Digests, heard, passed
from auditor_agent.run import Run

#: Steps after a non-finite gradient at which weights are read as well.
WEIGHTS_AFTER_TROUBLE: Final = 3
#: Optimizers that are watched side by side.
MOST_PARTS: Final = 8
#: A fused optimizer's flag that it leaves this step out: travels with the step, for it may be on the device.
_FOUND_INF: Final = "found_inf"
_clock: Final = time.perf_counter


class Watcher:
    """Turns the steps of some optimizers into records of a run.

    Args:
        run: takes the records.
        model: names the parameters; None if it was not found.
        optimizers: whose steps are counted.
        loss_fn: named in the manifest.
        probe: hears losses and clipping.
        after: step number of the last step before this watcher's first.
        missed: steps between that one and the first that can be seen (``byhand.py``).
        stops: whether a verdict may end the script (SystemExit).
        more: whether further optimizers may :meth:`join`: the first step then waits for them.
        histograms: steps between two with histograms, 0 for none; None: as AUDITOR_HISTOGRAMS has it.
    """

    def __init__(  # noqa: PLR0913 - what it brings together
        self,
        run: Run,
        model: nn.Module | None,
        optimizers: Sequence[Optimizer],
        loss_fn: Any,
        probe: LossProbe,
        *,
        after: int = 0,
        missed: int = 0,
        stops: bool = False,
        more: bool = False,
        histograms: int | None = None,
    ) -> None:
        self.run = run
        self._run, self._probe, self._stops, self._pace = run, probe, stops, Pace(after + missed)
        self._first, self._awaited = missed + 1, after + missed + 1 if more else None
        self._model = None if model is None else weakref.ref(model)
        self._parts = [Part(number, optimizer) for number, optimizer in enumerate(optimizers)]
        self._manifest = manifest(model, share(model, self._parts), optimizers, loss_fn)
        self._rows, self._transfer = Rows(run, self._parts), Transfer(self._arrived)
        self._budget = Budget.from_env(histograms=histograms)
        self.leader: Callable[[], Optimizer | None] = self._parts[0].reference
        self._modes = Modes(run)
        evaluation = Evaluation(run, self._modes, lambda: self.steps, probe.tape)
        epochs = Epochs(run, lambda: self.steps)
        self._forward = None if model is None else ForwardProbe(model, probe.tape, evaluation, epochs)
        self.lane = Lane(run, self._pace, probe, self._budget, self._forward, self._rows, self._arrived)
        self._open: Open | None = None
        self._updating: Part | None = None
        self._trouble, self._seen_trouble, self.closed, self._digests = 0, False, False, Digests(run)

    def attach(self) -> None:
        """Send the manifest and begin."""
        self._run.manifest(self._manifest)
        self._probe.on_skip = self.skipped
        for part in self._parts:
            hook(part, self)
        self._probe.tape.start(self._run, self.alive(), self._parts[0])
        self._run.on_finish(self.close)

    def join(self, optimizer: Optimizer, model: nn.Module | None = None) -> None:
        """Watch ``optimizer`` as well; it is about to step. ``model``: what it trains, if that is another one."""
        self._open = self._open or self.lane.spill()
        part = Part(len(self._parts), optimizer, model)
        part.joined, part.new = self._open is not None and model is None, True
        self._parts.append(part)
        self.lane.shut()
        self._regroup()
        hook(self._parts[-1], self)
        self._run.manifest(self._completed())

    @guarded(None)
    def close(self) -> None:
        """Deliver what is under way and let go of everything. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._probe.detach()
        self.retire()
        for part in self._parts:
            unhook(part, self)

    def retire(self) -> None:
        """Deliver what is under way: another watcher takes over."""
        if self._forward is not None:
            self._forward.close()
        self._open = self._open or self.lane.spill()
        if self._open is not None:
            self._deliver(self._open)
        self._transfer.drain()
        self.lane.close()

    @property
    def gone(self) -> bool:
        """Whether the optimizers are no more."""
        return all(part.optimizer is None for part in self._parts)

    @property
    def steps(self) -> int:
        """Steps seen."""
        return self._pace.number

    def watches(self, optimizer: Optimizer) -> bool:
        """Whether ``optimizer`` is one whose steps count."""
        return any(part.optimizer is optimizer for part in self._parts)

    @property
    def full(self) -> bool:
        """Whether no further optimizer is taken in."""
        return len(self._parts) >= MOST_PARTS

    def concerns(self, optimizer: Optimizer) -> bool:
        """Whether ``optimizer`` trains parameters of the model."""
        model, held = self.alive(), owned(optimizer)
        return model is not None and any(id(parameter) in held for parameter in model.parameters())

    def alive(self) -> nn.Module | None:
        """The model, as long as there is one."""
        return None if self._model is None else self._model()

    def skipped(self, optimizer: Any, scale: float | Tensor) -> None:
        """A GradScaler left out a step of ``optimizer``."""
        if self.watches(optimizer):
            self._run.event(self.steps + 1, "step_skipped", reason="gradient_scale", scale=float(scale))

    def before(self, part: Part, optimizer: Optimizer, *, closure: bool) -> None:
        """``optimizer`` is about to act on its gradients; with a closure (LBFGS) they exist only after."""
        self._open = self._open or self.lane.spill()
        fresh = self._open is None or part.number in self._open.stepped
        number = self.steps + fresh
        if not closure:
            self._before(part, optimizer)
        self._probe.tape.before(number, part, optimizer, closure=closure)
        if not closure:
            self.obey()

    def after(self, part: Part, optimizer: Optimizer, *, closure: bool) -> None:
        """``optimizer`` has acted."""
        self._after(part, optimizer, closure=closure)
        parts = 0 if self.steps == self._awaited else len(self._parts)  # 0: more may join
        self._probe.tape.after(part, optimizer, closure=closure, parts=parts)
        if closure:
            self.obey()

    @guarded(None)
    def _before(self, part: Part, optimizer: Optimizer) -> None:
        start = _clock()
        row = self._observe(part, optimizer, start, closure=False)
        if row is None:
            return
        if part.joined:
            part.joined = False
        elif self._budget.due("update", row.number):
            with timed(row, "update"), torch.no_grad():
                part.remember()
            self._updating = part
        self._settle(row, start)

    @guarded(None)
    def _after(self, part: Part, optimizer: Optimizer, *, closure: bool) -> None:
        start = _clock()
        if closure:
            row = self._observe(part, optimizer, start, closure=True)
        elif self._updating is part:
            row = self._open
        else:
            return
        if row is None:
            return
        if self._updating is part:
            self._updating = None
            with timed(row, "update"), torch.no_grad():
                self._add(row, ("update", part.number, None), part.update())
        self._settle(row, start)

    def _observe(self, part: Part, optimizer: Optimizer, start: float, *, closure: bool) -> Open | None:
        if self._run.finished:
            self.close()
            return None
        row = self._open
        if row is None or part.number in row.stepped:
            taking_over(self._run, row, part, self.alive())
            row = self._next(row)
        row.stepped.add(part.number)
        if len(optimizer.param_groups) != part.groups:
            self._regroup()
        self._scalars(row, part, optimizer, start, closure=closure)
        if part.number == 0:
            self._look(row)
        if part.joined:
            return row
        if self._budget.due(GRADIENT, row.number):
            self._gradients(row, part, optimizer)
        if self._trouble or self._budget.due("weight", row.number):
            self._weights(row, part)
        return row

    def _gradients(self, row: Open, part: Part, optimizer: Optimizer) -> None:
        gradients, key = part.gradients()
        if part.number == 0 and (not gradients or self._budget.due("weight", row.number)):
            self._probe.bypassed.step(self._run, row.number, optimizer)
        if self._rows.admits(key):
            self._add(row, key, gradients, histograms=self._budget.due(HISTOGRAM, row.number))
        elif gradients and key[2] is not None:  # one layout for all that is left; no histograms
            row.keys.append((*key[:2], None))
            row.matrices.append(filled(kernels.words(gradients), key[2]))
        if row.matrices and isinstance(row.matrices[-1], bytes):
            row.gradients[part.number] = key
        scale = getattr(optimizer, "grad_scale", None)
        if gradients and isinstance(scale, Tensor):  # a fused optimizer unscales for itself, after us
            words, factor = tensor(row.matrices[-1]), scale.double().reciprocal()
            row.matrices[-1] = portable.scaled(words, factor, words.shape[1])
            unscale(row, factor)
            row.scalars[_FOUND_INF] = optimizer.found_inf  # type: ignore[attr-defined]

    def _next(self, row: Open | None) -> Open:
        if row is not None:
            self._deliver(row)
            self.lane.shut()  # this step is on the long way
        self._pace.number += 1
        self._trouble -= self._trouble > 0
        fresh = self._open = Open(self.steps, time.time())
        if self._forward is not None:
            fresh.forward = self._forward.disarm()
        return fresh

    def _add(self, row: Open, key: Key, tensors: Sequence[Tensor], *, histograms: bool = False) -> None:
        if not tensors:
            return
        row.keys.append(key)
        if histograms:
            row.matrices.append(count(row, self._rows.ids([key]), tensors))
        else:
            row.matrices.append(kernels.at_once(tensors) or kernels.words(tensors))

    def _weights(self, row: Open, part: Part) -> None:
        with timed(row, "weight"):
            self._add(row, ("weight", part.number, None), part.parameters)
            if part.number == 0 and (row.number == self._first or row.number % EVERY == 0):
                row.scalars |= part.digest()

    def _look(self, row: Open) -> None:
        model, forward = self.alive(), self._forward
        if model is None or forward is None:
            return
        if forward.turned or row.number == self._first or self._budget.due("weight", row.number):
            forward.turned = False
            self._modes.read("train", model, row.number)
        row.scalars |= forward.scalars()

    def _regroup(self) -> None:
        """Take in parameters and optimizers that were added on the way; tensor ids stay."""
        if self._open is not None:
            self._resolve(self._open)
        share(self.alive(), self._parts)
        self._rows.forget()

    def _scalars(self, row: Open, part: Part, optimizer: Optimizer, start: float, *, closure: bool) -> None:
        row.scalars |= heard(self._probe, optimizer, part.number, part.place, closure=closure)
        if len(row.stepped) == 1:
            if self._pace.begun is not None:
                row.scalars["step_time"] = start - self._pace.begun
            self._pace.begun = start

    def _settle(self, row: Open, start: float) -> None:
        """Close ``row`` if all is there that belongs to it."""
        row.spent += _clock() - start
        if self._updating is None and len(row.stepped) == len(self._parts) and row.number != self._awaited:
            self._deliver(row)
        else:
            self._resolve(row)
            if row.number == self._awaited:
                self._arm(row.number, sampled=False)  # the record waits for the next step, the flight recorder does not

    def _resolve(self, row: Open) -> None:
        """Ask for the ids of what was read while its parts are what they are, and their optimizers alive."""
        row.ids += tuple(self._rows.ids(row.keys))
        row.read = row.read or any(kind == GRADIENT for kind, *_ in row.keys)
        row.keys = []

    def _deliver(self, row: Open) -> None:
        start = _clock()
        self._open = None
        self.lane.settle()  # what came before
        if row.forward is not None:
            self._budget.charge("activation", row.forward.seconds)
        layout = self._rows.layout(row.ids, tuple(row.keys), passed(row, self._run))
        words = row.matrices[0] if len(row.matrices) == 1 else side_by_side(row.matrices) if row.matrices else b""
        self._transfer.put(counted(Step(row.number, row.time, row.scalars, layout, words), row, self._run))
        row.spent += _clock() - start
        self._reckon(row)

    def _reckon(self, row: Open) -> None:
        """Book what ``row`` took; decide what is read at the next step."""
        budget = self._budget
        for kind, seconds in row.costs.items():
            budget.charge(kind, seconds)
        took = row.scalars.get("step_time")
        if isinstance(took, float):
            read = row.read or any(kind == GRADIENT for kind, *_ in row.keys)
            spent = row.spent - sum(row.costs.values()) if read else None
            for kind, every in budget.step(took, spent, histograms=bool(row.histograms)).items():
                self._run.event(row.number, "thinned", kind=kind, every=every, budget=budget.share)
        if not self.closed:
            self._arm(row.number, sampled=budget.due("activation", row.number + 1))
            self._shorten(row)

    def _shorten(self, row: Open) -> None:
        """Send the next steps the short way, if they promise to be plain."""
        plain = len(row.gradients) == len(self._parts) and self._transfer.idle and not self._trouble
        if not plain or self._probe.tape.busy:
            self.lane.shut()
            return
        # The step before a sampled one is not plain: it readies the forward pass.
        sampled, recorded = self._budget.next(row.number), self._probe.tape.next(row.number)
        until = min(sampled, recorded or sampled) - 1
        self.lane.open([(self._parts[at], key) for at, key in row.gradients.items()], until)

    def _arm(self, number: int, *, sampled: bool) -> None:
        if self._forward is not None and (model := self.alive()) is not None:
            self._forward.arm(model, sampled=sampled, recorded=self._probe.tape.wants(number + 1))

    def obey(self) -> None:
        """End the script if it may be ended and the daemon's verdict asks for it.

        Raises:
            SystemExit: to end it.
        """
        if self._stops and self._run.should_stop:
            verdict, step = self._run.verdict, self.steps
            self._run.finish("stopped", f"verdict {verdict} at step {step}")
            raise SystemExit(f"training auditor: stopped at step {step}: verdict {verdict}")

    @guarded(None)
    def _arrived(self, step: Arrived) -> None:
        if step.scalars.pop(_FOUND_INF, 0.0):
            self._run.event(step.number, "step_skipped", reason="gradient_scale", scale=step.scalars.get("grad_scale"))
            return
        self._digests.tell(step)
        wrong = step.nonfinite or not math.isfinite(step.scalars.get("loss", 0.0))
        if wrong and not self._seen_trouble:
            self._trouble, self._seen_trouble = WEIGHTS_AFTER_TROUBLE + 1, True
        self._run.record(step.number, step.scalars, step.layout, step.words, time=step.time, urgent=wrong)
        if step.histograms:
            self._run.histograms(step.number, step.counted, step.histograms)
        if step.number == self._first:
            self._run.manifest(self._completed())

    def _completed(self) -> dict[str, Any]:
        """The manifest with what only the first step shows."""
        optimizers = [part.optimizer for part in self._parts]
        loss = {**self._manifest["loss"], "operation": self._probe.graph}
        precision = {**self._manifest["precision"], "grad_scaler": self._probe.scaler is not None}
        named = [pair for part in self._parts for pair in zip(part.names, part.parameters, strict=True)]
        return {**self._manifest, **declared(optimizers, named), "loss": loss, "precision": precision}
