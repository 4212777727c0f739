from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.settled import settled
from auditor.detect.facts import RunFacts
from auditor_agent.stream.recording import Recording
from support.course import CHANCE, LABELS, Course, logits, noisy, of
from support.lanes import array


def epochs(values: Any, every: int = 20) -> dict[int, float]:
    """A value at the end of each epoch of ``every`` steps."""
    return {every * (i + 1): float(value) for i, value in enumerate(values)}


def overfit(values: Any, losses: Any = None, name: str = "val_loss") -> list[Any]:
    """What is said of these evaluations, of a training loss that falls unless given."""
    steps = 20 * len(values)
    losses = noisy(np.geomspace(1.0, 0.01, steps), 0.05, steps) if losses is None else losses
    return of(Course().tell(losses, scalars={name: epochs(values)}), "overfitting")


RISING = [1.0, 0.8, 0.7, 0.65, 0.7, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4]


def test_a_validation_loss_that_rises_and_stays_up() -> None:
    """Said once the last five lie beyond the limit; with the best, its place, and both training losses."""
    [found] = overfit(RISING)
    evidence = found.evidence
    assert (found.step, evidence["best"], evidence["best_at"]) == (200, 0.65, 4)
    assert evidence["training_now"] < 0.9 * evidence["training_then"]
    assert 0.65 + 0.5 * 0.35 <= evidence["limit"] < 0.9


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 0.6, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45, 0.46, 0.47],  # a tenth of what was gained
        [1.0, 0.5, 0.9, 0.4, 0.8, 0.3, 0.7, 0.35, 0.8, 0.3, 0.7],  # a noisy set of few samples
        [1.0, 0.8, 0.7, 1.4, 1.5, 0.65, 0.6, 0.55, 0.5, 0.45],  # a bump
        np.linspace(1.0, 0.2, 12),
        [1.0, 0.5, 0.9, 1.2, 1.3],  # too few
        [float("nan")] * 12,
    ],
)
def test_noise_bumps_and_small_rises_are_no_overfitting(values: Any) -> None:
    """A patience of one would fire on most of these."""
    assert overfit(values) == []


def test_training_must_have_gone_on_improving() -> None:
    """Where both rise something else is wrong."""
    assert overfit(RISING, losses=noisy(1.0, 0.05, 220)) == []


def test_a_validation_loss_below_that_of_training_is_no_overfitting() -> None:
    """Weighted classes make two losses of one: validation's rises as training's falls, far above it."""
    assert overfit(RISING, losses=noisy(np.geomspace(10.0, 2.0, 220), 0.05, 220)) == []


@pytest.mark.parametrize(("down_to", "told"), [(1e-4, 1), (0.1, 0)])
def test_data_that_was_learnt_by_heart_needs_less_of_a_rise(down_to: float, told: int) -> None:
    """A fifth above a best that was little better than the first, the noise in the targets being most of it."""
    values, steps = [1.1, 1.0, *np.linspace(1.0, 1.18, 6), *[1.18, 1.19, 1.18, 1.19, 1.18, 1.19]], 280
    losses = noisy(np.geomspace(1.0, down_to, steps), 0.05, steps)
    assert len(overfit(values, losses=losses)) == told


def test_of_a_score_more_is_better() -> None:
    """scikit-learn's validation score falls from 0.9 to 0.6; a fall by 0.05 is nothing."""
    falling = [0.5, 0.7, 0.9, 0.85, 0.6, 0.6, 0.58, 0.6, 0.57, 0.6]
    [found] = overfit(falling, name="val_score")
    assert (found.evidence["best"], found.evidence["best_at"]) == (0.9, 3)
    assert overfit([0.5, 0.7, 0.9, *[0.85] * 8], name="val_score") == []


def test_a_new_best_ends_it() -> None:
    """Double descent."""
    assert [one.cleared for one in overfit([*RISING, 0.9, 0.7, 0.5])] == [False, True]


