"""Have the running statistics of batch normalisation left where they began?

After n steps a running mean or variance still holds keep^n of its first value, keep being the weight of
the old one at each step (Ioffe and Szegedy 2015): Keras' ``momentum``, 0.99 unless declared, and one minus
torch's, 0.1. A first variance of 1 in place of 0.01 counts a hundred times what is left of it. Until then
evaluations are not the model's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from auditor.detect.facts import RunFacts

#: What of the start may be left.
_LEFT: Final = 0.01
_KERAS: Final = frozenset({"keras", "tensorflow"})


def settled(run: RunFacts, steps: int) -> bool:
    """Whether after ``steps`` steps the slowest declared normalisation has settled; True where there is none.

    One whose statistics never move (momentum of 1 in Keras) is not waited for: that is a fault.
    """
    kept = [_kept(layer, keras=run.framework in _KERAS) for layer in run.layers if _normalises(layer)]
    slowest = max((keep for keep in kept if 0 < keep < 1), default=0.0)
    return slowest == 0.0 or steps * math.log(slowest) <= math.log(_LEFT)


def _normalises(layer: Mapping[str, Any]) -> bool:
    return str(layer.get("class", "")).lower().startswith(("batchnorm", "syncbatchnorm"))


def _kept(layer: Mapping[str, Any], *, keras: bool) -> float:
    """Weight of the old statistics at a step; 0 where an average of all steps is kept (torch's None)."""
    config = layer.get("config")
    told = layer.get("momentum", config.get("momentum") if isinstance(config, Mapping) else None)
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return 0.99 if keras else 0.0
    return float(told) if keras else 1.0 - float(told)
