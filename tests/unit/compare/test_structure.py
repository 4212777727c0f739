"""Two networks side by side: layers in one vocabulary, where windows stand, what corresponds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward
from auditor.compare.structure import Structure, differences, geometry, structure, words
from auditor_agent.stream.recording import Recording
from support.networks import NORM, dense, network, relu
from support.recordings import assembled
from support.tiny import Tiny, array

MSE = torch.nn.functional.mse_loss


def fourth(o: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A loss that no table has."""
    return ((o - y) ** 4).mean()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("torch.nn.modules.batchnorm.BatchNorm2d", "batchnorm"),
        ("BatchNormalization", "batchnorm"),
        ("Conv2DTranspose", "conv_transpose"),
        ("ConvTranspose2d", "conv_transpose"),
        ("DepthwiseConv2D", "depthwise"),
        ("GlobalAveragePooling2D", "global_average_pool"),
        ("AdaptiveAvgPool2d", "global_average_pool"),
        ("MaxPooling1D", "max_pool"),
        ("LeakyReLU", "activation"),
        ("Linear", "dense"),
        ("Sequential", None),
        ("Flatten", None),
    ],
)
def test_layers_of_all_frameworks_have_one_word(name: str, kind: str | None) -> None:
    """By their class."""
    assert words.kind_of(name) == kind


@pytest.mark.parametrize(
    ("extent", "keras", "torch"),
    [(16, [[0, 1]], [[1, 0]]), (15, [[1, 1]], [[1, 1]])],
)
def test_same_with_a_stride_stands_elsewhere_on_even_extents_only(
    extent: int, keras: list[list[int]], torch: list[list[int]]
) -> None:
    """A window of 3 with a stride of 2: as TensorFlow pads, and what of a padding of 1 a window reaches."""
    assert geometry.same("same", [3], [2], [1], [extent]) == keras
    assert geometry.reached([[1, 1]], [3], [2], [1], [extent]) == torch


def test_equal_networks_do_not_differ() -> None:
    """Names do not matter."""
    one = network(dense(8), relu(), dense(1))
    assert differences(one, one) == []


def test_a_layer_more_is_told_and_its_neighbours_are_not() -> None:
    """The pairing is the cheapest, not that by place."""
    found = differences(network(dense(8), relu(), dense(8), relu(), dense(1)), network(dense(8), relu(), dense(1)))
    assert [(one.a.kind if one.a else None, one.b) for one in found] == [("dense", None), ("activation", None)]


def keras_dense(activation: Any) -> Structure:
    """A Keras model of one dense layer and its head."""
    told = {"units": 8, "use_bias": True}
    layers = [
        {"class": "Dense", "name": "dense", "config": {**told, "activation": activation}},
        {"class": "Dense", "name": "head", "config": {**told, "activation": "linear"}},
    ]
    return structure("keras", {"model": {"class": "Sequential", "layers": layers}}, [])


@pytest.mark.parametrize(
    "given",
    [
        "my_activation",
        {"class": "function", "config": "squash"},
        {"value": ["4wEAAAAAAAAA", None, None]},
    ],
)
def test_an_activation_that_the_program_wrote_may_be_any(given: Any) -> None:
    """Its name says nothing: it is there, and no difference from one that has a name."""
    found = keras_dense(given)
    assert [one.kind for one in found.operations] == ["dense", "activation", "dense"]
    assert differences(found, keras_dense("gelu")) == []
    assert [one.setting for one in differences(found, keras_dense("linear"))] == [""]


def test_an_activation_layer_within_a_layer_keeps_its_settings() -> None:
    """``Dense(8, activation=LeakyReLU(0.1))``: the slope is in the inner configuration."""
    inner = {"class": "LeakyReLU", "config": {"negative_slope": 0.1}}
    assert keras_dense(inner).operations[1].settings == {"function": "leakyrelu", "slope": 0.1}


def test_another_width_is_one_setting() -> None:
    """Of a layer that both have."""
    found = differences(network(dense(64), relu(), dense(1)), network(dense(32), relu(), dense(1)))
    assert [(one.setting, one.values) for one in found] == [("units", (64, 32))]


