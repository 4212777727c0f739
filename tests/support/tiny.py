"""Tiny trainings that record themselves as the flight recorder would, many a second in one process.

Gradients come from PyTorch's autograd, updates from the frameworks' own optimizers, losses from the
frameworks' own functions where the test brings them; nothing of the product's arithmetic is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.trajectories import Curve
from auditor.store.records import Event
from auditor_agent.stream.recording import Array, Recording
from support.recordings import assembled

Weights = list[np.ndarray]
Stepper = Callable[[Weights, Weights, int], Weights]


def inputs(samples: int = 96, features: int = 6, seed: int = 0) -> np.ndarray:
    """Standard normal inputs, float32."""
    return np.random.default_rng(seed).standard_normal((samples, features)).astype(np.float32)


def targets(x: np.ndarray, outputs: int = 1) -> np.ndarray:
    """A smooth function of them with noise: (samples, outputs)."""
    rng = np.random.default_rng(1)
    mixed = np.tanh(x @ rng.standard_normal((x.shape[1], outputs)))
    return (2 * mixed + 0.3 * rng.standard_normal(mixed.shape)).astype(np.float32)


def glorot(seed: int = 0, widths: Sequence[int] = (6, 24, 1)) -> Weights:
    """Kernels (in, out) and zero biases, as Keras draws them."""
    rng = np.random.default_rng(100 + seed)
    found = []
    for fan_in, fan_out in itertools.pairwise(widths):
        bound = np.sqrt(6 / (fan_in + fan_out))
        found += [rng.uniform(-bound, bound, (fan_in, fan_out)).astype(np.float32), np.zeros(fan_out, np.float32)]
    return found


def torch_stepper(make: Callable[..., torch.optim.Optimizer], rates: Sequence[float] | None = None) -> Stepper:
    """A PyTorch optimizer as a stepper. ``make`` is given the parameters."""
    state: dict[str, Any] = {}

    def step(weights: Weights, gradients: Weights, at: int) -> Weights:
        if not state:
            state["p"] = [nn.Parameter(torch.tensor(w)) for w in weights]
            state["o"] = make(state["p"])
        for parameter, gradient in zip(state["p"], gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        if rates is not None:
            for group in state["o"].param_groups:
                group["lr"] = rates[at]
        state["o"].step()
        return [p.detach().numpy().copy() for p in state["p"]]

    return step


def keras_stepper(make: Callable[[], Any], rates: Sequence[float] | None = None) -> Stepper:
    """A Keras optimizer as a stepper."""
    import keras
    import tensorflow as tf

    state: dict[str, Any] = {}

    def step(weights: Weights, gradients: Weights, at: int) -> Weights:
        if not state:
            state["v"] = [keras.Variable(w, name=f"w{place}") for place, w in enumerate(weights)]
            state["o"] = make()
            state["o"].build(state["v"])
        if rates is not None:
            state["o"].learning_rate = rates[at]
        state["o"].apply([tf.constant(g) for g in gradients], state["v"])
        return [v.numpy().copy() for v in state["v"]]

    return step


def sklearn_stepper(make: Callable[[Weights], Any]) -> Stepper:
    """A stochastic optimizer of scikit-learn as a stepper; float64 inside, as there."""
    state: dict[str, Any] = {}

    def step(weights: Weights, gradients: Weights, at: int) -> Weights:
        del at
        if not state:
            state["w"] = [w.astype(np.float64) for w in weights]
            state["o"] = make(state["w"])
        state["o"].update_params(state["w"], [g.astype(np.float64) for g in gradients])
        return [w.copy() for w in state["w"]]

    return step


def adam(rate: float = 1e-2, **settings: Any) -> Stepper:
    """PyTorch's Adam."""
    return torch_stepper(lambda p: torch.optim.Adam(p, lr=rate, **settings))


def sgd(rate: float = 1e-2, **settings: Any) -> Stepper:
    """PyTorch's SGD."""
    return torch_stepper(lambda p: torch.optim.SGD(p, lr=rate, **settings))


def squared(output: Tensor, target: Tensor) -> Tensor:
    """The mean squared error of aligned rows."""
    return ((output - target) ** 2).mean()


