"""Clipping of gradients, where it happens after they were recorded, and its marks where it happened before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, ROUNDOFF, Evidence

#: Relative agreement of norms that are all cut to one length; torch adds 1e-6 to the norm it divides by.
_SAME: Final = 2e-5
#: Likewise of the number of tensors that two such lengths tell.
_NUMBER: Final = 1e-3
#: Steps, and the part of all of them, that must share the largest norm for it to be a limit; and tensors.
_FEWEST: Final = 3
_SHARE: Final = 2e-3
_FEWEST_TENSORS: Final = 2


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


def marks(gradient: F64, norms: F64) -> dict[str, float]:
    """What clipping left in gradients that were recorded after it: equal largest norms or values of the tensors.

    Clipping of all tensors together shows in ``grad_norm`` (``conduct``).

    Args:
        gradient: (steps, elements).
        norms: (steps, tensors).

    Returns:
        ``clip_norm_per_variable`` or ``clip_value`` with the limit; nothing if the gradients show none.
    """
    limits = [limit for column in norms.T if (limit := plateau(column)) is not None]
    # One tensor alone may have the same gradient again and again: a constant batch, a frozen input.
    if len(limits) >= min(_FEWEST_TENSORS, norms.shape[1]) and np.allclose(limits, limits[0], rtol=_SAME):
        return {"clip_norm_per_variable": limits[0]}
    limit = plateau(np.abs(gradient).ravel())
    return {} if limit is None else {"clip_value": limit}


def once(limits: Mapping[str, float], tensors: int) -> dict[str, float]:
    """``limits`` without one of all gradients together that another one explains, of each of so many ``tensors``.

    Where all of them are cut to one length, together they are as long as the root of their number says.
    """
    each, whole = limits.get("clip_norm_per_variable"), limits.get("clip_norm")
    if not each or not whole:
        return dict(limits)
    number = (whole / each) ** 2
    explained = 1 <= round(number) <= tensors and abs(number - round(number)) <= _NUMBER * number
    return {name: limit for name, limit in limits.items() if name != "clip_norm" or not explained}


def coarse(evidence: Evidence) -> bool:
    """Whether numbers are kept in so few bits that equal ones are no sign of a limit."""
    return any(ROUNDOFF.get(track.dtype, 0.0) > _SAME for track in evidence.tracks)


def plateau(lengths: F64) -> float | None:
    """The length that several were cut to: the largest, shared by some; None if there is no such length."""
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    if len(lengths) < _FEWEST:
        return None
    largest = float(lengths.max())
    same = int((lengths >= largest * (1 - _SAME)).sum())
    return largest if same >= max(_FEWEST, _SHARE * len(lengths)) else None