def test_another_place_is_one_difference() -> None:
    """Normalisation before or after: neither missing nor one too many."""
    found = differences(network(NORM, dense(8), dense(8)), network(dense(8), NORM, dense(8)))
    assert [one.setting for one in found] == ["order"]


def test_what_may_be_hidden_is_not_missed() -> None:
    """A program that calls its activations as functions, seen by its modules alone."""
    modules = network(dense(8), dense(1), whole=False)
    assert differences(modules, network(dense(8), relu(), dense(1))) == []
    assert differences(modules, network(dense(8), relu(), dense(8), dense(1)))


def test_a_graph_tells_functions_and_repeated_calls() -> None:
    """What ran, in its order; a softmax at the end belongs to the loss."""
    manifest = {
        "model": {
            "tensors": {"fc.weight": {}, "fc.bias": {}, "out.weight": {}},
            "layers": [
                {"name": "fc", "class": "Linear", "in_features": 4, "out_features": 4},
                {"name": "out", "class": "Linear", "in_features": 4, "out_features": 2},
            ],
        }
    }
    ran = [
        {"layer": "fc"},
        {"op": "leaky_relu", "negative_slope": 0.3},
        {"layer": "fc"},
        {"op": "dropout", "rate": 0.5},
    ]
    found = structure("torch", manifest, [{}, {"operations": [*ran, {"layer": "out"}, {"op": "softmax"}]}])
    assert [one.word for one in found.operations] == ["dense(4)", "leakyrelu", "dense(4)", "dropout(0.5)", "dense(2)"]
    assert [one.settings.get("bias") for one in found.operations if one.kind == "dense"] == [True, True, False]
    assert found.operations[1].settings["slope"] == 0.3
    assert found.whole
    assert found.ordered


def test_whose_corners_stay_where_they_are_is_told() -> None:
    """FWD-19: PyTorch says so of what it resizes; Keras's layer has no such setting, and never does."""
    layer = {"name": "up", "class": "UpSampling2D", "config": {"size": [2, 2], "interpolation": "bilinear"}}
    keras = structure("keras", {"model": {"class": "Sequential", "layers": [layer]}}, [{}])
    assert [one.settings.get("corners") for one in keras.operations] == [False]
    for corners in (True, False):
        told = {"operations": [{"op": "upsample", "mode": "bilinear", "corners": corners}]}
        torch = structure("torch", {"model": {}}, [told])
        assert [one.setting for one in differences(torch, keras)] == (["corners"] if corners else [])
    unknown = structure("torch", {"model": {}}, [{"operations": [{"op": "upsample", "mode": "bilinear"}]}])
    assert not differences(unknown, keras)


@pytest.mark.parametrize(("mode", "pool"), [("mean", "global_average_pool"), ("max", "global_max_pool"), ("sum", None)])
def test_a_bag_of_embeddings_is_a_table_and_what_is_made_of_its_rows(mode: str, pool: str | None) -> None:
    """``EmbeddingBag(mode="mean")`` against ``Embedding`` and a mean over positions."""
    table = {"name": "table", "class": "EmbeddingBag", "embedding_dim": 6, "mode": mode}
    plain = {"name": "table", "class": "Embedding", "embedding_dim": 6}
    end = {"name": "out", "class": "Linear", "in_features": 6, "out_features": 2}
    bag = structure(
        "torch", {"model": {"layers": [table, end]}}, [{"operations": [{"layer": "table"}, {"layer": "out"}]}]
    )
    ran = [{"layer": "table"}, *([{"op": pool}] if pool else []), {"layer": "out"}]
    rows = structure("torch", {"model": {"layers": [plain, end]}}, [{"operations": ran}])
    assert differences(bag, rows) == []


def test_attention_is_four_products_in_every_spelling() -> None:
    """A module of attention, and queries, keys and values from one product of three times the width."""
    layers = [{"name": "attend", "class": "MultiheadAttention", "embed_dim": 8, "num_heads": 2}]
    tensors = {"attend.in_proj_weight": {}, "attend.in_proj_bias": {}, "attend.out_proj.bias": {}}
    module = structure(
        "torch", {"model": {"layers": layers, "tensors": tensors}}, [{"operations": [{"layer": "attend"}]}]
    )
    packed = [
        {"name": "qkv", "class": "Linear", "in_features": 8, "out_features": 24},
        {"name": "out", "class": "Linear", "in_features": 8, "out_features": 8},
    ]
    told = {"model": {"layers": packed, "tensors": {"qkv.bias": {}, "out.bias": {}}}}
    by_hand = structure("torch", told, [{"operations": [{"layer": "qkv"}, {"op": "softmax"}, {"layer": "out"}]}])
    assert differences(module, by_hand) == []


