"""Pairs that differ in how one kind of weight was drawn, by the frameworks' own layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pytest
import torch
from torch import nn

from auditor.compare.causes import diagnose
from auditor.compare.identify import initial
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import MATTERS
from support.tiny import drawn

Layers = Mapping[str, tuple[str, Mapping[str, np.ndarray]]]


def of_torch(kind: str, layer: nn.Module, only: str = "") -> Layers:
    """A PyTorch layer's weights; those whose name holds ``only``."""
    return {"layer": (kind, {k: p.detach().numpy() for k, p in layer.named_parameters() if only in k})}


def of_keras(kind: str, layer: Any, shape: tuple[int, ...], only: str = "") -> Layers:
    """A Keras layer's weights."""
    layer.build(shape)
    return {"layer": (kind, {v.path.rsplit("/", 1)[-1]: v.numpy() for v in layer.trainable_weights if only in v.path})}


def plain(values: np.ndarray) -> Layers:
    """One dense kernel."""
    return {"layer": ("Linear", {"weight": values.astype(np.float32)})}


def normal(std: float, mean: float = 0.0) -> np.ndarray:
    """A (200, 300) matrix of normal numbers."""
    return np.random.default_rng(0).normal(mean, std, (200, 300))


def truncated(std: float) -> np.ndarray:
    """Cut at two standard deviations and widened to ``std``, as Keras does."""
    return keras.ops.convert_to_numpy(keras.initializers.TruncatedNormal(stddev=std / 0.87962566)((200, 300)))


def twins() -> Layers:
    """Two layers with one draw."""
    weights = {"weight": np.random.default_rng(0).uniform(-0.1, 0.1, (20, 20)).astype(np.float32)}
    return {"first": ("Linear", weights), "second": ("Linear", weights)}


def siblings() -> Layers:
    """Two layers with a draw each."""
    rng = np.random.default_rng(0)
    return {n: ("Linear", {"weight": rng.uniform(-0.1, 0.1, (20, 20)).astype(np.float32)}) for n in ("first", "second")}


L = keras.layers
Make = Callable[[], Layers]
PAIRS: dict[str, tuple[str, Make, Make]] = {
    "off centre": ("INIT-00", lambda: plain(normal(0.05)), lambda: plain(normal(0.05, 5.0))),
    "dense kernel": (
        "INIT-01",
        lambda: of_torch("Linear", nn.Linear(40, 30), "weight"),
        lambda: of_keras("Dense", L.Dense(30), (None, 40), "kernel"),
    ),
    "dense bias": (
        "INIT-02",
        lambda: of_torch("Linear", nn.Linear(40, 64), "bias"),
        lambda: of_keras("Dense", L.Dense(64), (None, 40), "bias"),
    ),
    "convolution": (
        "INIT-03",
        lambda: of_torch("Conv2d", nn.Conv2d(8, 16, 3)),
        lambda: of_keras("Conv2D", L.Conv2D(16, 3), (None, 9, 9, 8)),
    ),
    "depthwise": (
        "INIT-04",
        lambda: of_torch("DepthwiseConv2d", nn.Conv2d(32, 32, 3, groups=32), "weight"),
        lambda: of_keras("DepthwiseConv2D", L.DepthwiseConv2D(3), (None, 9, 9, 32), "kernel"),
    ),
    "transposed": (
        "INIT-05",
        lambda: of_torch("ConvTranspose2d", nn.ConvTranspose2d(8, 16, 3), "weight"),
        lambda: of_keras("Conv2DTranspose", L.Conv2DTranspose(16, 3), (None, 9, 9, 8), "kernel"),
    ),
    "embedding": (
        "INIT-06",
        lambda: of_torch("Embedding", nn.Embedding(50, 16)),
        lambda: of_keras("Embedding", L.Embedding(50, 16), (None,)),
    ),
    "LSTM kernel": (
        "INIT-07",
        lambda: of_torch("LSTM", nn.LSTM(12, 16), "weight_hh"),
        lambda: of_keras("LSTM", L.LSTM(16), (None, 5, 12), "recurrent_kernel"),
    ),
    "LSTM bias": (
        "INIT-08",
        lambda: of_torch("LSTM", nn.LSTM(12, 16), "bias_ih"),
        lambda: of_keras("LSTM", L.LSTM(16), (None, 5, 12), "bias"),
    ),
    "GRU": (
        "INIT-09",
        lambda: of_torch("GRU", nn.GRU(12, 16), "weight_hh"),
        lambda: of_keras("GRU", L.GRU(16), (None, 5, 12), "recurrent_kernel"),
    ),
    "attention": (
        "INIT-11",
        lambda: of_torch("MultiheadAttention", nn.MultiheadAttention(32, 4), "in_proj_weight"),
        lambda: {
            "layer": (
                "MultiHeadAttention",
                {"query": np.random.default_rng(0).uniform(-0.306, 0.306, (32, 4, 8)).astype(np.float32)},
            )
        },
    ),
    "PReLU": (
        "INIT-12",
        lambda: {"layer": ("PReLU", {"weight": np.full(7, 0.25, np.float32)})},
        lambda: {"layer": ("PReLU", {"alpha": np.zeros(7, np.float32)})},
    ),
    "truncated": ("INIT-13", lambda: plain(normal(0.1)), lambda: plain(truncated(0.1))),
    "named normal": ("INIT-14", lambda: plain(normal(1.0)), lambda: plain(normal(0.05))),
    "shared initialiser": ("INIT-16", siblings, twins),
}


