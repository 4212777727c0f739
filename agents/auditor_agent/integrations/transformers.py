"""The Hugging Face Trainer: a callback that audits ``train``, and ``install`` for scripts that do not pass one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import transformers
from transformers.trainer_callback import TrainerCallback

from auditor_agent import guard
from auditor_agent.integrations.torch import trainer as torch_trainer
from auditor_agent.integrations.torch.trainer import Follower

_SETTINGS: Final = (
    *("per_device_train_batch_size", "gradient_accumulation_steps", "max_grad_norm", "learning_rate", "weight_decay"),
    *("lr_scheduler_type", "warmup_steps", "num_train_epochs", "max_steps", "optim", "label_smoothing_factor"),
    *("bf16", "fp16", "gradient_checkpointing", "seed", "data_seed", "world_size", "eval_strategy"),
)
#: What ``evaluate`` tells beside measurements of the model.
_ABOUT_TIME: Final = ("runtime", "per_second", "preparation_time")


class Audit(TrainerCallback):  # type: ignore[misc]  # transformers is not looked into by the type checker
    """Audits what a Trainer trains: ``Trainer(..., callbacks=[Audit()])``.

    Records what ``auditor_agent.watch`` records of any PyTorch loop, beside it the metrics of each
    evaluation, and ends the training in order when ``run.should_stop``. Never raises into ``train``
    and changes neither numbers nor random state. Several ``train`` calls in one process are one run.

    Args:
        name: the run's name; default from ``AUDITOR_NAME`` or the script.
        project: default from ``AUDITOR_PROJECT``.
    """

    def __init__(self, *, name: str | None = None, project: str | None = None) -> None:
        self._follower = Follower(name, project)

    @property
    def run(self) -> Any:
        """The run; None before the training begins."""
        return self._follower.run

    @guard.guarded(None)
    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Watch the optimizer: it exists, and a checkpoint has been loaded."""
        del control
        trainer = {"class": "Trainer", "version": transformers.__version__, **torch_trainer.settings(args, _SETTINGS)}
        resumed = {"resumed": {"global_step": state.global_step}} if state.global_step else {}
        self._follower.begin(kwargs["model"], [kwargs.get("optimizer")], trainer=trainer, **resumed)

    @guard.guarded(None)
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the training in order when the run is told to."""
        del state, kwargs
        if self._follower.step_end(args.world_size):
            control.should_training_stop = True

    @guard.guarded(None)
    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Number the epoch that ended."""
        del args, control, kwargs
        if state.epoch is not None:
            self._follower.metrics({"epoch": float(round(state.epoch))})

    @guard.guarded(None)
    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        """Log what was measured."""
        del args, state, control
        measured = torch_trainer.validation(metrics or {})
        self._follower.metrics({k: v for k, v in measured.items() if not k.endswith(_ABOUT_TIME)})

    @guard.guarded(None)
    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Deliver what is under way."""
        del args, control, kwargs
        self._follower.end(step=state.global_step)


def install() -> None:
    """Have every ``train`` of this process audited, as ``auditor run`` asks. Idempotent."""
    from transformers.trainer import Trainer

    torch_trainer.install(Trainer, "train", _add)


def _add(trainer: Any) -> None:
    """An ``Audit`` among the callbacks, where there is none."""
    if not any(isinstance(callback, Audit) for callback in trainer.callback_handler.callbacks):
        trainer.add_callback(Audit())
