"""Networks of the same operations: what their first step, their gradients and their kernels show beside the layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare import aligned
from auditor.compare.identify.arrays import nearest
from auditor.compare.identify.losses import log_softmax
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import network
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

RNG = np.random.default_rng(2)
WEIGHTS = {"conv.weight": (4, 1, 3, 3), "out.weight": (3, 36), "out.bias": (3,)}
NUMBERS = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in WEIGHTS.items()}
IMAGES = RNG.standard_normal((5, 1, 5, 5)).astype(np.float32)
LOGITS = RNG.standard_normal((5, 3)).astype(np.float32)
CLASSES = np.array([0, 2, 1, 1, 0])
LAYERS = [
    {"name": "conv", "class": "Conv2d", "in_channels": 1, "out_channels": 4, "kernel_size": [3, 3]},
    {"name": "out", "class": "Linear", "in_features": 36, "out_features": 3},
]


def one(framework: str, roles: Mapping[tuple[str, str], np.ndarray], steps: int = 1, **facts: Any) -> Profile:
    """A run that begins with these arrays, at every recorded step."""
    arrays = [array(role, name, values) for (role, name), values in roles.items()]
    told = Beside(manifest={"model": {"layers": LAYERS}})
    found = [Recording(at + 1, arrays, {"loss": 1.0}, dict(facts)) for at in range(steps)]
    return profile("a", framework, assembled(found), told)


def weights(numbers: Mapping[str, np.ndarray] = NUMBERS) -> dict[tuple[str, str], np.ndarray]:
    """As a recording has them."""
    return {("weight", name): values for name, values in numbers.items()}


def keras(kernel: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """The same network as Keras keeps it, with this first kernel after the flatten."""
    return weights({"conv/kernel": NUMBERS["conv.weight"].transpose(2, 3, 1, 0), "out/kernel": kernel,
                    "out/bias": NUMBERS["out.bias"]})  # fmt: skip


PERMUTED = NUMBERS["out.weight"].T.reshape(4, 3, 3, 3).transpose(1, 2, 0, 3).reshape(36, 3)
SEEN = {"operations": [{"layer": "conv"}, {"layer": "out"}]}


@pytest.mark.parametrize(("kernel", "entry"), [(NUMBERS["out.weight"].T, ["FWD-13"]), (PERMUTED, [])])
def test_a_kernel_behind_a_flatten_that_was_only_transposed_is_found(kernel: np.ndarray, entry: list[str]) -> None:
    """Its rows have to follow the pixels."""
    batch = {("batch", "input0"): IMAGES}
    ours = one("torch", {**weights(), **batch}, **SEEN)
    theirs = one("keras", {**keras(kernel), ("batch", "input0"): IMAGES.transpose(0, 2, 3, 1)}, **SEEN)
    assert [cause.id for cause in network.causes(ours, theirs)] == entry
    assert [cause.id for cause in network.causes(theirs, ours)] == entry


def test_a_flatten_behind_a_permutation_is_of_pytorchs_order() -> None:
    """``Permute((3, 1, 2))`` before it: then the kernel is right as it stood."""
    ours = one("torch", {**weights(), ("batch", "input0"): IMAGES}, **SEEN)
    theirs = one("keras", {**keras(NUMBERS["out.weight"].T), ("batch", "input0"): IMAGES.transpose(0, 2, 3, 1)}, **SEEN)
    permuted = {"model": {"layers": [*LAYERS, {"name": "swap", "class": "Permute", "config": {"dims": [3, 1, 2]}}]}}
    assert [cause.id for cause in network.causes(ours, theirs)] == ["FWD-13"]
    assert list(network.causes(ours, replace(theirs, manifest=permuted))) == []


def test_a_flatten_of_images_that_are_turned_first_is_of_kerass_order() -> None:
    """``x.permute(0, 2, 3, 1).flatten(1)``, as the graph tells it: then too."""
    turned = {"operations": [{"layer": "conv"}, {"layer": "out", "op": "dense", "turned": True}]}
    ours = one("torch", {**weights(), ("batch", "input0"): IMAGES}, **turned)
    theirs = one("keras", {**keras(NUMBERS["out.weight"].T), ("batch", "input0"): IMAGES.transpose(0, 2, 3, 1)}, **SEEN)
    assert list(network.causes(ours, theirs)) == []


def first(left: Mapping[tuple[str, str], np.ndarray], right: Mapping[tuple[str, str], np.ndarray]) -> float | None:
    """How far the first outputs of one batch are apart; None where they cannot be held against each other."""
    step = aligned.first_step(one("torch", {**weights(), **left}), one("keras", {**keras(PERMUTED), **right}))
    return None if step is None or not step.fed else step.output


def test_what_a_negative_log_likelihood_was_given_is_held_against_logits_as_what_it_is() -> None:
    """PyTorch's first step knows the loss's inputs only: logarithms of probabilities."""
    ours = {("output", "NllLoss.input"): log_softmax(LOGITS), ("target", "loss.target"): CLASSES}
    theirs = {("output", "output0"): LOGITS, ("target", "target0"): CLASSES}
    assert first(ours, theirs) == pytest.approx(0, abs=1e-6)
    other = {**theirs, ("output", "output0"): LOGITS * 2}
    assert (first(ours, other) or 0) > 0.1


def test_batches_of_the_same_numbers_in_other_places_are_not_the_same() -> None:
    """Axes may come in any order, rows and columns not."""
    ours = {("batch", "input0"): IMAGES, ("output", "output0"): LOGITS, ("target", "target0"): CLASSES}
    theirs = {**ours, ("batch", "input0"): IMAGES.transpose(0, 2, 3, 1)}
    assert first(ours, theirs) == 0
    assert first(ours, {**ours, ("batch", "input0"): IMAGES[..., ::-1, ::-1]}) is None
    assert first({key: value for key, value in ours.items() if key[0] != "batch"}, theirs) == 0, "the targets agree"


def test_arrays_of_other_sizes_have_no_distance() -> None:
    """Those that differ by an axis of one are the same numbers."""
    assert nearest(IMAGES, IMAGES[:, :, :4]) is None
    assert nearest(LOGITS[:, :1], LOGITS[:, 0]) == 0


def test_a_weight_that_the_loss_never_reads_is_found() -> None:
    """A layer of which every other part has a gradient; one that has none at all is another matter."""
    still = {**NUMBERS, "rnn.ih": np.ones((4, 2), np.float32), "rnn.hh": np.ones((4, 4), np.float32)}
    gradients = {("gradient", name): np.ones_like(values) for name, values in still.items()}
    updated = {("updated", name): values - 1 for name, values in still.items()}
    read = {**weights(still), **gradients, **updated}
    unread = {**read, ("gradient", "rnn.hh"): np.zeros((4, 4), np.float32)}
    apart = {**unread, ("gradient", "rnn.ih"): np.zeros((4, 2), np.float32)}
    for side, entry in ((unread, ["forward.unread"]), (read, []), (apart, [])):
        found = network.causes(one("torch", read, 6), one("torch", side, 6))
        assert [cause.parameter for cause in found] == entry


@pytest.mark.parametrize(("functions", "told"), [(("linear", "relu"), True), (("relu", "relu"), False),
                                                 (("linear", "softmax"), False)])  # fmt: skip
def test_a_function_at_the_output_is_seen_where_calls_between_layers_are_not(
    functions: tuple[str, str], told: bool
) -> None:
    """What the loss has to do with is left to it."""
    sides = [one("tensorflow", weights(), output_activation=name) for name in functions]
    assert any(cause.parameter == "forward.output_activation" for cause in network.causes(*sides)) is told
