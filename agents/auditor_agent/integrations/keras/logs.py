"""Where gradients cannot be tapped (JAX, distribution strategies): loss and metrics from ``fit``'s logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LogWatch:
    """Records the loss of each batch, undone from the running mean that ``fit`` reports."""

    def __init__(self, run: Any, why: str = "") -> None:
        self.run = run
        self._why = why
        self.step = 0
        self._seen, self._mean = 0, 0.0

    def begin(self, model: Any) -> None:
        """Training starts; the model is not touched. What is missing, and why, is told."""
        del model
        told = {"gradients": f"not captured: {self._why}", "loss": "of each batch, undone from fit's running mean"}
        self.run.observe(capture=told)

    def follows(self, model: Any) -> bool:
        """No: of an evaluation no batch is seen."""
        del model
        return False

    def batch_begin(self, executed: int) -> None:
        """Nothing is looked at before a step."""

    def batch_end(self, executed: int, logs: Mapping[str, Any] | None) -> None:
        """``executed`` more batches, whose running mean loss stands in ``logs``."""
        self.step += executed
        mean = (logs or {}).get("loss")
        if mean is None:
            return
        # mean_k = (mean_{k-1} * (k - 1) + loss_k) / k, for batches of equal size
        seen = self._seen + executed
        loss = float(mean) + (float(mean) - self._mean) * self._seen / executed if self._seen else float(mean)
        self._seen, self._mean = seen, float(mean)
        self.run.record(self.step, {"loss": loss}, urgent=loss - loss != 0.0)

    def read(self) -> None:
        """An epoch ends: the mean starts anew."""
        self._seen, self._mean = 0, 0.0

    def evaluation_begins(self) -> None:
        """Nothing: no batch is seen."""

    def evaluated(self) -> None:
        """Nothing."""

    def epoch_end(self, number: int) -> None:
        """Epoch ``number``, from 1, has ended."""
        self.read()
        self.run.event(self.step, "epoch", epoch=number)

    #: The manifest can be sent at once.
    ready = True

    def initial_weights(self) -> dict[str, Any]:
        """Nothing: weights are not read here."""
        return {}
