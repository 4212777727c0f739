"""The cost of guessing, and where it is no measure."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.task import computed
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(
    ("kinds", "known"),
    [
        ([1.0, 0.0] * 10, False),
        ([0.9, 0.0] * 10, False),
        ([1.0] * 10 + [0.0] * 10, True),
        ([math.nan] * 20, True),
    ],
)
def test_batches_of_one_class_each_in_turn_make_chance_no_measure(kinds: list[float], known: bool) -> None:
    """A discriminator is shown real and generated samples in turn; sorted data turns once, mixed data is no turn."""
    rng = np.random.default_rng(0)
    auditor, tensors = RunAuditor(RUN), table()
    sender = Sender(auditor)
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    for step, kind in enumerate(kinds, 1):
        targets = rng.integers(0, 2, 32).astype(float) if math.isnan(kind) else np.full(32, kind)
        arrays = [array("output", "output0", np.zeros((32, 1))), array("target", "target0", targets[:, None])]
        sender.record(Recording(step, arrays, {"loss": math.log(2)}, {}))
    sender.steps(batch(0, tensors, first=1, steps=50, loss=np.full(50, math.log(2))), tensors)
    rule = next(one for one in auditor._lanes[0, 0].rules if one.id == "loss_oscillating")
    assert (rule.memory.cost.chance is not None) is known
    again = RunAuditor.from_state(json.loads(jsonfinite.dumps(auditor.to_state())))
    rule = next(one for one in again._lanes[0, 0].rules if one.id == "loss_oscillating")
    assert (rule.memory.cost.chance is not None) is known


def _chance(
    loss: dict[str, object], output: np.ndarray, target: np.ndarray, weights: np.ndarray | None, heard: float
) -> float:
    """The cost of guessing of a run whose rows count by ``weights`` and whose loss was ``heard``."""
    auditor, tensors = RunAuditor(RUN), table()
    sender = Sender(auditor)
    sender.start(framework="keras")
    sender.manifest({"loss": loss})
    for step in range(1, 6):
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        arrays += [] if weights is None else [array("batch", "sample_weight0", weights)]
        sender.record(Recording(step, arrays, {"loss": heard}, {}))
    sender.steps(batch(0, tensors, first=1, steps=50, loss=np.full(50, heard)), tensors)
    rule = next(one for one in auditor._lanes[0, 0].rules if one.id == "loss_diverging")
    return rule.memory.cost.chance or math.nan


def test_rows_that_count_more_change_what_guessing_costs() -> None:
    """Class weights that even out rare ones: the best constant answer is then in the middle, whatever the shares."""
    rare = (np.arange(40) % 10 == 0).astype(float)[:, None]
    weights = np.where(rare[:, 0] == 1, 5.0, 5 / 9)
    output = np.full((40, 1), 0.2)
    heard = float((weights * -np.log(np.where(rare[:, 0] == 1, 0.2, 0.8))).mean())
    binary = {"class": "BinaryCrossentropy", "from_logits": False}
    assert _chance(binary, output, rare, weights, heard) == pytest.approx(weights.mean() * math.log(2))
    plain = float(-np.log(np.where(rare[:, 0] == 1, 0.2, 0.8)).mean())
    assert _chance(binary, output, rare, np.ones(40), plain) == pytest.approx(0.325, abs=1e-3)


def test_weighted_classes_and_weighted_amounts() -> None:
    """A cross entropy of three classes of which one counts four times, and squares of which half count for nothing."""
    labels, output = np.arange(30) % 3, np.tile([0.2, 0.3, 0.5], (30, 1))
    weights = np.where(labels == 2, 4.0, 1.0)
    heard = float((weights * -np.log(output[np.arange(30), labels])).mean())
    shares = np.array([1, 1, 4]) / 6
    expected = weights.mean() * float(-(shares * np.log(shares)).sum())
    loss = {"class": "SparseCategoricalCrossentropy", "from_logits": False}
    assert _chance(loss, output, labels, weights, heard) == pytest.approx(expected)
    amounts, half = np.where(np.arange(30) < 15, np.arange(30) - 7.0, 500.0)[:, None], (np.arange(30) < 15) * 1.0
    squared = {"class": "MeanSquaredError", "name": "mean_squared_error"}
    heard = float((half * (amounts[:, 0] - 3) ** 2).mean())
    assert _chance(squared, np.full((30, 1), 3.0), amounts, half, heard) == pytest.approx(np.var(np.arange(15)) / 2)


@pytest.mark.parametrize("behind", ["logits", "clipped"])
@pytest.mark.parametrize("classes", [1, 4])
def test_outputs_at_their_ends_do_not_hide_what_guessing_costs(behind: str, classes: int) -> None:
    """Keras' loss comes of the logits that it keeps, or of probabilities that single precision has clipped."""
    rng, size = np.random.default_rng(3), 64
    logits = 40 * rng.standard_normal((size, classes))
    labels = rng.integers(0, max(2, classes), size)
    target = labels.astype(float)[:, None]
    if classes == 1:
        output = 1 / (1 + np.exp(-logits))
        each = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
        own = np.where(target == 1, output, 1 - output)
    else:
        top = logits - logits.max(axis=1, keepdims=True)
        output = np.exp(top) / np.exp(top).sum(axis=1, keepdims=True)
        own = output[np.arange(size), labels]
        each = np.log(np.exp(top).sum(axis=1)) - top[np.arange(size), labels]
    heard = float((each if behind == "logits" else -np.log(np.clip(np.float32(own), 1e-7, 1))).mean())
    loss = {"class": "BinaryCrossentropy" if classes == 1 else "SparseCategoricalCrossentropy", "from_logits": False}
    found = _chance({**loss, "reduction": "sum_over_batch_size"}, output.astype(np.float32), target, None, heard)
    shares = np.bincount(labels) / size
    assert found == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-6)


