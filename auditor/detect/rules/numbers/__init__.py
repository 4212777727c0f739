"""Numbers that are none, and numbers that leave their scale."""
