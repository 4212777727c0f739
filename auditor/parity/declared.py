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
    given = side.given
    if side.framework == "torch":
        from auditor_agent.integrations.torch import facts as torch_facts

        told = torch_facts.canonical(given.model, given.optimizer)
        told = {name: told[name] for name in ("update", "normalization") if name in told}
    elif side.framework == "sklearn":
        from auditor_agent.integrations.sklearn import manifest as sklearn_manifest

        told = sklearn_manifest.canonical(given.model, int(given.model.batch_size))
    else:
        from auditor_agent.integrations.keras import facts as keras_facts

        told = keras_facts.canonical(given.model, given.optimizer)
    return {"framework": side.framework, "canonical": told}
