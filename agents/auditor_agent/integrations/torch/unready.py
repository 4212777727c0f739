"""Evaluations before spectral norm is ready: its power iteration has not run, the weights have any norm.

``torch.nn.utils.spectral_norm`` divides a weight by an estimate of its largest singular value, which
begins with two random vectors and gets better with each pass in training mode alone. Of 200 draws of
each of eight shapes, the weights of an evaluation before the first such pass were 1.2 (4 x 4) to 35
(256 x 256) times too large; after one pass by less than a third from 8 units on, by 2.9 at 2 x 2.
(``torch.nn.utils.parametrizations.spectral_norm`` iterates 15 times when it is made, and was off by 1 %
at most: it is not listened to.)

Such an evaluation comes before the first step, often before there is an optimizer: what is heard waits
for the run of whoever trains these weights.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.utils.spectral_norm import SpectralNorm

from auditor_agent.capture.transfer import Arrived, Step, Transfer
from auditor_agent.integrations.torch.names import clean, unwrap
from auditor_agent.integrations.torch.taken import unreadable
from auditor_agent.integrations.torch.unstepped import held
from auditor_agent.integrations.torch.wraps import Wraps, tell
from auditor_agent.run import Run

#: Layers that are measured, and those that an event names.
_MOST: Final = 256
_NAMED: Final = 8
#: Times too large from which on a layer's weights are not ready: one pass of training leaves less, but of tiny layers.
_FACTOR: Final = 2.0


@dataclass(slots=True)
class _Note:
    """A layer whose first evaluation was heard."""

    norm: SpectralNorm
    version: int
    """Of the vector: iterations write it in place."""
    passes: int = 0
    samples: int = 0
    factor: float = float("nan")
    """Times too large its weights were, at least; until it has come from the device it is no number."""


class Unready:
    """Listens to the evaluations of layers with spectral norm until they are ready."""

    def __init__(self) -> None:
        self._notes: weakref.WeakKeyDictionary[nn.Module, _Note] = weakref.WeakKeyDictionary()
        self._ready: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self._measured: list[weakref.ref[nn.Module]] = []
        self.heard = False
        """Whether anything came that :meth:`tell` has not looked at."""
        self._transfer = Transfer(self._arrived)

    def attach(self) -> None:
        """Begin to listen. Idempotent."""
        if self not in _listening:
            _listening.append(self)
            if not _wraps:
                _wraps.put(SpectralNorm, "__call__", _call)

    def detach(self) -> None:
        """Stop listening; what was heard is kept. Idempotent."""
        if self in _listening:
            _listening.remove(self)
        if not _listening:
            _wraps.off()

    def hear(self, norm: SpectralNorm, layer: nn.Module, inputs: Any) -> None:
        """``layer`` is called in evaluation mode, its weight was just divided."""
        if layer in self._ready:
            return
        vector: Tensor = getattr(layer, norm.name + "_u")
        version = 0 if vector.is_inference() else vector._version  # noqa: SLF001 - tells of writes without a look
        note = self._notes.get(layer) or self._begin(norm, layer, vector, version)
        if note is None or note.version != version:
            self._ready.add(layer)
            return
        first = inputs[0] if isinstance(inputs, tuple) and inputs else None
        note.passes += 1
        note.samples += first.shape[0] if isinstance(first, Tensor) and first.dim() > 1 else 1

    def _begin(self, norm: SpectralNorm, layer: nn.Module, vector: Tensor, version: int) -> _Note | None:
        weight: Tensor = getattr(layer, norm.name).detach()
        if len(self._measured) >= _MOST or unreadable(weight) or hasattr(weight, "_local_tensor"):
            return None
        self._notes[layer] = note = _Note(norm, version)
        self._measured.append(weakref.ref(layer))
        self.heard = True
        with torch.no_grad():
            factor = _stretch(norm.reshape_weight_to_matrix(weight), vector)
        self._transfer.put(Step(len(self._measured), time.time(), {"factor": factor}, 0, b""))
        return None if note.factor < _FACTOR else note

    def _arrived(self, step: Arrived) -> None:
        layer = self._measured[step.number - 1]()
        note = None if layer is None else self._notes.get(layer)
        if layer is None or note is None:
            return
        note.factor = step.scalars["factor"]
        if note.factor < _FACTOR:
            del self._notes[layer]
            self._ready.add(layer)

    def tell(self, run: Run, step: int, model: nn.Module | None) -> None:
        """Tell ``run`` of the layers whose weights an optimizer holds.

        Args:
            run: of whoever trains them.
            step: the last one that was seen.
            model: names the layers, as far as they are its own.
        """
        self._transfer.poll()
        notes = list(self._notes.items())
        self.heard = any(math.isnan(note.factor) for _, note in notes)  # still on a device
        known = [(layer, note) for layer, note in notes if note.factor >= _FACTOR]
        trained = held() if known else set()
        found = [
            (layer, note) for layer, note in known if id(getattr(layer, note.norm.name + "_orig", None)) in trained
        ]
        if not found:
            return
        modules = () if model is None else unwrap(model).named_modules()
        names = {module: clean(name) for name, module in modules}
        found.sort(key=lambda one: one[1].factor, reverse=True)
        run.event(
            step, "unready", kind="spectral_norm",
            layers=[names.get(layer, type(layer).__name__) for layer, _ in found[:_NAMED]],
            factors=[note.factor for _, note in found[:_NAMED]],
            passes=max(note.passes for _, note in found), samples=max(note.samples for _, note in found),
        )  # fmt: skip
        for layer, _ in found:
            del self._notes[layer]
            self._ready.add(layer)


def _stretch(matrix: Tensor, vector: Tensor) -> Tensor:
    """How much ``matrix`` stretches some direction: at most its largest singular value. Within one half iteration."""
    direction = nn.functional.normalize(torch.mv(matrix.t(), vector.to(matrix.dtype)), dim=0)
    stretched: Tensor = torch.mv(matrix, direction).norm()
    return stretched


_listening: Final[list[Unready]] = []
_wraps: Final = Wraps()


def _call(original: Callable[..., None]) -> Callable[..., None]:
    def __call__(norm: SpectralNorm, layer: nn.Module, inputs: Any) -> None:  # noqa: N807 - stands in for that method
        original(norm, layer, inputs)
        if not layer.training:
            tell(_listening, Unready.hear, norm, layer, inputs)

    return __call__
