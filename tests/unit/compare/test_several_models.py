"""Networks of which a recording holds one among several, or a part called on its own: nothing is missed of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare import aligned, mending
from auditor.compare.causes import diagnose
from auditor.compare.identify import own_tensors
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward, skipped
from auditor.compare.recognise.cause import MATTERS
from auditor.compare.structure import differences, structure
from auditor.compare.structure.operations import Structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array


def keras(paths: dict[str, int], ran: list[str]) -> Structure:
    """A network of dense layers by path and width, of which a program's graph names these in their order."""
    layers = [{"class": "Dense", "path": path, "config": {"units": units}} for path, units in paths.items()]
    return structure("tensorflow", {"model": {"layers": layers}}, [{"operations": [{"layer": one} for one in ran]}])


GENERATOR = {"sequential/dense": 32, "sequential/dense_1": 2}
WHOLE = {**GENERATOR, "sequential_1/dense_2": 16, "sequential_1/dense_3": 1}


@pytest.mark.parametrize(("ran", "part"), [([*WHOLE], True), ([*GENERATOR], False)])
def test_the_other_half_of_a_gan_is_not_missing(ran: list[str], part: bool) -> None:
    """The graph names layers of a second model, which the model at hand has none of."""
    half, both = keras(GENERATOR, ran), keras(WHOLE, [*WHOLE])
    assert half.part is part
    assert not both.part
    assert bool(differences(half, both)) is not part


def _of(shapes: list[list[int]]) -> dict[str, Any]:
    return {"weights": [{"shape": one} for one in shapes]}


def judge(graph: list[dict[str, Any]], *, more: int = 0, framework: str = "tensorflow") -> list[str]:
    """What is told of a judge of two layers, by the graph of a step; ``more`` parameters are no layer's."""
    weights = {"dense_2": [[2, 16], [16]], "dense_3": [[16, 1], [1]]}
    layers = [
        {"class": "Dense", "path": f"judge/{name}", "config": {"units": each[-1][0]}, **_of(each)}
        for name, each in weights.items()
    ]
    model = {"layers": layers, "parameters": 65 + more}
    found = structure(framework, {"model": model}, [{"operations": graph}])
    return [f"{one.kind} {one.settings.get('units', '')}".strip() for one in found.operations]


PASS: list[dict[str, Any]] = [{"layer": "judge/dense_2"}, {"layer": "judge/dense_3"}]
MADE: list[dict[str, Any]] = [{"op": "Dense", "units": 32, "use_bias": True}, {"op": "relu"}]


def test_what_a_generator_made_before_is_none_of_the_judges() -> None:
    """Called without its layers being heard: products of no layer, of a model whose weights are all layers'."""
    alone = ["dense 16", "dense 1"]
    twice = [{**one, "calls": 2} for one in PASS] + [PASS[0], {**PASS[1], "end": True}]
    assert judge(PASS) == judge([*MADE, *PASS]) == judge([*MADE, *twice]) == alone


def test_products_of_a_models_own_weights_are_kept() -> None:
    """Where there are more than its layers hold, or a layer is not told; with activations alone, or behind it."""
    own = ["dense 32", "activation", "dense 16", "dense 1"]
    assert judge([*MADE, *PASS], more=64) == own
    assert judge([*MADE, PASS[1]])[0] == "dense 32"
    assert judge([MADE[1], *PASS])[0] == "activation"
    assert judge([*PASS, MADE[0]])[-1] == "dense 32"
    assert judge([*MADE, *PASS], more=64, framework="keras") == own


def test_settings_of_one_model_among_several_are_compared_where_kinds_agree() -> None:
    """Another width in the same place is a difference all the same."""
    narrow = keras({**GENERATOR, "sequential/dense": 24}, [*WHOLE])
    assert [one.setting for one in differences(narrow, keras(GENERATOR, [*WHOLE]))] == ["units"]


@pytest.mark.parametrize("path", ["attention/query", "attention"])
def test_a_part_of_a_layer_is_none_of_another_model(path: str) -> None:
    """Keras may name what a layer calls within."""
    assert not keras({"attention": 8}, [path]).part


