"""What a side may do where nobody is told of it: noise, dropout of its inputs, a normalisation by its formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify.fact import Facts
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import data, forward, sums, unseen
from auditor.compare.recognise.init import causes as of_init
from auditor.compare.structure import Operation, Structure, differences
from auditor.compare.trajectories import Curve
from auditor_agent.stream.recording import Recording
from support.networks import NORM, dense, network, relu
from support.recordings import assembled
from support.tiny import Tiny, array, glorot, inputs, targets

DROP = ("dropout", {"rate": 0.5})


def side(framework: str, made: Structure, **weights: np.ndarray) -> Profile:
    """A run of this network, which begins with these weights."""
    steps = assembled([Recording(1, [array("weight", name, values) for name, values in weights.items()])])
    return replace(profile("a", framework, steps, Beside()), structure=made)


def called(made: Structure) -> Structure:
    """With dropout as a function: no layer has a name there."""
    return replace(
        made, operations=tuple(replace(one, name="") if one.kind == "dropout" else one for one in made.operations)
    )


def left(a: Profile, b: Profile) -> list[str]:
    """What is a difference all the same, either way round."""
    there = [one.operation.kind for one in differences(a.structure, b.structure) if not unseen.may_be(one, a, b)]
    back = [one.operation.kind for one in differences(b.structure, a.structure) if not unseen.may_be(one, b, a)]
    assert sorted(there) == sorted(back)
    return there


@pytest.mark.parametrize(
    ("framework", "other", "kept"),
    [
        ("torch", called(network(dense(16), DROP, dense(4))), []),
        ("torch", network(dense(16), DROP, dense(4)), ["dropout"]),
        ("keras", called(network(dense(16), DROP, dense(4))), ["dropout"]),
        ("torch", called(network(DROP, dense(16), dense(4))), ["dropout"]),
    ],
    ids=["called", "layers", "not of pytorch", "within"],
)
def test_a_dropout_of_the_batch_itself_is_not_seen_in_pytorch(
    framework: str, other: Structure, kept: list[str]
) -> None:
    """No gradient passes there. A program that has its dropout as layers has that one as a layer too."""
    whole = side("keras", network(DROP, dense(16), DROP, dense(4)))
    assert left(whole, side(framework, other)) == kept


@pytest.mark.parametrize(
    ("framework", "gain", "kept"),
    [
        ("tensorflow", np.ones(16, np.float32), []),
        ("tensorflow", np.zeros(16, np.float32), ["layernorm"]),
        ("tensorflow", np.ones(1, np.float32), ["layernorm"]),
        ("torch", np.ones(16, np.float32), ["layernorm"]),
    ],
)
def test_a_vector_of_ones_may_be_the_gain_of_a_normalisation_by_hand(
    framework: str, gain: np.ndarray, kept: list[str]
) -> None:
    """In TensorFlow, where its arithmetic has no name."""
    layers = side("keras", network(dense(16), NORM, relu(), dense(4)))
    assert left(layers, side(framework, network(dense(16), relu(), dense(4)), gamma=gain)) == kept


def test_of_labelled_rows_targets_that_a_mask_leaves_out_are_no_data() -> None:
    """One side picks them before its loss, the other masks its loss: what is left out has any target."""
    rng = np.random.default_rng(0)
    labels = rng.integers(1, 4, (96, 1)).astype(np.float32)
    masked = Tiny(y=labels * (rng.random((96, 1)) < 0.2)).profile()
    weighed = [replace(one, arrays={**one.arrays, ("factor", "weight0"): one.arrays["target", "target0"]})
               for one in masked.evidence.steps]  # fmt: skip
    masked = replace(masked, evidence=replace(masked.evidence, steps=tuple(weighed)))
    picked, facts = Tiny(y=labels).profile(), Facts()
    for one in picked.facts:
        facts.add(replace(one, value=96) if one.parameter == "data.batch_size" else one)
    picked = replace(picked, facts=facts)
    told = {one.parameter for one in data.causes(masked, picked)}
    assert not {name for name in told if name.startswith("data.target")}
    assert "data.target.scale" in {one.parameter for one in data.causes(Tiny(y=labels * 0.1).profile(), picked)}


def test_a_window_as_a_matrix_is_the_kernel_of_a_convolution() -> None:
    """Words side by side and one product, against a convolution over them: not the other side's dense layer."""
    rng = np.random.default_rng(0)
    bound = {"conv": np.sqrt(6 / 132), "out": np.sqrt(6 / 35)}
    window, out = (rng.uniform(-bound[name], bound[name], shape).astype(np.float32)
                   for name, shape in (("conv", (36, 32)), ("out", (32, 3))))  # fmt: skip
    layers = {"layers": [{"name": "conv", "class": "Conv1d"}, {"name": "out", "class": "Linear"}]}
    kernels = {"conv.weight": window.T.reshape(32, 12, 3).copy(), "out.weight": out.T.copy()}
    steps = assembled([Recording(1, [array("weight", name, values) for name, values in kernels.items()])])
    library = profile("a", "torch", steps, Beside(manifest={"model": layers}))
    rng = np.random.default_rng(1)
    window, out = (rng.uniform(-bound[name], bound[name], one.shape).astype(np.float32)
                   for name, one in (("conv", window), ("out", out)))  # fmt: skip
    hand = [array("weight", "Variable", window), array("weight", "Variable#2", out)]
    own = profile("b", "tensorflow", assembled([Recording(1, hand)]), Beside())
    assert [*of_init(library, own), *of_init(own, library)] == []


