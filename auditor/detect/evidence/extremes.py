"""Outputs that are equal for every sample of a batch, and those among them that large logits make."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView

#: Spread of the outputs over a batch, relative to their size, that float32 rounding may leave.
_ROUNDING: Final = 1e-6


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


def certain(seen: Scored) -> bool:
    """Whether all outputs are probabilities of 0 or 1 to float32's rounding: their logits are beyond 14."""
    if seen.family not in {"categorical", "binary"}:
        return False
    return bool((np.minimum(np.abs(seen.outputs), np.abs(1 - seen.outputs)) <= _ROUNDING).all())
