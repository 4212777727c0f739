"""The flight recorder: the first steps of a run, element by element.

From the recordings a comparison finds out by arithmetic what a program computes: which
initialiser, loss, penalty and update rule, in which precision, whatever it declares. This module
decides what is recorded and keeps the budget; the integrations bring the numbers.

**When.** The first ``Budget.steps`` steps, then the *probe steps* 50, 100, 200, 400, …: each twice the
one before, so that a long run is seen at every age at little cost. Part of the total is kept back for them.

**What.** At each of these: every ``weight`` before the optimizer acts,
its ``gradient`` as the optimizer sees it, its value ``updated`` after; the optimizer's state after
the step (``state.<name>``); ``batch``, ``target`` and ``output``; scalars such as ``loss`` and
``lr``. Whole for the first ``whole_steps`` steps of a model whose parameters take at most
``whole_bytes`` (the state: ``state_bytes``); else and after that a sample of each tensor, always the
same elements of it (``stream.recording.positions``). A weight that is what the step before left is
named, not repeated.

Where a layer's output is seen, 64 rows of it (``activation``) and four numbers of each unit (``units``).

Nothing is drawn at random, no step is recorded in part without saying so: what the caps leave out
is counted by reason and told with the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from auditor_agent.guard import guarded
from auditor_agent.stream.recording import STATE, Array, Recording

if TYPE_CHECKING:
    from auditor_agent.capture.manifest import Observer

#: Among the units of layers, what the first of them was given, where that is the batch with other numbers.
GIVEN: Final = "@given"
#: Roles of one tensor that a step is expected to record: weight, gradient, updated, two of state.
_ROLES_PER_TENSOR: Final = 5
_FEWEST: Final = 16
_DATA: Final = ("batch", "target", "output", "factor")


@dataclass(frozen=True, slots=True)
class Budget:
    """What the recorder may take. Bytes unless said."""

    steps: int = 20
    """Steps from the first that are recorded; 0 turns the recorder off, probe steps and all."""
    probe: int = 50
    """The first probe step; each further one comes at twice the number. 0: none."""
    whole_steps: int = 3
    """Steps, from the first, that are recorded whole where the model is small."""
    whole_bytes: int = 4 << 20
    """A model whose parameters take at most so much is small."""
    state_bytes: int = 256 << 10
    """Up to here the optimizer's state is whole as well; beyond, the gradients that made it have to do."""
    sample: int = 512
    """Elements of a tensor, where not whole."""
    sampled_step: int = 1 << 20
    """What the samples of one step should take: many tensors share it, at least 16 elements each."""
    data_whole: int = 1 << 20
    """A batch, target or output up to this size is whole in the first steps."""
    data_small: int = 64 << 10
    """One up to this size is whole in all."""
    step: int = 24 << 20
    """What one step may take, whatever it holds."""
    total: int = 64 << 20
    """What all steps together may take."""
    late: int = 16 << 20
    """Part of the total that only probe steps may take."""
    rows: int = 64
    """Samples of a layer's output."""
    units: int = 1024
    """Units of a layer's output that are looked at; of wider ones evenly spread."""


