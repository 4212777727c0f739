from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch
from support.course import CHANCE, TABLE, Course, noisy, of
from support.lanes import Sender, array

RULE = "underfitting_regularization"
ADAMW = {"class": "torch.optim.adamw.AdamW", "groups": [{"lr": 1e-3, "weight_decay": 10.0}]}


def penalised(data: Any, penalty: Any) -> list[Any]:
    """What is said where both parts are told; recorded are outputs that cost ``data``."""
    data, penalty = np.asarray(data, float), np.asarray(penalty, float)
    told = {"loss/data": dict(enumerate(data.tolist(), 1)), "loss/penalty": dict(enumerate(penalty.tolist(), 1))}
    course = Course()
    return of(course.tell(data, scalars=told), RULE)


def test_a_penalty_that_took_what_was_gained() -> None:
    """From 800 to 1, the data's share none: l2(10)."""
    [found] = penalised(noisy(CHANCE, 0.02, 300), np.geomspace(800, 1, 300))
    assert found.step == 100
    assert found.evidence["spent"] > 0.99
    assert found.evidence["chance"] == pytest.approx(CHANCE, rel=0.01)


def test_a_penalty_that_does_not_even_fall() -> None:
    """Ten times the data's loss, which is that of guessing after 200 steps."""
    [found] = penalised(noisy(CHANCE, 0.02, 300), np.full(300, 50.0))
    assert found.step == 200


@pytest.mark.parametrize(
    ("data", "penalty"),
    [
        (noisy(np.geomspace(CHANCE, 0.1, 300), 0.05, 300), np.geomspace(9, 3, 300)),  # large, and it learns
        (noisy(CHANCE, 0.02, 300), np.full(300, 0.05)),  # does not learn for another reason
        (noisy(0.3 * CHANCE, 0.02, 300), np.full(300, 20.0)),  # fine-tuning
        (noisy(CHANCE, 0.02, 90), np.geomspace(800, 1, 90)),  # too early
    ],
)
def test_penalties_that_do_no_harm(data: np.ndarray, penalty: np.ndarray) -> None:
    """Only a run that learns nothing shows that the penalty is too large."""
    assert penalised(data, penalty) == []


def decayed(losses: Any, norms: Any, optimizer: dict[str, Any] | None = None) -> list[Any]:
    """What is said where only weights are seen, every 50 steps."""
    weights = {1: 1.0, **{50 * (i + 1): float(norm) for i, norm in enumerate(norms)}}
    course = Course(optimizer=optimizer)
    return of(course.tell(losses, lr=1e-3, weights=weights), RULE)


def test_weights_drawn_to_zero_that_answer_no_better_than_guessing() -> None:
    """weight_decay=1 in torch, or a penalty by hand: seen in weights and outputs."""
    [found] = decayed(noisy(CHANCE, 0.01, 300), [0.6, 0.3, 0.1, 0.02, 0.01, 0.01])
    assert found.evidence["norm"] / found.evidence["first_norm"] < 0.3
    assert found.evidence["answered"] == pytest.approx(1.0, rel=0.03)
    assert decayed(noisy(CHANCE, 0.01, 300), [0.9, 0.9, 1.0, 1.0, 1.1, 1.2]) == []
    assert decayed(noisy(0.3, 0.01, 300), [0.6, 0.3, 0.1, 0.02, 0.01, 0.01]) == []


def test_decay_that_outlives_the_weights_needs_less() -> None:
    """A hundredth per step over 300 steps: e^-3 would be left; the rest is what the data could hold against it."""
    losses, norms = noisy(0.85 * CHANCE, 0.01, 300), [0.7, 0.6, 0.6, 0.6, 0.6, 0.6]
    [found] = decayed(losses, norms, ADAMW)
    assert found.evidence["decay"] > 1
    usual = {**ADAMW, "groups": [{"lr": 1e-3, "weight_decay": 0.01}]}
    assert decayed(losses, norms, usual) == []


def dropped(rate: float, losses: Any, val: float | None = None, key: str = "rate") -> list[Any]:
    """What is said of a model with two layers of dropout, of losses and of a validation loss every 50 steps."""
    course = Course()
    layers = [{"class": "Dropout", "name": name, "config": {key: rate}} for name in ("dropout", "dropout_1")]
    loss = {"class": "SparseCategoricalCrossentropy", "from_logits": True}
    course.sender.manifest({"loss": loss, "model": {"layers": layers}})
    scalars = None if val is None else {"val_loss": dict.fromkeys(range(50, 301, 50), val)}
    return of(course.tell(losses, scalars=scalars), RULE)


