"""What the zoo says of one of its programs.

``tune`` programs are for choosing triggers and thresholds, ``report`` programs for saying how well
that went: nobody tunes on them. Likewise seeds: tuning below 1000, reporting from 1000 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from auditor.detect.catalogue import IDS

Split = Literal["tune", "report"]
Framework = Literal["torch", "keras", "tensorflow", "sklearn"]

PROGRAMS: Final = Path(__file__).parent / "programs"
TUNING_SEEDS: Final = range(3)
REPORTING_SEEDS: Final = range(1000, 1005)

#: The ids that a fault of the zoo may have: docs/rules.md describes them, where a rule for them exists.
FAULTS: Final = frozenset(IDS)


@dataclass(frozen=True, slots=True)
class Program:
    """One script, run as ``python NAME.py --seed N``; with ``--healthy`` it is the faulty one's twin.

    ``fault``: the id of RULES.md that names the fault's root, None if the program is healthy as it
    is. ``also``: ids that name the same root as well, ``why`` they do. ``fails``: the faulty one
    ends with an error, as it may. ``launcher``: options of the interpreter before the script.
    """

    name: str
    split: Split
    fault: str | None = None
    also: tuple[str, ...] = ()
    why: str = ""
    fails: bool = False
    launcher: tuple[str, ...] = ()

    @property
    def framework(self) -> Framework:
        """By the script's name."""
        found: dict[str, Framework] = {"torch": "torch", "keras": "keras", "tf": "tensorflow", "sk": "sklearn"}
        return found[self.name.partition("_")[0]]

    @property
    def expected(self) -> frozenset[str]:
        """The rules that name the fault rightly."""
        return frozenset({self.fault, *self.also} - {None})  # type: ignore[arg-type]  # None is taken out
