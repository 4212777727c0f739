"""One vocabulary for the layers of PyTorch, Keras and scikit-learn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isclose
from typing import Any, Final

#: Kinds of operations by a pattern of the class's plain name; the first that matches counts.
_KINDS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("attention", r"multiheadattention|groupqueryattention"),
        ("depthwise", r"^depthwiseconv|^separableconv"),
        ("conv_transpose", r"conv\w*transpose"),
        ("conv", r"^(lazy)?conv\d"),
        ("embedding", r"^embedding"),
        ("lstm", r"lstm"),
        ("gru", r"gru"),
        ("rnn", r"^(simple)?rnn"),
        ("batchnorm", r"batchnorm"),
        ("layernorm", r"layernorm"),
        ("groupnorm", r"groupnorm|instancenorm"),
        ("rmsnorm", r"rmsnorm"),
        ("dropout", r"dropout"),
        ("noise", r"^gaussiannoise"),
        ("global_average_pool", r"globalaveragepool|adaptiveavgpool|^mean$"),
        ("global_max_pool", r"globalmaxpool|adaptivemaxpool|^max$"),
        ("max_pool", r"^maxpool"),
        ("average_pool", r"^(average|avg)pool"),
        ("upsample", r"^upsampl"),
        ("pad", r"^zeropad"),
        ("dense", r"^(lazy)?linear$|^dense$|^einsumdense$|nondynamicallyquantizablelinear"),
    )
)
#: Kinds that hold weights.
WEIGHTED: Final = frozenset(
    {
        *("dense", "conv", "depthwise", "conv_transpose", "embedding", "lstm", "gru", "rnn", "attention"),
        *("batchnorm", "layernorm", "groupnorm", "rmsnorm"),
    }
)
#: Classes, by their plain names, that compute nothing of the numbers they pass on, or hold others.
_SILENT: Final = frozenset(
    {
        *("inputlayer", "input", "identity", "flatten", "unflatten", "reshape", "permute", "repeatvector", "masking"),
        *("concatenate", "add", "pixelshuffle", "pixelunshuffle", "fold", "unfold", "cropping1d", "cropping2d"),
        *("cropping3d", "activityregularization", "linear", "sequential", "functional", "model", "modulelist"),
        *("moduledict", "timedistributed", "bidirectional", "norm", "rescaling", "loss", "none"),
    }
)
#: Activations by their plain names, under one of them.
_ACTIVATIONS: Final = {
    **{name: name for name in ("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "softsign")},
    **{name: name for name in ("mish", "leakyrelu", "hardsigmoid", "hardtanh", "relu6", "prelu", "celu", "logsigmoid")},
    **{name: name for name in ("softmax", "logsoftmax", "exponential", "tanhshrink", "softshrink", "hardshrink")},
    "logistic": "sigmoid",
    "swish": "silu",
    "quickgelu": "quickgelu",
    "hardswish": "hardsilu",
    "hardsilu": "hardsilu",
    "preluk": "prelu",
    "preluker": "prelu",
    "prelukernel": "prelu",
    "glu": "sigmoid",
    "erf": "gelu",
    "exp": "exponential",
}
#: Where ``relu6`` ends, which is a rectifier of Keras with a largest value.
TOP: Final = 6
#: Plain names of what a layer without an activation says in its place.
IDENTITIES: Final = frozenset({"linear", "identity"})
#: Of a hard sigmoid in PyTorch and Keras 3; Keras 2 had another.
_HARD: Final = 1 / 6
_NEAR: Final = 1e-4
_BOTH: Final[Mapping[str, Mapping[str, Any]]] = {
    "elu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "hardsigmoid": {"slope": _HARD},
}
#: Settings that an activation has beside its name, as the frameworks have them by default.
_DEFAULTS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "torch": {"leakyrelu": {"slope": 0.01}, **_BOTH},
    "keras": {"leakyrelu": {"slope": 0.2}, **_BOTH},
}


def plain(name: Any) -> str:
    """``batchnorm`` for ``BatchNormalization``, ``torch.nn.BatchNorm2d`` and ``batch_norm``, dimensions apart."""
    word = str(name).rpartition(".")[2].lower().replace("_", "").replace("normalization", "norm")
    return word.replace("pooling", "pool")


def kind_of(name: Any) -> str | None:
    """The kind of a layer's class; None for containers, reshaping and what nobody knows."""
    word = plain(name)
    if activation(name) is not None:
        return "activation"
    return next((kind for kind, pattern in _KINDS if pattern.search(word)), None)


def unknown(name: Any) -> bool:
    """Whether a layer of this class may compute anything: one that a program wrote itself, a ``Lambda``."""
    return kind_of(name) is None and plain(name) not in _SILENT


def activation(name: Any) -> str | None:
    """An activation's name; None for the identity and what is none."""
    return _ACTIVATIONS.get(plain(name))


def activation_settings(framework: str, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What an activation has beside its name, in one vocabulary: ``slope``, ``alpha``, ``approximate``."""
    found: dict[str, Any] = dict(_DEFAULTS["torch" if framework == "torch" else "keras"].get(name, {}))
    slope = told.get("negative_slope")
    if name == "leakyrelu" and _number(slope):
        found["slope"] = float(slope or 0.0)
    if name == "hardsigmoid" and _number(told.get("slope")) and not isclose(told["slope"], _HARD, rel_tol=_NEAR):
        found["slope"] = float(f"{told['slope']:.4g}")
    if name == "elu" and _number(told.get("alpha")):
        found["alpha"] = float(told["alpha"])
    if name == "gelu" and "approximate" in told:
        found["approximate"] = told["approximate"] in {True, "tanh"}
    return found


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
