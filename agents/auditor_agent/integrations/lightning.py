"""Lightning: a callback that audits ``Trainer.fit``, and ``install`` for scripts that do not pass one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from auditor_agent import guard
from auditor_agent.integrations.torch import trainer as torch_trainer
from auditor_agent.integrations.torch.trainer import Follower

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback
elif "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning.callbacks import Callback  # the same by its older name
else:
    from lightning.pytorch.callbacks import Callback

_SETTINGS: Final = (
    *("accumulate_grad_batches", "gradient_clip_val", "gradient_clip_algorithm", "max_epochs", "max_steps"),
    *("precision", "strategy", "accelerator", "world_size", "num_nodes", "val_check_interval", "num_training_batches"),
)


class Audit(Callback):  # type: ignore[misc]  # Lightning is not looked into by the type checker
    """Audits what a Lightning trainer trains: ``Trainer(callbacks=[Audit()])``.

    Records what ``auditor_agent.watch`` records of any PyTorch loop, beside it the metrics of each
    epoch and evaluation, and ends the training in order when ``run.should_stop``. Never raises into
    ``fit`` and changes neither numbers nor random state. Several ``fit`` calls in one process are one run.

    Args:
        name: the run's name; default from ``AUDITOR_NAME`` or the script.
        project: default from ``AUDITOR_PROJECT``.
    """

    def __init__(self, *, name: str | None = None, project: str | None = None) -> None:
        super().__init__()
        self._given = {"name": name, "project": project}
        self._before: dict[str, Any] = {}
        self._follower: Follower | None = None

    @property
    def run(self) -> Any:
        """The run; None before the training begins."""
        return None if self._follower is None else self._follower.run

    @guard.guarded(None)
    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Watch the optimizers: they exist, and a checkpoint has been loaded."""
        self._follower = self._follower or Follower(**self._given)
        self._follower.begin(pl_module, trainer.optimizers, **self._sections(trainer))

    def _sections(self, trainer: Any) -> dict[str, dict[str, Any]]:
        version = getattr(sys.modules.get(type(trainer).__module__.partition(".")[0]), "__version__", None)
        told = {"class": type(trainer).__name__, "version": version, **torch_trainer.settings(trainer, _SETTINGS)}
        if not trainer.global_step:
            return {"trainer": told}
        return {"trainer": told, "resumed": {"global_step": trainer.global_step, **self._before}}

    @guard.guarded(None)
    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """End the training in order when the run is told to."""
        del pl_module, outputs, batch, batch_idx
        if self._follower is not None and self._follower.step_end(trainer.world_size):
            trainer.should_stop = True

    @guard.guarded(None)
    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Log the epoch's metrics, by the names that the module gave them."""
        del pl_module
        if self._follower is not None:
            told = torch_trainer.training(trainer.callback_metrics)
            self._follower.metrics({**told, "epoch": float(trainer.current_epoch + 1)})

    @guard.guarded(None)
    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Log what was measured; not of the few batches that are only tried before the training."""
        del pl_module
        if self._follower is not None and not trainer.sanity_checking:
            self._follower.metrics(torch_trainer.validation(trainer.callback_metrics))

    @guard.guarded(None)
    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Deliver what is under way."""
        del pl_module
        if self._follower is not None:
            self._follower.end(step=trainer.global_step)

    @guard.guarded(None)
    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ctrl-C, which Lightning keeps to itself, ends the run as stopped."""
        del trainer, pl_module
        if isinstance(exception, KeyboardInterrupt) and self.run is not None:
            self.run.finish("stopped", "KeyboardInterrupt")

    def state_dict(self) -> dict[str, Any]:
        """Goes into checkpoints: which run it was."""
        return {} if self.run is None else {"run": self.run.id, "attempt": self.run.attempt}

    @guard.guarded(None)
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """A training goes on from a checkpoint: the manifest will say of which run."""
        self._before = {name: state_dict[name] for name in ("run", "attempt") if name in state_dict}


def install() -> None:
    """Have every ``fit`` of this process audited, as ``auditor run`` asks. Idempotent."""
    for module in ("lightning.pytorch.trainer.trainer", "pytorch_lightning.trainer.trainer"):
        if module in sys.modules:
            torch_trainer.install(sys.modules[module].Trainer, "fit", _add)


def _add(trainer: Any) -> None:
    """An ``Audit`` among the callbacks, where there is none. First: checkpoints must stay last."""
    if not trainer.barebones and not any(isinstance(callback, Audit) for callback in trainer.callbacks):
        trainer.callbacks.insert(0, Audit())
