"""What a program took over as it was, though PyTorch and Keras lay it out otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import layouts
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

KERNEL = np.random.default_rng(5).normal(size=(12, 3)).astype(np.float32)
"""Of a GRU of four units in PyTorch: reset, update, new."""


def side(framework: str, *layers: dict[str, Any], **weights: np.ndarray) -> Profile:
    """A run of these layers; before its first step the last of them has these weights."""
    arrays = [array("weight", f"{layers[-1]['name']}.{name}", value) for name, value in weights.items()]
    manifest = {"model": {"layers": [*layers]}}
    return profile("run", framework, assembled([Recording(1, arrays)]), Beside(manifest))


def gru(framework: str, kernel: np.ndarray) -> Profile:
    """A GRU with this kernel."""
    return side(framework, {"name": "rnn", "class": "GRU"}, kernel=kernel)


def told(a: Profile, b: Profile) -> list[tuple[str, Any]]:
    """Ids and values of what the module says."""
    return [(cause.id, cause.values) for cause in layouts.causes(a, b)]


@pytest.mark.parametrize("turned", [False, True])
def test_gates_that_were_copied_in_the_others_order_are_told(turned: bool) -> None:
    """Whichever side is which, each is said to hold its own order."""
    pair = [gru("torch", KERNEL), gru("keras", KERNEL.T)]
    values = ["reset, update, new", "update, reset, new"]
    order = slice(None, None, -1 if turned else 1)
    assert told(*pair[order]) == [("FWD-15", tuple(values[order]))]


def test_gates_that_were_set_alike_are_no_others() -> None:
    """One side gives two of its gates one block, which the other has once: nothing was moved."""
    reset, update, new = np.split(KERNEL, 3)
    twice = np.concatenate([update, update, new])
    assert not told(gru("torch", twice), gru("keras", np.concatenate([update, reset, new]).T))


def lstm(framework: str, kernel: np.ndarray) -> Profile:
    """An LSTM with this kernel."""
    return side(framework, {"name": "rnn", "class": "LSTM"}, kernel=kernel)


def test_gates_in_another_order_are_drawn_from_what_the_others_are() -> None:
    """Though those of one gate are wider, or begin elsewhere: that is the order's doing."""
    wide = np.concatenate([KERNEL[:9], 4 * KERNEL[9:]])
    i, f, c, o = np.split(wide, 4)
    biases = np.repeat([0.0, 1.0, 0.0, 0.0], 40).astype(np.float32)
    moved = np.repeat([0.0, 0.0, 0.0, 1.0], 40).astype(np.float32)
    layer = {"name": "rnn", "class": "LSTM"}
    torch = side("torch", layer, weight=np.concatenate([i, o, f, c]), bias=moved)
    keras = side("keras", layer, kernel=wide.T, bias=biases)
    assert [cause.id for cause in diagnose(torch, keras).causes] == ["FWD-14"]
    drawn = side("torch", layer, weight=KERNEL[::-1].copy(), bias=moved)
    assert "INIT-08" in [cause.id for cause in diagnose(drawn, keras).causes], "of no order"


def test_gates_that_a_program_put_in_another_order_are_told() -> None:
    """Of an LSTM, whose gates both frameworks order alike, and of a GRU moved in a wrong way."""
    i, f, c, o = np.split(KERNEL, 4)
    moved = lstm("torch", np.concatenate([i, o, f, c])), lstm("keras", KERNEL.T)
    assert told(*moved) == [("FWD-14", ("input, forget, cell, output", "input, output, forget, cell"))]
    assert told(lstm("torch", KERNEL), lstm("keras", KERNEL.T)) == []
    reset, update, new = np.split(KERNEL, 3)
    turned = np.concatenate([new, update, reset]).T
    ((entry, values),) = told(gru("torch", KERNEL), gru("keras", turned))
    assert (entry, values) == ("FWD-15", ("reset, update, new", "new, reset, update"))


