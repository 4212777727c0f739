"""TensorFlow: ``with auditor_agent.tensorflow.audit(model) as run: ... run.step(loss, grads, variables)``."""

from __future__ import annotations

from auditor_agent.integrations.tensorflow.audit import audit, install
from auditor_agent.integrations.tensorflow.loop import Loop

__all__ = ["Loop", "audit", "install"]
