"""Why two runs differ: manifests, trajectories, verdict."""

from auditor.compare.verdict import UnknownRunError, compare_runs

__all__ = ["UnknownRunError", "compare_runs"]