@dataclass(frozen=True)
class Tiny:
    """One training. ``stepper`` makes a fresh optimizer; the rest says what is computed and recorded."""

    stepper: Callable[[], Stepper] = adam
    framework: str = "torch"
    weights: Callable[[], Weights] = glorot
    loss: Callable[[Tensor, Tensor], Tensor] = squared
    activation: Callable[[Tensor], Tensor] = torch.tanh
    head: Callable[[Tensor], Tensor] = lambda o: o
    x: np.ndarray = field(default_factory=inputs)
    y: np.ndarray | None = None
    steps: int = 12
    batch: int = 16
    order: Callable[[int], np.ndarray] | None = None
    rate: float | Sequence[float] = 1e-2
    l2: float = 0.0
    penalized: Callable[[np.ndarray], bool] = lambda w: w.ndim > 1
    """Which weights the penalty is of."""
    told_apart: bool = True
    """Whether the penalty is recorded apart from the loss."""
    gradients: Callable[[Weights], Weights] = lambda g: g
    """What happens to gradients before they are recorded."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)
    accumulate: bool = False

    def recordings(self) -> list[Recording]:
        """The steps, recorded whole."""
        y = targets(self.x) if self.y is None else self.y
        weights, step = self.weights(), self.stepper()
        kept: Weights | None = None
        found = []
        for at in range(self.steps):
            rows = self._rows(at)
            output, scalars, gradients = self._gradients(weights, self.x[rows], y[rows])
            if self.accumulate and kept is not None:
                gradients = [old + new for old, new in zip(kept, gradients, strict=True)]
            kept = gradients
            gradients = self.gradients([g.copy() for g in gradients])
            updated = step(weights, gradients, at)
            rate = self.rate if isinstance(self.rate, float) else self.rate[at]
            arrays = [*_named("weight", weights), *_named("gradient", gradients), *_named("updated", updated)]
            arrays += [array("batch", "input0", self.x[rows]), array("target", "target0", y[rows])]
            arrays += [array("output", "output0", output)]
            arrays += [array(role, name, values) for (role, name), values in self.extra.items()]
            found.append(Recording(at + 1, arrays, {**scalars, "lr": float(rate)}, dict(self.facts)))
            weights = [new.astype(old.dtype) for new, old in zip(updated, weights, strict=True)]
        return found

    def _rows(self, at: int) -> np.ndarray:
        if self.order is not None:
            return self.order(at)
        places = np.random.default_rng(7 + at * self.batch // len(self.x)).permutation(len(self.x))
        first = at * self.batch % len(self.x)
        return places[first : first + self.batch]

    def _gradients(
        self, weights: Weights, x: np.ndarray, y: np.ndarray
    ) -> tuple[np.ndarray, dict[str, float], Weights]:
        leaves = [torch.tensor(w, requires_grad=True) for w in weights]
        value = torch.tensor(x).to(leaves[0].dtype)
        for place in range(0, len(leaves), 2):
            value = value @ leaves[place] + leaves[place + 1]
            value = value if place + 2 == len(leaves) else self.activation(value)
        output = self.head(value)
        target = torch.tensor(y)
        data_loss = self.loss(output, target if target.dtype == torch.int64 else target.to(output.dtype))
        penalty = self.l2 * sum((w**2).sum() for w in leaves if self.penalized(w.detach().numpy()))
        (data_loss + penalty).backward()
        data_loss, penalty = data_loss.detach(), torch.as_tensor(penalty).detach()
        scalars = {"loss": float(data_loss + penalty)}
        if self.told_apart and self.l2:
            scalars |= {"loss/data": float(data_loss), "loss/penalty": float(penalty)}
        return output.detach().numpy(), scalars, [w.grad.numpy().copy() for w in leaves if w.grad is not None]

    def profile(self, name: str = "a", **beside: Any) -> Profile:
        """The run, identified."""
        recordings = self.recordings()
        rates = np.array([one.scalars["lr"] for one in recordings])
        steps = np.arange(1, len(recordings) + 1)
        curves = {"lr": Curve(steps, rates)} | beside.pop("curves", {})
        told = Beside(curves=curves, last_step=len(recordings), **beside)
        return profile(name, self.framework, assembled(recordings), told)


def _named(role: str, weights: Weights) -> list[Array]:
    return [array(role, name(place), values) for place, values in enumerate(weights)]


def name(place: int) -> str:
    """``layer0.weight``, ``layer0.bias``, ``layer1.weight``, ..."""
    return f"layer{place // 2}.{'weight' if place % 2 == 0 else 'bias'}"


def array(role: str, called: str, values: np.ndarray) -> Array:
    """An array as the recorder keeps it, whole."""
    values = np.ascontiguousarray(values)
    return Array(role, called, values.dtype.name, values.shape, values.size, values.tobytes())


def drawn(framework: str, layers: Mapping[str, tuple[str, Mapping[str, np.ndarray]]]) -> Profile:
    """A run of which only the first weights are known: by layer, its class and its weights."""
    arrays = [
        array("weight", f"{path}.{kind}", w) for path, (_, weights) in layers.items() for kind, w in weights.items()
    ]
    manifest = {"model": {"layers": [{"name": path, "class": kind} for path, (kind, _) in layers.items()]}}
    return profile("a", framework, assembled([Recording(1, arrays)]), Beside(manifest=manifest))


def event(step: int, kind: str, **fields: Any) -> Event:
    """An event as the store gives it back."""
    return Event("a", 0, 0, 0, 0, step, kind, fields)
