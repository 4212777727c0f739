from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.scored import Scored, inferred, output_gradient
from auditor.detect.evidence.task import Task
from auditor.detect.rule import dump, load
from auditor.detect.rules.loss.learning import LossNotDecreasing
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.course import CHANCE, LABELS, VALUES, Course, logits, noisy, of, recording
from support.lanes import Sender, array

RULE = LossNotDecreasing.id


def said(losses: Any, kind: str = "classes", **more: Any) -> list[Any]:
    """What the rule says of a run that goes on."""
    return of(Course(kind).tell(losses, **more), RULE)


@pytest.mark.parametrize(("kind", "chance"), [("classes", CHANCE), ("values", float(VALUES.var()))])
def test_a_loss_flat_at_the_cost_of_guessing_is_named_with_that_cost(kind: str, chance: float) -> None:
    """Entropy of the labels, variance of the targets: the evidence says which number it was held against."""
    [found] = said(noisy(1.0 * chance, 0.01), kind)
    assert (found.step, found.evidence["proof"]) == (400, "chance")
    assert found.evidence["chance"] == pytest.approx(chance, rel=0.01)
    assert found.evidence["level"] == pytest.approx(chance, rel=0.01)


@pytest.mark.parametrize(
    ("kind", "held_out", "said_so"),
    [("classes", 0.9, 0), ("classes", 0.995, 1), ("values", 0.9, 1), ("values", 0.5, 0)],
)
def test_data_held_out_that_is_answered_better_than_by_guessing_was_learnt(
    kind: str, held_out: float, said_so: int
) -> None:
    """A weak signal under dropout: the training loss stays at guessing, that of the evaluation does not."""
    chance = CHANCE if kind == "classes" else float(VALUES.var())
    scalars = {"val_loss": {step: held_out * chance * (1 + 1e-4 * step) for step in range(50, 401, 50)}}
    assert len(said(noisy(1.0 * chance, 0.01), kind, scalars=scalars)) == said_so


@pytest.mark.parametrize(("same", "said_so"), [(True, 1), (False, 0)])
def test_passes_that_begin_anew_learn_nothing(same: bool, said_so: int) -> None:
    """Data held out is answered better than by guessing, by the very same loss after each pass: a new model each."""
    scalars = {"val_loss": {step: 0.8 * CHANCE + (0 if same else 1e-6 * step) for step in range(50, 401, 50)}}
    found = of(Course().tell(noisy(CHANCE, 0.02), scalars=scalars), "loss_not_decreasing")
    assert len(found) == said_so


def test_a_scaled_loss_is_held_against_its_own_units() -> None:
    """A gradient scaler's recorded loss is 65,536 times the one heard: guessing costs the same."""
    [found] = said(noisy(CHANCE, 0.01), scale=65536.0)
    assert found.evidence["chance"] == pytest.approx(CHANCE, rel=0.01)
    assert said(noisy(0.5 * CHANCE, 0.01), scale=65536.0) == []


def test_the_penalty_is_no_part_of_it() -> None:
    """A loss that falls by its penalty alone has learnt nothing of the data."""
    penalty = np.geomspace(50, 1, 400)
    data = noisy(CHANCE, 0.01)
    told = {"loss/data": dict(enumerate(data.tolist(), 1)), "loss/penalty": dict(enumerate(penalty.tolist(), 1))}
    course = Course()
    course.kind = ""
    assert of(course.tell(data + penalty, scalars=told), RULE) == []  # nothing was recorded: no cost is known
    memory = course.sender.auditor._lanes[0, 0].rules
    rule = next(one for one in memory if one.id == RULE)
    assert rule.memory.plateau.losses.last[-1] == pytest.approx(data[-1])


@pytest.mark.parametrize(
    "losses",
    [
        noisy(0.9 * CHANCE, 0.01),  # a floor below guessing: label noise, a converged run
        noisy(np.linspace(1.2 * CHANCE, 0.3, 400), 0.02),  # it learns
        np.concatenate([noisy(CHANCE, 0.002, 350), noisy(np.geomspace(CHANCE, 0.01, 250), 0.02, 250)]),  # XOR
        np.concatenate([noisy(0.3, 0.02, 200), noisy(CHANCE, 0.01, 400)]),  # lost again: another rule's
        noisy(CHANCE, 0.01, 390),  # too early to tell
        noisy(-3.0, 0.05, 600),  # no loss that is known
    ],
)
def test_what_is_healthy_or_not_known_is_left_alone(losses: np.ndarray) -> None:
    """Floors, early plateaus, late starts, and what belongs to another rule."""
    kind = "" if losses[0] < 0 else "classes"
    assert said(losses, kind) == []


