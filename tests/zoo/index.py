"""The zoo: small programs with one fault each and their healthy twins, and healthy ones that look odd.

``tune`` programs are for choosing triggers and thresholds, ``report`` programs for saying how well
that went: nobody tunes on them. Likewise seeds: tuning below 1000, reporting from 1000 on.
"""

from __future__ import annotations

from typing import Final

from tests.zoo.healthy import HEALTHY
from tests.zoo.pairs import PAIRS
from tests.zoo.program import PROGRAMS, REPORTING_SEEDS, TUNING_SEEDS, Program

ZOO: Final = (*PAIRS, *HEALTHY)

__all__ = ["HEALTHY", "PAIRS", "PROGRAMS", "REPORTING_SEEDS", "TUNING_SEEDS", "ZOO", "Program"]
