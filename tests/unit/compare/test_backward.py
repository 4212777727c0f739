from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.identify.loss import slope
from auditor.compare.identify.loss_fits import LossFit
from auditor.ingest.records import Recorded, StepRecording

LABELS = np.array([0, 2, 1, 2])
FIT = LossFit("cross entropy", "logits", "mean", 1.0, broadcast=False, smoothing=0.0, residual=0.0)


def step(output: np.ndarray) -> StepRecording:
    """A step with these outputs of four rows and three classes."""
    kept = output.astype(np.float32)
    arrays = {
        ("output", "output0"): Recorded("output", "output0", "float32", kept.shape, kept.size, kept.reshape(-1)),
        ("target", "target0"): Recorded("target", "target0", "int64", LABELS.shape, LABELS.size, LABELS),
    }
    return StepRecording(0, 0, 1, arrays, {"loss": 1.0})


def test_the_slope_of_cross_entropy_is_the_mean_of_shares_less_labels() -> None:
    """By each column of the output: what the bias's gradient is, from the textbook's formula."""
    output = np.random.default_rng(0).normal(size=(4, 3))
    shares = np.exp(output) / np.exp(output).sum(axis=1, keepdims=True)
    found = slope(step(output), FIT, 1e-5)
    assert found is not None
    np.testing.assert_allclose(found, (shares - np.eye(3)[LABELS]).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_of_a_step_that_broke_the_slope_is_not_finite_and_nothing_is_warned_of(value: float) -> None:
    """Infinite outputs are what such runs have; numpy's warnings (errors in tests) would reach the user's terminal."""
    output = np.ones((4, 3))
    output[1, 1] = value
    found = slope(step(output), FIT, 1e-5)
    assert found is not None
    assert not np.isfinite(found).all()
