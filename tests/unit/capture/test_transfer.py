from __future__ import annotations

import pytest
import torch

from auditor_agent.capture import portable, transfer
from auditor_agent.capture.transfer import Arrived, Step, Transfer


class Mark:
    """An event of a device: happens when it is told to, or when it is waited for."""

    def __init__(self) -> None:
        self.happened = self.waited_for = False

    def query(self) -> bool:
        """As ``torch.Event.query``."""
        return self.happened

    def synchronize(self) -> None:
        """As ``torch.Event.synchronize``."""
        self.waited_for = self.waited_for or not self.happened
        self.happened = True


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[Mark]:
    """Pretend that numbers lie on a device; the events behind their copies."""
    made: list[Mark] = []

    def mark(_: Step) -> Mark:
        made.append(Mark())
        return made[-1]

    monkeypatch.setattr(transfer, "_on_host", lambda _: False)
    monkeypatch.setattr(transfer, "_mark", mark)
    return made


def step(number: int, value: float = 1.0) -> Step:
    """A step with one tensor and a loss that is still a tensor."""
    matrix = portable.words([torch.tensor([value, 2.0])])
    return Step(number, 0.0, {"loss": torch.tensor(0.5), "lr": 0.1}, 0, matrix)


def test_on_the_host_a_step_arrives_at_once() -> None:
    """Scalars become floats, words bytes; a NaN is noticed."""
    arrived: list[Arrived] = []
    Transfer(arrived.append).put(step(1, float("nan")))
    assert [(a.number, a.scalars, len(a.words), a.nonfinite) for a in arrived] == [
        (1, {"loss": 0.5, "lr": pytest.approx(0.1)}, 48, True)
    ]


def test_g3_a_step_is_read_when_its_copy_has_happened(marks: list[Mark]) -> None:
    """Never waited for in the loop; handed over in order."""
    arrived: list[Arrived] = []
    moving = Transfer(arrived.append)
    moving.put(step(1))
    moving.put(step(2))
    assert arrived == []
    marks[1].happened = True  # out of order: step 1 has to come first
    moving.put(step(3))
    assert arrived == []
    marks[0].happened = True
    moving.put(step(4))
    assert [a.number for a in arrived] == [1, 2]
    assert not any(mark.waited_for for mark in marks)


def test_g7_a_device_that_lags_is_waited_for_in_the_end(marks: list[Mark]) -> None:
    """Page-locked memory is bounded: beyond some steps the oldest is waited for."""
    arrived: list[Arrived] = []
    moving = Transfer(arrived.append)
    for number in range(1, 12):
        moving.put(step(number))
    assert [a.number for a in arrived] == [1, 2, 3]
    assert [mark.waited_for for mark in marks[:4]] == [True, True, True, False]


def test_the_end_of_a_run_brings_in_the_rest(marks: list[Mark]) -> None:
    """Draining waits, once for each."""
    arrived: list[Arrived] = []
    moving = Transfer(arrived.append)
    moving.put(step(1))
    moving.put(step(2))
    moving.drain()
    moving.drain()
    assert [a.number for a in arrived] == [1, 2]
