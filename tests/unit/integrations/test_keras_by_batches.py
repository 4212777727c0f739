"""``train_on_batch`` is a program of Keras, though its steps are observed as those of a loop."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from auditor.compare import side
from auditor_agent.integrations.keras.untrained import by_batches, observe

FAILS = "a step that fails"


def test_a_step_knows_that_it_is_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it runs, and neither before nor after; nor after one that failed."""
    monkeypatch.setattr(keras.Model, "train_on_batch", keras.Model.train_on_batch)
    observe()
    seen: list[bool] = []

    class Looking(keras.Sequential):
        def train_step(self, data: Any) -> dict[str, Any]:
            seen.append(by_batches())
            if len(seen) > 1:
                raise ValueError(FAILS)
            return dict(super().train_step(data))

    model = Looking([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    assert not by_batches()
    model.train_on_batch(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))
    with pytest.raises(ValueError, match=FAILS):
        model.train_on_batch(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))
    assert seen == [True, True]
    assert not by_batches()


@pytest.mark.parametrize(
    ("recorded", "told", "framework"),
    [("tensorflow", "keras", "keras"), ("tensorflow", "tensorflow", "tensorflow"), ("torch", "keras", "torch")],
)
def test_a_comparison_calls_it_keras(recorded: str, told: str, framework: str) -> None:
    """By the manifest, which is made within the first step; Keras on PyTorch is recorded as it runs."""
    assert side._framework(recorded, {"framework": told}) == framework
    assert side._framework(recorded, None) == recorded
