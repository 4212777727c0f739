"""A Keras implementation, on the TensorFlow backend, in lockstep: eager, so that every tensor can be seen."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from auditor_agent.parity import keras_cells
from auditor_agent.parity.cells import F64
from auditor_agent.parity.given import Implementation, NotComparableError
from auditor_agent.parity.seen import Counter, Point, Seen, array, as_input, kind_of
from auditor_agent.parity.told import Told, tell

#: Lists of variables in Keras's optimizers -> canonical name, by rule where the name means several things.
STATE: Final = {
    "_momentums": "first_moment", "_velocities": "second_moment", "_velocity_hats": "largest_second_moment",
    "_m": "first_moment", "_u": "largest", "_accumulators": "second_moment", "_average_gradients": "first_moment",
    "_accumulated_grads": "second_moment", "_accumulated_delta_vars": "second_moment_of_updates",
    "momentums": "momentum",
}  # fmt: skip


class KerasSide:
    """See ``seen.Side``. ``double``: it was made in float64, the oracle."""

    framework = "keras"

    def __init__(self, given: Implementation, inputs: Any, *, double: bool = False) -> None:
        if keras.backend.backend() != "tensorflow":
            raise NotComparableError(f"Keras on the TensorFlow backend is needed, not on {keras.backend.backend()}")
        self.given = given
        self._model = given.model
        self._double = double
        self._training = True if given.training is None else given.training
        self._loss = _loss(given.loss)
        self._last_rate = 0.0
        self._settings: dict[int, Any] = {}
        if not self._model.built or not self._model.variables:
            self._model(*self._arguments(inputs), training=False)
        self.cells = keras_cells.find(self._model)
        self._kinds = {id(cell.layer): cell.kind for cell in self.cells}
        self._optimizer = given.optimizer
        self._optimizer.build(self._model.trainable_variables)
        self._keys = {id(variable): str(at) for at, variable in enumerate(self._model.variables)}
        self.rule = type(self._optimizer).__name__.lower().removesuffix("w")

    def _arguments(self, inputs: Any) -> tuple[Any, ...]:
        found = [self._tensor(one) for one in as_input(inputs)]
        several = len(found) > 1 and len(getattr(self._model, "inputs", None) or ()) == len(found)
        return (found,) if several else tuple(found)

    def _tensor(self, value: Any) -> Any:
        found = array(value)
        if np.issubdtype(found.dtype, np.floating):
            return tf.constant(found, tf.float64 if self._double else tf.float32)
        return tf.constant(found)

    @contextlib.contextmanager
    def _watched(self, points: list[Point]) -> Iterator[None]:
        counter = Counter()
        layers = [layer for layer in keras_cells.layers_of(self._model) if not _container(layer)]
        for layer in layers:
            self._watch(layer, points, counter)
        try:
            yield
        finally:
            for layer in layers:
                vars(layer).pop("call", None)
                if "_parity_activation" in vars(layer):
                    object.__setattr__(layer, "activation", vars(layer).pop("_parity_activation"))

    def _watch(self, layer: Any, points: list[Point], counter: Counter) -> None:
        path, cell = keras_cells.path_of(layer), id(layer) in self._kinds
        kind = self._kinds.get(id(layer), kind_of(type(layer).__name__))
        settings = self._settings.setdefault(id(layer), None) or keras_cells.settings(layer)
        self._settings[id(layer)] = settings
        original = layer.call
        times = 0

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal times
            times = counter.next(path)
            given = [*args, *kwargs.values()]
            if cell and given and tf.is_tensor(given[0]):
                points.append(Point((path, times, "input"), kind, _numpy(given[0]), cell, settings, _dtype(given[0])))
            output = original(*args, **kwargs)
            first = output[0] if isinstance(output, (tuple, list)) else output
            fused = kind in _LINEAR and settings.get("activation", "linear") != "linear"
            if tf.is_tensor(first):
                what = "linear" if kind in _LINEAR and not fused else "output"
                sort = "activation" if fused else kind
                points.append(
                    Point((path, times, what), sort, _numpy(first), cell and not fused, settings, _dtype(first))
                )
            return output

        object.__setattr__(layer, "call", call)
        if kind in _LINEAR and callable(getattr(layer, "activation", None)) and settings.get("activation") != "linear":
            self._split(layer, lambda before: points.append(
                Point((path, times, "linear"), kind, _numpy(before), cell, settings, _dtype(before))))  # fmt: skip

    @staticmethod
    def _split(layer: Any, note: Callable[[Any], None]) -> None:
        """Shows what goes into the activation that a layer applies by itself."""
        original = layer.activation

        def activation(before: Any) -> Any:
            note(before)
            return original(before)

        object.__setattr__(layer, "_parity_activation", original)
        object.__setattr__(layer, "activation", activation)

    def _call(self, inputs: Any, training: bool) -> Any:
        output = self._model(*self._arguments(inputs), training=training)
        return output[0] if isinstance(output, (tuple, list)) else output

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:
        """See ``seen.Side``."""
        points: list[Point] = []
        kept = {str(at): _numpy(v) for at, v in enumerate(self._model.variables)
                if not v.trainable and "float" in str(v.dtype)}  # fmt: skip
        with self._floats(), self._watched(points):
            output = self._call(inputs, self._training if training is None else training)
        self.load(kept)
        return _numpy(output), points

    @contextlib.contextmanager
    def _floats(self) -> Iterator[None]:
        """Code that asks for the default type gets float64 in an oracle."""
        with floats("float64") if self._double else contextlib.nullcontext():
            yield

    def step(self, inputs: Any, target: Any) -> Seen:
        """See ``seen.Side``."""
        points: list[Point] = []
        before, variables = self.weights(), self._model.trainable_variables
        keys = [self._keys[id(variable)] for variable in variables]
        with self._floats():
            with self._watched(points), tf.GradientTape(persistent=True) as tape:
                output = self._call(inputs, self._training)
                loss = tf.reduce_sum(self._loss(self._tensor(target), output))
                penalty = self._penalty(loss.dtype)
                total = loss + penalty
            values = list(variables)
            data = [_dense(g, v) for g, v in zip(tape.gradient(loss, values), values, strict=True)]
            whole = tape.gradient(total, values)
            out_gradient = tape.gradient(loss, output)
            rate = float(self._optimizer.learning_rate)
            self._optimizer.apply(
                [g if g is not None else tf.zeros_like(v) for g, v in zip(whole, values, strict=True)], variables
            )
        self._last_rate = rate
        after = self.weights()
        return Seen(
            points, _numpy(output), float(loss), np.zeros(()) if out_gradient is None else _numpy(out_gradient),
            dict(zip(keys, map(_numpy, data), strict=True)),
            {key: _numpy(_dense(g, v)) for key, g, v in zip(keys, whole, values, strict=True)},
            {key: after[key] - before[key] for key in after}, self.slots(), rate, float(penalty),
        )  # fmt: skip

    def _penalty(self, dtype: Any) -> Any:
        parts = [tf.cast(part, dtype) for part in self._model.losses]
        if self.given.penalty is not None:
            parts.append(tf.cast(self.given.penalty(self._model), dtype))
        return tf.add_n(parts) if parts else tf.zeros((), dtype)

    def weights(self) -> dict[str, F64]:
        """See ``seen.Side``."""
        return {str(at): _numpy(v) for at, v in enumerate(self._model.variables) if "float" in str(v.dtype)}

    def load(self, arrays: Mapping[str, F64]) -> None:
        """See ``seen.Side``."""
        for at, variable in enumerate(self._model.variables):
            if str(at) in arrays:
                variable.assign(tf.cast(arrays[str(at)], variable.dtype))

    def _state(self) -> Iterator[tuple[str, str, Any]]:
        """Canonical name, key of the parameter, variable."""
        known = [self._keys[id(variable)] for variable in self._model.trainable_variables]
        sgd = isinstance(self._optimizer, keras.optimizers.SGD)
        rms = isinstance(self._optimizer, keras.optimizers.RMSprop)
        for attribute, name in STATE.items():
            listed = getattr(self._optimizer, attribute, None)
            if not isinstance(listed, (list, tuple)) or (sgd and attribute != "momentums"):
                continue
            told = "momentum" if rms and attribute == "_momentums" else name
            yield from ((told, key, variable) for key, variable in zip(known, listed, strict=False))

    def slots(self) -> dict[str, dict[str, F64]]:
        """See ``seen.Side``. A momentum is told as PyTorch keeps it: without the learning rate."""
        found: dict[str, dict[str, F64]] = {}
        for name, key, variable in self._state():
            found.setdefault(name, {})[key] = _numpy(variable) / self._scale(name)
        return found

    def _scale(self, name: str) -> float:
        """What Keras's state is of PyTorch's: its momenta hold steps, SGD's downhill and RMSprop's uphill."""
        downhill = isinstance(self._optimizer, keras.optimizers.SGD)
        if name != "momentum" or not (downhill or isinstance(self._optimizer, keras.optimizers.RMSprop)):
            return 1.0
        return (-1.0 if downhill else 1.0) * (self._last_rate or 1.0)

    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """See ``seen.Side``."""
        for name, key, variable in self._state():
            given = slots.get(name, {}).get(key)
            if given is not None:
                variable.assign(tf.cast(given * self._scale(name), variable.dtype))

    def dropouts(self) -> list[tuple[str, float]]:
        """See ``seen.Side``."""
        found = [
            (keras_cells.path_of(layer), float(getattr(layer, _rate(layer)) or 0))
            for layer in self._layers()
            if _rate(layer)
        ]
        return [(name, rate) for name, rate in found if rate > 0]

    def _layers(self) -> list[Any]:
        return [layer for layer in keras_cells.layers_of(self._model) if not _container(layer)]

    def silence(self) -> None:
        """See ``seen.Side``."""
        for layer in self._model._flatten_layers():  # noqa: SLF001 -- no public walk
            if _rate(layer) and not isinstance(getattr(type(layer), _rate(layer), None), property):
                setattr(layer, _rate(layer), 0.0)

    def told(self) -> Told:
        """See ``seen.Side``."""
        from auditor_agent.integrations.keras.facts import canonical

        strengths = {str(at): _l2(variable) for at, variable in enumerate(self._model.variables)}
        return tell(
            self.given,
            canonical(self._model, self._optimizer),
            training=self._training,
            scheduled=callable(getattr(self._optimizer, "_learning_rate", None)),
            l2={key: strength for key, strength in strengths.items() if strength},
            places=dict(_places(self._model, "model")),
        )


_LINEAR: Final = frozenset({"dense", "conv", "depthwise", "conv_transpose"})


@contextlib.contextmanager
def floats(kind: str) -> Iterator[None]:
    """Keras's default type and policy, for the while."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(kind)
    keras.config.set_dtype_policy(kind)
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)


