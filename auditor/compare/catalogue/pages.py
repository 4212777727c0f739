"""What a person who searches the symptom reads about an entry.

``pages.toml`` holds the words; ``docs.py`` makes docs/causes of them, ``auditor causes`` shows them.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

#: Under which headings the index lists a page.
KINDS: Final[Mapping[str, str]] = {
    "start": "The losses differ from the first step",
    "drift": "They agree at first and part later",
    "worse": "One side ends up clearly worse",
    "stuck": "The loss of one side does not fall, or stays on a floor",
    "nan": "One side becomes NaN or explodes",
    "eval": "Training agrees; validation or a printed number does not",
    "stops": "One side trains for longer, or stops before",
    "seed": "Seeded, and still not equal",
    "tiny": "They differ in the last digits",
    "error": "One side raises an error",
    "none": "It looks different and is not",
}


@dataclass(frozen=True, slots=True)
class Page:
    """``symptom``: its title; ``kind``: keys of :data:`KINDS`; ``see``: what one sees; ``why``: what happens."""

    symptom: str
    kind: tuple[str, ...]
    see: str
    why: str


@functools.cache
def pages() -> Mapping[str, Page]:
    """Every page by the id of its entry."""
    text = resources.files(__package__).joinpath("pages.toml").read_text(encoding="utf-8")
    return {
        name: Page(row["symptom"], tuple(row["kind"]), row["see"], row["why"])
        for name, row in tomllib.loads(text).items()
    }


def page(name: str) -> Page:
    """The page of an entry.

    Raises:
        KeyError: if there is none.
    """
    return pages()[name]


def matching(words: str) -> list[str]:
    """Ids of the pages in which every word occurs, those with most of them in the title first."""
    wanted = words.lower().split()
    found: list[tuple[int, str]] = []
    for name, told in pages().items():
        title = f"{name} {told.symptom}".lower()
        if all(word in f"{title} {told.see} {told.why}".lower() for word in wanted):
            found.append((-sum(word in title for word in wanted), name))
    return [name for _, name in sorted(found, key=lambda one: one[0])]
