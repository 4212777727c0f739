"""Which layers ran while a tape watched, and what they gave: of Keras' layers, and of activations called as functions.

``Layer.__call__`` is wrapped once, for all; where nobody listens it costs one look. In a traced step
the wrapper runs while TensorFlow traces. ``tf.nn.relu(x @ w)`` is found in the operations behind the loss.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.operations import ACTIVATIONS
from auditor_agent.integrations.keras.order import Order
from auditor_agent.integrations.tensorflow import flow

#: What changes the shape of an output and not what it is.
_SHAPING: Final = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "ExpandDims"})
_LINEAR: Final = frozenset({"BiasAdd", "AddV2", "Add", "MatMul", "BatchMatMulV2", "Conv2D"})
_MOST: Final = 64
_MOST_NODES: Final = 2000


class _Ear(threading.local):
    """What this thread's layers are told to."""

    calls: dict[int, Any] | None = None
    order: Order | None = None


_ear: Final = _Ear()


@dataclass(frozen=True, slots=True)
class Operation:
    """An activation that is no layer's, in the words of one."""

    path: str
    activation: Any


def listen(calls: dict[int, Any] | None, order: Order | None = None) -> None:
    """Note in ``calls``, by identity, the first call of each layer (``keras_layers.Call``); None: no more.

    In ``order``: every call.
    """
    _ear.calls, _ear.order = calls, order


def noted() -> dict[int, Any]:
    """Listen, into what this returns."""
    calls = dict[int, Any]()
    listen(calls)
    return calls


def layer(original: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper of ``Layer.__call__``."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _ear.calls is None:
            return original(self, *args, **kwargs)
        order = _ear.order
        begun = None if order is None else order.begin()
        result = original(self, *args, **kwargs)
        if _ear.calls is not None:
            _hear(_ear.calls, self, args, kwargs, result)
        if order is not None and begun is not None:
            order.end(self, begun, str(getattr(self, "path", None) or self.name))
        return result

    return call


@guarded(None)
def _hear(calls: dict[int, Any], called: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    from auditor_agent.integrations.keras import layers as keras_layers

    if id(called) not in calls and flow.shape(result) is not None and hasattr(result, "dtype"):
        given = id(args[0]) if args else 0
        calls[id(called)] = keras_layers.Call(called, given, result, bool(kwargs.get("training")))


@guarded(None)
def by_operation(loss: Any, made: flow.Made, calls: dict[int, Any]) -> None:
    """Add to ``calls`` the activations behind ``loss`` that no layer there gave, each behind what it was made of."""
    from auditor_agent.integrations.keras import layers as keras_layers

    known = {id(call.output) for call in calls.values()}
    found: list[tuple[str, Any, Any]] = []
    waiting, seen = deque([loss]), set[int]()
    while waiting and len(seen) < _MOST_NODES and len(found) < _MOST:
        tensor = waiting.popleft()
        node = made(tensor)
        if node is None or id(tensor) in seen:
            continue
        seen.add(id(tensor))
        kind, inputs = node
        if kind in ACTIVATIONS and id(tensor) not in known:
            found.append((ACTIVATIONS[kind], tensor, inputs[0]))
        waiting.extend(inputs)
    names: dict[str, int] = {}
    for name, tensor, given in reversed(found):  # from the data to the loss
        count = names[name] = names.get(name, 0) + 1
        path = f"{name}_{count}" if count > 1 else name
        calls[id(tensor)] = keras_layers.Call(
            Operation(path, SimpleNamespace(__name__=name)), id(given), tensor, training=True
        )


def output_activation(output: Any, made: flow.Made) -> str | None:
    """The activation that gave ``output``, ``linear`` for a product or a sum; None where that is unknown."""
    for _ in range(_MOST):
        node = made(output)
        if node is None:
            return None
        kind, inputs = node
        if kind in ACTIVATIONS:
            return ACTIVATIONS[kind]
        if kind not in _SHAPING:
            return "linear" if kind in _LINEAR else None
        output = inputs[0]
    return None
