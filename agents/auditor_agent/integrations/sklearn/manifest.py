"""What an MLP of scikit-learn is: the manifest, read off the estimator in canonical units.

Nothing here draws a random number, trains, or reads the user's data but for shapes and types. What
scikit-learn leaves unsaid is said: its squared error is halved (LOSS-01), its penalty divided by the
samples of the mini-batch and applied to coefficients alone (OPT-07 to OPT-09), its Adam adds epsilon
before the bias correction (OPT-03), its momentum has the rate inside (OPT-10), its biases start from
the kernel's own uniform distribution (INIT-02).
"""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor_agent.capture.manifest import l2_penalty, update_rule
from auditor_agent.guard import failure
from auditor_agent.statistics import COUNTS, STATISTICS, WORDS

#: What may be told of the environment; nothing else of it leaves the process.
ENVIRONMENT: Final = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")
_PACKAGES: Final = ("sklearn", "numpy", "scipy")
#: sqrt(factor / (fan in + fan out)) bounds the uniform distribution of a layer's weights and biases.
_FACTORS: Final = {"logistic": 2.0}
_GLOROT: Final = 6.0
#: Activations under the names that other frameworks have for them.
_WORDS: Final = {"identity": "linear", "logistic": "sigmoid"}


def names(layers: int) -> list[str]:
    """The weights of ``layers`` layers in the order of execution, as Python says them."""
    return [name for at in range(layers) for name in (f"coefs_[{at}]", f"intercepts_[{at}]")]


def by_layer(arrays: Sequence[Any]) -> list[Any]:
    """Coefficients and intercepts in the order of :func:`names`; scikit-learn has all coefficients first."""
    half = len(arrays) // 2
    return [array for pair in zip(arrays[:half], arrays[half:], strict=True) for array in pair]


def layers(estimator: Any) -> list[dict[str, str]]:
    """Name, kind and activation of each layer in execution order, in the words of other frameworks."""
    last = len(estimator.coefs_) - 1
    given = [estimator.out_activation_ if at == last else estimator.activation for at in range(last + 1)]
    return [
        {"name": "output" if at == last else f"hidden[{at}]", "kind": "Dense", "activation": _WORDS.get(word, word)}
        for at, word in enumerate(given)
    ]


