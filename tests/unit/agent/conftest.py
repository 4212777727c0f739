from __future__ import annotations

from support.agent import as_in_production, fake_daemon, log_lines, new_run, no_daemon

__all__ = ["as_in_production", "fake_daemon", "log_lines", "new_run", "no_daemon"]