def test_the_first_operation_that_a_side_has_stands_for_a_difference() -> None:
    """Of either side."""
    (one,) = differences(network(dense(4), relu(), dense(2)), network(dense(4), dense(2)))
    assert one.operation == Operation("activation", "1", {"function": "relu"})


@pytest.mark.parametrize(
    ("framework", "last", "another"), [("tensorflow", 1, True), ("tensorflow", 4, False), ("torch", 1, False)]
)
def test_products_that_no_weight_of_the_step_has_the_width_of_are_another_networks(
    framework: str, last: int, another: bool
) -> None:
    """A generator that runs before its judge is trained: its structure is not the judge's."""
    weights = {"w": np.ones((6, 16), np.float32), "v": np.ones((16, last), np.float32)}
    assert unseen.of_another(side(framework, network(dense(16), dense(4)), **weights)) is another


@pytest.mark.parametrize(("more", "told"), [((), ["forward.sums"]), ((dense(8),), [])])
def test_sums_are_compared_in_networks_of_the_same_layers(
    more: tuple[tuple[str, dict[str, object]], ...], told: list[str]
) -> None:
    """Where a layer is not known on one side, what is added there may be that layer, by hand."""
    counts = {"add": 0, "shift": 0, "stop": 0}
    plain = replace(network(dense(16), *more, dense(4)), sums=counts)
    adds = replace(network(dense(16), dense(4)), sums={**counts, "add": 2})
    assert [one.parameter for one in sums.causes(side("torch", plain), side("tensorflow", adds))] == told


def test_of_recorded_steps_alone_a_last_batch_is_not_missed() -> None:
    """Where every step tells its samples it would be among them."""
    assert Tiny().profile().value("data.partial_batches") is None
    every = Curve(np.arange(1, 13), np.full(12, 16.0))
    assert Tiny().profile(curves={"samples": every}).value("data.partial_batches") == []


