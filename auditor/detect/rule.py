"""What a rule is: one fault, what it reads, when it speaks, and the words for people.

A rule sees one (attempt, rank): its steps in order, as :class:`StepView`, and what the flight
recorder kept, as :class:`~auditor.detect.recorded.RecordView`; it returns findings. What the process
declared of itself is in ``view.run``. Rules over all ranks: :class:`auditor.detect.job.JobRule`.
It holds its history in one dataclass, ``State``, which :meth:`Rule.state` turns into plain JSON
values and :meth:`Rule.restore` takes back: a daemon may keep it, or replay the stored frames.
Rules read no clock and do no input or output.
"""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import numpy as np

from auditor.detect.view import F64, U64, StepView
from auditor.model import Finding, Severity, Subject
from auditor_agent import jsonfinite

if TYPE_CHECKING:
    from auditor.detect.recorded import RecordView

#: How ``jsonfinite`` writes what is no number.
_NONFINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
#: Where in a step a fault shows, earliest first: orders the alerts of one step, the root first.
PHASES: Final = ("batch", "activation", "output", "loss", "gradient", "update", "weight", "trend", "run")


class View(Protocol):
    """What a finding is dated by: any view that a rule is shown."""

    attempt: int
    steps: U64
    times: F64


class Moment:
    """A single step of the past that a finding is dated by."""

    def __init__(self, attempt: int, rank: int, step: int, time: float) -> None:
        self.attempt, self.rank, self.step = attempt, rank, step
        self.steps: U64 = np.array([step], np.uint64)
        self.times: F64 = np.array([time])


@dataclass(frozen=True, slots=True)
class NoParameters:
    """A rule without thresholds."""


@dataclass(slots=True)
class NoState:
    """A rule without history."""


