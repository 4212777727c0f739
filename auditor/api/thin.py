"""Fewer points for a plot, without losing what the eye must see: extremes and everything non-finite."""

from __future__ import annotations

import numpy as np

from auditor.ingest.decode import F64, I64


def thin(values: F64, points: int | None) -> I64:
    """Indices of ``values`` to keep, ascending.

    The finite values are cut into equal buckets of which the first smallest and the first largest
    are kept, about ``points`` in all, and the very first and last; every non-finite value is kept
    besides. None or 0 keeps everything.
    """
    count = len(values)
    if not points or count <= points:
        return np.arange(count, dtype=np.int64)
    finite = np.flatnonzero(np.isfinite(values))
    keep = [np.flatnonzero(~np.isfinite(values)), finite[:1], finite[-1:]]
    for bucket in np.array_split(finite, max(points // 2, 1)):
        if len(bucket):
            keep += [bucket[[np.argmin(values[bucket])]], bucket[[np.argmax(values[bucket])]]]
    return np.unique(np.concatenate(keep)).astype(np.int64)
