from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from auditor.alerts import stories
from auditor.alerts.lifecycle import AlertBook
from auditor.alerts.live import roots
from auditor.alerts.stories import ancestors, place, told
from auditor.detect import registry
from auditor.model import Alert, AlertState, Finding, Severity, Subject
from support.batches import RUN

C, W, INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
RUN_ITSELF = Subject("run", "run")


def alert(rule: str, first: int, last: int | None = None, *, severity: Severity = C, attempt: int = 0) -> Alert:
    """An alert that fires."""
    end, name = first if last is None else last, f"{attempt}:{rule}"
    return Alert(name, RUN, attempt, rule, severity, AlertState.FIRING, RUN_ITSELF, first, end, 0.0, 0.0)


def graph(
    monkeypatch: pytest.MonkeyPatch, edges: dict[str, tuple[str, ...]], within: dict[str, int] | None = None
) -> None:
    """Rules with these ``consequence_of``, and how late some of them name what they see at most."""
    late = within or {}
    made = {
        name: type(name, (), {"phase": "trend", "consequence_of": causes, "within": late.get(name)})
        for name, causes in edges.items()
    }
    monkeypatch.setattr(stories, "rules", lambda: made)
    ancestors.cache_clear()
    monkeypatch.setattr(registry, "rules", lambda: made)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    ancestors.cache_clear()


def order(alerts: list[Alert]) -> list[str]:
    """The rules in the order in which they are told, consequences indented."""
    root = stories.roots(alerts)
    return [("" if root[one.id].id == one.id else "  ") + one.rule for one in told(alerts)]


CHAIN = {"poor_init": (), "saturated": ("poor_init",), "vanishing": ("saturated",), "flat": ("vanishing",)}


def test_bad_weights_saturation_vanishing_gradients_and_a_flat_loss_are_one_story(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the order in which they are known, the root is told first and every other follows from it."""
    graph(monkeypatch, {**CHAIN, "other": ()})
    alerts = [
        alert("poor_init", 1),
        alert("saturated", 5),
        alert("vanishing", 60),
        alert("flat", 200),
        alert("other", 3),
    ]
    for shuffled in itertools.permutations(alerts):
        assert order(list(shuffled)) == ["poor_init", "  saturated", "  vanishing", "  flat", "other"]


def test_a_root_that_needs_a_window_is_a_root_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph leads one way: the cause may be named after its consequence, while that lasts."""
    graph(monkeypatch, CHAIN)
    assert order([alert("flat", 200, 250), alert("vanishing", 300)]) == ["vanishing", "  flat"]
    over = replace(alert("flat", 200, 900), state=AlertState.RESOLVED)
    assert order([over, alert("vanishing", 300)]) == ["vanishing", "  flat"]
    assert order([replace(over, last_step=250), alert("vanishing", 300)]) == ["flat", "vanishing"]


@pytest.mark.parametrize(("step", "root"), [(290, "diverging"), (101, "none"), (100, "none")])
def test_what_is_said_at_once_explains_nothing_that_was_there_before(
    monkeypatch: pytest.MonkeyPatch, step: int, root: str
) -> None:
    """A loss runs away from step 100 on: a number that is none at step 290 comes of it, one of then is its cause."""
    graph(monkeypatch, {"none": (), "diverging": ("none",)}, {"none": 1})
    assert order([alert("diverging", 100), alert("none", step)])[0] == root


def test_rules_that_can_cause_each_other_are_told_apart_by_what_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """No alert is its own root, directly or around a circle."""
    graph(monkeypatch, {"a": ("c",), "b": ("a",), "c": ("b",)})
    for steps in itertools.permutations((1, 2, 3)):
        alerts = [alert(name, step, 10) for name, step in zip("abc", steps, strict=True)]
        told_first = min(alerts, key=place)
        assert stories.roots(alerts)[told_first.id] is told_first
        assert told(alerts)[0] is told_first


def test_attempts_do_not_explain_each_other_and_pending_alerts_explain_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cause of the attempt before, or one that has not held yet, is no root."""
    graph(monkeypatch, CHAIN)
    assert order([alert("poor_init", 1), alert("saturated", 5, attempt=1)]) == ["poor_init", "saturated"]
    pending = replace(alert("poor_init", 1), state=AlertState.PENDING)
    assert order([pending, alert("saturated", 5)]) == ["poor_init", "saturated"]


def test_a_story_of_infos_alone_is_told_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something worth a look does not stand before what is broken; unknown rules stand where they began."""
    graph(monkeypatch, CHAIN)
    alerts = [alert("poor_init", 1, severity=INFO), alert("theirs", 3, severity=W), alert("flat", 9)]
    assert order(alerts) == ["theirs", "flat", "poor_init"]


def test_what_is_merely_worth_a_look_is_no_root_of_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the data is told after the flat loss that it might explain; infos still explain infos."""
    graph(monkeypatch, {"order": (), "flat": ("order",), "note": ("order",)})
    alerts = [alert("order", 1, 99, severity=INFO), alert("flat", 9, severity=W), alert("note", 5, severity=INFO)]
    assert order(alerts) == ["flat", "order", "  note"]


def test_gauges_name_the_root() -> None:
    """A firing consequence carries its root's rule; the root and what resolved do not."""
    book = AlertBook(RUN)
    gradient = Finding("nonfinite_gradient", C, Subject("gradient", "w"), 7)
    loss = Finding("nonfinite_loss", C, Subject("loss", "loss"), 8)
    book.apply([gradient, loss], 1.0)
    assert roots(book.alerts) == {"nonfinite_loss": "nonfinite_gradient"}
