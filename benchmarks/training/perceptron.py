"""Many small trainings in NumPy, a tenth of a second each: what seeds do to loss and gradients of a real run."""

from __future__ import annotations

from typing import Final

import numpy as np

from auditor.detect.view import F64

STEPS: Final = 800
#: The loss, the norm of all gradients, and the six gradients' norms.
SERIES: Final = 8
_SHAPES: Final = ((10, 32), (32, 32), (32, 3))
_BATCH: Final = 32


def train(seed: int, *, rate: float = 0.05) -> F64:
    """The series of one run of a three-layer perceptron on a noisy regression, (STEPS, SERIES).

    Args:
        seed: of initial weights and order of the data; the data is the same for all.
        rate: the learning rate of plain SGD.
    """
    data, rng = np.random.default_rng(99), np.random.default_rng(seed)
    inputs = data.normal(size=(512, 10))
    targets = np.tanh(inputs @ data.normal(size=(10, 3))) + 0.3 * data.normal(size=(512, 3))
    weights = [rng.normal(size=shape) * np.sqrt(2 / shape[0]) for shape in _SHAPES]
    biases = [np.zeros(shape[1]) for shape in _SHAPES]
    out, order = np.empty((STEPS, SERIES)), np.arange(len(inputs))
    for step in range(STEPS):
        place = step % (len(inputs) // _BATCH)
        order = rng.permutation(len(inputs)) if not place else order
        chosen = order[place * _BATCH : (place + 1) * _BATCH]
        loss, gradients = _step(inputs[chosen], targets[chosen], weights, biases)
        norms = [float(np.linalg.norm(gradient)) for gradient in gradients]
        out[step] = [loss, float(np.linalg.norm(norms)), *norms]
        for parameters, gradient in zip(weights + biases, gradients, strict=True):
            np.subtract(parameters, rate * gradient, out=parameters)
    return out


def _step(x: F64, y: F64, weights: list[F64], biases: list[F64]) -> tuple[float, list[F64]]:
    """Mean squared error and its gradients: those of the weights, then those of the biases."""
    values = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        values.append(np.maximum(values[-1] @ weight + bias, 0))
    error = values[-1] @ weights[-1] + biases[-1] - y
    back = 2 * error / error.size
    of_weights, of_biases = [], []
    for layer in reversed(range(len(weights))):
        of_weights.append(values[layer].T @ back)
        of_biases.append(back.sum(axis=0))
        back = (back @ weights[layer].T) * (values[layer] > 0)
    return float((error**2).mean()), [*of_weights[::-1], *of_biases[::-1]]
