"""A PyTorch implementation in lockstep."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from auditor_agent.parity import torch_cells
from auditor_agent.parity.cells import F64
from auditor_agent.parity.given import Implementation
from auditor_agent.parity.seen import Counter, Point, Seen, array, as_input, kind_of
from auditor_agent.parity.told import Told, tell
from auditor_agent.parity.torch_cells import numpy

#: State of PyTorch's optimizers -> canonical name.
STATE: Final = {
    "exp_avg": "first_moment", "exp_avg_sq": "second_moment", "max_exp_avg_sq": "largest_second_moment",
    "momentum_buffer": "momentum", "square_avg": "second_moment", "grad_avg": "first_moment", "sum": "second_moment",
    "exp_inf": "largest", "acc_delta": "second_moment_of_updates",
}  # fmt: skip


class TorchSide:
    """See ``seen.Side``. ``double``: the same computation in float64, the oracle."""

    framework = "torch"

    def __init__(self, given: Implementation, *, double: bool = False) -> None:
        self.given = given
        self._model: nn.Module = given.model
        self._double = double
        if double:
            self._model.double()
            if isinstance(given.loss, nn.Module):
                given.loss.double()
        self.cells = torch_cells.find(self._model)
        self._cell_layers = {id(cell.layer) for cell in self.cells}
        self._parameters = dict(self._model.named_parameters())
        self._training = self._model.training if given.training is None else given.training
        self._waiting = 0
        self.rule = type(given.optimizer).__name__.lower().removesuffix("w")
        self._convert_state()

    def _convert_state(self) -> None:
        for state in self.given.optimizer.state.values() if self.given.optimizer else ():
            for name, value in state.items():
                if name != "step" and isinstance(value, Tensor) and value.is_floating_point() and self._double:
                    state[name] = value.double()

    def _tensors(self, inputs: Any) -> tuple[Tensor, ...]:
        return tuple(self._tensor(one) for one in as_input(inputs))

    def _tensor(self, value: Any) -> Tensor:
        found = torch.tensor(array(value))
        if found.is_floating_point():
            own = next((p.dtype for p in self._parameters.values()), torch.float32)
            return found.to(torch.float64 if self._double else own)
        return found

    @contextlib.contextmanager
    def _watched(self, points: list[Point]) -> Iterator[None]:
        counter = Counter()
        handles = [layer.register_forward_hook(self._hook(name, points, counter), with_kwargs=True)
                   for name, layer in self._model.named_modules() if self._is_seen(name, layer)]  # fmt: skip
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            for handle in handles:
                handle.remove()

    def _is_seen(self, name: str, layer: nn.Module) -> bool:
        inside = any(name.startswith(f"{cell.settings.get('module', cell.name)}.") for cell in self.cells
                     if cell.kind in {"attention", "lstm", "gru"})  # fmt: skip
        return not inside and (id(layer) in self._cell_layers or not list(layer.children()))

    def _hook(self, name: str, points: list[Point], counter: Counter) -> Callable[..., None]:
        def hook(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            times = counter.next(name)
            cell = id(layer) in self._cell_layers
            settings = torch_cells.settings(layer)
            given = [*args, *kwargs.values()]
            first = output[0] if isinstance(output, tuple) else output
            kind = next((c.kind for c in self.cells if c.layer is layer), kind_of(type(layer).__name__))
            if cell and given and isinstance(given[0], Tensor):
                points.append(
                    Point((name, times, "input"), kind, numpy(given[0]), cell, settings, str(given[0].dtype)[6:])
                )
            if isinstance(layer, (nn.LSTM, nn.GRU)):
                first = _last(layer, first)
            if isinstance(first, Tensor):
                what = "linear" if kind in LINEAR else "output"
                points.append(Point((name, times, what), kind, numpy(first), cell, settings, str(first.dtype)[6:]))

        return hook

    def _call(self, inputs: Any, training: bool) -> Tensor:
        self._model.train(training)
        context = contextlib.nullcontext() if self.given.autocast is None or self._double else torch.autocast(
            "cpu", dtype=self.given.autocast)  # fmt: skip
        with context:
            output = self._model(*self._tensors(inputs))
        found: Tensor = output[0] if isinstance(output, (tuple, list)) else output
        return found

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:
        """See ``seen.Side``."""
        points: list[Point] = []
        before = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        with torch.no_grad(), self._watched(points):
            output = self._call(inputs, self._training if training is None else training)
            for name, buffer in self._model.named_buffers():
                buffer.copy_(before[name])
        return numpy(output), points

    def step(self, inputs: Any, target: Any) -> Seen:
        """See ``seen.Side``."""
        points: list[Point] = []
        before = self.weights()
        with self._watched(points):
            output = self._call(inputs, self._training)
        named = {name: p for name, p in self._parameters.items() if p.requires_grad}
        loss = self.given.loss(output, self._tensor(target))
        out_gradient, *gradients = torch.autograd.grad(
            loss.sum(), [output, *named.values()], retain_graph=True, allow_unused=True)  # fmt: skip
        data = {
            name: torch.zeros_like(p) if g is None else g for (name, p), g in zip(named.items(), gradients, strict=True)
        }
        penalty = self._penalty(named, data_of := dict(data))
        regularized = {name: numpy(g) + self._coupled(named[name]) * before[name] for name, g in data_of.items()}
        rate = float(self.given.optimizer.param_groups[0]["lr"])
        self._apply(named, data_of)
        after = self.weights()
        by_output = np.zeros(()) if out_gradient is None else numpy(out_gradient)
        return Seen(
            points, numpy(output), float(loss.detach().sum()), by_output,
            {name: numpy(g) for name, g in data.items()}, regularized,
            {name: after[name] - before[name] for name in after}, self.slots(), rate, penalty,
        )  # fmt: skip

    def _penalty(self, named: Mapping[str, Tensor], gradients: dict[str, Tensor]) -> float:
        """Adds the penalty's gradients to ``gradients``; its value."""
        if self.given.penalty is None:
            return 0.0
        value = self.given.penalty(self._model)
        found = torch.autograd.grad(value, list(named.values()), allow_unused=True)
        for name, gradient in zip(named, found, strict=True):
            if gradient is not None:
                gradients[name] = gradients[name] + gradient
        return float(value.detach())

    def _coupled(self, parameter: Tensor) -> float:
        """The factor of a weight that the optimizer adds to its gradient."""
        for group in self.given.optimizer.param_groups:
            if any(one is parameter for one in group["params"]):
                decoupled = type(self.given.optimizer).__name__ == "AdamW" or group.get("decoupled_weight_decay")
                return 0.0 if decoupled else float(group.get("weight_decay", 0.0))
        return 0.0

    def _apply(self, named: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> None:
        """Gradients into place, and a step where enough batches have been seen."""
        part = self.given.accumulate if self.given.average else 1
        for name, parameter in named.items():
            addend = gradients[name] / part
            parameter.grad = addend.clone() if parameter.grad is None else parameter.grad + addend
        self._waiting += 1
        if self._waiting % self.given.accumulate:
            return
        if self.given.before_step is not None:
            self.given.before_step(self._model)
        self.given.optimizer.step()
        self.given.optimizer.zero_grad(set_to_none=True)
        if self.given.scheduler is not None:
            self.given.scheduler.step()

    def weights(self) -> dict[str, F64]:
        """See ``seen.Side``."""
        return {name: numpy(tensor) for name, tensor in self._all() if tensor.is_floating_point()}

    def _all(self) -> list[tuple[str, Tensor]]:
        return [*self._model.named_parameters(), *self._model.named_buffers()]

    @torch.no_grad()
    def load(self, arrays: Mapping[str, F64]) -> None:
        """See ``seen.Side``."""
        for name, tensor in self._all():
            if name in arrays:
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(arrays[name])).to(tensor.dtype))

    def slots(self) -> dict[str, dict[str, F64]]:
        """See ``seen.Side``."""
        found: dict[str, dict[str, F64]] = {}
        for name, parameter in self._parameters.items():
            for key, value in self.given.optimizer.state.get(parameter, {}).items():
                if key in STATE and isinstance(value, Tensor):
                    found.setdefault(STATE[key], {})[name] = numpy(value)
        return found

    @torch.no_grad()
    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """See ``seen.Side``."""
        for name, parameter in self._parameters.items():
            for key, value in self.given.optimizer.state.get(parameter, {}).items():
                given = slots.get(STATE.get(key, ""), {}).get(name)
                if given is not None and isinstance(value, Tensor):
                    value.copy_(torch.from_numpy(np.ascontiguousarray(given)).to(value.dtype))

    def dropouts(self) -> list[tuple[str, float]]:
        """See ``seen.Side``."""
        found = [
            (name, float(getattr(layer, _rate(layer)))) for name, layer in self._model.named_modules() if _rate(layer)
        ]
        return [(name, rate) for name, rate in found if rate > 0]

    def silence(self) -> None:
        """See ``seen.Side``."""
        for layer in self._model.modules():
            if _rate(layer):
                setattr(layer, _rate(layer), 0.0)

    def told(self) -> Told:
        """See ``seen.Side``."""
        from auditor_agent.integrations.torch.facts import canonical

        found = canonical(self._model, self.given.optimizer)
        kept = {name: value for name, value in found.items() if name in {"update", "normalization"}}
        scheduled = self.given.scheduler is not None
        groups = getattr(self.given.optimizer, "param_groups", None) or [{}]
        start = groups[0].get("initial_lr", groups[0].get("lr"))
        start = float(start) if scheduled and start is not None else None
        return tell(self.given, kept, training=self._training, scheduled=scheduled, starting_rate=start)


LINEAR: Final = frozenset({"dense", "conv", "depthwise", "conv_transpose"})


def _last(layer: nn.LSTM | nn.GRU, output: Tensor) -> Tensor | None:
    """What a recurrent layer gives at the end; None where its directions end at opposite ends."""
    if layer.bidirectional or output.ndim != 3:
        return None
    return output[:, -1] if layer.batch_first else output[-1]


def _rate(layer: nn.Module) -> str:
    """The attribute of a layer that says how much it drops; empty if it drops nothing."""
    if isinstance(layer, nn.modules.dropout._DropoutNd):  # noqa: SLF001 -- the common base has no public name
        return "p"
    return (
        "dropout"
        if isinstance(layer, (nn.MultiheadAttention, nn.LSTM, nn.GRU)) and not math.isnan(layer.dropout)
        else ""
    )
