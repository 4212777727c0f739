"""Numbers by which a functional model scales its input before its first layer: ``inputs / 255.0``.

Keras makes an operation of each, which is none of the model's layers. They are told as the layer that does the same,
``Rescaling``: what the network is fed is the batch through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import keras

#: Factor and offset that an operation with a number is, and whether the number may stand first.
_MADE: Final[dict[str, tuple[Callable[[float], tuple[float, float]], bool]]] = {
    "TrueDivide": (lambda number: (1 / number, 0.0), False),
    "Multiply": (lambda number: (number, 0.0), True),
    "Subtract": (lambda number: (1.0, -number), False),
    "Add": (lambda number: (1.0, number), True),
}
_OPERANDS: Final = 2


def scalings(model: Any) -> Iterator[dict[str, Any]]:
    """The operations between the only input of a functional model and its first layer, as layers of a manifest."""
    operations = list(getattr(model, "operations", None) or ())
    if not operations or sum(isinstance(one, keras.layers.InputLayer) for one in operations) != 1:
        return
    given = operations[0].output if isinstance(operations[0], keras.layers.InputLayer) else None
    for one in operations[1:]:
        found = None if given is None else _affine(one, given)
        if found is None:
            return
        scale, offset = found
        yield {"class": "Rescaling", "name": one.name, "path": one.name, "config": {"scale": scale, "offset": offset}}
        given = one.output


def _affine(operation: Any, given: Any) -> tuple[float, float] | None:
    """Factor and offset of an operation on ``given`` and a number; None of any other."""
    made, nodes = _MADE.get(type(operation).__name__), list(getattr(operation, "_inbound_nodes", ()))
    if made is None or isinstance(operation, keras.layers.Layer) or len(nodes) != 1:
        return None
    args = list(nodes[0].arguments.args)
    if len(args) == _OPERANDS and args[1] is given and made[1]:
        args.reverse()
    if len(args) != _OPERANDS or args[0] is not given:
        return None
    try:
        number = float(args[1])
    except (TypeError, ValueError):  # a tensor of several, another part of the model
        return None
    return made[0](number) if number else None
