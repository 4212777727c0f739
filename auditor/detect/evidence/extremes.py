"""Outputs, or inputs, that are equal for every sample of a batch, and outputs that large logits make so."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView

#: Spread of the outputs over a batch, relative to their size, that float32 rounding may leave.
_ROUNDING: Final = 1e-6
#: Samples, and numbers of each, from which on equal inputs are no coincidence.
_SAMPLES: Final = 8
_WIDTH: Final = 4


def alike(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """What all samples are answered, although they and their targets differ; None if they are answered apart."""
    batch = next(iter(view.of("batch").values()), None)
    asked = batch is not None and batch.values is not None and np.ptp(batch.values) > 0
    wanted = seen.targets is not None and np.ptp(seen.targets) > 0
    if not asked or not wanted or len(seen.outputs) < 2:
        return None
    apart = float(np.ptp(seen.outputs, axis=0).max())
    if apart > _ROUNDING * float(np.abs(seen.outputs).max()):
        return None
    return {"value": float(seen.outputs[0, 0]), "spread": apart, "samples": len(seen.outputs)}


def repeated(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """The one sample that all of a batch are, although their targets differ; None if any input tells them apart.

    Of fewer than four numbers a sample may be one on purpose: a constant that only the last bias goes with.
    """
    given = [one for name, one in view.of("batch").items() if not name.startswith("sample_weight")]
    whole = [
        one.whole().astype(np.float64) for one in given if one.values is not None and not one.sampled and one.shape
    ]
    wanted = seen.targets is not None and np.ptp(seen.targets) > 0
    if not wanted or not whole or len(whole) < len(given) or min(len(one) for one in whole) < _SAMPLES:
        return None
    if sum(one[0].size for one in whole) < _WIDTH or any(np.any(one != one[:1]) for one in whole):
        return None
    return {"low": float(min(one.min() for one in whole)), "high": float(max(one.max() for one in whole))}


def certain(seen: Scored) -> bool:
    """Whether all outputs are probabilities of 0 or 1 to float32's rounding: their logits are beyond 14."""
    if seen.family not in {"categorical", "binary"}:
        return False
    return bool((np.minimum(np.abs(seen.outputs), np.abs(1 - seen.outputs)) <= _ROUNDING).all())
