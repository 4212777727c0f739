"""What every pair of two frameworks has by default is told behind what somebody set."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.natural import natural
from auditor.compare.recognise.cause import Cause

CASES: list[tuple[str, tuple[Any, Any], tuple[str, str], bool]] = [
    ("adam.epsilon", (1e-8, 1e-7), ("torch", "keras"), True),
    ("adam.epsilon", (1e-7, 1e-8), ("keras", "torch"), True),
    ("adam.epsilon", (1e-8, 1e-7), ("sklearn", "tensorflow"), True),
    ("adam.epsilon", (1e-3, 1e-7), ("torch", "keras"), False),
    ("adam.epsilon", (1e-8, 1e-7), ("torch", "torch"), False),
    ("sgd.momentum", (0.9, 0.0), ("torch", "keras"), False),
    ("sgd.momentum_buffer", ("rate outside", "rate inside"), ("torch", "keras"), True),
    ("batchnorm.epsilon", (1e-5, 1e-3), ("torch", "keras"), True),
    (
        "init.dense.kernel",
        ("uniform(1/sqrt(fan_in)) (std 0.1)", "glorot_uniform (std 0.2)"),
        ("torch", "keras"),
        True,
    ),
    ("init.dense.kernel", ("he_normal (std 0.1)", "glorot_uniform (std 0.2)"), ("torch", "keras"), False),
]


@pytest.mark.parametrize(("parameter", "values", "frameworks", "usual"), CASES)
def test_a_difference_is_natural_where_each_side_has_its_frameworks_default(
    parameter: str, values: tuple[Any, Any], frameworks: tuple[str, str], usual: bool
) -> None:
    """A changed value, or two runs of one framework, are somebody's doing."""
    assert natural(Cause("OPT-02", parameter, values, 0.1, ""), frameworks) is usual
