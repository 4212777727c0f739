"""What a Keras run is: model, initial weights, optimizer, loss, data, precision, environment.

Read from the objects as Keras resolved them, never from the user's arguments: ``"adam"`` is an
optimizer with an epsilon. Each part is read on its own, so that an exotic layer costs its own
entry and no more.
"""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import os
import platform
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final, cast

import keras

from auditor_agent.guard import failure, guarded
from auditor_agent.integrations.keras import legacy, nested
from auditor_agent.integrations.keras.backends import backend
from auditor_agent.integrations.keras.scaled import scalings

#: What may be told of the environment; nothing else of it leaves the process.
ENVIRONMENT: Final = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
    "TF_CUDNN_DETERMINISTIC",
    "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)
#: Rows and columns of a frozen square that are told.
_CORNER: Final = 8
_PACKAGES: Final = ("keras", "tensorflow", "torch", "jax", "numpy")


def manifest(model: Any, arguments: Mapping[str, Any] | None, weights: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a compiled and built model.

    Args:
        model: the model that ``fit`` was called on.
        arguments: the local variables of that ``fit`` (see ``fit_arguments``).
        weights: initial statistics by weight name.
    """
    parts: dict[str, Callable[[], Any]] = {
        "versions": versions,
        "model": lambda: describe_model(model),
        "optimizer": lambda: optimizer(model.optimizer),
        "loss": lambda: loss(model),
        "data": lambda: data(arguments or {}),
        "precision": lambda: precision(model),
        "init": lambda: {"weights": dict(weights), "seeds": seeds()},
        "environment": environment,
    }
    return {"framework": "keras"} | {name: part(name, read) for name, read in parts.items()}


def part(name: str, read: Callable[[], Any]) -> Any:
    """What ``read`` gives, in plain values; what went wrong instead, if it does."""
    try:
        return plain(read())
    except Exception as error:
        failure(f"manifest.{name}", error)
        return {"unreadable": type(error).__name__}


def versions() -> dict[str, str]:
    """Versions of Python, Keras, the backend and NumPy, as far as they are loaded."""
    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in _PACKAGES:
        if package in sys.modules:
            found[package] = str(getattr(sys.modules[package], "__version__", "")) or _installed(package)
    return found


def _installed(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def describe_model(model: Any) -> dict[str, Any]:
    """Layers in execution order, with what the framework declares of each."""
    layers = [layer for layer in nested.layers_of(model) if not _container(layer)]
    told = [part("layer", functools.partial(describe_layer, layer)) for layer in layers]
    scaled = part("scaled", lambda: list(scalings(model)))
    return {
        "class": type(model).__name__,
        "name": model.name,
        "layers": [*(scaled if isinstance(scaled, list) else ()), *told],
        "parameters": sum(_size(variable) for variable in model.weights),
        "trainable_parameters": sum(_size(variable) for variable in model.trainable_variables),
    }


def describe_layer(layer: Any) -> dict[str, Any]:
    """One layer: class, name, shapes, configuration, weights."""
    config = layer.get_config()
    body: dict[str, Any] = {
        "class": type(layer).__name__,
        "name": layer.name,
        "path": getattr(layer, "path", layer.name),
    }
    body |= {"trainable": bool(layer.trainable), "dtype": str(layer.compute_dtype)}
    for key, place in (("input_shape", "input"), ("output_shape", "output")):
        shape = _shape(layer, place)
        if shape is not None:
            body[key] = shape
    skip = {"name", "trainable", "dtype", "layers", "build_config", "input_layers", "output_layers"}
    # Covers units, activation, use_bias, initializers, regularizers, momentum, epsilon, rate, seed.
    body["config"] = {key: plain(value) for key, value in config.items() if key not in skip}
    if "activation" in config:
        body["activation"] = _name_of(getattr(layer, "activation", None)) or plain(config["activation"])
    body["weights"] = [
        {"name": v.path, "shape": list(v.shape), "dtype": str(v.dtype), "trainable": bool(v.trainable), **_corner(v)}
        for v in layer.weights
    ]
    return body


@guarded(cast("dict[str, Any]", {}))
def _corner(variable: Any) -> dict[str, Any]:
    """What a frozen square begins with: one that was taken over as it lies shows by it (FWD-17)."""
    shape = tuple(variable.shape)
    if variable.trainable or len(shape) != 2 or shape[0] != shape[1]:
        return {}
    return {"corner": backend().host(variable.value[:_CORNER, :_CORNER]).tolist()}


def optimizer(instance: Any) -> dict[str, Any]:
    """The optimizer with every hyperparameter as resolved; a schedule with its configuration."""
    inner = getattr(instance, "inner_optimizer", instance)
    config = _config(inner)
    rate = getattr(inner, "_learning_rate", None)
    body: dict[str, Any] = {"class": type(inner).__name__, "module": type(inner).__module__.split(".")[0]}
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        body["schedule"] = {"class": type(rate).__name__, "config": plain(rate.get_config())}
    config["learning_rate"] = float(_read(inner.learning_rate))
    body["hyperparameters"] = plain(config)
    body |= {"iterations": int(_read(inner.iterations)), **legacy.ignored(inner)}
    if inner is not instance:
        body["loss_scale"] = {
            "class": type(instance).__name__,
            "initial_scale": float(instance.initial_scale),
            "dynamic_growth_steps": int(instance.dynamic_growth_steps),
        }
    return body


def _read(value: Any) -> Any:
    """A scalar's value, also where a strategy mirrors its variable."""
    tensor = keras.ops.convert_to_tensor(value)
    return tensor.numpy() if isinstance(tensor, keras.Variable) else tensor


def _config(inner: Any) -> dict[str, Any]:
    try:
        return dict(inner.get_config())
    except TypeError:  # under a tf.distribute strategy the rate is mirrored: Keras itself cannot tell it
        names = inspect.signature(type(inner).__init__).parameters
        return {name: getattr(inner, name) for name in names if hasattr(inner, name) and name != "learning_rate"}


def loss(model: Any) -> dict[str, Any]:
    """The loss with its reduction and whether it takes logits; regularizers; compiled metrics."""
    compiled = model._compile_config.config if getattr(model, "_compile_config", None) else {}  # noqa: SLF001 -- no public name
    given = getattr(model, "loss", None)
    body = {"losses": [one_loss(part) for part in _leaves(_resolved(model, given))]}
    if len(body["losses"]) == 1:
        body |= body["losses"][0]
    regularized = {
        layer.name: {key: plain(keras.saving.serialize_keras_object(value))}
        for layer in model._flatten_layers()  # noqa: SLF001 -- no public walk
        for key in ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "embeddings_regularizer")
        if (value := getattr(layer, key, None)) is not None
    }
    return body | {
        "regularizers": regularized,
        "loss_weights": plain(compiled.get("loss_weights")),
        "metrics": plain(compiled.get("metrics")),
    }


