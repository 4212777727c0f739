from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import StepBatch
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(5)
CHANCE = float(np.log(3))


def run(
    inputs: Any,
    loss: Any,
    saturated: float | None = None,
    layers: Any = (),
    units: Any = None,
    *,
    right: float = 1 / 3,
    late: int = 0,
) -> list[Finding]:
    """What is said of a three-class run of these inputs and losses, a saturated layer, and the first layer's units.

    ``right``: the part of the answers that are right. ``late``: frame of 50 steps that first tells the saturation.
    """
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="keras")
    manifest = {"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": False}, "model": {"layers": layers}}
    sender.manifest(manifest)
    labels, output = np.arange(len(inputs)) % 3, np.full((len(inputs), 3), 1 / 3)
    answered = np.arange(len(inputs)) < right * len(inputs)
    output[np.arange(len(inputs)), np.where(answered, labels, (labels + 1) % 3)] += 1e-6
    for step in range(1, 5):
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", output),
            array("target", "target0", labels),
        ]
        facts: dict[str, Any] = {}
        if units is not None:
            arrays.append(array("units", "first", np.repeat(units, 4).reshape(4, 4).astype("float32")))
            facts["layers"] = [{"name": "first", "kind": layers[-1]["class"]}]
        found += sender.record(Recording(step, arrays, {"loss": CHANCE}, facts))
    for i in range(3):
        steps = np.arange(50 * i, 50 * i + 50)  # the recorded steps were heard as they were recorded
        made = batch(
            i, tensors, first=50 * i, steps=50, loss=np.where(steps < 5, CHANCE, np.broadcast_to(loss, 150)[steps])
        )
        if saturated is not None and i >= late:
            made = _with(made, "saturated/dense", saturated)
        found += sender.steps(made, tensors)
    return [one for one in found if one.rule == "input_scale"]


def _with(made: StepBatch, name: str, value: float) -> StepBatch:
    made.scalars[name] = (np.array([0]), np.array([value]))
    return made


RAW = RNG.normal(size=(30, 4)) * [1, 300, 1, 2] + [0, 700, 3, 0]
NORMAL = RNG.normal(size=(30, 4))
ONE_WIDE = NORMAL * [1, 1, 500, 1] / 100


def test_raw_inputs_that_do_harm_are_named() -> None:
    """A loss that stays that of guessing, or a saturated layer."""
    [stuck] = run(RAW, CHANCE)
    assert "is 100% of guessing's" in stuck.evidence["what"]
    [full] = run(RAW, 0.1, saturated=0.8)
    assert "dense" in full.evidence["what"]
    assert [one.evidence["spread"] > 100 for one in run(ONE_WIDE, CHANCE)] == [True]


@pytest.mark.parametrize(
    ("inputs", "loss", "saturated"),
    [
        (RAW, 0.2, None),
        (RAW, 0.2, 0.1),
        (NORMAL, CHANCE, None),
        (NORMAL, 0.1, 0.9),
        (RNG.integers(0, 2, (30, 8)), CHANCE, None),
    ],
)
def test_without_harm_or_without_cause_it_is_silent(inputs: Any, loss: float, saturated: float | None) -> None:
    """Raw inputs that train well; normalised and binary ones that do not, for another reason."""
    assert run(inputs, loss, saturated) == []


def test_indices_are_no_amounts() -> None:
    """Token ids of a model with an embedding have no scale."""
    tokens = RNG.integers(0, 5000, (30, 12))
    assert run(tokens, CHANCE, layers=[{"class": "Embedding", "name": "embedding"}]) == []
    assert len(run(tokens, CHANCE)) == 1


@pytest.mark.parametrize("before", [[], [{"class": "InputLayer"}, {"class": "Flatten"}]])
def test_a_layer_that_normalises_within_the_model_is_asked(before: Any) -> None:
    """Mean 0 and spread 1 come out of one that was adapted; raw amounts out of one that was not."""
    layers = [*before, {"class": "Normalization", "name": "first"}]
    assert run(RAW, CHANCE, layers=layers, units=[0.0, 1.0, -2.0, 2.0]) == []
    assert len(run(RAW, CHANCE, layers=layers, units=[300.0, 200.0, -9.0, 900.0])) == 1
    assert len(run(RAW, CHANCE, layers=[{"class": "Dense", "name": "first"}], units=[0.0, 1.0, -2.0, 2.0])) == 1


def test_a_loss_that_is_high_but_falls_is_waited_for() -> None:
    """Ten times the cost of guessing on its way down; where it stops above, it is said."""
    falling = CHANCE * np.linspace(10, 2, 150)
    assert run(RAW, falling) == []
    assert len(run(RAW, np.full(150, 2 * CHANCE))) == 1


@pytest.mark.parametrize(("loss", "said"), [(0.1, 0), (0.8, 1)])
def test_a_saturated_layer_of_a_run_that_has_learnt_does_no_harm(loss: float, said: int) -> None:
    """Raw inputs at the ends of a tanh, and most is learnt by the time they are looked at."""
    assert len(run(RAW, loss, saturated=0.8, late=1)) == said


