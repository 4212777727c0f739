"""Initial weights of layers that a program has written itself, beside those that everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import init
from auditor.ingest.records import Recorded, StepRecording


def side(
    framework: str, weights: dict[str, np.ndarray], layers: list[dict[str, Any]], others: Sequence[str] = ()
) -> Profile:
    """A run that begins with these weights, some of which a second optimizer holds."""
    facts = {"optimizers": {"1": list(others)}} if others else {}
    arrays = {
        ("weight", name): Recorded("weight", name, "float32", values.shape, values.size, values.ravel())
        for name, values in weights.items()
    }
    return profile("r", framework, [StepRecording(0, 0, 1, arrays, facts=facts)], Beside({"model": {"layers": layers}}))


def torch_side(table: float, head: float) -> Profile:
    """An embedding and a linear layer, with these spreads."""
    rng = np.random.default_rng(0)
    weights = {"emb.weight": rng.normal(0, table, (60, 16)), "fc.weight": rng.normal(0, head, (5, 16))}
    return side("torch", weights, [{"name": "emb", "class": "Embedding"}, {"name": "fc", "class": "Linear"}])


def keras_side(table: float, head: float, own: str = "TokenTable") -> Profile:
    """A table in a layer of the program's own, looked up by a product, and a dense layer."""
    rng = np.random.default_rng(1)
    weights = {"net/words/values": rng.normal(0, table, (60, 16)), "net/out/kernel": rng.normal(0, head, (16, 5))}
    layers = [{"class": own, "path": "net/words"}, {"class": "Dense", "path": "net/out"}]
    return side("keras", weights, layers)


@pytest.mark.parametrize(
    ("a", "b", "parameters"),
    [
        ((0.1, 0.3), (0.1, 0.3), []),
        ((1.0, 0.3), (0.05, 0.3), ["init.embedding.kernel"]),
        ((0.1, 0.3), (0.1, 0.9), ["init.dense.kernel"]),
    ],
)
def test_a_table_of_ones_own_is_held_against_the_only_one_of_its_shape(
    a: tuple[float, float], b: tuple[float, float], parameters: list[str]
) -> None:
    """It is no dense kernel, though it has as many axes: a lookup by a product of one-hot rows is drawn as a table."""
    sides = torch_side(*a), keras_side(*b)
    for left, right in (sides, sides[::-1]):
        assert [one.parameter for one in init.causes(left, right)] == parameters


def test_weights_that_nobody_names_are_taken_for_what_their_axes_are() -> None:
    """A network of plain matrices against one of dense layers: the kernels are compared all the same."""
    rng = np.random.default_rng(2)
    plain = side("tensorflow", {"w1": rng.normal(0, 1.0, (16, 40)), "w2": rng.normal(0, 1.0, (40, 5))}, [])
    weights = {"0.weight": rng.normal(0, 0.2, (40, 16)), "2.weight": rng.normal(0, 0.2, (5, 40))}
    layers = [{"name": name, "class": "Linear"} for name in ("0", "2")]
    assert [one.parameter for one in init.causes(plain, side("torch", weights, layers))] == ["init.dense.kernel"]


def linear(*shapes: tuple[int, int], bias: float = 0.0, spread: float = 0.3) -> Profile:
    """PyTorch's linear layers of these kernels (out, in)."""
    rng = np.random.default_rng(3)
    weights: dict[str, np.ndarray] = {}
    for at, shape in enumerate(shapes):
        weights |= {f"l{at}.weight": rng.uniform(-spread, spread, shape), f"l{at}.bias": np.full(shape[0], bias)}
    return side("torch", weights, [{"name": f"l{at}", "class": "Linear"} for at in range(len(shapes))])


def own(**weights: np.ndarray) -> Profile:
    """A layer of the program's own with these tensors."""
    return side(
        "tensorflow", {f"experts/{n}": v for n, v in weights.items()}, [{"class": "Experts", "path": "experts"}]
    )


def drawn(*shape: int, spread: float = 0.3) -> np.ndarray:
    """Uniform numbers."""
    return np.random.default_rng(4).uniform(-spread, spread, shape)


def told(a: Profile, b: Profile) -> list[str]:
    """What is found of the two, whichever comes first."""
    found = [[(one.id, one.parameter) for one in init.causes(*sides)] for sides in ((a, b), (b, a))]
    assert found[0] == found[1]
    return [parameter for _, parameter in found[0]]


@pytest.mark.parametrize("name", ["b1", "bias", "b_hidden", "bg", "bxh", "gate_bias"])
def test_biases_in_a_matrix_are_no_kernel(name: str) -> None:
    """Those of four experts, beside layers that have a kernel of just this shape."""
    stacked = {"w1": drawn(4, 5, 20), "wg": drawn(20, 4)}
    experts = linear((20, 5), (4, 20))
    assert not told(own(**stacked, **{name: np.zeros((4, 20))}), experts)
    assert told(own(**stacked, **{name: np.ones((4, 20))}), experts) == ["init.dense.bias"]


