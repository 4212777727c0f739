"""Tests that reproduce a difference of the catalogue in the frameworks that are installed.

A test says which entry with :func:`reproduces`. Where every framework lies within the entry's range of
versions the difference must show; where a release has changed, the failure says what to do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from typing import Any, Final

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from auditor.compare import catalogue

#: Entries that have no reproduction, and why.
NOT_HERE: Final[dict[str, str]] = {
    f"{stage}-00": "stands for differences of this stage that are not listed: see tests/unit/compare/test_pairs_*"
    for stage in ("INIT", "DATA", "FWD", "LOSS", "OPT", "BWD")
}
_DISTRIBUTIONS: Final = {"sklearn": ("scikit-learn",), "tensorflow": ("tensorflow", "tensorflow-cpu")}
Array = np.ndarray[Any, Any]
Test = Callable[[], None]


@functools.cache
def installed(framework: str) -> str:
    """The version that is installed of a framework."""
    for name in _DISTRIBUTIONS.get(framework, (framework,)):
        try:
            return metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            continue
    raise metadata.PackageNotFoundError(framework)


def reproduces(name: str) -> Callable[[Test], Test]:
    """Marks a test as the reproduction of entry ``name``; seeds both frameworks before it runs."""

    def mark(test: Test) -> Test:
        @functools.wraps(test)
        def run() -> None:
            entry = catalogue.entry(name)
            have = {framework: installed(framework) for framework in entry.versions}
            outside = {framework: version for framework, version in have.items() if not entry.holds(framework, version)}
            if outside:
                pytest.skip(f"{name} is stated for {entry.versions}; installed: {outside}")
            torch.manual_seed(0)
            keras.utils.set_random_seed(0)
            try:
                test()
            except AssertionError as error:
                raise AssertionError(
                    f"{name} ({entry.title}) does not show with {have}: if a release changed it, end its range of "
                    "versions in auditor/compare/catalogue/entries.json and run scripts/generated.py"
                ) from error

        return run

    return mark


def is_uniform(values: Any, bound: float) -> bool:
    """Whether values fill -bound … bound evenly (some thousand of them)."""
    told = array(values)
    least = bound * (1 - 20 / told.size)
    return bool(least < abs(told).max() <= bound * (1 + 1e-6) and abs(told.std() * 3**0.5 / bound - 1) < 0.05)


def array(values: Any) -> Array:
    """Anything's numbers as float64."""
    if isinstance(values, torch.Tensor):
        values = values.detach().numpy()
    elif hasattr(values, "numpy"):
        values = values.numpy()  # tensors and variables of TensorFlow and Keras
    return np.asarray(values, np.float64)


def apart(a: Any, b: Any) -> float:
    """Relative distance of two arrays."""
    left, right = array(a), array(b)
    return float(np.linalg.norm(left - right) / max(float(np.linalg.norm(left)), 1e-300))


def normal(*shape: int, seed: int = 0) -> Array:
    """Standard normal numbers, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


#: Where every walk begins, and the gradients that it is given.
START: Final = np.random.default_rng(1).normal(size=50)
GRADIENTS: Final = np.random.default_rng(2).normal(size=(12, 50))


def torch_walk(
    make: Callable[[list[Any]], Any],
    gradients: Any = GRADIENTS,
    start: Any = START,
    rates: Sequence[float] = (),
) -> Array:
    """Positions after each step of an optimizer of PyTorch, in float64; ``rates``: learning rate of each step."""
    weight = torch.nn.Parameter(torch.tensor(np.atleast_1d(start), dtype=torch.float64))
    optimizer = make([weight])
    found = []
    for at, gradient in enumerate(gradients):
        for group in optimizer.param_groups if rates else ():
            group["lr"] = rates[at]
        weight.grad = torch.tensor(np.atleast_1d(gradient), dtype=torch.float64)
        optimizer.step()
        found.append(array(weight).copy())
    return np.stack(found)


def keras_walk(optimizer: Any, gradients: Any = GRADIENTS, start: Any = START, rates: Sequence[float] = ()) -> Array:
    """The like of an optimizer of Keras."""
    weight = keras.Variable(np.atleast_1d(start), dtype="float64")
    optimizer.build([weight])
    found = []
    for at, gradient in enumerate(gradients):
        if rates:
            optimizer.learning_rate = rates[at]
        optimizer.apply([tf.constant(np.atleast_1d(gradient), tf.float64)], [weight])
        found.append(array(weight).copy())
    return np.stack(found)


def sklearn_walk(make: Callable[[list[Array]], Any], gradients: Any = GRADIENTS, start: Any = START) -> Array:
    """The like of an optimizer of scikit-learn."""
    weights = [np.atleast_1d(np.array(start, np.float64))]
    optimizer = make(weights)
    found = []
    for gradient in gradients:
        optimizer.update_params(weights, [np.atleast_1d(np.asarray(gradient, np.float64))])
        found.append(weights[0].copy())
    return np.stack(found)


def farthest(a: Any, b: Any, rate: float) -> float:
    """Largest distance of two walks in units of the learning rate."""
    return float(abs(array(a) - array(b)).max() / rate)


class Watched(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """Passes its input on and notes each batch in ``seen``, as (training, values); its model runs eagerly."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, Array]] = []

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The input itself."""
        if tf.executing_eagerly() and not isinstance(inputs, keras.KerasTensor):
            self.seen.append((bool(training), array(inputs)))
        return inputs

    def batches(self, *, training: bool = True) -> Iterator[list[float]]:
        """The first column of every batch of one mode."""
        return (values[:, 0].tolist() for trained, values in self.seen if trained == training)


def watched_fit(x: Any, **options: Any) -> Watched:
    """The batches of ``fit(x, **options)``, x being a column of numbers or a dataset."""
    watch = Watched()
    model = keras.Sequential([watch, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    targets = {} if isinstance(x, tf.data.Dataset) else {"y": np.zeros((len(x), 1), "f4")}
    model.fit(x, **targets, verbose=0, **options)
    return watch