def _resolved(model: Any, given: Any) -> Any:
    compiled = getattr(model, "_compile_loss", None)
    flat = getattr(compiled, "_flat_losses", None)
    if flat:  # built: [CompiledLoss(path, function, weight, name), ...]
        return [getattr(part, "loss", part) for part in flat]
    return given


def one_loss(part: Any) -> dict[str, Any]:
    """One loss with its reduction and whether it takes logits."""
    instance = part
    if isinstance(part, str):
        instance = keras.losses.get(part)
    config = instance.get_config() if hasattr(instance, "get_config") else {}
    function = getattr(instance, "fn", None)
    body = {"class": type(instance).__name__, "name": getattr(instance, "name", None) or _name_of(instance)}
    if function is not None:
        body["function"] = _name_of(function)
    body["reduction"] = getattr(instance, "reduction", "sum_over_batch_size" if callable(instance) else None)
    body["from_logits"] = bool(config.get("from_logits", getattr(instance, "_fn_kwargs", {}).get("from_logits", False)))
    return body | {"config": plain(config)}


def _shuffles(adapter: Any) -> bool | None:
    """Whether ``fit`` shuffles: arrays, and batches of a ``PyDataset``; None of what has an order of its own.

    The argument itself says nothing: its default is True, and a data set or a generator ignores it.
    """
    told = next((getattr(adapter, name) for name in ("_shuffle", "shuffle") if hasattr(adapter, name)), None)
    return None if told is None else bool(told)


