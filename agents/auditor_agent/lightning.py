"""Lightning: ``Trainer(callbacks=[auditor_agent.lightning.Audit()])``."""

from __future__ import annotations

from auditor_agent.integrations.lightning import Audit, install

__all__ = ["Audit", "install"]
