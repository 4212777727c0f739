"""What two runs declare, key by key, across frameworks.

A manifest is flattened to dotted keys and brought to one vocabulary: ``lr`` and ``learning_rate``
are one key, ``betas[0]`` is ``beta_1``, classes lose their case. Numbers are equal when they are the
same float32, since that is how one of two frameworks may hold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

#: Sections that say where and when a run ran, not what it computes.
SURROUNDINGS: Final = ("environment", "versions", "host", "seeds", "seed", "framework", "time")
#: Sections that are compared by measurement, not key by key.
_APART: Final = frozenset({"init", "observed", "canonical"})
#: Keys that choose an implementation or a label, not a computation; and how the model is spelled,
#: which only code that aligns layers can compare across frameworks.
_IMPLEMENTATION: Final = frozenset({"foreach", "fused", "capturable", "differentiable", "jit_compile"}) | {
    "params",
    "iterations",
    "own_train_step",
    "epsilon_placement",
    "momentum_convention",
}
_LABELS: Final = frozenset({"name", "names", "id", "path", "module", "function", "operation"})
#: Between frameworks, a key that one side lacks is a difference only where the vocabulary is shared.
_SHARED: Final = ("optimizer", "regularization")
#: Parts of a path that only say where a framework keeps the values.
_WRAPPERS: Final = frozenset({"config", "hyperparameters", "options"})

_KEYS: Final = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "class_name": "class",
    "type": "class",
    "batchsize": "batch_size",
    "param_count": "parameters",
    "parameter_count": "parameters",
    "num_parameters": "parameters",
    "count_params": "parameters",
}
_CLASSES: Final = {
    "crossentropyloss": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy",
    "categoricalcrossentropy": "cross_entropy",
    "squarederror": "squared_error",
    "nllloss": "negative_log_likelihood",
    "mseloss": "squared_error",
    "meansquarederror": "squared_error",
    "mse": "squared_error",
    "l1loss": "absolute_error",
    "meanabsoluteerror": "absolute_error",
    "mae": "absolute_error",
    "bceloss": "binary_cross_entropy",
    "bcewithlogitsloss": "binary_cross_entropy",
    "binarycrossentropy": "binary_cross_entropy",
}
_REDUCTIONS: Final = {"sum_over_batch_size": "mean", "mean_with_sample_weight": "mean"}
#: What a torch loss means without saying so: whether it takes logits.
_TAKES_LOGITS: Final = {"crossentropyloss": True, "bcewithlogitsloss": True, "bceloss": False}
#: Values that change nothing: torch's label that stands for "ignore this one".
_NEUTRAL: Final[Mapping[str, Any]] = {"ignore_index": -100}
#: Options that say how a momentum is used.
_OF_MOMENTUM: Final = frozenset({"optimizer.nesterov", "optimizer.dampening"})
_ALONE: Final = re.compile(r"\b(groups|losses)\.0\.")
_GROUP: Final = re.compile(r"optimizer\.groups\.(?P<at>\d+)\.(?P<name>.+)")
_SEVERAL: Final = re.compile(r"\b(groups|losses)\.[1-9]")


def canonical(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest as dotted key -> value in one vocabulary; implementation choices left out."""
    flat: dict[str, Any] = {}
    for path, value in _leaves({key: item for key, item in manifest.items() if key not in _APART}):
        parts = [_KEYS.get(part, part) for part in (_snake(part) for part in path) if part not in _WRAPPERS]
        if parts and parts[-1] not in _IMPLEMENTATION:
            flat[".".join(parts)] = _value(parts[-1], value)
    flat.pop("loss.losses", None)
    for name, takes in _implied(manifest):
        flat.setdefault(name, takes)
    flat = _one_group(flat)
    if "optimizer.alpha" in flat and "rmsprop" in str(flat.get("optimizer.class")):
        flat["optimizer.rho"] = flat.pop("optimizer.alpha")  # PyTorch's word for it
    if str(flat.get("optimizer.schedule.class")) == "constant":
        flat = {key: value for key, value in flat.items() if not key.startswith("optimizer.schedule.")}
    return _without_idle(_wrapped(flat))


def _wrapped(flat: dict[str, Any]) -> dict[str, Any]:
    """A loss that Keras made of a function is that function's."""
    made = _CLASSES.get(_plain(str(flat.get("loss.fn", ""))))
    if flat.get("loss.class") != "lossfunctionwrapper" or made is None:
        return flat
    return {key: value for key, value in flat.items() if not key.startswith("loss.fn")} | {"loss.class": made}


def _implied(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    loss = manifest.get("loss")
    plain = _plain(str(loss.get("class", ""))) if isinstance(loss, Mapping) else ""
    if plain in _TAKES_LOGITS:
        yield "loss.from_logits", _TAKES_LOGITS[plain]


def _without_idle(flat: dict[str, Any]) -> dict[str, Any]:
    """Without options of what is switched off, and values that change nothing."""
    ema = flat.get("optimizer.use_ema", True)
    if not flat.get("optimizer.momentum", True):
        flat = {key: value for key, value in flat.items() if key not in _OF_MOMENTUM}
    return {
        key: value
        for key, value in flat.items()
        if (ema or not key.startswith("optimizer.ema_")) and _NEUTRAL.get(key.rpartition(".")[2], _NEUTRAL) != value
    }


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif path and path[-1] == "betas" and isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value, 1):
            yield (*path[:-1], f"beta_{index}"), item
    elif isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, str(index)))
    else:
        yield path, list(value) if isinstance(value, tuple) else value


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower().replace("-", "_")


