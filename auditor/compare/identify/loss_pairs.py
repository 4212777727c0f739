"""Output and target of each step as they met in the loss, and what reductions make of pointwise losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import losses
from auditor.compare.identify.differences import at, in_parts, nodes_of, taken, target_of
from auditor.compare.identify.evidence import F64, Evidence, data, row_weights
from auditor.ingest.records import StepRecording

_MOST_STEPS: Final = 20
_MOST_CLASSES: Final = 2048
#: A loss so many times the first one would outweigh all other steps.
_EXPLODED: Final = 1e4
#: The class that stands for padding, unless the loss names another.
_PADDING: Final = 0
#: Of classes of places, in PyTorch: they lie along the second axis.
_OF_PLACES: Final = "NllLoss2D"
_ROWS: Final = 2
#: What saves the logarithms of a softmax, not what it was of.
_DERIVED: Final = ("NllLoss", "LogSoftmax")


@dataclass(frozen=True, slots=True)
class Pair:
    """Output and target of one step as they met in the loss, and the loss of the data."""

    output: F64
    target: F64
    value: float
    batch: int
    weights: F64 | None = None
    step: int = 0
    squares: float = np.nan
    """Sum of squares of the weights with two or more axes; NaN where they were not recorded whole."""
    every: float = np.nan
    """The same of all weights, biases too."""
    kernels: tuple[float, ...] = ()
    """The same of each weight with two or more axes, in the model's order; empty where not all are whole."""
    apart: bool = False
    """Whether the framework told the penalty apart from ``value``."""
    derived: bool = False
    """Whether ``output`` is what the loss made of the model's output first: logarithms of a softmax."""
    each: F64 | None = None
    """Weights of the samples, or of each element, where the framework was given some or the program multiplied them."""
    counts: npt.NDArray[np.bool_] | None = None
    """Which rows of classes are none of padding: of a class that is left out, by custom the first."""
    ignored: int = _PADDING
    read: npt.NDArray[np.bool_] | None = None
    """Which positions of the inputs are none of padding, row by row; None where these are no padded sequences."""
    gone: int = 0
    """How many rows are of no class, -1 for padding, and are not among ``output`` and ``target``."""


def pairs_of(evidence: Evidence, *, derived: bool = False) -> list[Pair]:
    """The pairs of the first steps that are of one kind, up to the one at which the loss broke.

    ``derived``: with those of which only what the loss made of the output is known.
    """
    pairs = [pair for one in evidence.steps[:_MOST_STEPS] if (pair := pair_of(one)) is not None]
    if not derived and any(not pair.derived for pair in pairs):
        pairs = [pair for pair in pairs if not pair.derived]
    alike = [pair for pair in pairs if pair.output.shape[1:] == pairs[0].output.shape[1:]]
    return _of_one_size(_before_it_broke(alike))