def seen_loss(estimator: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The loss of a batch as computed: what of which shapes."""
    body = _loss_words(estimator)
    output, target = arguments["activations"][-1], arguments["y"]
    shapes = {"output_shape": [int(n) for n in output.shape], "target_shape": [int(n) for n in target.shape]}
    told = {"operation": body["class"], "reduction": body.get("reduction"), "factor": body.get("factor")}
    return told | shapes | {"broadcast": False, "from_logits": False}


def canonical(estimator: Any, samples: int) -> dict[str, Any]:
    """The ``canonical`` section: update rule, penalties on a mini-batch of ``samples``."""
    told = _OPTIMIZERS[estimator.solver](estimator)
    rule = update_rule("sklearn", told["class"], told["hyperparameters"])
    law = l2_penalty(float(estimator.alpha) / (2 * samples))
    penalties = {f"{layer['name']}.kernel": dict(law) for layer in layers(estimator)} if estimator.alpha else {}
    return {"update": [rule | {"schedule": told.get("schedule")}], "normalization": {}, "penalties": penalties}


def fit(estimator: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a ``fit`` as it starts: kind of call, solver, shapes of the data.

    Args:
        estimator: whose ``fit`` it is.
        arguments: of its ``_fit``, by name.
    """
    incremental = bool(arguments.get("incremental", False))
    kept = hasattr(estimator, "coefs_") and (incremental or estimator.warm_start)
    return {
        "call": "partial_fit" if incremental else "fit",
        "fresh": not kept,
        "solver": estimator.solver,
        "x": _array(arguments.get("X")),
        "y": _array(arguments.get("y")),
        "sample_weight": arguments.get("sample_weight") is not None,
    }


def manifest(  # noqa: PLR0913 -- what it is read from
    estimator: Any,
    of_fit: Mapping[str, Any],
    *,
    words: bytes,
    dtype: str,
    first_batch: int,
    shapes: tuple[Any, Any],
) -> dict[str, Any]:
    """The manifest of an estimator about to take its first step.

    Args:
        estimator: with its initial weights.
        of_fit: see :func:`fit`.
        words: statistics of the initial weights, in the order of :func:`names`.
        dtype: of weights and gradients.
        first_batch: samples in the first batch.
        shapes: of target and output in the first batch, as the loss saw them.
    """
    parts: dict[str, Callable[[], Any]] = {
        "versions": _versions,
        "estimator": lambda: {"class": _class(estimator), "parameters": _settings(estimator)},
        "model": lambda: _model(estimator, dtype),
        "init": lambda: _init(estimator, of_fit, words),
        "optimizer": lambda: _OPTIMIZERS[estimator.solver](estimator),
        "loss": lambda: _loss(estimator, first_batch, shapes),
        "data": lambda: _data(estimator, of_fit, first_batch),
        "precision": lambda: {"parameters": [dtype], "compute_dtype": dtype},
        "environment": _environment,
    }
    return {"framework": "sklearn"} | {name: _part(name, read) for name, read in parts.items()}


def _part(name: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Exception as error:
        failure(f"manifest.{name}", error)
        return {"unreadable": type(error).__name__}


def _model(estimator: Any, dtype: str) -> dict[str, Any]:
    last = len(estimator.coefs_) - 1
    layers = []
    for at, coef in enumerate(estimator.coefs_):
        rows, units = (int(extent) for extent in coef.shape)
        kernel, bias = f"coefs_[{at}]", f"intercepts_[{at}]"
        layers.append(
            {
                "class": "Dense",
                "name": "output" if at == last else f"hidden[{at}]",
                "units": units,
                "activation": estimator.out_activation_ if at == last else estimator.activation,
                "use_bias": True,
                "input_shape": [None, rows],
                "output_shape": [None, units],
                "kernel_layout": "in,out",
                "weights": [
                    {"name": kernel, "shape": [rows, units], "dtype": dtype, "trainable": True},
                    {"name": bias, "shape": [units], "dtype": dtype, "trainable": True},
                ],
            }
        )
    size = sum(int(weight.size) for weight in [*estimator.coefs_, *estimator.intercepts_])
    return {"class": _class(estimator), "layers": layers, "parameters": size, "trainable_parameters": size}


def _init(estimator: Any, of_fit: Mapping[str, Any], words: bytes) -> dict[str, Any]:
    columns = np.frombuffer(words, "<u4").reshape(WORDS, -1)
    rows = [*columns[: len(COUNTS)].tolist(), *columns[len(COUNTS) :].view("<f4").tolist()]
    known = names(len(estimator.coefs_))
    weights = {name: {s: row[at] for s, row in zip(STATISTICS, rows, strict=True)} for at, name in enumerate(known)}
    seed = estimator.random_state
    body: dict[str, Any] = {
        "weights": weights,
        "seeds": {"random_state": seed if seed is None or isinstance(seed, int) else type(seed).__name__},
        # The weights of a warm start are those that earlier training reached.
        "fresh": of_fit["fresh"],
    }
    if of_fit["fresh"]:
        body["distributions"] = {name: law for at in range(len(known) // 2) for name, law in _laws(estimator, at)}
    return body


def _laws(estimator: Any, at: int) -> list[tuple[str, dict[str, Any]]]:
    fan_in, fan_out = (int(extent) for extent in estimator.coefs_[at].shape)
    factor = _FACTORS.get(estimator.activation, _GLOROT)
    bound = math.sqrt(factor / (fan_in + fan_out))
    law = {"class": "uniform", "low": -bound, "high": bound, "fan_in": fan_in, "fan_out": fan_out}
    law["rule"] = "glorot_uniform" if factor == _GLOROT else f"sqrt({factor:g}/(fan_in+fan_out))"
    return [(f"coefs_[{at}]", law), (f"intercepts_[{at}]", law)]


def _adam(estimator: Any) -> dict[str, Any]:
    return {
        "class": "Adam",
        "module": "sklearn",
        "hyperparameters": {
            "learning_rate": estimator.learning_rate_init,
            "beta_1": estimator.beta_1,
            "beta_2": estimator.beta_2,
            "epsilon": estimator.epsilon,
            "epsilon_placement": "before_bias_correction",
            "amsgrad": False,
            "weight_decay": 0.0,
        },
        "schedule": {"class": "constant"},  # `learning_rate` is read by sgd alone
        "iterations": int(getattr(_optimizer(estimator), "t", 0)),
    }


def _sgd(estimator: Any) -> dict[str, Any]:
    schedule: dict[str, Any] = {"class": estimator.learning_rate, "per": "epoch"}
    if estimator.learning_rate == "invscaling":
        # learning_rate_init / (samples seen + 1) ** power_t
        schedule |= {"power_t": estimator.power_t, "unit": "samples"}
    if estimator.learning_rate == "adaptive":
        schedule |= {"factor": 0.2, "floor": 1e-6, "patience": estimator.n_iter_no_change, "tol": estimator.tol}
    return {
        "class": "SGD",
        "module": "sklearn",
        "hyperparameters": {
            "learning_rate": estimator.learning_rate_init,
            "momentum": estimator.momentum,
            "nesterov": bool(estimator.nesterovs_momentum),
            "dampening": 0.0,
            "momentum_convention": "velocity = momentum * velocity - learning_rate * gradient",
            "weight_decay": 0.0,
        },
        "schedule": schedule,
    }


def _lbfgs(estimator: Any) -> dict[str, Any]:
    limits = {"max_iter": estimator.max_iter, "max_fun": estimator.max_fun, "gtol": estimator.tol}
    note = "a step is an accepted point, the first the start; points that the line search rejects are only counted"
    return {"class": "LBFGS", "module": "scipy", "hyperparameters": limits, "step": note}


_OPTIMIZERS: Final[Mapping[str, Callable[[Any], dict[str, Any]]]] = {"adam": _adam, "sgd": _sgd, "lbfgs": _lbfgs}


def _loss_words(estimator: Any) -> dict[str, Any]:
    name = estimator.loss
    kinds = {
        # Per element: factor * loss; then over samples, then over outputs.
        "squared_error": {"class": "squared_error", "factor": 0.5, "reduction": "mean", "over_outputs": "mean"},
        "poisson": {"class": "poisson", "factor": 1.0, "reduction": "mean", "over_outputs": "sum"},
        "log_loss": {"class": "log_loss", "factor": 1.0, "reduction": "mean", "over_outputs": "sum"},
    }
    body: dict[str, Any] = dict(kinds.get(name, {"class": name}))
    if name == "log_loss":
        body["class"] = "binary_crossentropy" if estimator.out_activation_ == "logistic" else "categorical_crossentropy"
        body["clipped_at"] = "eps of the dtype"
    return body


def _loss(estimator: Any, first_batch: int, shapes: tuple[Any, Any]) -> dict[str, Any]:
    body, outputs = _loss_words(estimator), int(estimator.n_outputs_)
    # Backpropagation is that of the sum over outputs whatever the loss says; one output makes no difference.
    body["gradient_over_outputs"] = "sum"
    body |= {"from_logits": False, "output_activation": estimator.out_activation_, "outputs": outputs}
    body |= {f"{what}_shape": list(shape) for what, shape in zip(("target", "output"), shapes, strict=True) if shape}
    coefficient = float(estimator.alpha) / (2 * first_batch)
    law = {"class": "L2", "coefficient": coefficient, "alpha": estimator.alpha, "formula": "alpha / (2 * n_batch)"}
    body["regularizers"] = {f"coefs_[{at}]": dict(law) for at in range(len(estimator.coefs_))}
    return body


def _data(estimator: Any, of_fit: Mapping[str, Any], first_batch: int) -> dict[str, Any]:
    body: dict[str, Any] = {key: of_fit[key] for key in ("call", "x", "y", "sample_weight")}
    samples = (of_fit["x"] or {}).get("shape", [None])[0]
    if of_fit["solver"] == "lbfgs":
        return body | {"samples": samples, "batch_size": samples, "shuffle": False, "steps_per_epoch": 1}
    if samples is not None and estimator.early_stopping:
        body["validation_fraction"] = estimator.validation_fraction
        body["validation_samples"] = math.ceil(estimator.validation_fraction * samples)
        body["early_stopping"] = {"tol": estimator.tol, "patience": estimator.n_iter_no_change, "restores_best": True}
        samples -= body["validation_samples"]
    body |= {"samples": samples, "batch_size": first_batch, "shuffle": bool(estimator.shuffle)}
    body["batch_size_given"] = estimator.batch_size
    if samples is not None:
        body["steps_per_epoch"] = math.ceil(samples / first_batch)
        body["last_partial_batch"] = samples % first_batch
    body["epochs"] = 1 if of_fit["call"] == "partial_fit" else estimator.max_iter
    shuffled = "indices shuffled anew each epoch from the last order, by the RandomState that drew the weights"
    body["order"] = shuffled if estimator.shuffle else "as given"
    return body


def _array(value: Any) -> dict[str, Any] | None:
    """Shape, type and sparsity of what was handed to ``fit``."""
    if value is None:
        return None
    shape = getattr(value, "shape", None)
    extents = [int(extent) for extent in shape] if shape is not None else [len(value)]
    return {
        "shape": extents,
        "dtype": str(getattr(value, "dtype", type(value).__name__)),
        "sparse": hasattr(value, "nnz"),
    }


def _settings(estimator: Any) -> dict[str, Any]:
    return {name: value for name, value in estimator.get_params(deep=False).items() if name != "random_state"}


def _optimizer(estimator: Any) -> Any:
    return getattr(estimator, "_optimizer", None)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        if name in sys.modules:
            found[name] = str(sys.modules[name].__version__)
    return found


def _environment() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "variables": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    }


def _class(thing: Any) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