@pytest.mark.parametrize(("called", "part"), [("att", False), ("att.out_proj", True)])
def test_attention_by_hand_with_the_weights_of_the_layer_is_not_laid_beside_it(called: str, part: bool) -> None:
    """Its projections are called one by one: which of them make up what is not known."""
    layers: list[dict[str, Any]] = [
        {"name": "att", "class": "MultiheadAttention", "embed_dim": 8, "num_heads": 2},
        {"name": "att.out_proj", "class": "NonDynamicallyQuantizableLinear", "in_features": 8, "out_features": 8},
        {"name": "head", "class": "Linear", "in_features": 8, "out_features": 3},
    ]
    graph = [{"op": "dense", "units": 24, "bias": True}] if part else []
    found = structure(
        "torch", {"model": {"layers": layers}}, [{"operations": [*graph, {"layer": called}, {"layer": "head"}]}]
    )
    assert found.part is part
    usual = structure("torch", {"model": {"layers": layers}}, [{"operations": [{"layer": "att"}, {"layer": "head"}]}])
    assert differences(found, usual) == []


def words(framework: str, layer: dict[str, Any], *, packed: bool = False, least: int = 0) -> Profile:
    """A network of a table and a recurrent layer, with five in sixteen words the ``least``: padding, if 0."""
    recurrent = {"name": "rnn", "class": "GRU", "hidden_size": 4, "config": {"units": 4}}
    layers = [{"name": "table", "class": "Embedding", "embedding_dim": 3, **layer}, recurrent]
    graph = [{"layer": "table"}, {"layer": "rnn", **({"packed": True} if packed else {})}]
    batch = array("batch", "input0", np.tile(np.maximum(np.arange(16) - 5, least).astype(np.float32), (4, 1)))
    steps = assembled([Recording(1, [batch], facts={"operations": graph})])
    return profile("a", framework, steps, Beside(manifest={"model": {"layers": layers}}, last_step=9))


MASKED = {"config": {"output_dim": 3, "mask_zero": True}}
OPEN = {"config": {"output_dim": 3, "mask_zero": False}}


@pytest.mark.parametrize(
    ("table", "packed", "how"),
    [(MASKED, True, None), (OPEN, True, "measured"), (MASKED, False, "declared"), (OPEN, False, None)],
    ids=["packed and masked", "packed and read", "left out by hand, perhaps", "read by both"],
)
def test_packed_sequences_are_read_without_their_padding(table: dict[str, Any], packed: bool, how: str | None) -> None:
    """As a mask leaves it out; what PyTorch's program does by hand is not known, and claims nothing."""
    found = [
        one.how
        for one in diagnose(words("torch", {}, packed=packed), words("keras", table)).causes
        if one.parameter == "embedding.padding"
    ]
    assert found == ([] if how is None else [how])


@pytest.mark.parametrize(("kind", "how"), [("Functional", "measured"), ("Tagger", "declared")])
def test_a_model_that_calls_its_layers_itself_may_hand_them_a_mask(kind: str, how: str) -> None:
    """``self.lstm(self.emb(x), mask=x != 0)``, of which no layer declares anything."""
    keras_ = words("keras", OPEN)
    keras_ = replace(keras_, manifest={"model": {**(keras_.manifest or {})["model"], "class": kind}})
    found = diagnose(words("torch", {}, packed=True), keras_).causes
    assert [one.how for one in found if one.parameter == "embedding.padding"] == [how]


TABLED: dict[str, Any] = {"padding_idx": 0}


@pytest.mark.parametrize(
    ("table", "packed", "words_from", "told"),
    [(MASKED, False, 0, True), (MASKED, True, 0, False), (MASKED, False, 1, False)],
    ids=["read", "packed", "no padding"],
)
def test_a_row_kept_at_zero_is_no_step_that_is_skipped(
    table: dict[str, Any], packed: bool, words_from: int, told: bool
) -> None:
    """``padding_idx`` beside ``mask_zero``: the layer behind PyTorch's table goes on over the zeros (FWD-21).

    Harmless until outputs show it: a program may pick the last word's state by hand, which comes to the same.
    """
    sides = [words("torch", TABLED, packed=packed, least=words_from), words("keras", table, least=words_from)]
    found = list(skipped.causes(*sides))
    assert [one.parameter for one in found] == (["recurrent.skipped"] if told else [])
    for cause in found:
        assert cause.weight < MATTERS
        assert not diagnose(*sides).claims
        shown, agreed = (aligned.weigh([cause], aligned.FirstStep(apart)) for apart in (0.5, 1e-8))
        assert [(one.id, one.weight, one.how) for one in shown] == [("FWD-21", 0.5, "measured")]
        assert all(one.weight < MATTERS for one in agreed)
        assert "pack_padded_sequence" in mending.line(cause, ("torch", "keras"))


