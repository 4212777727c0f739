"""Keras 3: where ``fit`` is hooked, and what its manifest says. Importing it does not import Keras."""
