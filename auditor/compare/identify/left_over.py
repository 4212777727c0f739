"""What an optimizer remembers of steps that were left out, of weights that were replaced after them.

scikit-learn keeps its optimizer over calls of ``partial_fit``: its momentum, its moments and how many steps these are
of. Where the weights were replaced in between, the first steps after it are not those of a new optimizer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from auditor.compare.identify.aside import NOTHING
from auditor.compare.identify.evidence import Evidence
from auditor.compare.identify.hypothesis import Hypothesis, Sample, judge, sample
from auditor.compare.identify.rules import RULES
from auditor.compare.identify.update import ELEMENTS, UpdateRule, identify

_ROWS: Final = ("weight", "gradient", "moved", "noise", "norms", "total", "rates")


def remembering(kept: Evidence, whole: Evidence, declared: Hypothesis | None) -> UpdateRule | None:
    """The rule of the steps that were kept; with what came before them where they cannot be understood without.

    Args:
        kept: the steps after the weights were replaced.
        whole: the same, and before them those that were left out.
        declared: what the program says.
    """
    if declared is not None and _explained(declared, kept):
        return identify(kept, declared)
    found = identify(whole, declared)
    left_out = len(whole.steps) - len(kept.steps)
    if found is None or not found.fit.explains or found.aside != NOTHING or len(found.sample.weight) <= left_out:
        return identify(kept, declared)
    rest = after(found.sample, left_out)
    if _explained(found.fit.hypothesis, kept):
        return identify(kept, declared)
    return replace(found, fit=judge(found.fit.hypothesis, rest), sample=rest)


def _explained(hypothesis: Hypothesis, kept: Evidence) -> bool:
    """Whether the steps follow from a rule that remembers nothing of those before."""
    given = sample(kept, ELEMENTS)
    return given is not None and hypothesis.rule in RULES and judge(hypothesis, given).explains


def after(whole: Sample, left_out: int) -> Sample:
    """A sample without its first steps, which it remembers."""
    parts = [{name: getattr(whole, name)[rows] for name in _ROWS}
             for rows in (slice(left_out), slice(left_out, None))]  # fmt: skip
    return replace(whole, **parts[1], before=replace(whole, **parts[0]))
