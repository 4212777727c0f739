"""What a tensor is that no known layer owns: by its name, its axes, and the numbers it begins with.

A program that writes its layers itself calls its tensors ``b1`` or ``gamma`` and gives them the axes that suit it: the
biases of four experts in one matrix. Where neither name nor numbers tell, nobody knows what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_BIASES: Final = frozenset({"b", "bias", "biases", "intercept", "intercepts"})
_SCALES: Final = frozenset({"gamma", "gammas", "scale", "scales", "gain", "gains"})
_SHIFTS: Final = frozenset({"beta", "betas"})
_KERNELS: Final = frozenset({"w", "u", "weight", "weights", "kernel", "kernels", "matrix", "coef", "coefs"})
#: Of a gate, of a query, from input to hidden: ``bg``, ``wq``, ``wxh``. ``bn`` is a normalisation, ``wte`` a table.
_SHORT: Final = {"b": re.compile(r"b[a-mo-z]|b[xih]h"), "w": re.compile(r"[wu][a-z]|[wu][xih]h")}
_CONSTANT: Final = frozenset({"zeros", "ones", "constant"})
#: Axes of a matrix; with one more it is as well a stack of matrices as the kernel of a convolution over time.
_MATRIX: Final = 2
_STACK: Final = 3
#: How far from one a vector may be, and how widely spread, that scales.
_NEAR: Final = 0.1


#: What the layers of the frameworks call their tensors.
_USUAL: Final = re.compile(
    r"(\w*_)?(weight|weights|kernel|bias|biases|embeddings|gamma|beta|coefs_?|intercepts_?)(_[ih]h)?(_[vg])?(_l\d+)?(_reverse)?"
    r"|original\d|alpha"
)


def usual(name: str) -> bool:
    """Whether a tensor is called as those of a framework's layers are: ``weight_ih_l0``, ``recurrent_kernel``."""
    parts = [part for part in re.split(r"[./]", name.lower()) if part]
    return bool(parts) and _USUAL.fullmatch(re.sub(r"\[\d+\]|:\d+", "", parts[-1])) is not None


def told(name: str) -> str:
    """``dense.bias``, ``norm.kernel``, ``norm.bias``, ``kernel``: what a tensor's own name says; else nothing."""
    lettered = [part for part in re.split(r"[./]", name.lower()) if re.search("[a-z]", part)]  # of a list: its name
    parts = [part for part in re.split(r"[_\d\W]+", lettered[-1]) if part] if lettered else []
    if any(part in _SCALES for part in parts):
        return "norm.kernel"
    if any(part in _SHIFTS for part in parts):
        return "norm.bias"
    if any(part in _BIASES for part in parts) or (parts and _SHORT["b"].fullmatch(parts[0])):
        return "dense.bias"
    if any(part in _KERNELS for part in parts) or (parts and _SHORT["w"].fullmatch(parts[0])):
        return "kernel"
    return ""


def kind(one: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """The kind of a weight of ``init.weights``, by what it begins with as well: a vector around one scales.

    Zeros next to such a vector (``before``), as many and without a name of their own, shift what it scales.
    """
    if not one["guessed"] or len(one["shape"]) >= _MATRIX:
        return str(one["kind"])
    said = told(str(one["name"]))
    if _around_one(one) and not said.endswith("bias"):
        return "norm.kernel"
    beside = before is not None and before["shape"] == one["shape"] and kind(before) == "norm.kernel"
    return "norm.bias" if beside and not said and one["distribution"] == "zeros" else str(one["kind"])


def _around_one(one: Mapping[str, Any]) -> bool:
    """Whether all of it is one, or close to it: as drawn for the normalisations of a GAN."""
    drawn = one["distribution"] not in _CONSTANT and abs(one["mean"] - 1) < _NEAR and one["std"] < _NEAR
    return one["distribution"] == "ones" or drawn


def same_constant(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two weights begin as one number each, the same: a forget gate's bias of ones, which scales nothing."""
    constant = {one["distribution"], other["distribution"]} <= _CONSTANT
    return constant and bool(one["mean"] == other["mean"])


def takes(one: Mapping[str, Any], found: str) -> bool:
    """Whether a weight may be of the kind that its shape has elsewhere: its name and numbers say nothing else.

    The biases of four experts of twenty units have the shape of a kernel of four by twenty.
    """
    said = told(str(one["name"])) or (kind(one) if kind(one) != one["kind"] else "")
    part = found.rpartition(".")[2]
    return not said or said.rpartition(".")[2] == ("kernel" if part == "recurrent" else part)


def known(one: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it can be said what a weight is.

    Numbers that are all the same are a kernel only by name, or if the other side has a kernel of this shape: they may
    be a table of positions, a first state. A stack of matrices has as many axes as the kernel of a convolution: it is
    taken for one beside another of its shape.
    """
    if not one["guessed"] or len(one["shape"]) < _MATRIX:
        return True
    said = told(str(one["name"]))
    if said and said != "kernel":
        return True
    alike = [other for other in others if sorted(other["shape"]) == sorted(one["shape"])]
    if len(one["shape"]) == _STACK and not alike:
        return False
    drawn = one["distribution"] not in _CONSTANT
    return bool(said) or drawn or (bool(alike) and all(_kernel(other) for other in alike))


def _kernel(one: Mapping[str, Any]) -> bool:
    return str(one["kind"]).endswith("kernel") and (not one["guessed"] or told(str(one["name"])) == "kernel")
