"""Canonical units, and what initial weights were drawn from: by the frameworks' own initialisers."""

from __future__ import annotations

import math
import os
import struct
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from auditor_agent.capture.initial import describe, fans_of
from auditor_agent.capture.manifest import Observer, l2_penalty, normalization, update_rule
from auditor_agent.stream.recording import Array, Recording


@pytest.mark.parametrize(
    ("draw", "distribution", "formula"),
    [
        ("xavier_uniform_", "uniform", "glorot_uniform"),
        ("xavier_normal_", "normal", "glorot_normal"),
        ("kaiming_normal_", "normal", "he_normal"),
        ("kaiming_uniform_", "uniform", "he_uniform"),
        ("normal_", "normal", "normal(1)"),
        ("orthogonal_", "orthogonal", "orthogonal"),
        ("zeros_", "zeros", None),
        ("ones_", "ones", None),
    ],
)
def test_torch_initialisers_are_recognised(draw: str, distribution: str, formula: str | None) -> None:
    """A 60 x 90 layer, twenty seeds: every one by its name."""
    import torch

    for seed in range(20):
        torch.manual_seed(seed)
        weight = getattr(torch.nn.init, draw)(torch.empty(60, 90)).numpy().astype(np.float64)
        found = describe(weight.ravel(), weight.shape, fans_of(weight.shape, "torch"))
        assert found["distribution"] == distribution
        assert (formula is None) or found["formulas"][0] == formula
        assert "off_centre" not in found


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("glorot_uniform", "glorot_uniform"),
        ("he_normal", "truncated_he_normal"),
        ("glorot_normal", "truncated_glorot_normal"),
        ("lecun_uniform", "lecun_uniform"),
        ("random_uniform", "uniform(0.05)"),
        ("random_normal", "normal(0.05)"),
    ],
)
def test_keras_initialisers_are_recognised(name: str, formula: str) -> None:
    """Truncated normals are told from normals (INIT-13)."""
    keras = pytest.importorskip("keras")
    for seed in range(5):
        initializer = keras.initializers.get({"class_name": name, "config": {"seed": seed}})
        weight = np.asarray(initializer((60, 90)), np.float64)
        assert describe(weight.ravel(), weight.shape, fans_of(weight.shape, "keras"))["formulas"][0] == formula


def test_torch_layers_defaults_are_recognised() -> None:
    """Linear, its bias by the fan-in of its weight, convolution: the bound 1/sqrt(fan_in) (INIT-01 to 03)."""
    import torch

    torch.manual_seed(0)
    layer = torch.nn.Conv2d(16, 32, 3)
    arrays = [
        Array("weight", f"c.{name}", "float32", tuple(p.shape), p.numel(), p.detach().numpy().tobytes())
        for name, p in layer.named_parameters()
    ]
    observer = Observer("torch")
    observer.see(Recording(1, arrays))
    weights = observer.facts()["weights"]
    assert weights["c.weight"]["formulas"] == ["uniform(1/sqrt(fan_in))"]
    assert "uniform(1/sqrt(fan_in))" in weights["c.bias"]["formulas"]  # of 32 elements: others fit as well
    assert weights["c.bias"]["fan_in"] == 144


@pytest.mark.parametrize("count", [100, 240])
def test_a_uniform_of_a_hundred_numbers_is_no_cut_normal(count: int) -> None:
    """Their distribution functions are 0.03 apart; what tells them apart is where the values end."""
    drawn = [np.random.default_rng(seed).uniform(-0.3, 0.3, count) for seed in range(40)]
    found = [describe(values, None, (7, 11)) for values in drawn]
    assert sum(one["distribution"] == "uniform" for one in found) >= 34
    assert all("uniform" in one["families"] for one in found)
    normals = [describe(np.random.default_rng(seed).normal(0, 0.2, count), None, (7, 11)) for seed in range(40)]
    assert all("normal" in one["families"] for one in normals)
    assert not any("uniform" in one["families"] for one in normals) or count == 100


