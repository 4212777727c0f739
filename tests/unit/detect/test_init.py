from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Array, Recording, positions
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(11)
CHANCE = float(np.log(4))
WIDE = 60 * RNG.normal(size=(32, 4))
TABLE = table()
RULES = {"poor_init", "symmetric_units", "constant_output"}


def run(
    weights: Any,
    *,
    gradient: Any = None,
    loss: float | None = CHANCE,
    after: float = 0.2,
    output: Any = None,
    name: str = "fc.kernel",
) -> list[Finding]:
    """What is said of a four-class run that begins with these weights (in, out); ``loss`` None: that of ``output``."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True}})
    labels = np.arange(32) % 4
    logits = RNG.normal(size=(32, 4)) if output is None else output
    shifted = logits - logits.max(axis=1, keepdims=True)
    paid = float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(32), labels]).mean())
    steps = RNG.normal(size=np.shape(weights)) * 1e-3 if gradient is None else gradient
    for step in range(1, 13):
        arrays = [
            array("weight", name, weights),
            array("updated", name, weights - step * steps),
            array("gradient", name, steps),
            array("batch", "input0", RNG.normal(size=(32, 5))),
            array("output", "output0", logits),
            array("target", "target0", labels),
        ]
        found += sender.record(Recording(step, arrays, {"loss": paid}, {}))
    for i, level in enumerate([paid if loss is None else loss, after, after]):
        found += sender.steps(batch(i, TABLE, first=50 * i, steps=50, loss=level), TABLE)
    return [one for one in found if one.rule in RULES]


GLOROT = RNG.uniform(-0.2, 0.2, (64, 32))


@pytest.mark.parametrize(
    "weights", [GLOROT + 5, np.abs(GLOROT), RNG.uniform(0, 1, (64, 32)), RNG.normal(-0.1, 0.1, (64, 32))]
)
def test_weights_off_centre_are_named(weights: Any) -> None:
    """A mean that shifts what the layer sums."""
    [found] = run(weights)
    assert (found.rule, found.evidence["reason"], found.step) == ("poor_init", "off_centre", 1)


def test_too_large_weights_need_a_proof() -> None:
    """Standard deviation 1 for 64 inputs: a fault where the first loss is far beyond guessing."""
    wide = RNG.normal(size=(64, 32))
    [found] = run(wide, output=WIDE, loss=None)
    assert (found.rule, found.evidence["reason"]) == ("poor_init", "scale")
    assert run(wide, loss=1.1 * CHANCE) == []


@pytest.mark.parametrize("weights", [GLOROT, RNG.normal(0, 0.02, (64, 32)), RNG.normal(0, 0.18, (64, 32))])
def test_usual_initialisers_are_left_alone(weights: Any) -> None:
    """Glorot, GPT's 0.02, He."""
    assert run(weights) == []


def test_embeddings_are_wide_and_alike_by_right() -> None:
    """N(0, 1) is an embedding's usual initialiser, and untouched rows of zeros are no units."""
    assert run(RNG.normal(size=(64, 32)), name="embedding.weight", output=WIDE, loss=None) == []
    assert run(np.zeros((64, 32)), gradient=np.zeros((64, 32)), name="position_embedding.weight") == []


def test_units_that_are_copies_are_found() -> None:
    """Constant weights and equal gradients, for all units; zero weights likewise."""
    alike = np.repeat(RNG.normal(size=(64, 1)), 32, axis=1)
    for weights in (np.full((64, 32), 0.1), np.zeros((64, 32))):
        found = [one for one in run(weights, gradient=alike) if one.rule == "symmetric_units"]
        assert [(one.step, one.evidence["units"]) for one in found] == [(4, 32)]


def test_units_that_a_step_has_made_alike_are_no_copies_from_the_start() -> None:
    """A step far larger than the weights leaves all of them near one value: that step is the fault."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    drawn, alike = RNG.normal(size=(64, 32)), np.repeat(RNG.normal(size=(64, 1)), 32, axis=1)
    for step in range(1, 10):
        values = drawn if step < 3 else alike * 1e6
        arrays = [array(role, "dense/kernel", values) for role in ("weight", "updated", "gradient")]
        found += sender.record(Recording(step, arrays, {"loss": 1.0}, {"phase": "train"}))
    assert [one.rule for one in found if one.rule == "symmetric_units"] == []


def test_weights_that_have_become_infinite_are_no_copies() -> None:
    """Nor does arithmetic on them warn in the daemon: warnings are errors here."""
    weights = RNG.normal(size=(64, 32))
    weights[::2] = np.inf
    assert [one for one in run(weights, gradient=np.ones((64, 32))) if one.rule == "symmetric_units"] == []


@pytest.mark.parametrize("axis", [0, 1])
def test_copies_are_found_in_a_sample_of_a_weight(axis: int) -> None:
    """Of a large matrix 512 elements are recorded after the first steps: units beside each other at one input."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch" if axis == 0 else "keras")
    shape = (96, 128)
    for name, alike in (("same", True), ("other", False)):
        values = RNG.normal(size=(1, shape[1])) if axis == 0 else RNG.normal(size=(shape[0], 1))
        both = np.broadcast_to(values, shape) + (0 if alike else 1e-3 * RNG.normal(size=shape))
        for step in range(4, 9):
            arrays = []
            for role in ("weight", "gradient", "updated"):
                whole = np.ascontiguousarray(both * step).astype("<f4").reshape(-1)
                kept = whole[positions(whole.size, 512)].tobytes()
                arrays.append(Array(role, f"{name}.weight", "float32", shape, 512, kept))
            found += sender.record(Recording(step + 10 * alike, arrays, {"loss": 1.0}, {"phase": "train"}))
    assert [one.subject.name for one in found if one.rule == "symmetric_units"] == ["same.weight"]


