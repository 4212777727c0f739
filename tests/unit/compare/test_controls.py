"""Pairs that agree: never a mismatch, whatever the seed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

from auditor.compare.causes import diagnose
from auditor.compare.profile import profile
from auditor.compare.recognise.cause import MATTERS
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array, glorot, inputs, keras_stepper, sgd, sklearn_stepper, torch_stepper

RULES: dict[str, tuple[Any, Any]] = {
    "adam": (lambda: torch_stepper(lambda p: torch.optim.Adam(p, 1e-2)),
             lambda: keras_stepper(lambda: keras.optimizers.Adam(1e-2))),
    "sgd": (lambda: sgd(momentum=0.9), lambda: keras_stepper(lambda: keras.optimizers.SGD(1e-2, momentum=0.9))),
    "adamw": (lambda: torch_stepper(lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.01)),
              lambda: keras_stepper(lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.01))),
    "rmsprop": (lambda: torch_stepper(lambda p: torch.optim.RMSprop(p, 1e-2, alpha=0.9, eps=1e-7)),
                lambda: keras_stepper(lambda: keras.optimizers.RMSprop(1e-2, rho=0.9, epsilon=1e-14))),
    "nadam": (lambda: torch_stepper(lambda p: torch.optim.NAdam(p, 1e-2, momentum_decay=1.0)),
              lambda: keras_stepper(lambda: keras.optimizers.Nadam(1e-2))),
}  # fmt: skip
TWICE = (keras.optimizers.Adam, keras.optimizers.SGD, keras.optimizers.Nadam, keras.optimizers.Adamax)


def healthy(stepper: Any, seed: int, **more: Any) -> Tiny:
    """A run of one seed: its own weights and its own sample of one population."""
    return Tiny(stepper=stepper, weights=lambda: glorot(seed), x=inputs(seed=seed), **more)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rule", RULES)
def test_one_configuration_with_two_seeds_is_no_mismatch(rule: str, seed: int) -> None:
    """Within a framework: other weights, other data of the same kind, the same computation."""
    make = RULES[rule][seed % 2]
    found = diagnose(healthy(make, seed).profile("a"), healthy(make, seed + 50).profile("b"))
    assert not found.matters, found.causes


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rule", RULES)
def test_aligned_runs_of_two_frameworks_are_no_mismatch(rule: str, seed: int) -> None:
    """The same weights and batches; epsilon stands elsewhere and does not matter."""
    ours, theirs = RULES[rule]
    found = diagnose(healthy(ours, seed).profile("a"), healthy(theirs, seed, framework="keras").profile("b"))
    assert not found.matters, found.causes


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rule", TWICE)
def test_fit_and_its_exact_tape_copy_are_no_mismatch(rule: Any, seed: int) -> None:
    """The same numbers in two integrations: nothing differs, not even harmlessly but for the data's order."""
    a, b = (healthy(lambda: keras_stepper(lambda: rule(1e-2)), seed, framework=name).profile()
            for name in ("keras", "tensorflow"))  # fmt: skip
    assert not diagnose(a, b).causes


@pytest.mark.parametrize("seed", range(10))
def test_float64_scikit_learn_and_float64_keras_are_no_mismatch(seed: int) -> None:
    """Aligned: half the loss on both sides, the same weights; epsilon in the same place."""

    def doubled() -> Any:
        return [w.astype(np.float64) for w in glorot(seed)]

    common: dict[str, Any] = {
        "weights": doubled,
        "x": inputs(seed=seed).astype(np.float64),
        "loss": lambda o, y: 0.5 * ((o - y) ** 2).mean(),
    }
    mlp = Tiny(stepper=lambda: sklearn_stepper(lambda w: AdamOptimizer(w, 1e-2)), framework="sklearn", **common)
    net = Tiny(
        stepper=lambda: keras_stepper(lambda: keras.optimizers.Adam(1e-2, epsilon=1e-8)), framework="keras", **common
    )
    found = diagnose(mlp.profile("a"), net.profile("b"))
    assert not found.matters, found.causes


