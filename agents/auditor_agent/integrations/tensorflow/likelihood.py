"""Cross entropies of several classes that are written out, a loss for each row: told by their operations.

``logsumexp(x) - x[class]``, with the class picked by its number or by a product with ones and zeros, and the
logarithm of a probability that is picked likewise. What such a loss is multiplied with is a weight or a mask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

#: What picks one class of each row.
PICKS: Final = frozenset({"GatherV2", "GatherNd"})
#: What puts rows and classes together, and where the classes are: a concatenation has its axis behind them.
_JOINED: Final = {"Pack": -1, "ConcatV2": -2}
_LOGARITHMS: Final = frozenset({"LogSoftmax", "Log"})
#: What lies between a logarithm of probabilities and the loss of a row.
_AROUND: Final = frozenset({"Reshape", "Squeeze", "ExpandDims", "Identity", "Sum", "Neg"})
_CLIPS: Final = frozenset({"ClipByValue", "Maximum", "Minimum", "AddV2", "Add", "RealDiv", "DivNoNan"})
#: Operations followed: a logarithm of a sum of exponentials has a dozen.
_MOST: Final = 24
_PROBABILITIES: Final = frozenset({"Softmax", "Exp"})

_Made = Callable[[Any], tuple[str, Sequence[Any]] | None]
#: Whether a variable went into a tensor.
_Learnt = Callable[[Any], bool]


def of_logits(inputs: Sequence[Any], made: _Made, learnt: _Learnt) -> tuple[Any, Any] | None:
    """The logits and the classes where ``inputs[0] - inputs[1]`` is the cross entropy of each row; else None."""
    picked = _picked(inputs[1], made, learnt)
    if picked is None or not _is_log_sum(inputs[0], picked[0], made):
        return None
    return picked


def is_of_rows(tensor: Any, made: _Made, learnt: _Learnt) -> bool:
    """Whether ``tensor`` is the cross entropy of each row, or the negative of it."""
    tensor, kind, given = _below(tensor, made, _AROUND)
    if kind == "Sub":
        return of_logits(given, made, learnt) is not None
    if kind == "Log":  # of a probability that was picked
        tensor = _below(given[0], made, _CLIPS | _AROUND)[0]
        picked = _picked(tensor, made, learnt)
        return picked is not None and _below(picked[0], made, _CLIPS)[1] in _PROBABILITIES
    picked = _picked(tensor, made, learnt)
    return picked is not None and _is_log_probability(picked[0], made)


def classes_of(target: Any, made: _Made) -> Any:
    """The numbers of classes in what ``GatherNd`` picks by: rows and classes together."""
    node = made(target)
    return node[1][_JOINED[node[0]]] if node is not None and node[0] in _JOINED else target


def _picked(tensor: Any, made: _Made, learnt: _Learnt) -> tuple[Any, Any] | None:
    """Of which table ``tensor`` has one column of each row, and which; None where it is no such choice."""
    _, kind, given = _below(tensor, made, _AROUND - {"Neg"})
    if kind in PICKS and learnt(given[0]) and not learnt(given[1]):
        return given[0], classes_of(given[1], made) if kind == "GatherNd" else given[1]
    if kind != "Mul":
        return None
    ours = [learnt(one) for one in given[:2]]
    if sum(ours) != 1 or not _is_wide(given[ours.index(False)]):
        return None
    return given[ours.index(True)], given[ours.index(False)]


def _is_wide(tensor: Any) -> bool:
    """Whether a tensor is more than one number, as far as is known."""
    return bool(getattr(getattr(tensor, "shape", None), "rank", None) != 0)


def _is_log_probability(tensor: Any, made: _Made) -> bool:
    """Whether it is the logarithm of a softmax, as one operation or as logits less the logarithm of their sum."""
    _, kind, given = _below(tensor, made, _AROUND - {"Sum"})
    return kind in _LOGARITHMS or (kind == "Sub" and _is_log_sum(given[1], given[0], made))


def _is_log_sum(tensor: Any, logits: Any, made: _Made) -> bool:
    """Whether it is a logarithm of something made of ``logits``, to which their maximum may have been added."""
    waiting, seen, logarithm = [tensor], set[int](), False
    while waiting and len(seen) < _MOST:
        at = waiting.pop()
        if at is logits:
            return logarithm
        node = made(at)
        if node is None or id(at) in seen:
            continue
        seen.add(id(at))
        logarithm = logarithm or node[0] == "Log"
        # The maximum is of the logits as well: what the logarithm is of is looked at first.
        waiting.extend(sorted(node[1], key=lambda one: (made(one) or ("",))[0] in {"Log", "Exp", "Sum"}))
    return False


def _below(tensor: Any, made: _Made, through: frozenset[str]) -> tuple[Any, str, Sequence[Any]]:
    """The first operation that is none of ``through``: its tensor, its kind and its inputs."""
    for _ in range(_MOST):
        kind, given = made(tensor) or ("", ())
        if kind not in through or not given:
            return tensor, kind, given
        tensor = given[0]
    return tensor, "", ()
