"""Models of several outputs: which array is told to be compared with which, by what, in whatever containers."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from auditor_agent.keras import Audit  # noqa: E402 -- after the framework it is for
from auditor_agent.stream.recording import Recording  # noqa: E402
from support.recordings import assembled  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.standard_normal((64, 5)).astype("float32")
SIZE = 100 + X[:, :1]
KIND = RNG.integers(0, 3, (64, 1))


class Kept:
    """A run that keeps recordings and lets the rest pass."""

    def __init__(self) -> None:
        self.id, self.should_stop, self.finished, self.verdict = f"kept{id(self)}", False, False, "unknown"
        self.recordings: list[Recording] = []

    def recording(self, recording: Recording) -> None:
        """As ``Run.recording``."""
        self.recordings.append(recording)

    def __getattr__(self, _: str) -> Any:
        return lambda *_, **__: 0


def fitted(outputs: Any, losses: Any, targets: Any) -> list[Any]:
    """The recordings of a short fit of a model with the outputs ``size`` and ``kind``."""
    keras.utils.clear_session()
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, "relu")(inputs)
    ends = {
        "size": keras.layers.Dense(1, "sigmoid", name="size")(hidden),
        "kind": keras.layers.Dense(3, name="kind")(hidden),
    }
    model = keras.Model(inputs, ends if outputs is dict else [ends[name] for name in outputs])
    model.compile("sgd", loss=losses)
    run = Kept()
    model.fit(X, targets, batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    return assembled(run.recordings)


CROSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize(
    ("outputs", "losses", "targets"),
    [
        (dict, {"size": "mse", "kind": CROSS}, {"size": SIZE, "kind": KIND}),
        (("size", "kind"), ["mse", CROSS], [SIZE, KIND]),
        (("size", "kind"), {"kind": CROSS, "size": "mse"}, {"kind": KIND, "size": SIZE}),
        (("kind", "size"), {"size": "mse", "kind": CROSS}, {"size": SIZE, "kind": KIND}),
        (("size", "kind"), ["mse", CROSS], (SIZE, KIND)),
    ],
)
def test_each_output_is_told_with_its_target_loss_and_activation(outputs: Any, losses: Any, targets: Any) -> None:
    """By the values in the named arrays: the sizes are about 100, the kinds whole numbers below 3."""
    step = fitted(outputs, losses, targets)[0]
    heads = {head["name"]: head for head in step.facts["heads"]}
    assert set(heads) == {"size", "kind"}
    size, kind = heads["size"], heads["kind"]
    assert step.of("target")[size["target"]].whole().mean() == pytest.approx(100, abs=2)
    assert step.of("target")[kind["target"]].whole().max() <= 2
    assert step.of("output")[size["output"]].shape == (16, 1)
    assert step.of("output")[kind["output"]].shape == (16, 3)
    assert (size["activation"], kind["activation"]) == ("sigmoid", "linear")
    assert (size["loss"]["function"], kind["loss"]["from_logits"]) == ("mean_squared_error", True)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_an_output_without_a_loss_is_no_head() -> None:
    """It is recorded like the other and compared with nothing; a model of one output has no heads at all."""
    step = fitted(("size", "kind"), [None, CROSS], [SIZE, KIND])[0]
    assert [head["name"] for head in step.facts["heads"]] == ["kind"]
    assert "heads" not in fitted(("size",), "mse", SIZE)[0].facts
