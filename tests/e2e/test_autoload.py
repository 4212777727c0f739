"""Scripts in which no line was changed, run to their end with the real agent, its spool decoded."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from auditor.ingest.decode import step_batch, tensor_table
from auditor_agent import autoload
from auditor_agent.stream import wire

TRAIN = textwrap.dedent("""
    import sys
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(x)))

    def main():
        torch.manual_seed(0)
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for step in range(1, 11):
            optimizer.zero_grad()
            loss = model(torch.randn(5, 4)).square().mean()
            loss.backward()
            if step == 7:
                model.fc1.weight.grad[0, 0] = float("nan")
            optimizer.step()
            print(step, loss.item())
        print("rng", torch.rand(1).item())

    if __name__ == "__main__":
        main()
        sys.exit(3)
""")

WORKERS = textwrap.dedent("""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    def main():
        model = torch.nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for start in ("fork", "spawn"):
            data = TensorDataset(torch.randn(20, 4))
            for (x,) in DataLoader(data, batch_size=10, num_workers=2, multiprocessing_context=start):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()

    if __name__ == "__main__":
        main()
""")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A training script; a NaN enters ``fc1.weight``'s gradient at step 7, its exit code is 3."""
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    return path


@pytest.fixture
def offline(repo_env: dict[str, str]) -> dict[str, str]:
    """The environment that ``auditor run`` gives, without a daemon and without our code on the path."""
    env = {name: value for name, value in repo_env.items() if name != "PYTHONPATH"}
    return autoload.environment({**env, "AUDITOR_MODE": "offline", "AUDITOR_RUN": "r", "OMP_NUM_THREADS": "1"})


def python(env: dict[str, str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A Python child's outcome."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=400, check=False)


def frames(env: dict[str, str]) -> list[wire.Frame]:
    """Every frame in the spool of run ``r``, in order."""
    spool = Path(env["AUDITOR_HOME"]) / "spool" / "r"
    return [frame for path in sorted(spool.glob("*/*.frames")) for frame in wire.frames(path.read_bytes())]


def faults(found: list[wire.Frame]) -> list[tuple[int, str, str]]:
    """(step, kind, tensor) of every non-finite row."""
    steps = [frame for frame in found if frame.header["type"] == "steps"]
    # A table grows at its end: the longest holds every tensor, whichever frames came while it grew.
    table: Any = max((tensor_table(frame.header["tensors"]) for frame in steps if "tensors" in frame.header), key=len)
    seen = []
    for batch in map(step_batch, steps):
        for block in batch.blocks:
            bad = block.stat("nan") + block.stat("inf")
            for at, tensor in zip(*bad.nonzero(), strict=True):
                entry = table[block.tensors[tensor]]
                seen.append((int(batch.steps[block.first + at]), entry.kind, entry.name))
    return sorted(seen)


@pytest.mark.parametrize(
    "how", [("train.py",), ("-m", "train"), ("-c", "import runpy; runpy.run_path('train.py', run_name='__main__')")]
)
def test_v1_a_nan_in_an_unmodified_script_is_named_in_the_spool(
    script: Path, offline: dict[str, str], how: tuple[str, ...]
) -> None:
    """Script, module or command: tensor and step are there, output and exit code are untouched."""
    plain = {name: value for name, value in offline.items() if name not in {autoload.SWITCH, "PYTHONPATH"}}
    expected = python(plain, *how, cwd=script.parent)
    assert not frames(offline)
    done = python(offline, *how, cwd=script.parent)
    assert (done.stdout, done.returncode) == (expected.stdout, expected.returncode)
    assert done.returncode == 3
    assert done.stderr == expected.stderr
    assert faults(frames(offline))[0] == (7, "gradient", "fc1.weight")


def test_every_step_is_there_and_the_manifest_names_the_model(script: Path, offline: dict[str, str]) -> None:
    """One run: a start, the manifest, ten steps with loss and rate, a finish."""
    python(offline, "train.py", cwd=script.parent)
    found = frames(offline)
    steps = [step_batch(frame) for frame in found if frame.header["type"] == "steps"]
    assert [int(step) for batch in steps for step in batch.steps] == list(range(1, 11))
    assert all({"loss", "lr"} <= set(batch.scalars) for batch in steps if len(batch.steps))  # one holds events alone
    manifests = [frame.header["manifest"] for frame in found if frame.header["type"] == "manifest"]
    assert manifests[-1]["model"]["class"] == "__main__.Net"
    assert [frame.header["type"] for frame in found].count("start") == 1


def test_a_script_started_by_a_script_is_watched(script: Path, offline: dict[str, str]) -> None:
    """Launchers start the trainer; only the trainer has a run."""
    code = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, 'train.py']).returncode)"
    assert python(offline, "-c", code, cwd=script.parent).returncode == 3
    assert len(list((Path(offline["AUDITOR_HOME"]) / "spool" / "r").iterdir())) == 1
    assert faults(frames(offline))[0] == (7, "gradient", "fc1.weight")


def test_g11_data_loader_workers_make_no_run(tmp_path: Path, offline: dict[str, str]) -> None:
    """Forked and spawned workers import torch, and never step."""
    (tmp_path / "workers.py").write_text(WORKERS)
    done = python(offline, "workers.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = frames(offline)
    assert [frame.header["type"] for frame in found].count("start") == 1
    assert sum(frame.header.get("steps", 0) for frame in found) == 4


def test_g1_an_unwritable_home_changes_nothing(script: Path, offline: dict[str, str]) -> None:
    """No place for a spool: the script prints and exits as ever."""
    offline["AUDITOR_HOME"] = os.devnull
    offline.pop("AUDITOR_RAISE", None)
    done = python(offline, "train.py", cwd=script.parent)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1].startswith("rng")


DISTRIBUTED = textwrap.dedent("""
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    def main():
        dist.init_process_group("gloo")
        torch.manual_seed(dist.get_rank())
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 2))
        wrapped = DistributedDataParallel(model)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            wrapped(torch.randn(3, 4)).square().mean().backward()
            optimizer.step()
        dist.destroy_process_group()

    if __name__ == "__main__":
        main()
""")


@pytest.mark.slow
def test_ranks_of_a_distributed_job_share_the_run(tmp_path: Path, offline: dict[str, str]) -> None:
    """torchrun, two ranks, DDP: one run, a spool per rank, names without ``module.``, reduced gradients."""
    (tmp_path / "ddp.py").write_text(DISTRIBUTED)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "ddp.py")
    done = python(offline, *launcher, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    spool = Path(offline["AUDITOR_HOME"]) / "spool" / "r"
    assert sorted(path.name for path in spool.iterdir()) == ["0-0", "0-1"]
    found = [frame for frame in frames(offline) if frame.header["type"] == "steps"]
    tensors = [tensor for frame in found for tensor in frame.header.get("tensors", ())]
    assert {name for kind, name, _, _ in tensors if kind == "gradient"} == {
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
    }
    norms: dict[int, list[float]] = {0: [], 1: []}
    for batch in map(step_batch, found):
        for block in batch.blocks:
            norms[batch.rank].extend(block.stat("l2")[:, :4].ravel().tolist())
    assert len(norms[0]) == 5 * 4
    assert norms[0] == norms[1]
