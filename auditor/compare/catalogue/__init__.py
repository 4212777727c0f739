"""The catalogue of measured differences between frameworks: 107 entries and what the frameworks have in common.

``entries.json`` holds the facts, each measured by an experiment with the versions that it names.
Entries ``…-00`` stand for a difference of that stage that the catalogue does not list.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from auditor.compare.identify.fact import STAGES

FRAMEWORKS: Final = ("torch", "keras", "tensorflow", "sklearn")


@dataclass(frozen=True, slots=True)
class Entry:
    """One difference.

    Attributes:
        id: its name, a contract.
        stage: where in a step it acts.
        title: what differs, in a few words.
        says: by framework, what it does there.
        parameters: canonical parameters that it shows in.
        numbers: how it is recognised from recorded numbers, or "cannot be told: " and why.
        declared: what of a manifest shows it; empty if nothing does.
        effect: what it typically does.
        align: how to make the two alike.
        fix: by framework, one line that does.
        versions: releases that the facts were measured with.
        evidence: the experiment's outcome.
    """

    id: str
    stage: str
    title: str
    says: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    numbers: str = ""
    declared: str = ""
    effect: str = ""
    align: str = ""
    fix: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""

    @property
    def order(self) -> int:
        """Place of its stage within a step."""
        return STAGES.index(self.stage)

    @property
    def told_from_numbers(self) -> bool:
        """Whether recorded numbers can show it."""
        return not self.numbers.startswith("cannot be told")

    def fix_for(self, framework: str) -> str:
        """One line that aligns the run of ``framework`` with the other."""
        return self.fix.get(framework) or self.fix.get("any") or self.align


@functools.cache
def entries() -> Mapping[str, Entry]:
    """Every entry by id, in the catalogue's order."""
    text = resources.files(__package__).joinpath("entries.json").read_text(encoding="utf-8")
    return {row["id"]: _entry(row) for row in json.loads(text)["entries"]}


def entry(name: str) -> Entry:
    """An entry by id.

    Raises:
        KeyError: if there is none.
    """
    return entries()[name]


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(**{**row, "parameters": tuple(row.get("parameters", ()))})
