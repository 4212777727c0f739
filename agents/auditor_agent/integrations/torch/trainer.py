"""What the callbacks for trainers share (Lightning, the Hugging Face Trainer).

A trainer is a PyTorch loop that somebody else wrote: its steps are seen as those of any loop. Only
it knows when an epoch or an evaluation ends and how the loop may be ended in order.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from torch import Tensor, nn
from torch.optim import Optimizer

from auditor_agent import guard
from auditor_agent.capture.transfer import Arrived, Step, Transfer
from auditor_agent.integrations.torch.audit import watch
from auditor_agent.integrations.torch.evaluation import elsewhere
from auditor_agent.run import Run, live_run

#: How people name what was measured on data not trained on: ``val_loss``, ``valid/loss``, ``eval_loss``.
_VALIDATION: Final = re.compile(r"^(?:val|valid|validation|eval|dev)[_/.]+")
_TRAINING: Final = re.compile(r"^(?:train|training)[_/.]+")
#: Scalars of the step itself, which a metric of the same name must not replace.
_TAKEN: Final = frozenset({"lr", "step_time", "samples", "grad_scale", "batch_digest"})


class Follower:
    """One training after another of this process, as a trainer's callback tells of them.

    Args:
        name: the run's name; default from ``AUDITOR_NAME`` or the script.
        project: default from ``AUDITOR_PROJECT``.
    """

    def __init__(self, name: str | None, project: str | None) -> None:
        self.run: Run | None = None
        self._name, self._project = name, project
        self._metrics = Transfer(self._arrived)
        self._stopping = False

    def begin(self, model: nn.Module, optimizers: Iterable[Any], **sections: Mapping[str, Any]) -> None:
        """Training starts: watch these optimizers; wrappers around them are looked through.

        Args:
            model: names the parameters.
            optimizers: as the trainer holds them.
            **sections: sections of the manifest.
        """
        inner = [optimizer for optimizer in map(_unwrapped, optimizers) if optimizer is not None]
        self.run = watch(model, inner or None, name=self._name, project=self._project)
        elsewhere.set()
        self.run.observe(**sections)
        self._stopping = False

    def resume(self) -> None:
        """A trainer that only evaluates: its metrics belong to the training before, if there was one."""
        self.run = self.run or live_run()

    def metrics(self, values: Mapping[str, Any], **more: float) -> None:
        """Log what a trainer measured, on a device without waiting for it; what is no number is left out."""
        told: dict[str, float | Tensor] = {name: value for name, value in values.items() if _is_number(value)}
        if self.run is not None and (told or more):
            self._metrics.put(Step(0, time.time(), {**told, **more}, 0, b""))

    def step_end(self, ranks: int) -> bool:
        """A step is over. Whether the trainer should end the training: the run was told so.

        Args:
            ranks: processes that train together. Of several none may stop by itself: the others would
                wait for it in their next collective, and to agree would take a collective of ours.
        """
        self._metrics.poll()
        run = self.run
        if run is None or self._stopping or not run.should_stop:
            return False
        self._stopping = True
        if ranks > 1:
            guard.note("the verdict asks to stop; with several ranks the training is not stopped by its callback")
            return False
        return True

    def end(self, *, step: int) -> None:
        """Training ended. The run goes on, for another may follow, unless it ended because of its verdict."""
        self._metrics.drain()
        run = self.run
        if run is not None and self._stopping and not run.finished:
            run.event(step, "stopped", reason=f"verdict {run.verdict}")
            run.finish("stopped", f"verdict {run.verdict} at step {step}")

    def _arrived(self, step: Arrived) -> None:
        if self.run is not None:
            self.run.log(**step.scalars)


def validation(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Those measured on data not trained on, as ``val_NAME``."""
    found = {name: _VALIDATION.match(name) for name in metrics}
    return {f"val_{name[match.end() :]}": metrics[name] for name, match in found.items() if match}


def training(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Those measured on the data of training, without the word for it; the loss as ``epoch_loss``.

    Of a metric that Lightning holds twice, per step and per epoch, the epoch's.
    """
    told: dict[str, Any] = {}
    for name, value in metrics.items():
        if _VALIDATION.match(name) or name.endswith("_step"):
            continue
        short = _TRAINING.sub("", name).removesuffix("_epoch")
        if short not in _TAKEN:
            told["epoch_loss" if short == "loss" else short] = value
    return told


def install(owner: type, method: str, prepare: Callable[[Any], None]) -> None:
    """Have ``prepare(trainer)`` called before each call of a trainer's ``method``. Idempotent.

    What ``prepare`` raises is counted, and the method runs as ever.
    """
    import functools

    original = getattr(owner, method)
    if getattr(original, "auditor_installed", False):
        return
    prepare = guard.guarded(None)(prepare)

    @functools.wraps(original)
    def prepared(self: Any, *args: Any, **kwargs: Any) -> Any:
        prepare(self)
        return original(self, *args, **kwargs)

    prepared.auditor_installed = True  # type: ignore[attr-defined]  # the mark that makes this idempotent
    setattr(owner, method, prepared)


def settings(source: Any, names: Iterable[str]) -> dict[str, Any]:
    """Those attributes of ``source`` that are plain values, or the class of what they are."""
    found = {name: getattr(source, name) for name in names if hasattr(source, name)}
    return {name: value if _is_plain(value) else _class(value) for name, value in found.items()}


def _unwrapped(optimizer: Any) -> Optimizer | None:
    """The optimizer of torch's within a trainer's wrappers (accelerate's, Lightning's); None if there is none."""
    for _ in range(4):
        inner = getattr(optimizer, "optimizer", None)
        if not isinstance(inner, Optimizer):
            break
        optimizer = inner
    return optimizer if isinstance(optimizer, Optimizer) else None


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1 and not value.is_complex()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _class(value: Any) -> str:
    return getattr(value, "value", None) if isinstance(getattr(value, "value", None), str) else type(value).__name__  # type: ignore[return-value]
