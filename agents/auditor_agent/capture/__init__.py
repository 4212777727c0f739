"""Capture: from tensors to the twelve statistics of ``auditor_agent.statistics``."""
