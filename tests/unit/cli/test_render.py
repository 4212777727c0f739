"""Text for people: harmless, narrow, true to the numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli.plots import MARK_A, MARK_B, chart, sparkline
from auditor.cli.render import ago, alert_block, clean, console, number, subject
from auditor.report.words import because


@given(st.text())
def test_s5_clean_text_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    """No control, format or surrogate character survives; the length does."""
    out = clean(text)
    assert out.isprintable()
    assert len(out) == len(text)


def test_numbers_are_short_and_keep_their_meaning() -> None:
    """Non-finite ones keep their name."""
    assert [number(x) for x in (None, 3, 0.12345678, 1e-9, "NaN", "-Infinity", math.inf, "text")] == [
        "-", "3", "0.1235", "1e-09", "nan", "-inf", "inf", "text",
    ]  # fmt: skip


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_can_be_shown_in_eleven_characters(value: float) -> None:
    """Tables do not burst."""
    assert len(number(value)) <= 11


def test_a_sparkline_marks_what_is_not_finite() -> None:
    """And is never longer than asked."""
    values = [1.0] * 50 + [math.nan] * 50
    line = sparkline(values, 20).plain
    assert len(line) == 20
    assert line.endswith("x")
    assert line[0] != "x"
    assert sparkline([], 20).plain == ""
    assert sparkline([math.inf], 20).plain == "x"


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60),
)
def test_any_two_curves_can_be_drawn_within_the_width(a: list[float], b: list[float]) -> None:
    """Whatever the values: no exception, no line too long."""
    text = chart((range(len(a)), a), (range(len(b)), b), width=60, height=8).plain
    assert max(len(line) for line in text.splitlines()) <= 62
    assert len(sparkline(a, 20).plain) == min(len(a), 20)


def test_a_chart_shows_both_runs_and_where_one_breaks() -> None:
    """A falling curve ends lower than it began; NaN is an x in the top row."""
    steps = range(100)
    text = chart((steps, [math.exp(-s / 20) for s in steps]), (steps, [1.0] * 50 + [math.nan] * 50)).plain
    rows = text.splitlines()
    assert "x" in rows[0]
    assert MARK_A in rows[11]
    assert MARK_B in rows[0]
    assert "step" in rows[-1]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"reason": "ValueError: x", "exit": {"code": 1, "signal": None}}, "ValueError: x, exit code 1"),
        ({"reason": None, "exit": {"code": None, "signal": "SIGKILL"}}, "signal SIGKILL"),
        ({"reason": None, "exit": {"code": 0, "signal": None}}, None),
        ({}, None),
    ],
)
def test_how_a_run_ended_is_told_where_it_is_worth_it(told: dict[str, Any], said: str | None) -> None:
    """The exception and the exit code; nothing of a run that ended well or goes on."""
    assert because(told) == said


def test_ages_are_told_in_their_own_unit() -> None:
    """And a clock that is ahead is not a negative age."""
    told = [ago(1000.0 - age, 1000.0) for age in (5, 300, 10_000, 400_000, -9)]
    assert told == ["5 s", "5 min", "2 h", "4 d", "0 s"]
    assert ago(None) == "-"


def test_a_subject_is_told_in_words() -> None:
    """The loss is not "loss loss"; further members are counted."""
    assert subject({"subject": {"kind": "loss", "name": "loss", "rank": 0}}) == "loss"
    told = {"subject": {"kind": "gradient", "name": "fc1", "rank": 3}, "members": [1, 2]}
    assert subject(told) == "gradient fc1 (rank 3) and 2 more"


def test_s5_an_alert_of_markup_is_shown_as_it_is() -> None:
    """Brackets in a tensor's name are no style."""
    out = console()
    with out.capture() as captured:
        out.print(
            alert_block(
                {"rule": "r", "severity": "critical", "subject": {"kind": "k", "name": "[bold]x"}, "first_step": 1}
            )
        )
    assert "[bold]x" in captured.get()
