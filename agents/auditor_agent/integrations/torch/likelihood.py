"""Cross entropies that a program writes out, a loss for each row: told by the operations that autograd kept of them.

Of several classes ``logsumexp(x) - x[class]`` or the logarithm of a probability that is picked; of two
``-(y log p + (1 - y) log(1 - p))`` or ``softplus(x) - x y``. What such a loss is multiplied with is no target.
"""

from __future__ import annotations

from typing import Any, Final

from auditor_agent.integrations.torch.node import PASSED, op_of

_LOGARITHMS: Final = frozenset(
    {"Log", "Log1P", "LogSigmoid", "LogSigmoidForward", "LogSoftmax", "Logsumexp", "Softplus"}
)
#: The part of a numerically stable form that is no logarithm.
_CLIPPED: Final = frozenset({"Clamp", "ClampMin", "Relu", "Maximum"})
_PICKS: Final = frozenset({"Gather", "Index"})
_PROBABILITIES: Final = frozenset({"Softmax", "Exp", "Div"})
_AROUND: Final = frozenset({*PASSED, "Sum", "Neg", "Select"})
_SUMS: Final = frozenset({"Add", "Sub", "Rsub"})
_TWO: Final = 2
#: Operations looked at: a cross entropy has a dozen.
_MOST: Final = 24


def is_of_rows(node: Any, *, products: bool = True) -> bool:
    """Whether ``node`` gives a cross entropy of each row, or the negative of it.

    ``products``: also as one product with logarithms, as PyTorch's own smoothing has one with the classes' weights.
    """
    terms = _terms(node)
    kinds = [_kind(term) for term in terms]
    if not products and len(terms) == 1 and terms[0] is not None and op_of(terms[0]) == "Mul":
        return False
    if len(kinds) == 1:
        return kinds[0] == (True, True)
    return len(kinds) > 1 and None not in kinds and all(any(kind[at] for kind in kinds if kind) for at in (0, 1))


def _terms(node: Any) -> list[Any]:
    """What ``node`` is a sum or a difference of."""
    waiting, found = [node], []
    for _ in range(_MOST):
        if not waiting:
            break
        at = _below(waiting.pop(), _AROUND)
        if at is not None and op_of(at) in _SUMS:
            waiting.extend(child for child, _ in at.next_functions if child is not None)
        else:
            found.append(at)
    return [*found, *waiting]


def _kind(term: Any) -> tuple[bool, bool] | None:
    """Whether it has a logarithm, and whether a class is picked or a constant multiplied; None: neither can be."""
    op = "" if term is None else op_of(term)
    children = [child for child, _ in term.next_functions] if term is not None else []
    if op == "Mul" and len(children) == _TWO and sum(child is None for child in children) == 1:
        return _is_logarithm(next(child for child in children if child is not None)), True
    if op in _PICKS:
        return _is_logarithm(children[0]), True
    if op == "Log" and (picked := _below(children[0], _AROUND | {"Clamp", "Add"})) is not None:
        of = _below(picked.next_functions[0][0], PASSED) if op_of(picked) in _PICKS else None
        return True, of is not None and op_of(of) in _PROBABILITIES
    return (op in _LOGARITHMS, False) if op in _LOGARITHMS | _CLIPPED else None


def _is_logarithm(node: Any) -> bool:
    below = _below(node, frozenset({*PASSED, "Neg"}))
    return below is not None and op_of(below) in _LOGARITHMS


def _below(node: Any, through: frozenset[str]) -> Any:
    """The first operation that is none of ``through``."""
    for _ in range(_MOST):
        if node is None or op_of(node) not in through or not node.next_functions:
            break
        node = node.next_functions[0][0]
    return node