def test_a_zero_start_with_different_gradients_is_none() -> None:
    """A last layer that begins at zero (LoRA, residual branches) parts in its first step."""
    assert [one.rule for one in run(np.zeros((64, 32)))] == []


def test_equal_outputs_for_different_inputs() -> None:
    """Eight recorded steps with the same answer; a spread beyond rounding is an answer of its own."""
    found = run(GLOROT, output=np.full((32, 4), 0.3))[0]
    assert (found.rule, found.step, found.evidence["samples"]) == ("constant_output", 8, 32)
    assert run(GLOROT, output=np.full((32, 4), 0.3) + RNG.normal(size=(32, 4)) * 1e-4) == []


@pytest.mark.parametrize(("level", "dead", "says"), [(-10.0, 1.0, True), (-10.0, 0.3, False), (-0.2, 1.0, False)])
def test_biases_that_shut_a_layer_off(level: float, dead: float, says: bool) -> None:
    """Far from zero on one side, and nine in ten units dead in the first steps: both, or nothing is said."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    weight, bias = RNG.normal(size=(16, 8)) * 0.3, np.full(16, level)
    arrays = [array(role, "fc.weight", weight) for role in ("weight", "gradient")] + [array("weight", "fc.bias", bias)]
    found += sender.record(Recording(1, arrays, {"loss": 1.0}, {}))
    for i in range(2):
        shown = batch(i, TABLE, first=1 + 50 * i, steps=50, loss=1.0)
        shown.scalars["dead_units/fc"] = (np.array([0]), np.array([dead]))
        found += sender.steps(shown, TABLE)
    assert [one.subject.name for one in found if one.rule == "poor_init"] == (["fc.bias"] if says else [])


@pytest.mark.parametrize(("spread", "loss", "says"), [(30.0, np.nan, True), (0.1, np.nan, False), (30.0, 1.0, False)])
def test_weights_that_break_the_loss_at_once(spread: float, loss: float, says: bool) -> None:
    """Too large, and a loss that is no number by the third step: a program may end there."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    weights = spread * RNG.normal(size=(64, 32))
    arrays = [array("weight", "fc.kernel", weights), array("gradient", "fc.kernel", weights * 1e-3)]
    found += sender.record(Recording(1, arrays, {}, {"phase": "train"}))
    found += sender.steps(batch(0, TABLE, first=1, steps=3, loss=np.array([1.0, 1.0, loss])), TABLE)
    assert [(one.step, one.evidence["reason"]) for one in found if one.rule == "poor_init"] == [(3, "scale")] * says


@pytest.mark.parametrize(
    ("spread", "name", "loss", "says"),
    [
        (0.35, "rnn.weight_hh_l0", np.nan, True),
        (0.35, "rnn/cell/recurrent_kernel", np.nan, True),
        (0.35, "rnn.weight_hh_l0", 1.0, False),
        (0.15, "rnn.weight_hh_l0", np.nan, False),
        (0.35, "fc.kernel", np.nan, False),
    ],
)
def test_a_recurrence_that_amplifies(spread: float, name: str, loss: float, says: bool) -> None:
    """Of eigenvalues above 1, and a loss that is no number by the third step."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    weights = spread * np.random.default_rng(4).normal(size=(40, 40))
    arrays = [array("weight", name, weights), array("gradient", name, weights * 1e-3)]
    found += sender.record(Recording(1, arrays, {}, {"phase": "train"}))
    found += sender.steps(batch(0, TABLE, first=1, steps=3, loss=np.array([1.0, 9.0, loss])), TABLE)
    told = [(one.step, one.evidence["reason"]) for one in found if one.rule == "poor_init"]
    assert told == [(3, "recurrence")] * says


@pytest.mark.parametrize(
    ("samples", "kind", "flows", "says"),
    [
        (1, "BatchNormalization", 0.0, True),
        (1, "BatchNorm1d", 0.0, True),
        (1, "LayerNormalization", 0.0, False),
        (1, "BatchNormalization", 1e-3, False),
        (2, "BatchNormalization", 0.0, False),
    ],
)
def test_single_samples_of_which_batch_normalisation_leaves_nothing(
    samples: int, kind: str, flows: float, says: bool
) -> None:
    """In eight recorded steps; where there are positions to take a mean over, its factor has a gradient."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="keras")
    name = "bn.weight" if kind.endswith("1d") else "model/bn/gamma"
    layers = [{"name": "bn", "class": kind, "weights": [{"name": name}, {"name": "model/bn/beta"}]}]
    sender.manifest({"loss": {"class": "MeanSquaredError"}, "model": {"layers": layers}})
    for step in range(1, 9):
        arrays = [
            array("batch", "input0", RNG.normal(size=(samples, 3))),
            array("output", "output0", RNG.normal(size=(samples, 1))),
            array("target", "target0", RNG.normal(size=(samples, 1))),
            array("gradient", name, np.full(5, flows)),
        ]
        found += sender.record(Recording(step, arrays, {"loss": 1.0}, {"phase": "train", "training": "true"}))
    assert [one.step for one in found if one.rule == "constant_output"] == [8] * says
