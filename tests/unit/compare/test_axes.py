"""Inputs whose axes were mixed up: told by what neighbours have in common, in whichever order the axes are."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.profile import Profile, profile
from auditor.compare.recognise import data
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

SAMPLES, STEPS, BATCH = 200, 8, 32


def walks(*, seed: int = 0) -> np.ndarray:
    """Random walks, (samples, time, channels): smooth along time, channels apart and of other scales."""
    steps = np.random.default_rng(seed).normal(size=(SAMPLES, 20, 4))
    return (np.cumsum(steps, axis=1) * [1.0, 3.0, 0.5, 2.0]).astype(np.float32)


def pictures() -> np.ndarray:
    """Smooth squares of three colours that go together, (samples, height, width, colour)."""
    rng = np.random.default_rng(5)
    low = rng.normal(size=(SAMPLES, 3, 3, 1)).repeat(4, axis=1).repeat(4, axis=2)
    return (low + 0.3 * rng.normal(size=(SAMPLES, 12, 12, 3))).astype(np.float32)


def fed(framework: str, x: np.ndarray, *, seed: int = 0) -> Profile:
    """A run of which only batches are known, shuffled."""
    rng = np.random.default_rng(seed)
    steps = [Recording(at + 1, [array("batch", "input0", x[rng.permutation(len(x))[:BATCH]])]) for at in range(STEPS)]
    return profile("a", framework, assembled(steps))


def told(a: Profile, b: Profile) -> list[str]:
    """What is told of the data."""
    return [cause.parameter for cause in data.causes(a, b)]


@pytest.mark.parametrize("moved", [walks(), pictures()], ids=["series", "pictures"])
def test_channels_first_and_channels_last_are_one_data_set(moved: np.ndarray) -> None:
    """Where axes were moved; other batches on the two sides."""
    first = np.moveaxis(moved, -1, 1)
    assert told(fed("torch", first, seed=1), fed("keras", moved, seed=2)) == []


@pytest.mark.parametrize("moved", [walks(), pictures()], ids=["series", "pictures"])
def test_a_reshape_where_axes_were_to_be_moved_is_told(moved: np.ndarray) -> None:
    """The shape is right, what stands beside what is not."""
    shape = (len(moved), moved.shape[-1], *moved.shape[1:-1])
    assert "data.input.axes" in told(fed("torch", moved.reshape(shape), seed=1), fed("keras", moved, seed=2))


def test_scaling_of_each_channel_mixes_no_axes() -> None:
    """Standardised on one side: another scale, the same neighbours."""
    x = walks()
    scaled = (x - x.mean(axis=(0, 1))) / x.std(axis=(0, 1))
    assert "data.input.axes" not in told(fed("torch", scaled, seed=1), fed("keras", x, seed=2))


def test_words_have_no_neighbours_to_speak_of() -> None:
    """Numbers of words: two axes of whole numbers are no picture."""
    words = np.random.default_rng(0).integers(0, 50, (SAMPLES, 4, 6)).astype(np.float32)
    assert fed("torch", words).value("data.input.axes") is None