def both(case: str) -> tuple[Profile, Profile]:
    """The two runs of a case, each in its framework."""
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    _, a, b = PAIRS[case]
    foreign = "keras" if case not in {"off centre", "truncated", "named normal", "shared initialiser"} else "torch"
    return drawn("torch", a()), drawn(foreign, b())


@pytest.mark.parametrize("case", PAIRS)
def test_the_only_difference_is_told_first(case: str) -> None:
    """From the numbers; only the layers' classes are declared."""
    found = diagnose(*both(case))
    told = [(cause.id, cause.parameter, cause.values, cause.effect) for cause in found.causes]
    assert told, found.harmless
    assert told[0][0] == PAIRS[case][0], told


@pytest.mark.parametrize("seed", range(20))
def test_two_draws_of_one_initialiser_are_the_same(seed: int) -> None:
    """Another seed is no cause."""
    torch.manual_seed(seed)
    a, b = ({f"l{at}": ("Linear", {k: p.detach().numpy() for k, p in layer.named_parameters()})
             for at, layer in enumerate((nn.Linear(10, 32), nn.Linear(32, 8)))} for _ in range(2))  # fmt: skip
    found = diagnose(drawn("torch", a), drawn("torch", b))
    assert not found.causes


@pytest.mark.parametrize(("own", "entry"), [(0.05, "INIT-14"), (0.08, "INIT-06")])
def test_a_normal_that_was_told_no_number_is_no_tables_default(own: float, entry: str) -> None:
    """A table at Keras's ``RandomNormal()`` beside one at a spread of the program's choice; else it is a table's."""
    rng = np.random.default_rng(3)

    def table(framework: str, spread: float) -> Profile:
        values = rng.normal(0, spread, (150, 8)).astype(np.float32)
        return drawn(framework, {"e": ("Embedding", {"weight" if framework == "torch" else "embeddings": values})})

    assert diagnose(table("keras", own), table("torch", 0.3)).causes[0].id == entry
    assert diagnose(table("keras", 0.05), table("torch", 1.0)).causes[0].id == "INIT-06"  # PyTorch's own default


def cell(of_input: float, of_state: float, *, noise: float = 0.0, hidden: int = 16) -> Profile:
    """PyTorch's LSTM with these biases of the forget gate, in its two vectors, and noise on all of them."""
    rng = np.random.default_rng(7)
    vectors = {name: rng.uniform(-noise, noise, 4 * hidden).astype(np.float32) for name in ("bias_ih", "bias_hh")}
    vectors["bias_ih"][hidden : 2 * hidden] += of_input
    vectors["bias_hh"][hidden : 2 * hidden] += of_state
    return drawn("torch", {"lstm": ("LSTM", {f"{name}_l0": values for name, values in vectors.items()})})


def test_the_two_biases_of_pytorchs_lstm_are_one() -> None:
    """The forget gate's one stands in either of them, or half in each."""
    theirs = drawn("keras", of_keras("LSTM", L.LSTM(16), (None, 5, 12), "bias"))
    for parts in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)):
        assert not diagnose(cell(*parts), theirs).causes
    for parts in ((1.0, 1.0), (0.0, 0.0), (1.0, -1.0)):
        assert [cause.id for cause in diagnose(cell(*parts), theirs).causes] == ["INIT-08"]


@pytest.mark.parametrize(("names", "width", "same"), [(("w_x", "w_h", "b_x", "b_h"), 4, True),
                                                      (("w_x", "w_h", "b_x"), 4, False),
                                                      (("w_x", "w_h", "b_x", "b_h"), 3, False)])  # fmt: skip
def test_the_two_biases_of_an_lstm_by_hand_are_one(names: tuple[str, ...], width: int, same: bool) -> None:
    """Of four gates, and of two vectors alone: then their sum is drawn as PyTorch's two are."""
    rng, hidden = np.random.default_rng(11), 24
    shapes = {"w_x": (width * hidden, 5), "w_h": (width * hidden, hidden)}
    own = {name: rng.uniform(-0.2, 0.2, shapes.get(name, (width * hidden,))).astype(np.float32) for name in names}
    facts = drawn("torch", {"cell": ("MyLSTM", own)}).value(initial.WEIGHTS)
    found = [one["name"] for one in facts if len(one["shape"]) == 1]
    assert found == (["cell.b_x"] if same or len(names) == 3 else ["cell.b_x", "cell.b_h"])
    std = next(one["std"] for one in facts if one["name"] == "cell.b_x")
    assert (std > 0.14) == same, "0.2 / √3 of one, √2 times as much of two"


