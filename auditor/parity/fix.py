"""The settings that make the second implementation equal to the first, a line of code each.

A line is written for the place in ``make`` before its ``return``: ``model``, ``optimizer``, ``loss``,
``penalty``, ``before_step``, ``training`` and ``accumulate`` are what it returns. Last comes a comment
with the catalogue's entry; where no line of code is known, with the catalogue's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.compare import catalogue
from auditor.compare.recognise.cause import Cause
from auditor.parity import fix_layers, fix_loss, fix_update
from auditor.parity.diagnose import cause
from auditor_agent.parity import Outcome


def lines(outcome: Outcome) -> list[str]:
    """Lines of code for the second program, and last the catalogue's word on the first part that differs.

    Weights are not in it: the lockstep transplants them.
    """
    found = list(_mode(outcome))
    found += fix_update.lines(outcome)
    found += fix_layers.lines(outcome)
    found += fix_loss.lines(outcome)
    first = cause(outcome)
    return found + ([] if first is None else [_comment(outcome, first, mended=bool(found))])


def _comment(outcome: Outcome, first: Cause, *, mended: bool) -> str:
    entry = catalogue.entry(first.id)
    side = outcome.a if first.mend == "a" else outcome.b
    told = entry.title if mended else " ".join(entry.fix_for(side.framework).split())
    where = " in the first program" if first.mend == "a" and not mended else ""
    return f"# {first.id}{where}: {told}"


def _mode(outcome: Outcome) -> Iterator[str]:
    """Training or inference mode (MODE-01)."""
    modes = [side.told().training for side in (outcome.a, outcome.b)]
    if modes[0] != modes[1]:
        yield f"training = {modes[0]}"