def _loss(given: Any) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = keras.losses.get(given) if isinstance(given, str) else given
    if isinstance(given, str):  # a function gives one number per sample; compile(loss=...) takes their mean
        return lambda target, output: tf.reduce_mean(found(target, output))
    return found


def _dense(gradient: Any, value: Any) -> Any:
    return tf.zeros_like(value) if gradient is None else tf.convert_to_tensor(gradient)


def _numpy(value: Any) -> F64:
    found: F64 = tf.cast(tf.convert_to_tensor(value), tf.float64).numpy()
    return found


def _dtype(value: Any) -> str:
    return str(tf.as_dtype(value.dtype).name)


def _container(layer: Any) -> bool:
    kinds = (keras.Model, keras.layers.InputLayer)
    return isinstance(layer, kinds) or any(True for _ in layer._layers if not isinstance(layer, keras_cells.WHOLE))  # noqa: SLF001


def _l2(variable: Any) -> float:
    """As it was written: Keras keeps the strength in float32."""
    return float(f"{float(getattr(getattr(variable, 'regularizer', None), 'l2', 0.0) or 0.0):.7g}")


def _places(model: Any, head: str) -> Iterator[tuple[str, str]]:
    """Layers by name, with where they stand as code; the first of a name counts, so the last is told first."""
    for at, layer in reversed(list(enumerate(getattr(model, "layers", ())))):
        yield from _places(layer, f"{head}.layers[{at}]")
        yield layer.name, f"{head}.layers[{at}]"


def _rate(layer: Any) -> str:
    """The attribute of a layer that says how much it drops; empty if it drops nothing."""
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return "_dropout"
    return next((name for name in ("rate", "dropout") if isinstance(getattr(layer, name, None), (int, float))), "")