def chance(accuracy: Any, losses: Any = None, name: str = "val_accuracy", **more: Any) -> list[Any]:
    """What is said of these accuracies, of 40 steps each."""
    steps = 40 * len(accuracy)
    losses = noisy(CHANCE, 0.01, steps) if losses is None else losses
    return of(Course().tell(losses, scalars={name: epochs(accuracy, 40)}, **more), "metric_chance")


def test_accuracy_at_the_commonest_class() -> None:
    """Four classes and a quarter of the answers right, five epochs long."""
    [found] = chance([0.24, 0.26, 0.25, 0.27, 0.25, 0.26])
    assert (found.step, found.evidence["majority"]) == (200, 0.25)
    assert found.evidence["limit"] == pytest.approx(0.25 + 3 * np.sqrt(0.25 * 0.75 / 100))


def test_many_samples_make_a_small_surplus_sure() -> None:
    """30 % of 10,000 answers are surely more than a quarter, of a hundred they are not."""
    told = ({"type": "evaluation", "step": 1, "batches": 10, "samples": 10_000, "losses": 10},)
    assert len(chance([0.3] * 6)) == 1
    assert chance([0.3] * 6, events=told) == []


@pytest.mark.parametrize(("positions", "said"), [(1, 1), (16, 0)])
def test_each_position_of_a_sequence_is_an_answer(positions: int, said: int) -> None:
    """32 % of a hundred answers are no more than a quarter by luck, of a hundred sequences of 16 they are."""
    course = Course()
    for step in range(1, 5):
        given = array("batch", "input0", np.zeros((32 // positions, positions)))
        arrays = [given, array("output", "output0", logits(CHANCE)), array("target", "target0", LABELS)]
        course.sender.record(Recording(step, arrays, {"loss": CHANCE}, {}))
    losses, scalars = noisy(CHANCE, 0.01, 240), {"val_accuracy": epochs([0.32, 0.3, 0.31, 0.32, 0.3, 0.31], 40)}
    assert len(of(course.tell(losses, scalars=scalars), "metric_chance")) == said


def test_one_good_epoch_is_enough_to_be_silent() -> None:
    """And few epochs say nothing; training accuracy counts where there is no other."""
    assert chance([0.25, 0.25, 0.6, 0.25, 0.25, 0.25]) == []
    assert chance([0.25] * 4) == []
    assert len(chance([0.25] * 6, name="accuracy")) == 1


def test_a_regression_has_no_accuracy() -> None:
    """Keras reports one for it nevertheless: 0."""
    course = Course("values")
    assert of(course.tell(noisy(1.0, 0.05, 400), scalars={"accuracy": epochs([0.0] * 10, 40)}), "metric_chance") == []


def test_an_accuracy_on_its_way_up_is_waited_for() -> None:
    """Noisy labels learnt slowly: each epoch is better than the one before; one that stays there is named."""
    assert chance(np.linspace(0.2, 0.3, 12)) == []
    assert len(chance(np.full(12, 0.3))) == 1


@pytest.mark.parametrize(
    ("held_out", "silent"),
    [
        ([1.44, 1.41, 1.38, 1.33, 1.29, 1.24], True),
        ([1.44, 1.41, 1.42, 1.33, 1.29, 1.24], True),
        ([1.386, 1.385, 1.384, 1.383, 1.382, 1.381], False),
        ([1.386, 1.40, 1.38, 1.41, 1.37, 1.39], False),
    ],
)
def test_a_validation_loss_that_falls_is_being_learnt(held_out: list[float], silent: bool) -> None:
    """A frozen backbone's head is slow: few right answers yet, and a loss that falls on data not trained on."""
    losses = noisy(CHANCE, 0.02, 240)
    scalars = {"val_accuracy": epochs([0.26, 0.25, 0.28, 0.26, 0.29, 0.28], 40), "val_loss": epochs(held_out, 40)}
    assert (of(Course().tell(losses, scalars=scalars), "metric_chance") == []) is silent


@pytest.mark.parametrize(
    ("rare", "counts", "answers", "said"),
    [(64, 1.0, 100, 1), (64, 7.0, 100, 0), (64, 1.0, 6, 0)],
    ids=["all alike", "weighted", "a limit beyond all"],
)
def test_the_commonest_class_is_no_measure_where_the_rare_one_counts_for_more(
    rare: int, counts: float, answers: int, said: int
) -> None:
    """Balanced weights cost accuracy and are meant to; and of few answers among few rare ones none can stand out."""
    labels, course = (np.arange(512) < rare).astype(np.int64), Course("")
    weights = np.where(labels == 1, counts, 1.0)
    share = weights @ labels / weights.sum()
    loss = float(-weights.mean() * (share * np.log(share) + (1 - share) * np.log(1 - share)))
    course.sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True}})
    for step in range(1, 9):
        arrays = [array("batch", "sample_weight0", weights)] if counts > 1 else []
        arrays += [
            array("output", "output0", logits(loss / weights.mean(), labels)),
            array("target", "target0", labels),
        ]
        course.sender.record(Recording(step, arrays, {"loss": loss}, {}))
    told = ({"type": "evaluation", "step": 1, "batches": 1, "samples": answers, "losses": 1},)
    scalars = {"val_accuracy": epochs([1 - rare / 512, 0.8, 0.79, 0.81, 0.8, 0.8], 40)}
    assert len(of(course.tell(noisy(loss, 0.01, 240), scalars=scalars, events=told), "metric_chance")) == said