def test_a_slow_fall_above_guessing_would_never_come_there() -> None:
    """Targets in dollars: fifty times the variance, falling by a thousandth."""
    [found] = said(noisy(np.linspace(50.0, 49.0, 450), 0.03, 450), "values")
    assert found.evidence["steps_needed"] > 4 * 400
    assert said(noisy(np.linspace(50.0, 2.0, 450), 0.001, 450), "values") == []


@pytest.mark.parametrize("learnt", [False, True])
def test_the_lowest_of_many_noisy_losses_is_low_by_chance(learnt: bool) -> None:
    """Heavy tails: stretches lie a tenth below guessing though nothing was learnt; what surely lay there counts."""
    chance = float(VALUES.var())
    rng, batches = np.random.default_rng(2), np.random.default_rng(3).gamma(3, 1 / 3, 20)
    losses = chance * np.concatenate([rng.permutation(batches / batches.mean()) for _ in range(60)])
    low = [float(np.median(losses[at : at + 25])) for at in range(0, 1200, 25)]
    assert min(low) < 0.9 * chance
    losses[:100] *= 0.3 if learnt else 1.0
    assert len(said(losses, "values")) == (0 if learnt else 1)


def test_a_fall_beyond_the_noise_gets_more_patience() -> None:
    """A smooth plateau that creeps down may be one before the fall; 1,600 steps of it are too many."""
    creeping = np.linspace(1.006, 0.99, 1700) * CHANCE
    assert said(creeping[:1550]) == []
    assert [one.step for one in said(creeping)] == [1600]


def test_a_run_that_ended_at_chance_is_judged_by_what_there_is() -> None:
    """150 steps say nothing while it goes on; as the whole of a run they do. Fewer than 100 never."""
    course = Course()
    assert of(course.tell(noisy(CHANCE, 0.01, 150)), RULE) == []
    [found] = of(course.end(), RULE)
    assert (found.step, found.evidence["proof"]) == (150, "chance")
    assert course.end() == []
    short = Course()
    short.tell(noisy(CHANCE, 0.01, 90))
    assert of(short.end(), RULE) == []
    healthy = Course()
    healthy.tell(noisy(np.linspace(CHANCE, 0.5, 150), 0.01, 150))
    assert of(healthy.end(), RULE) == []


def test_a_warm_up_is_waited_for() -> None:
    """As long as the learning rate rises a flat loss is what one expects."""
    assert said(noisy(CHANCE, 0.01), lr=np.linspace(1e-6, 1e-3, 400)) == []


@pytest.mark.parametrize("frame", [7, 40, 400])
def test_the_step_does_not_depend_on_how_steps_are_framed(frame: int) -> None:
    """Judged after every 25 losses, wherever the sender cut."""
    losses = noisy(CHANCE, 0.01, 500)
    assert [one.step for one in said(losses, frame=frame)] == [400]


def test_the_cost_survives_as_json() -> None:
    """A daemon may keep it."""
    course = Course()
    course.tell(noisy(CHANCE, 0.01, 60))
    rule = next(one for one in course.sender.auditor._lanes[0, 0].rules if one.id == RULE)
    kept = json.loads(jsonfinite.dumps(dump(rule.memory.cost)))
    again = load(Cost, kept)
    assert again.chance == pytest.approx(rule.memory.cost.chance)
    assert again.chance == pytest.approx(CHANCE, rel=0.01)


def test_another_kind_of_target_is_another_task() -> None:
    """Pretraining on amounts, then classes: the first targets say nothing of what guessing costs."""
    cost, rng = Cost(), np.random.default_rng(0)
    cost.task.observe(Scored("regression", None, rng.normal(size=(64, 1)), rng.normal(size=(64, 1)), 2.0))
    cost.task.observe(Scored("categorical", True, rng.normal(size=(64, 3)), np.arange(64) % 3.0, 1.5))
    assert (cost.task.family, len(cost.task.targets)) == ("categorical", 64)
    assert cost.guess == pytest.approx(np.log(3), rel=0.01)
    assert list(cost.task.ratios) == ["entropy"]


