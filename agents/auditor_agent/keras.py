"""Keras 3: ``model.fit(x, y, callbacks=[auditor_agent.keras.Audit()])``."""

from __future__ import annotations

from auditor_agent.integrations.keras.audit import Audit, install

__all__ = ["Audit", "install"]
