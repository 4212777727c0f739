"""Parts of a comparison in words, the same in the terminal and on the page. Plain text, not escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: What is declared otherwise and was measured to be the same (``auditor.compare.spelling``).
SPELLING: Final = "spelling"

#: Common steps below which nothing is said of two curves.
_FEWEST: Final = 3


def where_they_part(drawn: Mapping[str, Any]) -> str:
    """Where two trajectories part, in a sentence.

    Args:
        drawn: one entry of a comparison's ``trajectories``.
    """
    common, percent = drawn["common_steps"], f"{drawn['apart']:.0%}"
    if not common:
        return "no common step"
    if drawn["identical"]:
        return f"the same number at all {common} common steps"
    steps = f"{common} common step{'s' if common > 1 else ''}"
    if common < _FEWEST:
        return f"{steps}: too few to hold the curves against each other"
    if drawn["parts_at"] is not None:
        return f"apart by more than {percent} from step {drawn['parts_at']} to the end; {steps}"
    end = drawn.get("end_apart") or 0.0
    if end > drawn["apart"]:
        return f"apart by {end:.0%} at the end, too briefly to say from which step on; {steps}"
    return f"within {percent} of each other at the end; {steps}"


def said(value: Any) -> str:
    """A declared value; a dash for what a side does not declare."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {said(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(said(item) for item in value)
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def because(shown: Mapping[str, Any]) -> str | None:
    """Why a run ended as it did: what it was told, or with what its process exited; None where all is well."""
    ended = shown.get("exit") or {}
    how = None
    if ended.get("signal"):
        how = f"signal {ended['signal']}"
    elif ended.get("code"):
        how = f"exit code {ended['code']}"
    return ", ".join(str(part) for part in (shown.get("reason"), how) if part) or None


def said_of_test(metric: Mapping[str, Any]) -> tuple[str, str]:
    """P value, adjusted for the number of metrics, and the margin within which two ends are equivalent."""
    p, within = metric.get("p_adjusted"), metric.get("equivalent_within")
    return "" if p is None else f"{p:.2g}", "" if within is None else f"{within:.1%}"


def part_of(declared: Mapping[str, Any]) -> str:
    """What a declared difference is a difference of: the configuration, its spelling, or what is around it."""
    words = {SPELLING: "written otherwise, measured alike", "surroundings": "surroundings"}
    return words.get(str(declared.get("kind")), "configuration" if declared["configuration"] else "surroundings")
