"""Weights: how they begin, whether they move, by how much, and what pulls on them."""
