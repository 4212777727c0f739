"""The demo waits as long as something moves, and no longer."""

from __future__ import annotations

import io
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from auditor.demo import screen


@pytest.mark.parametrize(("steps", "ended"), [(range(1, 60), True), (itertools.repeat(7), False)])
def test_a_slow_program_is_waited_for_and_one_that_stands_still_is_not(
    monkeypatch: pytest.MonkeyPatch, steps: Any, ended: bool
) -> None:
    """A step every two minutes but one second goes on; none in as long does not."""
    clock, told = itertools.count(0.0, 119.0), iter(steps)
    act = SimpleNamespace(ended=False, run="one")
    monkeypatch.setattr(screen.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(screen.time, "sleep", lambda _: None)

    def row(_: Any, act: Any) -> dict[str, Any]:
        step = next(told, None)
        act.ended = step is None
        state = {"steps": step, "verdict": "unknown", "ended": act.ended, "curve": [], "alert": None}
        return {"title": "one", "run": "one", **state}

    monkeypatch.setattr(screen, "_row", row)
    assert screen.watch(None, [act], Console(file=io.StringIO()), patience=400.0) is ended  # type: ignore[arg-type,list-item]
