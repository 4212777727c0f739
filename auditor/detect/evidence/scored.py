"""What the loss was given: outputs and targets of a recorded step, and what the loss takes them for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.formulas import ERRORS, TINY, binary_entropy, categorical_entropy
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
#: Keras' words for a loss that is the mean of its elements.
_MEANS: Final = frozenset({"mean", "sum_over_batch_size"})
#: Names of a step's first target.
_FIRST: Final = frozenset({"target0", "loss.target"})
#: Relative difference up to which a formula's value is the recorded loss (float32 sums), and rows that it takes.
_EXACT: Final = 1e-4
_ROWS: Final = 4
#: Chains of a hand-written squared or absolute error, from the reduction down to the difference.
_DIFFERENCES: Final = (["Pow", "Sub"], ["Abs", "Sub"], ["Square", "Sub"], ["Mul", "Sub"])

#: What may stand between log-probabilities that were picked and a loss that is their mean.
_REDUCING: Final = frozenset({"Mean", "Sum", "Squeeze", "View", "Reshape", "Div"})


@dataclass(frozen=True, slots=True)
class Scored:
    """A recorded step's outputs against its targets.

    ``family``: ``categorical`` (one class of C), ``binary`` (each element 0 or 1), ``regression``, or
    "" where the loss is none of these. ``logits``: whether the loss takes the outputs for logits
    (True) or probabilities (False); None where that is no question. ``outputs`` (N, C): the model's
    outputs, rows along the last axis. ``targets``: in their own shape, None if not recorded whole.
    ``weights`` (N,): how much each row counts in the loss; None: all alike.
    ``loss``: its value without the penalty, None if unknown. ``mean``: it is declared to be the mean over all
    elements, in Keras' words. ``derived``: what several rules work out of
    it, by name, so that the first does it for all.
    """

    family: str
    logits: bool | None
    outputs: F64
    targets: F64 | None
    loss: float | None
    weights: F64 | None = None
    mean: bool = False
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
    other, weights = _anothers(view), _weights(view, len(rows))
    seen = Scored("", None, rows, None if other else _target(view), _data_loss(view), weights)
    if other or not _taken(view, output):
        return seen
    family, logits = _loss(view)
    if not family:
        family, logits = inferred(seen)
    return Scored(family, logits, rows, seen.targets, seen.loss, seen.weights, _mean(view))


def _mean(view: RecordView) -> bool:
    fact = view.facts.get("loss")
    told = (fact.get("reduction") if isinstance(fact, Mapping) else None) or view.run.loss.get("reduction")
    if view.run.framework == "sklearn":  # of several labels at a time it adds up the outputs
        return told in _MEANS and (_width(fact) == 1 or "categorical" in str(view.run.loss.get("class")))
    return view.run.framework in {"keras", "tensorflow"} and told in _MEANS


def _width(fact: Any) -> Any:
    shape = fact.get("output_shape") if isinstance(fact, Mapping) else None
    return shape[-1] if isinstance(shape, list) and shape else None


def _weights(view: RecordView, rows: int) -> F64 | None:
    """What ``sample_weight`` and ``class_weight`` say of each row; by their mean where the loss divides by it."""
    given = view.array("batch", "sample_weight0")
    if given is None or given.sampled or given.values is None or given.size != rows:
        return None
    weights = np.asarray(given.whole(), dtype=np.float64).reshape(-1)
    mean = float(weights.mean())
    if not np.isfinite(weights).all() or mean <= 0:
        return None
    divided = view.run.framework == "sklearn" or view.run.loss.get("reduction") == "mean_with_sample_weight"
    return weights / mean if divided else weights


def _anothers(view: RecordView) -> bool:
    """Whether the first target is told to be that of another output than the first."""
    told = view.facts.get("heads")
    parts = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    return any(one.get("target") in _FIRST and one.get("output") != "output0" for one in parts)


def _taken(view: RecordView, output: Recorded) -> bool:
    """Whether the loss was given the model's output itself, as far as the recording tells.

    Not so in a contrastive loss (similarities of outputs), or where heads lie outside the model.
    """
    fact = view.facts.get("loss")
    if isinstance(fact, Mapping) and fact.get("derived") is True:
        return False
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
    own = fact.get("declared") if isinstance(fact, Mapping) else None  # of one output among several
    family, logits = _named(own if isinstance(own, Mapping) else view.run.loss)
    # A train step of one's own declares none: there its operations say what it is.
    return (
        _named(fact) if not family and not isinstance(own, Mapping) and isinstance(fact, Mapping) else (family, logits)
    )


def _named(declared: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Family, and whether logits are taken, by the words of a declaration."""
    words = " ".join(str(declared.get(key, "")) for key in ("class", "name", "function", "operation")).lower()
    logits = declared.get("from_logits")
    told = logits if isinstance(logits, bool) else None
    if "crossentropy" in words or "cross_entropy" in words:
        return ("binary" if "binary" in words else "categorical"), told
    regression = any(word in words.replace("meansquarederror", "mse") for word in _REGRESSION)
    return ("regression" if regression or "meanabsoluteerror" in words else ""), None


