"""What a custom TensorFlow loop is, in the words of the Keras manifest."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from auditor_agent.capture.arrays import Words
from auditor_agent.guard import failure
from auditor_agent.integrations.keras import manifest as parts
from auditor_agent.integrations.keras.untrained import by_batches
from auditor_agent.integrations.keras.watch import named


def manifest(  # noqa: PLR0913 -- one argument per thing that a loop holds by itself
    model: Any,
    variables: Sequence[Any],
    names: Callable[[Any], str],
    *,
    optimizer: Any = None,
    loss: Any = None,
    batch: Mapping[str, Any] | None = None,
    initial: Words | None = None,
) -> dict[str, Any]:
    """The manifest of a loop about to take its first step.

    Args:
        model: the Keras model that holds the variables, or None.
        variables: what the loop trains.
        names: the name of a variable.
        optimizer: the Keras optimizer, or None.
        loss: the loss object or function, or None where nobody told.
        batch: what is known of the data.
        initial: statistics of ``variables`` before the first step.
    """
    weights = {} if initial is None else {names(v): named(initial[:, i]) for i, v in enumerate(variables)}
    read: dict[str, Callable[[], Any]] = {
        "versions": parts.versions,
        "model": lambda: _model(model, variables, names),
        "optimizer": lambda: None if optimizer is None else parts.optimizer(optimizer),
        "loss": lambda: {} if loss is None else parts.one_loss(loss),
        "data": lambda: dict(batch or {}),
        "precision": lambda: _precision(model, variables),
        "init": lambda: {"weights": weights, "seeds": parts.seeds()},
        "environment": parts.environment,
    }
    with tf.init_scope():  # out of whatever is being traced, where values can be read
        framework = "keras" if by_batches() else "tensorflow"
        return {"framework": framework} | {name: parts.part(name, reader) for name, reader in read.items()}


def _model(model: Any, variables: Sequence[Any], names: Callable[[Any], str]) -> dict[str, Any]:
    if model is not None:
        return parts.describe_model(model)
    size = sum(int(tf.size(v)) if v.shape.rank is None else int(v.shape.num_elements()) for v in variables)
    weights = [{"name": names(v), "shape": [int(n) for n in v.shape], "dtype": _dtype(v)} for v in variables]
    return {"class": None, "weights": weights, "parameters": size, "trainable_parameters": size, "layers": []}


def _precision(model: Any, variables: Sequence[Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"parameters": sorted({_dtype(v) for v in variables})}
    if model is not None:
        import keras

        policy = model.dtype_policy
        body |= {"policy": policy.name, "compute_dtype": policy.compute_dtype, "variable_dtype": policy.variable_dtype}
        body["epsilon"] = keras.config.epsilon()
    return body


def _dtype(variable: Any) -> str:
    return str(tf.as_dtype(variable.dtype).name)


def find_model(variables: Sequence[Any]) -> Any:
    """The smallest live Keras model that holds all of ``variables``; None if there is none."""
    try:
        import keras

        return _smallest([thing for thing in gc.get_objects() if issubclass(type(thing), keras.Model)], variables)
    except Exception as error:
        failure("tensorflow_manifest.find_model", error)
        return None


def holds(model: Any, variables: Sequence[Any]) -> bool:
    """Whether ``model`` trains all of ``variables``."""
    return {id(variable) for variable in variables} <= {id(v) for v in model.trainable_variables}


def around(model: Any, variables: Sequence[Any], called: Sequence[Any]) -> Any:
    """The model that the loop calls, if what it trains is a part of that; else ``model``, which holds what it trains.

    A loop that is given ``head.trainable_variables`` and calls ``model`` computes all of ``model``.
    """
    return _smallest(called, variables) or model


def _smallest(models: Sequence[Any], variables: Sequence[Any]) -> Any:
    holding = [model for model in models if holds(model, variables)]
    return min(holding, key=lambda model: len(model.weights), default=None)


def alone(layers: Iterable[Any]) -> list[Any]:
    """What layers of Keras declare that a loop calls one by one, with no model around them, in the order given."""
    with tf.init_scope():
        return [parts.part("layer", functools.partial(parts.describe_layer, one)) for one in layers]


def beside(body: Any, weights: Sequence[Any], names: Callable[[Any], str]) -> None:
    """Mark the weights of a described model that are not among ``weights``: nobody said that they are trained."""
    known = {names(variable) for variable in weights}
    for layer in body.get("layers") or ():
        for told in layer.get("weights") or ():
            if told["name"] not in known:
                told["outside"] = True
