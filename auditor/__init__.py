"""Training Auditor: the daemon, the command line and what they know."""
