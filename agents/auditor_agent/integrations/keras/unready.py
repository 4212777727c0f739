"""Evaluations before spectral norm is ready: its power iteration has not run, the kernels have any norm.

``keras.layers.SpectralNormalization`` divides a kernel by an estimate of its largest singular value each time it
is called in training, and only then. Its vector is drawn with a standard deviation of 0.02 and has the norm 1
after the first iteration, so that its norm tells whether there was one. Such an evaluation comes before the
first step: what is seen waits for the ``fit`` or the loop that trains the model.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.backends import backend

#: Methods by which a program evaluates a model or has it predict.
_METHODS: Final = ("evaluate", "predict", "test_on_batch", "predict_on_batch")
_MARK: Final = "auditor_unready"
_MOST: Final = 256
_NAMED: Final = 8
#: Iterations by which the largest singular value of a kernel is looked for.
_ITERATIONS: Final = 4
#: How far a vector's norm may be from 1 after an iteration: float16 rounds it.
_UNIT: Final = 1e-2


@dataclass(slots=True)
class _Note:
    """A model that was evaluated too early."""

    layers: list[tuple[float, str]]
    """How many times too large their kernels were, at least, the worst first; with their names."""
    passes: int = 0
    samples: int = 0


_NOTES: Final[weakref.WeakKeyDictionary[Any, _Note]] = weakref.WeakKeyDictionary()
#: Models that need no other look.
_DONE: Final[weakref.WeakSet[Any]] = weakref.WeakSet()


def observe() -> None:
    """Look at models that are evaluated from now on. Idempotent."""
    for name in _METHODS:
        original = getattr(keras.Model, name)
        if not hasattr(original, _MARK):
            setattr(keras.Model, name, _listening(original))


def _listening(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def listening(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)  # an evaluation changes nothing; it may build the model
        _heard(self, args[0] if args else kwargs.get("x"))
        return result

    setattr(listening, _MARK, True)
    return listening


@guarded(None)
def _heard(model: Any, given: Any) -> None:
    if model not in _DONE:
        evaluated(model, _samples(given))


@guarded(None)
def evaluated(model: Any, samples: int) -> None:
    """``model`` was evaluated on so many samples, not by its ``fit``."""
    if model in _DONE:
        return
    note = _NOTES.get(model)
    if note is None:
        found = sorted(((_stretch(layer), str(layer.name)) for layer in _of(model) if not _begun(layer)), reverse=True)
        if not found:
            _DONE.add(model)
            return
        note = _NOTES[model] = _Note(found)
    elif all(map(_begun, _of(model))):
        _DONE.add(model)
        return
    note.passes, note.samples = note.passes + 1, note.samples + samples


@guarded(None)
def tell(model: Any, run: Any, step: int) -> None:
    """``model`` is about to be trained, ``step`` being the last one there was."""
    if model is None or model in _DONE:
        return
    _DONE.add(model)
    note = _NOTES.pop(model, None)
    if note is not None:
        told: dict[str, Any] = {"layers": [name for _, name in note.layers[:_NAMED]]}
        told |= {"factors": [factor for factor, _ in note.layers[:_NAMED]]}
        run.event(step, "unready", kind="spectral_norm", passes=note.passes, samples=note.samples, **told)


def _of(model: Any) -> list[Any]:
    """The layers of a model that normalise a kernel, as far as they are built."""
    kind = keras.layers.SpectralNormalization
    walk = model._flatten_layers()  # noqa: SLF001 -- no public walk
    return [layer for layer in walk if isinstance(layer, kind) and hasattr(layer, "vector_u")][:_MOST]


def _begun(layer: Any) -> bool:
    """Whether its power iteration has run at least once."""
    return bool(abs(np.linalg.norm(_values(layer.vector_u)) - 1) < _UNIT)


def _stretch(layer: Any) -> float:
    """How much the kernel stretches some direction: at most its largest singular value."""
    vector, kernel = _values(layer.vector_u), _values(layer.kernel)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    found = 0.0
    for _ in range(_ITERATIONS):
        direction = vector @ matrix.T
        image = direction / max(float(np.linalg.norm(direction)), 1e-30) @ matrix
        found = float(np.linalg.norm(image))
        vector = image / max(found, 1e-30)
    return found


def _values(variable: Any) -> npt.NDArray[Any]:
    return np.asarray(backend().host(variable), np.float32)


def _samples(given: Any) -> int:
    """The samples of an argument ``x``: an array, several, or a data set of ``tf.data`` of known length; else 0."""
    if hasattr(given, "cardinality") and hasattr(given, "element_spec"):
        spec = keras.tree.flatten(given.element_spec)[0]
        return max(0, int(given.cardinality())) * int(spec.shape[0] or 1) if spec.shape.rank else 0
    arrays = [leaf for leaf in keras.tree.flatten(given) if hasattr(leaf, "shape")]
    return int(arrays[0].shape[0]) if arrays and len(arrays[0].shape) else 0
