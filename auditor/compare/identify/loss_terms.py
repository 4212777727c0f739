"""The two terms of a variational autoencoder's loss: what reconstruction and divergence count for, solved for.

Divergence of a normal with mean m and log variance v from the standard one: (m² + exp(v) - 1 - v) / 2 per element
(Kingma and Welling, Auto-Encoding Variational Bayes, appendix B).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_fits import TOLERANCE
from auditor.compare.identify.loss_pairs import data_loss
from auditor.ingest.records import StepRecording

_FUNCTIONS: Final[tuple[tuple[str, losses.Pointwise], ...]] = (
    ("squared error", losses.squared),
    ("absolute error", losses.absolute),
    ("binary cross entropy", losses.binary_logits),
    ("binary cross entropy", losses.binary_probabilities(losses.KERAS_EPSILON)),
)
#: What a second output is of a deviation: so many times it are the logarithm of the variance.
_LOGARITHMS: Final = (1.0, 2.0)
#: Steps that it takes to solve for two numbers, and outputs that a model has.
_FEWEST: Final = 5
_OUTPUTS: Final = (3, 6)
#: Relative error of either number that the steps may leave.
_SURE: Final = 1e-2

Terms = dict[tuple[str, str, str, str, float, int], tuple[float, float]]


def facts(evidence: Evidence) -> list[Fact]:
    """``loss.terms``: function of the reconstruction, and what one sample's sums count for, where that is the loss."""
    rows = [
        (value, terms)
        for one in evidence.steps
        if (value := data_loss(one)) is not None and np.isfinite(value) and (terms := _terms(one))
    ]
    if len(rows) < _FEWEST:
        return []
    values = np.array([value for value, _ in rows])
    for key in rows[0][1]:
        table = np.array([terms.get(key, (np.nan, np.nan)) for _, terms in rows])
        if not np.isfinite(table).all():
            continue
        weights = np.linalg.lstsq(table, values, rcond=None)[0]
        off = values - table @ weights
        residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
        if residual <= TOLERANCE and (weights > 0).all() and _settled(table, values, weights):
            told = {"function": key[1], "reconstruction": float(weights[0]), "divergence": float(weights[1])}
            return [Fact("loss.terms", told, residual=residual)]
    return []


def _settled(table: F64, values: F64, weights: F64) -> bool:
    """Whether an error of the losses within tolerance leaves both numbers as they are."""
    square = table.T @ table
    if np.linalg.matrix_rank(table) < len(weights):
        return False
    error = TOLERANCE * np.sqrt(np.mean(values * values)) * np.sqrt(np.diag(np.linalg.inv(square)))
    return bool((error <= _SURE * weights).all())


def _terms(one: StepRecording) -> Terms:
    """By which output is what: the mean over the batch of each sample's sums."""
    outputs = dict(_outputs(one))
    if not _OUTPUTS[0] <= len(outputs) <= _OUTPUTS[1]:
        return {}
    found: Terms = {}
    targets = [each for each in (data(one, "target"), data(one, "batch")) if each is not None]
    for name, output in outputs.items():
        target = next((each for each in targets if each.size == output.size), None)
        if target is None:
            continue
        others = [each for each in outputs if each != name]
        divergences = dict(_divergences(outputs, others, len(output)))
        for at, (function, loss) in enumerate(_FUNCTIONS):
            with np.errstate(all="ignore"):
                rebuilt = float(loss(output, target.reshape(output.shape)).sum() / len(output))
            for (mean, spread, times), divergence in divergences.items():
                found[name, function, mean, spread, times, at] = (rebuilt, divergence)
    return found


def _outputs(one: StepRecording) -> Iterator[tuple[str, F64]]:
    """What the model gave, by its names, where it was recorded whole."""
    for name in one.of("output"):
        value = data(one, "output", name) if name.startswith("output") else None
        if value is not None and value.ndim > 1 and value.size:
            yield name, value


def _divergences(
    outputs: dict[str, F64], names: Sequence[str], batch: int
) -> Iterator[tuple[tuple[str, str, float], float]]:
    """Of each two outputs of one shape, one taken for means, the other for logarithms of variances or deviations."""
    for mean, spread in itertools.permutations(names, 2):
        m, v = outputs[mean], outputs[spread]
        if m.shape != v.shape or len(m) != batch:
            continue
        for times in _LOGARITHMS:
            with np.errstate(all="ignore"):
                yield (mean, spread, times), float((m**2 + np.exp(times * v) - 1 - times * v).sum() / 2 / batch)
