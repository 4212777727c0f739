"""One schedule that is asked at every step on one side, and at every epoch on the other."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import schedule
from auditor.compare.trajectories import Curve
from support.tiny import Tiny, event, sgd

STEPS = 120
EPOCH = 12
AT = np.arange(STEPS)


def run(rates: np.ndarray, told: str = "CosineDecay") -> Profile:
    """Ten epochs at these rates."""
    events = [event(EPOCH * at, "epoch", epoch=at, steps=EPOCH, order=str(at)) for at in range(1, STEPS // EPOCH + 1)]
    curves = {"lr": Curve(AT + 1, 0.1 * rates.astype(np.float32))}
    found = Tiny(stepper=sgd).profile(curves=curves, events=events)
    found.facts.add(Fact("update.schedule", {"class": told}))
    return found


def cosine(at: np.ndarray, whole: int) -> np.ndarray:
    """Half a wave over so many steps, or epochs."""
    return np.asarray(0.5 * (1 + np.cos(np.pi * np.minimum(at, whole) / whole)))


@pytest.mark.parametrize(
    ("slow", "fast", "entry"),
    [
        (cosine(AT // EPOCH, STEPS), cosine(AT, STEPS), "SCH-01"),
        (cosine(AT // EPOCH, 10), cosine(AT, 10), "SCH-01"),
        (0.9 ** (AT // EPOCH), 0.9**AT, "SCH-01"),
        (cosine(AT, 2 * STEPS), cosine(AT, STEPS), "SCH-05"),
        (cosine(AT // EPOCH, 20), cosine(AT, STEPS), "SCH-05"),
        (np.ones(STEPS), cosine(AT, STEPS), "SCH-05"),
    ],
    ids=["by steps", "by epochs", "a power", "twice as long", "another", "constant"],
)
def test_it_is_told_as_the_unit_and_not_by_its_shape(slow: np.ndarray, fast: np.ndarray, entry: str) -> None:
    """Whichever side comes first; rates that part otherwise are of the schedule that is declared."""
    for sides in ((run(slow), run(fast)), (run(fast), run(slow))):
        assert [one.id for one in schedule.causes(*sides) if one.parameter == "update.schedule"] == [entry]
