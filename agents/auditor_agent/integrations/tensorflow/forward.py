"""What a loop's model and loss are seen to do while a tape watches: batch, output, target, mode.

Held until the step that they belong to, and only where that step is recorded or its digest wanted.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.order import Order
from auditor_agent.integrations.tensorflow import flow

#: Calls of models in one step that are kept: several networks, several batches.
_MOST_CALLS: Final = 4
_MOST_TENSORS: Final = 8
_MOST_MODULES: Final = 8
_REDUCTIONS: Final = {"sum_over_batch_size": "mean", "mean_with_sample_weight": "mean"}


@dataclass(slots=True)
class Call:
    """One call of a model, not from within another's."""

    model: Any
    inputs: list[Any]
    outputs: list[Any]
    training: bool | None
    """As resolved; None where a tensor decides."""


@dataclass(slots=True)
class Heard:
    """What was seen since the last step."""

    calls: list[Call] = field(default_factory=list)
    compared: list[flow.Compared] = field(default_factory=list)
    inputs: list[Any] = field(default_factory=list)
    """What went in, where no model was called."""
    layers: dict[int, Any] | None = None
    """The first call of each layer (``keras_layers.Call``), by identity; None: not looked at."""
    order: Order = field(default_factory=Order)
    """Which layers ran, one after the other."""

    @property
    def given(self) -> Any:
        """What the first model was given first, in a loop that runs eagerly; None where nothing was seen."""
        given = self.calls[0].inputs if tf.executing_eagerly() and self.calls else []
        return next((one for one in given if getattr(one, "ndim", 0)), None)

    def call(self, call: Call) -> None:
        """A model was called."""
        self.calls = [*self.calls[1 - _MOST_CALLS :], call]

    def learns(self, variables: Sequence[Any], made: flow.Made) -> None:
        """Leave out models without a weight among those that the step moves, and of which none of the others takes.

        A target network, a teacher: what goes into it is not the batch, nor is what it gives what the loss learns.
        """
        moved = {id(variable) for variable in variables}
        mine = [any(id(one) in moved for one in getattr(call.model, "weights", ())) for call in self.calls]
        kept: list[Call] = []
        for call, owned in zip(reversed(self.calls), reversed(mine), strict=True):
            if owned or any(flow.comes_of(one, call.outputs, made) for other in kept for one in other.inputs):
                kept.insert(0, call)
        if any(mine) and len(kept) < len(self.calls):
            left = _layers(self.calls) - _layers(kept)
            ran = self.order.ran
            self.order.ran = [one for one in ran if id(self.order.layers.get(one[0])) not in left]
            self.calls = kept

    def loss(self, output: Any, target: Any, result: Any, facts: Mapping[str, Any], weight: Any = None) -> None:
        """A loss function was called."""
        one = weight if tf.is_tensor(weight) or hasattr(weight, "__array__") else None  # not one for each output
        told = flow.Compared(output, target, result, dict(facts), one)
        self.compared = [*self.compared[1 - _MOST_CALLS :], told]

    def data(self, made: flow.Made) -> list[tuple[tuple[str, str], Any]]:
        """(role, name) and tensor of batch, output and target, as far as they were seen.

        What one model makes for another (a code, a generated sample) is no data: it belongs to no batch.
        """
        found: list[tuple[tuple[str, str], Any]] = []
        before: list[Any] = []
        for at, call in enumerate(self.calls):
            end = f"@{at}" if at else ""
            given = [(place, one) for place, one in enumerate(call.inputs) if not flow.comes_of(one, before, made)]
            found += [(("batch", f"input{place}{end}"), tensor) for place, tensor in given]
            before += call.outputs
            if not self.compared:
                found += [(("output", f"output{place}{end}"), tensor) for place, tensor in enumerate(call.outputs)]
        found += [(("batch", f"input{place}"), tensor) for place, tensor in enumerate(self.inputs[:_MOST_TENSORS])]
        for at, one in enumerate(self.compared):
            end = f"@{at}" if at else ""
            found += [(("output", f"output0{end}"), one.output), (("target", f"target0{end}"), one.target)]
            if one.weight is not None:
                found.append((("factor", f"weight0{end}"), one.weight))
        gave = self.calls[0].outputs[0] if len(self.calls) == 1 else None  # of several nobody knows whose it is
        if gave is not None and any("chain" in one.facts and one.output is not gave for one in self.compared):
            found.append((("output", "model0"), gave))  # the loss takes a function of it
        return found


