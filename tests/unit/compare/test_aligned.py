"""Causes in the forward pass weigh what the outputs of one batch under equal weights show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.compare import aligned, causes
from auditor.compare.aligned import FirstStep
from auditor.compare.recognise.cause import Cause

GELU = Cause("FWD-08", "gelu.approximate", ("none", "tanh"), 0.02, "gelu with other settings", how="declared")


@pytest.mark.parametrize(("apart", "claims"), [(1.5e-4, False), (4e-4, False), (3e-3, True), (0.2, True)])
def test_a_difference_that_outputs_hardly_show_is_named_and_is_no_mismatch(apart: float, claims: bool) -> None:
    """GELU by tanh or by erf: outputs part by 1e-6 to 4e-4; a wrong slope shows by far more."""
    [told] = aligned.weigh([GELU], FirstStep(apart))
    assert (told.how, told.weight) == ("measured", max(apart, 0.005))
    assert causes._claims(told, usual=False) is claims
    assert f"{apart:.3g}"[:1] in told.effect


def test_outputs_that_differ_for_no_known_cause_are_a_finding() -> None:
    """Whatever else differs later in the step."""
    later = replace(GELU, id="OPT-01", parameter="update.learning_rate")
    assert [cause.id for cause in aligned.weigh([later], FirstStep(0.3))] == ["OPT-01", "FWD-00"]
