"""The loss of a PyTorch loop, seen without a line of the user's.

What a loop calls its loss is what it calls ``backward()`` on. While anyone listens, ``torch.autograd.backward`` (which
``Tensor.backward`` calls), ``torch.autograd.grad`` and ``GradScaler.step`` are wrapped by functions that look and then
do exactly the same; the last listener to leave takes them off again.
Hooks of modules would change compiled frames, and the engine tells its hooks nothing of the root.

**The loss of a step** is the sum of the scalars that were backpropagated since the step before: the
very function whose gradient the optimizer sees, also when micro-batches are accumulated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from auditor_agent.guard import failure, note
from auditor_agent.integrations.torch.byhand import ByHand, asked
from auditor_agent.integrations.torch.clip import ClipProbe
from auditor_agent.integrations.torch.first import FirstPass
from auditor_agent.integrations.torch.passes import Bypassed
from auditor_agent.integrations.torch.record import Tape
from auditor_agent.integrations.torch.unready import Unready
from auditor_agent.integrations.torch.unstepped import Unstepped
from auditor_agent.integrations.torch.wraps import UntilImported, Wraps, tell


class LossProbe:
    """Collects the roots of backward passes until the optimizer steps.

    ``on_skip`` is called with the optimizer and the scale when a GradScaler leaves out a step;
    ``scale`` is the scale while a GradScaler steps.
    """

    def __init__(self) -> None:
        self.on_skip: Callable[[Any, Tensor], None] | None = None
        self.scaler: Any = None
        self.unstepped: Unstepped | None = None
        """Is told each backward pass while no optimizer has stepped."""
        self.byhand: ByHand | None = None
        """Is told where backward passes begin and end while no optimizer has stepped."""
        self.graph: str | None = None
        """Name of the operation that made the first loss seen, such as ``NllLossBackward0``."""
        self.tape = Tape()
        """The flight recorder's ear, told the roots as they are."""
        self.first = FirstPass()
        """What the model was given and gave before anybody knew it; listens until an optimizer steps."""
        self.bypassed = Bypassed()
        """Whether the losses reach what the optimizer holds."""
        self.unready = Unready()
        """What was evaluated before it was ready; listens as long as this probe does."""
        self.on_unready: Callable[[], None] = lambda: None
        """Called as a backward pass begins and ``unready`` has something to tell."""
        self.clips = ClipProbe()
        """What was clipped on the way; listens as long as this probe does."""
        self.roots: list[float | Tensor] = []
        """Losses backpropagated since the last :meth:`take`; floats where they were in host memory."""
        self.scale: Tensor | None = None
        self._stepped = False
        self._stale = False

    @property
    def heard(self) -> int:
        """Backward passes since the last :meth:`take`: micro-batches, or evaluations of a closure."""
        return len(self.roots)

    def take(self, *, last: bool = False) -> float | Tensor | None:
        """The loss since the last call, then forgotten; None if nothing was backpropagated.

        A float where the loss is on the CPU, else a 0-dimensional tensor (reading it would wait).
        ``last``: only the last root counts, as with a closure that is evaluated several times.
        """
        self._stepped, self.unstepped = True, None
        roots, self.roots = self.roots[-1:] if last else self.roots, []
        if not roots:
            return None
        scale = self.scale
        total = sum(root.double() if isinstance(root, Tensor) else root for root in roots)
        if scale is None:
            return total
        if isinstance(total, Tensor):
            return total / scale.to(total.device)
        return total / scale.item() if scale.is_cpu else total / scale

    def take_floats(self) -> float | None:
        """The same for a step without a GradScaler whose losses are floats all."""
        self._stepped, self.unstepped = True, None
        roots = self.roots
        if not roots:
            return None
        self.roots = []
        return roots[0] if len(roots) == 1 else sum(roots)  # type: ignore[return-value]

    def attach(self) -> None:
        """Begin to listen. Idempotent."""
        self.clips.attach()
        self.unready.attach()
        if self.tape.listening:
            self.tape.guessed = self.first.settle
            self.first.attach()
        if self not in _listening:
            _listening.append(self)
            _wrap()

    def detach(self) -> None:
        """Stop listening and forget what was heard. Idempotent."""
        self.roots.clear()
        self.clips.detach()
        self.unready.detach()
        self.first.detach()
        self.tape.close()
        if self in _listening:
            _listening.remove(self)
        if not _listening:
            _wraps.off()
            _asking.off()

    def hear(self, tensors: Any) -> None:
        """A backward pass begins at ``tensors``. Never raises."""
        if self.byhand is not None:
            self.byhand.begins(tensors)
        try:
            if self.unstepped is not None and not self.unstepped.hear(tensors):
                self.unstepped = None
            if self.unready.heard:
                self.on_unready()
            if self._stale:
                self.roots, self._stale = [], False
                self.clips.forget()
            if isinstance(tensors, Tensor):
                self._root(tensors)
            elif isinstance(tensors, Sequence):
                for root in tensors:
                    self._root(root)
        except Exception as error:
            failure("LossProbe.hear", error)

    def passed(self, tensors: Any) -> None:
        """The backward pass that began at ``tensors`` is over."""
        if self.tape.listening:
            self.tape.passes.over()
        if self.byhand is not None:
            self.byhand.passed(tensors)

    def given(self, tensors: Any, leaves: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
        """The script was given the gradients of these leaves, as ``torch.autograd.grad`` gives them."""
        if self.tape.listening:
            self.tape.passes.over()
        if self.byhand is not None:
            self.byhand.given(tensors, leaves, gradients)

    def refused(self) -> None:
        """The script asked for gradients and got an error."""
        if self.byhand is not None:
            self.byhand.failed()

    def _root(self, root: Any) -> None:
        if len(self.roots) >= _MOST_ROOTS:
            note(f"{_MOST_ROOTS} backward passes without a step of the optimizer: is the step itself compiled?")
        elif isinstance(root, Tensor) and root.numel() == 1:
            if self.graph is None:
                self.graph = _operation(root)
            # Read at once where that waits for nothing: a script may go on to change it in place.
            self.roots.append(root.item() if root.is_cpu else root.detach().reshape(()))
            self.bypassed.begin(root)
            if self.tape.listening:
                self.tape.first(self.first.begins(root))
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
            self.roots.clear()
            self.tape.skipped()
            self.clips.forget()
            if self.on_skip is not None:
                self.on_skip(optimizer, scale)


#: A loop that never steps must not collect for ever.
_MOST_ROOTS = 4096
_listening: list[LossProbe] = []
_wraps: Final = Wraps()
#: A compiler that meets a function of Python in this place would trace what it otherwise leaves alone.
_asking: Final = UntilImported("torch._dynamo")
_compiling: Final = torch.compiler.is_compiling


def _operation(root: Tensor) -> str | None:
    """The operation that made ``root``; behind a GradScaler's multiplication, the one before it."""
    node = root.grad_fn
    return None if node is None else node.name()


def _wrap() -> None:
    if not _wraps:
        _wraps.put(torch.autograd, "backward", _listening_backward)
        _asking.put(torch.autograd, "grad", _listening_grad)
        _wraps.put(torch.amp.GradScaler, "step", _listening_step)


def _listening_backward(original: Callable[..., None]) -> Callable[..., None]:
    def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        if _compiling():
            original(tensors, *args, **kwargs)
            return
        for probe in _listening:
            probe.hear(tensors)
        original(tensors, *args, **kwargs)
        tell(_listening, LossProbe.passed, tensors)

    return backward


def _listening_grad(original: Callable[..., Any]) -> Callable[..., Any]:
    def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        by_hand = [] if args or _compiling() else [one for one in _listening if one.byhand is not None]
        leaves = asked(outputs, inputs, kwargs) if by_hand else []
        probes = [one for one in by_hand if leaves and one.byhand is not None and one.byhand.takes(outputs, leaves)]
        for probe in probes:
            probe.hear(outputs)
        try:
            found = original(outputs, inputs, *args, **kwargs)
        except BaseException:
            tell(probes, LossProbe.refused)
            raise
        if probes:
            tell(probes, LossProbe.given, outputs, leaves, found)
        return found

    return grad


def _listening_step(original: Callable[..., Any]) -> Callable[..., Any]:
    def step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        tell(_listening, LossProbe.before_scaled_step, scaler)
        try:
            return original(scaler, optimizer, *args, **kwargs)
        finally:
            tell(_listening, LossProbe.after_scaled_step, optimizer)

    return step
