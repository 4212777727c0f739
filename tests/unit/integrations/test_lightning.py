from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from support.memory_run import MemoryRun

# Lightning speaks of what it deprecates and of workers it would like to have.
pytestmark = pytest.mark.filterwarnings("ignore")
STEPS = 8


@pytest.fixture
def lightning() -> Any:
    """Lightning, imported when its warnings are no errors."""
    return pytest.importorskip("lightning.pytorch")


@pytest.fixture
def audit(run: MemoryRun) -> Any:
    """The callback; its run keeps what it is told."""
    import auditor_agent

    return auditor_agent.lightning.Audit()


def loader() -> DataLoader[tuple[Tensor, ...]]:
    """Eight batches."""
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(STEPS * 4, 6, generator=noise)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=4)


def module(lightning: Any, *, manual: bool = False) -> Any:
    """A regression that logs what people log; ``manual``: two optimizers, stepped by hand."""

    class Module(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = not manual
            self.body, self.head = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.1)), nn.Linear(8, 1)
            self.seen: list[dict[str, Tensor]] = []
            self.losses: list[float] = []

        def training_step(self, batch: Any, _: int) -> Any:
            loss = nn.functional.mse_loss(self.head(self.body(batch[0])), batch[1])
            self.log("train/loss", loss, on_step=True, on_epoch=True)
            self.losses.append(float(loss))
            if not manual:
                return loss
            for optimizer in self.optimizers():
                optimizer.zero_grad()
            self.manual_backward(loss)
            for optimizer in self.optimizers():
                optimizer.step()
            return None

        def configure_gradient_clipping(self, optimizer: Any, *args: Any, **kwargs: Any) -> None:
            super().configure_gradient_clipping(optimizer, *args, **kwargs)
            self.seen.append({name: p.grad.clone() for name, p in self.named_parameters() if p.grad is not None})

        def validation_step(self, batch: Any, _: int) -> None:
            loss = nn.functional.mse_loss(self.head(self.body(batch[0])), batch[1])
            self.log("val/loss", loss)
            self.log("val_mae", loss.sqrt())

        def configure_optimizers(self) -> Any:
            if manual:
                return [torch.optim.SGD(part.parameters(), lr=0.01) for part in (self.body, self.head)]
            return torch.optim.Adam(self.parameters(), lr=0.01)

    torch.manual_seed(1)
    return Module()


def fit(lightning: Any, model: Any, folder: Path, *callbacks: Any, resume: str | None = None, **settings: Any) -> Any:
    """The trainer, once it is done."""
    settings = {"max_epochs": 2, "gradient_clip_val": 0.5, **settings}
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **settings,
    )
    trainer.fit(model, loader(), loader(), ckpt_path=resume)
    return trainer


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("accumulate", [1, 4])
def test_every_step_is_told_as_the_module_saw_it(
    lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path, precision: str, accumulate: int
) -> None:
    """Steps, losses and clipped gradients, though Lightning runs the backward pass within the optimizer's step."""
    model = module(lightning)
    trainer = fit(lightning, model, tmp_path, audit, precision=precision, accumulate_grad_batches=accumulate)
    assert [step for step, _, _ in run.steps] == list(range(1, trainer.global_step + 1))
    means = torch.tensor(model.losses, dtype=torch.float64).reshape(-1, accumulate).mean(1).tolist()
    assert run.scalar("loss") == pytest.approx(means, rel=1e-5)
    assert len(model.seen) == len(run.rows) == 2 * STEPS // accumulate
    for row, gradients in zip(run.rows, model.seen, strict=True):
        for name, gradient in gradients.items():
            assert row["gradient", name]["l2"] == pytest.approx(float(gradient.double().norm()), rel=1e-5)
    assert all(value == 0.5 for value in run.scalar("clip_threshold"))
    assert ("update", "head.weight") in run.rows[0]


def test_g5_training_is_bit_identical(lightning: Any, audit: Any, tmp_path: Path) -> None:
    """Losses, weights and random state, dropout included."""
    ends = []
    for callbacks in ([], [audit]):
        model = module(lightning)
        fit(lightning, model, tmp_path, *callbacks, max_epochs=5)
        ends.append((model.losses, [p.tolist() for p in model.parameters()], torch.get_rng_state().tolist()))
    assert ends[0] == ends[1]