@pytest.mark.parametrize("names", [("gamma1", "beta1"), ("scale", "b"), ("s", "t")])
def test_the_scale_of_a_normalisation_by_hand_is_no_bias(names: tuple[str, str]) -> None:
    """By its name, or because it is all ones; the layer's own scale is what it is held against."""
    scale, shift = names
    mine = {"w1": drawn(10, 32), "w2": drawn(32, 5), "b2": np.zeros(5), shift: np.zeros(32)}
    rng = np.random.default_rng(5)
    layers = [{"name": n, "class": c} for n, c in (("0", "Linear"), ("1", "BatchNorm1d"), ("2", "Linear"))]
    theirs = {"0.weight": rng.uniform(-0.3, 0.3, (32, 10)), "1.weight": np.ones(32), "1.bias": np.zeros(32)}
    theirs |= {"2.weight": rng.uniform(-0.3, 0.3, (5, 32)), "2.bias": np.zeros(5)}
    known = side("torch", theirs, layers)
    assert not told(own(**mine, **{scale: np.ones(32)}), known)
    if scale != "s":  # else nobody knows what it is
        assert told(own(**mine, **{scale: np.full(32, 0.1)}), known) == ["init.norm.kernel"]


def test_of_what_nobody_knows_nothing_is_said() -> None:
    """A table of positions that begins at zero, a stack of matrices beside a convolution: they are no kernels."""
    base = {"w": drawn(16, 8)}
    for name in ("places", "wpe", "bn"):
        assert not told(own(**base, **{name: np.zeros((40, 16))}), linear((8, 16)))
    conv = side("torch", {"c.weight": drawn(8, 4, 3, spread=0.9)}, [{"name": "c", "class": "Conv1d"}])
    assert not told(own(w=drawn(6, 5, 20)), conv)
    assert told(own(w=drawn(3, 4, 8)), conv) == ["init.conv.kernel"]


@pytest.mark.parametrize("name", ["w", "kernel", "wq", "whh", "theta"])
def test_a_kernel_by_hand_that_begins_otherwise_is_told(name: str) -> None:
    """At zero, or from another distribution: by its name, or as the other side has a kernel of its shape."""
    assert told(own(**{name: np.zeros((16, 8))}), linear((8, 16))) == ["init.dense.kernel"]
    assert told(own(**{name: drawn(16, 8, spread=0.9)}), linear((8, 16))) == ["init.dense.kernel"]
    by_hand = side("torch", {"w": drawn(16, 8)}, [])
    assert told(own(**{name: np.zeros((16, 8))}), by_hand) == ["init.dense.kernel"]


def halves(framework: str, spread: float, *, both: bool, apart: bool) -> Profile:
    """A judge, and perhaps a generator that is drawn with this spread, with an optimizer of its own or the judge's."""
    weights = {"judge.weight": drawn(30, 20)} | ({"maker.weight": drawn(40, 50, spread=spread)} if both else {})
    layers = [{"name": name.partition(".")[0], "class": "Linear"} for name in weights]
    return side(framework, weights, layers, ["maker.weight"] if both and apart else [])


@pytest.mark.parametrize("apart", [True, False])
def test_a_generator_is_held_against_a_generator(apart: bool) -> None:
    """Where one side recorded the judge alone, nothing of the other's generator is compared."""
    maker = halves("torch", 0.05, both=True, apart=True)
    assert not told(maker, halves("torch", 0.0, both=False, apart=False))
    assert not told(maker, halves("torch", 0.05, both=True, apart=apart))
    assert told(maker, halves("torch", 0.9, both=True, apart=apart)) == ["init.dense.kernel"]


@pytest.mark.parametrize(("drawn", "parameters"), [(False, []), (True, ["init.gru.recurrent"])])
def test_a_cell_by_hand_is_held_against_a_library_s_tensor_by_tensor(drawn: bool, parameters: list[str]) -> None:
    """In an attribute called ``gru``: what its state is multiplied with is no kernel of its inputs."""
    rng = np.random.default_rng(4)
    kernels = [rng.uniform(-0.28, 0.28, (2, 72)) for _ in range(2)]
    states = [np.linalg.qr(rng.normal(size=(72, 24)))[0].T for _ in range(2)]
    mine = {
        "gru.w": kernels[0],
        "gru.u": rng.normal(0, 0.4, (24, 72)) if drawn else states[0],
        "gru.bi": np.zeros(72),
        "gru.bh": np.zeros(72),
    }
    theirs = {"gru/kernel": kernels[1], "gru/recurrent_kernel": states[1], "gru/bias": np.zeros((2, 72))}
    by_hand = side("torch", mine, [{"name": "gru", "class": "GRUByHand"}])
    library = side("keras", theirs, [{"path": "gru", "class": "GRU"}])
    for left, right in ((by_hand, library), (library, by_hand)):
        assert [one.parameter for one in init.causes(left, right)] == parameters
