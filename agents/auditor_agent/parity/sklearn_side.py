"""A scikit-learn MLP in lockstep: what it computes is read where backpropagation leaves it.

The output is taken before the last activation (logits), as the other frameworks' losses take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from auditor_agent.parity.cells import F64, Cell, Slot
from auditor_agent.parity.given import Implementation, NotComparableError
from auditor_agent.parity.seen import Point, Seen, array
from auditor_agent.parity.told import Told, tell

#: Canonical state -> attribute of the optimizer: a list over kernels and then over biases.
_STATE: Final = {"momentum": "velocities", "first_moment": "ms", "second_moment": "vs"}


class SklearnSide:
    """See ``seen.Side``. ``double``: its batches come in float64, and so does all that it computes."""

    framework = "sklearn"

    def __init__(self, given: Implementation, batch: tuple[Any, Any], *, double: bool = False) -> None:
        self.given = given
        self._mlp = given.model
        self._double = double
        if self._mlp.solver not in {"sgd", "adam"}:
            raise NotComparableError(f"solver {self._mlp.solver!r} takes no steps that could be compared")
        self.rule = str(self._mlp.solver)
        self._classes: Any = None
        self._started(*batch)
        count = len(self._mlp.coefs_)
        self.cells = [self._cell(at) for at in range(count)]

    def _started(self, inputs: Any, target: Any) -> None:
        """Lets the estimator make its weights and its optimizer, whose state is then as at the start."""
        self._mlp.set_params(shuffle=False, batch_size=len(array(inputs)))
        self._fit(inputs, target)
        optimizer = self._mlp._optimizer  # noqa: SLF001 -- no public name
        for attribute in _STATE.values():
            for one in getattr(optimizer, attribute, ()):
                one[...] = 0
        if hasattr(optimizer, "t"):
            optimizer.t = 0
        self._mlp.t_ = 0

    def _fit(self, inputs: Any, target: Any) -> None:
        x, y = self._inputs(inputs), array(target)
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        self._mlp.set_params(batch_size=len(x))
        if hasattr(self._mlp, "predict_proba"):
            self._classes = np.unique(y) if self._classes is None else self._classes
            self._mlp.partial_fit(x, y, classes=self._classes)
        else:
            self._mlp.partial_fit(x, y)

    def _inputs(self, inputs: Any) -> Any:
        return np.asarray(array(inputs), np.float64 if self._double else np.float32)

    def _cell(self, at: int) -> Cell:
        kernel, bias = self._mlp.coefs_[at], self._mlp.intercepts_[at]
        slots = {"kernel": Slot(f"coefs_.{at}"), "bias": Slot(f"intercepts_.{at}")}
        settings = {"class": type(self._mlp).__name__, "activation": self._mlp.activation}
        return Cell(f"layer{at}", "dense", slots, {"kernel": kernel.shape, "bias": bias.shape}, settings)

    def _passed(self, inputs: Any) -> tuple[F64, list[Point]]:
        """Activations of the layers, and the output before its activation."""
        layers = [self._inputs(inputs), *([None] * len(self._mlp.coefs_))]
        hidden = self._mlp._forward_pass(layers)[:-1]  # noqa: SLF001 -- no public name
        points = [Point((f"layer{at}", 0, "input"), "dense", np.asarray(x, np.float64), cell=True)
                  for at, x in enumerate(hidden)]  # fmt: skip
        linear = hidden[-1] @ self._mlp.coefs_[-1] + self._mlp.intercepts_[-1]
        last = f"layer{len(hidden) - 1}", 0, "linear"
        return np.asarray(linear, np.float64), [
            *points,
            Point(last, "dense", np.asarray(linear, np.float64), cell=True),
        ]

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:  # noqa: ARG002 -- one mode
        """See ``seen.Side``."""
        return self._passed(inputs)

    def step(self, inputs: Any, target: Any) -> Seen:
        """See ``seen.Side``."""
        output, points = self._passed(inputs)
        before = self.weights()
        kept: dict[str, Any] = {}
        original = self._mlp._backprop  # noqa: SLF001 -- no public name

        def backprop(x: Any, y: Any, weights: Any, activations: Any, deltas: Any, *gradients: Any) -> Any:
            found = original(x, y, weights, activations, deltas, *gradients)
            kept["loss"], kept["delta"] = float(found[0]), np.array(deltas[-1], np.float64)
            kept["coefs_"], kept["intercepts_"] = ([np.array(g, np.float64) for g in part] for part in found[1:])
            return found

        self._mlp._backprop = backprop  # noqa: SLF001
        try:
            self._fit(inputs, target)
        finally:
            del self._mlp._backprop  # noqa: SLF001
        rows = len(output)
        part = float(self._mlp.alpha) / rows
        regularized = {f"{name}.{at}": g for name in ("coefs_", "intercepts_") for at, g in enumerate(kept[name])}
        data = {key: g - part * before[key] if key.startswith("coefs_") else g for key, g in regularized.items()}
        penalty = 0.5 * part * sum(float(np.sum(before[key] ** 2)) for key in before if key.startswith("coefs_"))
        after = self.weights()
        return Seen(
            points, output, kept["loss"] - penalty, kept["delta"] / rows, data, regularized,
            {key: after[key] - before[key] for key in after}, self.slots(), self._rate(), penalty,
        )  # fmt: skip

    def _rate(self) -> float:
        optimizer = self._mlp._optimizer  # noqa: SLF001 -- no public name
        return float(optimizer.learning_rate_init if self.rule == "adam" else optimizer.learning_rate)

    def _all(self) -> list[tuple[str, Any]]:
        return [(f"{name}.{at}", one) for name in ("coefs_", "intercepts_")
                for at, one in enumerate(getattr(self._mlp, name))]  # fmt: skip

    def weights(self) -> dict[str, F64]:
        """See ``seen.Side``."""
        return {key: np.array(one, np.float64) for key, one in self._all()}

    def load(self, arrays: Mapping[str, F64]) -> None:
        """See ``seen.Side``."""
        for key, one in self._all():
            if key in arrays:
                one[...] = arrays[key]

    def slots(self) -> dict[str, dict[str, F64]]:
        """See ``seen.Side``. A momentum is told as PyTorch keeps it: without the learning rate."""
        found: dict[str, dict[str, F64]] = {}
        for name, listed in self._state():
            scale = -1 / self._rate() if name == "momentum" else 1.0
            found[name] = {
                key: scale * np.array(one, np.float64) for (key, _), one in zip(self._all(), listed, strict=True)
            }
        return found

    def _state(self) -> list[tuple[str, Any]]:
        optimizer = self._mlp._optimizer  # noqa: SLF001 -- no public name
        kept = {name: getattr(optimizer, attribute, None) for name, attribute in _STATE.items()}
        if not getattr(optimizer, "momentum", 0.0):
            kept["momentum"] = None
        return [(name, listed) for name, listed in kept.items() if listed is not None]

    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """See ``seen.Side``."""
        for name, listed in self._state():
            scale = -self._rate() if name == "momentum" else 1.0
            for (key, _), one in zip(self._all(), listed, strict=True):
                if key in slots.get(name, {}):
                    one[...] = scale * slots[name][key]

    def dropouts(self) -> list[tuple[str, float]]:
        """See ``seen.Side``: it drops nothing."""
        return []

    def silence(self) -> None:
        """See ``seen.Side``: nothing to do."""

    def told(self) -> Told:
        """See ``seen.Side``."""
        from auditor_agent.integrations.sklearn.manifest import canonical

        found = canonical(self._mlp, int(self._mlp.batch_size))
        return tell(self.given, found, training=True, alpha=float(self._mlp.alpha))
