"""Why runs differ: manifests, trajectories, verdict."""

from auditor.compare.verdict import UnknownRunError, compare_groups, compare_runs

__all__ = ["UnknownRunError", "compare_groups", "compare_runs"]
