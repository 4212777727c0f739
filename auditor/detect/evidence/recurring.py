"""Square matrices that a forward pass applies again and again, and how much they amplify what goes round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import numpy as np

from auditor.detect.recorded import RecordView

#: What a recurrent layer's own matrix is called by torch and Keras; a gated one's is no square.
_RECURRENT: Final = ("weight_hh", "recurrent_kernel")
#: Extent up to which eigenvalues are worked out: beyond, they would take a second.
_WIDEST: Final = 512
#: Times that a pass applies what is a recurrence of a program's own (ours: towers share a layer among two or three).
_TIMES: Final = 8


def radii(view: RecordView) -> dict[str, float]:
    """The spectral radius of each square matrix that was recorded whole, by name."""
    found: dict[str, float] = {}
    for name, weight in view.of("weight").items():
        square = len(weight.shape) == 2 and weight.shape[0] == weight.shape[1] <= _WIDEST and not weight.sampled
        values = np.asarray(weight.values, np.float64) if square and weight.values is not None else np.zeros(0)
        if len(values) == weight.size and len(values) and np.isfinite(values).all():
            found[name] = float(np.abs(np.linalg.eigvals(values.reshape(weight.shape))).max())
    return found


def repeated(view: RecordView, names: set[str]) -> list[str]:
    """Those of ``names`` that are a recurrent layer's, or that the operations of a pass show eight times or more."""
    told = view.facts.get("operations")
    each = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    layers = Counter(str(one["layer"]) for one in each if "layer" in one)
    widths = Counter(one.get("units") for one in each if one.get("op") == "dense" and "layer" not in one)
    extents = {name: weight.shape[0] for name, weight in view.of("weight").items() if weight.shape}
    owned = {f"{layer.get('name')}.weight" for layer in view.run.layers}
    return [
        name
        for name in sorted(names)
        if any(word in name for word in _RECURRENT)
        or layers[name.removesuffix(".weight")] >= _TIMES
        or (name not in owned and widths[extents.get(name)] >= _TIMES)
    ]