def game(names: Mapping[str, tuple[str, Any]], listed: Sequence[str], layers: Mapping[str, str]) -> Profile:
    """A first step of two networks, of which the manifest lists one: weights by name, of a kind and a shape."""
    rng = np.random.default_rng(3)
    draws = {"drawn": lambda shape: rng.uniform(-0.2, 0.2, shape), "ones": np.ones, "zeros": np.zeros,
             "around": lambda shape: rng.normal(1.0, 0.02, shape)}  # fmt: skip
    arrays = [array("weight", name, draws[how](shape).astype(np.float32)) for name, (how, shape) in names.items()]
    tensors = {one.name: {"shape": list(one.shape)} for one in arrays if one.name in listed}
    told = [{"name": name, "class": kind} for name, kind in layers.items()]
    return profile(
        "a",
        "torch",
        assembled([Recording(1, arrays)]),
        Beside(manifest={"model": {"tensors": tensors, "layers": told}}),
    )


MAKER = {"0.weight": ("drawn", (64, 9)), "2.weight": ("ones", (64,)), "2.bias": ("zeros", (64,))}
JUDGE = {"judge.2.weight": ("drawn", (16, 9, 4, 4)), "0.bias": ("zeros", (16,)), "judge.3.weight": ("around", (16,))}
LISTED = {"0": "Linear", "2": "BatchNorm1d", "head": "BatchNorm1d"}


def kinds(side: Profile) -> dict[str, str]:
    """What each weight is held for, by the first to be told of its kind."""
    return {one["name"]: own_tensors.kind(one) for one in side.value("init.weights")}


def test_a_layer_of_another_network_is_not_taken_for_one_of_the_same_number() -> None:
    """Of a judge only its optimizer tells: its second layer is no normalisation for that the maker's is."""
    found = kinds(game({**MAKER, **JUDGE}, [*MAKER], LISTED))
    assert found["2.weight"] == "norm.kernel"
    assert found["judge.2.weight"] == "conv.kernel"
    assert found["0.bias"] == "dense.bias"
    assert found["judge.3.weight"] == "norm.kernel"  # a vector of numbers around one scales


def test_a_layer_that_another_optimizer_holds_is_one_of_the_networks() -> None:
    """The manifest lists the weights of the first optimizer, and all layers."""
    held = {**MAKER, "head.weight": ("drawn", (16, 64)), "head.bias": ("zeros", (16,))}
    assert kinds(game(held, [*MAKER], LISTED))["head.bias"] == "norm.bias"
    assert kinds(game(held, [], LISTED))["2.bias"] == "norm.bias"  # named otherwise than they are listed


def test_weights_of_another_network_begin_as_the_other_sides_do() -> None:
    """No cause of kernels that one side holds for scales."""
    mine = game({**MAKER, **JUDGE}, [*MAKER], LISTED)
    named = {name.replace("judge.2", "judge.conv"): one for name, one in {**MAKER, **JUDGE}.items()}
    theirs = game(named, [*named], {**LISTED, "judge.conv": "Conv2d", "judge.3": "BatchNorm2d"})
    assert not [one for one in diagnose(mine, theirs).causes if one.parameter.startswith("init.")]


@pytest.mark.parametrize(("ends", "told"), [(False, []), (True, ["forward.activation"])])
def test_a_function_of_the_loss_is_none_of_the_network_where_no_output_parts_them(ends: bool, told: list[str]) -> None:
    """A loop of bare variables: its network is what stands behind its loss, whose softplus the other's has too."""
    dense = [{"op": "Dense", "units": 4}, {"op": "Dense", "units": 1}]
    softplus = {"op": "Softplus", "inputs": ["output0" if ends else 2]}
    sides = []
    for more, graph in (([], [{"op": "Mean", "inputs": [1]}, {**softplus, "inputs": ["output0"]}]),
                        ([{"op": "softplus", "end": True}], [{"op": "Sum", "inputs": [1]}, softplus])):  # fmt: skip
        facts = {"operations": [*dense, *more], "loss": {"graph": graph}}
        found = [Recording(1, [array("batch", "input0", np.ones((4, 3)))], {}, facts)]
        sides.append(profile("a", "tensorflow", assembled(found), Beside()))
    assert [one.parameter for one in forward.causes(*sides)] == told


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [(["ones", "zeros"], ["norm.kernel", "norm.bias"]), (["zeros", "ones"], ["dense.bias", "norm.kernel"])],
)
def test_zeros_next_to_what_scales_shift_it(drawn: list[str], expected: list[str]) -> None:
    """Of bare variables, which have no names of their own: in the order in which a program lists them."""
    names = {f"Variable#{at}": (how, (16,)) for at, how in enumerate(drawn)}
    side = game({"Variable": ("drawn", (9, 16)), **names}, [], {})
    assert {fact.removeprefix("init.") for fact in ("init.dense.bias", "init.norm.bias") if side.value(fact)} == {
        kind for kind in expected if kind.endswith("bias")
    }
