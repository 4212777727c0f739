"""Single-run identification: what a run computed, read off its recordings.

Each family of hypotheses has its module; all of them give facts in canonical parameters
(``fact.Fact``). Nothing here looks at a second run.
"""

from auditor.compare.identify.fact import STAGES, Fact, Facts

__all__ = ["STAGES", "Fact", "Facts"]
