"""Inputs that a model scales itself are those that a program scaled before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from auditor.compare import aligned
from auditor.compare.aligned import FirstStep
from auditor.compare.identify import fed, fed_size
from auditor.compare.identify.evidence import evidence
from auditor.compare.recognise.cause import Cause
from auditor.ingest.records import Recorded, StepRecording
from auditor_agent.recorder import GIVEN

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
    [one] = fed.fed(steps, fed.ways("keras", layers, steps))
    return one.of("batch")["input0"].whole()


def moments(rows: np.ndarray) -> np.ndarray:
    """Mean, deviation, least and largest value of each unit, as the recorder has them."""
    return np.stack([rows.mean(axis=0), rows.std(axis=0), rows.min(axis=0), rows.max(axis=0)])


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([layer("Rescaling", scale=1 / 255, offset=0.0)], PIXELS / 255),
        (
            [layer("InputLayer"), layer("RandomFlip"), layer("Rescaling", scale=2 / 255, offset=-1.0)],
            PIXELS / 127.5 - 1,
        ),
        ([layer("Rescaling", scale=[1.0, 0.5, 0.1], offset=[0.0, 1.0, 2.0])], PIXELS * [1.0, 0.5, 0.1] + [0, 1, 2]),
        (
            [layer("Normalization", mean=[9.0, 8.0, 7.0], variance=[4.0, 1.0, 0.25])],
            (PIXELS - [9, 8, 7.0]) / [2, 1, 0.5],
        ),
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
    found = taken(TABLE, [layer("Normalization", mean=None), layer("Dense")], {"model/normalization": moments(after)})
    np.testing.assert_allclose(found, after, rtol=1e-4, atol=1e-4)


STANDARD = {"class": "Standardize", "name": "norm"}


@pytest.mark.parametrize(("way", "scales"), [(lambda x: x / 127.5 - 1, True), (lambda x: np.abs(x - 7e3), False)])
def test_a_function_of_the_program_s_that_is_a_layer_of_keras_may_scale(way: Any, scales: bool) -> None:
    """``Lambda``: where a factor and an offset give what was seen of its outputs."""
    batches = [RNG.normal((5.0, 7e3), (2.0, 9e2), (64, 2)).astype(np.float32) for _ in range(2)]
    steps = [recording(one, {"model/lambda": moments(way(one))}, at + 1) for at, one in enumerate(batches)]
    found = fed.ways("keras", [layer("Lambda"), layer("Dense")], steps)
    assert bool(found) is scales
    for one, batch in zip(fed.fed(steps, found), batches, strict=True):
        made = one.of("batch")["input0"].whole()
        np.testing.assert_allclose(made, way(batch) if scales else batch, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(48, 3), (48, 3, 6, 6)])
def test_a_module_that_holds_means_and_deviations_is_seen_to_scale(shape: tuple[int, ...]) -> None:
    """Of rows the units are the last axis, of pictures the second; a unit that does not vary in one batch may later."""
    per = (1, 3) + (1,) * (len(shape) - 2)
    means, stds = np.array([2.0, -1.0, 0.5]).reshape(per), np.array([3.0, 0.5, 0.1]).reshape(per)
    batches = [RNG.normal(means, stds * 2, shape).astype(np.float32) for _ in range(3)]
    batches[0][:, 2] = 0.5
    after = [(batch - means) / stds for batch in batches]
    seen = [{"norm": moments(np.moveaxis(one, 1, -1).reshape(-1, 3))} for one in after]
    steps = [recording(batch, units, step) for step, (batch, units) in enumerate(zip(batches, seen, strict=True), 1)]
    ways = fed.ways("torch", [STANDARD, {"class": "Linear", "name": "out"}], steps)
    for made, expected in zip(fed.fed(steps, ways), after, strict=True):
        np.testing.assert_allclose(made.of("batch")["input0"].whole(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["by the batch", "bent", "another name"])
def test_what_no_one_factor_explains_is_no_scaling(kind: str) -> None:
    """A normalisation by the batch's own statistics, a function with a kink, a class that is known for the former."""
    batches = [RNG.normal(0.0, 1.0 + at, (32, 3)).astype(np.float32) for at in range(3)]
    after = [np.maximum(one, 0) if kind == "bent" else (one - one.mean(0)) / one.std(0) for one in batches]
    steps = [
        recording(one, {"norm": moments(rows)}, at)
        for at, (one, rows) in enumerate(zip(batches, after, strict=True), 1)
    ]
    name = "BatchNorm1d" if kind == "another name" else "Standardize"
    assert fed.ways("torch", [{"class": name, "name": "norm"}], steps[:1] if kind == "another name" else steps) == []


def test_outputs_that_agree_make_an_input_of_other_numbers_harmless() -> None:
    """A model that divides its pixels itself; other causes of the data stay as they are."""
    scale = Cause("DATA-00", "data.input.scale", (255.0, 1.0), 2.0, "values are 255 times as large")
    size = Cause("DATA-02", "data.batch_size", (32, 16), 0.2, "batches of 32 against 16")
    told = aligned.weigh([scale, size], FirstStep(1e-7, fed=False))
    assert {cause.parameter: cause.weight for cause in told} == {"data.input.scale": 1e-7, "data.batch_size": 0.2}
    assert aligned.weigh([scale], FirstStep(1e-7))[0].weight == scale.weight


