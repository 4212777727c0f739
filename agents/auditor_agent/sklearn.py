"""scikit-learn: ``with auditor_agent.sklearn.audit(MLPRegressor(...)) as mlp: mlp.fit(X, y)``."""

from __future__ import annotations

from auditor_agent.integrations.sklearn.audit import audit, install

__all__ = ["audit", "install"]
