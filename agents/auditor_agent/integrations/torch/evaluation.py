"""Evaluations between training steps: when they begin and end, how many batches, what the loss was.

A forward pass of the model without gradients is one. From the first evaluation on the loss functions of
``torch.nn.functional`` are wrapped by functions that keep what they return meanwhile; the modules
``nn.…Loss`` call them too. (A run that never evaluates has none wrapped. Of the first evaluation the
first batch's loss is missed where the script names the function before it calls the model, as in
``F.mse_loss(model(x), y)``.) A script that evaluates every few steps (a policy that acts, a
teacher) is none: after a few of these nothing is told any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.capture.transfer import Arrived, Step, Transfer
from auditor_agent.integrations.torch.mode import Modes
from auditor_agent.integrations.torch.record import Tape
from auditor_agent.integrations.torch.wraps import Wraps, tell
from auditor_agent.run import Run

#: Functions of ``torch.nn.functional`` that are losses.
LOSSES: Final = (
    *("cross_entropy", "mse_loss", "l1_loss", "nll_loss", "binary_cross_entropy", "kl_div", "huber_loss"),
    *("binary_cross_entropy_with_logits", "smooth_l1_loss", "poisson_nll_loss", "gaussian_nll_loss"),
)
#: Evaluations with fewer steps between them that are taken for what they are not, in a row.
_CLOSE: Final = 2
_MANY: Final = 8
#: Set where somebody else tells the losses of evaluations: a trainer's callback.
elsewhere: Final = threading.Event()
_compiling: Final = torch.compiler.is_compiling


class Evaluation:
    """One model's evaluations.

    Args:
        run: takes events and ``val_loss``.
        modes: is asked to look at the model's mode.
        step: gives the number of the last training step.
        tape: the flight recorder's ear.
    """

    def __init__(self, run: Run, modes: Modes, step: Callable[[], int], tape: Tape) -> None:
        self._run, self._modes, self._step, self._tape = run, modes, step, tape
        self.going = False
        self.over: Callable[[], None] = lambda: None  # then what several modules gave is all of a batch
        self._batches = self._samples = self._heard = self._row = self._often = 0
        self._last = -_CLOSE
        self._total: float | Tensor = 0.0
        self._wraps = Wraps()
        self._transfer = Transfer(self._arrived)

    def begin(self, model: nn.Module, args: Any, kwargs: Any) -> bool:
        """A forward pass without gradients begins; whether the flight recorder is to hear it."""
        if self._often >= _MANY:
            return False
        fresh = not self.going
        if not fresh:
            self._judged()  # the first batch's loss was not heard
        if fresh:
            self._begin(model)
        self._batches += 1
        self._row = self._batches
        first = next((value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)), None)
        self._samples += first.shape[0] if first is not None and first.dim() else 0
        return fresh and self._tape.evaluates(self._last)

    def _begin(self, model: nn.Module) -> None:
        step = self._step()
        self._often = self._often + 1 if step - self._last < _CLOSE else 0
        self._last, self.going = step, True
        self._batches = self._samples = self._heard = 0
        self._total = 0.0
        self._modes.read("eval", model, step)
        if not self._wraps:
            for name in LOSSES:
                self._wraps.put(nn.functional, name, self._listening)

    def _judged(self, *heard: Any) -> None:
        self.over()
        self._tape.evaluated(*heard)

    def end(self) -> None:
        """A training pass begins, or the run ends. Idempotent."""
        if not self.going:
            return
        self.going = False
        self._judged()
        step = self._step()
        self._run.event(step, "evaluation", batches=self._batches, samples=self._samples, losses=self._heard)
        if self._heard and not elsewhere.is_set():
            self._transfer.put(Step(step, time.time(), {"val_loss": self._total / self._heard}, 0, b""))

    def close(self) -> None:
        """Hear nothing more. Idempotent."""
        self.end()
        self._transfer.drain()
        self._wraps.off()

    def _listening(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(*args: Any, **kwargs: Any) -> Any:
            value = original(*args, **kwargs)
            if _compiling() or not self.going:
                return value
            tell(
                [self],
                Evaluation._hear,
                value,
                original.__name__,
                kwargs.get("target", args[1] if len(args) > 1 else None),
            )
            return value

        return loss

    def _hear(self, value: Any, operation: str, target: Any) -> None:
        """A loss was computed: the first one after each batch counts, if it is a number and no gradient is taken."""
        if not isinstance(value, Tensor) or value.numel() != 1 or value.requires_grad or self._row == 0:
            return
        if self._row == 1:
            self._judged(value, operation, target)
        self._row = 0
        self._heard += 1
        self._total = self._total + (value.item() if value.is_cpu else value.detach().double().reshape(()))

    def _arrived(self, step: Arrived) -> None:
        self._run.log(**step.scalars)
