"""The catalogue of measured differences between frameworks, and what the frameworks have in common.

``entries.json`` holds the facts. Each was measured by an experiment and is measured again by a test in
``tests/unit/compare/reproduced``; ``versions`` says for which releases it is stated.
Entries ``…-00`` stand for a difference of that stage that the catalogue does not list.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from auditor.compare.identify.fact import STAGES

#: Where the pages of the entries lie in a checkout.
FOLDER: Final = "docs/causes"
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
        versions: by framework, the range of releases for which it is stated, from the one that it was measured with:
            ``>=2.13``, and once a release has changed it ``>=2.13,<2.15``.
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

    def holds(self, framework: str, version: str) -> bool:
        """Whether ``version`` of a framework lies in the range that the entry is stated for."""
        return within(version, self.versions.get(framework, ""))

    def fix_for(self, framework: str) -> str:
        """One line that aligns the run of ``framework`` with the other.

        A program of TensorFlow has Keras's layers and optimizers: their line is its own where it has none.
        """
        beside = ("keras",) if framework == "tensorflow" else ()
        return next((self.fix[name] for name in (framework, *beside, "any") if name in self.fix), self.align)

    @property
    def page(self) -> str:
        """Its page in a checkout, from the root."""
        return f"{FOLDER}/{self.id}.md"


def within(version: str, bounds: str) -> bool:
    """Whether a version lies within ``>=A``, ``<B`` or both; no bounds hold for all."""
    told = _release(version)
    sides = [(bound[:2] == ">=", _release(bound.strip("<>= "))) for bound in bounds.split(",") if bound]
    return all((told >= at) if from_there else (told < at) for from_there, at in sides)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


@functools.cache
def entries() -> Mapping[str, Entry]:
    """Every entry by id, in the catalogue's order."""
    return {row["id"]: _entry(row) for row in _read()["entries"]}


def measured() -> str:
    """When and on what the facts were measured."""
    return str(_read()["measured"])


@functools.cache
def _read() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("entries.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def entry(name: str) -> Entry:
    """An entry by id.

    Raises:
        KeyError: if there is none.
    """
    return entries()[name]


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(**{**row, "parameters": tuple(row.get("parameters", ()))})
