"""One rule's error is not another's: a rule that raises is retired for the run, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from auditor.detect.rule import Rule
from auditor.ingest.faults import guarded
from auditor.model import Finding

V = TypeVar("V")


def ask(rule: Rule, broken: dict[str, str], question: Callable[[V], list[Finding]], view: V) -> list[Finding]:
    """What ``rule`` answers to ``view``; nothing, from now on, if it raises: ``broken`` gets its id and the error.

    Under tests (``AUDITOR_RAISE=1``) the error is raised.
    """
    if rule.id in broken:
        return []
    answer: list[Finding] | None = None
    with guarded(f"rule {rule.id}"):
        try:
            answer = question(view)
        except Exception as error:
            broken[rule.id] = f"the rule failed: {type(error).__name__}: {error}"[:200]
            raise
    return answer or []
