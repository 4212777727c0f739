"""An implementation that runs in a process of its own, under an interpreter of its own.

Two frameworks that cannot be installed together, or two versions of one, are compared like this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from auditor_agent.parity import pipe
from auditor_agent.parity.cells import F64, Cell, Slot
from auditor_agent.parity.given import NotComparableError
from auditor_agent.parity.programs import Batch
from auditor_agent.parity.seen import Point, Seen, array, as_input
from auditor_agent.parity.told import Told
from auditor_agent.parity.twin import Twin

#: Where ``auditor_agent`` lies, for an interpreter in which it is not installed.
_AGENTS: Final = Path(__file__).resolve().parent.parent.parent
#: Seconds that a process has to end by itself once nobody speaks to it.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A program to be run in a process of its own.

    Attributes:
        target: ``FILE.py:FUNCTION``.
        python: the interpreter, which has the program's framework and NumPy; this one's by default.
    """

    target: str
    python: str = sys.executable


class There:
    """The program of an ``Elsewhere``, see ``programs.Program``. Its process ends with it.

    Raises:
        NotComparableError: if it cannot be started, or ``make`` fails.
    """

    def __init__(self, where: Elsewhere) -> None:
        self._where = where
        try:
            self._process = subprocess.Popen(
                [where.python, "-m", "auditor_agent.parity.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(),
            )  # fmt: skip
        except OSError as error:
            raise NotComparableError(f"{where.python}: {error.strerror}") from error
        self._to, self._from = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._end = weakref.finalize(self, _ended, self._process)
        self.layout = str(self.ask("open", target=where.target)["layout"])

    def ask(self, name: str, **arguments: Any) -> Any:
        """One call in the other process.

        Raises:
            NotComparableError: if it fails there, or the process is gone.
        """
        try:
            pipe.send(self._to, (name, arguments))
            found = pipe.receive(self._from)
        except pipe.ClosedError:
            code = self._process.wait(_PATIENCE)
            raise NotComparableError(f"{self._where.target}: its process ended with exit code {code}") from None
        if found[0] == "done":
            return found[1]
        text = found[2] if found[1] == "NotComparableError" else f"{found[1]}: {found[2]}"
        raise NotComparableError(f"{self._where.target}: {text}")

    def batches(self, steps: int) -> list[Batch]:
        """See ``programs.Program``."""
        return list(self.ask("batches", steps=steps))

    def twin(self, batch: Batch) -> Twin:
        """See ``programs.Program``."""
        found = self.ask("twin", batch=(_arrays(batch[0]), _arrays(batch[1])))
        sides = {which: RemoteSide(self, which, told) for which, told in found["sides"].items()}
        return Twin(sides["plain"], found["dropouts"], sides.get("exact"), found["lacking"])


class RemoteSide:
    """One of the two sides in the other process, see ``seen.Side``; its tensors are in the canonical layout."""

    def __init__(self, there: There, which: str, told: Mapping[str, Any]) -> None:
        self._there, self._which = there, which
        self.framework, self.rule = told["framework"], told["rule"]
        self.cells = [_cell(one) for one in told["cells"]]

    def _ask(self, method: str, **arguments: Any) -> Any:
        return self._there.ask("side", which=self._which, method=method, arguments=arguments)

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:
        """See ``seen.Side``."""
        output, points = self._ask("forward", inputs=_arrays(inputs), training=training)
        return output, [Point(**one) for one in points]

    def step(self, inputs: Any, target: Any) -> Seen:
        """See ``seen.Side``."""
        found = self._ask("step", inputs=_arrays(inputs), target=_arrays(target))
        return Seen(**{**found, "points": [Point(**one) for one in found["points"]]})

    def weights(self) -> dict[str, F64]:
        """See ``seen.Side``."""
        return dict(self._ask("weights"))

    def load(self, arrays: Mapping[str, F64]) -> None:
        """See ``seen.Side``."""
        self._ask("load", arrays=arrays)

    def slots(self) -> dict[str, dict[str, F64]]:
        """See ``seen.Side``."""
        return dict(self._ask("slots"))

    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """See ``seen.Side``."""
        self._ask("load_slots", slots=slots)

    def dropouts(self) -> list[tuple[str, float]]:
        """See ``seen.Side``."""
        return list(self._ask("dropouts"))

    def silence(self) -> None:
        """See ``seen.Side``."""
        self._ask("silence")

    def told(self) -> Told:
        """See ``seen.Side``."""
        return Told(**self._ask("told"))


def _cell(told: Mapping[str, Any]) -> Cell:
    slots = {tensor: Slot(key, added=added) for tensor, (key, added) in told["slots"].items()}
    return Cell(told["name"], told["kind"], slots, told["shapes"], told["settings"])


def _arrays(value: Any) -> Any:
    return tuple(map(array, as_input(value))) if isinstance(value, (tuple, list)) else array(value)


def _environment() -> dict[str, str]:
    given = os.environ.get("PYTHONPATH", "")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(_AGENTS), *([given] if given else [])])}


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Closes what is said to the process, which ends it, and waits for that."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # what was not yet said to a process that is gone
                continue
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
