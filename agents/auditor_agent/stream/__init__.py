"""From a training step to bytes in a daemon's hands: ring, spool, wire, sender."""
