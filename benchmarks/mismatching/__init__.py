"""Parts of ``benchmarks/mismatch.py`` and ``benchmarks/blind.py``."""
