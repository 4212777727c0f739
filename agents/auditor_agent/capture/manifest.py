"""What a run is, in units that do not depend on the framework's words.

Frameworks call different things by one name (Adam's ``weight_decay`` is coupled in torch, decoupled
in Keras; BatchNorm's ``momentum`` is the weight of the new batch in one, of the old average in the
other) and one thing by different names. Here each is said once, in the terms of the catalogue of
mismatches. Two sections of a manifest come of it:

- ``canonical``: what was declared, translated (:func:`update_rule`, :func:`normalization`);
- ``observed``: what was seen in the first recorded steps (:class:`Observer`): the distribution that
  each weight was drawn from, batches and their digests, ranges of inputs and targets, the loss.

Needs NumPy; nothing else of the agent's core does.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.capture.initial import describe, fans_of
from auditor_agent.stream.recording import Array, Recording, positions

#: Elements of a batch that its digest is made of.
DIGEST_ELEMENTS: Final = 64
#: Update rules by the class's name in lower case.
_RULES: Final = {
    "adam": "adam",
    "adamw": "adam",
    "nadam": "nadam",
    "radam": "radam",
    "adamax": "adamax",
    "sgd": "sgd",
    "rmsprop": "rmsprop",
    "adagrad": "adagrad",
    "adadelta": "adadelta",
    "lbfgs": "lbfgs",
    "lion": "lion",
    "ftrl": "ftrl",
    "adafactor": "adafactor",
}
#: Where epsilon enters (OPT-03, OPT-13, OPT-15, OPT-17): measured, see the catalogue.
_PLACEMENT: Final = {
    ("torch", "adam"): "added to the root after bias correction",
    ("keras", "adam"): "added to the root before bias correction",
    ("sklearn", "adam"): "added to the root before bias correction",
    ("torch", "nadam"): "added to the root after bias correction",
    ("keras", "nadam"): "added to the root after bias correction",
    ("torch", "rmsprop"): "added to the root",
    ("keras", "rmsprop"): "under the root",
    ("torch", "adagrad"): "added to the root",
    ("keras", "adagrad"): "under the root",
    ("torch", "adadelta"): "under the root",
    ("keras", "adadelta"): "under the root",
    ("torch", "adamax"): "within the maximum",
    ("keras", "adamax"): "added to the maximum",
}
#: Rules of torch that take weight decay out of the gradient, by class.
_DECOUPLED_IN_TORCH: Final = frozenset({"adamw", "adafactor"})
_NAMES: Final = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "rho": "decay",
    "alpha": "decay",
    "initial_accumulator_value": "initial_accumulator",
    "clipnorm": "clip_norm_per_variable",
    "global_clipnorm": "clip_norm",
    "clipvalue": "clip_value",
}
_KEPT: Final = frozenset(
    {
        *("learning_rate", "epsilon", "decay", "momentum", "nesterov", "dampening", "amsgrad", "centered"),
        *("beta_1", "beta_2", "initial_accumulator", "lr_decay", "momentum_decay", "maximize"),
        *("clip_norm_per_variable", "clip_norm", "clip_value", "gradient_accumulation_steps"),
    }
)


def update_rule(framework: str, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's rule with its hyperparameters as resolved.

    Args:
        framework: ``torch``, ``keras`` or ``sklearn``.
        name: the optimizer's class.
        settings: its hyperparameters under the framework's names.

    Returns:
        ``rule``, ``learning_rate``, ``epsilon`` and ``epsilon_placement``, ``weight_decay`` (the factor
        of the weight) and ``decay_coupling`` (``coupled``: added to the gradient; ``decoupled``: taken
        off the weight; ``none``), ``momentum`` and ``momentum_buffer`` (whether the learning rate is
        inside the buffer), and what else the rule has.
    """
    plain = name.rpartition(".")[2].lower()
    rule = _RULES.get(plain, plain)
    found: dict[str, Any] = {"rule": rule}
    betas = settings.get("betas")
    if isinstance(betas, (list, tuple)) and len(betas) >= 2:
        found |= {"beta_1": betas[0], "beta_2": betas[1]}
    for key, value in settings.items():
        canonical = _NAMES.get(key, key)
        if canonical in _KEPT and value is not None:
            found[canonical] = value
    if "epsilon" in found and (framework, rule) in _PLACEMENT:
        found["epsilon_placement"] = _PLACEMENT[framework, rule]
    decay = settings.get("weight_decay")
    found["weight_decay"] = float(decay) if isinstance(decay, (int, float)) else 0.0
    found["decay_coupling"] = _coupling(framework, plain, settings) if found["weight_decay"] else "none"
    if found.get("momentum"):
        found["momentum_buffer"] = "rate outside" if framework == "torch" else "rate inside"
    return found


def _coupling(framework: str, name: str, settings: Mapping[str, Any]) -> str:
    if framework == "torch":
        decoupled = name in _DECOUPLED_IN_TORCH or bool(settings.get("decoupled_weight_decay"))
        return "decoupled" if decoupled else "coupled"
    return "decoupled"  # Keras takes it off the weight in every optimizer (OPT-05, OPT-06)