@pytest.mark.parametrize("whole", [True, False])
def test_branches_beside_each_other_have_no_order(whole: bool) -> None:
    """Two heads of one body: whichever runs first, the weights have the same sizes. A wider head is told."""
    run = Tiny(steps=1).profile()
    heads = (
        network(dense(24), relu(), dense(1), dense(3), whole=whole),
        network(dense(24), relu(), dense(3), dense(1)),
    )
    ours, theirs, wider = (
        replace(run, structure=one) for one in (*heads, network(dense(24), relu(), dense(4), dense(1)))
    )
    assert list(forward.causes(ours, theirs)) == []
    assert [one.parameter for one in forward.causes(ours, wider)] == ["dense.units"] * 2


@pytest.mark.parametrize(
    ("torch", "keras", "size", "same"),
    [(0, "valid", 2, True), (1, "same", 4, True), (1, "valid", 4, False), (1, "same", 3, False)],
)
def test_a_transposed_convolutions_padding_is_what_it_crops(torch: int, keras: str, size: int, same: bool) -> None:
    """A stride of 2. Of a window of 3 Keras takes one element off the far end, PyTorch off both."""
    ours = geometry.of_torch({"kernel_size": size, "stride": 2, "padding": torch}, [8, 8], "conv_transpose")
    layer = {"kernel_size": [size, size], "strides": [2, 2], "padding": keras, "input_shape": [None, 8, 8, 3]}
    assert (ours["padding"] == geometry.of_keras(layer, "conv_transpose")["padding"]) is same


@pytest.mark.parametrize(("channels", "multiplier"), [(2, 1), (4, 2)])
def test_a_depthwise_convolution_is_one_in_both_frameworks(channels: int, multiplier: int) -> None:
    """PyTorch spells it as one group for each channel; a convolution in groups of several stays another layer."""

    def torch(groups: int) -> Structure:
        window = {"kernel_size": [3, 3], "stride": [1, 1], "padding": [1, 1], "dilation": [1, 1]}
        layer = {"name": "conv", "class": "torch.nn.modules.conv.Conv2d", "in_channels": channels, "groups": groups}
        layers = [{**layer, **window, "out_channels": channels * multiplier}]
        return structure("torch", {"model": {"layers": layers}}, [{}, {"operations": [{"layer": "conv"}]}])

    window = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "dilation_rate": [1, 1]}
    config = {**window, "depth_multiplier": multiplier, "use_bias": False}
    layers = [{"name": "conv", "class": "DepthwiseConv2D", "config": config}]
    keras = structure("keras", {"model": {"layers": layers}}, [{}, {"operations": [{"layer": "conv"}]}])
    assert [one.kind for one in keras.operations] == ["depthwise"]
    assert not differences(torch(channels), keras)
    assert differences(torch(1), keras)


COUNTED = {
    "add": ("FWD-00", "forward.sums"),
    "shift": ("FWD-00", "forward.shift"),
    "stop": ("BWD-00", "backward.stopped"),
}


@pytest.mark.parametrize("word", COUNTED)
@pytest.mark.parametrize(("left", "right", "told"), [(2, 0, True), (2, 2, False), (2, None, False)])
def test_what_one_side_adds_or_cuts_off_more_often_is_told(word: str, left: int, right: int | None, told: bool) -> None:
    """Residual connections, tables of positions, gradients that are stopped, where neither side may hide some."""
    run = Tiny(steps=1).profile()
    none = dict.fromkeys(COUNTED, 0)
    counts = (None if many is None else {**none, word: many} for many in (left, right))
    ours, theirs = (replace(run, structure=replace(network(dense(4)), sums=sums)) for sums in counts)
    found = [(one.id, one.parameter, one.values) for one in forward.causes(ours, theirs)]
    assert found == ([(*COUNTED[word], (left, right))] if told else [])