@pytest.mark.parametrize("key", ["rate", "p"])
def test_dropout_that_leaves_nothing(key: str) -> None:
    """A rate taken for the part that is kept; said after 200 steps at the cost of guessing or above."""
    for losses in (noisy(CHANCE, 0.02, 300), noisy(1.4 * CHANCE, 0.2, 300)):
        [found] = dropped(0.85, losses, key=key)
        assert found.step == 200
        assert (found.evidence["layers"], found.evidence["rate"]) == (["dropout", "dropout_1"], 0.85)
    assert len(dropped(0.95, noisy(CHANCE, 0.02, 300), val=CHANCE)) == 1


def test_dropout_that_is_usual_or_that_learns() -> None:
    """Rates of practice; heavy ones under which the loss falls, if only that of data not trained on; too early."""
    stuck = noisy(CHANCE, 0.02, 300)
    assert dropped(0.5, stuck) == []
    assert dropped(0.9, noisy(0.8 * CHANCE, 0.02, 300)) == []
    assert dropped(0.9, stuck, val=0.6 * CHANCE) == []
    assert dropped(0.9, stuck[:190]) == []
    assert dropped(1.0, stuck) == []


@pytest.mark.parametrize(("output", "told"), [(0.0, 1), (0.5, 0)])
def test_outputs_are_held_against_guessing_by_one_measure(output: float, told: int) -> None:
    """Squares against the variance, where a penalty by hand is in the loss and no formula explains it."""
    rng, sender, found = np.random.default_rng(1), Sender(RunAuditor(RUN)), list[Any]()
    sender.start(framework="tensorflow")
    sender.manifest({"loss": {"class": "MeanSquaredError"}})
    for step in (1, 2, 3, 50, 100, 200):
        target = 0.5 * rng.standard_normal((64, 1))
        arrays = [array("output", "output0", output * target), array("target", "target0", target)]
        loss = float(((1 - output) ** 2 * target**2).mean()) + 300 / step
        sender.record(Recording(step, arrays, {"loss": loss}, {}))
    for first in range(1, 300, 50):
        norm = batch(0, TABLE, first=first, steps=1, kind="weight", l2=10 * 0.5 ** (first / 50), loss=30.0)
        found += sender.steps(norm, TABLE)
        found += sender.steps(batch(0, TABLE, first=first + 1, steps=49, loss=noisy(10 + 300 / first, 0.1, 49)), TABLE)
    assert len(of(found, RULE)) == told


def by_hand(rate: float, output: float, norm: str = "l2", *, half: bool = False, offset: float = 0.0) -> list[Finding]:
    """What is said of squares plus ``rate`` times a norm of the kernel, of outputs that are so much of the target.

    ``offset``: what the loss has besides; the rules' state goes through its JSON on the way.
    """
    rng, sender, found = np.random.default_rng(2), Sender(RunAuditor(RUN)), list[Finding]()
    sender.start(framework="torch")
    for step in (1, 2, 3, 50, 100, 200):
        target, size = 0.7 * rng.standard_normal((48, 1)), 0.985 ** min(step, 250)
        kernel, bias = size * np.linspace(-1, 1, 60).reshape(6, 10), np.full(10, 0.3)
        arrays = [array("output", "output0", output * target), array("target", "target0", target)]
        arrays += [array("weight", "kernel", kernel), array("weight", "bias", bias)]
        data = float(((1 - output) ** 2 * target**2).mean()) * (0.5 if half else 1.0)
        loss = data + rate * float((abs(kernel) ** (1 if norm == "l1" else 2)).sum()) + offset
        found += sender.record(Recording(step, arrays, {"loss": loss}, {"loss": {"operation": "MseLoss"}}))
        sender.auditor = RunAuditor.from_state(json.loads(jsonfinite.dumps(sender.auditor.to_state())))
    found += sender.steps(batch(0, TABLE, first=1, steps=300, loss=np.full(300, 3.0)), TABLE)
    return of(found, RULE)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("half", [False, True])
def test_a_penalty_that_is_added_by_hand_is_found_by_arithmetic(norm: str, *, half: bool) -> None:
    """Outputs near nothing, while the penalty falls from many times the data's loss."""
    [found] = by_hand(3.0, 0.05, norm, half=half)
    assert found.evidence["spent"] > 0.99
    assert found.evidence["initial_penalty"] > 30 * found.evidence["initial_data"]
    assert found.evidence["formula"] == "squared"


def test_penalties_by_hand_that_do_no_harm() -> None:
    """A small one, one beside outputs that have learnt, none, and something else that the loss has besides."""
    for rate, output, offset in ((1e-4, 0.05, 0.0), (3.0, 0.9, 0.0), (0.0, 0.05, 0.0), (0.0, 0.05, 60.0)):
        assert by_hand(rate, output, offset=offset) == []


