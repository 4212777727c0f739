"""A node of the graph that autograd keeps: which operation it is of, and what that saved for its derivative."""

from __future__ import annotations

from typing import Any, Final

from torch import Tensor

#: Operations that change no number on the way from an output to its loss.
PASSED: Final = frozenset(
    {"View", "ReshapeAlias", "UnsafeView", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute", "Clone", "ToCopy"}
)
#: Reductions that are operations of their own.
REDUCERS: Final = {"Mean": "mean", "Sum": "sum"}


def op_of(node: Any) -> str:
    """The operation's name: ``Mul`` of a ``MulBackward0``."""
    return str(node.name().rpartition("::")[2].partition("Backward")[0])


def children(node: Any) -> list[Any]:
    """The nodes of what it is made of, none for what has no gradient."""
    return [child for child, _ in node.next_functions if child is not None]


def saved(node: Any, name: str) -> Any:
    """What the operation saved under a name; None where it saved nothing, or it cannot be had any more."""
    try:
        return getattr(node, f"_saved_{name}", None)
    except RuntimeError:  # freed, or changed in place since
        return None


def narrow(tensor: Tensor) -> Tensor:
    """Undo an expansion: dimensions along which all elements are one element have extent 1."""
    for dim, (extent, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if stride == 0 and extent > 1:
            tensor = tensor.narrow(dim, 0, 1)
    return tensor


def signed(value: Any) -> Any:
    """A number as the program gave it: autograd's bindings show a negative one as one near 2⁶⁴."""
    return value - 2**64 if isinstance(value, int) and value >= 2**63 else value
