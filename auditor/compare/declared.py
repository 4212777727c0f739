"""What a run's manifest declares, as facts in the same canonical parameters as what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditor.compare.identify.fact import Fact
from auditor.compare.identify.hypothesis import Hypothesis
from auditor.compare.identify.rules import NEEDED
from auditor.compare.structure import words

#: Settings of an update rule that a manifest's ``canonical.update`` and ``identify`` name alike.
_UPDATE: Final = (
    *("rule", "learning_rate", "beta_1", "beta_2", "epsilon", "epsilon_placement", "momentum", "nesterov", "dampening"),
    *("amsgrad", "centered", "decay", "weight_decay", "decay_coupling", "initial_accumulator", "momentum_decay"),
    *(
        "clip_norm",
        "clip_norm_per_variable",
        "clip_value",
        "momentum_buffer",
        "gradient_accumulation_steps",
        "lr_decay",
    ),
)
_NUMBERS: Final = frozenset(_UPDATE) - {"rule", "epsilon_placement", "decay_coupling", "momentum_buffer"}
#: What stands in for the updates of a PyTorch program (``integrations.torch.byhand``).
_STANDS_IN: Final = "byhand.UpdateByHand"
#: Layers whose settings change what a forward pass computes, by a word of their class; with the settings' names.
_LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "batchnorm": ("epsilon", "eps", "momentum", "axis"),
    "layernorm": ("epsilon", "eps"),
    "groupnorm": ("epsilon", "eps"),
    "rmsnorm": ("epsilon", "eps"),
    "dropout": ("rate", "p"),
    "leakyrelu": ("negative_slope",),
    "gelu": ("approximate",),
    "averagepool": ("padding", "count_include_pad"),
    "avgpool": ("padding", "count_include_pad"),
    "softmax": ("axis", "dim"),
    "embedding": ("padding_idx", "mask_zero"),
    "upsampl": ("interpolation", "mode", "align_corners"),
    "lstm": ("batch_first",),
    "gru": ("batch_first", "reset_after"),
}
_SAME_SETTING: Final = {"eps": "epsilon", "p": "rate", "dim": "axis", "mode": "interpolation"}


def facts(manifest: Mapping[str, Any] | None) -> list[Fact]:
    """The declared facts of a run; empty without a manifest."""
    if not manifest:
        return []
    found = [*_update(manifest), *_loss(manifest), *_data(manifest), *_penalties(manifest), *_forward(manifest)]
    found += _precision(manifest)
    return found


#: How Keras calls the setting of a tensor by the tensor's own name.
_CONSTRAINT: Final = "_constraint"


def rule(manifest: Mapping[str, Any] | None) -> Hypothesis | None:
    """The update rule that a manifest declares, as a hypothesis among others."""
    told = _first_update(manifest or {})
    if not told or not isinstance(told.get("rule"), str):
        return None
    settings = {name: told[name] for name in _UPDATE if name in told and name not in {"rule", "learning_rate"}}
    settings = {n: float(v) if n in _NUMBERS and not isinstance(v, bool) and isinstance(v, (int, float)) else v
                for n, v in settings.items()}  # fmt: skip
    if settings.get("decay_coupling") == "none":
        settings.pop("decay_coupling")
    if any(settings.get(name) is None for name in NEEDED.get(told["rule"], ())):
        return None  # half a rule: the search has all of its kind
    return Hypothesis(told["rule"], settings)


def constrained(manifest: Mapping[str, Any] | None) -> frozenset[str]:
    """The tensors that a layer of Keras keeps within a constraint after each step, by the manifest's names."""
    model = (manifest or {}).get("model")
    layers = model.get("layers") if isinstance(model, Mapping) else None
    found = set()
    for layer in layers if isinstance(layers, list) else ():
        config, weights = (layer.get(key) if isinstance(layer, Mapping) else None for key in ("config", "weights"))
        kept = {key.removesuffix(_CONSTRAINT) for key, value in dict(config or {}).items()
                if key.endswith(_CONSTRAINT) and value}  # fmt: skip
        names = [str(one.get("name")) for one in weights or () if isinstance(one, Mapping)]
        found |= {name for name in names if name.rpartition("/")[2] in kept}
    return frozenset(found)


def by_hand(framework: str, manifest: Mapping[str, Any] | None) -> bool:
    """Whether no optimizer moves the weights, but the program itself: where one does, the manifest names it."""
    if manifest is None or "optimizer" not in manifest:
        return False
    told = manifest["optimizer"]
    if framework == "tensorflow":
        return told is None
    return framework == "torch" and isinstance(told, Mapping) and str(told.get("class")).endswith(_STANDS_IN)