@pytest.mark.parametrize("seed", range(40))
def test_a_normal_of_one_name_is_cut_off_in_keras(seed: int) -> None:
    """``he_normal`` and ``kaiming_normal_``, of any draw; and it is no mismatch."""
    rng, std = np.random.default_rng(seed), np.sqrt(2 / 256)
    wide = rng.normal(0, std, (256, 256))
    cut = rng.normal(size=4 * wide.size)
    cut = cut[np.abs(cut) < 2][: wide.size].reshape(wide.shape) * std / 0.87962566
    found = diagnose(drawn("torch", plain(wide)), drawn("keras", plain(cut)))
    assert [one.id for one in found.causes] == ["INIT-13"]
    assert not found.matters
    assert not diagnose(drawn("torch", plain(cut)), drawn("keras", plain(cut[::-1]))).causes


@pytest.mark.parametrize("hidden", [4, 8, 32])
def test_a_gate_that_begins_open_is_seen_in_a_small_cell(hidden: int) -> None:
    """All biases together scatter more than it shifts them; those of one gate do not."""
    a, b = cell(0.0, 0.0, noise=0.1, hidden=hidden), cell(1.0, 0.0, noise=0.1, hidden=hidden)
    found = diagnose(a, b)
    assert [cause.id for cause in found.causes] == ["INIT-08"]
    assert found.matters
    assert "one gate" in found.causes[0].effect


@pytest.mark.parametrize("layer", [nn.GRU(5, 12), nn.LSTM(4, 10), nn.Linear(9, 6), nn.Conv1d(3, 4, 5)])
def test_a_few_dozen_numbers_do_not_tell_which_distribution(layer: nn.Module) -> None:
    """Draws of one initialiser over many seeds: no other distribution is claimed of any two."""
    sides = []
    for seed in range(12):
        torch.manual_seed(seed)
        layer.reset_parameters()
        copied = {name: value.copy() for name, value in of_torch("", layer)["layer"][1].items()}
        sides.append(drawn("torch", {"layer": (type(layer).__name__, copied)}))
    found = [diagnose(a, b) for at, a in enumerate(sides) for b in sides[at + 1 :]]
    assert not [cause for one in found for cause in (*one.causes, *one.harmless) if cause.id.startswith("INIT")]


def test_a_pair_of_numbers_says_nothing_of_their_spread() -> None:
    """Biases of two classes: near to each other once in some draws; of many numbers a fifth of the spread is told."""
    close = plain(np.array([[0.2500, 0.2501]]))
    apart = plain(np.array([[-0.25, 0.21]]))
    assert not diagnose(drawn("torch", close), drawn("torch", apart)).causes
    assert diagnose(drawn("torch", plain(normal(0.1))), drawn("torch", plain(normal(0.12)))).causes


def head(bias: float, size: int = 1, first: float = 0.0) -> Profile:
    """Two layers of which the biases are constants: the first's, and the last's of so many numbers."""
    rng = np.random.default_rng(int(abs(bias) * 8))
    kernel = rng.uniform(-0.3, 0.3, (40, 30)).astype(np.float32)
    last = rng.uniform(-0.3, 0.3, (size, 40)).astype(np.float32)
    layers = {
        "first": ("Linear", {"weight": kernel, "bias": np.full(40, first, np.float32)}),
        "last": ("Linear", {"weight": last, "bias": np.full(size, bias, np.float32)}),
    }
    return drawn("torch", layers)


@pytest.mark.parametrize(("bias", "size", "found"), [(-2.5, 1, True), (0.125, 4, True), (0.125, 1, False)])
def test_the_bias_of_one_layer_that_begins_elsewhere_is_found(bias: float, size: int, found: bool) -> None:
    """A single number may be drawn; one that no law draws may not."""
    causes = diagnose(head(0, size), head(bias, size)).causes
    assert [cause.id for cause in causes] == (["INIT-02"] if found else [])
    assert not diagnose(head(bias, size), head(bias, size)).causes


def scaled(*values: float) -> Layers:
    """Normalisations that begin at these scales."""
    return {f"bn{at}": ("BatchNorm1d", {"weight": np.full(8, value, np.float32)}) for at, value in enumerate(values)}


def test_one_normalisation_whose_scale_begins_elsewhere_is_told() -> None:
    """Zero at the end of a residual branch, where the others begin at one."""
    told = diagnose(drawn("torch", scaled(1, 0)), drawn("torch", scaled(1, 1))).causes
    assert [(one.id, one.parameter) for one in told] == [("INIT-10", "init.norm.kernel")]
    assert told[0].weight > MATTERS
    assert not diagnose(drawn("torch", scaled(1, 0)), drawn("torch", scaled(1, 0))).causes