def test_the_formula_that_fits_to_the_last_digit_is_the_loss() -> None:
    """Half the squares of amounts around 1: Huber's loss is nearly that, by a factor nearer 1."""
    rng = np.random.default_rng(0)
    auditor, tensors = RunAuditor(RUN), table()
    sender = Sender(auditor)
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"class": "squared_error", "factor": 0.5}})
    wanted = []
    for step in range(1, 7):
        target = rng.standard_normal((100, 1))
        output = target + 0.55 * rng.standard_normal((100, 1))
        loss = float(((output - target) ** 2).mean() / 2)
        sender.record(
            Recording(step, [array("output", "output0", output), array("target", "target0", target)], {"loss": loss})
        )
        sender.steps(batch(0, tensors, first=step, steps=1, loss=np.full(1, loss)), tensors)
        wanted.append(target)
    memory = next(one for one in auditor._lanes[0, 0].rules if one.id == "loss_diverging").memory
    assert memory.cost.task.error == "squared"
    assert memory.cost.chance == pytest.approx(np.concatenate(wanted).var() / 2)


@pytest.mark.parametrize(
    ("targets", "measure"),
    [
        (np.r_[np.zeros(32), np.ones(32)], True),
        (np.r_[np.full(32, 0.1), np.full(32, 0.9)], True),  # smoothed
        (np.r_[0.05 * RNG.uniform(size=32), 1 - 0.05 * RNG.uniform(size=32)], False),  # a discriminator's, with noise
        (0.85 + 0.1 * RNG.uniform(size=64), False),  # its real ones alone
        (RNG.uniform(size=64), True),  # shares, or labels that were mixed
    ],
)
def test_guessing_is_no_measure_for_a_discriminator(targets: np.ndarray, measure: bool) -> None:
    """Its labels carry noise, or are of one class: at the cost of guessing it has met its match."""
    cost = Cost()
    outputs = np.full((64, 1), 0.5)
    loss = float(-(targets * np.log(0.5) + (1 - targets) * np.log(0.5)).mean())
    for _ in range(4):
        cost.task.observe(Scored("binary", False, outputs, targets[:, None], loss))
        cost.units.append(1.0)
    assert (cost.chance is not None) == measure


def test_answers_beyond_all_numbers_cost_infinity_without_a_warning() -> None:
    """Of a run that was lost: warnings are errors here."""
    lost = Scored("regression", None, np.full((8, 1), 1e200), np.zeros((8, 1)), np.inf)
    assert computed(lost, np.zeros((8, 1)))["squared"] == np.inf