@pytest.mark.parametrize(("right", "said"), [(1 / 3, 1), (0.5, 1), (0.8, 0)])
def test_a_high_loss_of_answers_that_are_right_is_none_of_guessing(right: float, said: int) -> None:
    """Large inputs make sure answers: a few wrong ones cost more than guessing, and the run learns."""
    assert len(run(RAW, np.full(150, 1.1 * CHANCE), right=right)) == said


@pytest.mark.parametrize(("last", "said"), [(0.9, 0), (1.0, 1)])
def test_a_noisy_loss_that_falls_over_the_whole_run_is_on_its_way(last: float, said: int) -> None:
    """No stretch of 64 losses surely falls; their order over all does, and how fast."""
    noise = np.exp(0.1 * np.random.default_rng(1).normal(size=150))
    course = np.concatenate([np.full(50, 1.6), np.linspace(1.6 if not said else 1.0, last, 100)])
    assert len(run(RAW, CHANCE * course * noise)) == said


def test_inputs_that_are_all_but_zero() -> None:
    """Scaled twice, and the loss stays; one element of a common size, or a loss that falls, is no fault."""
    pixels = RNG.integers(0, 256, (30, 64)) / 255.0
    [faint] = run(pixels / 255, CHANCE)
    assert "is 100% of guessing's" in faint.evidence["what"]
    assert run(pixels / 255, 0.1) == []
    assert run(pixels / 255, 0.1, saturated=0.8) == []
    assert run(pixels, CHANCE) == []
    words = (RNG.random((30, 2000)) < 0.01) * 1.0
    assert run(words / np.linalg.norm(words, axis=1, keepdims=True), CHANCE) == []


def evaluated(trained: float, evaluation: float, loss: float, *, now: float = 0.4, samples: int = 16) -> list[Finding]:
    """Six recorded steps of inputs of size ``trained``, then three evaluations; ``now``: training's loss."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="torch")
    for step in range(1, 7):
        inputs = trained * RNG.normal(size=(samples, 5))
        found += sender.record(Recording(step, [array("batch", "input0", inputs)], {"loss": now}, {}))
    found += sender.steps(batch(0, tensors, first=1, steps=60, loss=now), tensors)
    for step in (20, 40, 60):
        arrays = [array("batch", "input0", evaluation * RNG.normal(size=(samples, 5)))]
        facts = {"phase": "eval", "training": "false"}
        found += sender.record(Recording(step, arrays, {"loss": loss}, facts, phase="eval"))
    return [one for one in found if one.rule == "input_scale"]


@pytest.mark.parametrize(("trained", "evaluation"), [(1.0, 30.0), (0.3, 2.0), (5.0, 0.4)])
def test_evaluation_on_data_that_was_prepared_in_another_way(trained: float, evaluation: float) -> None:
    """Raw where training is scaled, or the other way; said at the second evaluation."""
    [found] = evaluated(trained, evaluation, 1.5)
    assert found.step == 40
    assert found.evidence["evaluated"] / found.evidence["trained"] == pytest.approx(evaluation / trained, rel=0.3)
    assert found.evidence["fault"].startswith("Evaluation has inputs of root mean square")


def test_evaluations_of_the_same_scale_or_without_harm() -> None:
    """Somewhat wider data, an evaluation that does as well as training, and batches too small to tell."""
    assert evaluated(1.0, 2.0, 1.5) == []
    assert evaluated(1.0, 30.0, 0.6) == []
    assert evaluated(1.0, 30.0, 1.5, samples=4) == []


def answered(inputs: Any, outputs: Any, *, steps: int = 10, late: Any = None) -> list[str]:
    """Rules that speak of recorded steps with these inputs, all answered so; ``late``: the first two steps' answer."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": False}})
    for step in range(1, steps + 1):
        given = late if late is not None and step <= 2 else outputs
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", np.broadcast_to(given, (len(inputs), 3)).astype("float32")),
            array("target", "target0", np.arange(len(inputs)) % 3),
        ]
        found += sender.record(Recording(step, arrays, {"loss": 10.0}, {}))
    return [one.rule for one in found if one.rule in {"input_scale", "constant_output"}]


def test_one_certain_answer_from_the_first_step_is_due_to_large_inputs() -> None:
    """Not if the inputs are normalised, the answer is unsure (zero weights), or the weights came there by training."""
    sure, unsure = [1e-30, 1.0, 0.0], [0.2, 0.5, 0.3]
    assert "input_scale" in answered(RAW, sure)
    assert "input_scale" not in answered(NORMAL, sure)
    assert "input_scale" not in answered(RAW, unsure)
    assert "input_scale" not in answered(RAW, sure, steps=7)
    spread = np.eye(3)[np.arange(len(RAW)) % 3]
    assert "input_scale" not in answered(RAW, sure, late=spread)
    assert set(answered(NORMAL, sure)) == {"constant_output"}


