"""Build hook: compile the C kernel where a compiler exists; without one the wheel is pure Python.

The agent then falls back to the framework's own operations: same numbers, more time. Set
``AUDITOR_NATIVE=0`` to skip the compiler, ``CC`` to choose it.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("agents/auditor_agent/capture/native")
#: The kernel, and its operation for TensorFlow (which needs nothing of TensorFlow to be compiled).
LIBRARIES = ("statistics", "tensorflow_ops")
# Contraction to FMA and no errno are what lets the loops become vectors; NaN and Inf keep their
# meaning (no -ffast-math): they are what the kernel is for.
FLAGS = [
    "-std=gnu11",
    "-O3",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-shared",
    "-fPIC",
    "-pthread",
]


class NativeKernel(BuildHookInterface):  # type: ignore[type-arg]
    """Adds each of ``LIBRARIES`` to the wheel, next to its source, if it could be built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling calls it so
        """Compile; on success mark the wheel as one for this platform (any Python 3)."""
        if self.target_name != "wheel":
            return
        root, built = Path(self.root), []
        for name in LIBRARIES:
            library = FOLDER / f"{name}.so"
            if self._compile(root / FOLDER / f"{name}.c", root / library):
                built.append(str(library))
        if not built:
            return
        build_data["artifacts"] += built
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _compile(self, source: Path, library: Path) -> bool:
        if os.environ.get("AUDITOR_NATIVE") == "0":
            library.unlink(missing_ok=True)
            return False
        fresh = library.with_suffix(f".{os.getpid()}.tmp")
        command = [*os.environ.get("CC", "cc").split(), *FLAGS, str(source), "-o", str(fresh), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            self.app.display_warning(f"no C kernel: {error}; the portable one serves")
            return False
        if done.returncode:
            self.app.display_warning(f"no C kernel: {done.stderr.strip()[-500:]}; the portable one serves")
            return False
        fresh.replace(library)  # never a half-written library under a process that has it mapped
        return True
