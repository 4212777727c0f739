from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROGRAM = Path(__file__).parent / "programs" / "torch_ranks.py"


@pytest.fixture(scope="module", params=[("ddp", 2), ("fsdp2", 2), ("fsdp2", 4)], ids="{0[0]}-{0[1]}".format)
def ranks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Any]]:
    """What the gloo ranks of the program saw."""
    mode, world = request.param
    out = tmp_path_factory.mktemp("ranks")
    root = PROGRAM.parents[3]
    env = {
        "PYTHONPATH": f"{root}:{root / 'agents'}",
        "PATH": "/usr/bin:/bin",
        "AUDITOR_HOME": str(out),
        "HOME": str(out),
    }
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), mode, str(out), str(rank), str(world)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        for process in processes:
            said, _ = process.communicate(timeout=400)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return mode, [json.loads((out / f"{rank}.json").read_text()) for rank in range(world)]


def test_g2_g5_no_collective_and_the_same_training(ranks: tuple[str, list[Any]]) -> None:
    """Losses, weights, random state and the number of collectives are those of the unwatched job."""
    for rank in ranks[1]:
        for what in ("losses", "norm", "weights", "random", "collectives", "seen"):
            assert rank["watched"][what] == rank["plain"][what], what
        assert set(rank["watched"]["collectives"]) == {0}


def test_each_rank_tells_of_what_it_holds(ranks: tuple[str, list[Any]]) -> None:
    """DDP: the reduced gradient, the same on both; FSDP2: this rank's shard; right to float tolerance."""
    for rank in ranks[1]:
        assert len(rank["rows"]) == len(rank["watched"]["seen"])
        for row, gradients in zip(rank["rows"], rank["watched"]["seen"], strict=True):
            for name, values in gradients.items():
                told, true = row[f"gradient {name}"], np.asarray(values)
                assert told["count"] == true.size
                if not true.size:  # four ranks share a bias of five
                    continue
                assert told["sum"] == pytest.approx(true.sum(), rel=1e-5, abs=1e-6)
                assert told["sumsq"] == pytest.approx(np.square(true).sum(), rel=1e-5)
                assert (told["min"], told["max"]) == pytest.approx((true.min(), true.max()), rel=1e-6)
                assert told["std"] == pytest.approx(true.std(), rel=1e-5)


def test_shards_merge_to_the_whole_and_replicas_agree(ranks: tuple[str, list[Any]]) -> None:
    """Sums over the ranks of FSDP2 are the full gradient's; replicas of DDP tell the same twice."""
    mode, each = ranks
    whole = {"0.weight": 198, "0.bias": 33, "2.weight": 165, "2.bias": 5}
    for rows in zip(*(rank["rows"] for rank in each), strict=True):
        for name, count in whole.items():
            told = [row[f"gradient {name}"] for row in rows]
            if mode == "ddp":
                assert all(one == told[0] for one in told)
            else:
                assert sum(one["count"] for one in told) == count


def test_replicas_have_equal_digests_and_shards_none(ranks: tuple[str, list[Any]]) -> None:
    """A checksum of the weights is comparable only between whole replicas."""
    mode, each = ranks
    digests = [[e["digest"] for e in rank["events"] if e["type"] == "weights"] for rank in each]
    assert all(digest == digests[0] for digest in digests)
    assert len(digests[0]) == (1 if mode == "ddp" else 0)


def test_the_norm_before_clipping_is_this_ranks_without_a_collective(ranks: tuple[str, list[Any]]) -> None:
    """DDP: the whole norm; FSDP2: the shard's."""
    for rank in ranks[1]:
        told = rank["steps"][-1][1]["grad_norm_before_clip"]
        assert math.isclose(told, rank["watched"]["norm"], rel_tol=1e-6)