@pytest.mark.parametrize("case", ["permuted", "drawn anew", "alike", "one framework"])
def test_gates_in_their_own_order_are_not(case: str) -> None:
    """Permuted as they should be, of another seed, or with gates that are the same number by number."""
    reset, update, new = np.split(KERNEL, 3)
    alike = np.concatenate([reset, reset, new])
    pairs = {
        "permuted": (gru("torch", KERNEL), gru("keras", np.concatenate([update, reset, new]).T)),
        "drawn anew": (gru("torch", KERNEL), gru("keras", KERNEL[::-1].T)),
        "alike": (gru("torch", alike), gru("keras", alike.T)),
        "one framework": (gru("torch", KERNEL), gru("torch", KERNEL)),
    }
    assert told(*pairs[case]) == []


@pytest.mark.parametrize(
    ("shape", "axis", "width", "entries"),
    [
        ([None, 6, 20, 9], -1, 3, ["FWD-04"]),
        ([None, 6, 20, 9], 1, 3, []),
        ([None, 20, 9, 6], -1, 3, []),
        ([None, 20, 9, 12], -1, 3, []),
        ([None, 6, 20, 9], -1, 4, []),
        ([None, 9], -1, 3, []),
    ],
)
def test_a_normalisation_along_another_axis_is_known_by_its_channels(
    shape: list[int | None], axis: int, width: int, entries: list[str]
) -> None:
    """Six channels: not of networks of other widths, nor where six lie nowhere else."""
    torch = side("torch", {"name": "bn", "class": "BatchNorm2d", "num_features": 6}, next=np.ones((6, 3), np.float32))
    layer = {"name": "norm", "class": "BatchNormalization", "input_shape": shape, "config": {"axis": axis}}
    keras = side("keras", layer, next=np.ones((6, width), np.float32))
    assert [entry for entry, _ in told(torch, keras)] == entries


def test_normalisations_that_are_listed_in_another_order_are_along_the_channels() -> None:
    """Of images of 8 by 8 with 16 channels, behind one with 8: a model within a model lists its last layer first."""
    layers = [{"name": f"bn{width}", "class": "BatchNorm2d", "num_features": width} for width in (8, 16)]
    torch = side("torch", *layers, next=np.ones((6, 3), np.float32))
    shapes = [[None, 8, 8, 16], [None, 10, 10, 8]]
    norms = [{"name": f"norm{at}", "class": "BatchNormalization", "input_shape": one, "config": {"axis": -1}}
             for at, one in enumerate(shapes)]  # fmt: skip
    keras = side("keras", *norms, next=np.ones((6, 3), np.float32))
    assert told(torch, keras) == []


@pytest.mark.parametrize(
    ("batch", "given", "entries"),
    [
        ((8, 5, 3), [8, 5, 3], ["FWD-16"]),  # samples first, as the other side has them
        ((5, 8, 3), [5, 8, 3], []),  # times first: another batch than the other side's
        ((8, 5, 3), [5, 8, 3], []),  # turned round before the layer
        ((5, 5, 3), [5, 5, 3], []),
    ],
)
def test_a_layer_that_runs_over_samples_is_told_where_the_loss_is_of_every_position(
    batch: tuple[int, ...], given: list[int], entries: list[str]
) -> None:
    """Its rows are as many as both axes have together: by how the other side's batches lie."""
    facts = {"operations": [{"layer": "rnn", "input_shape": given}], "loss": {"target_shape": [batch[0] * batch[1]]}}
    layers = [{"name": "rnn", "class": "GRU", "hidden_size": 4, "input_size": 3}]
    step = Recording(1, [array("batch", "input0", np.ones(batch, np.float32))], {}, facts)
    torch = profile("a", "torch", assembled([step]), Beside({"model": {"layers": layers}}))
    shape = (5, 5, 3) if batch[0] == batch[1] else (8, 5, 3)
    own = [{"name": "gru", "class": "GRU", "config": {"units": 4, "activation": "tanh"}}]
    other = Recording(1, [array("batch", "input0", np.ones(shape, np.float32))], {}, {"operations": [{"layer": "gru"}]})
    keras = profile("b", "keras", assembled([other]), Beside({"model": {"layers": own}}))
    assert [entry for entry, _ in told(torch, keras)] == entries