def test_classes_that_come_later_leave_the_cost_of_guessing_open() -> None:
    """Class-incremental learning; classes that come and go are one data set in an order."""
    rng = np.random.default_rng(0)

    def told(classes: list[int], task: Task) -> None:
        labels = rng.choice(classes, 64).astype(float)
        logits = np.zeros((64, 6))
        task.observe(Scored("categorical", True, logits, labels, float(np.log(6))))

    growing, sorted_ = Task(), Task()
    for _ in range(5):
        told([0, 1], growing)
        told([0, 1], sorted_)
    assert growing.chance == pytest.approx(np.log(2), rel=0.05)
    told([0, 1, 2, 3], growing)
    told([2, 3], sorted_)
    assert growing.late == [2.0, 3.0]
    assert growing.chance is None
    told([0, 1], sorted_)
    assert sorted_.late == []
    assert sorted_.chance is not None


def test_targets_that_are_all_alike_cost_nothing_to_guess() -> None:
    """A GAN's real images are all ones: no measure of anything."""
    cost = Cost()
    cost.task.family, cost.task.classes = "binary", 1
    cost.task.targets, cost.task.scales, cost.units = np.ones(64), [1.0] * 3, [1.0] * 3
    assert cost.chance is None
    cost.task.targets = np.arange(64) % 2.0
    assert cost.chance == pytest.approx(np.log(2))


def test_losses_with_and_without_a_penalty_are_no_one_series() -> None:
    """Parts that are told for the first 20 steps only: what follows is not held against them."""
    parts = {"loss/data": dict.fromkeys(range(1, 21), CHANCE), "loss/penalty": dict.fromkeys(range(1, 21), 100.0)}
    found = Course().tell(noisy(np.r_[np.full(20, 1.0), np.full(380, 60.0)] * CHANCE, 0.01), scalars=parts)
    assert of(found, RULE, "loss_diverging") == []


def test_outputs_that_the_loss_did_not_take_tell_nothing() -> None:
    """A contrastive loss compares outputs with each other: its labels are rows, not classes."""
    sender, found = Sender(RunAuditor(RUN)), []
    fact = {"operation": "CrossEntropy", "output_shape": [64, 64], "graph": [{"op": "LogSoftmax", "inputs": [1]}]}
    for step in range(1, 8):
        arrays = [array("output", "output0", np.eye(64)[:, :16]), array("target", "loss.target", np.arange(64))]
        found += sender.record(Recording(step, arrays, {"loss": 4.0}, {"loss": fact}))
    assert found == []


@pytest.mark.parametrize(
    ("name", "measure"),
    [("MeanAbsoluteError", np.abs), ("Huber", lambda off: np.where(abs(off) <= 1, off**2 / 2, abs(off) - 0.5))],
)
def test_guessing_costs_what_the_loss_measures(name: str, measure: Any) -> None:
    """Absolute and Huber errors are told from squared ones by the losses of three recordings."""
    rng, cost = np.random.default_rng(5), Cost()
    targets = rng.normal(size=(400, 1)) * 3
    for _ in range(4):
        off = rng.normal(size=(400, 1)) * rng.uniform(0.5, 2)
        cost.task.observe(Scored("regression", None, targets + off, targets, 0.5 * float(measure(off).mean())))
    best = min(float(measure(targets - at).mean()) for at in (targets.mean(), np.median(targets)))
    assert cost.task.chance == pytest.approx(0.5 * best), name


@pytest.mark.parametrize(
    ("applied", "level", "expected"), [(False, 1.0, True), (True, 1.0, False), (False, 0.3, False)]
)
def test_a_loss_that_was_never_scaled(applied: bool, level: float, expected: bool) -> None:
    """The optimizer divides by a scale that the loss does not have: what is heard of it is that much too small."""
    course, losses = Course(), noisy(level * CHANCE, 0.01)
    for step in (1, 2, 3, 4, 5, 50):
        course.sender.record(recording(step, float(losses[step - 1]), "classes"))
    course.kind = ""  # recorded already
    heard = losses if applied else losses / 1024
    found = course.tell(heard, lr=0.01, scalars={"grad_scale": dict.fromkeys(range(1, 401), 1024.0)})
    told = [one.evidence["scale"] for one in of(found, "learning_rate")]
    assert told == ([1024.0] if expected else [])


def test_a_schedule_that_came_to_nothing_is_named() -> None:
    """Ten steps' worth of rate, then none: said while the loss is that of guessing, not of a slow decay."""
    decay = 0.01 * 0.9 ** np.arange(400)
    found = of(Course().tell(noisy(CHANCE, 0.01), lr=decay), "learning_rate")
    assert [one.step for one in found] == [150]
    assert found[0].evidence["spent"] == pytest.approx(10, rel=0.01)
    assert of(Course().tell(noisy(CHANCE, 0.01), lr=0.01 * 0.99 ** np.arange(400)), "learning_rate") == []
    assert of(Course().tell(noisy(0.3 * CHANCE, 0.01), lr=decay), "learning_rate") == []


