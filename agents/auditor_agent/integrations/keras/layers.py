"""What the layers of a Keras model do in a step: in which mode they run, which outputs are worth a look.

``call`` of each layer's instance is wrapped; the wrapper notes and gives back what the layer gave.
In a traced step it runs while TensorFlow traces, and costs the steps nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import keras

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.order import Order

#: Layers whose outputs are looked at; of more, evenly spread ones.
MOST: Final = 64
#: Tensors of a step that are held for what they were made of.
_ENTERED: Final = 16
#: Modules that an event of the mode names.
_NAMED: Final = 8
_MARK: Final = "auditor_layers"
#: Models that a layer may be part of and heard for.
_LISTENERS: Final = 4
_RECTIFIERS: Final = frozenset({"relu", "relu6"})


@dataclass(frozen=True, slots=True)
class Call:
    """One layer's first call in a step."""

    layer: Any
    given: int
    """``id`` of its first argument: which call's output it took."""
    output: Any
    training: bool


@dataclass(slots=True)
class Step:
    """What was heard since the step began."""

    calls: dict[int, Call] = field(default_factory=dict)
    training: bool | None = None
    """What the model itself was called with, where it says."""
    inputs: Any = None
    output: Any = None
    """What the model was given and gave."""
    entered: list[Any] = field(default_factory=list)
    """Tensors that the first layers were given, to tell what they were made of where the model itself is not called."""
    order: Order = field(default_factory=Order)
    """Which layers ran, one after the other, each as often as it was called."""


class Layers:
    """Listens to one model."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._step = Step()
        self.keep = True
        """Whether outputs are held until the step is taken; a traced step has none to hold."""
        self._modes: dict[str, dict[str, Any]] = {}
        self.curious = True
        """Whether the order in which the layers run is still to be told."""

    def listen(self) -> None:
        """Hear every layer that there is by now; one that is heard already is left as it is.

        A layer may be part of several models: a base that was trained before stands in the model that is trained now.
        """
        for layer in [self._model, *self._model._flatten_layers(include_self=False)]:  # noqa: SLF001 -- no public walk
            present = getattr(vars(layer).get("call"), _MARK, None)
            if not isinstance(present, list):
                layer.call = _heard(layer, layer.call, [self])
            elif self not in present:
                others = [one for one in present if one.model is not self._model]
                present[:] = [*others[1 - _LISTENERS :], self]

    def deafen(self) -> None:
        """Give the originals back."""
        for layer in [self._model, *self._model._flatten_layers(include_self=False)]:  # noqa: SLF001 -- no public walk
            present = getattr(vars(layer).get("call"), _MARK, None)
            if isinstance(present, list) and self in present:
                present.remove(self)
                if not present:
                    del layer.call
        self._step = Step()

    @property
    def model(self) -> Any:
        """The model that is listened to."""
        return self._model

    def begin(self, layer: Any) -> tuple[int, int] | None:
        """A layer is about to be called."""
        if layer is self._model:
            self._step = Step()
        return self._step.order.begin() if self.curious else None

    def end(
        self, layer: Any, begun: tuple[int, int] | None, given: tuple[Any, ...], named: dict[str, Any], output: Any
    ) -> None:
        """It was called with these arguments and gave ``output``."""
        self._hear(layer, given, named, output)
        if begun is not None and layer is not self._model and not isinstance(output, keras.KerasTensor):
            self._step.order.end(layer, begun, path_of(layer))

    @guarded(None)
    def _hear(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if isinstance(output, keras.KerasTensor):  # the model is being built, nothing runs
            return
        if layer is self._model:
            self._step.training = kwargs.get("training")
            self._step.inputs, self._step.output = (args[0] if args else None), output
        elif id(layer) not in self._step.calls:
            given = id(args[0]) if args else 0
            if self.keep and len(self._step.entered) < _ENTERED:
                self._step.entered += [one for one in keras.tree.flatten(args[:1]) if hasattr(one, "dtype")]
            self._step.calls[id(layer)] = Call(
                layer, given, output if self.keep else None, bool(kwargs.get("training"))
            )

    @property
    def heard(self) -> Step:
        """What was heard so far of the step."""
        return self._step

    def take(self) -> Step:
        """What was heard since the last call, in execution order."""
        step, self._step = self._step, Step()
        return step

    def mode(self, step: Step, phase: str) -> dict[str, Any] | None:
        """The fields of an event ``mode``, if it differs from the one before in this phase."""
        told = mode(step, phase)
        if told is None or self._modes.get(phase) == told:
            return None
        self._modes[phase] = told
        return told


def _heard(layer: Any, call: Callable[..., Any], listeners: list[Layers]) -> Callable[..., Any]:
    """``call`` of a layer, of which all ``listeners`` are told."""

    @functools.wraps(call)
    def heard(*args: Any, **kwargs: Any) -> Any:
        begun = [(one, one.begin(layer)) for one in listeners]
        output = call(*args, **kwargs)
        for one, at in begun:
            one.end(layer, at, args, kwargs, output)
        return output

    setattr(heard, _MARK, listeners)
    return heard


def mode(step: Step, phase: str) -> dict[str, Any] | None:
    """In which mode the layers ran for which that makes a difference; None where nothing tells."""
    differing = [call for call in step.calls.values() if _differs(call.layer)]
    found = {call.training for call in differing} or ({step.training} - {None})
    if not found:
        return None
    wrong = [call.layer for call in differing if call.training != (phase == "train")]
    return {
        "phase": phase,
        "training": "mixed" if len(found) > 1 else "true" if True in found else "false",
        "modules": [path_of(layer) for layer in wrong[:_NAMED]],
        "kinds": sorted({type(layer).__name__ for layer in wrong}),
        **({"asked": step.training} if phase == "eval" and isinstance(step.training, bool) else {}),
    }


def norms(step: Step) -> list[int]:
    """How many normalisations took the statistics of the batch, and how many those that they have kept."""
    called = [one for one in step.calls.values() if isinstance(one.layer, keras.layers.BatchNormalization)]
    taken = [one.training and bool(one.layer.trainable) for one in called]
    return [taken.count(True), taken.count(False)]


def _differs(layer: Any) -> bool:
    """Whether the layer computes something else in training."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return bool(layer.trainable)  # frozen, it uses its running statistics always
    name = type(layer).__name__
    if "Dropout" in name or "Noise" in name:
        return any(float(getattr(layer, knob, 0) or 0) > 0 for knob in ("rate", "stddev"))
    return any(isinstance(part := getattr(layer, knob, 0), float) and part > 0 for knob in _DROPPED)


