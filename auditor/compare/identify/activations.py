"""Which activation stands behind each dense layer: by what it makes of ``x W + b``, of which all were recorded.

What a program calls ``hard_sigmoid`` may be any function, and what it wrote itself has no name at all. A layer's output
is recorded with its activation where that is a part of it, or follows it under a name that is known; else the next
layer's output shows what stands between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.functions import FUNCTIONS
from auditor.ingest.records import StepRecording
from auditor_agent.capture.units import rows

SEEN: Final = "forward.activations.seen"
#: Functions that are tried, with their settings: PyTorch's and Keras's own, and what Keras 2 called a hard sigmoid.
_TRIED: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    *((name, {}) for name in FUNCTIONS if name not in {"prelu", "leakyrelu", "elu", "gelu", "hardsigmoid"}),
    *(("leakyrelu", {"slope": slope}) for slope in (0.01, 0.1, 0.2, 0.3)),
    *(("gelu", {"approximate": tanh}) for tanh in (False, True)),
    *(("hardsigmoid", {"slope": slope}) for slope in (1 / 6, 0.2)),
    ("elu", {"alpha": 1.0}),
)
#: Part of the largest output that rounding leaves, of sums of some hundred products in float32.
_ROUNDING: Final = 1e-5
_MATRIX: Final = 2
#: Steps among which the outputs of layers are looked for: PyTorch's are recorded from the second one on.
_EARLY: Final = 3
#: Layers and elements that are looked at.
_MOST: Final = 12
_LARGEST: Final = 1 << 20

Function = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass(frozen=True, slots=True)
class Dense:
    """A kernel (in, out) and its bias."""

    kernel: F64
    bias: F64

    def of(self, x: F64) -> F64 | None:
        """What it makes of ``x``; None where that is of another width."""
        return x @ self.kernel + self.bias if x.shape[1] == len(self.kernel) else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came out of layers.

    ``part``: a function that was recorded with a layer is a part of it, whatever takes it.
    """

    outputs: Sequence[F64]
    part: bool


def facts(evidence: Evidence) -> list[Fact]:
    """``forward.activations.seen``: of each dense layer its sizes and the functions that explain what follows it."""
    first = next((one for one in evidence.steps[:_EARLY] if one.of("activation")), None)
    if first is None:
        return []
    layers = _layers(first, turned=evidence.framework == "torch")
    if not 0 < len(layers) <= _MOST:
        return []
    with np.errstate(all="ignore"):
        inputs, outputs = _arrays(first)
        found = _behind(layers, inputs, Seen(outputs, evidence.framework != "torch"))
    told = [(*one.kernel.shape, functions) for one, functions in zip(layers, found, strict=True)]
    return [Fact(SEEN, told)] if any(found) else []


def _behind(layers: Sequence[Dense], inputs: Sequence[F64], seen: Seen) -> list[frozenset[Function]]:
    """The functions behind each layer, empty where none is known to explain what was recorded."""
    found: list[frozenset[Function]] = [frozenset()] * len(layers)
    waiting, given = set(range(len(layers))), list(inputs)
    while True:
        plain = _found(layers, waiting, given, seen, found)
        for at, between in plain.items():
            waiting.discard(at)
            found[at] = frozenset(one for one in _all() if _follows(_made(one, between), layers, seen.outputs))
        more = [_made(min(found[at]), between) for at, between in plain.items() if found[at]]
        if not more:
            return found
        given = more  # what went into the next layers


def _found(
    layers: Sequence[Dense],
    waiting: set[int],
    inputs: Sequence[F64],
    seen: Seen,
    found: list[frozenset[Function]],
) -> dict[int, F64]:
    """Notes the functions within layers; gives what was recorded of layers without theirs."""
    plain: dict[int, F64] = {}
    for at in sorted(waiting):
        for functions, output in _matches(layers[at], inputs, seen.outputs):
            if ("linear", ()) in functions:
                plain[at] = output
            elif seen.part or _goes_on(output, layers, seen.outputs):
                found[at] = functions
                plain.pop(at, None)
                waiting.discard(at)
                break
    return plain


def _matches(layer: Dense, inputs: Sequence[F64], outputs: Sequence[F64]) -> Iterator[tuple[frozenset[Function], F64]]:
    """Outputs that are a function of what the layer makes of an input, with all functions that they are."""
    for given in inputs:
        made = layer.of(given)
        for output in outputs if made is not None else ():
            if made is not None and output is not given and output.shape == made.shape:
                functions = frozenset(one for one in _all() if _like(_made(one, made), output))
                if functions:
                    yield functions, output


def _goes_on(x: F64, layers: Sequence[Dense], outputs: Sequence[F64]) -> bool:
    """Whether some layer takes ``x``: a sigmoid beside what it is a share of is no layer's activation."""
    return any(True for layer in layers for _ in _matches(layer, [x], outputs))


def _follows(x: F64, layers: Sequence[Dense], outputs: Sequence[F64]) -> bool:
    """Whether some layer makes an output of ``x``."""
    made = [found for layer in layers if (found := layer.of(x)) is not None]
    return any(output.shape == one.shape and _like(one, output) for one in made for output in outputs)


def _all() -> Iterator[Function]:
    for name, settings in _TRIED:
        yield name, tuple(settings.items())


def _made(function: Function, x: F64) -> F64:
    name, settings = function
    return FUNCTIONS[name](x, dict(settings))


def _like(made: F64, seen: F64) -> bool:
    return bool(np.abs(made - seen).max() <= _ROUNDING * max(1.0, float(np.abs(seen).max())))


def _arrays(one: StepRecording) -> tuple[list[F64], list[F64]]:
    """What may go into a layer and what may come out of one, of as many rows each."""
    batch, output = data(one, "batch", "input0"), data(one, "output", "output0")
    seen = [data(one, "activation", name) for name in one.of("activation")]
    ends = [rows(end) if end is not None and end.ndim == _MATRIX else None for end in (batch, output)]
    return _usable(ends[0], *seen), _usable(*seen, ends[1])


def _usable(*found: F64 | None) -> list[F64]:
    return [x for x in found if x is not None and x.ndim == _MATRIX and x.size and np.isfinite(x).all()]


def _layers(one: StepRecording, *, turned: bool) -> list[Dense]:
    """Matrices among the weights, in their order, with the vector of each one's outputs that comes with it."""
    weights = [(name, array) for name, array in one.of("weight").items() if not array.sampled]
    found = []
    for at, (name, array) in enumerate(weights):
        if len(array.shape) != _MATRIX or array.values is None or array.size > _LARGEST:
            continue
        kernel = np.asarray(array.whole(), np.float64)
        kernel = kernel.T if turned else kernel
        bias = np.zeros(kernel.shape[1])
        for other, vector in weights[at + 1 : at + 2]:
            if vector.shape == (kernel.shape[1],) and _layer(other) == _layer(name):
                bias = np.asarray(vector.whole(), np.float64)
        found.append(Dense(kernel, bias))
    return found


def _layer(name: str) -> str:
    """The layer of a weight."""
    return max(name.rpartition("."), name.rpartition("/"), key=lambda parts: len(parts[0]))[0]