class Rule(ABC):
    """Base of every rule; a subclass is found by :mod:`auditor.detect.registry`.

    A subclass overrides :meth:`observe`, :meth:`observe_record`, or both. Recordings are kept and
    decoded only for rules that override the latter.

    Class attributes: ``id`` and ``severity`` are contracts (see docs/rules.md); ``needs`` what must be captured;
    ``trigger`` the condition in words; ``phase`` one of :data:`PHASES`; ``consequence_of`` the rules whose fault
    can bring about this one, so that alerts are grouped under their root; ``within`` how many steps after a fault
    began the rule names it at the latest, None where it needs a window that has no bound; ``urgent``: judged, and
    its alert stored, before the other rules are asked, for a rule that reads no recordings and costs next to
    nothing; ``hold_steps`` how long a fault is pending before it fires; ``summary`` a format string over the fields
    of :func:`auditor.alerts.texts.facts`.
    """

    id: ClassVar[str]
    severity: ClassVar[Severity]
    meaning: ClassVar[str]
    needs: ClassVar[str]
    trigger: ClassVar[str]
    source: ClassVar[str]
    phase: ClassVar[str]
    summary: ClassVar[str]
    likely_causes: ClassVar[tuple[str, ...]]
    advice: ClassVar[str]
    consequence_of: ClassVar[tuple[str, ...]] = ()
    within: ClassVar[int | None] = None
    urgent: ClassVar[bool] = False
    hold_steps: ClassVar[int] = 0
    Parameters: ClassVar[type[Any]] = NoParameters
    State: ClassVar[type[Any]] = NoState

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        """Make the rule, some of its parameters replaced; ``severity`` is one that every rule has.

        Raises:
            ValueError: if ``overrides`` names a parameter that the rule does not have, or a value that is none.
        """
        given = dict(overrides or {})
        self.grade = _severity(self, given.pop("severity", self.severity))
        known = {field.name: field.default for field in dataclasses.fields(self.Parameters)}
        unknown = set(given) - set(known)
        if unknown:
            raise ValueError(f"{self.id} has no parameters {sorted(unknown)}; it has {sorted(known)}")
        self.parameters = self.Parameters(**{name: _value(self, name, given[name], known[name]) for name in given})
        self.memory = self.State()
        self.active = False

    def observe(self, view: StepView) -> list[Finding]:
        """What the steps of ``view``, all later than those seen before, say."""
        del view
        return []

    def observe_record(self, view: RecordView) -> list[Finding]:
        """What a recorded step says. Recordings come in order of their steps, though not of the views'."""
        del view
        return []

    def finish(self, last: Moment) -> list[Finding]:
        """The process has ended at ``last``: what can be said now that no step will follow."""
        del last
        return []

    def rewind(self) -> None:
        """The step numbers went back (a second ``fit``, a reloaded checkpoint): start afresh."""
        self.memory = self.State()

    def resume(self) -> None:  # noqa: B027 - most rules see no break in it
        """Another optimizer goes on with the same model: fine-tuning, unfreezing, a pruning round."""

    def unjudged(self) -> str | None:
        """Why the rule cannot judge this run so far, None if it can."""
        return None

    def state(self) -> dict[str, Any]:
        """The history as JSON-able values (non-finite floats excepted: see ``jsonfinite``)."""
        return {"active": self.active, "memory": dump(self.memory)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self.active = bool(state["active"])
        self.memory = load(self.State, state["memory"])

    def finding(self, view: View, at: int, subject: Subject, evidence: Mapping[str, Any], order: int = 0) -> Finding:
        """A finding at index ``at`` of the view's steps; the rule is active from now on."""
        self.active = True
        return Finding(
            self.id,
            self.grade,
            subject,
            int(view.steps[at]),
            jsonfinite.finite({"time": float(view.times[at]), **evidence}),
            order=order,
            time=float(view.times[at]),
            attempt=view.attempt,
        )

    def cleared(self, view: View, at: int, subject: Subject, evidence: Mapping[str, Any] | None = None) -> Finding:
        """Says that the fault has gone at index ``at``; the rule is no longer active."""
        found = self.finding(view, at, subject, evidence or {})
        self.active = False
        return dataclasses.replace(found, cleared=True)


def _severity(rule: Rule, given: Any) -> Severity:
    try:
        return Severity(given)
    except ValueError:
        raise ValueError(f"{rule.id}.severity: {given!r} is none of {', '.join(Severity)}") from None


def _value(rule: Rule, name: str, given: Any, default: Any) -> Any:
    """``given`` if it is of the kind of ``default``; a whole number will do for a real one."""
    kinds = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(given, kinds) or (isinstance(given, bool) and not isinstance(default, bool)):
        raise ValueError(f"{rule.id}.{name}: {given!r} is no value like {default!r}")  # noqa: TRY004 - of a file
    return type(default)(given)


def dump(memory: Any) -> dict[str, Any]:
    """The fields of a state dataclass as JSON-able values; arrays as lists with their type."""
    out: dict[str, Any] = {}
    for field in dataclasses.fields(memory):
        value = getattr(memory, field.name)
        if isinstance(value, np.ndarray):
            value = {"array": value.tolist(), "dtype": value.dtype.str, "shape": list(value.shape)}
        elif dataclasses.is_dataclass(value):
            value = dump(value)
        out[field.name] = value
    return out


def load(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """The state dataclass that :func:`dump` made ``values`` of."""
    memory = cls()
    # What holds words, and no numbers, stays as it is: a layer may be called "Infinity".
    words = {field.name for field in dataclasses.fields(memory) if str(field.type).rstrip("]").endswith("str")}
    for name, value in values.items():
        current = getattr(memory, name)
        if isinstance(value, Mapping) and "array" in value:
            restored: Any = np.array(_plain(value["array"]), dtype=np.dtype(value["dtype"]))
            restored = restored.reshape(value.get("shape", restored.shape))  # of no elements a list tells no extents
        elif dataclasses.is_dataclass(current) and not isinstance(current, type):
            restored = load(type(current), value)
        else:
            restored = value if isinstance(current, str) or name in words else _plain(value)
        setattr(memory, name, restored)
    return memory


def _plain(value: Any) -> Any:
    """Numbers that ``jsonfinite`` wrote by name as numbers again, in lists and objects too; anything else as it is."""
    if isinstance(value, str):
        return jsonfinite.number(value) if value in _NONFINITE else value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
