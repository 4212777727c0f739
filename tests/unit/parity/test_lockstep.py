"""Aligned pairs agree to rounding, layer by layer; what differs is named at the step at which it shows."""

from __future__ import annotations

from typing import Any

import pytest

from auditor_agent.parity import NotComparableError, check
from support.parity_models import keras_program, torch_program

SGD: dict[str, Any] = {"rule": "sgd", "lr": 0.05, "momentum": 0.9}
ALIGNED: dict[str, tuple[str, dict[str, Any]]] = {
    "mlp": ("mlp", {}),
    "mlp, relu": ("mlp", {"activation": "relu"}),
    "mlp, LayerNorm, GELU": ("mlp", {"norm": "layer", "activation": "gelu"}),
    "cnn, BatchNorm": ("cnn", {"activation": "relu", "rows": 32}),
    "cnn, evaluation mode": ("cnn", {"training": False, "padding": "valid", "pool": "avg"}),
    "lstm": ("lstm", {}),
    "gru": ("gru", {}),
    "transformer": ("transformer", {"activation": "gelu", "smoothing": 0.1}),
    "sgd, momentum": ("mlp", SGD),
    "sgd, nesterov": ("mlp", {**SGD, "nesterov": True}),
    "rmsprop": ("mlp", {"rule": "rmsprop", "eps": 1e-30}),
    "adagrad": ("mlp", {"rule": "adagrad", "lr": 1e-2}),
    "amsgrad": ("mlp", {"amsgrad": True}),
    "decoupled decay": ("mlp", {"decay": 0.01}),
    "penalty": ("mlp", {"l2": 1e-3}),
    "accumulation": ("mlp", {"accumulate": 4}),
    "clipped": ("mlp", {"clip": "global"}),
    "clipped each": ("mlp", {"clip": "each"}),
    "schedule, ragged batch": ("mlp", {"schedule": True, "ragged": True}),
    "dropout": ("mlp", {"dropout": 0.2}),
}


@pytest.mark.parametrize("name", ALIGNED)
def test_an_aligned_pair_is_equivalent(name: str) -> None:
    """Outputs after the transplant agree to rounding, and so does every part of every step."""
    family, options = ALIGNED[name]
    found = check(torch_program(family, **options), keras_program(family, **options), steps=12)
    assert found.first is None
    assert found.without_oracle == {}
    assert found.alignment.error < 1e-6
    assert found.steps == 12
    assert found.comparisons > 100


def test_both_orders_and_one_framework() -> None:
    """The first side may be Keras, and both may be of one framework."""
    torch_side, keras_side = torch_program("mlp"), keras_program("mlp")
    assert check(keras_side, torch_side, steps=3).equivalent
    assert check(torch_side, torch_side, steps=3).equivalent
    assert check(keras_side, keras_side, steps=3).equivalent


def test_what_the_loss_cannot_see_is_left_out() -> None:
    """The gradient of a bias before BatchNorm, or of the key's bias in attention, is rounding alone."""
    normed = {"activation": "relu", "rows": 32}
    assert check(torch_program("cnn", **normed), keras_program("cnn", **normed), steps=2).unseen == ["0.bias"]
    assert check(torch_program("transformer"), keras_program("transformer"), steps=2).unseen == ["attend.key_bias"]


def test_models_of_other_layers_cannot_be_put_side_by_side() -> None:
    """The error names the layers that have no counterpart."""
    with pytest.raises(NotComparableError, match=r"rnn \(lstm"):
        check(torch_program("lstm"), keras_program("mlp"), steps=1)