@pytest.mark.parametrize(
    ("family", "logits", "loss"),
    [
        ("categorical", True, lambda z, y: float(-np.log(softmax(z)[np.arange(64), y]).mean())),
        ("binary", True, lambda z, y: float((np.log1p(np.exp(z)) - z * np.eye(4)[y]).mean())),
        ("regression", None, lambda z, y: float(0.5 * ((z - np.eye(4)[y]) ** 2).mean())),
        ("", None, lambda z, y: float(((z - np.eye(4)[y]) ** 4).mean())),
    ],
)
def test_a_loss_that_nobody_named_is_known_by_its_value(family: str, logits: bool | None, loss: Any) -> None:
    """Written out by hand: the formula that gives just the recorded loss."""
    rng = np.random.default_rng(2)
    outputs, labels = rng.normal(size=(64, 4)), rng.integers(0, 4, 64)
    assert inferred(Scored("", None, outputs, np.eye(4)[labels], loss(outputs, labels))) == (family, logits)


def test_probabilities_are_told_from_logits_by_the_loss() -> None:
    """The same outputs, once as they are and once squashed again."""
    rng = np.random.default_rng(2)
    outputs, labels = softmax(rng.normal(size=(64, 4))), rng.integers(0, 4, 64)
    for taken, rows in ((False, outputs), (True, softmax(outputs))):
        loss = float(-np.log(rows[np.arange(64), labels]).mean())
        assert inferred(Scored("", None, outputs, labels.astype(float), loss)) == ("categorical", taken)


@pytest.mark.parametrize("family", ["categorical", "binary", "regression"])
def test_the_gradient_of_the_last_bias_follows_from_outputs_and_targets(family: str) -> None:
    """Against differences of the loss itself."""
    rng = np.random.default_rng(4)
    outputs, labels = rng.normal(size=(64, 3)), rng.integers(0, 3, 64)
    targets = np.eye(3)[labels]

    def loss(bias: Any) -> float:
        z = outputs + bias
        if family == "categorical":
            return float(-np.log(softmax(z)[np.arange(64), labels]).mean())
        return float(
            ((z - targets) ** 2).mean() if family == "regression" else (np.log1p(np.exp(z)) - z * targets).mean()
        )

    seen = Scored(family, True if family != "regression" else None, outputs, targets, loss(0.0))
    expected = [(loss(1e-5 * axis) - loss(-1e-5 * axis)) / 2e-5 for axis in np.eye(3)]
    assert output_gradient(seen, "linear") == pytest.approx(expected, rel=1e-5)


def softmax(logits: Any) -> Any:
    """Rows of probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_one_recording_will_do_where_the_loss_is_just_the_formula() -> None:
    """A run that breaks within three steps: guessing costs the entropy; a scaled loss, and a regression, need three."""
    for scale, known in ((1.0, True), (32.0, False)):
        cost = Cost()
        cost.task.observe(Scored("categorical", True, logits(1.0), LABELS.astype(float), scale))
        assert (cost.task.chance is not None) is known
    cost.task = Task()
    cost.task.observe(Scored("regression", None, np.ones((32, 1)), np.zeros((32, 1)), 1.0))
    assert cost.task.chance is None


@pytest.mark.parametrize(
    ("size", "ends_at", "expected"),
    [(4e-6, 1e-4, True), (4e-6, 2e-11, False), (1.0, 60.0, False)],
    ids=["lost beside the answers", "near enough", "of size 1"],
)
def test_targets_that_are_nothing_beside_the_answers(size: float, ends_at: float, expected: bool) -> None:
    """A run that ended far above the cost of guessing, fast as it fell: all of it went into answering 0."""
    rng, tensors, sender = np.random.default_rng(6), table(), Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "MeanSquaredError"}})
    levels = np.geomspace(1e3 * ends_at, ends_at, 300)
    found: list[Any] = []
    for step in (1, 2, 3, 4, 5, 50, 100, 200):
        target = size * rng.normal(size=(64, 1))
        output = target + np.sqrt(levels[step - 1]) * rng.normal(size=(64, 1))
        loss = levels[step - 1] = float(((output - target) ** 2).mean())
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        found += sender.record(Recording(step, arrays, {"loss": loss}, {}))
    for first in range(0, 300, 50):
        found += sender.steps(batch(0, tensors, first=first + 1, steps=50, loss=levels[first : first + 50]), tensors)
    assert of(found, RULE) == []
    proofs = [one.evidence["proof"] for one in of(sender.auditor.ended(0, 0, "finished"), RULE)]
    assert proofs == ["small"] * expected
