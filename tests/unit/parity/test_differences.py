"""Each single difference is named, in its stage, at the first step at which it exceeds rounding."""

from __future__ import annotations

import pytest

from auditor.parity import diagnose
from auditor.parity.report import as_json
from support.parity_differences import DIFFERENCES


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_single_difference_is_named(name: str) -> None:
    """Stage, step and the catalogue's id."""
    given = DIFFERENCES[name]
    found = given.run()
    assert found.first is not None
    told = diagnose.cause(found)
    assert told is not None
    assert (told.id, found.first.stage, found.first.step) == (given.entry, given.stage, given.step)


def test_the_json_tells_the_divergence_and_its_cause() -> None:
    """As ``auditor compare`` does, with the tolerance beside the distance."""
    found = as_json(DIFFERENCES["Adam epsilon"].run())
    assert found["verdict"] == "mismatch"
    first = found["first_divergence"]
    assert (first["stage"], first["step"], first["part"], first["a"]) == ("optimizer", 1, "update", "0.kernel")
    assert first["distance"] > first["tolerance"]
    assert found["causes"][0]["id"] == "OPT-02"
    assert (found["causes"][0]["a"], found["causes"][0]["b"]) == (1e-8, 1e-7)
    assert found["fix"][0].startswith("optimizer = keras.optimizers.Adam(learning_rate=0.001")
