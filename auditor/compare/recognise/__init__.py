"""From two profiles to causes: one module per stage, each entry of the catalogue where it belongs."""