def data(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Batches as ``fit`` resolved them."""
    iterator: Any = arguments.get("epoch_iterator")
    adapter: Any = getattr(iterator, "data_adapter", None)
    body: dict[str, Any] = {
        "adapter": type(adapter).__name__ if adapter is not None else None,
        "batch_size": _maybe(lambda: adapter.batch_size) or arguments.get("batch_size"),
        "steps_per_epoch": _maybe(lambda: iterator.num_batches),
        "epochs": arguments.get("epochs"),
        "initial_epoch": arguments.get("initial_epoch"),
        "validation_split": arguments.get("validation_split"),
        "validation": arguments.get("validation_data") is not None,
        "class_weight": plain(arguments.get("class_weight")),
        "sample_weight": arguments.get("sample_weight") is not None,
        "last_partial_batch": _maybe(lambda: adapter.partial_batch_size),
        "shuffle": _shuffles(adapter),
    }
    body["callbacks"] = _conduct(arguments.get("callbacks")) or None
    for key in ("x", "y"):
        body[key] = [_array(leaf) for leaf in _leaves(arguments.get(key)) if hasattr(leaf, "shape")]
    if body["x"] and body["x"][0]["shape"]:
        body["samples"] = body["x"][0]["shape"][0]
    return {key: value for key, value in body.items() if value is not None}


#: Settings that say when a callback acts.
_WHEN: Final = ("monitor", "patience", "min_delta", "factor", "cooldown", "start_from_epoch", "min_lr")


def _conduct(callbacks: Any) -> list[dict[str, Any]]:
    """The callbacks that may end a training or lower its rate, which another seed has happen at another step."""
    held = getattr(callbacks, "callbacks", callbacks)
    kinds = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)
    return [
        {"class": type(one).__name__} | {name: plain(getattr(one, name)) for name in _WHEN if hasattr(one, name)}
        for one in (held if isinstance(held, (list, tuple)) else ())
        if isinstance(one, kinds)
    ]


def precision(model: Any) -> dict[str, Any]:
    """Number formats, and how the train function is compiled."""
    policy = model.dtype_policy
    return {
        "policy": policy.name,
        "compute_dtype": policy.compute_dtype,
        "variable_dtype": policy.variable_dtype,
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "jit_compile": bool(model.jit_compile),
        "run_eagerly": bool(model.run_eagerly),
        "own_train_step": not type(model).train_step.__module__.startswith("keras."),
        "steps_per_execution": int(model.steps_per_execution),
    }


def seeds() -> dict[str, Any]:
    """Seeds that were set, read without drawing from any generator."""
    found: dict[str, Any] = {"keras": _maybe(_keras_seed)}
    if "tensorflow" in sys.modules:
        found["tensorflow"] = _maybe(_tensorflow_seed)
    return found


def _keras_seed() -> Any:
    from keras.src.utils import rng_utils

    return rng_utils.get_random_seed()


def _tensorflow_seed() -> Any:
    from tensorflow.python.eager import context

    return context.global_seed()


def _deterministic() -> Any:
    from tensorflow.python.framework import config  # as Keras asks: there is no public name

    return config.is_op_determinism_enabled()


def environment() -> dict[str, Any]:
    """The machine, and the variables of ``ENVIRONMENT`` that are set."""
    body: dict[str, Any] = {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "variables": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    }
    if "tensorflow" in sys.modules and keras.backend.backend() == "tensorflow":
        tf = sys.modules["tensorflow"]
        body["devices"] = [device.name for device in tf.config.list_logical_devices()]
        body["deterministic_ops"] = _maybe(_deterministic)
    return body


def fit_arguments(model: Any) -> dict[str, Any] | None:
    """The local variables of the ``fit`` of ``model`` that is running, or None outside of one.

    Keras tells a callback neither batch size nor shuffling; they are known to the frame that calls
    it, which is read and left as it is.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- inspect.currentframe is the same under another name
    while frame is not None:
        if frame.f_code.co_name == "fit" and "epoch_iterator" in frame.f_code.co_varnames:
            local = frame.f_locals
            if local.get("self") is model:
                return dict(local)
        frame = frame.f_back
    return None


def plain(value: Any) -> Any:  # noqa: PLR0911 -- one return per kind of value
    """``value`` as JSON says it: numbers, text, lists, objects; anything else by its name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        if set(value) >= {"class_name", "config"}:  # Keras's own serialization: keep what tells
            return {"class": value["class_name"], "config": plain(value["config"])}
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "item") and getattr(value, "size", 0) == 1:
        return value.item()
    if hasattr(value, "get_config"):
        return {"class": type(value).__name__, "config": plain(value.get_config())}
    return _name_of(value) or type(value).__name__


def _name_of(value: Any) -> str | None:
    return getattr(value, "__name__", None) or getattr(value, "name", None) if value is not None else None


def _leaves(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


def _array(leaf: Any) -> dict[str, Any]:
    return {"shape": [None if extent is None else int(extent) for extent in leaf.shape], "dtype": str(leaf.dtype)}


def _shape(layer: Any, place: str) -> Any:
    tensor = _maybe(lambda: getattr(layer, place))
    if tensor is None:
        return None
    shapes = [list(leaf.shape) for leaf in _leaves(tensor)]
    return shapes[0] if len(shapes) == 1 else shapes


def _container(layer: Any) -> bool:
    return isinstance(layer, (keras.Sequential, keras.layers.InputLayer)) or (
        isinstance(layer, keras.Model) and bool(layer.layers)
    )


def _size(variable: Any) -> int:
    size = 1
    for extent in variable.shape:
        size *= int(extent)
    return size


def _maybe(read: Callable[[], Any]) -> Any:
    """What ``read`` gives, or None where this version of Keras does not have it."""
    try:
        return read()
    except Exception:
        return None