@pytest.mark.parametrize("mode", ["concat", "sum"])
def test_how_two_directions_are_put_together_is_told(mode: str) -> None:
    """PyTorch puts them side by side, as Keras does by default."""
    inner = {"class": "LSTM", "config": {"units": 4}}
    told = {"name": "both", "class": "Bidirectional", "config": {"layer": inner, "merge_mode": mode}}
    keras = structure("keras", {"model": {"layers": [told]}}, [{"operations": [{"layer": "both"}]}])
    layer = {"name": "rnn", "class": "LSTM", "hidden_size": 4, "bidirectional": True, "batch_first": True}
    torch = structure("torch", {"model": {"layers": [layer]}}, [{"operations": [{"layer": "rnn"}]}])
    assert [one.setting for one in differences(keras, torch)] == ([] if mode == "concat" else ["merge"])


@pytest.mark.parametrize("word", ["causal", "padded"])
@pytest.mark.parametrize(("back", "forth"), [(True, False), (True, None), (True, True)])
def test_attention_that_leaves_positions_out_is_told(word: str, back: bool, forth: bool | None) -> None:
    """Of layers and of attention that the program writes itself; not where one side's mask does not show."""

    def torch(causal: bool | None) -> Structure:
        layers = [{"name": "att", "class": "torch.nn.modules.activation.MultiheadAttention", "embed_dim": 8}]
        node = {"layer": "att"} if causal is None else {"layer": "att", word: causal}
        return structure("torch", {"model": {"layers": layers}}, [{}, {"operations": [node]}])

    found = [one.setting for one in differences(torch(back), torch(forth))]
    assert found == ([word] if forth is False else [])
    run = Tiny(steps=1).profile()
    both = [[{"over": 6}] if side is None else [{"over": 6, word: side}] for side in (back, forth)]
    ours, theirs = (replace(run, structure=replace(network(dense(4)), shares=tuple(one))) for one in both)
    told = [one.parameter for one in forward.causes(ours, theirs)]
    assert told == ([f"attention.{word}"] if forth is False else [])


def holding(sizes: dict[str, int], *, declared: int | None = None, kind: str = "dense", still: str = "") -> Profile:
    """A run with weights of these sizes, of which its manifest says that there are so many numbers.

    No gradient reaches ``still``.
    """
    ones = {name: np.ones(size, np.float32) for name, size in sizes.items()}
    slopes = [array("gradient", name, 0 * w if name == still else w) for name, w in ones.items()]
    recording = Recording(1, [*(array("weight", name, w) for name, w in ones.items()), *slopes])
    parameters = sum(sizes.values()) if declared is None else declared
    manifest = {"model": {"layers": [], "parameters": parameters}}
    run = profile("a", "torch", assembled([recording]), Beside(manifest=manifest))
    return replace(run, structure=network((kind, {"units": 3})))


BOTH = {"in": 12, "out": 8}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (holding({**BOTH, "positions": 6}), "positions: on one side only"),
        (holding({**BOTH, "head": 12}), "head: on one side only; the other side has one tensor of that size"),
        (holding({"in": 12, "left": 4, "right": 4}), ""),
        (holding({**BOTH, "positions": 6}, declared=40), ""),
        (holding({**BOTH, "replaced": 6}, still="replaced"), ""),
        (holding({**BOTH, "positions": 6}, kind="lstm"), ""),
    ],
)
def test_a_tensor_that_one_side_alone_has_is_told(more: Profile, told: str) -> None:
    """A table of positions; a kernel of its own where the other uses one twice.

    Weights that are cut into other tensors, a recording that lacks some, two biases of a recurrent layer,
    a tensor that no gradient reaches: silence.
    """
    plain = holding(BOTH, kind=more.structure.operations[0].kind)
    effects = [one.effect for one in forward.causes(more, plain)]
    assert [effect.startswith(told) for effect in effects] == ([True] if told else [])
    assert [one.values[::-1] for one in forward.causes(plain, more)] == [
        one.values for one in forward.causes(more, plain)
    ]


