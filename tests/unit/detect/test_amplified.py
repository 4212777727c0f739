"""Weights that amplify: a recurrence of a program's own, and a depth of matrices that are each a little too large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(8)
WANTED = RNG.normal(size=(32, 2))
WIDTH = 16
SOUND = float(np.sqrt(2 / WIDTH))


def told(
    weights: Mapping[str, np.ndarray], size: float, operations: Any = (), layers: tuple[str, ...] = ()
) -> list[Finding]:
    """What is said of initial weights with which the first answers have this size, for targets of size 1."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="torch")
    sender.manifest({"model": {"layers": [{"name": name, "class": "Linear"} for name in layers]}})
    answers = size * RNG.normal(size=(32, 2))
    loss = float(((answers - WANTED) ** 2).mean())
    for step in range(1, 5):
        arrays = [array(role, name, value) for name, value in weights.items() for role in ("weight", "updated")]
        arrays += [array("gradient", name, 1e-3 * value) for name, value in weights.items()]
        arrays += [array("output", "output0", answers), array("target", "loss.target", WANTED)]
        facts: dict[str, Any] = {"loss": {"operation": "MseLoss", "reduction": "mean"}, "phase": "train"}
        facts |= {"operations": list(operations)} if step == 1 else {}
        found += sender.record(Recording(step, arrays, {"loss": loss}, facts))
    found += sender.steps(batch(0, tensors, first=1, steps=60, loss=loss), tensors)
    return [one for one in found if one.rule == "poor_init"]


def square(radius: float) -> np.ndarray:
    """A square matrix whose largest eigenvalue has this size."""
    values = RNG.normal(size=(WIDTH, WIDTH))
    return np.asarray(values * radius / np.abs(np.linalg.eigvals(values)).max())


def passes(times: int, layer: str | None) -> list[dict[str, Any]]:
    """The operations of a pass that applies a matrix so often."""
    one: dict[str, Any] = {"op": "dense", "units": WIDTH}
    return [one | ({"layer": layer} if layer else {}), {"op": "relu"}] * times


@pytest.mark.parametrize(
    ("name", "layers", "radius", "times", "size", "said"),
    [
        ("cell.h.weight", ("cell.h",), 1.9, 30, 1e6, True),
        ("w", (), 1.9, 30, 1e6, True),
        ("cell.h.weight", ("cell.h",), 1.9, 2, 1e6, False),
        ("cell.h.weight", ("cell.h",), 0.9, 30, 1e6, False),
        ("cell.h.weight", ("cell.h",), 1.9, 30, 1.0, False),
    ],
    ids=["a layer", "a parameter", "applied twice", "that does not amplify", "that does no harm"],
)
def test_a_recurrence_of_ones_own(
    name: str, layers: tuple[str, ...], radius: float, times: int, size: float, *, said: bool
) -> None:
    """A square matrix that a pass applies at each position, known by the operations of the pass alone."""
    found = told({name: square(radius)}, size, passes(times, layers[0] if layers else None), layers)
    assert [one.evidence["reason"] for one in found] == ["recurrence"] * said


@pytest.mark.parametrize(
    ("times", "size", "said"),
    [(2.0, 1e3, True), (1.2, 1e3, False), (2.0, 2.0, False)],
    ids=["too large", "nearly sound", "with a normalisation between them"],
)
def test_a_depth_of_matrices_each_a_little_too_large(times: float, size: float, *, said: bool) -> None:
    """Eight of twice what keeps a signal multiply it by 256; none by itself is far off."""
    weights = {f"layers.{i}.weight": times * SOUND * RNG.normal(size=(WIDTH, WIDTH)) for i in range(8)}
    found = told(weights, size, layers=tuple(f"layers.{i}" for i in range(8)))
    assert [one.evidence["reason"] for one in found] == ["depth"] * said
