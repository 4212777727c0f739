"""A run told to the rules by its losses: recordings whose outputs have just these losses, then the steps."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

TABLE = table()
CLASSES = 4
LABELS = np.arange(32) % CLASSES
#: What guessing costs among as many of each class.
CHANCE = float(np.log(CLASSES))
VALUES = np.random.default_rng(3).normal(size=(32, 1))
PROBES = (1, 2, 3, 4, 5, 50, 100, 200, 400, 800)


def logits(loss: float, labels: np.ndarray = LABELS) -> np.ndarray:
    """Outputs (32, 4) whose cross entropy is ``loss`` in every row, exactly up to 500."""
    out = np.zeros((len(labels), CLASSES))
    out[np.arange(len(labels)), labels] = np.log(CLASSES - 1) - np.log(np.expm1(min(loss, 500.0)))
    return out


def recording(step: int, loss: float, kind: str, scale: float = 1.0, *, ordered: bool = False) -> Recording:
    """A recorded step of this loss; ``kind``: ``classes`` or ``values`` (a regression with squared errors)."""
    if kind == "classes":
        target = np.full(len(LABELS), step % CLASSES) if ordered else LABELS
        output = logits(loss, target)
    else:
        output, target = VALUES + np.sqrt(loss), VALUES
    arrays = [array("output", "output0", output), array("target", "target0", target)]
    return Recording(step, arrays, {"loss": scale * loss}, {})


class Course:
    """A run whose first step has the number 1.

    ``kind``: ``classes``, ``values``, or "" for an unknown loss. ``ordered``: each batch is of one class.
    """

    def __init__(
        self, kind: str = "classes", *, optimizer: Mapping[str, Any] | None = None, ordered: bool = False
    ) -> None:
        self.kind, self.ordered = kind, ordered
        self.sender = Sender(RunAuditor(RUN))
        self.sender.start(framework="keras")
        loss = {"classes": "SparseCategoricalCrossentropy", "values": "MeanSquaredError"}.get(kind, "")
        logits = {"from_logits": True} if kind == "classes" else {}
        self.sender.manifest({"loss": {"class": loss, **logits}, "optimizer": dict(optimizer or {})})

    def tell(
        self,
        losses: Any,
        *,
        lr: Any = None,
        scalars: Mapping[str, Mapping[int, float]] | None = None,
        frame: int = 40,
        scale: float = 1.0,
        weights: Mapping[int, float] | None = None,
        events: tuple[dict[str, Any], ...] = (),
    ) -> list[Finding]:
        """The findings of these steps.

        Args:
            losses: of each step.
            lr: the learning rate, one or one per step.
            scalars: others by name and step number.
            frame: steps per frame.
            scale: of the recorded loss, as a gradient scaler's.
            weights: norm of each weight tensor by step number.
            events: told with the first frame.
        """
        losses, found = np.asarray(losses, float), []
        rates = None if lr is None else np.broadcast_to(np.asarray(lr, float), losses.shape)
        # A sample of weights ends a frame: steps come in order.
        cuts = sorted({*range(0, len(losses), frame), *(step for step in weights or {}), len(losses)})
        for first, last in itertools.pairwise(cuts):
            part = losses[first:last]
            for step in range(first + 1, first + len(part) + 1):
                if self.kind and step in PROBES and np.isfinite(part[step - first - 1]):
                    value = float(part[step - first - 1])
                    found += self.sender.record(recording(step, value, self.kind, scale, ordered=self.ordered))
            given = None if rates is None else rates[first : first + len(part)]
            told = batch(0, TABLE, first=first + 1, steps=len(part), loss=part, lr=given)
            for name, values in (scalars or {}).items():
                here = sorted(step for step in values if first < step <= first + len(part))
                if here:
                    told.scalars[name] = (
                        np.array([step - first - 1 for step in here]),
                        np.array([values[step] for step in here]),
                    )
            told = replace(told, events=events if not first else ())
            found += self.sender.steps(told, TABLE)
            for step in sorted(step for step in (weights or {}) if first < step <= first + len(part)):
                sample = batch(0, TABLE, first=step, steps=1, kind="weight", l2=(weights or {})[step])
                found += self.sender.steps(sample, TABLE)
        return found

    def end(self) -> list[Finding]:
        """The process ends."""
        return self.sender.auditor.ended(0, 0, "finished")


def noisy(level: Any, sd: float = 0.02, steps: int = 400, seed: int = 5) -> np.ndarray:
    """``level`` with multiplicative noise."""
    noise = np.exp(sd * np.random.default_rng(seed).normal(size=steps))
    return np.asarray(np.broadcast_to(np.asarray(level, float), (steps,)) * noise)


def of(found: list[Finding], *rules: str) -> list[Finding]:
    """The findings of these rules."""
    return [one for one in found if one.rule in rules]