def test_a_rare_class_is_guessed_only_beyond_the_error_of_both() -> None:
    """Nine of ten are of one class: a loss a little below that of guessing, by few samples, proves nothing."""
    cost = Cost()
    cost.task.family, cost.task.classes = "binary", 1
    cost.task.targets = np.r_[np.ones(13), np.zeros(115)]
    p = 13 / 128
    spread = np.sqrt(p * (1 - p)) * np.log((1 - p) / p)
    assert cost.unsure == pytest.approx(spread / np.sqrt(128) / cost.guess, rel=1e-6)
    cost.task.targets = np.arange(128) % 2.0
    assert cost.unsure == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("framework", "layer", "steps", "expected"),
    [
        ("keras", {"class": "BatchNormalization", "config": {"momentum": 0.99}}, 400, False),
        ("keras", {"class": "BatchNormalization"}, 460, True),
        ("keras", {"class": "BatchNormalization", "config": {"momentum": 0.9}}, 50, True),
        ("keras", {"class": "BatchNormalization", "config": {"momentum": 1.0}}, 50, True),  # never: a fault
        ("torch", {"class": "BatchNorm1d", "momentum": 0.1}, 40, False),
        ("torch", {"class": "BatchNorm2d", "momentum": 0.1}, 50, True),
        ("torch", {"class": "SyncBatchNorm", "momentum": 0.001}, 4000, False),
        ("torch", {"class": "BatchNorm2d", "momentum": None}, 5, True),  # an average of all steps
        ("torch", {"class": "LayerNorm"}, 1, True),
    ],
)
def test_running_statistics_take_their_time(framework: str, layer: dict[str, Any], steps: int, expected: bool) -> None:
    """A hundredth of the start is left after log 0.01 / log keep steps."""
    facts = RunFacts(framework=framework, manifest={"model": {"layers": [{"class": "Linear"}, layer]}})
    assert settled(facts, steps) is expected


@pytest.mark.parametrize(("momentum", "said"), [(0.99, 480), (0.9, 200)])
def test_an_evaluation_at_chance_waits_for_the_normalisation(momentum: float, said: int) -> None:
    """The training loss has fallen long before; what is held out is judged when its statistics are the data's."""
    course = Course()
    layers = [{"name": "bn", "class": "BatchNormalization", "config": {"momentum": momentum}}]
    loss = {"class": "SparseCategoricalCrossentropy", "from_logits": True}
    course.sender.manifest({"loss": loss, "model": {"layers": layers}})
    told = course.tell(noisy(0.6 * CHANCE, 0.02, 600), scalars={"val_accuracy": epochs([0.26] * 15, 40)})
    assert [one.step for one in of(told, "metric_chance")][:1] == [said]
