from __future__ import annotations

import pytest

from auditor_agent import guard
from auditor_agent.capture.budget import EVERY, FIRST, FLOOR, GRADIENT, HISTOGRAM, SAMPLED, WINDOW, Budget


def spend(budget: Budget, step: float, fixed: float, **sampled: float) -> dict[str, int]:
    """Two windows of equal steps; what gave way."""
    news: dict[str, int] = {}
    for _ in range(2 * WINDOW):
        for kind, seconds in sampled.items():
            budget.charge(kind, seconds)
        news.update(budget.step(step, fixed))
    return news


def test_by_default_the_first_steps_and_every_so_many() -> None:
    """Gradients at each step, the rest at the first ones and then now and then."""
    budget = Budget()
    steps = range(1, 2 * EVERY + 1)
    assert [step for step in steps if budget.due("weight", step)] == [*range(1, FIRST + 1), EVERY, 2 * EVERY]
    assert all(budget.due(GRADIENT, step) for step in steps)


def test_g6_within_the_budget_nothing_gives_way() -> None:
    """A tenth of a percent and a sample now and then."""
    budget = Budget(0.01)
    assert spend(budget, 1.0, 0.001, activation=0.05, update=0.05, weight=0.05) == {}
    assert set(budget.stretch.values()) == {1}


def test_g6_activations_give_way_first_then_updates_then_weights() -> None:
    """Each only as far as is needed, and each said once."""
    budget = Budget(0.01)
    news = spend(budget, 1.0, 0.001, activation=0.6, update=0.1, weight=0.1)
    assert list(news) == ["activation"]
    assert budget.stretch["update"] == budget.stretch["weight"] == 1
    total = sum({"activation": 0.6, "update": 0.1, "weight": 0.1}[kind] / budget.every(kind) for kind in SAMPLED)
    assert 0.001 + total <= 0.01
    assert spend(budget, 1.0, 0.001, activation=0.6, update=0.1, weight=0.1) == {}
    news = spend(budget, 1.0, 0.0099, activation=0.6, update=0.1, weight=0.1)
    assert list(news) == ["update", "weight"]


def test_g6_gradients_give_way_last_and_come_back() -> None:
    """Once nothing else helps; when the job's steps grow longer they are read at each step again."""
    budget = Budget(0.01, floor=0.0)
    news = spend(budget, 0.1, 0.01, activation=0.001, update=0.001, weight=0.001)
    assert list(news) == [*SAMPLED, GRADIENT]
    assert 0.01 / budget.every(GRADIENT) <= 0.01 * 0.1
    assert sum(budget.due(GRADIENT, step) for step in range(101, 201)) == 100 // budget.every(GRADIENT)
    spend(budget, 10.0, 0.01)
    assert budget.every(GRADIENT) == 1


def counting(budget: Budget, step: float, plain: float, more: float, windows: int = 4) -> dict[str, int]:
    """Windows of steps whose gradients take ``plain``, and ``more`` where histograms are made; what gave way."""
    news: dict[str, int] = {}
    for number in range(1, windows * WINDOW + 1):
        due = budget.due(HISTOGRAM, number)
        budget.charge("activation", 1e-9)
        news.update(budget.step(step, plain + due * more, histograms=due))
    return news


def test_histograms_are_made_at_the_first_step_and_every_nth() -> None:
    """At none unless asked for."""
    steps = range(1, 13)
    assert not any(Budget().due(HISTOGRAM, step) for step in steps)
    assert [step for step in steps if Budget(histograms=5).due(HISTOGRAM, step)] == [1, 5, 10]
    assert all(Budget(histograms=1).due(HISTOGRAM, step) for step in steps)


def test_g6_histograms_give_way_before_gradients_and_only_as_far_as_they_cost() -> None:
    """Gradients alone keep to the budget: they are read at each step still."""
    budget = Budget(0.01, floor=0.0, histograms=1)
    news = counting(budget, 1.0, 0.006, 0.02)
    assert list(news) == ["activation", HISTOGRAM]
    assert budget.every(GRADIENT) == 1
    assert 0.006 + 0.02 / budget.every(HISTOGRAM) <= 0.01 < 0.006 + 0.02 / (budget.every(HISTOGRAM) // 2)


def test_g6_histograms_within_the_budget_stay() -> None:
    """And come back when steps grow longer."""
    budget = Budget(0.01, floor=0.0, histograms=2)
    assert counting(budget, 1.0, 0.003, 0.004) == {}
    counting(budget, 0.1, 0.0005, 0.004)
    assert budget.every(HISTOGRAM) > 2
    counting(budget, 10.0, 0.0005, 0.004)
    assert budget.every(HISTOGRAM) == 2


def test_a_small_model_is_seen_in_full() -> None:
    """Below half a millisecond a step nothing gives way, whatever its part, unless AUDITOR_BUDGET was set."""
    budget = Budget(0.01)
    assert spend(budget, 0.002, FLOOR / 2, weight=FLOOR) == {}
    strict = Budget.from_env({"AUDITOR_BUDGET": "0.01"})
    spend(strict, 0.002, FLOOR / 2)
    assert strict.every(GRADIENT) > 1


def test_a_slow_first_reading_does_not_count_for_ever() -> None:
    """The first one pays for warming up."""
    budget = Budget(0.01)
    budget.charge("weight", 5.0)
    assert spend(budget, 1.0, 0.001, weight=0.1) == {}


def test_a_pause_between_two_steps_is_no_step() -> None:
    """A validation every now and then does not make room."""
    budget = Budget(0.01, floor=0.0)
    for step in range(WINDOW):
        budget.step(100.0 if step == 7 else 0.1, 0.01)
    assert budget.every(GRADIENT) > 1


@pytest.mark.parametrize("text", ["", "0.05", "nonsense", "-1", "nan"])
def test_the_environment_says_how_much(text: str) -> None:
    """A value that makes no sense is noted and the default stands."""
    guard.TALLY.reset()
    budget = Budget.from_env({"AUDITOR_BUDGET": text})
    assert (budget.share, budget.floor) == ((0.05, 0.0) if text == "0.05" else (0.01, FLOOR))
    assert bool(guard.TALLY.counts()) == (text in {"nonsense", "-1", "nan"})