def test_several_optimizers_by_hand_are_one_step(lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """Manual optimization: each parameter is read as its own optimizer steps."""
    model = module(lightning, manual=True)
    fit(lightning, model, tmp_path, audit, gradient_clip_val=None)
    assert [step for step, _, _ in run.steps] == list(range(1, 2 * STEPS + 1))
    assert all({("gradient", name) for name, _ in model.named_parameters()} <= set(row) for row in run.rows)
    assert run.scalar("loss") == pytest.approx(model.losses, rel=1e-6)


def test_epochs_and_evaluations_are_logged_by_their_names(
    lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path
) -> None:
    """``val/loss`` is ``val_loss``, ``train/loss`` the epoch's; what is tried before the training is not."""
    trainer = fit(lightning, module(lightning), tmp_path, audit)
    evaluations = [log for log in run.logs if "val_loss" in log]
    assert len(evaluations) == 2
    assert evaluations[-1]["val_loss"] == pytest.approx(float(trainer.callback_metrics["val/loss"]))
    assert evaluations[-1]["val_mae"] == pytest.approx(float(trainer.callback_metrics["val_mae"]))
    epochs = [log for log in run.logs if "epoch" in log]
    assert [log["epoch"] for log in epochs] == [1.0, 2.0]
    assert epochs[-1]["epoch_loss"] == pytest.approx(float(trainer.callback_metrics["train/loss_epoch"]))
    assert set(epochs[-1]) == {"epoch", "epoch_loss"}


def test_the_verdict_ends_the_training_in_order(lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """``trainer.should_stop``, an event, and a run that says why it ended; Lightning's last hooks still run."""
    run.should_stop, run.verdict = True, "diverged"
    ended: list[bool] = []

    class Witness(lightning.Callback):  # type: ignore[misc]
        def on_fit_end(self, *_: Any) -> None:
            ended.append(True)

    trainer = fit(lightning, module(lightning), tmp_path, Witness(), audit, max_epochs=50)
    assert trainer.global_step < 50 * STEPS
    assert ended
    assert run.events[-1]["type"] == "stopped"
    assert run.ended == ("stopped", f"verdict diverged at step {trainer.global_step}")


def test_of_several_ranks_none_stops_by_itself(audit: Any, run: MemoryRun, recwarn: Any) -> None:
    """The others would wait for it in their next collective."""
    from auditor_agent.integrations.torch.trainer import Follower

    follower = Follower(None, None)
    model = nn.Linear(2, 2)
    follower.begin(model, [torch.optim.SGD(model.parameters(), lr=0.1)])
    run.should_stop = True
    assert not follower.step_end(ranks=2)
    assert Follower(None, None).step_end(ranks=1) is False


def test_a_checkpoint_says_which_run_it_was(lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """The manifest of what goes on from it names the run before and the step; weights are as without the audit."""
    import auditor_agent

    place = str(tmp_path / "at.ckpt")
    trainer = fit(lightning, module(lightning), tmp_path, audit)
    trainer.save_checkpoint(place)
    ends = []
    for callbacks in ([auditor_agent.lightning.Audit()], []):
        model = module(lightning)
        torch.manual_seed(7)
        fit(lightning, model, tmp_path, *callbacks, max_epochs=4, resume=place)
        ends.append([p.tolist() for p in model.parameters()])
    assert ends[0] == ends[1]
    assert run.observed["resumed"] == {"global_step": 2 * STEPS, "run": run.id, "attempt": run.attempt}
    assert [step for step, _, _ in run.steps] == list(range(1, 4 * STEPS + 1))


def test_the_manifest_says_how_it_is_trained(lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path) -> None:
    """Precision, accumulation and clipping are the trainer's and no optimizer's."""
    fit(lightning, module(lightning), tmp_path, audit, accumulate_grad_batches=2)
    told = run.observed["trainer"]
    assert (told["accumulate_grad_batches"], told["gradient_clip_val"], told["precision"]) == (2, 0.5, "32-true")
    assert told["strategy"] == "SingleDeviceStrategy"


def test_g1_a_fault_of_the_agent_never_reaches_fit(
    lightning: Any, audit: Any, run: MemoryRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hook of the callback fails; the training goes on to its end."""
    from auditor_agent.integrations.torch import trainer as torch_trainer

    def broken(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setenv("AUDITOR_RAISE", "0")
    for name in ("begin", "metrics", "step_end", "end"):
        monkeypatch.setattr(torch_trainer.Follower, name, broken)
    trainer = fit(lightning, module(lightning), tmp_path, audit)
    assert trainer.global_step == 2 * STEPS


def test_installed_every_fit_is_audited_and_keeps_its_own_callbacks(
    lightning: Any, run: MemoryRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One Audit, before the checkpoint that must stay last; none beside one that is there."""
    from auditor_agent.integrations import lightning as integration

    monkeypatch.setattr(lightning.Trainer, "fit", lightning.Trainer.fit)  # put back afterwards
    integration.install()
    integration.install()
    trainer = fit(lightning, module(lightning), tmp_path)
    assert [type(callback) for callback in trainer.callbacks].count(integration.Audit) == 1
    assert isinstance(trainer.callbacks[-1], lightning.callbacks.ModelCheckpoint)
    assert math.isfinite(run.scalar("loss")[-1])
    own = fit(lightning, module(lightning), tmp_path, integration.Audit())
    assert [type(callback) for callback in own.callbacks].count(integration.Audit) == 1
