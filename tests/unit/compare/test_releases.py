"""Causes of releases that the catalogue is not stated for say so."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.recognise.cause import Cause
from auditor.compare.releases import doubts, versions
from auditor.compare.side import Side


def side(framework: str, **manifest: Any) -> Side:
    """A run that declares a manifest."""
    return Side("r", framework, "finished", {}, manifest)


def cause(name: str) -> Cause:
    """A cause by its id."""
    return Cause(name, "p", (1, 2), 1.0, "large")


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({"environment": {"torch": "2.13.0+cpu", "cuda": None, "python": "3.11.2"}}, {"torch": "2.13.0+cpu"}),
        ({"versions": {"keras": "3.15.1", "tensorflow": "2.21.0", "backend": "tensorflow"}},
         {"keras": "3.15.1", "tensorflow": "2.21.0"}),
        ({"versions": {"keras": "unknown"}}, {}),
        ({"versions": 3}, {}),
        (None, {}),
    ],
)  # fmt: skip
def test_releases_are_read_off_a_manifest(manifest: Any, found: dict[str, str]) -> None:
    """Wherever the framework's integration put them; what is no version is none."""
    assert versions(manifest) == found


def test_an_older_release_is_doubted_once_a_cause() -> None:
    """By name, with the range; a release within it is not, nor one that nobody told."""
    old, new = side("torch", environment={"torch": "2.4.1"}), side("keras", versions={"keras": "3.15.1"})
    told = list(doubts([cause("OPT-03"), cause("OPT-03")], (old, new)))
    assert told == ["OPT-03 is stated for torch >=2.13, and not for torch 2.4.1: its words may not hold there"]
    assert list(doubts([cause("OPT-03")], (new, side("torch")))) == []
    assert list(doubts([cause("OPT-08")], (old, new))) == []  # speaks of scikit-learn alone


def test_a_tape_loop_is_made_of_keras_too() -> None:
    """Its optimizer and layers are Keras's."""
    loop = side("tensorflow", versions={"tensorflow": "2.21.0", "keras": "3.3.0"})
    assert "keras 3.3.0" in next(doubts([cause("OPT-03")], (loop, loop)))
