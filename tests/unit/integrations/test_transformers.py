from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from support.memory_run import MemoryRun

# Nothing is fetched; the library speaks of what it deprecates.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The library, kept off the network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return pytest.importorskip("transformers")


@pytest.fixture
def audit(run: MemoryRun) -> Any:
    """The callback; its run keeps what it is told."""
    import auditor_agent

    return auditor_agent.transformers.Audit()


def trainer(transformers: Any, folder: Path, *callbacks: Any, **settings: Any) -> Any:
    """A tiny GPT-2 on 32 random sequences: 8 batches of 4 an epoch."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 64, "n_positions": 16, "n_embd": 16, "n_layer": 2, "n_head": 2}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))
    tokens = torch.randint(0, 64, (32, 16), generator=torch.Generator().manual_seed(1))
    rows = [{"input_ids": row, "labels": row} for row in tokens]
    settings = {
        "num_train_epochs": 2,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-2,
        "logging_steps": 1,
        "report_to": [],
        "use_cpu": True,
        "eval_strategy": "epoch",
        "save_strategy": "no",
        "disable_tqdm": True,
        **settings,
    }
    arguments = transformers.TrainingArguments(str(folder), **settings)
    return transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, eval_dataset=rows[:8], callbacks=list(callbacks)
    )


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("bf16", [False, True])
def test_every_step_is_told_with_loss_clipping_and_gradients(
    transformers: Any, audit: Any, run: MemoryRun, tmp_path: Path, *, accumulate: int, bf16: bool
) -> None:
    """What the Trainer logs of each step is what was captured; micro-batches are one step."""
    job = trainer(transformers, tmp_path, audit, gradient_accumulation_steps=accumulate, bf16=bf16)
    job.train()
    steps = job.state.global_step
    assert [step for step, _, _ in run.steps] == list(range(1, steps + 1)) == list(range(1, 16 // accumulate + 1))
    logged = [log for log in job.state.log_history if "grad_norm" in log]
    assert run.scalar("loss") == pytest.approx([log["loss"] for log in logged], rel=1e-3)
    assert run.scalar("grad_norm_before_clip") == pytest.approx([log["grad_norm"] for log in logged], rel=1e-4)
    names = {name for name, _ in job.model.named_parameters()}
    assert all({("gradient", name) for name in names} <= set(row) for row in run.rows)
    assert run.observed["trainer"]["gradient_accumulation_steps"] == accumulate


def test_g5_training_is_bit_identical(transformers: Any, audit: Any, tmp_path: Path) -> None:
    """Losses, weights and random state, dropout included."""
    ends = []
    for callbacks in ([], [audit]):
        job = trainer(transformers, tmp_path, *callbacks)
        job.train()
        losses = [log["loss"] for log in job.state.log_history if "loss" in log]
        ends.append((losses, [p.tolist() for p in job.model.parameters()], torch.get_rng_state().tolist()))
    assert ends[0] == ends[1]


def test_evaluations_and_epochs_are_logged(transformers: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """``eval_loss`` is ``val_loss``; how long it took is no measurement of the model."""
    job = trainer(transformers, tmp_path, audit)
    job.train()
    expected = [log["eval_loss"] for log in job.state.log_history if "eval_loss" in log]
    evaluations = [log for log in run.logs if "val_loss" in log]
    assert [log["val_loss"] for log in evaluations] == pytest.approx(expected)
    assert all(set(log) == {"val_loss"} for log in evaluations)
    assert [log["epoch"] for log in run.logs if "epoch" in log] == [1.0, 2.0]


def test_the_verdict_ends_the_training_in_order(transformers: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """At the next end of a step; the run says why it ended."""
    run.should_stop, run.verdict = True, "diverged"
    job = trainer(transformers, tmp_path, audit, num_train_epochs=50)
    job.train()
    assert job.state.global_step == 1
    assert run.ended == ("stopped", "verdict diverged at step 1")


def test_a_training_that_goes_on_says_from_where(transformers: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """From a checkpoint; weights are as without the audit."""
    trainer(transformers, tmp_path, save_strategy="epoch").train()
    ends = []
    for callbacks in ([], [audit]):
        job = trainer(transformers, tmp_path, *callbacks)
        job.train(resume_from_checkpoint=str(tmp_path / "checkpoint-8"))
        ends.append([p.tolist() for p in job.model.parameters()])
    assert ends[0] == ends[1]
    assert run.observed["resumed"] == {"global_step": 8}
    assert [step for step, _, _ in run.steps] == list(range(1, 9))


def test_installed_every_training_is_audited(
    transformers: Any, run: MemoryRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One Audit where there is none, and none beside one that is there."""
    from auditor_agent.integrations import transformers as integration

    monkeypatch.setattr(transformers.Trainer, "train", transformers.Trainer.train)  # put back afterwards
    integration.install()
    for given in ([], [integration.Audit()]):
        job = trainer(transformers, tmp_path, *given, num_train_epochs=1)
        job.train()
        assert [type(callback) for callback in job.callback_handler.callbacks].count(integration.Audit) == 1
    assert [step for step, _, _ in run.steps] == list(range(1, 17))
