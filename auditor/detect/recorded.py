"""What a rule sees of the flight recorder: one step's arrays, put together from its frames.

A step's recording takes several frames; the lane hands them here in order of their sequence
numbers. Of a lane at most one unfinished recording and the weights of the one before are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from auditor.detect.facts import RunFacts
from auditor.detect.view import F64, U64
from auditor.ingest import records
from auditor.ingest.records import Recorded, StepRecording

#: Bytes of one recording's frames; what comes beyond it is not shown (the recorder's cap is 24 MiB).
MAX_BYTES: Final = 64 << 20
#: Steps after a recording at which its weights are forgotten: the next one then refers to no other.
KEPT_STEPS: Final = 512


@dataclass(frozen=True, slots=True)
class RecordPart:
    """One ``record`` frame: its header, and its block as the rules may keep it."""

    header: Mapping[str, Any]
    block: bytes

    @property
    def step(self) -> int:
        """The step it tells of."""
        return int(self.header["step"])

    @property
    def part(self) -> int:
        """Its place among the frames of the step."""
        return int(self.header["part"])

    @property
    def parts(self) -> int:
        """Frames that the step takes."""
        return int(self.header["parts"])


class RecordView:
    """One recorded step of one process; arrays are decoded when a rule first asks for them.

    Like a view of steps it has ``steps`` (1,), ``times`` (1,), ``attempt``, ``rank`` and ``run``, so
    that ``Rule.finding(view, 0, ...)`` works. The statistics of the same step may have come before
    or may come later.
    """

    def __init__(self, attempt: int, rank: int, parts: list[RecordPart], run: RunFacts) -> None:
        self.attempt, self.rank, self.run = attempt, rank, run
        self.step = parts[0].step
        self.steps: U64 = np.array([self.step], np.uint64)
        self.times: F64 = np.array([float(parts[-1].header.get("time") or 0.0)])
        self._parts = parts
        self.derived: dict[str, Any] = {}
        """What several rules work out of it, by name, so that the first does it for all."""
        self._before: RecordView | None = None

    @property
    def complete(self) -> bool:
        """Whether every frame of the step has arrived."""
        return len(self._parts) == self._parts[0].parts

    @property
    def bytes(self) -> int:
        """What its blocks hold."""
        return sum(len(part.block) for part in self._parts)

    @property
    def facts(self) -> dict[str, Any]:
        """What is not a number (docs/signals.md): ``loss``, ``phase``, ``training``, ``layers``, ..."""
        return self._first("facts")

    @property
    def scalars(self) -> dict[str, float]:
        """``loss``, ``lr`` and others as they belong to the arrays."""
        return self.recording.scalars

    @property
    def phase(self) -> str:
        """``train`` or ``eval``: what the recorded forward pass was for."""
        return "eval" if self.facts.get("phase") == "eval" else "train"

    def of(self, role: str) -> dict[str, Recorded]:
        """The arrays of ``role`` by name, in the order in which they were recorded."""
        return self.recording.of(role)

    def array(self, role: str, name: str) -> Recorded | None:
        """One array, None if it was not recorded."""
        return self.recording.arrays.get((role, name))

    @cached_property
    def recording(self) -> StepRecording:
        """The arrays, scalars and facts; weights that only refer to the step before are filled in."""
        made = StepRecording(self.attempt, self.rank, self.step)
        for part in self._parts:
            records.add(made, part.header, part.block)
        records.resolve(made, self._before.recording if self._before is not None else None)
        return made

    def follow(self, before: RecordView | None) -> None:
        """The recording that came before, or None once it is no longer needed."""
        self._before = before

    def _first(self, name: str) -> dict[str, Any]:
        value = self._parts[0].header.get(name)
        return value if isinstance(value, dict) and self._parts[0].part == 0 else {}


class Assembler:
    """Puts the frames of one lane's recordings together."""

    def __init__(self, attempt: int, rank: int) -> None:
        self.attempt, self.rank = attempt, rank
        self._parts: list[RecordPart] = []
        self._bytes = 0
        self._before: RecordView | None = None

    def take(self, part: RecordPart, run: RunFacts) -> list[RecordView]:
        """The recordings that ``part`` completes, or shows to be never complete."""
        done: list[RecordView] = []
        if self._parts and (part.step != self._parts[0].step or part.part <= self._parts[-1].part):
            done += self.flush(run)
        self._parts.append(part)
        self._bytes += len(part.block)
        if self._bytes > MAX_BYTES:
            self._parts, self._bytes = [], 0
        elif len(self._parts) == part.parts:
            done += self.flush(run)
        return done

    def flush(self, run: RunFacts) -> list[RecordView]:
        """The recording as far as it has come: nothing more of it will."""
        if not self._parts:
            return []
        view = RecordView(self.attempt, self.rank, self._parts, run)
        view.follow(self._before)
        self._before, self._parts, self._bytes = view, [], 0
        return [view]

    def seen(self, view: RecordView) -> None:
        """The rules have seen ``view``: what it alone needed is let go."""
        view.follow(None)

    def passed(self, step: int) -> None:
        """The lane has come to ``step``: a recording far from it is referred to by no other; one may be ahead."""
        if self._before is not None and abs(step - self._before.step) > KEPT_STEPS:
            self._before = None
