"""Histograms through the daemon: stored, asked for by step and range, refused where they do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.app import App, application
from support.frames import TABLE, Sender, table_digest
from support.histograms import histograms_frame

PATH = "/v1/runs/r1/histogram"


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A run of ten steps with the histograms of two gradients in two frames."""
    with application(tmp_path) as made:
        sender = Sender("r1")
        books = {"produced": 12, "sent": 10, "pending": 0, "dropped": {"shelf_full": 2}}
        first = histograms_frame(sender, {step: [{20: step}, {1: 2, 60: 1}] for step in range(1, 6)})
        sender.header = {"counts": {"produced": 10, "histograms": books}}
        second = histograms_frame(sender, {step: [{20: step}, {0: 4}] for step in range(6, 11)})
        sender.header = {}
        ack = made.frames(sender.start(), first, second, sender.steps(range(1, 11), tensors=True))
        assert ack["rejected"] == []
        yield made


def test_a_range_of_steps_is_a_matrix(app: App) -> None:
    """Steps by bins, with the bins' edges and what was lost."""
    found = app.get(PATH, name="fc1.weight", first=4, last=7)
    assert found["step"] == [4, 5, 6, 7]
    assert [row[20] for row in found["counts"]] == [4, 5, 6, 7]
    assert {len(row) for row in found["counts"]} == {64}
    assert (found["lower"][0], found["lower"][40]) == (0.0, 1.0)
    assert found["lost"] == {"dropped": 2, "reasons": {"shelf_full": 2}}


def test_one_step_of_another_tensor(app: App) -> None:
    """By name and kind; nothing of a tensor without histograms; 404 for a run that is none."""
    (row,) = app.get(PATH, name="fc1.bias", step=5)["counts"]
    assert {bin_: count for bin_, count in enumerate(row) if count} == {1: 2, 60: 1}
    assert app.get(PATH, name="fc1.weight", kind="weight")["counts"] == []
    assert app.client.get("/v1/runs/none/histogram", params={"name": "a"}).status_code == 404
    assert app.client.get(PATH).status_code == 400


def test_many_steps_are_thinned_to_the_points_asked_for(app: App) -> None:
    """First and last among them."""
    assert app.get(PATH, name="fc1.weight", points=4)["step"] == [1, 4, 7, 10]
    assert app.get(PATH, name="fc1.weight", points=1)["step"] == [1]


def test_the_last_attempt_speaks_for_a_repeated_step(app: App) -> None:
    """As with every other series; each can be asked for alone."""
    again = Sender("r1", attempt=1)
    app.frames(again.start(), histograms_frame(again, {10: [{21: 1}, {}]}))
    found = app.get(PATH, name="fc1.weight", step=10)
    assert found["counts"][0][21] == 1
    assert app.get(PATH, name="fc1.weight", step=10, attempt=0)["counts"][0][20] == 10


def test_a_table_that_never_came_is_the_beginning_of_a_later_one(app: App) -> None:
    """The agent named a table that had grown before the steps brought it."""
    sender = Sender("r1", rank=1)
    app.frames(sender.start(), histograms_frame(sender, {3: [{5: 1}, {6: 1}]}, table=table_digest(TABLE[:2])))
    assert app.get(PATH, name="fc1.bias", rank=1)["counts"][0][6] == 1


def test_a_frame_that_does_not_add_up_is_rejected_alone(app: App) -> None:
    """Its neighbours are taken, and the run can still be read."""
    sender = Sender("r1", seq=20)
    bad = histograms_frame(sender, {11: [{1: 1}, {2: 2}]}, rows=3)
    ack = app.frames(bad, sender.steps([11]))
    assert [each["seq"] for each in ack["rejected"]] == [20]
    assert app.get(PATH, name="fc1.bias")["step"] == list(range(1, 11))
    assert app.get("/v1/runs/r1")["steps"] == 11
