"""What a lockstep of two implementations means: the catalogue's name of what differs, and the lines that mend it."""