@pytest.mark.parametrize("seed", range(6))
def test_an_epsilon_that_shortens_small_steps_a_little_is_no_mismatch(seed: int) -> None:
    """RMSprop with one epsilon, under the root in Keras: it takes some percent off the steps of small gradients."""
    small = {"loss": lambda o, y: 1e-2 * ((o - y) ** 2).mean()}
    ours = healthy(lambda: torch_stepper(lambda p: torch.optim.RMSprop(p, 1e-2, alpha=0.9, eps=1e-7)), seed, **small)
    theirs = healthy(lambda: keras_stepper(lambda: keras.optimizers.RMSprop(1e-2)), seed, framework="keras", **small)
    found = diagnose(ours.profile("a"), theirs.profile("b"))
    told = next(cause for cause in found.causes if cause.id == "OPT-13")
    assert told.weight > MATTERS  # it is there, and told
    assert not found.matters, found.causes


def test_what_rounding_leaves_of_a_zero_gradient_is_no_lower_precision() -> None:
    """The bias of an attention's keys: small multiples of one unit, which bfloat16 holds as well as float32."""
    units = np.random.default_rng(0).integers(-40, 40, 32).astype(np.float32)
    blind = healthy(RULES["adam"][0], 0, extra={("gradient", "keys.bias"): units * np.float32(2.0**-34)})
    found = diagnose(blind.profile("a"), healthy(RULES["adam"][0], 1).profile("b"))
    assert "PREC-01" not in [cause.id for cause in (*found.causes, *found.harmless)]


@pytest.mark.parametrize("step", [2.0**-12, 0.25, 3 * 2.0**-9])
def test_multiples_of_one_unit_are_no_lower_precision_and_rounded_numbers_are(step: float) -> None:
    """Sums of signs, shares of a batch: as exact in bfloat16 as in float32, and computed in either."""
    rng = np.random.default_rng(0)

    def computed(values: np.ndarray) -> Any:
        return healthy(RULES["adam"][0], 0, extra={("gradient", "head.bias"): values}).profile()

    counted = computed((rng.integers(-40, 40, 64) * step).astype(np.float32))
    assert counted.value("precision.compute") == "float32"
    for kind, name in ((torch.bfloat16, "bfloat16"), (torch.float16, "float16")):
        rounded = torch.tensor(rng.standard_normal(64) * 40 * step).to(kind).float().numpy()
        assert computed(rounded).value("precision.compute") == name


def test_what_stands_still_on_one_side_and_is_not_there_on_the_other_is_no_mismatch() -> None:
    """The second bias of torch's LSTM, kept at zero: as much is trained as in Keras."""
    kept = healthy(RULES["adam"][0], 0, extra={("weight", "rnn.bias_hh_l0"): np.zeros(24, np.float32)})
    one = kept.profile("a")
    assert one.value("update.frozen")["tensors"] == ["rnn.bias_hh_l0"]
    assert not diagnose(one, healthy(RULES["adam"][0], 1).profile("b")).causes


def test_one_image_with_its_channels_first_and_last_is_one_data_set() -> None:
    """Columns of the two layouts are not compared one by one."""
    x = inputs(features=12) + np.repeat([0.0, 1.0], 6).astype(np.float32)
    first, last = x.reshape(-1, 2, 2, 3), x.reshape(-1, 2, 2, 3).transpose(0, 2, 3, 1)
    rows = [np.arange(at * 16 % 96, at * 16 % 96 + 16) for at in range(12)]

    def told(images: np.ndarray) -> Any:
        recordings = healthy(RULES["adam"][0], 0, order=lambda at: rows[at]).recordings()
        fed = [array("batch", "input0", images[row]) for row in rows]
        kept = [[one for one in each.arrays if one.role != "batch"] for each in recordings]
        made = [Recording(each.step, [*arrays, image], each.scalars, each.facts)
                for each, arrays, image in zip(recordings, kept, fed, strict=True)]  # fmt: skip
        return profile("a", "torch", assembled(made))

    assert not diagnose(told(first), told(np.ascontiguousarray(last))).matters
