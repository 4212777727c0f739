"""Lockstep of aligned pairs over many steps, and of pairs that differ in one thing.

Each of four aligned models (MLP, CNN with BatchNorm, LSTM, small Transformer) runs in PyTorch and Keras;
printed are the verdict, the number of comparisons, and how close each stage came to its tolerance (1 is a
divergence). With ``--differences`` the pairs of ``tests/support/parity_differences.py`` follow.

    python benchmarks/parity.py [--steps 1000] [--differences]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

for _name, _value in (("CUDA_VISIBLE_DEVICES", ""), ("TF_CPP_MIN_LOG_LEVEL", "3"), ("TF_NUM_INTRAOP_THREADS", "1")):
    os.environ.setdefault(_name, _value)
sys.path[:0] = [str(Path(__file__).resolve().parent.parent / folder) for folder in ("", "agents", "tests")]

ALIGNED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "MLP, tanh": ("mlp", {}),
    "MLP, ReLU": ("mlp", {"activation": "relu"}),
    "CNN, BatchNorm, ReLU": ("cnn", {"activation": "relu", "rows": 32}),
    "LSTM": ("lstm", {}),
    "Transformer, GELU": ("transformer", {"activation": "gelu"}),
}


def main() -> int:
    """Runs the pairs; 1 if an aligned pair is told to differ, or a difference is missed or misnamed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=1000)
    options.add_argument("--differences", action="store_true")
    chosen = options.parse_args()
    wrong = sum(not aligned(name, chosen.steps) for name in ALIGNED)
    return int(bool(wrong + (differences() if chosen.differences else 0)))


def aligned(name: str, steps: int) -> bool:
    """Whether a pair is found equivalent."""
    from auditor_agent.parity import check
    from support.parity_models import keras_program, torch_program

    family, given = ALIGNED[name]
    found = check(torch_program(family, **given), keras_program(family, **given), steps)
    closest = ", ".join(f"{stage} {share:.2f}" for stage, share in found.worst.items())
    verdict = "equivalent" if found.equivalent else f"DIFFERS {found.first}"
    print(f"{name}: {verdict}; {found.steps} steps, {found.comparisons} comparisons, transplant "
          f"{found.alignment.error:.1e} in {found.alignment.probes} probes; {closest}; "
          f"{1e3 * found.seconds / found.steps:.0f} ms a step", flush=True)  # fmt: skip
    return found.equivalent


def differences() -> int:
    """How many single differences are missed or misnamed."""
    from auditor.parity.diagnose import cause
    from support.parity_differences import DIFFERENCES

    wrong = 0
    for name, given in DIFFERENCES.items():
        found = given.run()
        told = cause(found)
        where = (told.id, found.first.stage, found.first.step) if told and found.first else None
        wrong += where != (given.entry, given.stage, given.step)
        print(f"{name}: {where}{'' if where == (given.entry, given.stage, given.step) else ' WRONG'}", flush=True)
    print(f"{len(DIFFERENCES) - wrong} of {len(DIFFERENCES)} named")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
