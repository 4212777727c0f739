"""The flight recorder's part in a train step on a CPU that runs by itself or is compiled by XLA.

Gradients, batch, target and output come out of the step through its tap; weights and the optimizer's
state are plain variables, read by the host before and after the step. Under XLA with
``steps_per_execution`` > 1 the host sees them only before the first and after the last of the steps
that run together: of the steps between, gradients and data are recorded alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from auditor_agent.capture.native.tensorflow import apart
from auditor_agent.capture.native.tensorflow_taps import AHEAD, COPY, Block, Operand
from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.layers import built
from auditor_agent.integrations.keras.on_tensorflow import reachable
from auditor_agent.integrations.keras.tape import Tape, dtype_of, size_of, taken_array
from auditor_agent.integrations.keras.taps import Label
from auditor_agent.recorder import Budget, configured_steps
from auditor_agent.stream.recording import Array

_STANDARD: Final = Budget()
_ROLES: Final = frozenset({"gradient", "batch", "target", "output", "factor"})


class CompiledTape(Tape):
    """As ``Tape``, without calls of the host from within the step."""

    def __init__(self, probe: Any) -> None:
        super().__init__(probe)
        self._before: dict[int, list[Array]] = {}
        self._after: dict[int, list[Array]] = {}
        self._begun = 0
        probe.taps.receive = self.received

    @guarded(None)
    def before(self, head: Sequence[Any], variables: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """Offer data and gradients to the tap of the step that is being traced."""
        del head
        if self._recorder is None:
            return
        self._prepare(variables)
        self._variables = list(variables)
        if not self._probe.seen:
            self._look_early(variables)
        share = self._recorder.share
        data, self._data = self._data, []
        found = [(("gradient", self._name(v), g.dtype.name), g) for v, g in gradients]
        modes = [AHEAD if self._probe.jit and apart(tensor) else COPY for _, tensor in found]
        self.offered = [
            (Label(*label), Operand(tensor, mode, 0, _most(tensor, share, _STANDARD.whole_bytes)))
            for (label, tensor), mode in zip(found, modes, strict=True)
        ] + offered(data)

    def _look_early(self, variables: Sequence[Any]) -> None:
        """The weights before the first step, of a model that came into being while it was traced."""
        with self._probe.outside():
            step = self._next_step()
            there = all(self._probe.host(v).size == size_of(v.shape) for v in variables)
            if there and step in self.steps and step not in self._before and self._began(step):
                self._before = {step: self._told("weight", variables)}

    def after(self) -> None:
        """The state is read from outside."""

    # -- around the step, on the host ---------------------------------------------------------

    @guarded(None)
    def execution_begins(self, count: int) -> None:
        """``count`` train steps are about to run: what the first one's weights are is read now, if it is recorded."""
        recorder = self._recorder
        if recorder is None or not recorder.active or not self._near(count):
            return
        step, every = self._next_step(), self._probe.every
        completes = (self._iterations + 1) % every == 0
        self._listening = step <= min(self.steps, default=0) + configured_steps()
        variables = self._variables or list(self._probe.model.trainable_variables)
        if step not in self.steps or not completes or not variables or not all(v.shape for v in variables):
            return
        if not self._variables and not built(self._probe.model):  # it comes into being while it is traced
            return
        if not self._names:  # before the step was traced
            self._prepare(variables)
        if self._began(step):
            self._before = {step: self._told("weight", variables)}

    @guarded(None)
    def execution_ended(self, count: int) -> None:
        """They have run: weights and state after the last, and what the tap took of all."""
        super().execution_ended(count)
        recorder = self._recorder
        if recorder is None or not recorder.active or not self._probe.taps.waiting:
            return
        step = self._next_step() - 1
        if step in self.steps and self._began(step):
            after = self._told("updated", self._variables)
            for label, variable in self._state(self._variables):
                after += self._read(label, variable)
            self._after = {step: after}
        self._probe.taps.read()

    def _began(self, step: int) -> bool:
        recorder = self._recorder
        if recorder is None:
            return False
        if self._begun != step and recorder.begin(step):
            self._begun = step
        return self._begun == step

    def _told(self, role: str, variables: Sequence[Any]) -> list[Array]:
        return [array for v in variables for array in self._read((role, self._name(v), dtype_of(v)), v)]

    def _read(self, label: tuple[str, str, str], variable: Any) -> list[Array]:
        values = self._probe.host(variable)
        assert self._recorder is not None  # noqa: S101 -- whoever calls has looked
        array = taken_array(self._recorder, label, values.reshape(-1), values.shape, 1.0)
        return [] if array is None else [array]

    @guarded(None)
    def received(self, block: Block, labels: Sequence[Label]) -> None:
        """The tap took a step."""
        recorder = self._recorder
        _, loss, penalty, rate, unscale = block.head
        pairs = [(label, taken) for label, taken in zip(labels, block.operands, strict=True) if label.role in _ROLES]
        gradients = [(label, taken) for label, taken in pairs if label.role == "gradient" and taken is not None]
        if recorder is None or (self._probe.scaled and not all(_finite(label, t.values) for label, t in gradients)):
            return
        if not self._began(block.step):
            if not recorder.active:
                self._stop()
            return
        factor = 1.0 if self._probe.every > 1 else unscale
        arrays = self._before.pop(block.step, [])
        for label, taken in pairs:
            if taken is not None:
                told = (label.role, label.name, label.dtype)
                scale = factor if label.role == "gradient" else 1.0
                array = taken_array(recorder, told, wide(label, taken.values), taken.shape, scale)
                arrays += [array] if array is not None else []
        arrays += self._after.pop(block.step, [])
        self._hand_over(block.step, arrays, self._scalars(loss, penalty, rate))

    def _stop(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
        self._before, self._after = {}, {}
        self._probe.taps.begin(self._offset, ())


def offered(data: Sequence[tuple[tuple[str, str, str], Any]]) -> list[tuple[Label, Operand]]:
    """What a tap is told of batch, target and output."""
    return [
        (Label(*label), Operand(tensor, COPY, 0, _most(tensor, _STANDARD.sample, _STANDARD.data_whole)))
        for label, tensor in data
        if reachable(tensor)
    ]


def _most(tensor: Any, share: int, whole_bytes: int) -> int:
    """Elements that are taken: of a tensor that may be large only a sample (its size may not be known yet)."""
    most = whole_bytes // int(tensor.dtype.size)
    size = tensor.shape.num_elements()
    return share if size is not None and size > most else most


def wide(label: Label, values: Any) -> Any:
    """bfloat16 as the float32 that it stands for."""
    return (values.astype(np.uint32) << 16).view(np.float32) if label.dtype == "bfloat16" else values


def _finite(label: Label, values: Any) -> bool:
    return bool(np.isfinite(wide(label, values)).all())