def normalization(framework: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A normalization layer: epsilon, and of running statistics ``decay``, the weight of the old ones (FWD-02).

    ``momentum`` is the framework's own number, which torch gives to the new batch. None in torch is a
    cumulative average: no decay.
    """
    found: dict[str, Any] = {"epsilon": settings.get("eps", settings.get("epsilon"))}
    if "momentum" in settings:
        momentum = settings["momentum"]
        found["momentum"] = momentum
        if isinstance(momentum, (int, float)):
            found["decay"] = 1.0 - momentum if framework == "torch" else float(momentum)
        found["running_variance"] = "unbiased" if framework == "torch" else "biased"
    return found


def l2_penalty(l2: float) -> dict[str, float]:
    """A penalty of ``l2`` times the sum of squares, and what it adds to the gradient per weight (OPT-07)."""
    return {"l2": l2, "gradient_factor": 2.0 * l2}


class Observer:
    """Collects from recorded steps what they show of a run.

    Args:
        layout: where fan-in stands in a weight's shape: ``torch`` (out, in, ...) or ``keras`` (..., in, out).
    """

    def __init__(self, layout: str) -> None:
        self._layout = layout
        self._weights: dict[str, Any] = {}
        self._batches: list[int | None] = []
        self._digests: list[str] = []
        self._ranges: dict[str, dict[str, Any]] = {}
        self._loss: dict[str, Any] = {}

    def see(self, recording: Recording) -> None:
        """Take one step; before its weights are replaced by references."""
        if not self._digests and not self._weights:
            self._weights = initial(recording.arrays, self._layout)
        data = [array for array in recording.arrays if array.role in {"batch", "target", "output"}]
        inputs = [array for array in data if array.role == "batch"]
        for array in data:
            self._range(array)
        if inputs:
            self._batches.append(inputs[0].shape[0] if inputs[0].shape else None)
            self._digests.append(digest(inputs))
        if not self._loss and isinstance(recording.facts.get("loss"), Mapping):
            self._loss = {key: value for key, value in recording.facts["loss"].items() if key != "graph"}

    def facts(self) -> dict[str, Any]:
        """The ``observed`` section of a manifest, of the steps seen so far."""
        found: dict[str, Any] = {"weights": self._weights, "loss": self._loss}
        if self._digests:
            sizes = [size for size in self._batches if size is not None]
            found["data"] = {
                "steps": len(self._digests),
                "batch_size": max(set(sizes), key=sizes.count) if sizes else None,
                "partial_batches": sorted({size for size in sizes if size < max(sizes)}),
                "batch_digests": self._digests,
                "order_digest": f"{zlib.crc32(''.join(self._digests).encode()):08x}",
                "repeated_batches": len(self._digests) - len(set(self._digests)),
                "tensors": self._ranges,
            }
        return found

    def _range(self, array: Array) -> None:
        values = numbers(array) if array.dtype == "bfloat16" else _as_sent(array)
        plain = not len(values) or bool(np.isfinite(values.min()) and np.isfinite(values.max()))  # NaN would show
        finite = values if plain else values[np.isfinite(values)]
        entry = self._ranges.setdefault(
            f"{array.role}.{array.name}", {"dtype": array.dtype, "shape": list(array.shape)}
        )
        if len(finite):
            entry["min"] = min(entry.get("min", math.inf), float(finite.min()))
            entry["max"] = max(entry.get("max", -math.inf), float(finite.max()))
            if "mean" not in entry:
                wide = finite.astype(np.float64)
                entry |= {"mean": float(wide.mean()), "std": float(wide.std())}
        entry["nonfinite"] = entry.get("nonfinite", 0) + int(len(values) - len(finite))


def initial(arrays: Sequence[Array], layout: str) -> dict[str, dict[str, Any]]:
    """What each weight was drawn from, by name, of the arrays of the first step."""
    weights = {array.name: array for array in arrays if array.role == "weight" and array.data}
    found: dict[str, dict[str, Any]] = {}
    for name, array in weights.items():
        fans = fans_of(array.shape, layout) or _sibling(name, weights, layout)
        found[name] = describe(numbers(array), array.shape if array.elements == array.size else None, fans)
    return found


def _sibling(name: str, weights: Mapping[str, Array], layout: str) -> tuple[int, int] | None:
    """The fans of the matrix that a bias belongs to: the first other weight of its layer."""
    if name.endswith("]"):  # scikit-learn: `intercepts_[1]` goes with `coefs_[1]`
        kernel = weights.get("coefs_" + name[name.rfind("[") :])
        return None if kernel is None else fans_of(kernel.shape, layout)
    layer = max(name.rfind("."), name.rfind("/"))
    for other, array in weights.items():
        if other != name and other[: layer + 1] == name[: layer + 1] and "." not in other[layer + 1 :]:
            fans = fans_of(array.shape, layout)
            if fans is not None:
                return fans
    return None


def digest(arrays: Sequence[Array]) -> str:
    """Eight hex digits that tell one batch from another: a CRC-32 over evenly spread elements of its tensors."""
    crc = 0
    for array in arrays:
        width = len(array.data) // array.elements if array.elements else 0
        crc = zlib.crc32(repr(array.shape).encode(), crc)
        for at in positions(array.elements, DIGEST_ELEMENTS):
            crc = zlib.crc32(array.data[at * width : (at + 1) * width], crc)
    return f"{crc:08x}"


def numbers(array: Array) -> npt.NDArray[np.float64]:
    """The recorded elements as float64."""
    if array.dtype == "bfloat16":
        halves = np.frombuffer(array.data, "<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).astype(np.float64)
    return _as_sent(array).astype(np.float64)


def _as_sent(array: Array) -> npt.NDArray[Any]:
    return np.frombuffer(array.data, np.dtype(array.dtype).newbyteorder("<"))