def _first_update(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    canonical = manifest.get("canonical")
    updates = canonical.get("update") if isinstance(canonical, Mapping) else None
    first = updates[0] if isinstance(updates, list) and updates else None
    return first if isinstance(first, Mapping) else {}


def _said(parameter: str, value: Any) -> Fact:
    return Fact(parameter, value, how="declared", confidence=0.8)


def _update(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    told = _first_update(manifest)
    for name in _UPDATE:
        if name in told and told[name] is not None:
            yield _said(f"update.{name}", told[name])
    schedule = told.get("schedule") or _section(manifest, "optimizer").get("schedule")
    if isinstance(schedule, Mapping) and schedule.get("class") not in {None, "constant"}:
        yield _said("update.schedule", dict(schedule))


def _section(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = manifest.get(name)
    return section if isinstance(section, Mapping) else {}


def _loss(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    told = _section(manifest, "loss")
    if told.get("factor") is not None:
        yield _said("loss.factor", float(told["factor"]))
    if told.get("from_logits") is not None:
        yield _said("loss.from_logits", bool(told["from_logits"]))
    config = told.get("config")
    for source in (told, config if isinstance(config, Mapping) else {}):
        if isinstance(source.get("label_smoothing"), (int, float)):
            yield _said("loss.label_smoothing", float(source["label_smoothing"]))
        if isinstance(source.get("reduction"), str):
            yield _said("loss.reduction", {"sum_over_batch_size": "mean"}.get(source["reduction"], source["reduction"]))


def _data(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    told = _section(manifest, "data")
    loaders = _section(manifest, "canonical").get("loaders")
    loader = loaders[0] if isinstance(loaders, list) and loaders and isinstance(loaders[0], Mapping) else {}
    for source in (told, loader):
        for name in ("batch_size", "shuffle", "drop_last", "validation_split", "class_weight", "samples"):
            value = source.get(name)
            if value is not None and not isinstance(value, (Mapping, list)):
                yield _said(f"data.declared.{name}", value)
    if told.get("class_weight"):
        yield _said("data.declared.class_weight", told["class_weight"])
    settings = _section(_section(manifest, "estimator"), "parameters")
    if "early_stopping" in settings:
        yield _said("data.held_out", settings["early_stopping"] and settings.get("validation_fraction", 0.1))


def _penalties(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    told = _section(manifest, "canonical").get("penalties")
    if not isinstance(told, Mapping):
        return
    each = [entry for entry in told.values() if isinstance(entry, Mapping)]
    yield _said("penalty.declared.l2", max((float(entry.get("l2", 0.0)) for entry in each), default=0.0))
    yield _said("penalty.declared.l1", max((float(entry.get("l1", 0.0)) for entry in each), default=0.0))


def _precision(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    told = _section(manifest, "precision")
    if isinstance(told.get("epsilon"), (int, float)):
        yield _said("precision.epsilon", float(told["epsilon"]))
    autocast = told.get("autocast")
    policy = told.get("policy")
    if isinstance(policy, str):
        yield _said("precision.policy", policy)
    elif isinstance(autocast, Mapping):
        yield _said("precision.policy", "autocast" if any(autocast.values()) else "float32")


def _forward(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    """Activations in their order, and the settings of layers that have some, by kind."""
    model = _section(manifest, "model")
    layers = [layer for layer in model.get("layers") or [] if isinstance(layer, Mapping)]
    activations = [name for layer in layers if (name := activation_of(layer)) is not None]
    if layers:
        yield _said("forward.activations", activations)
    for kind, names in _LAYERS.items():
        settings = [_settings(layer, names) for layer in layers if kind in _plain(layer.get("class"))]
        if settings:
            yield _said(f"forward.{kind}", settings)


def _plain(name: Any) -> str:
    return str(name).rpartition(".")[2].lower().replace("_", "").replace("normalization", "norm")


def _settings(layer: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    config = layer.get("config")
    merged = {**layer, **(config if isinstance(config, Mapping) else {})}
    return {_SAME_SETTING.get(name, name): merged[name] for name in names if name in merged}


_ACTIVATIONS: Final = frozenset(
    {
        *("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "swish", "softmax", "softplus", "softsign", "mish"),
        *("leakyrelu", "leaky_relu", "hardsigmoid", "hard_sigmoid", "hardswish", "hard_swish", "relu6", "prelu"),
        *("logsoftmax", "log_softmax", "logistic", "exponential", "identity", "linear"),
    }
)
_SPELLINGS: Final = {"logistic": "sigmoid", "swish": "silu", "identity": "linear", "leaky_relu": "leakyrelu"}


def activation_of(layer: Mapping[str, Any]) -> str | None:
    """A layer's activation under one name; None for a layer without, or with the identity."""
    name = layer.get("activation")
    name = name if isinstance(name, str) else _plain(layer.get("class"))
    plain = name.lower() if name.lower() in _ACTIVATIONS else _plain(name)
    if plain not in _ACTIVATIONS:
        return None
    plain = _SPELLINGS.get(plain, plain).replace("_", "")
    if plain == "relu" and _settings(layer, ("max_value",)).get("max_value") == words.TOP:
        plain = "relu6"
    return None if plain == "linear" else plain
