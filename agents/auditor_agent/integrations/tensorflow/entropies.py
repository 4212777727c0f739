"""Cross entropies of two classes that are written out, or come from functions: told by their operations.

``-(y log p + (1 - y) log(1 - p))``, also with ``softplus`` of logits in place of the logarithms; ``softplus(x) - x y``;
and ``max(x, 0) - x y + log(1 + exp(-|x|))``, which ``tf.nn.sigmoid_cross_entropy_with_logits`` consists of and Keras'
functions come down to. Where a loss has other terms as well (a divergence), its value alone does not say so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

#: Operations between a logarithm and the probability that it is of: clipping, and an epsilon.
_MOST: Final = 6
_SUMS: Final = frozenset({"AddV2", "Add", "Sub"})
_SHIFTS: Final = frozenset({"AddV2", "Add"})
_CLIPS: Final = frozenset({"ClipByValue", "Maximum", "Minimum", "Identity"})
_LOGARITHMS: Final = frozenset({"Log", "Log1p", "Softplus"})

_Made = Callable[[Any], tuple[str, Sequence[Any]] | None]


def entropy(path: Sequence[Any], output: Any, target: Any, made: _Made) -> tuple[Any, Any, dict[str, Any]] | None:
    """The output and the target of a binary cross entropy, and what it is; None where these are of none.

    Args:
        path: tensors from the loss down to the product of ``output`` and ``target``.
        output: what the weights have a part in.
        target: what they have none in.
        made: what made a tensor.
    """
    if len(path) < 2:
        return None
    told = {"operation": "binary_crossentropy"}
    if _probability(output, made) is not None or _logits(output, made) is not None:
        found = _of_two(path, output, target, made)
        return None if found is None else (*found[:2], told | {"from_logits": found[2]})
    product, total = path[-1], path[-2]
    stable = len(path) > 2 and made(total) is not None and _softplus(path[-3], total, made)
    if stable or _is_less_product(total, product, output, made):
        return output, target, told | {"from_logits": True}
    return None


def _of_two(path: Sequence[Any], output: Any, target: Any, made: _Made) -> tuple[Any, Any, bool] | None:
    """What the two logarithms of a sum are of, the target, and whether they are of logits; None where it is no sum."""
    part, total = _summed(path, made)
    other = None if total is None else _other(total, part, made, _SUMS)
    rest = None if other is None else _complement(other, target, made)
    if rest is None:
        return None
    probability, logits = _probability(output, made), _logits(output, made)
    if probability is not None:
        return probability, _plain(target, made), False
    wanted = _plain(target, made) if logits is not _inside(output, made) else rest  # softplus(-x) is of the ones
    return logits, wanted, True


def _summed(path: Sequence[Any], made: _Made) -> tuple[Any, Any]:
    """The term that the product at the end of ``path`` is, times a number perhaps, and the sum of which it is one."""
    at = len(path) - 1
    while at > 0 and _plain(path[at - 1], made) is not path[at - 1]:
        at -= 1
    return path[at], path[at - 1] if at else None


def _plain(tensor: Any, made: _Made) -> Any:
    """What ``tensor`` is a multiple of, by numbers and signs: a target, where the ones count for more."""
    for _ in range(_MOST):
        kind, given = made(tensor) or ("", ())
        wide = [one for one in given if _wide(one)] if kind in {"Mul", "Neg"} else []
        if len(wide) != 1:
            break
        tensor = wide[0]
    return tensor


def _probability(logarithm: Any, made: _Made) -> Any:
    """What ``logarithm`` is the logarithm of, before it was clipped and an epsilon was added; None if it is none."""
    node = made(logarithm)
    if node is None or node[0] != "Log":
        return None
    tensor = node[1][0]
    for _ in range(_MOST):
        node = made(tensor)
        wide = [one for one in node[1] if _wide(one)] if node is not None and node[0] in _CLIPS | _SHIFTS else []
        if len(wide) != 1:
            break
        tensor = wide[0]
    return tensor


def _logits(logarithm: Any, made: _Made) -> Any:
    """What ``logarithm`` is ``log_sigmoid`` or ``softplus`` of, whichever signs there are; None if it is neither."""
    inside = _inside(logarithm, made)
    return None if inside is None else _unsigned(inside, made)


def _inside(logarithm: Any, made: _Made) -> Any:
    """What stands in its ``softplus``; None where there is none."""
    node = made(_unsigned(logarithm, made))
    return node[1][0] if node is not None and node[0] == "Softplus" else None


def _is_less_product(total: Any, product: Any, logits: Any, made: _Made) -> bool:
    """Whether ``total`` is ``softplus(logits) - product``."""
    node = made(total)
    if node is None or node[0] != "Sub" or node[1][1] is not product:
        return False
    inner = made(node[1][0])
    return inner is not None and inner[0] == "Softplus" and inner[1][0] is logits


def _complement(product: Any, target: Any, made: _Made) -> Any:
    """What a logarithm is multiplied with in ``product``, if that and ``target`` are a number together."""
    node = made(_plain(product, made))
    if node is None or node[0] != "Mul":
        return None
    wanted = _plain(target, made)
    for factor, other in (node[1][:2], node[1][1::-1]):
        inner, one = made(_unsigned(other, made)), _plain(factor, made)
        complements = _less(one, made) is wanted or _less(wanted, made) is one
        if complements and inner is not None and inner[0] in _LOGARITHMS:
            return one
    return None


def _unsigned(tensor: Any, made: _Made) -> Any:
    """``tensor``, or what it is the negative of."""
    node = made(tensor)
    return node[1][0] if node is not None and node[0] == "Neg" else tensor


def _less(tensor: Any, made: _Made) -> Any:
    """What ``tensor`` is a number less of; None if it is no such difference."""
    node = made(tensor)
    given = node[1] if node is not None and node[0] == "Sub" else ()
    return given[1] if len(given) == 2 and not _wide(given[0]) else None


def _softplus(total: Any, part: Any, made: _Made) -> bool:
    """Whether ``total`` is ``part``, from which a product was taken away, and a log(1 + exp(.))."""
    node, inner = made(total), made(part)
    if node is None or inner is None or inner[0] != "Sub" or node[0] not in _SHIFTS:
        return False
    below = _made_by(made, _other(total, part, made, _SHIFTS))
    return below is not None and below[0] == "Log1p" and (_made_by(made, below[1][0]) or ("",))[0] == "Exp"


def _made_by(made: _Made, tensor: Any) -> tuple[str, Sequence[Any]] | None:
    return None if tensor is None else made(tensor)


def _other(total: Any, part: Any, made: _Made, kinds: frozenset[str]) -> Any:
    """The other operand where ``total`` is a sum of ``part`` and one more; None if it is none."""
    node = made(total)
    others = [one for one in node[1] if one is not part] if node is not None and node[0] in kinds else []
    return others[0] if len(others) == 1 else None


def _wide(tensor: Any) -> bool:
    """Whether a tensor is more than one number, as far as is known."""
    rank = getattr(getattr(tensor, "shape", None), "rank", None)
    return rank is None or rank > 0
