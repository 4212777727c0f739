"""Clipping seen from both sides: the gradients' norm before it, and the threshold.

The gradients that the optimizer sees are the clipped ones; how much was cut off only the clipping
functions know. ``torch.nn.utils.clip_grad_norm_`` returns the norm, which is kept as it is, without
waiting for it; ``clip_grad_value_`` tells nothing, so the gradients are read once more before it.

Seen is what calls ``torch.nn.utils.clip_…`` (Lightning and Accelerate do), and under
``auditor run`` also what a script imports by name. Of sharded gradients the norm is that of this
rank's shard: the whole one would take a collective.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.capture import kernels
from auditor_agent.integrations.torch.wraps import Wraps, tell

#: Calls remembered until the optimizer steps: parameter groups that are clipped one by one.
_MOST: Final = 1024


class ClipProbe:
    """Collects what was clipped until the optimizer steps."""

    def __init__(self) -> None:
        self._norms: list[float | Tensor] = []
        self._threshold: float | Tensor | None = None

    def attach(self) -> None:
        """Begin to listen. Idempotent."""
        if self not in _listening:
            _listening.append(self)
            _wrap()

    def detach(self) -> None:
        """Stop listening and forget what was heard. Idempotent."""
        self.forget()
        if self in _listening:
            _listening.remove(self)
        if not _listening:
            _wraps.off()

    def hear(self, norm: Any, threshold: Any) -> None:
        """Gradients of norm ``norm`` were clipped at ``threshold``."""
        norm = getattr(norm, "_local_tensor", norm)
        if len(self._norms) < _MOST:
            self._norms.append(_light(norm))
            self._threshold = _light(threshold)

    def forget(self) -> None:
        """What was heard concerns another optimizer."""
        self._norms, self._threshold = [], None

    def take(self) -> dict[str, float | Tensor]:
        """``grad_norm_before_clip`` and ``clip_threshold`` since the last call; empty if nothing was clipped.

        Several calls (one for each group) are joined as parts of one vector; the threshold is the last.
        """
        norms, threshold = self._norms, self._threshold
        if threshold is None:
            return {}
        self.forget()
        norm = norms[0] if len(norms) == 1 else sum(n * n for n in norms) ** 0.5
        return {"grad_norm_before_clip": norm, "clip_threshold": threshold}


_listening: Final[list[ClipProbe]] = []
_wraps: Final = Wraps()


def _light(value: Any) -> float | Tensor:
    """A float where reading it costs nothing, else the tensor."""
    if isinstance(value, Tensor) and not value.is_cpu:
        return value.detach()
    return float(value)


def _wrap() -> None:
    if _wraps:
        return
    for owner in (nn.utils, nn.utils.clip_grad):
        _wraps.put(owner, "clip_grad_norm_", _by_norm)
        _wraps.put(owner, "clip_grad_value_", _by_value)
    _wraps.put(nn.utils, "clip_grads_with_norm_", _with_norm)


def _by_norm(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grad_norm_(*args: Any, **kwargs: Any) -> Any:
        norm = original(*args, **kwargs)
        tell(_listening, ClipProbe.hear, norm, kwargs.get("max_norm", args[1] if len(args) > 1 else None))
        return norm

    return clip_grad_norm_


def _with_norm(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grads_with_norm_(*args: Any, **kwargs: Any) -> Any:
        threshold = kwargs.get("max_norm", args[1] if len(args) > 1 else None)
        tell(_listening, ClipProbe.hear, kwargs.get("total_norm", args[2] if len(args) > 2 else None), threshold)
        return original(*args, **kwargs)

    return clip_grads_with_norm_


def _by_value(original: Callable[..., Any]) -> Callable[..., Any]:
    def clip_grad_value_(parameters: Any, clip_value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(parameters, Tensor):
            parameters = list(parameters)  # a generator can be walked but once
        tell(_listening, _measure, parameters, clip_value)
        return original(parameters, clip_value, *args, **kwargs)

    return clip_grad_value_


def _measure(probe: ClipProbe, parameters: Tensor | Iterable[Tensor], threshold: Any) -> None:
    each = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = [parameter.grad for parameter in each if parameter.grad is not None]
    if gradients:
        squares = kernels.words(gradients)[-1].contiguous().view(torch.float32)
        probe.hear(squares.double().sum().sqrt(), threshold)