def _target(view: RecordView) -> F64 | None:
    targets = [one for name, one in view.of("target").items() if name in _FIRST]
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
    penalty = float(known.get("loss/penalty", known.get("regularization_loss", 0.0)))
    # Not told apart by a program that computes its loss itself: where a formula gives it, that is the whole.
    return float(known["loss"]) - (0.0 if math.isnan(penalty) else penalty)


def inferred(seen: Scored) -> tuple[str, bool | None]:
    """Family and kind of a loss that nobody named: those whose formula gives just the recorded loss.

    So a loss written out by hand, or called as a function, is known like any other, also where its targets are none
    that it has a meaning for. Errors count as their mean, half of it, or the mean of their sums over a row; cross
    entropies of two classes likewise, but for the half.
    """
    loss, targets, rows = seen.loss, seen.targets, seen.outputs
    if loss is None or targets is None or len(rows) < _ROWS or not np.isfinite(rows).all() or not abs(loss) > TINY:
        return "", None

    def same(value: float) -> bool:
        return abs(value - loss) <= _EXACT * abs(loss)

    probable = bool(rows.min() >= 0 and rows.max() <= 1)
    labels = seen.labels() if seen.classes > 1 else None
    if labels is not None and len(labels) == len(rows) and labels.min() >= 0 and labels.max() < seen.classes:
        for logits in (True, False, None):
            if (logits is not False or probable) and same(categorical_entropy(logits, rows, labels)):
                return "categorical", logits
    if targets.size != rows.size:
        return "", None
    flat, wanted = rows.ravel(), targets.ravel()
    for logits in (True, False) if probable else (True,):
        entropy = binary_entropy(logits, flat, wanted)
        if same(entropy) or same(seen.classes * entropy):
            return "binary", logits
    errors = (float(measure(flat - wanted).mean()) for measure in ERRORS.values())
    found = any(same(scale * error) for error in errors for scale in (1.0, 0.5, float(seen.classes)))
    return ("regression" if found else ""), None


def reversed_sign(seen: Scored) -> bool:
    """Whether the loss is the negative of a cross entropy or an error of the outputs: what it rewards is being wrong.

    Targets that are all the same prove nothing: so a generator may be rewarded for a discriminator's mistakes.
    """
    loss, targets = seen.loss, seen.targets
    if loss is None or not loss < -TINY or targets is None or not targets.size or np.ptp(targets) == 0:
        return False
    positive = Scored("", None, seen.outputs, targets, -loss)
    return bool(inferred(positive)[0]) and not inferred(Scored("", None, seen.outputs, targets, loss))[0]


def rewards_unlikely(view: RecordView) -> bool:
    """Whether a loss written by hand is a mean of log-probabilities, without the minus (PyTorch's graph).

    Such a mean is never positive, and has no lower bound. Nothing but that may be in it: a likelihood times an
    advantage is a policy's.
    """
    fact = view.facts.get("loss")
    chain = fact.get("chain") if isinstance(fact, Mapping) else None
    graph = fact.get("graph") if isinstance(fact, Mapping) else None
    told = [str(one.get("op")) for one in graph if isinstance(one, Mapping)] if isinstance(graph, list) else []
    picked = isinstance(chain, list) and chain[-2:] == ["Gather", "LogSoftmax"] and "Gather" in told
    only = picked and set(told[: told.index("Gather")]) <= _REDUCING
    return only and float(view.scalars.get("loss", 0.0)) < -TINY


def output_gradient(seen: Scored, activation: str) -> F64 | None:
    """What a bias right before the last activation gets from this batch alone, (C,), as a mean over the rows.

    None where it is not known: for a loss, or an activation, that does not go with the other. Rows count alike.
    """
    rows, targets, n = seen.outputs, seen.targets, len(seen.outputs)
    if seen.family == "categorical" and (labels := seen.labels()) is not None and len(labels) == n:
        if labels.min() < 0 or labels.max() >= seen.classes or (seen.logits is not True and activation != "softmax"):
            return None
        powers = np.exp(rows - rows.max(axis=1, keepdims=True)) if seen.logits else rows
        powers = powers / np.maximum(powers.sum(axis=1, keepdims=True), TINY)
        powers[np.arange(n), labels.astype(np.int64)] -= 1
        out: F64 = powers.mean(axis=0)
        return out
    if targets is None or targets.size != rows.size:
        return None
    wanted = targets.reshape(rows.shape)
    if seen.family == "binary" and (seen.logits is True or activation == "sigmoid"):
        given = 1 / (1 + np.exp(-rows)) if seen.logits else rows
        return np.asarray((given - wanted).mean(axis=0) / seen.classes)
    if seen.family == "regression" and activation in {"", "linear"}:
        off = rows - wanted
        for name, slope in (("squared", 2 * off), ("absolute", np.sign(off))):
            value = float(ERRORS[name](off).mean())
            scale = seen.loss / value if seen.loss is not None and value > TINY else math.nan
            if any(abs(scale / one - 1) < _EXACT for one in (1.0, 0.5, float(seen.classes))):
                return np.asarray(scale * slope.mean(axis=0) / seen.classes)
    return None
