"""What each loss of several outputs counts for in the sum that is minimised: solved for, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_fits import TOLERANCE
from auditor.compare.identify.loss_pairs import data_loss
from auditor.ingest.records import StepRecording

#: Losses of numbers by a part of their name, in the order in which they are looked for.
_NAMED: Final[tuple[tuple[str, str, losses.Pointwise], ...]] = (
    ("binary", "binary cross entropy", losses.binary_logits),
    ("absolute", "absolute error", losses.absolute),
    ("smoothl1", "huber(1)", losses.huber(1.0)),
    ("l1", "absolute error", losses.absolute),
    ("huber", "huber(1)", losses.huber(1.0)),
    ("squared", "squared error", losses.squared),
    ("mse", "squared error", losses.squared),
)
#: Decimals of a weight that float32 sums leave.
_DIGITS: Final = 4


def facts(evidence: Evidence) -> list[Fact]:
    """``loss.heads``: the function of each output's loss and its weight, where their sum is the loss."""
    rows = [
        (value, parts) for one in evidence.steps if (value := data_loss(one)) is not None and (parts := _parts(one))
    ]
    rows = [(value, parts) for value, parts in rows if [name for name, _ in parts] == [name for name, _ in rows[0][1]]]
    if not rows or len(rows) <= len(rows[0][1]):
        return []
    values = np.array([value for value, _ in rows])
    table = np.array([[part for _, part in parts] for _, parts in rows])
    if not (np.isfinite(values).all() and np.isfinite(table).all()):
        return []
    weights = np.linalg.lstsq(table, values, rcond=None)[0]
    residual = float(np.sqrt(np.mean((values - table @ weights) ** 2) / max(1e-300, float(np.mean(values * values)))))
    if residual > TOLERANCE or not (weights > 0).all():
        return []
    names = [name for name, _ in rows[0][1]]
    told = [{"function": name, "weight": round(float(w), _DIGITS)} for name, w in zip(names, weights, strict=True)]
    return [Fact("loss.heads", told, residual=residual)]


def _parts(one: StepRecording) -> list[tuple[str, float]]:
    """Of each output its loss's function and mean; empty where there are not several, or one is not known."""
    heads = one.facts.get("heads")
    if not isinstance(heads, list) or len(heads) < 2:
        return []
    found = [part for head in heads if isinstance(head, Mapping) for part in _part(one, head)]
    return found if len(found) == len(heads) else []


def _part(one: StepRecording, head: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    output, target = data(one, "output", str(head.get("output"))), data(one, "target", str(head.get("target")))
    if output is None or target is None or not output.size:
        return
    if output.ndim > 1 and output.shape[-1] > 1 and target.size * output.shape[-1] == output.size:
        yield from _of_classes(output.reshape(-1, output.shape[-1]), target.ravel(), head)
        return
    if output.size != target.size:
        return
    word = " ".join(str(value) for value in dict(head.get("loss") or {}).values()).lower().replace("_", "")
    for part, name, loss in _NAMED:
        if part in word or (part == "binary" and "bce" in word):
            shares = part == "binary" and head.get("activation") == "sigmoid" and output.min() >= 0
            chosen = losses.binary_probabilities(losses.KERAS_EPSILON) if shares else loss
            yield name, float(chosen(output.ravel(), target.ravel()).mean())
            return


def _of_classes(output: F64, labels: F64, head: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if not np.array_equal(labels, np.round(labels)) or labels.min() < 0 or labels.max() >= output.shape[1]:
        return
    shares = head.get("activation") == "softmax" and output.min() >= 0
    loss = losses.probability_rows(losses.KERAS_EPSILON) if shares else losses.logits_rows
    yield "cross entropy", float(loss(output, np.eye(output.shape[1])[labels.astype(int)]).mean())
