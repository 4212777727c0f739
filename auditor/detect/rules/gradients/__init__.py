"""Gradients: too large, too small, piled up, or missing."""