@pytest.mark.parametrize(
    ("kind", "loss", "whole"), [("Sequential", MSE, True), ("Tied", MSE, False), ("Sequential", fourth, False)]
)
def test_a_stack_that_ran_eagerly_hides_nothing_where_its_output_explains_the_loss(
    kind: str, loss: Any, whole: bool
) -> None:
    """Functions that a program calls are not seen there: after the stack they would show in the loss."""
    layers = [{"class": "Dense", "name": str(at), "config": {"units": units}} for at, units in enumerate((24, 1))]
    ran = {"operations": [{"layer": "0"}, {"layer": "1"}], "operations_whole": False}
    tiny = Tiny(framework="tensorflow", loss=loss)
    recordings = [replace(one, facts=ran) for one in assembled(tiny.recordings())]
    found = profile("a", "tensorflow", recordings, Beside(manifest={"model": {"class": kind, "layers": layers}}))
    assert found.structure.whole is whole


@pytest.mark.parametrize(("framework", "told"), [("keras", ["FWD-00"]), ("torch", [])])
def test_noise_that_is_a_layer_is_missed_where_it_would_be_told(framework: str, told: list[str]) -> None:
    """In PyTorch it is a sum with random numbers, which nothing shows."""
    plain, noisy = network(dense(4), relu()), network(("noise", {}), dense(4), relu())
    a = replace(Tiny(framework="keras").profile(), structure=noisy)
    b = replace(Tiny(framework=framework).profile(), structure=plain)
    assert [cause.id for cause in forward.causes(a, b)] == told


@pytest.mark.parametrize("backwards", [True, False])
def test_a_sequence_that_is_read_from_its_end_is_declared(backwards: bool) -> None:
    """By Keras's setting alone: PyTorch turns the sequence itself."""
    layers = [{"class": "SimpleRNN", "name": "r", "config": {"units": 4, "go_backwards": backwards}}]
    manifest = {"model": {"class": "Sequential", "layers": layers}}
    a = Tiny(framework="keras").profile(manifest=manifest)
    b = replace(Tiny().profile(), structure=a.structure)
    told = [(cause.parameter, cause.how) for cause in forward.causes(a, b)]
    assert told == ([("recurrent.backwards", "declared")] if backwards else [])


def test_an_activation_that_is_a_module_of_the_programs_own_is_what_it_is_called() -> None:
    """Nothing is known of its settings; a module by another name is none."""
    layers = [{"name": "0", "class": "Linear", "out_features": 4}, {"name": "1", "class": "Gelu"}]
    graph = [{"layer": "0"}, {"layer": "1"}]
    told = [structure("torch", {"model": {"layers": [layers[0], one]}}, [{"operations": graph}]).operations
            for one in (layers[1], {"name": "1", "class": "Mixer"})]  # fmt: skip
    assert [[dict(one.settings) for one in each if one.kind == "activation"] for each in told] == [
        [{"function": "gelu"}],
        [],
    ]


def test_two_directions_are_no_sequence_that_is_read_from_its_end() -> None:
    """One of the two layers of a bidirectional one is always set to it."""
    inner = {"class": "LSTM", "name": "b", "path": "both/b", "config": {"units": 4, "go_backwards": True}}
    whole = {"class": "Bidirectional", "name": "both", "path": "both", "config": {"layer": inner}}
    a = Tiny(framework="keras").profile(manifest={"model": {"class": "Sequential", "layers": [whole, inner]}})
    assert not list(forward.causes(a, replace(Tiny().profile(), structure=a.structure)))


@pytest.mark.parametrize("kind", ["AvgPool1d", "MaxPool1d"])
def test_a_pool_of_sequences_that_the_graph_does_not_name_is_none_the_less_there(kind: str) -> None:
    """PyTorch pools them as images of one row, and what the module gives is that without the row."""
    layers = [{"name": "0", "class": kind, "kernel_size": 2, "stride": 2, "padding": 0}]
    ours = structure("torch", {"model": {"layers": layers}}, [{"operations": [{"layer": "0"}]}])
    config = {"pool_size": [2], "strides": [2], "padding": "valid"}
    told = [{"class": f"{'Average' if 'Avg' in kind else 'Max'}Pooling1D", "name": "0", "config": config}]
    theirs = structure("keras", {"model": {"class": "Sequential", "layers": told}}, [{"operations": [{"layer": "0"}]}])
    assert len(ours.operations) == 1
    assert differences(ours, theirs) == []
