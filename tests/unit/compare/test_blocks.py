"""What a weight is, in a model or a block that is called after something else; decay of packed tensors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify.initial import kind_of, layers_of
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import regularization
from auditor.compare.recognise.regularization import Pull
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

NORM: dict[str, Any] = {"name": "layer_normalization", "class": "LayerNormalization"}
ATTENDS: dict[str, Any] = {"name": "attention_block", "class": "MultiHeadAttention"}


@pytest.mark.parametrize(
    ("name", "shape", "model", "layers", "kind"),
    [
        ("tied_attention/value", (4, 4), "tied_attention", [NORM], "dense.kernel"),
        ("tied_attention/layer_normalization/gamma", (4,), "tied_attention", [NORM], "norm.kernel"),
        ("attention_block/layer_normalization/gamma", (4,), "model", [NORM], "norm.kernel"),
        ("attention_block/query/kernel", (4, 2, 2), "model", [ATTENDS], "attention.kernel"),
        ("tied_attention/attention_block/query/kernel", (4, 2, 2), "tied_attention", [ATTENDS], "attention.kernel"),
        ("attention_block/query/kernel", (4, 2, 2), "attention_block", [ATTENDS], "attention.kernel"),
    ],
)
def test_a_weight_is_of_its_layer_and_not_of_what_the_model_is_called(
    name: str, shape: tuple[int, ...], model: str, layers: list[dict[str, Any]], kind: str
) -> None:
    """Nor a normalisation of the block that it stands in; a layer is a layer though the model be called like it."""
    manifest = {"model": {"class": "Own", "name": model, "layers": layers}}
    assert kind_of(name, shape, layers_of(manifest, [name])) == kind


def run(**weights: tuple[int, ...]) -> Profile:
    """A run with weights of these shapes."""
    arrays = [array("weight", name, np.zeros(shape, np.float32)) for name, shape in weights.items()]
    return profile("a", "torch", assembled([Recording(1, arrays)]), Beside())


PACKED = run(qkv=(12, 4), out=(4, 4), pos=(6, 4))
APART = run(q=(4, 4), k=(4, 4), v=(4, 4), out=(4, 4), pos=(6, 4))


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (["qkv", "out"], ["q", "k", "v", "out"], []),
        (["qkv", "out"], ["q", "k", "v", "out", "pos"], ["OPT-09"]),
        (["qkv", "out", "pos"], ["q", "v", "out", "pos"], ["OPT-09"]),
    ],
)
def test_what_one_packs_and_the_other_keeps_apart_is_decayed_alike(
    left: list[str], right: list[str], told: list[str]
) -> None:
    """As many numbers on both sides; the positions, or the keys, make them others."""
    pulls = [Pull(0.0, 0.0, 0.1, 0.0, known=True, tensors=names) for names in (left, right)]
    found = regularization._selection(PACKED, replace(APART, run="b"), *pulls)
    assert [one.id for one in found] == told
