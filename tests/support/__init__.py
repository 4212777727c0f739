"""Helpers for tests: real servers as context managers, and fakes that check what they receive."""