def test_places_that_a_program_repeats_are_no_operation() -> None:
    """Their number has to fit the target; by which rule they are filled in between is told where both say it."""
    upsample = ("upsample", {"mode": "nearest"})
    whole = side("torch", network(dense(16), upsample, dense(4)))
    assert left(whole, side("tensorflow", network(dense(16), dense(4)))) == []
    other = network(dense(16), ("upsample", {"mode": "linear"}), dense(4))
    assert left(whole, side("tensorflow", other)) == ["upsample"]


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        ({"kernel": [1, 12], "_over": [1, 12], "pads": [[0, 0], [0, 0]]}, []),
        ({"kernel": [1, 6], "_over": [1, 12], "pads": [[0, 0], [0, 0]]}, ["average_pool"]),
        ({"kernel": [1, 12]}, ["average_pool"]),
    ],
)
def test_a_window_over_all_positions_is_their_mean(window: dict[str, object], kept: list[str]) -> None:
    """One of several, or of what nobody knows the extents of, is another pool."""
    whole = side("torch", network(dense(16), ("global_average_pool", {}), dense(4)))
    other = side("tensorflow", network(dense(16), ("average_pool", window), dense(4)))
    assert {kind.removeprefix("global_") for kind in left(whole, other)} == set(kept)


NOISE = ("noise", {})


@pytest.mark.parametrize(("framework", "kept"), [("tensorflow", []), ("torch", []), ("keras", ["noise"])])
def test_noise_that_a_loop_may_add_itself_is_no_layer_that_it_lacks(framework: str, kept: list[str]) -> None:
    """Before it calls its model; Keras's ``fit`` gives that its batch as it is."""
    layers = side("keras", network(NOISE, dense(16), dense(4)))
    assert left(layers, side(framework, network(dense(16), dense(4)))) == kept


def head(given: int, **more: Any) -> Profile:
    """A run of one layer that is given rows of so many features."""
    x = inputs(96, given)
    found = Tiny(x=x, y=targets(x), weights=lambda: glorot(0, (given, 1))).profile()
    return replace(found, structure=network(dense(1)), **more)


def frozen(wide: int) -> Profile:
    """A run of two layers of which the first stands still."""
    still = Tiny(stepper=lambda: second_alone, weights=lambda: glorot(0, (6, wide, 1))).profile()
    return replace(still, structure=network(dense(wide), dense(1)))


def second_alone(weights: list[Any], gradients: list[Any], at: int) -> list[Any]:
    """An optimizer that holds the last layer."""
    del at
    return [*weights[:2], *(w - np.float32(0.01) * g for w, g in zip(weights[2:], gradients[2:], strict=True))]


@pytest.mark.parametrize(("wide", "behind"), [(24, True), (20, False)])
def test_a_head_that_is_given_features_is_held_against_what_is_behind_a_frozen_layer(wide: int, behind: bool) -> None:
    """Of which it is given what that gives: neither is its input of another width, nor a layer missing."""
    features, whole = head(24), frozen(wide)
    assert unseen.behind(features, whole) is behind
    assert not unseen.behind(whole, features)
    for pair in ((features, whole), (whole, features)):
        assert bool([*forward.causes(*pair)]) is not behind
        assert ("data.input.width" in {one.parameter for one in data.causes(*pair)}) is not behind


def test_weights_that_never_move_are_none_that_the_other_lacks() -> None:
    """A loop in PyTorch may leave them out of its optimizer here, out of what is trained there."""
    whole = frozen(24)
    model = {"trainable_parameters": 193, "layers": []}
    few = replace(whole, evidence=replace(whole.evidence, steps=tuple(map(_last_layer, whole.evidence.steps))))
    sides = (
        replace(whole, manifest={"model": model}),
        replace(few, manifest={"model": {**model, "trainable_parameters": 25}}),
    )
    moved = replace(Tiny().profile(), structure=whole.structure, manifest={"model": {"trainable_parameters": 193}})
    assert not [one for one in forward.causes(*sides) if one.parameter == "forward.weights"]
    others = replace(sides[1], manifest={"model": {"trainable_parameters": 25}})
    assert [one.parameter for one in forward.causes(moved, others)] == ["forward.weights"]


def _last_layer(step: Any) -> Any:
    return replace(step, arrays={key: one for key, one in step.arrays.items() if not key[1].startswith("layer0")})
