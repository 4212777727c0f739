"""The part that further optimizers have in a step: whose weights are whose, and what becomes of them.

A loop gives the body of its network to one optimizer and the head to another, or trains two networks by turns. The
steps are the first one's (``succession``); what the others move is recorded with them, as PyTorch's agent does it
(``facts.optimizers``), where they are known to act within the same step. Of one that may as well follow the first
only the names are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras.record import GraphTape, here
from auditor_agent.integrations.keras.tape import Label, Values, dtype_of, size_of
from auditor_agent.stream.recording import Array

#: Optimizers that are told of besides the first; of as many weights each.
_MOST: Final = 8
_NAMED: Final = 256

#: What of a step is kept until all have acted: its number, what is recorded, its scalars.
_Step = tuple[int, list[Array], dict[str, float]]


class Others:
    """Further optimizers of a loop, by the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._names: dict[int, list[str]] = {}

    def number(self, optimizer: Any, names: Sequence[str]) -> int | None:
        """Its number, from 1 on, once it is known that it moves ``names``; None where there are too many."""
        key = id(optimizer)
        if key not in self._numbers and len(self._numbers) >= _MOST:
            return None
        found = self._numbers.setdefault(key, len(self._numbers) + 1)
        self._names[found] = list(names)[:_NAMED]
        return found

    def facts(self) -> dict[str, Any]:
        """``optimizers``: the names of what each moves; nothing where there is but one."""
        told = {str(number): names for number, names in self._names.items()}
        return {"optimizers": told} if told else {}


class PartsTape(GraphTape):
    """Records what further optimizers do in a step that runs op by op or is traced.

    A step is handed over when the last of them has acted, or is not going to.
    """

    def __init__(self, probe: Any) -> None:
        super().__init__(probe)
        self._held: _Step | None = None
        self._under_way: tuple[int, list[Any]] | None = None
        self._first: list[tuple[int, int]] = []
        self._parts: dict[int, list[tuple[int, int]]] = {}
        """By number what the variables of each are: elements, and bytes of one."""

    @guarded(None)
    def beside(self, number: int, pairs: Sequence[tuple[Any, Any]], rate: Any, unscale: Any) -> None:
        """Another optimizer is about to act in the step: ``pairs`` are (variable, dense gradient or None)."""
        if self._recorder is None or not self._recorder.active or not self._head:
            return
        if not tf.executing_eagerly() and not here(self._head[0]):
            return  # in a branch, or a function of its own: the step is not known there
        variables = [variable for variable, _ in pairs]
        self._know(number, variables)
        self._under_way = number, variables
        weights = [(("weight", self._name(v), dtype_of(v)), v) for v in variables]
        found = [(("gradient", self._name(v), g.dtype.name), g) for v, g in pairs if g is not None]
        self._conditionally(self.receive_part, weights + found, [], [tf.constant(number), rate, unscale])

    @guarded(None)
    def beside_done(self) -> None:
        """It has acted."""
        part, self._under_way = self._under_way, None
        if part is None:
            return
        number, variables = part
        updated = [(("updated", self._name(v), dtype_of(v)), v) for v in variables]
        self._conditionally(self.receive_part, updated, [], [tf.constant(number)])

    def _know(self, number: int, variables: Sequence[Any]) -> None:
        """What is whole and what is a sample is decided by the size of all that is trained."""
        sizes = _sizes(variables)
        if self._parts.get(number) != sizes and self._recorder is not None:
            self._parts[number] = sizes
            self._recorder.size([*self._first, *(one for each in self._parts.values() for one in each)])

    def _prepare(self, variables: Sequence[Any]) -> None:
        self._first = _sizes(variables)
        super()._prepare(variables)

    # -- on the host ----------------------------------------------------------------------------

    @guarded(None)
    def receive_part(self, labels: Sequence[Label], head: Values, values: Sequence[Any]) -> None:
        """Weights and gradients of another optimizer before it acts, or weights after it has."""
        if self._recorder is None or self._held is None:
            return  # a step that is not recorded, or of which it comes first
        number, *told = head.tolist()
        _, arrays, scalars = self._held
        known = {(one.role, one.name) for one in arrays}
        fresh = [at for at, label in enumerate(labels) if label[:2] not in known]  # not of a second act in one step
        scale = told[1] if told else 1.0
        arrays += self._arrays(self._recorder, [labels[at] for at in fresh], [values[at] for at in fresh], scale)
        if told:
            scalars[f"lr/{int(number)}"] = told[0]
        elif int(number) == max(self._parts, default=0):
            self.complete()

    @guarded(None)
    def receive_before(self, labels: Sequence[Label], head: Values, values: Sequence[Any]) -> None:
        """The next step: the one before is over."""
        self.complete()
        super().receive_before(labels, head, values)

    def _hand_over(self, step: int, arrays: list[Array], scalars: dict[str, float]) -> None:
        self.complete()
        if self._parts:
            self._held, self.recorded = (step, arrays, dict(scalars)), step
        else:
            super()._hand_over(step, arrays, scalars)

    def complete(self) -> None:
        """Hand over what is held: no optimizer has a part in it any more."""
        held, self._held = self._held, None
        if held is not None:
            super()._hand_over(*held)


def _sizes(variables: Sequence[Any]) -> list[tuple[int, int]]:
    return [(size_of(v.shape), int(tf.as_dtype(v.dtype).size)) for v in variables]
