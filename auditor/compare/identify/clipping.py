"""Clipping of gradients, where it happens after they were recorded, and its marks where it happened before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64

#: Relative agreement of norms that are all cut to one length; torch adds 1e-6 to the norm it divides by.
_SAME: Final = 2e-5
_FEWEST: Final = 3


def clip(gradient: F64, norms: F64, total: F64, settings: Mapping[str, Any]) -> F64:
    """A gradient (steps, elements) as the rule sees it.

    Args:
        gradient: as recorded.
        norms: norm of the whole tensor that an element belongs to, at each step; broadcast against ``gradient``.
        total: norm of all tensors together, likewise.
        settings: may hold ``clip_norm_per_variable``, ``clip_norm`` (global) or ``clip_value``.
    """
    cut = gradient
    if limit := settings.get("clip_norm_per_variable"):
        cut = gradient * np.minimum(1.0, limit / np.maximum(norms, 1e-300))
    elif limit := settings.get("clip_norm"):
        cut = gradient * np.minimum(1.0, limit / np.maximum(total, 1e-300))
    elif limit := settings.get("clip_value"):
        cut = np.clip(gradient, -limit, limit)
    return cut


def marks(gradient: F64, norms: F64, total: F64) -> dict[str, float]:
    """What clipping left in gradients that were recorded after it: equal largest norms or values.

    Args:
        gradient: (steps, elements).
        norms: (steps, tensors).
        total: (steps,).

    Returns:
        ``clip_norm``, ``clip_norm_per_variable`` or ``clip_value`` with the limit; nothing if the
        gradients show no limit.
    """
    kinds = {"clip_norm": total, "clip_norm_per_variable": norms, "clip_value": np.abs(gradient)}
    for kind, lengths in kinds.items():
        if (limit := _limit(lengths.ravel())) is not None:
            return {kind: limit}
    return {}


def _limit(norms: F64) -> float | None:
    """The length that several norms were cut to: the largest, shared by three or more."""
    norms = norms[np.isfinite(norms) & (norms > 0)]
    if len(norms) < _FEWEST:
        return None
    largest = float(norms.max())
    same = np.abs(norms / largest - 1) <= _SAME
    return largest if int(same.sum()) >= _FEWEST else None
