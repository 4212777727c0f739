"""Hypotheses about a loss: every function of the tables under every reduction, held against the recorded values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64
from auditor.compare.identify.loss_joined import Joined
from auditor.compare.identify.loss_pairs import Pair, aligned, one_hot, reductions

#: Relative error of a loss that float32 arithmetic leaves, by the number of terms nearly not at all.
TOLERANCE: Final = 2e-5
#: Steps with whole weights that it takes to read a penalty off the loss.
_FEWEST_WHOLE: Final = 3
#: Kernels of which some may be penalised and some not; up to how many any choice is tried, and any run of them.
_FEWEST_LAYERS: Final = 2
_MOST_CHOSEN: Final = 6
_MOST_LAYERS: Final = 12

ELEMENTWISE: Final[tuple[tuple[str, str, losses.Pointwise], ...]] = (
    ("squared error", "values", losses.squared),
    ("absolute error", "values", losses.absolute),
    ("huber(1)", "values", losses.huber(1.0)),
    ("log cosh", "values", losses.log_cosh),
    ("binary cross entropy", "logits", losses.binary_logits),
    ("binary cross entropy", "probabilities", losses.binary_probabilities(0.0)),
    ("binary cross entropy", "probabilities, clipped at 1e-7", losses.binary_probabilities(1e-7)),
    ("binary cross entropy", "probabilities, clipped at 1e-7", losses.binary_probabilities(1e-7, single=True)),
    ("binary cross entropy", "log probabilities", losses.binary_log_probabilities),
    ("positives of binary cross entropy", "logits", losses.positives(losses.log_sigmoid)),
    ("positives of binary cross entropy", "probabilities", losses.positives(np.log)),
    ("positives of binary cross entropy", "log probabilities", losses.positives(lambda o: o)),
    ("focal(2) binary cross entropy", "logits", losses.focal(losses.binary_logits)),
    ("focal(2) binary cross entropy", "probabilities", losses.focal(losses.binary_probabilities(1e-7))),
    ("poisson", "rate", losses.poisson_rate),
    ("poisson", "rate", losses.poisson_rate_torch),
    ("poisson", "log rate", losses.poisson_log),
    ("hinge", "values", losses.hinge),
    ("squared hinge", "values", losses.squared_hinge),
    ("hinge", "labels of 0 and 1", losses.hinge_as_given),
    ("squared hinge", "labels of 0 and 1", losses.squared_hinge_as_given),
    ("squared logarithmic error", "values", losses.squared_logarithmic),
    ("percentage error", "values", losses.percentage),
    ("divergence", "probabilities", losses.divergence),
    ("divergence", "log probabilities", losses.divergence_log),
    ("divergence", "logits", losses.divergence_logits),
    *((f"huber({d:g})", "values", losses.huber(d)) for d in (0.1, 0.5, 1.5, 2.0, 5.0, 10.0)),
    *((f"smooth l1({b:g})", "values", losses.smooth_l1(b)) for b in (0.1, 0.5, 2.0, 5.0)),
)
ROWS: Final[tuple[tuple[str, str, losses.Pointwise], ...]] = (
    ("cross entropy", "logits", losses.logits_rows),
    ("cross entropy", "probabilities", losses.probability_rows(0.0)),
    ("cross entropy", "probabilities, clipped at 1e-7", losses.probability_rows(1e-7)),
    ("cross entropy", "probabilities, clipped before they are shared out", losses.clipped_shares_rows),
    ("cross entropy", "log probabilities", losses.log_probability_rows),
    ("cross entropy", "probabilities of logits taken for log probabilities", losses.share_rows),
    ("cross entropy", "softmax of probabilities", losses.double_rows),
    ("cross entropy", "softmax of a softmax of logits", losses.double_rows_of_logits),
    ("cosine", "values", losses.cosine),
    ("cosine distance", "values", losses.cosine_distance),
    ("cosine of the other sign", "values", losses.cosine_similarity),
    ("cosine added to one", "values", losses.cosine_added),
)
#: Losses of which the root is taken, and what their name then begins with.
_ROOTED: Final = frozenset({"squared error", "squared logarithmic error"})
ROOT: Final = "root of the "
#: Which label smoothing is tried; for binary targets it moves towards one half.
_SMOOTHING: Final = (0.0, 0.1, 0.05, 0.2, 0.01, 0.3)
_FACTORS: Final = (1.0, 0.5, 2.0)


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
    positive: float = 1.0
    """Of binary cross entropy: what the loss of positive targets is multiplied by."""
    classes: tuple[float, ...] = ()
    """What the loss of each class counts for, where that was solved for."""
    beyond: dict[int, float] = field(default_factory=dict)
    """By step, what the recorded loss holds beyond this: a penalty in proportion to the weights' squares."""

    @property
    def explains(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.residual <= TOLERANCE

    @property
    def meaning(self) -> tuple[Any, ...]:
        """What makes it another loss than a rival."""
        return (self.function, self.takes, self.factor, self.broadcast, self.smoothing, self.positive)


def tabled(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """Losses as the tables have them."""
    squares, rows = _squares(pairs), one_hot(pairs)
    elements = [(Joined(met), broadcast) for met, broadcast in aligned(pairs)]
    joined, shown = Joined(rows or ()), list(apt(rows)) if rows is not None else []
    for smoothing in _SMOOTHING:
        for met, broadcast in elements:
            for row in ELEMENTWISE:
                if not smoothing or row[0].startswith("binary"):
                    yield from _reduced(met, row, squares, broadcast=broadcast, smoothing=smoothing)
        for row in shown:
            if not smoothing or row[0].startswith("cross"):
                yield from _reduced(joined, row, squares, broadcast=False, smoothing=smoothing)


def rooted(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """The root of a mean over the batch: RMSE, RMSLE. No sum of what the elements give, so not in the tables."""
    values = np.array([pair.value for pair in pairs])
    scale = np.sqrt(np.mean(values * values)) or 1.0
    for met, broadcast in aligned(pairs):
        for function, takes, loss in ELEMENTWISE:
            if function in _ROOTED:
                roots = np.sqrt([float(loss(pair.output, pair.target).mean()) for pair in met])
                residual = float(np.sqrt(np.mean((values - roots) ** 2)) / scale)
                yield LossFit(ROOT + function, takes, "mean", 1.0, broadcast, 0.0, residual)


def apt(rows: Sequence[Pair]) -> Iterator[tuple[str, str, losses.Pointwise]]:
    """Losses of rows, each with what it makes of these outputs: logits and probabilities can be told apart."""
    shares = all(_shares(pair.output) for pair in rows)
    for function, takes, loss in ROWS:
        if function == "cross entropy" and (takes == "logits" and shares):
            continue  # a softmax of what is a softmax: the next hypothesis
        if function == "cross entropy" and takes == "softmax of probabilities" and not shares:
            continue
        yield function, _mistaken(takes, rows, shares=shares) + takes, loss


def _mistaken(takes: str, rows: Sequence[Pair], *, shares: bool) -> str:
    """``logits taken for `` what the loss expects, where the outputs are none of that; empty where they may be."""
    if takes.startswith("log "):
        if all(_shares(np.exp(np.minimum(pair.output, 1.0))) for pair in rows):
            return ""
        return "probabilities taken for " if shares else "logits taken for "
    expects = takes.startswith("probabilities") and "taken for" not in takes
    return "logits taken for " if expects and not shares else ""


def _shares(output: F64) -> bool:
    """Whether rows are probabilities: within 0 and 1, one in sum."""
    return bool((output >= 0).all() and np.allclose(output.sum(axis=-1), 1.0, atol=1e-3))


def _reduced(
    steps: Joined, row: tuple[str, str, losses.Pointwise], squares: F64, *, broadcast: bool, smoothing: float
) -> Iterator[LossFit]:
    """One function under every reduction and factor; ``squares``: what penalties may be of."""
    function, takes, loss = row
    parts = steps.parts(function, loss, smoothing)
    if parts is None:
        return
    values = steps.values
    scale = np.sqrt(np.mean(values * values)) or 1.0
    reduced = reductions(parts, steps.pairs)
    # (reductions, factors, steps): one by one these few numbers cost twenty times as much.
    beyond = values - np.array(_FACTORS)[:, None] * np.stack(list(reduced.values()))[:, None, :]
    residuals = np.sqrt(np.mean(beyond * beyond, axis=-1)) / scale
    penalised = (residuals > TOLERANCE) & (residuals < 1) & _hopeful(beyond, values, squares)
    for at, reduction in enumerate(reduced):
        found = zip(_FACTORS, beyond[at], residuals[at].tolist(), penalised[at].tolist(), strict=True)
        for factor, left, residual, more in found:
            fit = LossFit(function, takes, reduction, factor, broadcast, smoothing, residual)
            yield fit
            if more:
                yield from _with_penalty(fit, left, values, steps.pairs)


def _squares(pairs: Sequence[Pair]) -> F64:
    """Every sum of squares that a penalty may be of: (steps, choices); none where it was told apart from the loss."""
    if any(pair.apart for pair in pairs):
        return np.zeros((len(pairs), 0))
    some, columns = _of_some(pairs), [[pair.squares for pair in pairs], [pair.every for pair in pairs]]
    return np.column_stack([*columns, *([] if some is None else [some])])


def _hopeful(beyond: F64, values: F64, squares: F64) -> npt.NDArray[np.bool_]:
    """Whether some multiple of some squares may be what is left, of all hypotheses (..., steps) at once.

    A look at twice the tolerance, before those that pass are tried one by one.
    """
    known = np.isfinite(squares) & (squares > 0)
    square = np.where(known, squares, 0.0)
    factors = beyond @ square / (square * square).sum(axis=0)
    off = np.where(known, beyond[..., None] - factors[..., None, :] * square, 0.0)
    far = (off * off).sum(axis=-2) > (2 * TOLERANCE) ** 2 * (values * values @ known)
    found: npt.NDArray[np.bool_] = ((known.sum(axis=0) >= _FEWEST_WHOLE) & ~far).any(axis=-1)
    return found


def _with_penalty(fit: LossFit, beyond: F64, values: F64, pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """The hypothesis that what is left is a penalty on squares: of kernels, of all weights, of some layers' kernels."""
    for squares in ([pair.squares for pair in pairs], [pair.every for pair in pairs]):
        yield from _with_squares(fit, beyond, values, pairs, np.array(squares))
    some = _of_some(pairs)
    if some is not None:
        yield from _with_squares(fit, beyond, values, pairs, some[:, _nearest(beyond, some)])


def _of_some(pairs: Sequence[Pair]) -> F64 | None:
    """Sums of squares of some of the kernels: (steps, choices)."""
    count = len(pairs[0].kernels)
    if count < _FEWEST_LAYERS or len({len(pair.kernels) for pair in pairs} - {0}) != 1:
        return None
    each = np.array([pair.kernels or (np.nan,) * count for pair in pairs])
    found: F64 = np.stack([each[:, chosen].sum(axis=1) for chosen in choices(count)], axis=1)
    return found


def choices(count: int) -> list[list[int]]:
    """Which of so many tensors, but not all, a penalty may be of: any; of many, such as stand side by side."""
    if count <= _MOST_CHOSEN:
        sizes = (itertools.combinations(range(count), size) for size in range(1, count))
        return [list(chosen) for chosen in itertools.chain.from_iterable(sizes)]
    ends = [(i, j) for i in range(count) for j in range(i + 1, count + 1) if j - i < count]
    return [list(range(i, j)) for i, j in ends if count <= _MOST_LAYERS or i == 0 or j == count]


def _nearest(beyond: F64, squares: F64) -> int:
    """The choice of which a multiple comes nearest to what is left."""
    whole = np.isfinite(squares).all(axis=1)
    left, known = beyond[whole], squares[whole]
    if not len(left):
        return 0
    factors = left @ known / np.maximum((known * known).sum(axis=0), 1e-300)
    return int(np.argmin(np.sum((left[:, None] - factors * known) ** 2, axis=0)))


def _with_squares(fit: LossFit, beyond: F64, values: F64, pairs: Sequence[Pair], squares: F64) -> Iterator[LossFit]:
    whole = np.isfinite(squares) & (squares > 0)
    if whole.sum() < _FEWEST_WHOLE:
        return
    left, square, value = beyond[whole], squares[whole], values[whole]
    factor = float(left @ square / (square @ square))
    residual = float(np.sqrt(np.mean((left - factor * square) ** 2) / np.mean(value * value)))
    if factor > 0 and residual < TOLERANCE:
        told = {pair.step: float(rest) for pair, rest, known in zip(pairs, beyond, whole, strict=True) if known}
        # Behind every explanation that needs no penalty.
        yield replace(fit, residual=max(residual, 0.9 * TOLERANCE), beyond=told)
