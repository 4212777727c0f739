"""Differences that every pair of two frameworks has: each side has its own framework's default.

Such a difference is as real as any other, but nobody's doing: where two causes are of a size, the one
that somebody set is the likelier answer to "why do they differ". Defaults of torch 2.13, Keras 3.15
and scikit-learn 1.9, as measured in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.compare.recognise.cause import Cause, close

#: By the end of a cause's parameter and the framework; every value that it has by default.
_DEFAULTS: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "adam.epsilon": {"torch": (1e-8,), "keras": (1e-7,), "sklearn": (1e-8,)},
    "nadam.epsilon": {"torch": (1e-8,), "keras": (1e-7,)},
    "adamax.epsilon": {"torch": (1e-8,), "keras": (1e-7,)},
    "rmsprop.epsilon": {"torch": (1e-8,), "keras": (1e-7,)},
    "adagrad.epsilon": {"torch": (1e-10,), "keras": (1e-7,)},
    "adadelta.epsilon": {"torch": (1e-6,), "keras": (1e-7,)},
    "batchnorm.epsilon": {"torch": (1e-5,), "keras": (1e-3,)},
    "batchnorm.decay": {"torch": (0.9,), "keras": (0.99,)},
    "layernorm.epsilon": {"torch": (1e-5,), "keras": (1e-3,)},
    "leakyrelu.negative_slope": {"torch": (0.01,), "keras": (0.3,)},
    "rmsprop.decay": {"torch": (0.99,), "keras": (0.9,)},
    "adagrad.initial_accumulator": {"torch": (0.0,), "keras": (0.1,)},
    "adadelta.decay": {"torch": (0.9,), "keras": (0.95,)},
}
#: Parameters in which the frameworks differ by construction.
_BUILT_IN: Final = frozenset({"epsilon_placement", "momentum_buffer", "batchnorm.variance", "lstm.biases"})
#: Entries that say how one framework works, whatever is set: Keras's second moments of sparse gradients.
_BY_NATURE: Final = frozenset({"OPT-29"})
#: What weights are drawn from by default, by a word of the cause's value.
_DRAWN: Final[Mapping[str, tuple[str, ...]]] = {
    "torch": ("uniform(1/sqrt(fan_in))", "uniform(1/sqrt(fan_out))", "normal(1)"),
    "keras": ("glorot_uniform", "zeros", "orthogonal", "uniform(0.05)"),
    "sklearn": ("glorot_uniform", "uniform(sqrt(2/(fan_in+fan_out)))"),
}
#: Of these what tables of embeddings alone are drawn from.
_TABLES: Final = ("normal(1)", "uniform(0.05)")


def natural(cause: Cause, frameworks: tuple[str, str]) -> bool:
    """Whether both sides have what their frameworks do by themselves."""
    sides = ["keras" if name == "tensorflow" else name for name in frameworks]
    if sides[0] == sides[1]:
        return False
    by_nature = cause.id in _BY_NATURE and cause.parameter == "update.unexplained"  # SparseAdam somebody chose
    if by_nature or any(cause.parameter.endswith(name) for name in _BUILT_IN):
        return True
    if cause.parameter.startswith("init."):
        return all(_drawn(side, value, cause.parameter) for side, value in zip(sides, cause.values, strict=True))
    usual = next((told for name, told in _DEFAULTS.items() if cause.parameter == name), {})
    return all(
        any(close(value, one) for one in usual.get(side, ())) for side, value in zip(sides, cause.values, strict=True)
    )


def _drawn(framework: str, value: Any, parameter: str) -> bool:
    if framework == "sklearn" and parameter.endswith("bias"):
        return "zeros" not in str(value)  # uniform, as wide as the kernel's: few numbers, many shapes fit
    if "embedding" not in parameter and any(str(value).startswith(name) for name in _TABLES):
        return False
    return any(str(value).startswith(name) for name in _DRAWN.get(framework, ()))
