"""Pairs that differ in the data, in a layer's settings, in the mode or in the precision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import mode
from auditor.compare.structure import structure
from auditor.ingest.records import StepRecording
from support.tiny import Tiny, event, glorot, inputs, sgd, targets

X = inputs()
Y = targets(X)
CLASSES = (Y > 0).astype(np.float32)
ENTROPY = torch.nn.functional.binary_cross_entropy_with_logits
#: Enough samples that a mean of a part of them is surely another.
MANY = inputs(288)
SORTED = np.argsort(Y[:, 0])


def base(**more: Any) -> Tiny:
    """A run by plain SGD."""
    return Tiny(stepper=sgd, **more)


def other(**more: Any) -> Tiny:
    """The same from other weights."""
    return base(weights=lambda: glorot(5), **more)


def in_order(at: int) -> np.ndarray:
    """The rows of step ``at`` without a shuffle."""
    return np.arange(96).reshape(6, 16)[at % 6]


def low_rows(at: int) -> np.ndarray:
    """Rows of step ``at``, shuffled, of the two thirds of many with the smallest targets."""
    rows = np.argsort(targets(MANY)[:, 0])[:192]
    return np.random.default_rng(at).permutation(rows)[:16]


def doubled() -> Any:
    """Weights in float64."""
    return [w.astype(np.float64) for w in glorot()]


def halves(gradients: Any) -> Any:
    """Gradients that a product in bfloat16 leaves."""
    return [torch.tensor(g).bfloat16().float().numpy() for g in gradients]


def fitted(samples: int, order: str = "x", evaluated: int = 0) -> Profile:
    """A run that tells its epochs, and the samples of its evaluations."""
    events = [
        event(6 * at, "epoch", epoch=at, steps=6, samples=samples, order=f"{order}{at}", content="c") for at in (1, 2)
    ]
    if evaluated:
        events += [event(6 * at, "evaluation", batches=1, samples=evaluated, losses=1) for at in (1, 2)]
    return base().profile(events=events)


RATE = 0.3


def dropping(rate: float, training: str = "true", kinds: tuple[str, ...] = ()) -> Profile:
    """A run in this mode whose graph was seen: without the dropout where that drops nothing. Two sets of weights."""
    layers = [{"name": "a", "class": "Linear", "out_features": 4}, {"name": "b", "class": "Linear", "out_features": 1}]
    drops = [{"op": "dropout", "rate": rate}] if training == "true" else []
    graph = [{"layer": "a"}, {"op": "relu"}, *drops, {"layer": "b"}]
    seen = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}])
    events = [event(1, "mode", phase="train", training=training, kinds=list(kinds))]
    return replace((other() if rate == RATE else base()).profile(events=events), structure=seen)


PAIRS: dict[str, tuple[str, Profile, Profile]] = {
    "inputs not scaled": ("DATA-00", base().profile(), base(x=X * 8, y=Y).profile()),
    "labels of minus one": (
        "DATA-00",
        Tiny(loss=ENTROPY, y=CLASSES).profile(),
        Tiny(loss=ENTROPY, y=2 * CLASSES - 1).profile(),
    ),
    "sorted": (
        "DATA-01",
        base(x=X[SORTED], y=Y[SORTED]).profile(),
        base(x=X[SORTED], y=Y[SORTED], order=in_order).profile(),
    ),
    "batch size": ("DATA-02", base(batch=16).profile(), base(batch=8).profile()),
    "tail dropped": ("DATA-02", fitted(96), fitted(80)),
    "trained on the rows kept for evaluation": ("DATA-03", fitted(96, evaluated=48), fitted(144, evaluated=48)),
    "validation split": (
        "DATA-03",
        base().profile(manifest={"data": {"validation_split": 0.2}}),
        base().profile(manifest={"data": {"validation_split": 0.0}}),
    ),
    "another part of the data": (
        "DATA-00",
        base(x=MANY, steps=30).profile(),
        base(x=MANY, steps=30, order=low_rows).profile(),
    ),
    "the last part held back": (
        "DATA-03",
        base(x=MANY, steps=30).profile(),
        base(x=MANY, steps=30, order=low_rows).profile(manifest={"data": {"validation_split": 0.33}}),
    ),
    "held out": (
        "SCH-04",
        base().profile(manifest={"estimator": {"parameters": {"early_stopping": True}}}),
        base().profile(),
    ),
    "bfloat16": ("PREC-01", base().profile(), base(gradients=halves).profile()),
    "training flag": (
        "MODE-01",
        other().profile(events=[event(1, "mode", phase="train", training="true")]),
        base().profile(events=[event(1, "mode", phase="train", training="false", kinds=["Dropout"])]),
    ),
    "training flag of a dropout": ("MODE-01", dropping(RATE), dropping(0.6, "false", ("Dropout",))),
    "training flag of a dropout function": ("MODE-01", dropping(RATE), dropping(0.6, "false")),
    "dropout rate": ("FWD-07", dropping(RATE), dropping(0.6)),
    "frozen normalisation": (
        "MODE-02",
        other().profile(events=[event(1, "mode", phase="train", training="true")]),
        base().profile(events=[event(1, "mode", phase="train", training="mixed", kinds=["BatchNorm1d"])]),
    ),
    "trained on in the mode of evaluation": (
        "MODE-01",
        other().profile(events=[event(1, "mode", phase="train", training="true")]),
        base().profile(
            events=[
                event(1, "mode", phase="train", training="true"),
                event(5, "mode", phase="train", training="false", kinds=["Dropout"]),
            ]
        ),
    ),
    "eval forgotten": (
        "MODE-03",
        base().profile(events=[event(6, "mode", phase="eval", training="false")]),
        base().profile(events=[event(6, "mode", phase="eval", training="true", kinds=["Dropout"])]),
    ),
}


def looked(draws: bool | None, *, called: bool = True, terms: bool = False) -> Profile:
    """A run in training mode with a dropout, and whether its first evaluation drew random numbers."""
    drops = {"op": "dropout", "rate": RATE} if called else {"layer": "drop"}
    run = dropping(RATE)
    run = replace(run, evaluation=StepRecording(0, 0, 6, facts={"training": "false", "draws": draws}))
    steps = [StepRecording(0, 0, 1, facts={"operations": [{"layer": "a"}, drops, {"layer": "b"}]})]
    if terms:
        run.facts.add(Fact("loss.terms", {"reconstruction": 1.0, "divergence": 1.0}))
    return replace(run, evidence=replace(run.evidence, steps=(*steps, *run.evidence.steps[1:])))


DRAWN = {
    "dropout that goes on": (looked(True), looked(False), True),
    "the other side tells nothing": (looked(True), looked(None), True),
    "neither goes on": (looked(False), looked(False), False),
    "both go on": (looked(True), looked(True), False),
    "drawn, and not for a dropout": (looked(True, called=False), looked(False), False),
    "a model that samples": (looked(True, terms=True), looked(False), False),
}


@pytest.mark.parametrize("case", DRAWN)
def test_a_dropout_that_is_called_as_a_function_is_told_by_what_evaluation_draws(case: str) -> None:
    """Either way round; the fix is for the side that calls it."""
    a, b, told = DRAWN[case]
    for sides, mend in (((a, b), "a"), ((b, a), "b")):
        found = [(one.id, one.step, one.mend) for one in mode.causes(*sides) if one.parameter == "mode.dropout"]
        assert found == ([("MODE-03", 6, mend)] if told else [])


@pytest.mark.parametrize(("kinds", "entries"), [(["Dropout"], ["MODE-03"]), ([], [])])
def test_an_evaluation_in_training_mode_is_told_beside_one_of_which_nothing_is_known(
    kinds: list[str], entries: list[str]
) -> None:
    """Of functions that a program calls by hand no mode can be seen; of layers without such nothing is said."""
    mine = base().profile(events=[event(6, "mode", phase="eval", training="true", kinds=kinds)])
    for sides, mend in (((mine, base().profile()), "a"), ((base().profile(), mine), "b")):
        assert [(one.id, one.mend) for one in mode.causes(*sides)] == [(entry, mend) for entry in entries]


@pytest.mark.parametrize("case", PAIRS)
def test_the_only_difference_is_told_first(case: str) -> None:
    """By id; what only a manifest says is told as declared."""
    entry, a, b = PAIRS[case]
    found = diagnose(a, b)
    told = [(cause.id, cause.parameter, cause.values, cause.effect) for cause in found.causes]
    assert told, found.harmless
    assert told[0][0] == entry, told


def test_float64_against_float32_is_told_where_nothing_else_differs_and_is_no_mismatch() -> None:
    """Rounding is all that there is: named, with the little that it does; beside a cause it is harmless."""
    found = diagnose(base().profile(), base(weights=doubled).profile())
    assert [cause.id for cause in found.causes] == ["DATA-04"]
    assert not found.matters
    other = Tiny(stepper=lambda: sgd(2e-2), rate=2e-2, weights=doubled)
    found = diagnose(base().profile(), other.profile())
    assert [cause.id for cause in found.causes] == ["OPT-01"]
    assert "DATA-04" in [cause.id for cause in found.harmless]


def layer(kind: str, **settings: Any) -> dict[str, Any]:
    """A manifest with one layer."""
    return {"model": {"layers": [{"name": "layer", "class": kind, **settings}]}}


def norm(**settings: Any) -> dict[str, Any]:
    """A manifest with one normalisation in canonical units."""
    return {"canonical": {"normalization": {"layer": settings}}}


LAYERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "batch norm's epsilon": (
        "FWD-01",
        layer("BatchNorm1d", eps=1e-5),
        layer("BatchNormalization", config={"epsilon": 1e-3}),
    ),
    "running statistics": (
        "FWD-02",
        norm(decay=0.9, running_variance="biased"),
        norm(decay=0.99, running_variance="biased"),
    ),
    "running variance": (
        "FWD-03",
        norm(decay=0.9, running_variance="unbiased"),
        norm(decay=0.9, running_variance="biased"),
    ),
    "batch norm's axis": ("FWD-04", layer("BatchNormalization", axis=1), layer("BatchNormalization", axis=-1)),
    "layer norm's epsilon": (
        "FWD-06",
        layer("LayerNorm", eps=1e-5),
        layer("LayerNormalization", config={"epsilon": 1e-3}),
    ),
    "dropout": ("FWD-07", layer("Dropout", p=0.1), layer("Dropout", config={"rate": 0.5})),
    "gelu": ("FWD-08", layer("GELU", approximate="none"), layer("GELU", approximate="tanh")),
    "leaky relu": (
        "FWD-09",
        layer("LeakyReLU", negative_slope=0.01),
        layer("LeakyReLU", config={"negative_slope": 0.3}),
    ),
    "activation": ("FWD-10", layer("ReLU"), layer("Tanh")),
    "average pooling": (
        "FWD-12",
        layer("AvgPool2d", count_include_pad=True),
        layer("AvgPool2d", count_include_pad=False),
    ),
    "gru's reset": ("FWD-15", layer("GRU", reset_after=True), layer("GRU", reset_after=False)),
    "batch first": ("FWD-16", layer("LSTM", batch_first=True), layer("LSTM", batch_first=False)),
    "upsampling": (
        "FWD-19",
        layer("Upsample", mode="nearest"),
        layer("UpSampling2D", config={"interpolation": "bilinear"}),
    ),
    "padding index": ("FWD-21", layer("Embedding", padding_idx=0), layer("Embedding", padding_idx=None)),
    "softmax axis": ("FWD-22", layer("Softmax", dim=0), layer("Softmax", dim=-1)),
}


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_set_otherwise_is_told_and_claims_no_measurement(case: str) -> None:
    """Without equal weights and batches there is nothing to measure it by: declared, hence no mismatch."""
    entry, a, b = LAYERS[case]
    left = other().profile("a", manifest=a)
    found = diagnose(left, base().profile("b", manifest=b))
    told = [(cause.id, cause.parameter, cause.values, cause.effect) for cause in found.causes]
    assert told, found.harmless
    assert told[0][0] == entry, told
    assert not found.matters


def test_rows_of_the_evaluation_that_are_trained_on_are_told_by_their_number() -> None:
    """As many more as the other side evaluates; else it is another part of the data."""
    told = [diagnose(fitted(96, evaluated=number), fitted(144)).causes[0].effect for number in (48, 30)]
    assert "48 samples more" in told[0]
    assert "another part" in told[1]


@pytest.mark.parametrize("kinds", [(), ("Dropout",)])
def test_a_dropout_that_sleeps_is_no_other_forward_pass(kinds: tuple[str, ...]) -> None:
    """In the mode of evaluation it is no part of the graph; of a side in training mode it is missed."""
    asleep, awake = dropping(0.6, "false", kinds), dropping(RATE)
    assert [cause.id for cause in diagnose(asleep, awake).causes] == ["MODE-01"]
    without = replace(dropping(0.6), structure=asleep.structure)
    assert "FWD-07" in [cause.id for cause in diagnose(without, awake).causes]


@pytest.mark.parametrize("slope", [0.01, 0.3])
def test_equal_weights_and_batches_measure_the_layer(slope: float) -> None:
    """Outputs of equal inputs decide: as large as they differ, or harmless if they agree."""
    manifests = (layer("LeakyReLU", negative_slope=0.01), layer("LeakyReLU", negative_slope=0.3))
    leaky = [torch.nn.LeakyReLU(0.01), torch.nn.LeakyReLU(slope)]
    a, b = (base(activation=f).profile(manifest=m) for f, m in zip(leaky, manifests, strict=True))
    found = diagnose(a, b)
    if slope == 0.01:
        assert not found.causes
        assert found.harmless[0].id == "FWD-09"
    else:
        assert (found.causes[0].id, found.causes[0].how) == ("FWD-09", "measured")
        assert found.matters


def test_an_unexplained_difference_of_outputs_is_a_finding() -> None:
    """Equal weights, equal batch, other outputs, and nothing declared that would explain it."""
    found = diagnose(base().profile(), base(activation=torch.relu).profile())
    assert found.causes[0].id == "FWD-00"


@pytest.mark.parametrize(
    ("splits", "low", "scaled"),
    [((None, 0.3), 0.0, False), ((None, 0.0), 0.0, True), ((0.3, 0.3), 0.0, True), ((None, 0.3), -1.0, True)],
)
def test_classes_in_other_shares_are_another_part_of_the_data(
    splits: tuple[float | None, float | None], low: float, scaled: bool
) -> None:
    """Class numbers of the same range; of another they are coded otherwise, and without a split nothing says why."""
    many = np.where(np.arange(len(MANY)) % 5 == 0, 0.0, 3.0)[:, None]
    few = np.where(np.arange(len(MANY)) % 5 == 0, 3.0, low)[:, None]
    sides = [
        base(x=MANY, y=y.astype(np.float32), steps=30).profile(manifest={"data": {"validation_split": split}})
        for y, split in zip((many, few), splits, strict=True)
    ]
    found = diagnose(*sides).causes
    sizes = [one for one in found if one.id == "DATA-00" and ("times as" in one.effect)]
    assert bool(sizes) is scaled, "with the classes' new numbers, which explain them"
    assert scaled or ("DATA-03", "data.validation_split") in [(one.id, one.parameter) for one in found]


@pytest.mark.parametrize(("shape", "listed"), [([None, 16], True), ([None, 12, 12, 16], False)])
def test_running_variances_of_many_values_are_one(shape: list[int | None], listed: bool) -> None:
    """What n / (n - 1) is of a batch's rows is seen; what it is of all places of its images nobody sees."""
    biased = {**norm(decay=0.9, running_variance="biased"), **layer("BatchNormalization", input_shape=shape)}
    unbiased = {**norm(decay=0.9, running_variance="unbiased"), **layer("BatchNorm2d")}
    found = diagnose(other().profile(manifest=unbiased), base().profile(manifest=biased))
    assert ("FWD-03" in [cause.id for cause in found.causes]) is listed
    assert ("FWD-03" in [cause.id for cause in found.harmless]) is not listed
