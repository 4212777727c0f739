"""What each loss of several outputs counts for in the sum that is minimised: solved for, step by step."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
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
    ("bce", "binary cross entropy", losses.binary_logits),
    ("absolute", "absolute error", losses.absolute),
    ("smoothl1", "huber(1)", losses.huber(1.0)),
    ("l1", "absolute error", losses.absolute),
    ("huber", "huber(1)", losses.huber(1.0)),
    ("squared", "squared error", losses.squared),
    ("mse", "squared error", losses.squared),
)
#: Outputs whose losses are told apart, at most: each may be one of several.
_MOST: Final = 4
#: Decimals of a weight that float32 sums leave.
_DIGITS: Final = 4
#: Where a loop has no names for its heads: what is compared a second time within a step.
_TARGET: Final = "target0"

Options = Mapping[str, float]


def facts(evidence: Evidence) -> list[Fact]:
    """``loss.heads``: the function of each output's loss and its weight, where their sum is the loss."""
    known = [
        (value, parts) for one in evidence.steps if (value := data_loss(one)) is not None and (parts := _parts(one))
    ]
    if not known:
        return []
    heads = [list(options) for options in known[0][1]]
    rows = [(value, parts) for value, parts in known if [list(options) for options in parts] == heads]
    values = np.array([value for value, _ in rows])
    if len(rows) <= len(heads) or not np.isfinite(values).all():
        return []
    for names in itertools.product(*heads):
        table = np.array([[part[name] for part, name in zip(parts, names, strict=True)] for _, parts in rows])
        weights = np.linalg.lstsq(table, values, rcond=None)[0] if np.isfinite(table).all() else np.zeros(len(names))
        off = values - table @ weights
        residual = float(np.sqrt(np.mean(off * off) / max(1e-300, float(np.mean(values * values)))))
        if residual <= TOLERANCE and (weights > 0).all():
            told = [
                {"function": name, "weight": round(float(w), _DIGITS)} for name, w in zip(names, weights, strict=True)
            ]
            return [Fact("loss.heads", told, residual=residual)]
    return []


def _parts(one: StepRecording) -> list[Options]:
    """Of each output what its loss may be; empty where there are not several, or one may be none of these."""
    told = one.facts.get("heads")
    heads = [head for head in told if isinstance(head, Mapping)] if isinstance(told, list) else _compared(one)
    if not 1 < len(heads) <= _MOST:
        return []
    found = [_options(one, head) for head in heads]
    return found if all(found) else []


def _compared(one: StepRecording) -> list[Mapping[str, Any]]:
    """What a loop compares: each target with the output that it was recorded with."""
    names = [name for name in one.of("target") if name.startswith(_TARGET)]
    return [{"output": name.replace("target", "output"), "target": name} for name in names]


def _options(one: StepRecording, head: Mapping[str, Any]) -> Options:
    """By name, the mean of each loss that a head's may be: of one whose loss is named, of that alone."""
    output, target = data(one, "output", str(head.get("output"))), data(one, "target", str(head.get("target")))
    if output is None or target is None or not output.size:
        return {}
    if output.ndim > 1 and output.shape[-1] > 1 and target.size * output.shape[-1] == output.size:
        return _of_classes(output.reshape(-1, output.shape[-1]), target.ravel(), head)
    if output.size != target.size:
        return {}
    word = " ".join(str(value) for value in dict(head.get("loss") or {}).values()).lower().replace("_", "")
    found = {name: loss for part, name, loss in reversed(_NAMED) if not word or part in word}
    chosen = dict(list(found.items())[-1:]) if word else found
    shares = head.get("activation") == "sigmoid" or (not word and output.min() >= 0 and output.max() <= 1)
    if "binary cross entropy" in chosen and shares:
        chosen["binary cross entropy"] = losses.binary_probabilities(losses.KERAS_EPSILON)
    return {name: float(loss(output.ravel(), target.ravel()).mean()) for name, loss in chosen.items()}


def _of_classes(output: F64, labels: F64, head: Mapping[str, Any]) -> Options:
    if not np.array_equal(labels, np.round(labels)) or labels.min() < 0 or labels.max() >= output.shape[1]:
        return {}
    rows = output.min() >= 0 and np.allclose(output.sum(axis=1), 1, atol=1e-3)
    shares = head.get("activation") == "softmax" or ("activation" not in head and rows)
    loss = losses.probability_rows(losses.KERAS_EPSILON) if shares and rows else losses.logits_rows
    return {"cross entropy": float(loss(output, np.eye(output.shape[1])[labels.astype(int)]).mean())}