def _layers(calls: Iterable[Call]) -> set[int]:
    """Layers within the models that were called, by identity."""
    return {id(layer) for call in calls for layer in getattr(call.model, "_flatten_layers", list)()}


def tensors(value: Any) -> list[Any]:
    """The tensors in ``value``, at most eight; arrays of the user's become none."""
    return [leaf for leaf in tf.nest.flatten(value) if tf.is_tensor(leaf) or hasattr(leaf, "__array__")][:_MOST_TENSORS]


@guarded(cast("Call | None", None))
def called(model: Any, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> Call | None:
    """The call of a model; None for one that only builds it."""
    outputs = [leaf for leaf in tf.nest.flatten(result) if tf.is_tensor(leaf)][:_MOST_TENSORS]
    if not outputs:
        return None
    given = [value for value in args if not isinstance(value, bool)]
    given += [value for name, value in kwargs.items() if name not in {"training", "mask"}]
    return Call(model, tensors(given), outputs, training(model, args, kwargs))


def training(model: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool | None:
    """The mode in which a model not called by another runs."""
    given = kwargs.get("training")
    if given is None:
        given = next((value for value in args[1:] if isinstance(value, bool)), None)
    if given is None:
        parameter = inspect.signature(model.call).parameters.get("training")
        given = None if parameter is None or parameter.default is parameter.empty else parameter.default
    if given is None:
        return False  # what Keras takes it for
    return bool(given) if isinstance(given, (bool, int)) else None


def in_other_mode(model: Any) -> list[Any]:
    """Layers that behave differently in training: normalization by the batch, dropout, noise."""
    walk = getattr(model, "_flatten_layers", None)
    return [] if walk is None else [layer for layer in walk() if _has_modes(layer)]


def _has_modes(layer: Any) -> bool:
    name = type(layer).__name__
    if name == "BatchNormalization":
        return bool(layer.trainable)
    if name.startswith("Random") and hasattr(layer, "seed"):
        return True
    rates = (getattr(layer, rate, 0) for rate in ("rate", "dropout", "recurrent_dropout", "stddev"))
    return any(isinstance(rate, (int, float)) and rate > 0 for rate in rates)


def mode(call: Call, *, learning: bool) -> dict[str, Any]:
    """The fields of an event ``mode``; ``learning``: a gradient follows."""
    told: dict[str, Any] = {"phase": "train" if learning else "eval"}
    told["training"] = "mixed" if call.training is None else str(call.training).lower()
    if call.training is not None and call.training is not learning:
        layers = in_other_mode(call.model)
        told["modules"] = [str(layer.name) for layer in layers[:_MOST_MODULES]]
        told["kinds"] = sorted({type(layer).__name__ for layer in layers})
    return told


def norms(calls: Iterable[Call]) -> list[int]:
    """How many normalisations of models took the statistics of the batch, and how many those that they have kept."""
    found = [
        bool(one.training and layer.trainable)
        for one in calls
        for layer in getattr(one.model, "_flatten_layers", list)()
        if type(layer).__name__ == "BatchNormalization"
    ]
    return [found.count(True), found.count(False)]


def loss_facts(loss: Any, target: Any, output: Any) -> dict[str, Any]:
    """What a loss object of Keras computes from these; it aligns (B, 1) and (B,) itself."""
    words = getattr(loss, "_fn_kwargs", None) or {}
    reduction = str(getattr(loss, "reduction", None))
    shapes = {"output_shape": flow.shape(output), "target_shape": flow.shape(target)}
    facts = {
        "operation": getattr(loss, "name", type(loss).__name__),
        "reduction": _REDUCTIONS.get(reduction, reduction),
    }
    return facts | shapes | {"broadcast": False, "from_logits": bool(words.get("from_logits", False))}


def activation(model: Any) -> str | None:
    """The activation of a model's last layer, by its name; None where that cannot be told."""
    layers = [layer for layer in getattr(model, "layers", ()) or () if hasattr(layer, "activation")]
    return None if not layers else str(getattr(layers[-1].activation, "__name__", "")) or None
