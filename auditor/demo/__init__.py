"""``auditor demo``: three real training programs side by side, one of which goes NaN."""
