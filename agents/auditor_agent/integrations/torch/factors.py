"""What a loss that a program writes itself was multiplied with, read off the graph that autograd keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor
from torch import bool as bool_

from auditor_agent.integrations.torch.likelihood import is_of_rows
from auditor_agent.integrations.torch.node import PASSED, REDUCERS, narrow, op_of, saved

#: What a loss written by hand multiplies with its targets: logarithms and their differences, outputs of length one.
_LIKELIHOODS: Final = frozenset(
    {"Div", "Log", "Log1P", "LogSigmoid", "LogSigmoidForward", "LogSoftmax", "Softplus", "Sub", "Rsub"}
)
#: What a product is of; what picks one class of each row: [rows, classes].
_TWO: Final = 2
#: Factors that are kept of a loss: which of them is its target, if one is, shows in its value.
MOST: Final = 3
#: Losses element by element that are plain operations.
_POINTWISE: Final = frozenset({"Pow", "Abs", "BinaryCrossEntropy", "BinaryCrossEntropyWithLogits"})
#: Errors of rows, with their sign and without.
_ERRORS: Final = frozenset({"Abs", "Sub", "Rsub"})
#: Changes of shape, and sums, between the loss of a row and its weight; of one column the first is picked.
_SHAPERS: Final = frozenset({*PASSED, *REDUCERS, "Select"})
_MOST_SHAPERS: Final = 8


def keep(tensors: dict[tuple[str, str], Tensor], node: Any, outputs: Mapping[Any, str]) -> None:
    """What may be the target of a loss without an operation of its own, and what the losses of the rows count.

    Args:
        tensors: role and name to tensor; a factor is added.
        node: the operation that is looked at.
        outputs: names of the model's outputs by their ``grad_fn``.
    """
    weight = _weight(node)
    divisor = _divisor(node) if weight is None else None
    if isinstance(divisor, Tensor) and divisor.ndim:
        tensors.setdefault(("factor", "divisor0"), narrow(divisor.detach()))
        return
    found = _factor(node, outputs) if weight is None else weight
    number = sum(role == "factor" for role, _ in tensors)
    if isinstance(found, Tensor) and found.ndim and number < MOST:
        name = f"factor{number}" if weight is None else "weight0"
        tensors.setdefault(("factor", name), narrow(found.detach()))


def _weight(node: Any) -> Any:
    """What losses of rows are multiplied with or chosen by: weights, or a mask; None where it is nothing."""
    op, children = op_of(node), [child for child, _ in node.next_functions]
    rows = [_by_rows(child, filled=op == "MaskedFill") for child in children]
    if sum(rows) != 1:  # of two losses that a condition chooses between it is no mask
        return None
    if op == "Mul":  # by a number that a framework's own function has it may have one child alone
        if len(children) != _TWO or children[1 - rows.index(True)] is not None:
            return None
        return saved(node, "self" if rows[1] else "other")
    mask = None
    if op == "Where":
        mask = saved(node, "condition")
    elif op in {"MaskedFill", "MaskedSelect"}:
        mask = saved(node, "mask")
    elif op == "Index":
        places = saved(node, "indices")
        mask = places[0] if isinstance(places, (tuple, list)) and len(places) == 1 else None
    if not isinstance(mask, Tensor) or mask.dtype != bool_:
        return None
    return ~mask if op == "MaskedFill" or (op == "Where" and not rows[0]) else mask


def _divisor(node: Any) -> Any:
    """What the error of each row is divided by before or after it is made positive: its target, of a percentage."""
    children = [child for child, _ in node.next_functions]
    if op_of(node) != "Div" or len(children) != _TWO or children[1] is not None or children[0] is None:
        return None
    return saved(node, "other") if op_of(children[0]) in _ERRORS else None


def _factor(node: Any, outputs: Mapping[Any, str]) -> Any:
    """The constant that a logarithm or an output is multiplied with, and the places at which something is picked.

    Not every factor of a logarithm is a target.
    """
    op = op_of(node)
    if op == "Mul":
        children = [child for child, _ in node.next_functions]
        told = [child is not None and (child in outputs or op_of(child) in _LIKELIHOODS | PASSED) for child in children]
        if sorted(told) == [False, True] and children[told.index(False)] is None:
            return saved(node, "other" if told[0] else "self")
    elif op == "Gather":
        return saved(node, "index")
    elif op == "Index":
        places = saved(node, "indices")  # of [rows, classes] the last, one for each row
        return places[-1] if isinstance(places, (tuple, list)) and len(places) == _TWO else None
    return None


def _by_rows(node: Any, *, filled: bool) -> bool:
    """Whether it is a loss that is not reduced yet, or one row by row, seen through changes of its shape.

    ``filled``: where a mask fills it, as PyTorch's own smoothing does with what it leaves out.
    """
    if is_of_rows(node, products=not filled):
        return True
    for _ in range(_MOST_SHAPERS):
        if node is None or op_of(node) not in _SHAPERS or not node.next_functions:
            break
        node = node.next_functions[0][0]
    op = "" if node is None else op_of(node)
    return op.endswith("Loss") or op.startswith("NllLoss") or op in _POINTWISE