SQUARE = np.random.default_rng(6).normal(size=(5, 5)).astype(np.float32)


def dense(framework: str, kernel: np.ndarray) -> Profile:
    """A layer with this kernel; scikit-learn names no layers."""
    return side(framework, {"name": "fc", "class": "Linear" if framework == "torch" else "Dense"}, kernel=kernel)


@pytest.mark.parametrize("framework", ["keras", "tensorflow", "sklearn"])
def test_a_square_kernel_that_was_taken_over_as_it_lies_is_told(framework: str) -> None:
    """It fits either way; transposed, drawn anew, or its own transpose it is nothing."""
    assert told(dense("torch", SQUARE), dense(framework, SQUARE)) == [("FWD-17", ("(out, in)", "(in, out)"))]
    assert told(dense(framework, SQUARE), dense("torch", SQUARE)) == [("FWD-17", ("(in, out)", "(out, in)"))]
    for other in (SQUARE.T, SQUARE[::-1], SQUARE[:4]):
        assert told(dense("torch", SQUARE), dense(framework, other)) == []
    even = SQUARE + SQUARE.T
    assert told(dense("torch", even), dense(framework, even)) == []


def idle(framework: str, kind: str, square: np.ndarray) -> Profile:
    """A trained layer behind one that nobody trains, of which only a corner is told."""
    corner = {"corner": square.tolist()}
    head = {"name": "head", "class": "Linear" if framework == "torch" else "Dense"}
    front: dict[str, Any] = {"name": "front", "class": kind}
    if framework != "torch":
        front["weights"] = [{"name": "front/kernel", **corner}]
    manifest = {"model": {"layers": [front, head], "frozen": {"front.weight": corner} if framework == "torch" else {}}}
    weight = array("weight", "head.kernel", np.ones((5, 3), np.float32))
    return profile("run", framework, assembled([Recording(1, [weight])]), Beside(manifest))


def test_a_square_that_nobody_trains_is_told_as_well() -> None:
    """By its corner; a table of words lies alike in both frameworks."""
    torch = idle("torch", "Linear", SQUARE)
    assert [entry for entry, _ in told(torch, idle("keras", "Dense", SQUARE))] == ["FWD-17"]
    assert told(torch, idle("keras", "Dense", SQUARE.T)) == []
    assert told(idle("torch", "Embedding", SQUARE), idle("keras", "Embedding", SQUARE)) == []


def test_two_programs_of_pytorch_have_one_layout() -> None:
    """Equal kernels are equal there."""
    assert told(dense("torch", SQUARE), dense("torch", SQUARE)) == []


QUERY, KEY, VALUE = np.random.default_rng(7).normal(size=(3, 6, 6)).astype(np.float32)
ATTENTION = {"torch": {"name": "mha", "class": "MultiheadAttention"},
             "keras": {"name": "mha", "class": "MultiHeadAttention"}}  # fmt: skip


@pytest.mark.parametrize(("transposed", "entries"), [(False, ["FWD-20"]), (True, [])])
def test_kernels_of_attention_that_were_not_transposed_are_told(transposed: bool, entries: list[str]) -> None:
    """PyTorch packs (3E, E); Keras has a kernel (E, heads, depth) for each."""
    packed = np.concatenate([one.T if transposed else one for one in (QUERY, KEY, VALUE)])
    torch = side("torch", ATTENTION["torch"], in_proj_weight=packed)
    kernels = {f"{name}.kernel": one.reshape(6, 2, 3) for name, one in
               {"query": QUERY, "key": KEY, "value": VALUE}.items()}  # fmt: skip
    keras = side("keras", ATTENTION["keras"], **kernels)
    assert [entry for entry, _ in told(torch, keras)] == entries
    assert [entry for entry, _ in told(keras, torch)] == entries
    assert told(torch, side("torch", ATTENTION["torch"], in_proj_weight=packed)) == []
    assert told(side("torch", ATTENTION["torch"], in_proj_weight=packed[:16]), keras) == []  # a layer of one's own
