"""Tensors of two recordings as sorted numbers: the same ones whatever their layout."""

from __future__ import annotations

import numpy as np

from auditor.compare.identify.evidence import F64
from auditor.ingest.records import StepRecording


def numbers(one: StepRecording, role: str) -> dict[str, F64]:
    """The numbers of each tensor by name, sorted, but of those that are nothing but zeros.

    None at all where one of them is not whole.
    """
    arrays = one.of(role)
    if any(array.sampled or array.values is None for array in arrays.values()):
        return {}
    found = {name: np.sort(np.asarray(array.values, np.float64).ravel()) for name, array in arrays.items()}
    return {name: values for name, values in found.items() if values.any()}


def equal(a: F64, b: F64) -> bool:
    """Whether two lists of numbers are one but for rounding."""
    return a.size == b.size and bool(np.allclose(a, b, rtol=1e-6, atol=1e-7))
