"""The Hugging Face Trainer: ``Trainer(..., callbacks=[auditor_agent.transformers.Audit()])``."""

from __future__ import annotations

from auditor_agent.integrations.transformers import Audit, install

__all__ = ["Audit", "install"]