class Recorder:
    """Keeps the budget of one run and hands over what was recorded.

    An integration asks :meth:`begin` at each step, then :meth:`take` for each tensor before it reads
    any of it, and gives the arrays to :meth:`send`, at once or when they have reached the host.

    Args:
        run: takes the recordings, and in the end what they show (``Run.observe``).
        budget: what may be taken; the standard one, of ``AUDITOR_RECORD_STEPS`` steps, unless given.
        layout: how the framework shapes its weights (``torch``, ``keras``): see ``manifest.Observer``;
            None: nothing is made of the recordings.
    """

    def __init__(self, run: Any, budget: Budget | None = None, *, layout: str | None = None) -> None:
        self._observer = _observer(layout)
        self._run, self._budget = run, budget if budget is not None else Budget(steps=configured_steps())
        self._first: int | None = None
        self._whole = self._whole_state = False
        self._share = self._budget.sample
        self._step_bytes = self.bytes = 0
        self._spent = self._budget.steps <= 0
        # Counted from the first step, which is 1.
        self._probe: int | None = self._budget.probe or None
        self._late = False
        self._left_out: dict[int, dict[str, int]] = {}
        self._step = 0
        self._updated: dict[str, bytes] = {}

    def next(self, step: int) -> int | None:
        """The first step after ``step`` that is recorded, as far as can be told before the first; None: none."""
        if self._spent:
            return None
        if self._first is None or step + 1 - self._first < self._budget.steps:
            return step + 1
        return None if self._probe is None else self._first - 1 + self._probe

    def wants(self, step: int) -> bool:
        """Whether :meth:`begin` would record ``step``."""
        if self._spent:
            return False
        if self._first is None or step - self._first < self._budget.steps:
            return True
        return self._probe is not None and step - self._first + 1 >= self._probe

    @property
    def active(self) -> bool:
        """Whether any step may still be recorded."""
        return not self._spent

    def size(self, tensors: Sequence[tuple[int, int]]) -> None:
        """Say what the model is: (elements, bytes of one) of each parameter. Before the first step."""
        total = sum(size * item for size, item in tensors)
        self._whole, self._whole_state = total <= self._budget.whole_bytes, total <= self._budget.state_bytes
        item = max((item for _, item in tensors), default=4)
        fair = self._budget.sampled_step // max(1, _ROLES_PER_TENSOR * item * len(tensors))
        self._share = max(_FEWEST, min(self._budget.sample, fair))

    @property
    def share(self) -> int:
        """Elements of a tensor that is not recorded whole."""
        return self._share

    def begin(self, step: int) -> bool:
        """Whether ``step`` is recorded. Steps count from the first that is asked for."""
        if not self.wants(step):
            self._ended()
            return False
        if self._first is None:
            self._first = step
        place = step - self._first + 1
        while self._probe is not None and place >= self._probe:
            self._probe *= 2
        self._late = place > self._budget.steps
        if self._late:
            self._ended()
        self._step, self._step_bytes = step, 0
        return True

    def _ended(self) -> None:
        """The first steps are over: say what they showed."""
        if self._probe is None:
            self._spent = True
        observer, self._observer = self._observer, None
        if observer is not None:
            self._run.observe(observed=observer.facts())

    def take(self, role: str, size: int, itemsize: int) -> int:
        """How many elements of a tensor to read at this step; 0: leave it out, which is counted."""
        count = min(size, self._wanted(role, size, itemsize))
        return count if self._room(count * itemsize) else 0

    def _room(self, cost: int) -> bool:
        total = self._budget.total - (0 if self._late else min(self._budget.late, self._budget.total // 4))
        for reason, used, cap in (
            ("step_full", self._step_bytes, self._budget.step),
            ("total_full", self.bytes, total),
        ):
            if used + cost > cap:
                self._leave(self._step, reason)
                return False
        self._step_bytes += cost
        self.bytes += cost
        return True

    def admit(self, size: int) -> bool:
        """Whether ``size`` bytes of a batch, target or output, read already, still have room in this step."""
        return self._room(size)

    def layer(self, samples: int, units: int, itemsize: int, layers: int) -> tuple[int, int]:
        """Rows and units of a layer's output that a step records, of a model with so many layers."""
        budget = self._budget
        width = min(units, budget.units)
        fair = budget.sampled_step // max(1, 2 * layers * width * itemsize)
        return min(samples, budget.rows, fair), width

    @property
    def early(self) -> bool:
        """Whether the step under way, or the next if none is, is one that may be whole."""
        return self._first is None or self._step - self._first < self._budget.whole_steps

    def send(
        self,
        step: int,
        arrays: Sequence[Array],
        scalars: Mapping[str, float] | None = None,
        facts: Mapping[str, Any] | None = None,
        *,
        phase: str = "train",
    ) -> None:
        """Hand over what was recorded of ``step``; the steps in their order. Does not wait.

        ``phase``: ``eval`` for the first batch of an evaluation after ``step``.
        """
        if phase == "eval":
            self._updated = {}  # the next weights refer to no recording but the one before
            facts = {**(facts or {}), "phase": phase}
            self._run.recording(Recording(step, arrays, dict(scalars or {}), facts, phase=phase))
            return
        if self._observer is not None:
            self._observe(Recording(step, arrays, facts=dict(facts or {})))
        compact = [self._unless_known(array) for array in arrays]
        self._updated = {array.name: array.data for array in arrays if array.role == "updated"}
        left_out = self._left_out.pop(step, {})
        self._run.recording(Recording(step, compact, dict(scalars or {}), dict(facts or {}), left_out))

    def close(self) -> None:
        """Record no more; say what was seen; let go of what was kept."""
        self._probe = None
        self._updated = {}
        self._ended()

    @guarded(None)
    def _observe(self, recording: Recording) -> None:
        if self._observer is None:
            return
        self._observer.see(recording)
        if recording.step == self._first:  # the initial weights and the loss are worth having early
            self._run.observe(observed=self._observer.facts())

    def _wanted(self, role: str, size: int, itemsize: int) -> int:
        if role in _DATA:
            return data_elements(size, itemsize, early=self.early, budget=self._budget)
        whole = self._whole_state if role.startswith(STATE) else self._whole
        return size if self.early and whole else self._share

    def _leave(self, step: int, reason: str) -> None:
        reasons = self._left_out.setdefault(step, {})
        reasons[reason] = reasons.get(reason, 0) + 1

    def _unless_known(self, array: Array) -> Array:
        if array.role != "weight" or not array.elements or self._updated.get(array.name) != array.data:
            return array
        self.bytes -= len(array.data)
        return replace(array, data=b"")


def data_elements(size: int, itemsize: int, *, early: bool, budget: Budget | None = None) -> int:
    """How many elements of a batch, target or output a step records. ``early``: one of the first steps."""
    budget = budget or _STANDARD
    limit = budget.data_whole if early else budget.data_small
    return size if size * itemsize <= limit else min(size, budget.sample)


_STANDARD: Final = Budget()


def _observer(layout: str | None) -> Observer | None:
    """What makes facts of recordings, where NumPy is there."""
    if layout is None:
        return None
    try:
        from auditor_agent.capture.manifest import Observer
    except ImportError:
        return None
    return Observer(layout)


def configured_steps() -> int:
    """``AUDITOR_RECORD_STEPS``: how many steps are recorded."""
    from auditor_agent.config import Config

    return Config.from_env().record_steps


def state_role(name: str) -> str:
    """The role of a piece of optimizer state."""
    return STATE + name
