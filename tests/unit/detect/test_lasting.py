"""What a classifier answers once its training has ended: one class for all, or nothing that held-out data bear out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.course import CHANCE, Course, noisy, of
from support.lanes import Sender, array


def evaluation(step: int = 240, samples: int = 400, **told: int) -> tuple[dict[str, Any], ...]:
    """The event of one evaluation."""
    return ({"type": "evaluation", "step": step, "batches": 1, "samples": samples, "losses": 1, **told},)


def ended(
    steps: int = 240, *, losses: Any = None, scalars: Any = None, events: tuple[dict[str, Any], ...] = ()
) -> list[Any]:
    """What is said of a run of four classes once it is over."""
    course = Course()
    told = course.tell(noisy(0.3, 0.02, steps) if losses is None else losses, scalars=scalars, events=events)
    return of([*told, *course.end()], "metric_chance")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"named": 1, "missed": 12}, 1),
        ({"named": 1, "missed": 6}, 0),
        ({"named": 2}, 0),
        ({}, 0),
        ({"named": 1, "missed": 300, "step": 100}, 0),
    ],
    ids=["one class", "few others", "two classes", "not told", "long before the end"],
)
def test_answers_that_all_name_one_class(told: dict[str, int], said: int) -> None:
    """Of an evaluation after training, with ten targets or more of other classes."""
    found = ended(events=evaluation(**told))
    assert [one.evidence["missed"] for one in found] == [told.get("missed")] * said


@pytest.mark.parametrize(
    ("accuracy", "held_out", "samples", "said"),
    [(0.26, 3.1, 400, 1), (0.5, 3.1, 400, 0), (0.26, 1.2, 400, 0), (0.26, 3.1, 30, 0)],
    ids=["learnt by heart", "right more often", "a loss below guessing", "few samples"],
)
def test_one_evaluation_after_training_is_enough(accuracy: float, held_out: float, samples: int, said: int) -> None:
    """The training loss is far below guessing; data held out is answered no better than that, and costs more."""
    scalars = {"val_accuracy": {240: accuracy}, "val_loss": {240: held_out}}
    assert len(ended(scalars=scalars, events=evaluation(samples=samples))) == said


def stays(last: float, level: float = 0.4, named: bool = False) -> list[Any]:
    """Nine of ten samples are of class 0; each epoch's accuracy is 0.9, and the last one is ``last``."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": False}})
    target = (np.arange(40) % 10 == 0).astype(float)[:, None]
    loss = float(-(target * np.log(0.12) + (1 - target) * np.log(0.88)).mean())
    for step in (1, 2, 3, 4, 100, 200):
        output = np.where((target == 1) & (step == 200) & named, 0.7, 0.12)
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        shown = loss if not named or step < 200 else float(-(target * np.log(0.7) + (1 - target) * np.log(0.88)).mean())
        found += sender.record(Recording(step, arrays, {"loss": shown}, {"phase": "train"}))
    told = batch(0, tensors, first=1, steps=300, loss=np.r_[np.full(200, loss), np.full(100, level)])
    at = np.arange(29, 300, 30)
    told.scalars["val_accuracy"] = (at, np.where(at == 299, last, 0.9))
    found += sender.steps(told, tensors)
    found += sender.auditor.ended(0, 0, "finished")
    return of(found, "metric_chance")


@pytest.mark.parametrize(
    ("given", "said"),
    [({"last": 0.9, "level": 0.27}, 1), ({"last": 0.91, "level": 0.27}, 0), ({"last": 0.9, "level": 0.1}, 0)],
    ids=["the same", "one more", "ranked"],
)
def test_an_accuracy_that_never_moves_beside_answers_of_one_class(given: dict[str, float], said: int) -> None:
    """To the last digit that of the commonest class, and a loss not far below guessing (0.325)."""
    assert len(stays(**given)) == said
    assert stays(**given, named=True) == []


def test_a_short_run_is_not_judged() -> None:
    """Fewer than a hundred steps."""
    assert ended(80, losses=noisy(CHANCE, 0.02, 80), events=evaluation(80, named=1, missed=300)) == []


@pytest.mark.parametrize(("unknown", "said"), [(120, 1), (40, 0), (0, 0)])
def test_held_out_classes_that_were_never_trained_on(unknown: int, said: int) -> None:
    """A fifth of the samples of an evaluation or more: amounts that were taken for classes."""
    course = Course()
    found = course.tell(noisy(0.3, 0.02, 240), events=evaluation(unknown=unknown, classes=300))
    told = of(found, "label_range")
    assert [one.evidence["unknown"] for one in told] == [unknown] * said