def _value(key: str, value: Any) -> Any:
    if key == "reduction":
        return _REDUCTIONS.get(str(value), value)
    if key != "class" or not isinstance(value, str):
        return value
    return _CLASSES.get(_plain(value), _plain(value))


def _plain(name: str) -> str:
    """``crossentropyloss`` for ``torch.nn.modules.loss.CrossEntropyLoss``."""
    return name.rpartition(".")[2].lower().replace("_", "")


def _one_group(flat: dict[str, Any]) -> dict[str, Any]:
    """A single parameter group is the optimizer, a single loss the loss: no list of one remains.

    Of several groups what all of them have alike is the optimizer's.
    """
    if any(_SEVERAL.search(key) for key in flat):
        return _common(flat)
    grouped = {_ALONE.sub("", key): value for key, value in flat.items() if _ALONE.search(key)}
    return {key: value for key, value in flat.items() if not _ALONE.search(key)} | grouped


def _common(flat: dict[str, Any]) -> dict[str, Any]:
    held: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        if found := _GROUP.match(key):
            held.setdefault(found["name"], {})[found["at"]] = value
    many = max((len(values) for values in held.values()), default=0)
    alike = {
        name: next(iter(values.values()))
        for name, values in held.items()
        if len(values) == many and len({repr(one) for one in values.values()}) == 1
    }
    lifted = {f"optimizer.{name}": value for name, value in alike.items()}
    rest = {key: one for key, one in flat.items() if not ((at := _GROUP.match(key)) and at["name"] in alike)}
    return lifted | rest


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What two manifests declare differently, sorted by key.

    Each entry is ``{"parameter", "a", "b", "how": "declared", "configuration": bool}``; a side that
    does not declare the key has None. ``configuration`` is false for where and when a run ran
    (versions, host, seeds) and for the weights it drew. Between frameworks, keys that only one of
    them can have are left out unless they are switched on; see :func:`not_compared` for what is not
    compared at all.
    """
    flat_a, flat_b = canonical(a), canonical(b)
    skip = set(not_compared(a, b))
    foreign = across_frameworks(a, b)
    found = []
    for key in sorted(flat_a.keys() | flat_b.keys()):
        left, right = flat_a.get(key), flat_b.get(key)
        if _section(key) in skip or same(left, right):
            continue
        if foreign and _foreign_to_one(key, flat_a, flat_b):
            continue
        entry = {"parameter": key, "a": left, "b": right, "how": "declared"}
        found.append(entry | {"configuration": key.partition(".")[0] not in SURROUNDINGS})
    return found if foreign else found + _drawn(a.get("init"), b.get("init"))


def _drawn(a: Any, b: Any) -> list[dict[str, Any]]:
    """One line for initial weights that differ: the first tensor whose statistics do."""
    if not isinstance(a, Mapping) or not isinstance(b, Mapping):
        return []
    a, b = a.get("weights", a), b.get("weights", b)
    for name in a:
        left, right = a[name], b.get(name)
        if isinstance(left, Mapping) and isinstance(right, Mapping) and left != right:
            sides = [{key: item[key] for key in ("mean", "std") if key in item} for item in (left, right)]
            entry = {"parameter": f"init.{name}", "a": sides[0], "b": sides[1], "how": "measured"}
            return [entry | {"configuration": False}]
    return []


def across_frameworks(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two manifests come from different frameworks, by what they say or how they are built."""
    return a.get("framework") != b.get("framework")


def not_compared(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Parts of the manifests that hold layers in a framework's own spelling, when the two differ in it.

    ``linear1.weight`` (out, in) and ``dense/kernel`` (in, out) may be the same layer: to say so takes
    an alignment of layers, which these manifests alone do not give. Likewise a section in which the
    two declare no key in common.
    """
    if not across_frameworks(a, b):
        return []
    flat_a, flat_b = canonical(a), canonical(b)
    sections = {_section(key) for key in (*flat_a, *flat_b)}
    shared = {key.partition(".")[0] for key in flat_a.keys() & flat_b.keys()}
    unshared = {section for section in sections - _SPELLED if section not in shared and section not in SURROUNDINGS}
    return sorted((sections & _SPELLED) | unshared | ({"init"} & (a.keys() | b.keys())))


_SPELLED: Final = frozenset(
    {"model.layers", "model.parameters_by_name", "model.tensors", "model.class", "init", "weights"}
)


def _section(key: str) -> str:
    """The first two parts of a dotted key if that is where a spelled section stands, else the first."""
    parts = key.split(".")
    two = ".".join(parts[:2])
    return two if two in _SPELLED else parts[0]


def _foreign_to_one(key: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether a difference between frameworks is one of spelling: nothing is said about the computation."""
    if key.rpartition(".")[2] in _LABELS or key == "optimizer.parameters":
        return True
    if not a.get(key) and not b.get(key):
        return True  # one lacks it or says None, the other switches it off
    group = _GROUP.match(key)
    if group and group["name"] == "parameters":
        return True
    return (key not in a or key not in b) and key.partition(".")[0] not in _SHARED


def same(a: Any, b: Any) -> bool:
    """Whether two declared values mean the same: numbers by their float32, lists element by element."""
    if _number(a) and _number(b):
        with np.errstate(over="ignore"):
            return bool(np.float32(a) == np.float32(b)) or (a != a and b != b)  # noqa: PLR0124  # NaN equals NaN here
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(left, right) for left, right in zip(a, b, strict=True))
    return bool(type(a) is type(b) and a == b) or (a is None and b is None)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
