"""Tests that need Triton's interpreter, run by tests/property/test_interpreted.py in a process of their own.

Triton decides as it is imported whether it interprets, and cannot be imported after TensorFlow (both
bring LLVM, and the process dies): so it never enters the processes of the other tests.
"""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("TRITON_INTERPRET") == "1" else ["test_*.py"]
