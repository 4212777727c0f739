"""PyTorch: what ``watch(model, optimizer)`` sees of a training loop.

The optimizer's step pre-hook is the one place where a loop of any shape comes by: under gradient
accumulation once per step, under DDP after the reduction, under a GradScaler after unscaling, under
FSDP2 with this rank's shards, and without changing a compiled frame. At each step, just before the
optimizer acts: the statistics of every gradient, the learning rates, the loss (see ``loss.py``),
what was clipped (``clip.py``), the step time. At the first steps and then every so many: of the
weights, of what the step did to them, of the activations, the batch and the output
(``forward.py``), and a checksum of the weights by which replicas can be compared.

**Step numbers** count the steps that the watched optimizer took in this process: the first is 1,
also when training resumes from a checkpoint. Of several optimizers, each at its turn: a step is what
happens until one of them steps again.

**Not seen**: an optimizer step that is itself traced by ``torch.compile``. There the hook leaves no
mark in the graph, rather than break it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from auditor_agent.guard import guarded
from auditor_agent.integrations.torch.byhand import ByHand, UpdateByHand, missed_by
from auditor_agent.integrations.torch.changes import changed
from auditor_agent.integrations.torch.evaluation import elsewhere
from auditor_agent.integrations.torch.loss import LossProbe
from auditor_agent.integrations.torch.names import find_model, owned
from auditor_agent.integrations.torch.unstepped import Unstepped
from auditor_agent.integrations.torch.watcher import Watcher
from auditor_agent.run import Run, open_run


def watch(  # noqa: PLR0913 - what can be said about a run
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    *,
    loss_fn: Any = None,
    name: str | None = None,
    project: str | None = None,
    histograms: int | None = None,
) -> Run:
    """Watch a PyTorch training loop; nothing else in it changes.

    Call it once the optimizer is made. The loss is what the loop calls ``backward()`` on: until the
    run is finished ``torch.autograd.backward`` and ``grad``, ``GradScaler.step`` and ``torch.nn.utils.clip_grad_…``
    are wrapped by functions that only look. Losses, weights and random state stay bit-identical.

    Args:
        model: names the parameters; may be compiled or wrapped by DDP.
        optimizer: whose steps are counted; several, where several train the model. None: all that
            step with a parameter of ``model``.
        loss_fn: named in the manifest, if given.
        name: the run's name; default ``AUDITOR_NAME``.
        project: default ``AUDITOR_PROJECT``.
        histograms: 1: histograms of the magnitudes of every gradient at every step; N: at every N-th;
            0: none; default ``AUDITOR_HISTOGRAMS``.

    Returns:
        The run. Never raises: what goes wrong inside is counted and logged.
    """
    run = open_run("torch", name=name, project=project)
    if not run.finished:
        _watch(run, model, optimizer, loss_fn, histograms)
    return run


@guarded(None)
def _watch(
    run: Run,
    model: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer] | None,
    loss_fn: Any,
    histograms: int | None,
) -> None:
    if optimizer is not None:
        optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
        after, probe = _scene.steps_of(run), _scene.fresh_probe()
        _scene.begin(Watcher(run, model, optimizers, loss_fn, probe, after=after, histograms=histograms))
        _scene.expect(lambda: run)
        return
    wanted = {id(parameter) for parameter in model.parameters()}
    after = _scene.steps_of(run)

    def first_step(stepping: Optimizer, probe: LossProbe) -> Watcher | None:
        if not wanted & owned(stepping):
            return None
        missed = missed_by(stepping)
        return Watcher(
            run, model, [stepping], loss_fn, probe, after=after, missed=missed, more=True, histograms=histograms
        )

    _scene.wait(first_step)
    _scene.expect(lambda: run)


def install() -> None:
    """Watch the optimizers that step in this process (``auditor run``). A run opens at the first such step."""

    def first_step(stepping: Optimizer, probe: LossProbe) -> Watcher:
        run = open_run("torch")
        model = _scene.known(stepping) or find_model(stepping)
        after, missed = _scene.steps, missed_by(stepping)
        return Watcher(run, model, [stepping], None, probe, after=after, missed=missed, stops=_may_stop(), more=True)

    _scene.wait(first_step, everything=True)
    _scene.expect(lambda: open_run("torch"))


def _may_stop() -> bool:
    """Whether ``AUDITOR_STOP_ON`` allows a script to be ended that cannot ask ``should_stop`` itself."""
    return bool(os.environ.get("AUDITOR_STOP_ON", "").strip())


Candidate = Callable[[Optimizer, LossProbe], "Watcher | None"]


#: Optimizers one after the other after which the model is first looked for where the last one's was.
_OFTEN: Final = 4


class _Scene:
    """The one watcher of this process, or what to do when the first optimizer steps."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self._waiting: Candidate | None = None
        self._next: Candidate | None = None
        self._probe: LossProbe | None = None
        self._hooked = self._everything = False
        self._begun = 0
        """Watchers so far."""
        self._foreign: weakref.WeakSet[Optimizer] = weakref.WeakSet()

    def fresh_probe(self) -> LossProbe:
        """A new listener in place of the old one; what that heard of before its run began is kept."""
        heard = None if self._probe is None or self.watcher is not None else self._probe.unready
        self.end()
        elsewhere.clear()
        self._probe = LossProbe()
        self._probe.unready = heard or self._probe.unready
        self._probe.on_unready = self._unready
        self._probe.attach()
        return self._probe

    def wait(self, candidate: Candidate, *, everything: bool = False) -> None:
        """Ask ``candidate`` at each step of an optimizer until it gives a watcher.

        ``everything``: optimizers of other models are watched as well from then on.
        """
        self.fresh_probe()
        self._everything, self._foreign, self._begun = everything, weakref.WeakSet(), 0
        self._waiting = self._next = candidate
        self._hook()
        if self._probe is not None:
            self._probe.byhand = ByHand(self._by_hand, self._hand_begun)

    def expect(self, opened: Callable[[], Run]) -> None:
        """Tell the run that ``opened`` gives if backward passes go on and no optimizer steps."""
        if self._probe is not None:
            self._probe.unstepped = Unstepped(opened)

    def begin(self, watcher: Watcher) -> None:
        """``watcher`` is the one now."""
        if self.watcher is not None:
            self.watcher.retire()
            if watcher.run is self.watcher.run and self.watcher.steps:
                changed(watcher.run, self.watcher.steps, self.watcher.alive(), watcher.alive())
        self.watcher, self._waiting, self._begun = watcher, None, self._begun + 1
        watcher.attach()
        self._hook()
        self._unready()

    def _unready(self) -> None:
        """Tell the run what was evaluated before it was ready."""
        watcher, probe = self.watcher, self._probe
        if watcher is not None and probe is not None:
            probe.unready.tell(watcher.run, watcher.steps, watcher.alive())

    def end(self) -> None:
        """Nothing is watched, nothing is wrapped."""
        if self.watcher is not None:
            self.watcher.close()
        if self._probe is not None:
            self._probe.detach()
        self.watcher = self._waiting = self._next = self._probe = None

    def known(self, optimizer: Optimizer) -> nn.Module | None:
        """The model that was watched last if it is that of ``optimizer`` as well, one of many made for it.

        As in meta-learning, where each task has an optimizer of its own: to look for the model among all
        objects would take longer than the task.
        """
        model = None if self.watcher is None or self._begun < _OFTEN else self.watcher.alive()
        own = () if model is None else map(id, model.parameters())
        return model if owned(optimizer).issubset(own) else None

    @property
    def steps(self) -> int:
        """Steps that the watcher has seen."""
        return 0 if self.watcher is None else self.watcher.steps

    def steps_of(self, run: Run) -> int:
        """Steps of ``run`` that were seen so far: another training of the same run goes on from there."""
        return self.steps if self.watcher is not None and self.watcher.run is run else 0

    def _hook(self) -> None:
        # Stays for good: a hook that is removed from within a hook breaks the step's iteration.
        if not self._hooked:
            register_optimizer_step_pre_hook(_any_step)
            self._hooked = True

    def _by_hand(self, optimizer: Optimizer) -> None:
        """The script is about to update weights itself: ``optimizer`` stands in for it."""
        if self.watcher is None or self.watcher.leader() is not optimizer:
            self.stepping(optimizer)

    def _hand_begun(self) -> None:
        """From here on it does: what was heard before belongs to no step."""
        probe = self._probe
        if probe is not None and probe.byhand is not None:
            probe.other_stepped()
            probe.tape.skipped()
            probe.tape.enters = probe.byhand.called

    def _no_hand(self, probe: LossProbe) -> None:
        """An optimizer steps: nobody updates weights by hand, or not any more."""
        if probe.byhand is not None:
            probe.byhand, probe.tape.enters = None, lambda: None

    @guarded(None)
    def stepping(self, optimizer: Optimizer) -> None:
        """Some optimizer is about to step; the watched one has a hook of its own."""
        if self._probe is not None:
            self._probe.unstepped = None
            if type(optimizer) is not UpdateByHand:
                self._no_hand(self._probe)
        if self.watcher is not None and self.watcher.watches(optimizer):
            return
        if self.watcher is not None and self.watcher.gone:
            self._waiting = self._next  # a script that trains one model after another: numbers go on
        if self._probe is None:
            return
        watcher = None if self._waiting is None else self._waiting(optimizer, self._probe)
        if watcher is not None:
            self.begin(watcher)  # its hook runs within this very step: those of the instance come second
        else:
            self._other(optimizer, self._probe)

    def _other(self, optimizer: Optimizer, probe: LossProbe) -> None:
        """An optimizer that is not watched yet: one more of the same model, or none of ours."""
        watcher = self.watcher
        if watcher is not None and self._next is not None and optimizer not in self._foreign and not watcher.full:
            if watcher.concerns(optimizer):
                watcher.join(optimizer)
                return
            # As in a GAN. What trains no module that is alive trains nothing that could be named.
            model = find_model(optimizer) if self._everything else None
            if model is not None:
                watcher.join(optimizer, model)
                self._unready()
                return
            self._foreign.add(optimizer)
        if watcher is not None:  # one of a model that is gone, while the losses are those of its successor?
            probe.bypassed.beside(watcher.run, watcher.steps, optimizer)
        probe.other_stepped()


_scene: Final = _Scene()
_compiling: Final = torch.compiler.is_compiling


def _any_step(optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[str, Any]) -> None:
    if _compiling():
        return
    watcher = _scene.watcher
    if watcher is None or watcher.leader() is not optimizer:  # else its own hook comes next
        _scene.stepping(optimizer)
