"""Arguments of Keras 2 that Keras 3 takes and ignores are told in the manifest."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from auditor_agent.integrations.keras import legacy, manifest  # noqa: E402 -- after the framework it is for


@pytest.fixture(autouse=True)
def _observed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.optimizers.Optimizer, "__init__", keras.optimizers.Optimizer.__init__)
    legacy.observe()
    legacy.observe()


@pytest.mark.parametrize("made", [keras.optimizers.SGD, keras.optimizers.RMSprop])
def test_a_decay_that_does_nothing_is_told(made: type) -> None:
    """With Keras's own warning; the optimizer is what it was."""
    with pytest.warns(UserWarning, match="no longer supported"):
        optimizer = made(0.01, decay=1e-3)
    told = manifest.optimizer(optimizer)
    assert told["ignored"] == {"decay": 1e-3}
    assert "decay" not in told["hyperparameters"]


def test_what_counts_is_not_told() -> None:
    """No argument, one of nothing, another framework's word for weights."""
    assert "ignored" not in manifest.optimizer(keras.optimizers.SGD(0.01, weight_decay=1e-3))
    with pytest.warns(UserWarning, match="no longer supported"):
        assert "ignored" not in manifest.optimizer(keras.optimizers.Adam(0.01, decay=0.0))
    with pytest.raises(ValueError, match="not recognized"):
        keras.optimizers.SGD(0.01, momentun=0.9)


def test_g1_what_is_no_number_does_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras takes anything there; of several numbers nobody knows whether they are one."""
    monkeypatch.setenv("AUDITOR_RAISE", "0")
    with pytest.warns(UserWarning, match="no longer supported"):
        optimizer = keras.optimizers.SGD(0.01, decay=np.array([0.1, 0.2]))
    assert "ignored" not in manifest.optimizer(optimizer)
    assert "ignored" not in manifest.optimizer(keras.optimizers.SGD(0.01, decay=None))
