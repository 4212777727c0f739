"""What is read of one batch besides its gradients: the data, the outputs of the layers, how alive these are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from auditor_agent.capture import units
from auditor_agent.capture.host import nonfinite
from auditor_agent.integrations.sklearn import manifest as declared


def bad(now: Any, words: bytes | memoryview) -> bool:
    """Whether the loss of a batch, or anything that ``words`` describe, is not finite."""
    return not math.isfinite(now.loss) or nonfinite(words)


def flow(now: Any) -> list[tuple[str, str, Any]]:
    """What flowed through the net: the batch, if it is dense, the hidden layers, the output."""
    found = now.arguments["activations"]
    rows = [("batch", "X", now.arguments["X"]), ("batch", "y", now.arguments["y"])]
    rows += [("activation", f"hidden[{at}]", array) for at, array in enumerate(found[1:-1])]
    rows += [("output", "output", found[-1])]
    return [row for row in rows if isinstance(row[2], np.ndarray)]


def inputs(now: Any) -> list[Any]:
    """The inputs of a batch; of a sparse matrix the values that it holds."""
    given = now.arguments["X"]
    return [given if isinstance(given, np.ndarray) else np.asarray(getattr(given, "data", ()))]


def layers(now: Any) -> dict[str, float]:
    """Dead units and saturated outputs of the hidden layers."""
    found: dict[str, float] = {}
    for layer, output in zip(declared.layers(now.estimator)[:-1], now.arguments["activations"][1:-1], strict=True):
        for name, part in (
            ("dead_units", units.dead(output, layer["activation"])),
            ("saturated", units.saturated(output, layer["activation"])),
        ):
            if part is not None:
                found[f"{name}/{layer['name']}"] = part
    return found