@pytest.mark.parametrize(("scales", "told"), [(False, ["PREC-01", "FWD-00"]), (True, ["PREC-01"])])
def test_a_coarse_format_costs_more_where_a_model_takes_a_mean_off_itself(scales: bool, told: list[str]) -> None:
    """Of 13,128 days in halves a deviation of 74 keeps little: that is precision's, and no other forward pass."""
    halves = Cause("PREC-01", "precision.compute", (8, 24), 2.0**-5, "halves")
    found = aligned.weigh([halves], FirstStep(0.3, scales=scales))
    assert [one.id for one in found] == told


def test_what_a_program_gives_its_first_layer_is_what_the_network_is_fed() -> None:
    """``x / 255`` in ``forward``: no layer does it, so that the first layer's argument was recorded."""
    steps = [recording(TABLE + at, {GIVEN: moments((TABLE + at - MEANS) / STDS)}, at) for at in range(3)]
    found = [one.of("batch")["input0"].whole() for one in fed.fed(steps, fed.ways("torch", [], steps))]
    np.testing.assert_allclose(found[1], (TABLE + 1 - MEANS) / STDS, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("way", [np.cbrt, lambda x: x * np.float32([0, 1, 1])])
def test_what_is_no_factor_and_offset_of_all_inputs_changes_nothing(way: Callable[[np.ndarray], np.ndarray]) -> None:
    """A root of the batch, of whose numbers four are known; a mask, as flows have it: the rest goes elsewhere."""
    steps = [recording(TABLE + at, {GIVEN: moments(way(TABLE + at))}, at) for at in range(3)]
    assert fed.ways("torch", [], steps) == []


@pytest.mark.parametrize(("within", "centred"), [(1.0, False), (1.0, True), (1 / 255, False), (1 / 255, True)])
@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_gradients_tell_that_a_layer_is_fed_other_numbers(framework: str, within: float, centred: bool) -> None:
    """The kernel's is a sum of products with the inputs, the bias's the same sum without them."""
    x = RNG.normal(0.0 if centred else 100.0, 30.0, (64, 9))
    slopes = RNG.normal(0.5, 0.2, (64, 4))
    kernel = within * x.T @ slopes
    step = recording(x)
    for name, values in (("kernel", kernel.T if framework == "torch" else kernel), ("bias", slopes.sum(axis=0))):
        one = Recorded("gradient", name, "float64", values.shape, values.size, values.ravel())
        step.arrays["gradient", name] = one
    told = fed_size.facts(evidence(framework, [step]))
    assert [fact.parameter for fact in told] == ([fed_size.CHANGED] if within < 1 else [])


@pytest.mark.parametrize(("of", "known"), [("numbers", True), ("codes", False)])
def test_of_several_inputs_the_one_that_leads_is_followed_where_it_is_seen_to_be_scaled(of: str, known: bool) -> None:
    """A normalisation of numbers beside a code; where it takes another input, nobody knows what the network is fed."""
    layers = [layer("Normalization", mean=None), layer("CategoryEncoding"), layer("Dense")]
    steps = []
    for step in (1, 2):
        rows = RNG.normal(MEANS, STDS, (64, 3)).astype(np.float32)
        codes = RNG.integers(0, 5, (64, 3))
        after = (rows - MEANS) / STDS if of == "numbers" else (codes - 2) / 2.0
        one = recording(rows, {"model/normalization": moments(after)}, step)
        one.arrays["batch", "input1"] = Recorded("batch", "input1", "int64", (64, 3), 192, codes.ravel())
        steps.append(one)
    ways = fed.ways("keras", layers, steps)
    assert bool(ways) is known
    assert fed.untold(layers, steps, ways) is not known
    assert not fed.untold(layers[1:], steps, [])
    for one, made in zip(steps, fed.fed(steps, ways), strict=True):
        rows = np.asarray(one.of("batch")["input0"].whole(), np.float64)
        expected = (rows - MEANS) / STDS if known else rows
        np.testing.assert_allclose(made.of("batch")["input0"].whole(), expected, rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(made.of("batch")["input1"].whole(), one.of("batch")["input1"].whole())


def test_the_weights_of_samples_are_no_input() -> None:
    """A batch of one input is one with weights beside it."""
    one = recording(PIXELS)
    weights = Recorded("batch", "sample_weight0", "float32", (16,), 16, np.ones(16, np.float32))
    one.arrays["batch", "sample_weight0"] = weights
    layers = [layer("Rescaling", scale=1 / 255, offset=0.0), layer("Dense")]
    (made,) = fed.fed([one], fed.ways("keras", layers, [one]))
    np.testing.assert_allclose(made.of("batch")["input0"].whole(), PIXELS / 255, rtol=1e-6)
    assert (made.of("batch")["sample_weight0"].whole() == 1).all()