def _of_one_size(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, with the squares of weights where the batch is as large as most are.

    A penalty may be divided by the samples of each batch, as scikit-learn's is: one multiple of the squares then
    explains what is left of batches of one size alone.
    """
    most = Counter(pair.batch for pair in pairs).most_common(1)
    return [
        pair if pair.batch == most[0][0] else replace(pair, squares=np.nan, every=np.nan, kernels=()) for pair in pairs
    ]


def _before_it_broke(pairs: Sequence[Pair]) -> list[Pair]:
    """The steps up to the one at which loss or output overflows: those after it say nothing of the function."""
    kept: list[Pair] = []
    for pair in pairs:
        known = abs(pair.value) <= _EXPLODED * abs(kept[0].value) if kept and kept[0].value else True
        if not (np.isfinite(pair.value) and np.isfinite(pair.output).all() and known):
            break
        kept.append(pair)
    return kept


def pair_of(one: StepRecording) -> Pair | None:
    """Output and target of a step; None where they, or the loss, were not recorded."""
    value = data_loss(one)
    if value is None:
        return None
    output, target, derived = _compared(one)
    if output is None or target is None or not output.size or not output.ndim:
        return None
    batch = data(one, "batch")
    each = row_weights(one)
    count = len(batch) if batch is not None and batch.ndim else len(output)
    apart = any(name in one.scalars for name in ("loss/data", "loss/penalty", "data_loss", "regularization_loss"))
    classes = data(one, "target", "loss.weight")
    kernels, every = _squares(one, 2), _squares(one, 0)
    pair = Pair(output, target, value, count, classes, one.step, apart=apart, derived=derived, each=each,
                squares=_whole(kernels), every=_whole(every), kernels=kernels)  # fmt: skip
    return replace(pair, ignored=_ignored(one), read=_read(batch))


def _ignored(one: StepRecording) -> int:
    """The class that the loss leaves out, as its graph says."""
    told = one.facts.get("loss")
    graph = told.get("graph") if isinstance(told, Mapping) else None
    named = [node["ignore_index"] for node in graph or [] if isinstance(node, Mapping) and "ignore_index" in node]
    return int(named[0]) if named and int(named[0]) >= 0 else _PADDING


def _squares(one: StepRecording, axes: int) -> tuple[float, ...]:
    """Sums of squares of the weights with so many axes or more (two are what kernels have); empty if not whole."""
    chosen = [array for array in one.of("weight").values() if len(array.shape) >= axes]
    if any(array.sampled or array.values is None for array in chosen):
        return ()
    return tuple(float(np.sum(np.asarray(array.values, np.float64) ** 2)) for array in chosen)


def _whole(squares: Sequence[float]) -> float:
    return float(sum(squares)) if squares else float("nan")


def data_loss(one: StepRecording) -> float | None:
    """The loss without its penalty, where the two are told apart."""
    scalars = one.scalars
    for name in ("loss/data", "data_loss"):
        if name in scalars:
            return float(scalars[name])
    if "loss" not in scalars:
        return None
    penalty = scalars.get("loss/penalty", scalars.get("regularization_loss", 0.0))
    return float(scalars["loss"]) - float(penalty)


def target_told(one: StepRecording) -> F64 | None:
    """The target of the loss where it was recorded as such, else the first."""
    found = data(one, "target", "loss.target")
    return data(one, "target") if found is None else found


def _compared(one: StepRecording) -> tuple[F64 | None, F64 | None, bool]:
    """Output and target; where only their difference was seen, that against zero."""
    target = target_told(one)
    names = [name for name in one.of("output") if name.endswith(".input") and not name.startswith(("Pow", "Abs"))]
    model = data(one, "output", "output0")
    if target is not None:
        inner = data(one, "output", names[0]) if names else None
        if inner is not None and names[0].startswith(_OF_PLACES) and inner.ndim > _ROWS:
            logits = model is not None and model.size == inner.size and model.shape[:2] == inner.shape[:2]
            rows = model.reshape(inner.shape) if model is not None and logits else inner
            return np.moveaxis(rows, 1, -1), target, not logits
        if inner is not None and names[0].startswith(_DERIVED):
            if model is not None and model.shape == inner.shape:
                return model, target, False
            return inner, target, True
        return (model if inner is None else inner), target, False
    return _taken(one, model)


def _taken(one: StepRecording, model: F64 | None) -> tuple[F64 | None, F64 | None, bool]:
    """Output and target of a loss that takes a difference: that against zero, where it is a plain one."""
    seen = [(op, found) for op in ("Pow", "Abs") if (found := data(one, "output", f"{op}.input")) is not None]
    if not seen:
        return None, None, False
    if ("factor", "divisor0") in one.arrays or _worked_out(one):
        target = target_of(one)
        return (model, target, False) if target is not None else (None, None, False)
    op, difference = next(((op, found) for op, found in seen if _difference(one, op)), seen[0])
    # What is not learnt is the target: of ``target - output`` the slope by the output has the other sign.
    turned = next(iter(_difference(one, op).get("inputs") or ()), "") is None
    return (-difference if turned else difference), np.zeros_like(difference), False


def _worked_out(one: StepRecording) -> bool:
    """Whether what is made positive is no plain difference: in parts of something, row by row, or of logarithms."""
    nodes = nodes_of(one)
    given = [taken(nodes, op) for op in ("Pow", "Abs")]
    if any(in_parts(nodes, place) is not None for place in given):
        return True
    differences = [at(nodes, place) for place in given if at(nodes, place).get("op") == "Sub"]
    learnt = [place for node in differences for place in node.get("inputs") or ()]
    return any(at(nodes, place).get("op") in {"Log", "Log1P"} for place in learnt)


def _difference(one: StepRecording, op: str) -> Mapping[str, Any]:
    """The difference that the first operation of a name takes in the loss's graph: not what was cut off of one."""
    nodes = nodes_of(one)
    given = taken(nodes, op)
    if isinstance(given, int) and given < len(nodes) and nodes[given].get("op") in {"Sub", "Rsub"}:
        return nodes[given]
    return {}


def reductions(parts: Sequence[F64], pairs: Sequence[Pair]) -> dict[str, F64]:
    """By name, what each reduction makes of pointwise losses, one number per step."""
    told = [(part.sum(), part.size, len(part)) for part in parts]
    sums, sizes, rows = np.array(told, np.float64).T.copy()
    found = {
        "mean": sums / sizes,
        "sum": sums,
        "sum over outputs, mean over batch": sums / rows,
        "mean over outputs, sum over batch": sums * rows / sizes,
    }
    others = _padded(parts, pairs) | _weighted(parts, pairs)
    return found | {name: np.array(values) for name, values in others.items()}


def _padded(parts: Sequence[F64], pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """Rows of padding left out, divided by those that count or by all (LOSS-09)."""
    if any(pair.gone for pair in pairs) and all(part.ndim == 1 for part in parts):
        return {
            "mean without padding": [float(part.mean()) for part in parts],
            "padding as zeros, mean": [
                float(part.sum()) / (part.size + pair.gone) for part, pair in zip(parts, pairs, strict=True)
            ],
        }
    if any(pair.counts is None or part.shape != pair.counts.shape for part, pair in zip(parts, pairs, strict=True)):
        return {}
    both = [(part, pair.counts) for part, pair in zip(parts, pairs, strict=True) if pair.counts is not None]
    if all(counts.all() for _, counts in both):
        return {}
    return {
        "mean without padding": [float(part[counts].mean()) if counts.any() else 0.0 for part, counts in both],
        "padding as zeros, mean": [float((part * counts).mean()) for part, counts in both],
        "sum without padding": [float((part * counts).sum()) for part, counts in both],
    }


def _weighted(parts: Sequence[F64], pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """With the class weights that were recorded with the target: both ways to normalise (LOSS-08)."""
    each = [
        np.ravel(pair.each)
        for pair, part in zip(pairs, parts, strict=True)
        if pair.each is not None and pair.each.size in {part.size, len(part)}
    ]
    if len(each) == len(pairs):
        return losses.weighted_rows(parts, each)
    weights = pairs[0].weights
    if weights is None or parts[0].ndim != 1 or pairs[0].target.shape[-1:] != weights.shape:
        return {}
    by_class = [(pair.target * weights).sum(axis=-1) for pair in pairs]
    both = list(zip(parts, by_class, strict=True))
    return {
        "mean by weight": [float((part * w).sum() / w.sum()) for part, w in both],
        "weighted, mean over batch": [float((part * w).mean()) for part, w in both],
    }


def smooth(target: F64, function: str, smoothing: float) -> F64:
    """Targets moved towards the uniform."""
    if not smoothing:
        return target
    classes = 2 if function.startswith("binary") else target.shape[-1]
    return target * (1 - smoothing) + smoothing / classes


def aligned(pairs: Sequence[Pair]) -> Iterator[tuple[list[Pair], bool]]:
    """Elementwise pairs: target in the output's shape, and as it broadcasts where the shapes differ."""
    first = pairs[0]
    if first.output.size == first.target.size:
        yield [_with(pair, pair.output, pair.target.reshape(pair.output.shape)) for pair in pairs], False
    if first.output.shape != first.target.shape:
        try:
            wide = [np.broadcast_arrays(pair.output, pair.target) for pair in pairs]
        except ValueError:
            return
        if wide[0][0].size > first.output.size and wide[0][0].size <= 1 << 22:
            yield [_with(p, np.array(o), np.array(y)) for p, (o, y) in zip(pairs, wide, strict=True)], True


def _with(pair: Pair, output: F64, target: F64) -> Pair:
    return replace(pair, output=output, target=target)


def _counting(output: F64, labels: F64, pair: Pair) -> npt.NDArray[np.bool_]:
    """Which rows are none of padding.

    Keras puts zeros for its logits; else it is where the inputs are padded, or of a class that is left out.
    """
    blank: npt.NDArray[np.bool_] = (output == 0).all(axis=-1)
    if blank.any() and not blank.all():
        return ~blank
    if pair.read is not None and pair.read.size == labels.size and pair.ignored == _PADDING:
        return pair.read
    counts: npt.NDArray[np.bool_] = labels != pair.ignored
    return counts


def _read(batch: F64 | None) -> npt.NDArray[np.bool_] | None:
    """Which positions of sequences of numbers are none of padding, of zeros at one end of a row."""
    if batch is None or batch.ndim != _ROWS or batch.min(initial=0) < 0 or not (batch == np.round(batch)).all():
        return None
    read = batch != 0
    steps = np.diff(read.astype(int), axis=1)
    ended = bool((steps <= 0).all() or (steps >= 0).all())
    return read.ravel() if ended and not read.all() and read.any() else None


def one_hot(pairs: Sequence[Pair]) -> list[Pair] | None:
    """Rows of classes: output (..., K) and target as one-hot rows; None where the target is no class."""
    first = pairs[0]
    if first.output.ndim < 2 or not 1 < first.output.shape[-1] <= _MOST_CLASSES:
        return None
    if first.output.shape == first.target.shape:
        return list(pairs)
    found = []
    several = any(pair.target.ndim > 1 or pair.target.size > pair.batch for pair in pairs)  # classes of places
    for pair in pairs:
        classes = pair.output.shape[-1]
        labels = pair.target.reshape(-1)
        output = pair.output.reshape(-1, classes)
        valid = (labels >= 0) & (labels < classes)
        if len(labels) != len(output) or not np.array_equal(labels, np.round(labels)) or not valid.any():
            return None
        kept = np.eye(classes)[labels[valid].astype(int)]
        counts = _counting(output, labels, pair)[valid] if several else None
        each = np.ravel(pair.each)[valid] if pair.each is not None and pair.each.size == len(labels) else pair.each
        found.append(replace(_with(pair, output[valid], kept), counts=counts, each=each, gone=int(np.sum(~valid))))
    return found
