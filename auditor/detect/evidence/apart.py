"""Batches of training and of evaluation that are not of one scale: prepared in two ways."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Samples of a batch, and batches trained on, from which its root mean square tells the data's.
_SAMPLES: Final = 8
_BATCHES: Final = 4
#: How far apart: ours. Shares of augmentation or noise change a root mean square by less than twice;
#: 0..255 for 0..1 is 255, raw for standardised amounts what their spread or offset is.
_APART: Final = 4.0
#: Evaluations that must show it, and their loss over that of training: below, it does no harm.
_TIMES: Final = 2
_WORSE: Final = 2.0


@dataclass(slots=True)
class Apart:
    """Range of the training batches' root mean squares, and evaluations in a row beyond it."""

    trained: list[float] = field(default_factory=list)
    evaluated: list[float] = field(default_factory=list)

    def observe_record(self, view: RecordView, values: F64, recent: float) -> dict[str, Any] | None:
        """Take in a recorded batch; the evidence, once evaluations in a row lie beyond all of training.

        Args:
            view: the recorded step or evaluation.
            values: its inputs, finite.
            recent: loss of training now, NaN unknown.
        """
        batch = next(iter(view.of("batch").values()), None)
        size = float(np.sqrt((values**2).mean()))
        if batch is None or not batch.shape or int(batch.shape[0]) < _SAMPLES or not size > 0:
            return None
        if view.phase == "train":
            seen = [*self.trained, size]
            self.trained = seen if len(seen) <= _BATCHES else sorted(seen)[:1] + sorted(seen)[-_BATCHES + 1 :]
            return None
        loss = view.scalars.get("loss", math.nan)
        if len(self.trained) < _BATCHES or not math.isfinite(loss) or not math.isfinite(recent):
            return None
        beyond = size > _APART * max(self.trained) or _APART * size < min(self.trained)
        harmed = recent > 0 and loss > _WORSE * recent
        self.evaluated = [*self.evaluated, size][-_TIMES:] if beyond and harmed else []
        if len(self.evaluated) < _TIMES:
            return None
        usual = float(np.median(self.trained))
        what = f"the loss there is {loss:.4g} for {recent:.4g} in training"
        fault = f"Evaluation has inputs of root mean square {size:.4g}, training of {usual:.4g}"
        shown = {"fault": fault, "what": what, "evaluated": size, "trained": usual}
        return {**shown, "val_loss": loss, "train_loss": recent}
