"""Inputs that a model scales itself are those that a program scaled before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare import aligned
from auditor.compare.aligned import FirstStep
from auditor.compare.identify import fed
from auditor.compare.recognise.cause import Cause
from auditor.ingest.records import Recorded, StepRecording

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 256, (16, 5, 5, 3)).astype(np.uint8)
TABLE = RNG.normal((5.0, -2e4, 0.1), (2.0, 9e3, 0.01), (64, 3)).astype(np.float32)
MEANS, STDS = TABLE.mean(axis=0) + 0.25, TABLE.std(axis=0) * 1.5


def recording(batch: np.ndarray, units: dict[str, np.ndarray] | None = None, step: int = 1) -> StepRecording:
    """One step with its batch, and what layers' outputs are like."""
    made = StepRecording(0, 0, step)
    arrays = [("batch", "input0", batch), *(("units", name, rows) for name, rows in (units or {}).items())]
    for role, name, values in arrays:
        one = Recorded(role, name, str(values.dtype), values.shape, values.size, values.ravel())
        made.arrays[role, name] = one
    return made


def layer(kind: str, **config: Any) -> dict[str, Any]:
    """A layer as the manifest lists it."""
    return {"class": kind, "name": kind.lower(), "path": f"model/{kind.lower()}", "config": config}


def taken(batch: np.ndarray, layers: list[dict[str, Any]], units: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """The batch as the comparison sees it."""
    steps = [recording(batch, units)]
    [one] = fed.fed(steps, fed.ways(layers, steps))
    return one.of("batch")["input0"].whole()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([layer("Rescaling", scale=1 / 255, offset=0.0)], PIXELS / 255),
        (
            [layer("InputLayer"), layer("RandomFlip"), layer("Rescaling", scale=2 / 255, offset=-1.0)],
            PIXELS / 127.5 - 1,
        ),
        ([layer("Rescaling", scale=[1.0, 0.5, 0.1], offset=[0.0, 1.0, 2.0])], PIXELS * [1.0, 0.5, 0.1] + [0, 1, 2]),
        ([layer("Rescaling", scale=0.5, offset=0.0), layer("Rescaling", scale=1.0, offset=3.0)], PIXELS * 0.5 + 3),
    ],
)
def test_pixels_go_through_the_layers_that_scale_them(layers: list[dict[str, Any]], expected: np.ndarray) -> None:
    """One factor for all or one a channel, one layer after another, behind layers that leave the scale alone."""
    np.testing.assert_allclose(taken(PIXELS, [*layers, layer("Dense")]), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "layers",
    [
        [layer("Conv2D"), layer("Rescaling", scale=0.1, offset=0.0)],
        [layer("InputLayer"), layer("InputLayer"), layer("Rescaling", scale=0.1, offset=0.0)],
        [layer("Rescaling", scale="a tensor", offset=0.0)],
        [layer("Rescaling", scale=[0.1, 0.2], offset=0.0)],
        [layer("Normalization", mean=None)],
    ],
)
def test_other_layers_leave_the_batch_as_it_was_recorded(layers: list[dict[str, Any]]) -> None:
    """Behind a layer that learns, of several inputs, of numbers that are none or do not fit, and of nothing seen."""
    assert (taken(PIXELS, layers) == PIXELS).all()


def test_what_a_normalisation_was_adapted_to_is_read_off_its_output() -> None:
    """The statistics of one batch before and after it give each column's factor and offset."""
    after = (TABLE - MEANS) / STDS
    units = np.stack([after.mean(axis=0), after.std(axis=0), after.min(axis=0), after.max(axis=0)])
    found = taken(TABLE, [layer("Normalization", mean=None), layer("Dense")], {"model/normalization": units})
    np.testing.assert_allclose(found, after, rtol=1e-4, atol=1e-4)


def test_outputs_that_agree_make_an_input_of_other_numbers_harmless() -> None:
    """A model that divides its pixels itself; other causes of the data stay as they are."""
    scale = Cause("DATA-00", "data.input.scale", (255.0, 1.0), 2.0, "values are 255 times as large")
    size = Cause("DATA-02", "data.batch_size", (32, 16), 0.2, "batches of 32 against 16")
    told = aligned.weigh([scale, size], FirstStep(1e-7, fed=False))
    assert {cause.parameter: cause.weight for cause in told} == {"data.input.scale": 1e-7, "data.batch_size": 0.2}
    assert aligned.weigh([scale], FirstStep(1e-7))[0].weight == scale.weight