@pytest.mark.parametrize(
    ("left", "spread", "told"), [(0.03, 0.02, 1), (0.03, 0.9, 0), (0.6, 0.02, 0)], ids=["both", "weights", "answers"]
)
def test_weights_and_answers_that_fade_under_an_unknown_loss(left: float, spread: float, told: int) -> None:
    """No formula gives the loss: what is left of the weights, and of what the outputs tell apart, is proof together."""
    rng, sender, found = np.random.default_rng(1), Sender(RunAuditor(RUN)), []
    sender.start(framework="tensorflow")
    target = rng.integers(0, 2, (32, 1))
    for i in range(5):
        size = 1.0 if i == 0 else spread
        arrays = [array("output", "output0", size * rng.normal(size=(32, 1))), array("target", "target0", target)]
        found += sender.record(Recording(50 * i + 1, arrays, {"loss": 7.77 / (i + 1)}, {"phase": "train"}))
        norms = batch(0, TABLE, first=50 * i + 1, steps=1, kind="weight", l2=1.0 if i == 0 else left, loss=7.77)
        found += sender.steps(norms, TABLE)
        found += sender.steps(batch(0, TABLE, first=50 * i + 2, steps=49, loss=7.77 / (i + 1)), TABLE)
    assert len(of(found, RULE)) == told


def coded(spread: float, penalty: Any, *, samples: int = 24, heights: float = 3.0, apart: bool = False) -> list[int]:
    """Steps at which it is said of an autoencoder's answers that vary by ``spread`` times what they should.

    ``penalty``: what the loss holds beside their mean squared error, by step; ``apart``: it is told by itself.
    """
    rng, sender, found = np.random.default_rng(4), Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    facts = {"phase": "train", "loss": {"operation": "MseLoss", "reduction": "mean"}}
    for step in (1, 2, 3, 20, 50, 100, 200, 400):
        x = heights * np.linspace(-1, 1, 6) + rng.normal(size=(samples, 6))
        answers = x.mean(axis=0) + spread * (x - x.mean(axis=0))
        arrays = [array("batch", "input0", x), array("output", "output0", answers), array("target", "loss.target", x)]
        loss = float(((answers - x) ** 2).mean()) + float(penalty(step))
        told = {"loss/penalty": float(penalty(step))} if apart else {}
        found += sender.record(Recording(step, arrays, {"loss": loss, **told}, facts))
        first = step if step < 50 else step + 1
        found += sender.steps(batch(0, TABLE, first=first, steps=1 if step < 50 else step - 1, loss=loss), TABLE)
    return [one.step for one in of(found, RULE)]


@pytest.mark.parametrize(
    ("spread", "penalty", "said"),
    [
        (0.01, lambda step: 4.0 / step, True),
        (0.9, lambda step: 4.0 / step, False),
        (0.01, lambda step: 2.0 + 4.0 / step, False),
        (0.01, lambda _: 0.0, False),
        (0.5, lambda step: 4.0 / step, False),
    ],
    ids=["codes that say nothing", "codes that do", "a penalty that stays", "none", "half of it"],
)
def test_answers_that_a_divergence_made_all_alike(spread: float, penalty: Any, *, said: bool) -> None:
    """Posterior collapse: the divergence is gone, and each feature's mean would cost no more; told apart or not."""
    assert bool(coded(spread, penalty)) is said
    assert bool(coded(spread, penalty, apart=True)) is said


def test_classes_in_rows_are_no_amounts() -> None:
    """One-hot rows have the shape of the outputs; where no loss was heard of them nobody has scored them before."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "CategoricalCrossentropy", "from_logits": True}})
    targets = np.eye(3)[np.arange(12) % 3]
    arrays = [array("output", "output0", 0.1 * targets), array("target", "target0", targets)]
    sender.record(Recording(1, arrays, {}, {"phase": "train"}))
    assert "failed" not in sender.auditor.unjudged().get(RULE, "")


def test_codes_of_too_few_samples() -> None:
    """The best answer for all is not known of a batch of four."""
    assert coded(0.01, lambda step: 4.0 / step, samples=4) == []


@pytest.mark.parametrize(("rate", "said"), [(0.95, True), (0.5, False), (1.0, False)])
def test_a_dropout_that_is_called_as_a_function(rate: float, *, said: bool) -> None:
    """PyTorch's graph shows it among the operations of a pass; no layer declares it."""
    course = Course()
    told = {"operations": [{"layer": "a"}, {"op": "dropout", "rate": rate}, {"layer": "b"}]}
    course.sender.record(Recording(1, [array("weight", "w", np.ones((2, 2)))], {}, told))
    assert bool(of(course.tell(noisy(CHANCE, 0.02, 300)), RULE)) is said