@pytest.mark.parametrize(
    ("hole", "start", "late", "said"),
    [(-9999.0, 1e5, 0.8, 1), (-9999.0, 1e5, 0.2, 0), (-9999.0, 2.0, 0.8, 0), (3.0, 1e5, 0.8, 0)],
    ids=["a value for missing ones", "got over it", "did no harm", "ordinary inputs"],
)
def test_a_run_that_large_inputs_threw_off(hole: float, start: float, late: float, said: int) -> None:
    """First losses far beyond guessing's, and half of that cost still there after 200 steps; one batch has no hole."""
    rng, tensors, found = np.random.default_rng(8), table(), []
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"name": "squared_error"}})
    levels = np.concatenate([np.geomspace(start, late, 40), np.full(210, late)])
    for step in range(1, 11):
        inputs, target = rng.normal(size=(32, 4)), rng.normal(size=(32, 1))
        inputs[:2, 1] = hole if step != 4 else 0.0
        output = target + np.sqrt(levels[step - 1])
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", output),
            array("target", "target0", target),
        ]
        found += sender.record(Recording(step, arrays, {"loss": float(levels[step - 1])}, {"phase": "train"}))
    for i in range(5):
        found += sender.steps(batch(i, tensors, first=1 + 50 * i, steps=50, loss=levels[50 * i : 50 * i + 50]), tensors)
    found = [one for one in found if one.rule == "input_scale"]
    assert [(one.step, one.evidence["size"] > 100) for one in found] == [(200, True)] * said


@pytest.mark.parametrize(
    ("widest", "size", "start", "said"),
    [(3e3, 1.0, 20.0, 1), (3e3, 1.0, 3.0, 0), (30.0, 30.0, 20.0, 0), (3e3, 1.0, 1.0, 0)],
    ids=["thrown off", "hardly", "all columns alike", "not at all"],
)
def test_columns_in_units_of_their_own_need_less_of_a_throw(
    widest: float, size: float, start: float, said: int
) -> None:
    """Five times the cost of guessing (1) at first, and more than half of it left; falling below guessing since."""
    rng, tensors, found = np.random.default_rng(9), table(), []
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"name": "squared_error"}})
    levels = np.concatenate([np.full(20, start), np.linspace(0.8, 0.7, 230)])
    for step in range(1, 16):
        inputs, target = rng.normal(size=(64, 5)) * [widest, size, size, size, size], rng.normal(size=(64, 1))
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", target + np.sqrt(levels[step - 1])),
            array("target", "target0", target),
        ]
        found += sender.record(Recording(step, arrays, {"loss": float(levels[step - 1])}, {"phase": "train"}))
    found += sender.steps(batch(0, tensors, first=1, steps=250, loss=levels), tensors)
    assert len([one for one in found if one.rule == "input_scale"]) == said


@pytest.mark.parametrize(
    ("scale", "moved", "late", "said"),
    [
        (1.0, 3.0, np.nan, 0),
        (300.0, 3.0, np.nan, 1),
        (300.0, 0.01, np.nan, 0),
        (300.0, 3.0, 1e9, 1),
        (300.0, 3.0, 9.0, 0),
    ],
    ids=["ordinary inputs", "lost", "steps that were small", "a loss that left", "a loss that came back"],
)
def test_first_steps_that_large_inputs_make_too_large(scale: float, moved: float, late: float, said: int) -> None:
    """The steps moved the weights by more than themselves, and by the tenth the loss is none any more."""
    rng, tensors, sender, found = np.random.default_rng(2), table(), Sender(RunAuditor(RUN)), []
    sender.start(framework="tensorflow")
    weight = rng.normal(size=(4, 8))
    for step in range(1, 4):
        arrays = [array("batch", "input0", scale * rng.normal(size=(16, 4)))]
        arrays += [
            array("weight", "w", weight),
            array("gradient", "w", weight),
            array("updated", "w", (1 + moved) * weight),
        ]
        found += sender.record(Recording(step, arrays, {"loss": 2.0}, {"phase": "train"}))
    found += sender.steps(batch(0, tensors, first=1, steps=30, loss=np.array([2.0] * 9 + [late] * 21)), tensors)
    assert [one.step for one in found if one.rule == "input_scale"] == [10] * said


@pytest.mark.parametrize(
    ("value", "apart", "width", "said"), [(0.0, 0.0, 4, 1), (7.0, 0.0, 9, 1), (0.0, 0.1, 4, 0), (1.0, 0.0, 1, 0)]
)
def test_inputs_that_are_one_sample_again_and_again(value: float, apart: float, width: int, said: int) -> None:
    """Pixels divided as whole numbers are zeros; said at the eighth recorded step, not if one element differs."""
    inputs = np.full((30, width), value)
    inputs[3, 0] += apart
    assert answered(inputs, [0.2, 0.5, 0.3], steps=9).count("input_scale") == said
    assert answered(inputs, [0.2, 0.5, 0.3], steps=7).count("input_scale") == 0
