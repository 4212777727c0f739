"""The loss of a PyTorch loop, seen without a line of the user's.

What a loop calls its loss is what it calls ``backward()`` on. While anyone listens,
``torch.autograd.backward`` (which ``Tensor.backward`` calls) and ``GradScaler.step`` are wrapped by
functions that look and then do exactly the same; the last listener to leave takes them off again.
Hooks of modules would change compiled frames, and the engine tells its hooks nothing of the root.

**The loss of a step** is the sum of the scalars that were backpropagated since the step before: the
very function whose gradient the optimizer sees, also when micro-batches are accumulated.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from auditor_agent.guard import note
from auditor_agent.integrations.torch_clip import ClipProbe
from auditor_agent.integrations.torch_wraps import Wraps, tell


class LossProbe:
    """Collects the roots of backward passes until the optimizer steps.

    ``on_skip`` is called with the optimizer and the scale when a GradScaler leaves out a step;
    ``scale`` is the scale while a GradScaler steps.
    """

    def __init__(self) -> None:
        self.on_skip: Callable[[Any, Tensor], None] | None = None
        self.scaler: Any = None
        self.graph: str | None = None
        """Name of the operation that made the first loss seen, such as ``NllLossBackward0``."""
        self.tape: Any = None
        """The flight recorder's ear (``torch_record.Tape``), told the roots as they are."""
        self.clips = ClipProbe()
        """What was clipped on the way; listens as long as this probe does."""
        self._roots: list[Tensor] = []
        self.scale: Tensor | None = None
        self._stepped = False
        self._stale = False

    @property
    def heard(self) -> int:
        """Backward passes since the last :meth:`take`: micro-batches, or evaluations of a closure."""
        return len(self._roots)

    def take(self, *, last: bool = False) -> float | Tensor | None:
        """The loss since the last call, then forgotten; None if nothing was backpropagated.

        A float where the loss is on the CPU, else a 0-dimensional tensor (reading it would wait).
        ``last``: only the last root counts, as with a closure that is evaluated several times.
        """
        self._stepped = True
        roots, self._roots = self._roots[-1:] if last else self._roots, []
        if not roots:
            return None
        scale = self.scale
        if all(root.is_cpu for root in roots) and (scale is None or scale.is_cpu):
            return sum(root.item() for root in roots) / (1.0 if scale is None else scale.item())
        total = functools.reduce(torch.add, (root.double() for root in roots))
        return total if scale is None else total / scale.to(total.device)

    def attach(self) -> None:
        """Begin to listen. Idempotent."""
        self.clips.attach()
        if self not in _listening:
            _listening.append(self)
            _wrap()

    def detach(self) -> None:
        """Stop listening and forget what was heard. Idempotent."""
        self._roots.clear()
        self.clips.detach()
        if self.tape is not None:
            self.tape.close()
        if self in _listening:
            _listening.remove(self)
        if not _listening:
            _wraps.off()

    def hear(self, tensors: Any) -> None:
        """A backward pass begins at ``tensors``."""
        if self._stale:
            self._roots, self._stale = [], False
            self.clips.forget()
        roots = [tensors] if isinstance(tensors, Tensor) else list(tensors) if isinstance(tensors, Sequence) else []
        for root in roots:
            if len(self._roots) >= _MOST_ROOTS:
                note(f"{_MOST_ROOTS} backward passes without a step of the optimizer: is the step itself compiled?")
            elif isinstance(root, Tensor) and root.numel() == 1:
                self.graph = self.graph or _operation(root)
                self._roots.append(root.detach().reshape(()))
                if self.tape is not None:
                    self.tape.root(root)

    def other_stepped(self) -> None:
        """Another optimizer stepped: what was heard is its loss, unless ours steps on it as well."""
        self._stale = True

    def before_scaled_step(self, scaler: Any) -> None:
        """A GradScaler is about to step: what was backpropagated carries its scale."""
        self.scaler = scaler
        self.scale, self._stepped = getattr(scaler, "_scale", None), False

    def after_scaled_step(self, optimizer: Any) -> None:
        """A GradScaler is done: if no one took the loss, it left the step out."""
        scale, self.scale = self.scale, None
        if scale is not None and not self._stepped:
            self._roots.clear()
            if self.tape is not None:
                self.tape.skipped()
            self.clips.forget()
            if self.on_skip is not None:
                self.on_skip(optimizer, scale)


#: A loop that never steps must not collect for ever.
_MOST_ROOTS = 4096
_listening: list[LossProbe] = []
_wraps: Final = Wraps()


def _operation(root: Tensor) -> str | None:
    """The operation that made ``root``; behind a GradScaler's multiplication, the one before it."""
    node = root.grad_fn
    return None if node is None else node.name()


def _wrap() -> None:
    if not _wraps:
        _wraps.put(torch.autograd, "backward", _listening_backward)
        _wraps.put(torch.amp.GradScaler, "step", _listening_step)


def _listening_backward(original: Callable[..., None]) -> Callable[..., None]:
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        tell(_listening, LossProbe.hear, tensors)
        return original(tensors, *args, **kwargs)

    return backward


def _listening_step(original: Callable[..., Any]) -> Callable[..., Any]:
    def step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        tell(_listening, LossProbe.before_scaled_step, scaler)
        try:
            return original(scaler, optimizer, *args, **kwargs)
        finally:
            tell(_listening, LossProbe.after_scaled_step, optimizer)

    return step
