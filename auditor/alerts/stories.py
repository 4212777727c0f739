"""Which alert follows from which: the alerts of one root are one story, the root told first.

The rules say what they may follow from (``consequence_of``): edges of a graph. Between two alerts of
one attempt an edge holds when the cause came first (by step, then by place within the step); or,
where the graph leads in that direction only, when both were there at one time (an alert that fires
lasts, whether or not its rule looks again): a rule that needs a window names the root after its
consequence was seen. A rule that says at once what it sees (``within``) names nothing that was there long
before: a number that is none at step 300 is no root of a loss that ran away at step 100. Rules that can
cause each other (a non-finite weight, a non-finite gradient) are told apart by what came first. So no alert
is its own root.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from auditor.detect.registry import rules
from auditor.detect.rule import PHASES
from auditor.model import Alert, AlertState, Severity

#: Attempt, step, place within the step, rule.
Place = tuple[int, int, int, str]


def place(alert: Alert) -> Place:
    """Where in a run an alert began."""
    rule = rules().get(alert.rule)
    phase = PHASES.index(rule.phase) if rule else len(PHASES)
    return alert.attempt, alert.first_step, phase, alert.rule


def roots(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """The root of each alert's story, by the alert's id; of a root, itself."""
    known = list(alerts)
    seen = [alert for alert in known if alert.state is not AlertState.PENDING]
    found: dict[str, Alert] = {}
    for alert in sorted(known, key=place):
        chain = [alert]
        while (cause := min(_causes(chain[-1], seen), key=place, default=None)) is not None:
            chain.append(cause)
        found[alert.id] = chain[-1]
    return found


def told(alerts: Iterable[Alert]) -> list[Alert]:
    """``alerts`` story by story: the root, then its consequences in the order in which they began.

    Stories are told in the order of their roots; by attempt; those that hold nothing worse than an
    info at the end of their attempt.
    """
    known = list(alerts)
    root = roots(known)
    serious = {root[alert.id].id for alert in known if alert.severity is not Severity.INFO}

    def order(alert: Alert) -> tuple[int, bool, Place, bool, Place]:
        own = root[alert.id]
        return alert.attempt, own.id not in serious, place(own), alert.id != own.id, place(alert)

    return sorted(known, key=order)


def _causes(alert: Alert, others: Iterable[Alert]) -> list[Alert]:
    rule = rules().get(alert.rule)
    named = rule.consequence_of if rule else ()
    return [other for other in others if other.rule in named and other is not alert and _caused(other, alert)]


def _caused(cause: Alert, alert: Alert) -> bool:
    if cause.attempt != alert.attempt or (cause.severity is Severity.INFO) > (alert.severity is Severity.INFO):
        return False  # what is merely worth a look is nobody's root
    if place(cause) < place(alert):
        return True
    rule = rules().get(cause.rule)
    if rule is not None and rule.within is not None and cause.first_step - alert.first_step > rule.within:
        return False
    lasts = alert.state is AlertState.FIRING or cause.first_step <= alert.last_step
    return lasts and alert.rule not in ancestors(cause.rule)


@lru_cache(maxsize=512)
def ancestors(rule: str) -> frozenset[str]:
    """The rules from which ``rule`` may follow, directly or through others."""
    found: set[str] = set()
    waiting = [rule]
    while waiting:
        known = rules().get(waiting.pop())
        for cause in known.consequence_of if known else ():
            if cause not in found:
                found.add(cause)
                waiting.append(cause)
    return frozenset(found)
