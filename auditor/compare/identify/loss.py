"""Which loss was computed: the pointwise function, its reduction and factor, shapes, what it took the output for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.ingest.records import StepRecording

#: Relative error of a loss that float32 arithmetic leaves, by the number of terms nearly not at all.
TOLERANCE: Final = 2e-5
_MOST_STEPS: Final = 20
_MOST_CLASSES: Final = 2048
#: Steps with whole weights that it takes to read a penalty off the loss.
_FEWEST_WHOLE: Final = 3

_ELEMENTWISE: Final[tuple[tuple[str, str, losses.Pointwise], ...]] = (
    ("squared error", "values", losses.squared),
    ("absolute error", "values", losses.absolute),
    ("huber(1)", "values", losses.huber(1.0)),
    ("log cosh", "values", losses.log_cosh),
    ("binary cross entropy", "logits", losses.binary_logits),
    ("binary cross entropy", "probabilities", losses.binary_probabilities(0.0)),
    ("binary cross entropy", "probabilities, clipped at 1e-7", losses.binary_probabilities(1e-7)),
    ("poisson", "rate", losses.poisson_rate),
    ("poisson", "rate", losses.poisson_rate_torch),
    ("poisson", "log rate", losses.poisson_log),
    ("hinge", "values", losses.hinge),
    ("squared hinge", "values", losses.squared_hinge),
    ("squared logarithmic error", "values", losses.squared_logarithmic),
    ("percentage error", "values", losses.percentage),
    ("divergence", "probabilities", losses.divergence),
    ("divergence", "log probabilities", losses.divergence_log),
    *((f"huber({d:g})", "values", losses.huber(d)) for d in (0.1, 0.5, 1.5, 2.0, 5.0, 10.0)),
    *((f"smooth l1({b:g})", "values", losses.smooth_l1(b)) for b in (0.1, 0.5, 2.0, 5.0)),
)
_ROWS: Final[tuple[tuple[str, str, losses.Pointwise], ...]] = (
    ("cross entropy", "logits", losses.logits_rows),
    ("cross entropy", "probabilities", losses.probability_rows(0.0)),
    ("cross entropy", "probabilities, clipped at 1e-7", losses.probability_rows(1e-7)),
    ("cross entropy", "log probabilities", losses.log_probability_rows),
    ("cross entropy", "softmax of probabilities", losses.double_rows),
    ("cross entropy", "softmax of a softmax of logits", losses.double_rows_of_logits),
    ("cosine", "values", losses.cosine),
    ("cosine distance", "values", losses.cosine_distance),
)
#: Which label smoothing is tried; for binary targets it moves towards one half.
_SMOOTHING: Final = (0.0, 0.1, 0.05, 0.2, 0.01, 0.3)
_FACTORS: Final = (1.0, 0.5, 2.0)
#: A loss so many times the first one would outweigh all other steps.
_EXPLODED: Final = 1e4


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
    apart: bool = False
    """Whether the framework told the penalty apart from ``value``."""
    each: F64 | None = None
    """Weights of the samples, where the framework was given some."""


@dataclass(frozen=True, slots=True)
class LossFit:
    """One hypothesis: function, what it took the output for, reduction, factor; ``residual`` relative."""

    function: str
    takes: str
    reduction: str
    factor: float
    broadcast: bool
    smoothing: float
    residual: float
    beyond: dict[int, float] = field(default_factory=dict)
    """By step, what the recorded loss holds beyond this: a penalty in proportion to the kernels' squares."""

    @property
    def explains(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.residual <= TOLERANCE

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What makes it another loss than a rival."""
        return (self.function, self.takes, self.factor, self.broadcast, self.smoothing)


def identify(evidence: Evidence) -> list[LossFit]:
    """Every hypothesis, the best first; of equals the plainest. Empty where nothing was recorded."""
    pairs = [pair for one in evidence.steps[:_MOST_STEPS] if (pair := _pair(one)) is not None]
    same = _before_it_broke([pair for pair in pairs if pair.output.shape[1:] == pairs[0].output.shape[1:]])
    if not same:
        return []
    with np.errstate(all="ignore"):
        found = list(_hypotheses(same))
    found = [fit for fit in found if np.isfinite(fit.residual)]
    # Python's sort is stable: of hypotheses that all explain the numbers, the first listed stays first.
    return sorted(found, key=lambda fit: max(fit.residual, TOLERANCE / 4))


def _before_it_broke(pairs: Sequence[Pair]) -> list[Pair]:
    """The steps up to the one at which loss or output overflows: those after it say nothing of the function."""
    kept: list[Pair] = []
    for pair in pairs:
        known = abs(pair.value) <= _EXPLODED * abs(kept[0].value) if kept and kept[0].value else True
        if not (np.isfinite(pair.value) and np.isfinite(pair.output).all() and known):
            break
        kept.append(pair)
    return kept


def _pair(one: StepRecording) -> Pair | None:
    value = data_loss(one)
    if value is None:
        return None
    output, target = _compared(one)
    if output is None or target is None or not output.size or not output.ndim:
        return None
    batch = data(one, "batch")
    each = data(one, "batch", "sample_weight0")
    count = len(batch) if batch is not None and batch.ndim else len(output)
    apart = any(name in one.scalars for name in ("loss/data", "loss/penalty", "data_loss", "regularization_loss"))
    classes = data(one, "target", "loss.weight")
    return Pair(output, target, value, count, classes, one.step, _squares(one), apart, each)


def _squares(one: StepRecording) -> float:
    """Sum of squares of the kernels: weights with two or more axes."""
    kernels = [array for array in one.of("weight").values() if len(array.shape) > 1]
    if not kernels or any(array.sampled or array.values is None for array in kernels):
        return float("nan")
    return float(sum(np.sum(np.asarray(array.values, np.float64) ** 2) for array in kernels))


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


def _compared(one: StepRecording) -> tuple[F64 | None, F64 | None]:
    """Output and target; where only their difference was seen, that against zero."""
    target = data(one, "target", "loss.target")
    target = data(one, "target") if target is None else target
    names = [name for name in one.of("output") if name.endswith(".input") and not name.startswith(("Pow", "Abs"))]
    model = data(one, "output", "output0")
    if target is not None:
        inner = data(one, "output", names[0]) if names else None
        return (model if inner is None else inner), target
    for name in ("Pow.input", "Abs.input"):
        difference = data(one, "output", name)
        if difference is not None:
            return difference, np.zeros_like(difference)
    return None, None


def _hypotheses(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    for smoothing in _SMOOTHING:
        for aligned, broadcast in _aligned(pairs):
            for row in _ELEMENTWISE:
                if not smoothing or row[0].startswith("binary"):
                    yield from _reduced(aligned, row, broadcast=broadcast, smoothing=smoothing)
        rows = _one_hot(pairs)
        if rows is not None:
            for row in _apt(rows):
                if not smoothing or row[0].startswith("cross"):
                    yield from _reduced(rows, row, broadcast=False, smoothing=smoothing)


def _apt(rows: Sequence[Pair]) -> Iterator[tuple[str, str, losses.Pointwise]]:
    """Losses of rows, each with what it makes of these outputs: logits and probabilities can be told apart."""
    shares = all(_shares(pair.output) for pair in rows)
    for function, takes, loss in _ROWS:
        if function == "cross entropy" and (takes == "logits" and shares):
            continue  # a softmax of what is a softmax: the next hypothesis
        if function == "cross entropy" and takes == "softmax of probabilities" and not shares:
            continue
        mistaken = takes.startswith("probabilities") and not shares
        yield function, f"logits taken for {takes}" if mistaken else takes, loss


def _shares(output: F64) -> bool:
    """Whether rows are probabilities: within 0 and 1, one in sum."""
    return bool((output >= 0).all() and np.allclose(output.sum(axis=-1), 1.0, atol=1e-3))


def _reduced(
    pairs: Sequence[Pair], row: tuple[str, str, losses.Pointwise], *, broadcast: bool, smoothing: float
) -> Iterator[LossFit]:
    """One function under every reduction and factor."""
    function, takes, loss = row
    parts = [loss(pair.output, _smooth(pair.target, function, smoothing)) for pair in pairs]
    if not all(np.isfinite(part).all() for part in parts):
        return
    values = np.array([pair.value for pair in pairs])
    scale = np.sqrt(np.mean(values * values)) or 1.0
    for reduction, reduced in _reductions(parts, pairs).items():
        for factor in _FACTORS:
            beyond = values - factor * reduced
            residual = float(np.sqrt(np.mean(beyond * beyond)) / scale)
            fit = LossFit(function, takes, reduction, factor, broadcast, smoothing, residual)
            yield fit
            if TOLERANCE < residual < 1:
                yield from _with_penalty(fit, beyond, values, pairs)


def _with_penalty(fit: LossFit, beyond: F64, values: F64, pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """The hypothesis that what is left is a penalty on the kernels' squares, told together with the loss."""
    squares = np.array([pair.squares for pair in pairs])
    whole = np.isfinite(squares) & (squares > 0)
    if whole.sum() < _FEWEST_WHOLE or any(pair.apart for pair in pairs):
        return
    left, square, value = beyond[whole], squares[whole], values[whole]
    factor = float(left @ square / (square @ square))
    residual = float(np.sqrt(np.mean((left - factor * square) ** 2) / np.mean(value * value)))
    if factor > 0 and residual < TOLERANCE:
        told = {pair.step: float(rest) for pair, rest, known in zip(pairs, beyond, whole, strict=True) if known}
        # Behind every explanation that needs no penalty.
        yield replace(fit, residual=max(residual, 0.9 * TOLERANCE), beyond=told)


def _reductions(parts: Sequence[F64], pairs: Sequence[Pair]) -> dict[str, F64]:
    found = {
        "mean": [float(part.mean()) for part in parts],
        "sum": [float(part.sum()) for part in parts],
        "sum over outputs, mean over batch": [float(part.sum() / len(part)) for part in parts],
        "mean over outputs, sum over batch": [float(part.sum() * len(part) / part.size) for part in parts],
    }
    weighted = _weighted(parts, pairs)
    return {name: np.array(values) for name, values in (found | weighted).items()}


def _weighted(parts: Sequence[F64], pairs: Sequence[Pair]) -> dict[str, list[float]]:
    """With the class weights that were recorded with the target: both ways to normalise (LOSS-08)."""
    if all(pair.each is not None and len(pair.each) == len(part) for pair, part in zip(pairs, parts, strict=True)):
        return losses.weighted_rows(parts, [np.ravel(pair.each) for pair in pairs if pair.each is not None])
    weights = pairs[0].weights
    if weights is None or parts[0].ndim != 1 or pairs[0].target.shape[-1:] != weights.shape:
        return {}
    each = [(pair.target * weights).sum(axis=-1) for pair in pairs]
    both = list(zip(parts, each, strict=True))
    return {
        "mean by weight": [float((part * w).sum() / w.sum()) for part, w in both],
        "weighted, mean over batch": [float((part * w).mean()) for part, w in both],
    }


def _smooth(target: F64, function: str, smoothing: float) -> F64:
    if not smoothing:
        return target
    classes = 2 if function.startswith("binary") else target.shape[-1]
    return target * (1 - smoothing) + smoothing / classes


def _aligned(pairs: Sequence[Pair]) -> Iterator[tuple[list[Pair], bool]]:
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


def _one_hot(pairs: Sequence[Pair]) -> list[Pair] | None:
    """Rows of classes: output (..., K) and target as one-hot rows; None where the target is no class."""
    first = pairs[0]
    if first.output.ndim < 2 or not 1 < first.output.shape[-1] <= _MOST_CLASSES:
        return None
    if first.output.shape == first.target.shape:
        return list(pairs)
    found = []
    for pair in pairs:
        classes = pair.output.shape[-1]
        labels = pair.target.reshape(-1)
        output = pair.output.reshape(-1, classes)
        valid = (labels >= 0) & (labels < classes)
        if len(labels) != len(output) or not np.array_equal(labels, np.round(labels)) or not valid.any():
            return None
        kept = np.eye(classes)[labels[valid].astype(int)]
        found.append(_with(pair, output[valid], kept))
    return found


def value_of(fit: LossFit, pair: Pair) -> float | None:
    """What a hypothesis makes of one output and target."""
    takes = fit.takes.removeprefix("logits taken for ")
    table = {(function, takes): loss for function, takes, loss in (*_ELEMENTWISE, *_ROWS)}
    rows = (fit.function, takes) in {(function, takes) for function, takes, _ in _ROWS}
    aligned = _one_hot([pair]) if rows else next((a for a, wide in _aligned([pair]) if wide == fit.broadcast), None)
    if not aligned:
        return None
    part = table[fit.function, takes](aligned[0].output, _smooth(aligned[0].target, fit.function, fit.smoothing))
    reduced = _reductions([part], aligned).get(fit.reduction)
    return None if reduced is None else fit.factor * float(reduced[0])


def slope(one: StepRecording, fit: LossFit, step: float) -> F64 | None:
    """The loss's derivative by each output column, the same for all rows, by central differences."""
    pair = _pair(one)
    model = data(one, "output", "output0")
    if pair is None or model is None or pair.output.ndim != 2 or pair.output.shape != model.shape:
        return None
    found = []
    for column in range(pair.output.shape[1]):
        shift = np.zeros(pair.output.shape[1])
        shift[column] = step
        up, down = (value_of(fit, replace(pair, output=pair.output + sign * shift)) for sign in (1, -1))
        if up is None or down is None:
            return None
        found.append((up - down) / (2 * step))
    return np.array(found)


def facts(evidence: Evidence, fits: Sequence[LossFit]) -> list[Fact]:
    """The loss as facts ``loss.*``."""
    if not fits:
        return _told(evidence)
    best = fits[0]
    if not best.explains:
        return _told(evidence)
    rival = min((fit.residual for fit in fits if fit.meaning != best.meaning), default=None)
    equal = [fit for fit in fits if fit.explains]
    known: dict[str, Any] = {
        "function": best.function,
        "takes": best.takes,
        "reduction": best.reduction,
        "factor": best.factor,
        "broadcast": best.broadcast or _seen_broadcast(evidence),
        "label_smoothing": best.smoothing,
    }
    margin = None if rival is None else rival / max(best.residual, 1e-12)
    # Function and factor are told apart by their product alone where a half huber is a squared error.
    return [
        Fact(f"loss.{name}", value, residual=best.residual, margin=margin, others=_others(name, equal))
        for name, value in known.items()
    ]


def _others(name: str, equal: Sequence[LossFit]) -> tuple[str, ...]:
    """Functions or reductions that give the same numbers."""
    if name not in {"reduction", "function"}:
        return ()
    values = [str(getattr(fit, name)) for fit in equal]
    return tuple(sorted(set(values) - {values[0]}))


def _seen_broadcast(evidence: Evidence) -> bool:
    told = evidence.first.facts.get("loss", {}) if evidence.first else {}
    return bool(isinstance(told, dict) and told.get("broadcast"))


def _told(evidence: Evidence) -> list[Fact]:
    """What the graph of the loss says where its numbers were not recorded whole."""
    told = evidence.first.facts.get("loss") if evidence.first else None
    if not isinstance(told, dict):
        return []
    found = []
    if "broadcast" in told:
        found.append(
            Fact("loss.broadcast", bool(told["broadcast"]), confidence=0.95, note="from the shapes in the loss")
        )
    if isinstance(told.get("reduction"), str):
        found.append(Fact("loss.reduction", told["reduction"], confidence=0.8, note="from the operations of the loss"))
    return found
