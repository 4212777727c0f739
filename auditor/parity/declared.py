"""What each side of a lockstep declares, in the canonical units of a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.compare import declared
from auditor.compare.identify.fact import Facts
from auditor_agent.parity.seen import Side


def settings(side: Side) -> Mapping[str, Any]:
    """Its update rule in canonical units; empty where nothing can be read."""
    updates = _manifest(side).get("canonical", {}).get("update") or [{}]
    return dict(updates[0])


def facts(side: Side) -> Facts:
    """Its declarations as facts."""
    found = Facts()
    for fact in declared.facts(_manifest(side)):
        found.add(fact)
    return found


def _manifest(side: Side) -> dict[str, Any]:
    return {"framework": side.framework, "canonical": dict(side.told().canonical)}
