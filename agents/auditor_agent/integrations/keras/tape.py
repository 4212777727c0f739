"""The flight recorder's part in a Keras train step, whatever runs it: what is recorded of which step.

How the numbers leave the step is the backends': ``keras_record`` (TensorFlow's graph),
``keras_compiled`` (XLA), ``keras_eager`` (PyTorch).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras import operations as keras_operations
from auditor_agent.integrations.keras.backends import backend
from auditor_agent.integrations.keras.heads import heads
from auditor_agent.recorder import Recorder, configured_steps, state_role
from auditor_agent.stream.recording import Array, positions

_ARGUMENTS: Final = ("x", "y", "y_pred", "sample_weight", "training")
_ROLES: Final = {"x": "batch", "sample_weight": "batch", "y": "target", "y_pred": "output"}
_PREFIXES: Final = {"x": "input", "sample_weight": "sample_weight", "y": "target", "y_pred": "output"}
_MOST_TENSORS: Final = 8
#: Lists of variables that an optimizer keeps per weight and that are no state of its rule.
_NO_STATE: Final = frozenset({"_trainable_variables", "_accumulated_gradients", "_model_variables_moving_average"})
#: Steps that are recorded besides the first ones: 50, 100, 200, 400, ...
LATE: Final = frozenset(50 << doubled for doubled in range(40))

#: One tensor as the host is told of it: role, name and dtype when traced; elements and shape when run.
Label = tuple[str, str, str]
Values = npt.NDArray[Any]


class Tape:
    """The recorder's part of one probe. Made with it; records once :meth:`start` names a run."""

    eager = False
    """Whether the step's code runs at each step, and not only while it is traced."""

    def __init__(self, probe: Any) -> None:
        self._probe = probe
        self._data: list[tuple[Label, Any]] = []
        self._variables: list[Any] = []
        self._recorder: Recorder | None = None
        self._run: Any = None
        self._offset = 0
        self._names: dict[int, str] = {}
        self._sized = False
        self._pending: dict[int, tuple[list[Array], dict[str, float]]] = {}
        self._listening = True
        self._loss_facts: dict[str, Any] | None = None
        self._iterations = 0
        self._output_activation: str | None = None
        self._heads: list[dict[str, Any]] = []
        self._operations: dict[str, Any] | None = None  # what a forward pass consists of; told once
        self.steps: frozenset[int] = frozenset()
        """Steps that are recorded."""
        self.offered: list[tuple[Any, Any]] = []
        """What the tap of the step that is being traced should hand out besides the outputs of layers."""
        self.recorded = 0
        """The last step that was recorded."""

    def start(self, run: Any, offset: int) -> None:
        """Record into ``run``, whose step ``offset`` + 1 is the optimizer's first. The first call counts."""
        self._run, self._offset, self._iterations = run, offset, self._probe.updates * self._probe.every
        if self._recorder is None and configured_steps() > 0 and hasattr(run, "recording"):
            self._recorder = Recorder(run, layout="keras")
            first = offset + self._probe.updates + 1
            self.steps = frozenset(range(first, first + configured_steps())) | LATE
            run.on_finish(self._recorder.close)
        if self._probe.taps is not None:
            self._probe.taps.begin(self._offset, sorted(self.steps))

    # -- around the step, on the host ---------------------------------------------------------

    @property
    def recorder(self) -> Recorder | None:
        """Who keeps the run's budget; None while nothing is recorded."""
        return self._recorder

    @property
    def offset(self) -> int:
        """The run's steps before the optimizer's first."""
        return self._offset

    def taken(self) -> int:
        """The last step that the optimizer took; asks it."""
        return self._next_step() - 1

    @property
    def listening(self) -> bool:
        """Whether the next step may be one that is recorded."""
        return self._recorder is not None and self._recorder.active and self._near(1)

    def reached(self, iterations: int) -> None:
        """So many iterations the optimizer has made, as far as rows tell."""
        self._iterations = iterations

    def execution_begins(self, count: int) -> None:
        """``count`` train steps are about to run."""
        if self._recorder is None or not self._recorder.active or not self._near(count):
            return
        step = self._next_step()
        wanted = any(step + i in self.steps for i in range(count))
        if wanted != self._listening:
            self._listening = wanted
            self._listen(wanted)

    def _listen(self, on: bool) -> None:
        """The steps to come are recorded, or not."""

    def execution_ended(self, count: int) -> None:
        """They have run."""
        self._iterations += count

    def _near(self, count: int) -> bool:
        """Whether one of the next updates may be recorded, as far as is known without asking the optimizer."""
        step = self._offset + self._iterations // self._probe.every + 1
        return self._listening or any(step + i in self.steps for i in range(-1, count + 1))

    def _next_step(self) -> int:
        self._iterations = int(keras.ops.convert_to_tensor(self._probe.inner._iterations))  # noqa: SLF001 -- counts micro-batches
        return int(self._offset + self._iterations // self._probe.every + 1)

    # -- within the step --------------------------------------------------------------------

    @guarded(None)
    def compared(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """``compute_loss`` was called with these arguments."""
        given = loss_arguments(args, kwargs)
        heard = self._probe.layers.heard
        self._output_activation = keras_layers.output_activation(heard, given.get("y_pred"))
        self._heads = heads(
            self._probe.model,
            given.get("y"),
            given.get("y_pred"),
            lambda leaf: keras_layers.output_activation(heard, leaf),
        )
        if self._operations is None and heard.order.ran:
            self._operations = keras_operations.facts(heard.order, given.get("y_pred"), given.get("trained", ()))
            self._probe.layers.curious = not self.eager
        met = backend().expanded(given.get("loss"), given.get("given", ()))
        if met is not None:
            if met.output is not given.get("y_pred"):  # logits, say, behind the sigmoid that the model ends in
                self._output_activation = keras_layers.output_activation(heard, met.output) or "linear"
            others = keras.tree.flatten(given.get("y_pred"))  # means and variances beside what was rebuilt, say
            others = [leaf for leaf in others if leaf is not met.output] if len(others) > 1 else []
            given |= {"y": met.target, "y_pred": [met.output, *others] if others else met.output}
            given |= {} if met.weight is None else {"sample_weight": met.weight}
            self._loss_facts = {**self.declared_loss(), **met.facts}
        self.made_of(given.get("loss"))
        self._data = []
        if self._recorder is None or (self.eager and not self._listening):
            return
        self._data = data(given)

    @guarded(None)
    def made_of(self, loss: Any) -> None:
        """The operations of the loss that the step has, where they can be read."""
        if graph := backend().parts(loss, self._probe.layers.heard.output):
            self._loss_facts = {**self.declared_loss(), "graph": graph}

    def _prepare(self, variables: Sequence[Any]) -> None:
        """Names of the weights; once: what the optimizer is, how large the weights are."""
        self._names = self._table()
        if self._sized or self._recorder is None:
            return
        self._sized = True
        with backend().outside():
            self._run.observe(canonical=self._declared())
        self._recorder.size([(size_of(v.shape), _width(dtype_of(v))) for v in variables])

    def _table(self) -> dict[int, str]:
        """Names of variables by ``id``."""
        from auditor_agent.integrations.keras.watch import _names

        return _names(self._probe.model)

    def _declared(self) -> dict[str, Any]:
        """The ``canonical`` section of the manifest."""
        from auditor_agent.integrations.keras.facts import canonical

        return canonical(self._probe.model, self._probe.inner)

    def _name(self, variable: Any) -> str:
        return self._names.get(id(variable)) or str(variable.path)

    def _state(self, variables: Sequence[Any]) -> list[tuple[Label, Any]]:
        """What the optimizer keeps per weight, by the name of its attribute."""
        inner, found = self._probe.inner, []
        trained = [id(variable) for variable in inner._trainable_variables]  # noqa: SLF001 -- no public name
        for attribute, kept in vars(inner).items():
            if attribute in _NO_STATE or not isinstance(kept, list) or len(kept) != len(trained):
                continue
            if not all(hasattr(slot, "path") for slot in kept):
                continue
            slots = dict(zip(trained, kept, strict=True))
            role = state_role(attribute.strip("_"))
            found += [((role, self._name(v), slots[id(v)].dtype), slots[id(v)]) for v in variables if id(v) in slots]
        return found

    @guarded(None)
    def receive_before(self, labels: Sequence[Label], head: Values, values: Sequence[Any]) -> None:
        """Weights, gradients and data, before the optimizer acts."""
        recorder, every = self._recorder, self._probe.every
        if recorder is None:
            return
        iterations, loss, penalty, rate, unscale = head.tolist()
        if (int(iterations) + 1) % every:
            return
        gradients = (flat for (role, _, _), (flat, _) in zip(labels, values, strict=True) if role == "gradient")
        if self._probe.scaled and not all(np.isfinite(flat).all() for flat in gradients):
            return  # the step will be left out
        step = self._offset + int(iterations) // every + 1
        if not recorder.begin(step):
            if not recorder.active:
                self._stop()
            return
        scalars = self._scalars(loss, penalty, rate)
        factor = 1.0 if every > 1 else unscale
        self._pending[step] = self._arrays(recorder, labels, values, factor), scalars

    @guarded(None)
    def receive_after(self, labels: Sequence[Label], head: Values, values: Sequence[Any]) -> None:
        """Weights and state, after it has."""
        recorder, pending = self._recorder, self._pending
        step = self._offset + int(head[0]) // self._probe.every + 1 if len(head) else next(iter(pending), 0)
        for left in [number for number in pending if number < step]:
            del pending[left]
        if recorder is None or step not in pending:
            return
        arrays, scalars = pending.pop(step)
        self._hand_over(step, arrays + self._arrays(recorder, labels, values, 1.0), scalars)

    def _hand_over(self, step: int, arrays: list[Array], scalars: dict[str, float]) -> None:
        recorder, taps = self._recorder, self._probe.taps
        if recorder is None:
            return
        facts = self._facts(arrays)
        self.recorded = step
        if taps is not None:
            taps.read()
            seen = [array for array in taps.arrays(step) if recorder.admit(len(array.data))]
            arrays = arrays + seen
            facts |= {"layers": taps.facts()} if seen else {}
        recorder.send(step, arrays, scalars, facts)
        if step + 1 not in self.steps and not recorder.begin(step + 1) and not recorder.active:
            self._stop()  # the last one: what was seen of all can be told

    def declared_loss(self) -> dict[str, Any]:
        """Which loss it is, where there is one: its name, reduction, whether it takes logits."""
        if self._loss_facts is None:
            from auditor_agent.integrations.keras.facts import loss_facts

            self._loss_facts = loss_facts(self._probe.model)
        return self._loss_facts

    def _scalars(self, loss: float, penalty: float, rate: float) -> dict[str, float]:
        """The scalars that belong to a step's arrays; what was not told is left out."""
        if np.isnan(loss) and np.isnan(penalty):
            return {"lr": rate}
        parts = {} if np.isnan(penalty) else {"loss/penalty": penalty}  # a loss of the model's own has no such part
        return {"loss": loss, **parts, "lr": rate}

    def _facts(self, arrays: Sequence[Array]) -> dict[str, Any]:
        """What is told of a step besides its numbers."""
        loss: dict[str, Any] = dict(self.declared_loss())
        loss |= {f"{kind}_shape": s for kind in ("output", "target") if (s := shape_of(arrays, kind)) is not None}
        facts: dict[str, Any] = {"loss": loss, **self._probe.phase()}
        if self._output_activation is not None:
            facts["output_activation"] = self._output_activation
        if self._heads:
            facts["heads"] = self._heads
        if self._operations:  # once
            facts |= self._operations
            self._operations = {}
        return facts

    def _arrays(self, recorder: Recorder, labels: Any, values: Any, unscale: float) -> list[Array]:
        taken = (
            taken_array(recorder, label, flat, shape, unscale if label[0] == "gradient" else 1.0)
            for label, (flat, shape) in zip(labels, values, strict=True)
        )
        return [array for array in taken if array is not None]

    def _stop(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
        self._listening = False
        self._listen(False)


def loss_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What ``compute_loss`` was called with, by name."""
    return dict(zip(_ARGUMENTS, args, strict=False)) | dict(kwargs)


def data(given: Mapping[str, Any]) -> list[tuple[Label, Any]]:
    """Batch, target and output among what ``compute_loss`` was given."""
    found = []
    for argument, role in _ROLES.items():
        leaves = [leaf for leaf in keras.tree.flatten(given.get(argument)) if leaf is not None][:_MOST_TENSORS]
        for at, leaf in enumerate(leaves):
            dtype = keras.backend.standardize_dtype(getattr(leaf, "dtype", type(leaf)))
            if dtype != "string":
                found.append(((role, f"{_PREFIXES[argument]}{at}", dtype), keras.ops.convert_to_tensor(leaf)))
    return found


def shape_of(arrays: Sequence[Array], role: str) -> list[int] | None:
    """The shape of the first array of a role."""
    return next((list(array.shape) for array in arrays if array.role == role), None)


def taken_array(recorder: Recorder, label: Label, flat: Values, shape: tuple[int, ...], unscale: float) -> Array | None:
    """What the recorder takes of the elements ``flat`` of a tensor of ``shape``; None: nothing, which is counted."""
    role, name, dtype = label
    size = size_of(shape)
    width = 2 if dtype == "bfloat16" else flat.itemsize
    count = recorder.take(role, size, width)
    if size and not count:
        return None
    if count < flat.size:  # whole from the graph, of which a sample is kept
        flat = flat[positions(flat.size, count)]
    if unscale != 1.0:
        flat = (flat.astype(np.float64) * unscale).astype(flat.dtype)
    data = _halves(flat) if dtype == "bfloat16" else np.ascontiguousarray(flat)
    return Array(role, name, dtype, shape, int(flat.size), data.astype(data.dtype.newbyteorder("<")).tobytes())


def _halves(flat: Values) -> Values:
    """bfloat16 out of the float32 that it was widened to: the upper half."""
    return (np.ascontiguousarray(flat, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def size_of(shape: Sequence[int]) -> int:
    """Elements of a tensor of this shape."""
    size = 1
    for extent in shape:
        size *= int(extent)
    return size


def dtype_of(variable: Any) -> str:
    """The name of a variable's or tensor's type, whichever framework's."""
    return str(keras.backend.standardize_dtype(variable.dtype))


def _width(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize
