"""Softmax as the activation of a hidden layer: next to nothing of the input passes it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Layers that neither mix units nor change their sum much: a softmax before them is still hidden.
_THROUGH: Final = frozenset({"dropout", "flatten", "identity"})
_DENSE: Final = frozenset({"linear", "dense"})
#: Least units, and least part of the greatest entropy ln(units), at which rows say next to nothing.
_UNITS: Final = 4
_UNIFORM: Final = 0.8
#: Relative difference up to which a layer's recomputed output is the recorded one (TF32, bfloat16).
_SAME: Final = 2e-2


def hidden_softmax(view: RecordView) -> dict[str, Any] | None:
    """A softmax that feeds a linear layer, and whose rows are nearly uniform; None where there is none.

    That it feeds the layer is shown by numbers: weights times the softmax's output, plus the bias, is
    what the layer gave. So the softmax of attention, or of a gate, is none: it weighs other values.
    """
    told = view.facts.get("layers")
    layers = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    for i, layer in enumerate(layers[:-1]):
        if "softmax" not in {str(layer.get("kind", "")).lower(), str(layer.get("activation", "")).lower()}:
            continue
        rest = [one for one in layers[i + 1 :] if str(one.get("kind", "")).lower() not in _THROUGH]
        if not rest or str(rest[0].get("kind", "")).lower() not in _DENSE:
            continue
        rows = _rows(view, str(layer.get("name", "")))
        if rows is None or rows.shape[1] < _UNITS or not np.allclose(rows.sum(axis=1), 1.0, atol=2e-3):
            continue
        entropy = float(-(rows * np.log(np.maximum(rows, 1e-12))).sum(axis=1).mean() / np.log(rows.shape[1]))
        if entropy >= _UNIFORM and _feeds(view, rows, rest[0]):
            name, after = str(layer.get("name")), str(rest[0].get("name"))
            what = f"Softmax is the activation of the hidden layer {name}, which feeds {after}: its {rows.shape[1]} "
            what += f"outputs are nearly the same for every input (entropy {entropy:.0%} of the greatest)"
            return {"what": what, "layer": name, "entropy": entropy, "units": rows.shape[1]}
    return None


def _rows(view: RecordView, layer: str) -> F64 | None:
    """The recorded outputs of ``layer`` as rows, None unless they are (samples, units)."""
    one = view.array("activation", layer)
    if one is None or one.values is None or one.sampled or len(one.shape) != 2:
        return None
    rows: F64 = one.whole().astype(np.float64)
    return rows if len(rows) > 1 and np.isfinite(rows).all() else None


def _feeds(view: RecordView, rows: F64, layer: dict[str, Any]) -> bool:
    """Whether ``layer`` gave what its recorded weights make of ``rows``."""
    name = str(layer.get("name", ""))
    given = _rows(view, name)
    if given is None or len(given) != len(rows):
        return False
    tensors = {key: one for key, one in view.of("weight").items() if key.startswith((f"{name}.", f"{name}/"))}
    whole = {
        key: one.whole().astype(np.float64)
        for key, one in tensors.items()
        if one.values is not None and not one.sampled
    }
    matrices = [value for value in whole.values() if value.ndim == 2]
    biases = [value for value in whole.values() if value.ndim == 1]
    if not matrices:
        return str(view.run.section("model").get("class", "")).endswith("Sequential")  # too large: a plain chain
    if len(matrices) != 1 or len(biases) > 1:
        return False
    matrix, units = matrices[0], given.shape[1]
    fits = [one for one in (matrix, matrix.T) if one.shape == (rows.shape[1], units)]
    bias = biases[0] if biases else np.zeros(units)
    activation = str(layer.get("activation") or "linear").lower()
    return len(bias) == units and any(_alike(_applied(activation, rows @ one + bias), given) for one in fits)


def _applied(activation: str, values: F64) -> F64:
    """``values`` after an activation; as they are where it is not one of the usual."""
    if activation == "softmax":
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        out: F64 = powers / powers.sum(axis=1, keepdims=True)
    elif activation == "relu":
        out = np.maximum(values, 0.0)
    elif activation == "sigmoid":
        out = 1.0 / (1.0 + np.exp(-values))
    elif activation == "tanh":
        out = np.tanh(values)
    else:
        out = values
    return out


def _alike(made: F64, given: F64) -> bool:
    return bool(np.abs(made - given).max() <= _SAME * max(float(np.abs(given).max()), 1e-12))
