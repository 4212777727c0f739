"""What layers do with what passes through them: dead and saturated units, modes, normalisation."""
