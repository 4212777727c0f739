"""The first batch of an evaluation: what the model was given and gave, its layers, the loss, the mode.

Of the first evaluation after each recorded step. Where the test step is traced, a tap of its own hands
the tensors out; it takes nothing but in the one batch that :meth:`Evaluated.begins` announces. Where it
runs op by op, on a CPU, they are read as the loss is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras.backends import backend
from auditor_agent.integrations.keras.looks import outputs
from auditor_agent.integrations.keras.tape import data, loss_arguments, shape_of, taken_array
from auditor_agent.stream.recording import Array


class Evaluated:
    """Records the evaluations of one probe's model."""

    def __init__(self, probe: Any) -> None:
        self._probe = probe
        self._taps: Any = None
        self._training: str | None = None
        self._after = self._step = 0

    @property
    def under_way(self) -> bool:
        """Whether a batch was announced that is not recorded yet."""
        return self._step > 0

    # -- around the first batch, on the host ------------------------------------------------------

    @guarded(None)
    def begins(self) -> None:
        """The first batch of an evaluation is about to be given to the model."""
        tape = self._probe.tape
        if self._probe.taps is None or tape.recorder is None or tape.recorded <= self._after:
            return
        self._after, self._step = tape.recorded, tape.taken()
        self._probe.layers.keep = True
        self._schedule()

    @guarded(None)
    def ended(self) -> None:
        """It has been."""
        if self._taps is not None:
            self._taps.read()
        self._step = 0
        self._schedule()

    def _schedule(self) -> None:
        if self._taps is not None:
            self._taps.begin(self._probe.tape.offset, [self._step + 1] if self._step else [])

    # -- within the test step ---------------------------------------------------------------------

    @guarded(None)
    def compared(self, args: Sequence[Any], kwargs: Mapping[str, Any], loss: Any) -> None:
        """``compute_loss`` of the test step was called with these arguments, and gave ``loss``."""
        probe = self._probe
        given = loss_arguments(args, kwargs)
        output = next(iter(keras.tree.flatten(given.get("y_pred"))), None)
        traced = hasattr(output, "graph")
        if probe.taps is None or isinstance(output, keras.KerasTensor) or not (traced or self._step):
            return
        step = probe.layers.heard
        found = keras_layers.mode(step, "eval")
        self._training = None if found is None else str(found["training"])
        if traced:
            self._put(given, loss, step)
        else:
            self._look(given, loss, step)

    def _put(self, given: Mapping[str, Any], loss: Any, step: keras_layers.Step) -> None:
        """Have the tap called in what is being traced."""
        from auditor_agent.integrations.keras.compiled import offered
        from auditor_agent.integrations.keras.taps import Taps

        probe, on = self._probe, backend()
        if self._taps is None:
            self._taps = Taps(probe.layers, accumulate=probe.every, jit=probe.jit, sampled=False)
            self._taps.receive = self._received
            self._schedule()
        count = keras.ops.convert_to_tensor(probe.inner._iterations)  # noqa: SLF001 -- counts micro-batches
        head = (count, on.scalar(loss), on.scalar(None), on.scalar(None), on.scalar(1.0))
        self._taps.put(head, step, offered(data(given)), ())

    def _look(self, given: Mapping[str, Any], loss: Any, step: keras_layers.Step) -> None:
        """Read what there is now."""
        host = self._probe.host
        read = [(label, host(tensor)) for label, tensor in data(given)]
        layers, told = outputs([(call.layer, host(call.output)) for call in keras_layers.watched(step)])
        self._send([(label, v.reshape(-1), v.shape) for label, v in read], layers, told, host(backend().scalar(loss)))

    def _received(self, block: Any, labels: Sequence[Any]) -> None:
        """The tap took a batch; where several go through the model together, each."""
        from auditor_agent.integrations.keras.compiled import wide

        told = [
            ((label.role, label.name, label.dtype), wide(label, taken.values), taken.shape)
            for label, taken in zip(labels, block.operands, strict=True)
            if taken is not None and label.layer is None
        ]
        self._send(told, self._taps.arrays(block.step), self._taps.facts(), block.head[1])

    def _send(self, told: Sequence[Any], layers: list[Array], kinds: list[dict[str, Any]], loss: Any) -> None:
        tape, step = self._probe.tape, self._step
        recorder, self._step = tape.recorder, 0
        if recorder is None or not step:
            return
        taken = (taken_array(recorder, label, flat, shape, 1.0) for label, flat, shape in told)
        arrays = [array for array in taken if array is not None]
        seen = [array for array in layers if recorder.admit(len(array.data))]
        shapes = {f"{role}_shape": s for role in ("output", "target") if (s := shape_of(arrays, role)) is not None}
        facts: dict[str, Any] = {"loss": {**tape.declared_loss(), **shapes}, "layers": kinds if seen else []}
        facts |= {} if self._training is None else {"training": self._training}
        recorder.send(step, arrays + seen, {"loss": float(loss)}, facts, phase="eval")
