"""What the loss was given: outputs and targets of a recorded step, and what the loss takes them for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import F64
from auditor.ingest.records import Recorded

#: torch's losses by the operation in autograd's graph: (family, whether they take logits).
_TORCH: Final[Mapping[str, tuple[str, bool | None]]] = {
    "CrossEntropy": ("categorical", True),
    "NllLoss": ("categorical", None),
    "BinaryCrossEntropy": ("binary", False),
    "BinaryCrossEntropyWithLogits": ("binary", True),
    "MseLoss": ("regression", None),
    "SmoothL1Loss": ("regression", None),
    "HuberLoss": ("regression", None),
}
#: Names of losses of Keras and scikit-learn that compare an output with a target element by element.
_REGRESSION: Final = ("squared_error", "absolute_error", "huber", "log_cosh", "logcosh", "mse", "mae")
#: Chains of a hand-written squared or absolute error, from the reduction down to the difference.
_DIFFERENCES: Final = (["Pow", "Sub"], ["Abs", "Sub"], ["Square", "Sub"], ["Mul", "Sub"])


@dataclass(frozen=True, slots=True)
class Scored:
    """A recorded step's outputs against its targets.

    ``family``: ``categorical`` (one class of C), ``binary`` (each element 0 or 1), ``regression``, or
    "" where the loss is none of these. ``logits``: whether the loss takes the outputs for logits
    (True) or probabilities (False); None where that is no question. ``outputs`` (N, C): the model's
    outputs, rows along the last axis. ``targets``: in their own shape, None if not recorded whole.
    ``loss``: its value without the penalty, None if unknown. ``derived``: what several rules work out of
    it, by name, so that the first does it for all.
    """

    family: str
    logits: bool | None
    outputs: F64
    targets: F64 | None
    loss: float | None
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def classes(self) -> int:
        """Width of the last axis."""
        return int(self.outputs.shape[1])

    def labels(self) -> F64 | None:
        """Classes of the rows (N,), from whole numbers or from rows with a single 1; None if they are neither."""
        if "labels" not in self.derived:
            self.derived["labels"] = self._labels()
        known: F64 | None = self.derived["labels"]
        return known

    def _labels(self) -> F64 | None:
        targets = self.targets
        if targets is None:
            return None
        if targets.size == len(self.outputs) and bool((targets == np.floor(targets)).all()):
            return targets.reshape(-1)
        rows = targets.reshape(-1, targets.shape[-1]) if targets.ndim else targets
        one_hot = rows.shape == self.outputs.shape and bool(((rows == 0) | (rows == 1)).all())
        if one_hot and bool((rows.sum(axis=1) == 1).all()):
            return np.asarray(rows.argmax(axis=1), dtype=np.float64)
        return None


def scored(view: RecordView) -> Scored | None:
    """What ``view`` recorded of outputs, targets and loss; None without a whole output of a training step.

    Worked out once for all rules that ask.
    """
    if "scored" not in view.derived:
        view.derived["scored"] = _scored(view)
    found: Scored | None = view.derived["scored"]
    return found


def _scored(view: RecordView) -> Scored | None:
    if view.phase != "train":
        return None
    output = view.array("output", "output0")
    if output is None or output.sampled or output.values is None or not output.size:
        return None
    values = output.whole().astype(np.float64)
    rows = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values.reshape(-1, 1)
    family, logits = _loss(view) if _taken(view, output) else ("", None)
    return Scored(family, logits, rows, _target(view), _data_loss(view))


def _taken(view: RecordView, output: Recorded) -> bool:
    """Whether the loss was given the model's output itself, as far as the recording tells.

    Not so in a contrastive loss (similarities of outputs), or where heads lie outside the model.
    """
    fact = view.facts.get("loss")
    shape = fact.get("output_shape") if isinstance(fact, Mapping) else None
    if isinstance(shape, list) and all(isinstance(size, int) for size in shape) and prod(shape) != output.size:
        return False
    graph = fact.get("graph") if isinstance(fact, Mapping) else None
    inputs = [node.get("inputs") for node in graph if isinstance(node, Mapping)] if isinstance(graph, list) else []
    named = [one for given in inputs if isinstance(given, list) for one in given if isinstance(one, str)]
    leaf = any(given == [] for given in inputs)
    return bool(named) or not leaf


def _loss(view: RecordView) -> tuple[str, bool | None]:
    fact = view.facts.get("loss")
    operation = fact.get("operation") if isinstance(fact, Mapping) else None
    if operation in _TORCH:
        return _TORCH[str(operation)]
    if isinstance(fact, Mapping) and any(fact.get("chain", [])[-2:] == ends for ends in _DIFFERENCES):
        return "regression", None
    declared = view.run.loss
    words = " ".join(str(declared.get(key, "")) for key in ("class", "name", "function", "operation")).lower()
    logits = declared.get("from_logits")
    told = logits if isinstance(logits, bool) else None
    if "crossentropy" in words or "cross_entropy" in words:
        return ("binary" if "binary" in words else "categorical"), told
    regression = any(word in words.replace("meansquarederror", "mse") for word in _REGRESSION)
    return ("regression" if regression or "meanabsoluteerror" in words else ""), None


def _target(view: RecordView) -> F64 | None:
    targets = [one for name, one in view.of("target").items() if name in {"target0", "loss.target"}]
    if not targets:
        return _compared(view)
    if len(targets) != 1 or targets[0].sampled or targets[0].values is None or not targets[0].size:
        return None
    return np.asarray(targets[0].whole(), dtype=np.float64)


def _compared(view: RecordView) -> F64 | None:
    """The targets of a loss written by hand, or of torch's L1: the output less the difference that was recorded."""
    fact = view.facts.get("loss")
    chain = fact.get("chain", []) if isinstance(fact, Mapping) else []
    if chain[-2:] not in (["Pow", "Sub"], ["Abs", "Sub"]) or not isinstance(fact, Mapping):
        return None
    nodes = [node for node in fact.get("graph") or () if isinstance(node, Mapping) and node.get("op") == "Sub"]
    sides = nodes[0].get("inputs") if len(nodes) == 1 else None
    off, output = view.array("output", f"{chain[-2]}.input"), view.array("output", "output0")
    known = off is not None and output is not None and off.shape == output.shape and not (off.sampled or output.sampled)
    if sides not in (["output0", None], [None, "output0"]) or not known or off is None or output is None:
        return None
    sign = 1.0 if sides[0] == "output0" else -1.0
    return np.asarray(output.whole().astype(np.float64) - sign * off.whole().astype(np.float64))


def _data_loss(view: RecordView) -> float | None:
    known: dict[str, Any] = view.scalars
    if "loss/data" in known:
        return float(known["loss/data"])
    if "loss" not in known:
        return None
    penalty = known.get("loss/penalty", known.get("regularization_loss", 0.0))
    return float(known["loss"]) - float(penalty)