def test_a_mean_off_centre_is_told() -> None:
    """The seeds' story of the initialiser with mean 5; a small tensor is not accused by chance."""
    values = 5 + np.random.default_rng(0).standard_normal(500)
    assert describe(values, None, (10, 50))["off_centre"] is True
    for seed in range(200):
        assert "off_centre" not in describe(np.random.default_rng(seed).standard_normal(12), None, (3, 4))


def test_no_name_is_given_to_what_has_none() -> None:
    """A mixture of two scales, an exponential: unknown, and no formula."""
    random = np.random.default_rng(0)
    mixture = np.concatenate([random.standard_normal(2000), 30 * random.standard_normal(2000)])
    for values in (mixture, random.exponential(size=4000)):
        found = describe(values, None, (40, 100))
        assert (found["distribution"], found["formulas"]) == ("unknown", [])


@pytest.mark.parametrize(
    ("framework", "name", "settings", "expected"),
    [
        ("torch", "torch.optim.adam.Adam", {"weight_decay": 0.1, "eps": 1e-8, "lr": 1}, ("adam", "coupled", 1e-8)),
        ("torch", "AdamW", {"weight_decay": 0.1, "eps": 1e-8}, ("adam", "decoupled", 1e-8)),
        ("torch", "SGD", {"weight_decay": 0.1, "momentum": 0.9}, ("sgd", "coupled", None)),
        ("keras", "Adam", {"weight_decay": 0.1, "epsilon": 1e-7}, ("adam", "decoupled", 1e-7)),
        ("keras", "SGD", {"weight_decay": None, "momentum": 0.9}, ("sgd", "none", None)),
    ],
)
def test_decay_and_epsilon_in_one_vocabulary(
    framework: str, name: str, settings: dict[str, Any], expected: tuple[str, str, float | None]
) -> None:
    """OPT-03, OPT-05, OPT-06, OPT-10: the same words mean different things."""
    found = update_rule(framework, name, settings)
    assert (found["rule"], found["decay_coupling"], found.get("epsilon")) == expected
    if found["rule"] == "adam":
        assert ("before" in found["epsilon_placement"]) == (framework == "keras")
    else:
        assert found["momentum_buffer"] == ("rate outside" if framework == "torch" else "rate inside")


def test_momentum_of_batch_normalization_is_the_weight_of_the_old_in_both() -> None:
    """FWD-02: torch's 0.1 is Keras's 0.9."""
    assert normalization("torch", {"eps": 1e-5, "momentum": 0.1})["decay"] == pytest.approx(0.9)
    assert normalization("keras", {"epsilon": 1e-3, "momentum": 0.9})["decay"] == pytest.approx(0.9)
    assert "decay" not in normalization("torch", {"eps": 1e-5, "momentum": None})
    assert l2_penalty(0.01) == {"l2": 0.01, "gradient_factor": 0.02}


def test_batches_are_told_apart_and_repetition_is_seen() -> None:
    """Digests by content and order; sizes, ranges, non-finite inputs."""

    def step(number: int, first: float, rows: int = 2) -> Recording:
        data = struct.pack(f"<{2 * rows}f", first, *range(1, 2 * rows))
        return Recording(number, [Array("batch", "input0", "float32", (rows, 2), 2 * rows, data)])

    def facts(*firsts: float) -> dict[str, Any]:
        observer = Observer("torch")
        for at, first in enumerate(firsts):
            observer.see(step(at, first))
        observer.see(step(9, 0.0, rows=1))
        data: dict[str, Any] = observer.facts()["data"]
        return data

    one, other = facts(1.0, 2.0, 1.0), facts(2.0, 1.0, 1.0)
    assert (one["batch_size"], one["partial_batches"], one["repeated_batches"]) == (2, [1], 1)
    assert set(one["batch_digests"]) == set(other["batch_digests"])
    assert one["order_digest"] != other["order_digest"]
    assert facts(math.nan)["tensors"]["batch.input0"]["nonfinite"] == 1
    ranges = {key: value for key, value in one["tensors"]["batch.input0"].items() if key not in {"mean", "std"}}
    assert ranges == {"dtype": "float32", "shape": [2, 2], "min": 0.0, "max": 3.0, "nonfinite": 0}
