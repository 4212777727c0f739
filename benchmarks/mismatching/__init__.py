"""Parts of ``benchmarks/mismatch.py``."""
