"""What the Triton kernel becomes on a GPU, as far as that can be seen without one: its compiler runs anywhere."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.triton import triton_env
from tests.conftest import ROOT

# In a process of its own, as tests/interpreted/conftest.py explains.
PROGRAM = """
import json, re, sys
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from auditor_agent.capture import triton_kernel

POINTERS = {"table": "*i64", "sizes": "*i64", "offsets": "*i64", "firsts": "*i32", "kinds": "*i32", "owners": "*i32",
            "moments": "*fp64", "tallies": "*i32", "counters": "*i32", "words": "*i32", "tasks": "i32"}
CONSTANTS = {
    "partial": [{"block": 1024, "rounds": 32, "histogram": False}, {"block": 1024, "rounds": 32, "histogram": True}],
    "merge": [{"block": 256}],
}
found = []
for name, variants in CONSTANTS.items():
    function = getattr(triton_kernel, name)
    for constants in variants:
        signature = {a: "constexpr" if a in constants else POINTERS[a] for a in function.arg_names}
        built = compile(ASTSource(function, signature, constants), target=GPUTarget("cuda", int(sys.argv[1]), 32))
        ptx = built.asm["ptx"]
        found.append({"name": name, "cubin": len(built.asm["cubin"]), "wide loads": ptx.count("ld.global.v4.b32"),
                      "local": bool(re.search(r"\\.local", ptx)), "flushes": "add.ftz" in ptx})
print(json.dumps(found))
"""


@pytest.mark.parametrize("capability", [80, 90])
def test_the_kernels_compile_for_gpus(capability: int, repo_env: dict[str, str]) -> None:
    """With 16-byte loads, nothing spilled to memory, and denormals kept, for Ampere and Hopper."""
    command = [sys.executable, "-c", PROGRAM, str(capability)]
    done = subprocess.run(
        command, env=triton_env(repo_env), cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    kernels = json.loads(done.stdout)
    assert [kernel["name"] for kernel in kernels] == ["partial", "partial", "merge"]
    assert all(kernel["cubin"] and not kernel["local"] and not kernel["flushes"] for kernel in kernels)
    # Four loads in flight per loop: two 16-byte ones for eight float32, one for eight of 16 bits.
    assert all(kernel["wide loads"] >= 4 * 2 + 4 + 4 for kernel in kernels if kernel["name"] == "partial")