_DROPPED: Final = ("dropout", "recurrent_dropout")


def watched(step: Step) -> Iterator[Call]:
    """The calls whose outputs are worth a look: activations, normalizations, lambdas; at most ``MOST``.

    Linear layers are left out, and what an activation takes directly: looking at a value that nobody
    else keeps would make the compiler keep it.
    """
    calls = [call for call in step.calls.values() if _worth(call)]
    taken = {call.given for call in calls if _is_activation(call.layer)}
    calls = [call for call in calls if id(call.output) not in taken]
    share = min(len(calls), MOST)
    yield from (calls[i * (len(calls) - 1) // max(1, share - 1)] for i in range(share))


def _worth(call: Call) -> bool:
    if not hasattr(call.output, "shape") or len(call.output.shape) < 2:
        return False
    if "float" not in str(call.output.dtype):
        return False
    # What a function of the program's does with an input may be that it scales it.
    name = type(call.layer).__name__
    return activation_of(call.layer) not in {None, "linear"} or "Normalization" in name or name == "Lambda"


def _is_activation(layer: Any) -> bool:
    return type(layer).__module__.startswith("keras.src.layers.activations")


def activation_of(layer: Any) -> str | None:
    """The name of a layer's activation (``relu``, ``linear``); None where it has none."""
    given = getattr(layer, "activation", None)
    if given is not None:
        return str(getattr(given, "__name__", None) or type(given).__name__).lower()
    if _is_activation(layer):
        name = type(layer).__name__.lower()
        return "relu" if name == "relu" and not getattr(layer, "negative_slope", 0) else name
    return None


def rectified(layer: Any) -> bool:
    """Whether the layer's units can be dead: exactly zero over half of their range."""
    return activation_of(layer) in _RECTIFIERS


def saturating(layer: Any) -> str | None:
    """``tanh`` or ``sigmoid`` where the layer's output is one's; not of recurrent layers, which multiply it."""
    name = activation_of(layer)
    return name if name in {"tanh", "sigmoid"} and not isinstance(layer, keras.layers.RNN) else None


def output_activation(step: Step, output: Any) -> str | None:
    """The activation of the layer that made ``output``; ``linear`` if it has none."""
    for call in reversed(list(step.calls.values())):
        if call.output is output:
            return activation_of(call.layer) or "linear"
    return None


def path_of(layer: Any) -> str:
    """A layer's name among all of its model."""
    return str(getattr(layer, "path", None) or layer.name)


def built(model: Any) -> bool:
    """Whether a model exists whole: of a subclass, some layers come into being when it is first called."""
    return bool(model.built) and all(layer.built for layer in model._flatten_layers())  # noqa: SLF001 -- no public walk
