"""Two implementations of one training in lockstep: which part of a step is the first that differs.

``check(make_a, make_b)`` aligns the layers of two models, gives the second the first one's weights and
runs both on the same batches, levelled before every step. Needs the frameworks, not the daemon; what a
difference is called and how it is mended is the daemon's side (``auditor.parity``).
"""

from __future__ import annotations

from auditor_agent.parity.elsewhere import Elsewhere
from auditor_agent.parity.given import Implementation, NotComparableError
from auditor_agent.parity.judge import Divergence
from auditor_agent.parity.lockstep import Outcome, check
from auditor_agent.parity.programs import load

__all__ = ["Divergence", "Elsewhere", "Implementation", "NotComparableError", "Outcome", "check", "load"]
