"""A loop of its own around Keras's layers and optimizer on PyTorch, where no ``fit`` is that would be watched."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from support.audited import Home

pytest.importorskip("keras")
pytest.importorskip("torch")

PROGRAM = Path(__file__).parent / "programs" / "keras_loop_on_torch.py"


def test_steps_of_an_optimizer_of_keras_are_seen_where_no_fit_is(tmp_path: Path) -> None:
    """As updates by hand, which is what they are to PyTorch: all but the first, by which they are known."""
    Home(tmp_path).auditor("run", "--json", str(tmp_path / "told.json"), "--", sys.executable, str(PROGRAM))
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["framework"] == "torch"
    assert 27 <= told["steps"] <= 30
